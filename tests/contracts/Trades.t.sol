// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IActing} from "../../contracts/interfaces/IActing.sol";
import {IAssets} from "../../contracts/interfaces/IAssets.sol";
import {ICertificates} from "../../contracts/interfaces/ICertificates.sol";
import {IFunds} from "../../contracts/interfaces/IFunds.sol";
import {IListings} from "../../contracts/interfaces/IListings.sol";
import {IParticipants} from "../../contracts/interfaces/IParticipants.sol";
import {IRights} from "../../contracts/interfaces/IRights.sol";
import {ITrades} from "../../contracts/interfaces/ITrades.sol";
import {Hashing} from "../../contracts/libraries/Hashing.sol";
import {AssetKind, AuthorityClass, DeliveryForm, DigestAlg} from "../../contracts/types/Codes.sol";
import {AgreementId, CertificateId, ListingId, ParticipantId, TradeId} from "../../contracts/types/Ids.sol";
import {Market} from "./Market.sol";

/// @notice A contract wallet that lets one key sign (ERC-1271).
contract Wallet {
    bytes32 private immutable _digestAllowed;

    constructor(bytes32 digestAllowed) {
        _digestAllowed = digestAllowed;
    }

    function isValidSignature(bytes32 digest, bytes calldata) external view returns (bytes4) {
        return digest == _digestAllowed ? this.isValidSignature.selector : bytes4(0);
    }
}

