// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IActing} from "../../contracts/interfaces/IActing.sol";
import {ICertificates} from "../../contracts/interfaces/ICertificates.sol";
import {IFunds} from "../../contracts/interfaces/IFunds.sol";
import {IParticipants} from "../../contracts/interfaces/IParticipants.sol";
import {ISettlements} from "../../contracts/interfaces/ISettlements.sol";
import {ITrades} from "../../contracts/interfaces/ITrades.sol";
import {Hashing} from "../../contracts/libraries/Hashing.sol";
import {Cause} from "../../contracts/types/Acting.sol";
import {AuthorityClass, DigestAlg} from "../../contracts/types/Codes.sol";
import {CertificateId, DeliveryId, SettlementId, TradeId} from "../../contracts/types/Ids.sol";
import {Market} from "./Market.sol";

/// @dev J-01, J-02, J-12: every leg is paid once, in the act that closes the trade, and not while an authority holds
/// it.
contract SettlementsTest is Market {
    TradeId internal tradeId;

    function setUp() public override {
        super.setUp();
        tradeId = _concluded(_terms(1, "a"));
    }

    // ---------------------------------------------------------------- settle

    function test_settle_reverts_with_TradeNotFound() public {
        _refuse(exchange, TradeId.wrap("none"), DeliveryId.wrap(0), ITrades.TradeNotFound.selector);
    }

    function test_settle_reverts_with_SettlementAlreadyExists() public {
        DeliveryId deliveryId = _accepted(tradeId);
        _settled(tradeId, deliveryId);
        _refuse(exchange, tradeId, deliveryId, ISettlements.SettlementAlreadyExists.selector);
    }

    function test_settle_reverts_with_RoleMissing() public {
        DeliveryId deliveryId = _accepted(tradeId);
        Member memory foreign = _admitted("foreign", otherExchange.id);
        _grant(foreign, IParticipants.Role.CLEARING, otherExchange.id);
        _refuse(seller, tradeId, deliveryId, IParticipants.RoleMissing.selector);
        _refuse(otherExchange, tradeId, deliveryId, IParticipants.RoleMissing.selector);
        _refuse(foreign, tradeId, deliveryId, IParticipants.RoleMissing.selector);
    }

    function test_settle_reverts_with_TradeStateWrong() public {
        DeliveryId deliveryId = _delivered(tradeId);
        _refuse(exchange, tradeId, deliveryId, ITrades.TradeStateWrong.selector);
    }

    function test_settle_reverts_with_DeliveryNotAccepted() public {
        DeliveryId rejected = _delivered(tradeId);
        vm.prank(buyer.account);
        deliveries.reject(rejected, _cause(AuthorityClass.PARTY), _direct());
        _accepted(tradeId);
        TradeId other = _concluded(_terms(1, "b"));
        DeliveryId foreign = _accepted(other);
        _refuse(exchange, tradeId, rejected, ISettlements.DeliveryNotAccepted.selector);
        _refuse(exchange, tradeId, foreign, ISettlements.DeliveryNotAccepted.selector);
        _refuse(exchange, tradeId, DeliveryId.wrap("none"), ISettlements.DeliveryNotAccepted.selector);
    }

    function test_settle_reverts_with_SettlementHeld() public {
        DeliveryId deliveryId = _accepted(tradeId);
        Member[4] memory members = [exchange, regulator, court, arbitrator];
        AuthorityClass[4] memory classes =
            [AuthorityClass.VENUE, AuthorityClass.REGULATOR, AuthorityClass.COURT, AuthorityClass.ARBITRATION];
        for (uint256 i = 0; i < 4; ++i) {
            _hold(members[i], _cause(classes[i]));
            vm.assertTrue(settlements.isHeld(tradeId));
            _refuse(exchange, tradeId, deliveryId, ISettlements.SettlementHeld.selector);
            _lift(members[i], _cause(classes[i]));
            vm.assertFalse(settlements.isHeld(tradeId));
        }
    }

    function test_settle_reverts_with_LegsWrong() public {
        DeliveryId deliveryId = _accepted(tradeId);
        ITrades.Leg[] memory legs = _legs(PRICE_FEN);
        legs[0].payee = exchange.id;
        vm.expectPartialRevert(ITrades.LegsWrong.selector);
        vm.prank(exchange.account);
        settlements.settle(tradeId, deliveryId, legs, DOCUMENT, DigestAlg.SHA256, _direct());
    }

    function test_settle_reverts_with_FieldInvalid() public {
        DeliveryId deliveryId = _accepted(tradeId);
        vm.expectPartialRevert(IActing.FieldInvalid.selector);
        vm.prank(exchange.account);
        settlements.settle(tradeId, deliveryId, _legs(PRICE_FEN), 0, DigestAlg.SHA256, _direct());
        vm.expectPartialRevert(IActing.FieldInvalid.selector);
        vm.prank(exchange.account);
        settlements.settle(tradeId, deliveryId, _legs(PRICE_FEN), DOCUMENT, DigestAlg.NONE, _direct());
    }

    function test_settle_settles_the_trade_when_a_clearing_house_calls() public {
        Member memory house = _trading("house", IParticipants.Role.CLEARING);
        DeliveryId deliveryId = _accepted(tradeId);
        vm.prank(house.account);
        settlements.settle(tradeId, deliveryId, _legs(PRICE_FEN), DOCUMENT, DigestAlg.SHA256, _direct());
        vm.assertTrue(trades.briefOf(tradeId).state == ITrades.TradeState.CLOSED);
    }

    function test_settle_settles_the_trade_given_the_hold_has_lapsed() public {
        DeliveryId deliveryId = _accepted(tradeId);
        Cause memory cause = _cause(AuthorityClass.COURT);
        cause.until = START + 1 hours;
        _hold(court, cause);
        _hold(regulator, _cause(AuthorityClass.REGULATOR));
        _lift(regulator, _cause(AuthorityClass.REGULATOR));
        vm.warp(START + 1 hours - 1);
        _refuse(exchange, tradeId, deliveryId, ISettlements.SettlementHeld.selector);
        vm.warp(START + 1 hours);
        _settled(tradeId, deliveryId);
        vm.assertTrue(trades.briefOf(tradeId).state == ITrades.TradeState.CLOSED);
    }

    function test_settle_settles_the_trade_given_it_was_free() public {
        tradeId = _concludedFree();
        DeliveryId deliveryId = _accepted(tradeId);
        vm.prank(exchange.account);
        settlements.settle(tradeId, deliveryId, new ITrades.Leg[](0), DOCUMENT, DigestAlg.SHA256, _direct());
        vm.assertTrue(trades.briefOf(tradeId).state == ITrades.TradeState.CLOSED);
    }

    /// @dev S5, F1, F4: a frozen payee blocks nobody, and is credited.
    function test_settle_pays_the_others_all_the_same() public {
        DeliveryId deliveryId = _accepted(tradeId);
        _suspend(otherSeller);
        _suspend(taxOffice);
        _settled(tradeId, deliveryId);
        ITrades.Leg[] memory legs = _legs(PRICE_FEN);
        for (uint256 i = 0; i < legs.length; ++i) {
            IFunds.FundsAccount memory account = funds.fundsAccountOf(legs[i].payee, bank.id);
            bool isFrozen = legs[i].payee == otherSeller.id || legs[i].payee == taxOffice.id;
            vm.assertEq(account.frozenFen, isFrozen ? legs[i].amountFen : 0);
            vm.assertEq(account.availableFen, isFrozen ? 0 : legs[i].amountFen);
        }
    }

    function test_settle_settles_the_trade() public {
        DeliveryId deliveryId = _accepted(tradeId);
        SettlementId settlementId = _settled(tradeId, deliveryId);
        ISettlements.Settlement memory settlement = settlements.settlementOf(settlementId);
        vm.assertEq(SettlementId.unwrap(settlementId), SettlementId.unwrap(_settlementId()));
        vm.assertEq(TradeId.unwrap(settlement.tradeId), TradeId.unwrap(tradeId));
        vm.assertEq(DeliveryId.unwrap(settlement.deliveryId), DeliveryId.unwrap(deliveryId));
        vm.assertTrue(settlement.state == ISettlements.SettlementState.SETTLED && settlement.bank == bank.id);
        vm.assertEq(settlement.sequence, 1);
        vm.assertEq(settlement.grossFen, PRICE_FEN);
        vm.assertEq(settlement.legsHash, keccak256(abi.encode(_legs(PRICE_FEN))));
        vm.assertEq(settlement.settledAt, START);
        vm.assertTrue(trades.briefOf(tradeId).state == ITrades.TradeState.CLOSED);
    }

    function test_settle_emits_SettlementSettled() public {
        DeliveryId deliveryId = _accepted(tradeId);
        bytes32 certificateId = Hashing.actId("certificate", exchange.id, SettlementId.unwrap(_settlementId()), 0);
        vm.expectEmit(address(settlements));
        emit ISettlements.SettlementSettled(
            _settlementId(),
            tradeId,
            deliveryId,
            1,
            PRICE_FEN,
            _legs(PRICE_FEN),
            bank.id,
            "CNY",
            START,
            CertificateId.wrap(certificateId),
            exchange.id,
            exchange.account
        );
        _settled(tradeId, deliveryId);
    }

    function test_settle_pays_every_leg() public {
        _settled(tradeId, _accepted(tradeId));
        ITrades.Leg[] memory legs = _legs(PRICE_FEN);
        for (uint256 i = 0; i < legs.length; ++i) {
            vm.assertEq(funds.fundsAccountOf(legs[i].payee, bank.id).availableFen, legs[i].amountFen);
        }
        vm.assertEq(_availableOf(buyer), DEPOSIT_FEN - PRICE_FEN);
        vm.assertEq(_heldOf(buyer), 0);
    }

    function test_settle_issues_the_certificate_to_the_seller() public {
        SettlementId settlementId = _settled(tradeId, _accepted(tradeId));
        CertificateId certificateId = settlements.settlementOf(settlementId).certificateId;
        ICertificates.CertificateStatus memory certificate = certificates.certificateOf(certificateId);
        vm.assertTrue(certificate.kind == ICertificates.CertificateKind.SETTLEMENT);
        vm.assertEq(certificate.owner, seller.account);
    }

    // ---------------------------------------------------------------- placeHold

    function test_placeHold_reverts_with_TradeNotFound() public {
        tradeId = TradeId.wrap("none");
        _refuseHold(court, AuthorityClass.COURT, ITrades.TradeNotFound.selector);
    }

    function test_placeHold_reverts_with_AuthorityMissing() public {
        _refuseHold(buyer, AuthorityClass.COURT, IParticipants.AuthorityMissing.selector);
        _refuseHold(buyer, AuthorityClass.PARTY, IParticipants.AuthorityMissing.selector);
        _refuseHold(otherExchange, AuthorityClass.VENUE, IParticipants.AuthorityMissing.selector);
        _refuseHold(bank, AuthorityClass.BANK, IParticipants.AuthorityMissing.selector);
    }

    function test_placeHold_reverts_with_TradeStateWrong_given_it_is_closed() public {
        _settled(tradeId, _accepted(tradeId));
        _refuseHold(court, AuthorityClass.COURT, ITrades.TradeStateWrong.selector);
    }

    function test_placeHold_reverts_with_TradeStateWrong_given_it_is_terminated() public {
        vm.prank(court.account);
        trades.terminate(tradeId, _cause(AuthorityClass.COURT), _direct());
        _refuseHold(court, AuthorityClass.COURT, ITrades.TradeStateWrong.selector);
    }

    function test_placeHold_reverts_with_SettlementHoldAlreadyExists() public {
        _hold(court, _cause(AuthorityClass.COURT));
        _refuseHold(court, AuthorityClass.COURT, ISettlements.SettlementHoldAlreadyExists.selector);
    }

    function test_placeHold_holds_the_trade_given_the_last_has_lapsed() public {
        Cause memory cause = _cause(AuthorityClass.COURT);
        cause.until = START + 1;
        _hold(court, cause);
        vm.warp(START + 1);
        vm.assertFalse(settlements.isHeld(tradeId));
        _hold(court, _cause(AuthorityClass.COURT));
        vm.assertTrue(settlements.isHeld(tradeId));
    }

    function test_placeHold_holds_the_trade_given_it_was_free() public {
        tradeId = _concludedFree();
        _hold(court, _cause(AuthorityClass.COURT));
        vm.assertTrue(settlements.isHeld(tradeId));
        _lift(court, _cause(AuthorityClass.COURT));
        vm.assertFalse(settlements.isHeld(tradeId));
    }

    function test_placeHold_holds_the_trade() public {
        Cause memory cause = _cause(AuthorityClass.REGULATOR);
        cause.until = START + 9;
        _hold(regulator, cause);
        ISettlements.SettlementHold memory held = settlements.settlementHoldOf(tradeId, AuthorityClass.REGULATOR);
        vm.assertTrue(held.isActive && held.byParticipant == regulator.id);
        vm.assertTrue(held.authority == AuthorityClass.REGULATOR);
        vm.assertEq(held.until, START + 9);
    }

    function test_placeHold_emits_SettlementHoldPlaced() public {
        vm.expectEmit(address(settlements));
        emit ISettlements.SettlementHoldPlaced(
            tradeId, AuthorityClass.COURT, court.id, court.account, _cause(AuthorityClass.COURT)
        );
        _hold(court, _cause(AuthorityClass.COURT));
    }

    /// @dev Nothing moves under a hold (architecture 10): a refund is blocked as a payment is.
    function test_placeHold_blocks_the_money_until_the_last_hold_ends() public {
        Cause memory short = _cause(AuthorityClass.COURT);
        short.until = START + 10;
        Cause memory long = _cause(AuthorityClass.ARBITRATION);
        long.until = START + 20;
        _hold(arbitrator, long);
        _hold(court, short);
        vm.assertEq(funds.fundsHoldOf(tradeId).blockedUntil, START + 20);
        _hold(regulator, _cause(AuthorityClass.REGULATOR));
        vm.assertTrue(funds.fundsHoldOf(tradeId).isBlocked);
        vm.assertEq(funds.fundsHoldOf(tradeId).blockedUntil, 0);
        _lift(regulator, _cause(AuthorityClass.REGULATOR));
        vm.assertEq(funds.fundsHoldOf(tradeId).blockedUntil, START + 20);
        vm.expectPartialRevert(IFunds.HoldBlocked.selector);
        vm.prank(court.account);
        trades.terminate(tradeId, _cause(AuthorityClass.COURT), _direct());
        vm.warp(START + 20);
        vm.prank(court.account);
        trades.terminate(tradeId, _cause(AuthorityClass.COURT), _direct());
        vm.assertEq(_availableOf(buyer), DEPOSIT_FEN);
    }

    // ---------------------------------------------------------------- liftHold

    function test_liftHold_reverts_with_TradeNotFound() public {
        tradeId = TradeId.wrap("none");
        vm.expectPartialRevert(ITrades.TradeNotFound.selector);
        _lift(court, _cause(AuthorityClass.COURT));
    }

    function test_liftHold_reverts_with_AuthorityMissing() public {
        _hold(court, _cause(AuthorityClass.COURT));
        vm.expectPartialRevert(IParticipants.AuthorityMissing.selector);
        _lift(regulator, _cause(AuthorityClass.COURT));
    }

    function test_liftHold_reverts_with_SettlementHoldNotFound() public {
        _hold(court, _cause(AuthorityClass.COURT));
        vm.expectPartialRevert(ISettlements.SettlementHoldNotFound.selector);
        _lift(regulator, _cause(AuthorityClass.REGULATOR));
    }

    function test_liftHold_reverts_with_SettlementHoldNotFound_given_it_has_lapsed() public {
        Cause memory cause = _cause(AuthorityClass.COURT);
        cause.until = START + 1;
        _hold(court, cause);
        vm.warp(START + 1);
        vm.expectPartialRevert(ISettlements.SettlementHoldNotFound.selector);
        _lift(court, _cause(AuthorityClass.COURT));
    }

    function test_liftHold_frees_the_trade() public {
        _hold(court, _cause(AuthorityClass.COURT));
        _lift(court, _cause(AuthorityClass.COURT));
        vm.assertFalse(settlements.isHeld(tradeId));
        vm.assertFalse(funds.fundsHoldOf(tradeId).isBlocked);
        vm.assertFalse(settlements.settlementHoldOf(tradeId, AuthorityClass.COURT).isActive);
    }

    function test_liftHold_emits_SettlementHoldLifted() public {
        _hold(court, _cause(AuthorityClass.COURT));
        vm.expectEmit(address(settlements));
        emit ISettlements.SettlementHoldLifted(
            tradeId, AuthorityClass.COURT, court.id, court.account, _cause(AuthorityClass.COURT)
        );
        _lift(court, _cause(AuthorityClass.COURT));
    }

    // ---------------------------------------------------------------- views

    function test_views_reverts_with_SettlementNotFound() public {
        vm.expectPartialRevert(ISettlements.SettlementNotFound.selector);
        settlements.settlementOf(SettlementId.wrap("none"));
    }

    // ---------------------------------------------------------------- helpers

    function _settlementId() private view returns (SettlementId) {
        return SettlementId.wrap(Hashing.actId("settlement", exchange.id, TradeId.unwrap(tradeId), 0));
    }

    function _hold(Member memory member, Cause memory cause) private {
        vm.prank(member.account);
        settlements.placeHold(tradeId, cause, _direct());
    }

    function _lift(Member memory member, Cause memory cause) private {
        vm.prank(member.account);
        settlements.liftHold(tradeId, cause, _direct());
    }

    function _refuseHold(Member memory member, AuthorityClass authority, bytes4 failure) private {
        vm.expectPartialRevert(failure);
        _hold(member, _cause(authority));
    }

    function _refuse(Member memory member, TradeId trade, DeliveryId deliveryId, bytes4 failure) private {
        ITrades.Leg[] memory legs = _legs(PRICE_FEN);
        vm.expectPartialRevert(failure);
        vm.prank(member.account);
        settlements.settle(trade, deliveryId, legs, DOCUMENT, DigestAlg.SHA256, _direct());
    }
}
