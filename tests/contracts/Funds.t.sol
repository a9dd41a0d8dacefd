// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IActing} from "../../contracts/interfaces/IActing.sol";
import {IFunds} from "../../contracts/interfaces/IFunds.sol";
import {IParticipants} from "../../contracts/interfaces/IParticipants.sol";
import {ITrades} from "../../contracts/interfaces/ITrades.sol";
import {Hashing} from "../../contracts/libraries/Hashing.sol";
import {AuthorityClass, DigestAlg} from "../../contracts/types/Codes.sol";
import {ParticipantId, TradeId, WithdrawalId} from "../../contracts/types/Ids.sol";
import {Market} from "./Market.sol";

/// @dev J-11: money is kept in whole fen, and only a bank makes it. This contract is the module that holds and splits.
contract FundsTest is Market {
    TradeId internal constant TRADE = TradeId.wrap(keccak256("trade"));
    uint64 internal constant AMOUNT_FEN = 1_000_001;

    function setUp() public override {
        super.setUp();
        _setModule(IParticipants.ModuleKind.FUNDS_HOLDER, address(this));
        _setModule(IParticipants.ModuleKind.FUNDS_SPLITTER, address(this));
    }

    // ---------------------------------------------------------------- attestDeposit

    function test_attestDeposit_reverts_with_RoleMissing() public {
        IFunds.BankDeposit memory deposit = _bankDeposit(buyer.id, 1);
        vm.expectPartialRevert(IParticipants.RoleMissing.selector);
        vm.prank(exchange.account);
        funds.attestDeposit(deposit, _direct());
    }

    function test_attestDeposit_reverts_with_ParticipantNotFound() public {
        _refuseDeposit(_bankDeposit(ParticipantId.wrap("nobody"), 1), IParticipants.ParticipantNotFound.selector);
    }

    function test_attestDeposit_reverts_with_CurrencyNotServed() public {
        IFunds.BankDeposit memory deposit = _bankDeposit(buyer.id, 1);
        deposit.currency = "USD";
        _refuseDeposit(deposit, IFunds.CurrencyNotServed.selector);
    }

    function test_attestDeposit_reverts_with_BankReferenceAlreadyUsed() public {
        IFunds.BankDeposit memory deposit = _bankDeposit(buyer.id, 1);
        vm.prank(bank.account);
        funds.attestDeposit(deposit, _direct());
        _refuseDeposit(deposit, IFunds.BankReferenceAlreadyUsed.selector);
    }

    function test_attestDeposit_reverts_with_BankReferenceAlreadyUsed_by_a_withdrawal() public {
        _payOut(_requested("w"), "out");
        IFunds.BankDeposit memory deposit = _bankDeposit(buyer.id, 1);
        deposit.bankReferenceDigest = "out";
        _refuseDeposit(deposit, IFunds.BankReferenceAlreadyUsed.selector);
    }

    function test_attestDeposit_reverts_with_FieldInvalid_when_a_field_is_empty() public {
        IFunds.BankDeposit memory deposit = _bankDeposit(buyer.id, 0);
        _refuseDeposit(deposit, IActing.FieldInvalid.selector);
        deposit = _bankDeposit(buyer.id, 1);
        deposit.bankReferenceDigest = 0;
        _refuseDeposit(deposit, IActing.FieldInvalid.selector);
        deposit = _bankDeposit(buyer.id, 1);
        deposit.digestAlg = DigestAlg.NONE;
        _refuseDeposit(deposit, IActing.FieldInvalid.selector);
        deposit = _bankDeposit(buyer.id, 1);
        deposit.valueDate = 260_302;
        _refuseDeposit(deposit, IActing.FieldInvalid.selector);
    }

    function test_attestDeposit_reverts_with_FieldInvalid_when_the_bank_would_hold_2_63() public {
        _deposit(seller.id, uint64(type(int64).max) - DEPOSIT_FEN);
        vm.assertEq(funds.totalFenOf(bank.id), uint64(type(int64).max));
        _refuseDeposit(_bankDeposit(buyer.id, 1), IActing.FieldInvalid.selector);
    }

    function test_attestDeposit_credits_what_is_available_when_relayed() public {
        IFunds.BankDeposit memory deposit = _bankDeposit(seller.id, 5);
        bytes32 argumentsHash = keccak256(abi.encode(deposit));
        vm.prank(stranger.account);
        funds.attestDeposit(deposit, _relayed(bank, address(funds), IFunds.attestDeposit.selector, argumentsHash, 1));
        vm.assertEq(_availableOf(seller), 5);
    }

    function testFuzz_attestDeposit_credits_what_is_available(uint64 amountFen) public {
        amountFen = uint64(bound(amountFen, 1, uint64(type(int64).max) - DEPOSIT_FEN));
        _deposit(buyer.id, amountFen);
        vm.assertEq(_availableOf(buyer), DEPOSIT_FEN + amountFen);
        vm.assertEq(funds.totalFenOf(bank.id), DEPOSIT_FEN + amountFen);
    }

    function test_attestDeposit_emits_FundsDeposited() public {
        IFunds.BankDeposit memory deposit = _bankDeposit(buyer.id, 7);
        vm.expectEmit(address(funds));
        emit IFunds.FundsDeposited(
            buyer.id, bank.id, 7, "CNY", deposit.bankReferenceDigest, DigestAlg.SHA256, 20_260_302, bank.account
        );
        vm.prank(bank.account);
        funds.attestDeposit(deposit, _direct());
        vm.assertTrue(funds.isBankReferenceUsed(bank.id, deposit.bankReferenceDigest));
    }

    function test_attestDeposit_credits_each_bank_apart() public {
        Member memory other = _serving("otherBank", IParticipants.Role.SETTLEMENT_BANK);
        IFunds.BankDeposit memory deposit = _bankDeposit(seller.id, 3);
        vm.prank(bank.account);
        funds.attestDeposit(deposit, _direct());
        vm.prank(other.account);
        funds.attestDeposit(deposit, _direct());
        vm.assertEq(funds.fundsAccountOf(seller.id, other.id).availableFen, 3);
        vm.assertEq(_availableOf(seller), 3);
    }

    // ---------------------------------------------------------------- requestWithdrawal

    function test_requestWithdrawal_reverts_with_ParticipantNotActive() public {
        _suspend(buyer);
        _refuseWithdrawal(1, DOCUMENT, DigestAlg.SHA256, "w", IParticipants.ParticipantNotActive.selector);
    }

    function test_requestWithdrawal_reverts_with_WithdrawalAlreadyExists() public {
        _requested("w");
        _refuseWithdrawal(1, DOCUMENT, DigestAlg.SHA256, "w", IFunds.WithdrawalAlreadyExists.selector);
    }

    function test_requestWithdrawal_reverts_with_FieldInvalid() public {
        _refuseWithdrawal(0, DOCUMENT, DigestAlg.SHA256, "w", IActing.FieldInvalid.selector);
        _refuseWithdrawal(1, 0, DigestAlg.SHA256, "w", IActing.FieldInvalid.selector);
        _refuseWithdrawal(1, DOCUMENT, DigestAlg.NONE, "w", IActing.FieldInvalid.selector);
    }

    function test_requestWithdrawal_reverts_with_FundsInsufficient() public {
        _refuseWithdrawal(DEPOSIT_FEN + 1, DOCUMENT, DigestAlg.SHA256, "w", IFunds.FundsInsufficient.selector);
    }

    function test_requestWithdrawal_holds_the_amount() public {
        IFunds.Withdrawal memory withdrawal = funds.withdrawalOf(_requested("w"));
        vm.assertEq(_heldOf(buyer), AMOUNT_FEN);
        vm.assertEq(_availableOf(buyer), DEPOSIT_FEN - AMOUNT_FEN);
        vm.assertEq(withdrawal.amountFen, AMOUNT_FEN);
        vm.assertTrue(withdrawal.state == IFunds.WithdrawalState.REQUESTED);
        vm.assertTrue(withdrawal.participantId == buyer.id && withdrawal.bank == bank.id);
    }

    function test_requestWithdrawal_emits_WithdrawalRequested() public {
        WithdrawalId expected =
            WithdrawalId.wrap(Hashing.actId("withdrawal", buyer.id, ParticipantId.unwrap(bank.id), "w"));
        vm.expectEmit(address(funds));
        emit IFunds.WithdrawalRequested(
            expected, buyer.id, bank.id, AMOUNT_FEN, DOCUMENT, DigestAlg.SHA256, buyer.account
        );
        _requested("w");
    }

    // ---------------------------------------------------------------- attestWithdrawal

    function test_attestWithdrawal_reverts_with_WithdrawalNotFound() public {
        _refusePayout(bank, WithdrawalId.wrap("none"), "out", IFunds.WithdrawalNotFound.selector);
    }

    function test_attestWithdrawal_reverts_with_RoleMissing() public {
        _refusePayout(buyer, _requested("w"), "out", IParticipants.RoleMissing.selector);
    }

    function test_attestWithdrawal_reverts_with_CallerNotBank() public {
        Member memory other = _serving("otherBank", IParticipants.Role.SETTLEMENT_BANK);
        _refusePayout(other, _requested("w"), "out", IFunds.CallerNotBank.selector);
    }

    function test_attestWithdrawal_reverts_with_WithdrawalStateWrong() public {
        WithdrawalId withdrawalId = _requested("w");
        _payOut(withdrawalId, "out");
        _refusePayout(bank, withdrawalId, "again", IFunds.WithdrawalStateWrong.selector);
    }

    function test_attestWithdrawal_reverts_with_BankReferenceAlreadyUsed() public {
        IFunds.BankDeposit memory deposit = _bankDeposit(buyer.id, 1);
        vm.prank(bank.account);
        funds.attestDeposit(deposit, _direct());
        _refusePayout(bank, _requested("w"), deposit.bankReferenceDigest, IFunds.BankReferenceAlreadyUsed.selector);
    }

    function test_attestWithdrawal_takes_the_money_out_of_the_ledger() public {
        WithdrawalId withdrawalId = _requested("w");
        _payOut(withdrawalId, "out");
        vm.assertEq(_heldOf(buyer), 0);
        vm.assertEq(funds.totalFenOf(bank.id), DEPOSIT_FEN - AMOUNT_FEN);
        vm.assertTrue(funds.withdrawalOf(withdrawalId).state == IFunds.WithdrawalState.PAID);
    }

    function test_attestWithdrawal_emits_WithdrawalPaid() public {
        WithdrawalId withdrawalId = _requested("w");
        vm.expectEmit(address(funds));
        emit IFunds.WithdrawalPaid(withdrawalId, bank.id, "out", DigestAlg.SHA256, 20_260_303, bank.account);
        _payOut(withdrawalId, "out");
    }

    // ---------------------------------------------------------------- rejectWithdrawal

    function test_rejectWithdrawal_reverts_with_WithdrawalNotFound() public {
        _refuseRejection(bank, WithdrawalId.wrap("none"), AuthorityClass.BANK, IFunds.WithdrawalNotFound.selector);
    }

    function test_rejectWithdrawal_reverts_with_AuthorityMissing() public {
        WithdrawalId withdrawalId = _requested("w");
        _refuseRejection(buyer, withdrawalId, AuthorityClass.PARTY, IParticipants.AuthorityMissing.selector);
        _refuseRejection(buyer, withdrawalId, AuthorityClass.BANK, IParticipants.AuthorityMissing.selector);
    }

    function test_rejectWithdrawal_reverts_with_CallerNotBank() public {
        Member memory other = _serving("otherBank", IParticipants.Role.SETTLEMENT_BANK);
        _refuseRejection(other, _requested("w"), AuthorityClass.BANK, IFunds.CallerNotBank.selector);
    }

    function test_rejectWithdrawal_reverts_with_WithdrawalStateWrong() public {
        WithdrawalId withdrawalId = _requested("w");
        _payOut(withdrawalId, "out");
        _refuseRejection(bank, withdrawalId, AuthorityClass.BANK, IFunds.WithdrawalStateWrong.selector);
    }

    function test_rejectWithdrawal_makes_the_amount_available_again() public {
        WithdrawalId withdrawalId = _requested("w");
        vm.prank(bank.account);
        funds.rejectWithdrawal(withdrawalId, _cause(AuthorityClass.BANK), _direct());
        vm.assertEq(_availableOf(buyer), DEPOSIT_FEN);
        vm.assertEq(_heldOf(buyer), 0);
    }

    function test_rejectWithdrawal_emits_WithdrawalRejected() public {
        WithdrawalId withdrawalId = _requested("w");
        vm.expectEmit(address(funds));
        emit IFunds.WithdrawalRejected(withdrawalId, bank.id, bank.account, _cause(AuthorityClass.BANK));
        vm.prank(bank.account);
        funds.rejectWithdrawal(withdrawalId, _cause(AuthorityClass.BANK), _direct());
    }

    // ---------------------------------------------------------------- unfreeze

    function test_unfreeze_reverts_with_ParticipantNotActive() public {
        _frozenSeller();
        vm.expectPartialRevert(IParticipants.ParticipantNotActive.selector);
        vm.prank(seller.account);
        funds.unfreeze(bank.id, _direct());
    }

    function test_unfreeze_reverts_with_FundsInsufficient() public {
        vm.expectRevert(abi.encodeWithSelector(IFunds.FundsInsufficient.selector, seller.id, 0, 1));
        vm.prank(seller.account);
        funds.unfreeze(bank.id, _direct());
    }

    function test_unfreeze_makes_the_amount_available() public {
        _frozenSeller();
        _restore(seller);
        vm.prank(seller.account);
        funds.unfreeze(bank.id, _direct());
        vm.assertEq(_availableOf(seller), AMOUNT_FEN);
        vm.assertEq(funds.fundsAccountOf(seller.id, bank.id).frozenFen, 0);
    }

    function test_unfreeze_emits_FundsUnfrozen() public {
        _frozenSeller();
        _restore(seller);
        vm.expectEmit(address(funds));
        emit IFunds.FundsUnfrozen(seller.id, bank.id, AMOUNT_FEN, seller.account);
        vm.prank(seller.account);
        funds.unfreeze(bank.id, _direct());
    }

    // ---------------------------------------------------------------- hold

    function test_hold_reverts_with_CallerNotModule() public {
        vm.expectPartialRevert(IParticipants.CallerNotModule.selector);
        vm.prank(governor.account);
        funds.hold(TRADE, buyer.id, bank.id, 1);
    }

    function test_hold_reverts_with_RoleMissing_given_no_role() public {
        vm.expectPartialRevert(IParticipants.RoleMissing.selector);
        funds.hold(TRADE, buyer.id, exchange.id, 1);
    }

    function test_hold_reverts_with_RoleMissing_given_a_suspended_bank() public {
        _suspend(bank);
        vm.expectPartialRevert(IParticipants.RoleMissing.selector);
        funds.hold(TRADE, buyer.id, bank.id, 1);
    }

    function test_hold_reverts_with_HoldAlreadyExists() public {
        _held();
        funds.release(TRADE);
        vm.expectRevert(abi.encodeWithSelector(IFunds.HoldAlreadyExists.selector, TRADE));
        _held();
    }

    function test_hold_reverts_with_FieldInvalid() public {
        vm.expectRevert(abi.encodeWithSelector(IActing.FieldInvalid.selector, bytes32("amountFen")));
        funds.hold(TRADE, buyer.id, bank.id, 0);
    }

    function testFuzz_hold_reverts_with_FundsInsufficient(uint64 amountFen) public {
        amountFen = uint64(bound(amountFen, DEPOSIT_FEN + 1, type(uint64).max));
        vm.expectRevert(abi.encodeWithSelector(IFunds.FundsInsufficient.selector, buyer.id, DEPOSIT_FEN, amountFen));
        funds.hold(TRADE, buyer.id, bank.id, amountFen);
    }

    function test_hold_holds_the_amount() public {
        _held();
        IFunds.FundsHold memory held = funds.fundsHoldOf(TRADE);
        vm.assertEq(held.heldFen, AMOUNT_FEN);
        vm.assertTrue(held.payer == buyer.id && held.bank == bank.id && !held.isBlocked);
        vm.assertEq(_heldOf(buyer), AMOUNT_FEN);
        vm.assertEq(_availableOf(buyer), DEPOSIT_FEN - AMOUNT_FEN);
    }

    function test_hold_emits_FundsHeld() public {
        vm.expectEmit(address(funds));
        emit IFunds.FundsHeld(TRADE, buyer.id, bank.id, AMOUNT_FEN);
        _held();
    }

    // ---------------------------------------------------------------- release

    function test_release_reverts_with_CallerNotModule() public {
        _held();
        vm.expectPartialRevert(IParticipants.CallerNotModule.selector);
        vm.prank(buyer.account);
        funds.release(TRADE);
    }

    function test_release_reverts_with_HoldNotFound() public {
        vm.expectRevert(abi.encodeWithSelector(IFunds.HoldNotFound.selector, TRADE));
        funds.release(TRADE);
    }

    function test_release_reverts_with_HoldBlocked() public {
        _held();
        funds.setBlocked(TRADE, true, 0);
        vm.expectRevert(abi.encodeWithSelector(IFunds.HoldBlocked.selector, TRADE, 0));
        funds.release(TRADE);
    }

    function test_release_gives_back_everything() public {
        _held();
        funds.release(TRADE);
        vm.assertEq(_availableOf(buyer), DEPOSIT_FEN);
        vm.assertEq(_heldOf(buyer), 0);
        vm.assertEq(funds.fundsHoldOf(TRADE).heldFen, 0);
    }

    function test_release_emits_FundsReleased() public {
        _held();
        vm.expectEmit(address(funds));
        emit IFunds.FundsReleased(TRADE, buyer.id, bank.id, AMOUNT_FEN);
        funds.release(TRADE);
    }

    // ---------------------------------------------------------------- split

    function test_split_reverts_with_CallerNotModule() public {
        _held();
        vm.expectPartialRevert(IParticipants.CallerNotModule.selector);
        vm.prank(exchange.account);
        funds.split(TRADE, _twoLegs(1));
    }

    function test_split_reverts_with_HoldNotFound_given_nothing_is_held() public {
        vm.expectRevert(abi.encodeWithSelector(IFunds.HoldNotFound.selector, TRADE));
        funds.split(TRADE, _twoLegs(1));
    }

    function test_split_reverts_with_HoldBlocked() public {
        _held();
        funds.setBlocked(TRADE, true, START + 1);
        vm.expectRevert(abi.encodeWithSelector(IFunds.HoldBlocked.selector, TRADE, START + 1));
        funds.split(TRADE, _twoLegs(1));
    }

    function test_split_reverts_with_TooManyLegs() public {
        _held();
        vm.expectRevert(abi.encodeWithSelector(ITrades.TooManyLegs.selector, 25, 24));
        funds.split(TRADE, new ITrades.Leg[](25));
    }

    function testFuzz_split_reverts_with_LegsNotWhole(uint64 totalFen) public {
        vm.assume(totalFen != AMOUNT_FEN);
        _held();
        ITrades.Leg[] memory legs = new ITrades.Leg[](1);
        legs[0] = ITrades.Leg(ITrades.LegKind.SHARE, seller.id, totalFen);
        vm.expectRevert(abi.encodeWithSelector(ITrades.LegsNotWhole.selector, totalFen, AMOUNT_FEN));
        funds.split(TRADE, legs);
    }

    function test_split_reverts_with_HoldNotFound_when_repeated() public {
        _held();
        funds.split(TRADE, _twoLegs(1));
        vm.expectRevert(abi.encodeWithSelector(IFunds.HoldNotFound.selector, TRADE));
        funds.split(TRADE, _twoLegs(1));
    }

    function test_split_pays_every_leg_given_a_block_has_lapsed() public {
        _held();
        funds.setBlocked(TRADE, true, START + 1);
        vm.warp(START + 1);
        funds.split(TRADE, _twoLegs(1));
        vm.assertEq(_availableOf(seller), 1);
    }

    function testFuzz_split_pays_every_leg(uint64 firstFen) public {
        firstFen = uint64(bound(firstFen, 0, AMOUNT_FEN));
        _held();
        funds.split(TRADE, _twoLegs(firstFen));
        vm.assertEq(_availableOf(seller), firstFen);
        vm.assertEq(_availableOf(otherSeller), AMOUNT_FEN - firstFen);
        vm.assertEq(_heldOf(buyer), 0);
        vm.assertEq(funds.fundsHoldOf(TRADE).heldFen, 0);
        vm.assertEq(funds.totalFenOf(bank.id), DEPOSIT_FEN);
    }

    function test_split_emits_FundsPosted() public {
        _held();
        vm.expectEmit(address(funds));
        emit IFunds.FundsPosted(TRADE, seller.id, bank.id, 0, ITrades.LegKind.SHARE, buyer.id, 1, false);
        vm.expectEmit(address(funds));
        emit IFunds.FundsPosted(TRADE, otherSeller.id, bank.id, 1, ITrades.LegKind.FEE, buyer.id, AMOUNT_FEN - 1, false);
        funds.split(TRADE, _twoLegs(1));
    }

    function test_split_pays_the_payer_too() public {
        _held();
        ITrades.Leg[] memory legs = _twoLegs(1);
        legs[1].payee = buyer.id;
        funds.split(TRADE, legs);
        vm.assertEq(_availableOf(buyer), DEPOSIT_FEN - 1);
        vm.assertEq(_heldOf(buyer), 0);
    }

    /// @dev F1: what running business owes a frozen organisation is credited, but it cannot use it.
    function test_split_credits_what_is_frozen() public {
        _frozenSeller();
        vm.assertEq(_availableOf(seller), 0);
        vm.assertEq(funds.fundsAccountOf(seller.id, bank.id).frozenFen, AMOUNT_FEN);
    }

    // ---------------------------------------------------------------- setBlocked

    function test_setBlocked_reverts_with_CallerNotModule() public {
        _held();
        vm.expectPartialRevert(IParticipants.CallerNotModule.selector);
        vm.prank(regulator.account);
        funds.setBlocked(TRADE, true, 0);
    }

    function test_setBlocked_reverts_with_HoldNotFound() public {
        vm.expectRevert(abi.encodeWithSelector(IFunds.HoldNotFound.selector, TRADE));
        funds.setBlocked(TRADE, true, 0);
    }

    function test_setBlocked_stores_the_block() public {
        _held();
        funds.setBlocked(TRADE, true, START + 5);
        vm.assertTrue(funds.fundsHoldOf(TRADE).isBlocked);
        vm.assertEq(funds.fundsHoldOf(TRADE).blockedUntil, START + 5);
        funds.setBlocked(TRADE, false, 0);
        vm.assertFalse(funds.fundsHoldOf(TRADE).isBlocked);
    }

    function test_setBlocked_emits_FundsHoldBlocked() public {
        _held();
        vm.expectEmit(address(funds));
        emit IFunds.FundsHoldBlocked(TRADE, true, START + 5);
        funds.setBlocked(TRADE, true, START + 5);
    }

    // ---------------------------------------------------------------- views

    function test_views_reverts_with_HoldNotFound() public {
        vm.expectRevert(abi.encodeWithSelector(IFunds.HoldNotFound.selector, TRADE));
        funds.fundsHoldOf(TRADE);
    }

    function test_views_reverts_with_WithdrawalNotFound() public {
        vm.expectPartialRevert(IFunds.WithdrawalNotFound.selector);
        funds.withdrawalOf(WithdrawalId.wrap("none"));
    }

    // ---------------------------------------------------------------- helpers

    function _held() private {
        funds.hold(TRADE, buyer.id, bank.id, AMOUNT_FEN);
    }

    function _twoLegs(uint64 firstFen) private view returns (ITrades.Leg[] memory legs) {
        legs = new ITrades.Leg[](2);
        legs[0] = ITrades.Leg(ITrades.LegKind.SHARE, seller.id, firstFen);
        legs[1] = ITrades.Leg(ITrades.LegKind.FEE, otherSeller.id, AMOUNT_FEN - firstFen);
    }

    function _frozenSeller() private {
        _suspend(seller);
        _held();
        funds.split(TRADE, _twoLegs(AMOUNT_FEN));
    }

    function _restore(Member memory member) private {
        vm.prank(regulator.account);
        participants.restore(member.id, _cause(AuthorityClass.REGULATOR), _direct());
    }

    function _requested(bytes32 salt) private returns (WithdrawalId) {
        vm.prank(buyer.account);
        return funds.requestWithdrawal(bank.id, AMOUNT_FEN, DOCUMENT, DigestAlg.SHA256, salt, _direct());
    }

    function _payOut(WithdrawalId withdrawalId, bytes32 bankReference) private {
        vm.prank(bank.account);
        funds.attestWithdrawal(withdrawalId, bankReference, DigestAlg.SHA256, 20_260_303, _direct());
    }

    function _refuseDeposit(IFunds.BankDeposit memory deposit, bytes4 failure) private {
        vm.expectPartialRevert(failure);
        vm.prank(bank.account);
        funds.attestDeposit(deposit, _direct());
    }

    function _refuseWithdrawal(uint64 amountFen, bytes32 payee, DigestAlg digestAlg, bytes32 salt, bytes4 failure)
        private
    {
        vm.expectPartialRevert(failure);
        vm.prank(buyer.account);
        funds.requestWithdrawal(bank.id, amountFen, payee, digestAlg, salt, _direct());
    }

    function _refusePayout(Member memory member, WithdrawalId withdrawalId, bytes32 bankReference, bytes4 failure)
        private
    {
        vm.expectPartialRevert(failure);
        vm.prank(member.account);
        funds.attestWithdrawal(withdrawalId, bankReference, DigestAlg.SHA256, 20_260_303, _direct());
    }

    function _refuseRejection(Member memory member, WithdrawalId withdrawalId, AuthorityClass authority, bytes4 failure)
        private
    {
        vm.expectPartialRevert(failure);
        vm.prank(member.account);
        funds.rejectWithdrawal(withdrawalId, _cause(authority), _direct());
    }
}