/// @dev H-01, J-04, T4, T5, T6, T7: what both sides signed is recorded once, with the money held in the same act.
contract TradesTest is Market {
    // ---------------------------------------------------------------- conclude: existence, authority, listing

    function test_conclude_reverts_with_TradeAlreadyExists() public {
        _concluded(_terms(1, "a"));
        _refuse(_terms(1, "a"), ITrades.TradeAlreadyExists.selector);
    }

    function test_conclude_reverts_with_RoleMissing_when_a_party_calls() public {
        ITrades.Conclusion memory conclusion = _conclusion(_terms(1, "a"), _legs(PRICE_FEN));
        vm.expectPartialRevert(IParticipants.RoleMissing.selector);
        vm.prank(buyer.account);
        trades.conclude(conclusion, _direct());
    }

    function test_conclude_reverts_with_RoleMissing_when_another_exchange_calls() public {
        ITrades.Conclusion memory conclusion = _conclusion(_terms(1, "a"), _legs(PRICE_FEN));
        vm.expectPartialRevert(IParticipants.RoleMissing.selector);
        vm.prank(otherExchange.account);
        trades.conclude(conclusion, _direct());
    }

    function test_conclude_reverts_with_DeadlinePassed() public {
        vm.warp(START + 1 days);
        _refuse(_terms(1, "a"), IActing.DeadlinePassed.selector);
    }

    function test_conclude_reverts_with_ListingNotFound() public {
        ITrades.TradeTerms memory terms = _terms(1, "a");
        terms.listingId = ListingId.wrap("none");
        _refuse(terms, IListings.ListingNotFound.selector);
    }

    function test_conclude_reverts_with_ListingNotOffered_given_it_is_suspended() public {
        vm.prank(exchange.account);
        listings.suspend(listingId, _cause(AuthorityClass.VENUE), _direct());
        _refuse(_terms(1, "a"), IListings.ListingNotOffered.selector);
    }

    function test_conclude_reverts_with_ListingNotOffered_given_the_seller_is_suspended() public {
        _suspend(seller);
        _refuse(_terms(1, "a"), IListings.ListingNotOffered.selector);
    }

    function test_conclude_reverts_with_RoleMissing_given_the_seller_has_none() public {
        _revokeSeller();
        _refuse(_terms(1, "a"), IParticipants.RoleMissing.selector);
    }

    function test_conclude_reverts_with_CertificateNotUsable() public {
        _freezeCertificate();
        _refuse(_terms(1, "a"), ICertificates.CertificateNotUsable.selector);
    }

    function test_conclude_reverts_with_RightNotActive() public {
        vm.prank(seller.account);
        rights.revoke(resource.rightId, _cause(AuthorityClass.PARTY), _direct());
        _refuse(_terms(1, "a"), IRights.RightNotActive.selector);
    }

    // ---------------------------------------------------------------- conclude: terms

    function test_conclude_reverts_with_RailNotServed() public {
        ITrades.TradeTerms memory terms = _terms(1, "a");
        terms.rail = ITrades.Rail.BANK_INSTRUCTED;
        _refuse(terms, ITrades.RailNotServed.selector);
    }

    function test_conclude_reverts_with_FieldInvalid_when_a_field_is_empty() public {
        for (uint256 field = 0; field < 8; ++field) {
            ITrades.TradeTerms memory terms = _terms(1, "a");
            if (field == 0) terms.priceCommitment = "hidden";
            if (field == 1) terms.template = ITrades.ContractTemplate.NONE;
            if (field == 2) terms.contractDigest = 0;
            if (field == 3) terms.policyDigest = 0;
            if (field == 4) terms.digestAlg = DigestAlg.NONE;
            if (field == 5) terms.rightKinds = 0;
            if (field == 6) terms.rightKinds = 8;
            if (field == 7) (terms.grossFen, terms.legsHash) = (0, 0);
            _refuse(terms, IActing.FieldInvalid.selector);
        }
        ITrades.Conclusion memory conclusion = _conclusion(_terms(1, "a"), _legs(PRICE_FEN));
        conclusion.documentDigest = 0;
        _refuse(conclusion, IActing.FieldInvalid.selector);
    }

    function test_conclude_reverts_with_TimeInPast() public {
        ITrades.TradeTerms memory terms = _terms(1, "a");
        terms.deliverBy = START;
        _refuse(terms, IActing.TimeInPast.selector);
        terms = _terms(1, "a");
        terms.rightUntil = START;
        _refuse(terms, IActing.TimeInPast.selector);
    }

    function test_conclude_reverts_with_AmountTooLarge() public {
        ITrades.TradeTerms memory terms = _terms(1, "a");
        terms.grossFen = 1 << 63;
        _refuse(terms, IListings.AmountTooLarge.selector);
    }

    function test_conclude_reverts_with_TermsDifferFromListing() public {
        for (uint256 field = 0; field < 8; ++field) {
            ITrades.TradeTerms memory terms = _terms(1, "a");
            if (field == 0) terms.listingVersion = 2;
            if (field == 1) terms.listingVenue = otherExchange.id;
            if (field == 2) terms.seller = otherSeller.id;
            if (field == 3) terms.quantity = 0;
            if (field == 4) terms.quantity = 51;
            if (field == 5) terms.deliveryForm = DeliveryForm.NONE;
            if (field == 6) terms.inspectionSeconds += 1;
            if (field == 7) terms.grossFen -= 1;
            _refuse(terms, ITrades.TermsDifferFromListing.selector);
        }
    }

    function test_conclude_reverts_with_TermsDifferFromListing_given_other_modes() public {
        IListings.Offer memory offer = _offer(resource);
        offer.terms.mode = IListings.TradeMode.BIDDING;
        offer.salt = "bidding";
        listingId = _listed(offer);
        _refuse(_terms(1, "a"), ITrades.TermsDifferFromListing.selector);
    }

    // ---------------------------------------------------------------- conclude: parties and signatures

    function test_conclude_reverts_with_PartiesSame() public {
        ITrades.TradeTerms memory terms = _terms(1, "a");
        terms.buyer = seller.id;
        _refuse(terms, ITrades.PartiesSame.selector);
    }

    /// @dev A-07: the venue that verifies and clears a contract is no side of it.
    function test_conclude_reverts_with_PartiesSame_when_the_venue_buys() public {
        ITrades.TradeTerms memory terms = _terms(1, "a");
        terms.buyer = exchange.id;
        _refuse(terms, ITrades.PartiesSame.selector);
    }

    /// @dev A-07: nor does it sell at itself what another venue lists.
    function test_conclude_reverts_with_PartiesSame_when_the_venue_sells() public {
        ITrades.TradeTerms memory terms = _soldByTheOtherExchange();
        vm.prank(otherExchange.account);
        participants.grantRole(buyer.id, IParticipants.Role.BUYER, otherExchange.id, 0, _direct());
        ITrades.Conclusion memory conclusion = _conclusion(terms, _legs(PRICE_FEN));
        conclusion.sellerAccount = otherExchange.account;
        conclusion.sellerSignature = signatureOf(otherExchange.key, trades.digestOf(terms));
        vm.expectRevert(abi.encodeWithSelector(ITrades.PartiesSame.selector, otherExchange.id));
        vm.prank(otherExchange.account);
        trades.conclude(conclusion, _direct());
    }

    function test_conclude_reverts_with_PartiesSame_when_the_broker_is_a_party() public {
        Member[2] memory parties = [seller, buyer];
        for (uint256 i = 0; i < 2; ++i) {
            _grant(parties[i], IParticipants.Role.BROKER, exchange.id);
            ITrades.TradeTerms memory terms = _terms(1, "a");
            terms.broker = parties[i].id;
            ITrades.Conclusion memory conclusion = _conclusion(terms, _legs(PRICE_FEN));
            vm.expectRevert(abi.encodeWithSelector(ITrades.PartiesSame.selector, parties[i].id));
            vm.prank(exchange.account);
            trades.conclude(conclusion, _direct());
        }
    }

    function test_conclude_reverts_with_SignerNotParty() public {
        ITrades.Conclusion memory conclusion = _conclusion(_terms(1, "a"), _legs(PRICE_FEN));
        conclusion.buyerAccount = broker.account;
        _refuse(conclusion, ITrades.SignerNotParty.selector);
        conclusion.buyerAccount = buyer.account;
        conclusion.sellerAccount = otherSeller.account;
        _refuse(conclusion, ITrades.SignerNotParty.selector);
    }

    function test_conclude_reverts_with_AccountNotActive() public {
        Member memory second = _secondAccount(buyer);
        ITrades.Conclusion memory conclusion = _conclusion(_terms(1, "a"), _legs(PRICE_FEN));
        conclusion.buyerAccount = second.account;
        conclusion.buyerSignature = signatureOf(second.key, trades.digestOf(conclusion.terms));
        vm.prank(buyer.account);
        participants.revokeAccount(second.account, _cause(AuthorityClass.PARTY), _direct());
        _refuse(conclusion, IParticipants.AccountNotActive.selector);
    }

    function test_conclude_reverts_with_ParticipantNotActive() public {
        _suspend(buyer);
        _refuse(_terms(1, "a"), IParticipants.ParticipantNotActive.selector);
    }

    function test_conclude_reverts_with_RoleMissing_given_the_buyer_has_none() public {
        vm.prank(exchange.account);
        participants.revokeRole(
            buyer.id, IParticipants.Role.BUYER, exchange.id, _cause(AuthorityClass.VENUE), _direct()
        );
        _refuse(_terms(1, "a"), IParticipants.RoleMissing.selector);
    }

    function test_conclude_reverts_with_RoleMissing_given_the_broker_has_none() public {
        ITrades.TradeTerms memory terms = _terms(1, "a");
        terms.broker = carrier.id;
        _refuse(terms, IParticipants.RoleMissing.selector);
    }

    function test_conclude_reverts_with_SignatureInvalid() public {
        ITrades.Conclusion memory good = _conclusion(_terms(1, "a"), _legs(PRICE_FEN));
        bytes[5] memory forgeries = [
            good.sellerSignature,
            signatureOf(buyer.key, trades.digestOf(_terms(2, "a"))),
            _compact(good.buyerSignature),
            _mirrored(good.buyerSignature),
            bytes("")
        ];
        for (uint256 i = 0; i < forgeries.length; ++i) {
            ITrades.Conclusion memory conclusion = _conclusion(_terms(1, "a"), _legs(PRICE_FEN));
            conclusion.buyerSignature = forgeries[i];
            _refuse(conclusion, IActing.SignatureInvalid.selector);
        }
        good.sellerSignature = good.buyerSignature;
        _refuse(good, IActing.SignatureInvalid.selector);
    }

    function test_conclude_reverts_with_SignatureInvalid_when_signed_for_another_chain() public {
        ITrades.Conclusion memory conclusion = _conclusion(_terms(1, "a"), _legs(PRICE_FEN));
        vm.chainId(block.chainid + 1);
        _refuse(conclusion, IActing.SignatureInvalid.selector);
    }

    // ---------------------------------------------------------------- conclude: legs

    function test_conclude_reverts_with_TooManyLegs() public {
        _refuseLegs(new ITrades.Leg[](25), ITrades.TooManyLegs.selector);
    }

    function test_conclude_reverts_with_LegsWrong() public {
        ITrades.Conclusion memory conclusion = _conclusion(_terms(1, "a"), _legs(PRICE_FEN));
        conclusion.legs[0].payee = broker.id;
        _refuse(conclusion, ITrades.LegsWrong.selector);
    }

    function test_conclude_reverts_with_LegsNotWhole() public {
        ITrades.Leg[] memory legs = _legs(PRICE_FEN);
        legs[2].amountFen += 1;
        _refuseLegs(legs, ITrades.LegsNotWhole.selector);
        _refuseLegs(new ITrades.Leg[](0), ITrades.LegsNotWhole.selector);
    }

    function test_conclude_reverts_with_FieldInvalid_when_a_leg_is_empty() public {
        ITrades.Leg[] memory legs = _legs(PRICE_FEN);
        legs[2].amountFen = 0;
        _refuseLegs(legs, IActing.FieldInvalid.selector);
    }

    function test_conclude_reverts_with_LegPayeeWrong() public {
        ITrades.Leg[] memory legs = _legs(PRICE_FEN);
        legs[2].payee = broker.id; // not named in the terms
        _refuseLegs(legs, ITrades.LegPayeeWrong.selector);
        legs[2].payee = NO_VENUE; // as the broker, whom nobody named
        _refuseLegs(legs, ITrades.LegPayeeWrong.selector);
        legs = _legs(PRICE_FEN);
        legs[3].payee = seller.id;
        _refuseLegs(legs, ITrades.LegPayeeWrong.selector);
    }

    function test_conclude_reverts_with_LegPayeeWrong_when_a_refund_is_agreed() public {
        ITrades.Leg[] memory legs = _legs(PRICE_FEN);
        legs[2].kind = ITrades.LegKind.REFUND;
        _refuseLegs(legs, ITrades.LegPayeeWrong.selector);
    }

    function test_conclude_reverts_with_LinksWrong() public {
        ITrades.Conclusion memory conclusion = _conclusion(_terms(1, "a"), _legs(PRICE_FEN));
        conclusion.revenueTable[0].shareBps += 1;
        _refuse(conclusion, IAssets.LinksWrong.selector);
    }

    function testFuzz_conclude_reverts_with_ShareLegWrong(uint64 shiftFen) public {
        ITrades.Leg[] memory legs = _legs(PRICE_FEN);
        shiftFen = uint64(bound(shiftFen, 2, legs[1].amountFen - 1));
        legs[0].amountFen += shiftFen;
        legs[1].amountFen -= shiftFen;
        _refuseLegs(legs, ITrades.ShareLegWrong.selector);
    }

    function test_conclude_reverts_with_ShareLegWrong_when_a_payee_is_left_out_or_added() public {
        ITrades.Leg[] memory legs = _legs(PRICE_FEN);
        (legs[0], legs[1]) = (legs[1], legs[0]);
        _refuseLegs(legs, ITrades.ShareLegWrong.selector);
        legs = _legs(PRICE_FEN);
        legs[0].amountFen += legs[1].amountFen;
        legs[1] = legs[2];
        legs[2] = legs[3];
        ITrades.Leg[] memory three = new ITrades.Leg[](3);
        (three[0], three[1], three[2]) = (legs[0], legs[1], legs[2]);
        _refuseLegs(three, ITrades.ShareLegWrong.selector);
        legs = _legs(PRICE_FEN);
        legs[2].kind = ITrades.LegKind.SHARE;
        _refuseLegs(legs, ITrades.ShareLegWrong.selector);
    }

    /// @dev J-04: fees and tax come out of the price, and leave something for the revenue table.
    function test_conclude_reverts_with_ShareLegWrong_when_fees_take_it_all() public {
        ITrades.Leg[] memory legs = new ITrades.Leg[](2);
        legs[0] = ITrades.Leg(ITrades.LegKind.FEE, exchange.id, PRICE_FEN - 1);
        legs[1] = ITrades.Leg(ITrades.LegKind.TAX, taxOffice.id, 1);
        _refuseLegs(legs, ITrades.ShareLegWrong.selector);
    }

    // ---------------------------------------------------------------- conclude: money and success

    function test_conclude_reverts_with_FundsInsufficient() public {
        Member memory poor = _trading("poor", IParticipants.Role.BUYER);
        buyer = poor;
        ITrades.Conclusion memory conclusion = _conclusion(_terms(1, "a"), _legs(PRICE_FEN));
        vm.expectRevert(abi.encodeWithSelector(IFunds.FundsInsufficient.selector, poor.id, 0, PRICE_FEN));
        vm.prank(exchange.account);
        trades.conclude(conclusion, _direct());
    }

    function test_conclude_records_the_trade() public {
        ITrades.TradeTerms memory terms = _terms(3, "a");
        TradeId tradeId = _concluded(terms);
        ITrades.Trade memory trade = trades.tradeOf(tradeId);
        vm.assertEq(trade.sequence, 1);
        vm.assertTrue(trade.state == ITrades.TradeState.EFFECTIVE);
        vm.assertEq(ListingId.unwrap(trade.listingId), ListingId.unwrap(listingId));
        vm.assertEq(trade.listingVersion, 1);
        vm.assertTrue(trade.buyer == buyer.id && trade.seller == seller.id && trade.bank == bank.id);
        vm.assertTrue(trade.executingVenue == exchange.id && trade.rail == ITrades.Rail.PREFUNDED);
        vm.assertEq(trade.grossFen, 3 * PRICE_FEN);
        vm.assertEq(trade.termsDigest, trades.digestOf(terms));
        vm.assertEq(trade.legsHash, terms.legsHash);
        vm.assertTrue(trade.deliveryForm == DeliveryForm.DOWNLOAD && !trade.isUseNotAcceptance);
        vm.assertEq(trade.inspectionSeconds, INSPECTION_SECONDS);
        vm.assertEq(trade.deliverBy, START + 30 days);
    }

    function test_conclude_records_the_trade_when_negotiated() public {
        IListings.Offer memory offer = _offer(resource);
        offer.terms.mode = IListings.TradeMode.NEGOTIATED;
        offer.salt = "negotiated";
        listingId = _listed(offer);
        ITrades.TradeTerms memory terms = _terms(1, "a");
        terms.grossFen = 12_345;
        terms.legsHash = keccak256(abi.encode(_legs(12_345)));
        vm.assertEq(trades.tradeOf(_concluded(terms)).grossFen, 12_345);
    }

    function test_conclude_records_the_trade_when_free() public {
        ITrades.Trade memory trade = trades.tradeOf(_concludedFree());
        vm.assertEq(trade.grossFen, 0);
        vm.assertEq(_heldOf(buyer), 0);
    }

    function test_conclude_records_the_trade_when_a_contract_wallet_signs() public {
        ITrades.Conclusion memory conclusion = _conclusion(_terms(1, "a"), _legs(PRICE_FEN));
        Member memory second = _secondAccount(buyer);
        Wallet wallet = new Wallet(trades.digestOf(conclusion.terms));
        vm.etch(second.account, address(wallet).code);
        conclusion.buyerAccount = second.account;
        conclusion.buyerSignature = "any";
        vm.prank(exchange.account);
        vm.assertEq(trades.tradeOf(trades.conclude(conclusion, _direct())).sequence, 1);
    }

    /// @dev S1, S2: whatever the amount, the legs close and follow the table.
    function testFuzz_conclude_records_the_trade_at_any_whole_amount(uint64 grossFen) public {
        grossFen = uint64(bound(grossFen, 1, DEPOSIT_FEN));
        IListings.Offer memory offer = _offer(resource);
        offer.terms.mode = IListings.TradeMode.NEGOTIATED;
        offer.salt = "negotiated";
        listingId = _listed(offer);
        ITrades.TradeTerms memory terms = _terms(1, "a");
        terms.grossFen = grossFen;
        terms.legsHash = keccak256(abi.encode(_legs(grossFen)));
        TradeId tradeId = _concluded(terms);
        vm.assertEq(_heldOf(buyer), grossFen);
        _settled(tradeId, _accepted(tradeId));
        vm.assertEq(_heldOf(buyer), 0);
        uint64 paidFen = _availableOf(seller) + _availableOf(otherSeller) + _availableOf(exchange);
        vm.assertEq(paidFen + _availableOf(taxOffice), grossFen);
    }

    function test_conclude_records_the_trade_when_relayed() public {
        ITrades.Conclusion memory conclusion = _conclusion(_terms(1, "a"), _legs(PRICE_FEN));
        bytes32 argumentsHash = keccak256(abi.encode(conclusion));
        vm.prank(stranger.account);
        TradeId tradeId = trades.conclude(
            conclusion, _relayed(exchange, address(trades), ITrades.conclude.selector, argumentsHash, 9)
        );
        vm.assertEq(trades.tradeOf(tradeId).sequence, 1);
    }

    function test_conclude_emits_TradeConcluded() public {
        ITrades.Conclusion memory conclusion = _conclusion(_terms(1, "a"), _legs(PRICE_FEN));
        TradeId tradeId = _tradeId("a");
        bytes32 certificateId = Hashing.actId("certificate", exchange.id, TradeId.unwrap(tradeId), 0);
        bytes32 digest = trades.digestOf(conclusion.terms);
        vm.expectEmit(address(trades));
        emit ITrades.TradeConcluded(
            tradeId,
            buyer.id,
            seller.id,
            1,
            conclusion.terms,
            conclusion.legs,
            digest,
            buyer.account,
            seller.account,
            CertificateId.wrap(certificateId),
            exchange.id,
            exchange.account
        );
        vm.prank(exchange.account);
        trades.conclude(conclusion, _direct());
    }

    function test_conclude_holds_the_gross_amount() public {
        TradeId tradeId = _concluded(_terms(3, "a"));
        vm.assertEq(funds.fundsHoldOf(tradeId).heldFen, 3 * PRICE_FEN);
        vm.assertEq(_heldOf(buyer), 3 * PRICE_FEN);
    }

    function test_conclude_issues_the_certificate_to_the_buyer() public {
        ITrades.Trade memory trade = trades.tradeOf(_concluded(_terms(1, "a")));
        ICertificates.CertificateStatus memory certificate = certificates.certificateOf(trade.certificateId);
        vm.assertTrue(certificate.kind == ICertificates.CertificateKind.TRADE);
        vm.assertEq(certificate.owner, buyer.account);
    }

    // ---------------------------------------------------------------- terminate

    function test_terminate_reverts_with_TradeNotFound() public {
        _refuseTermination(regulator, TradeId.wrap("none"), AuthorityClass.REGULATOR, ITrades.TradeNotFound.selector);
    }

    function test_terminate_reverts_with_AuthorityMissing_when_a_party_calls() public {
        TradeId tradeId = _concluded(_terms(1, "a"));
        _refuseTermination(buyer, tradeId, AuthorityClass.PARTY, IParticipants.AuthorityMissing.selector);
        _refuseTermination(buyer, tradeId, AuthorityClass.VENUE, IParticipants.AuthorityMissing.selector);
    }

    function test_terminate_reverts_with_AuthorityMissing_when_another_venue_calls() public {
        TradeId tradeId = _concluded(_terms(1, "a"));
        _refuseTermination(otherExchange, tradeId, AuthorityClass.VENUE, IParticipants.AuthorityMissing.selector);
    }

    function test_terminate_reverts_with_TradeStateWrong_given_it_is_fulfilled() public {
        TradeId tradeId = _concluded(_terms(1, "a"));
        _accepted(tradeId);
        _refuseTermination(regulator, tradeId, AuthorityClass.REGULATOR, ITrades.TradeStateWrong.selector);
    }

    function test_terminate_reverts_with_TradeStateWrong_given_it_was_terminated() public {
        TradeId tradeId = _concluded(_terms(1, "a"));
        _terminate(court, tradeId, AuthorityClass.COURT);
        _refuseTermination(court, tradeId, AuthorityClass.COURT, ITrades.TradeStateWrong.selector);
    }

    function test_terminate_reverts_with_DeadlineNotReached() public {
        TradeId tradeId = _concluded(_terms(1, "a"));
        vm.warp(START + 30 days - 1);
        _refuseTermination(exchange, tradeId, AuthorityClass.VENUE, IActing.DeadlineNotReached.selector);
    }

    function test_terminate_reverts_with_HoldBlocked() public {
        TradeId tradeId = _concluded(_terms(1, "a"));
        vm.prank(court.account);
        settlements.placeHold(tradeId, _cause(AuthorityClass.COURT), _direct());
        _refuseTermination(arbitrator, tradeId, AuthorityClass.ARBITRATION, IFunds.HoldBlocked.selector);
    }

    function test_terminate_gives_the_money_back_when_a_court_calls() public {
        TradeId tradeId = _concluded(_terms(1, "a"));
        _delivered(tradeId);
        _terminate(court, tradeId, AuthorityClass.COURT);
        vm.assertEq(_availableOf(buyer), DEPOSIT_FEN);
        vm.assertTrue(trades.tradeOf(tradeId).state == ITrades.TradeState.TERMINATED);
    }

    /// @dev T9: a refund is available after the deadline.
    function test_terminate_gives_the_money_back_when_the_venue_calls() public {
        TradeId tradeId = _concluded(_terms(1, "a"));
        vm.warp(START + 30 days);
        _terminate(exchange, tradeId, AuthorityClass.VENUE);
        vm.assertEq(_availableOf(buyer), DEPOSIT_FEN);
        vm.assertEq(_heldOf(buyer), 0);
    }

    function test_terminate_ends_the_trade() public {
        TradeId tradeId = _concludedFree();
        _terminate(regulator, tradeId, AuthorityClass.REGULATOR);
        vm.assertTrue(trades.tradeOf(tradeId).state == ITrades.TradeState.TERMINATED);
    }

    function test_terminate_emits_TradeTerminated() public {
        TradeId tradeId = _concluded(_terms(1, "a"));
        vm.expectEmit(address(trades));
        emit ITrades.TradeTerminated(tradeId, court.id, court.account, _cause(AuthorityClass.COURT));
        _terminate(court, tradeId, AuthorityClass.COURT);
    }

    // ---------------------------------------------------------------- advance

    function test_advance_reverts_with_CallerNotModule() public {
        TradeId tradeId = _concluded(_terms(1, "a"));
        vm.expectPartialRevert(IParticipants.CallerNotModule.selector);
        vm.prank(exchange.account);
        trades.advance(tradeId, ITrades.TradeState.PERFORMING);
    }

    function test_advance_reverts_with_TradeNotFound() public {
        _setModule(IParticipants.ModuleKind.TRADE_ADVANCER, address(this));
        vm.expectPartialRevert(ITrades.TradeNotFound.selector);
        trades.advance(TradeId.wrap("none"), ITrades.TradeState.PERFORMING);
    }

    function test_advance_reverts_with_TradeStateWrong() public {
        _setModule(IParticipants.ModuleKind.TRADE_ADVANCER, address(this));
        TradeId tradeId = _concluded(_terms(1, "a"));
        for (uint8 state = 0; state <= uint8(type(ITrades.TradeState).max); ++state) {
            if (ITrades.TradeState(state) == ITrades.TradeState.PERFORMING) continue;
            vm.expectPartialRevert(ITrades.TradeStateWrong.selector);
            trades.advance(tradeId, ITrades.TradeState(state));
        }
        trades.advance(tradeId, ITrades.TradeState.PERFORMING);
        trades.advance(tradeId, ITrades.TradeState.FULFILLED);
        trades.advance(tradeId, ITrades.TradeState.CLOSED);
        vm.expectPartialRevert(ITrades.TradeStateWrong.selector);
        trades.advance(tradeId, ITrades.TradeState.TERMINATED);
    }

    function test_advance_moves_the_trade_on() public {
        _setModule(IParticipants.ModuleKind.TRADE_ADVANCER, address(this));
        TradeId tradeId = _concluded(_terms(1, "a"));
        trades.advance(tradeId, ITrades.TradeState.PERFORMING);
        vm.assertTrue(trades.briefOf(tradeId).state == ITrades.TradeState.PERFORMING);
    }

    function test_advance_emits_TradeAdvanced() public {
        _setModule(IParticipants.ModuleKind.TRADE_ADVANCER, address(this));
        TradeId tradeId = _concluded(_terms(1, "a"));
        vm.expectEmit(address(trades));
        emit ITrades.TradeAdvanced(tradeId, ITrades.TradeState.PERFORMING);
        trades.advance(tradeId, ITrades.TradeState.PERFORMING);
    }

    // ---------------------------------------------------------------- views

    function test_views_reverts_with_TradeNotFound() public {
        vm.expectPartialRevert(ITrades.TradeNotFound.selector);
        trades.tradeOf(TradeId.wrap("none"));
        vm.expectPartialRevert(ITrades.TradeNotFound.selector);
        trades.briefOf(TradeId.wrap("none"));
        vm.expectPartialRevert(ITrades.TradeNotFound.selector);
        trades.basisOf(TradeId.wrap("none"));
    }

    /// @dev Both are read from the hold, which has been emptied by then.
    function test_views_keeps_price_and_bank() public {
        TradeId settled = _concluded(_terms(1, "a"));
        _settled(settled, _accepted(settled));
        TradeId terminated = _concluded(_terms(2, "b"));
        _terminate(court, terminated, AuthorityClass.COURT);
        TradeId[2] memory ended = [settled, terminated];
        for (uint64 i = 0; i < 2; ++i) {
            ITrades.Trade memory trade = trades.tradeOf(ended[i]);
            vm.assertEq(funds.fundsHoldOf(ended[i]).heldFen, 0);
            vm.assertEq(trade.grossFen, PRICE_FEN * (i + 1));
            vm.assertTrue(trade.bank == bank.id && trade.rail == ITrades.Rail.PREFUNDED);
            ITrades.TradeBasis memory basis = trades.basisOf(ended[i]);
            vm.assertTrue(basis.bank == bank.id && basis.state == trade.state && basis.seller == seller.id);
            vm.assertEq(basis.grossFen, trade.grossFen);
            vm.assertEq(basis.legsHash, trade.legsHash);
        }
    }

    function test_views_signs_the_type_in_the_clear() public view {
        ITrades.TradeTerms memory terms = _terms(1, "a");
        bytes32 typeHash = keccak256(
            "TradeTerms(bytes32 listingId,uint32 listingVersion,bytes32 listingVenue,bytes32 executingVenue,bytes32 broker,bytes32 buyer,bytes32 seller,bool isOffExchange,uint8 template,bytes32 predecessorDigest,bytes32 contractDigest,bytes32 policyDigest,uint8 digestAlg,uint8 rightKinds,uint64 rightUntil,uint64 quantity,uint64 grossFen,bytes32 priceCommitment,uint8 rail,bytes32 bank,bytes32 legsHash,uint8 deliveryForm,uint32 inspectionSeconds,uint64 deliverBy,bool isUseNotAcceptance,uint64 offerUntil,bytes32 salt)"
        );
        vm.assertEq(trades.digestOf(terms), _typedDigest(address(trades), keccak256(abi.encode(typeHash, terms))));
        vm.assertEq(trades.legsHashOf(_legs(PRICE_FEN)), terms.legsHash);
    }

    // ---------------------------------------------------------------- helpers

    function _tradeId(bytes32 salt) private view returns (TradeId) {
        return TradeId.wrap(Hashing.actId("trade", buyer.id, ListingId.unwrap(listingId), salt));
    }

    /// @dev The other exchange sells at the exchange, and mirrors that listing at itself.
    function _soldByTheOtherExchange() private returns (ITrades.TradeTerms memory terms) {
        _grant(otherExchange, IParticipants.Role.SELLER, exchange.id);
        IListings.Offer memory offer = _offer(_registered(otherExchange, _declaration(AssetKind.RESOURCE, "own")));
        vm.prank(otherExchange.account);
        listingId = listings.submit(offer, _direct());
        vm.prank(exchange.account);
        listings.approve(listingId, _direct());
        AgreementId agreementId = _agreed(4, "a");
        vm.prank(otherExchange.account);
        listings.mirror(listingId, agreementId, _direct());
        terms = _terms(1, "a");
        (terms.executingVenue, terms.seller) = (otherExchange.id, otherExchange.id);
    }

    function _refuse(ITrades.TradeTerms memory terms, bytes4 failure) private {
        _refuse(_conclusion(terms, _legs(PRICE_FEN)), failure);
    }

    function _refuse(ITrades.Conclusion memory conclusion, bytes4 failure) private {
        vm.expectPartialRevert(failure);
        vm.prank(exchange.account);
        trades.conclude(conclusion, _direct());
    }

    /// @dev Both sides signed these legs, and still they are refused.
    function _refuseLegs(ITrades.Leg[] memory legs, bytes4 failure) private {
        ITrades.TradeTerms memory terms = _terms(1, "a");
        terms.legsHash = keccak256(abi.encode(legs));
        _refuse(_conclusion(terms, legs), failure);
    }

    function _refuseTermination(Member memory member, TradeId tradeId, AuthorityClass authority, bytes4 failure)
        private
    {
        vm.expectPartialRevert(failure);
        _terminate(member, tradeId, authority);
    }

    function _terminate(Member memory member, TradeId tradeId, AuthorityClass authority) private {
        vm.prank(member.account);
        trades.terminate(tradeId, _cause(authority), _direct());
    }

    function _secondAccount(Member memory member) private returns (Member memory second) {
        second.id = member.id;
        (second.account, second.key) = makeAccount("second");
        bytes32 typeHash = keccak256("JoinParticipant(bytes32 participantId,address account,uint8 purposes)");
        bytes32 digest =
            _typedDigest(address(participants), keccak256(abi.encode(typeHash, member.id, second.account, uint8(2))));
        vm.prank(member.account);
        participants.addAccount(
            second.account, 2, 0, 0, _encryptionKey("second"), signatureOf(second.key, digest), _direct()
        );
    }

    function _freezeCertificate() private {
        ICertificates.CertificateFields memory fields = _registrationFields();
        vm.prank(court.account);
        certificates.flag(
            fields, ICertificates.CertificateFlag.JUDICIAL_FREEZE, _cause(AuthorityClass.COURT), _direct()
        );
    }

    function _compact(bytes memory signature) private pure returns (bytes memory) {
        (bytes32 r, bytes32 s, uint8 v) = _parts(signature);
        return abi.encodePacked(r, bytes32(uint256(s) | (uint256(v - 27) << 255)));
    }

    /// @dev The other signature of the same key over the same digest.
    function _mirrored(bytes memory signature) private pure returns (bytes memory) {
        (bytes32 r, bytes32 s, uint8 v) = _parts(signature);
        uint256 order = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141;
        return abi.encodePacked(r, order - uint256(s), v == 27 ? uint8(28) : uint8(27));
    }

    function _parts(bytes memory signature) private pure returns (bytes32 r, bytes32 s, uint8 v) {
        (r, s) = abi.decode(signature, (bytes32, bytes32));
        v = uint8(signature[64]);
    }
}
