// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IActing} from "../../contracts/interfaces/IActing.sol";
import {ICertificates} from "../../contracts/interfaces/ICertificates.sol";
import {IDeliveries} from "../../contracts/interfaces/IDeliveries.sol";
import {IParticipants} from "../../contracts/interfaces/IParticipants.sol";
import {ITrades} from "../../contracts/interfaces/ITrades.sol";
import {Hashing} from "../../contracts/libraries/Hashing.sol";
import {AuthorityClass, DeliveryForm, DigestAlg} from "../../contracts/types/Codes.sol";
import {CertificateId, DeliveryId, TradeId} from "../../contracts/types/Ids.sol";
import {Market} from "./Market.sol";

/// @dev I-01, I-04, I-08: delivery is a recorded act with evidence, inspected before it counts.
contract DeliveriesTest is Market {
    TradeId internal tradeId;

    function setUp() public override {
        super.setUp();
        tradeId = _concluded(_terms(1, "a"));
    }

    // ---------------------------------------------------------------- deliver

    function test_deliver_reverts_with_TradeNotFound() public {
        vm.expectPartialRevert(ITrades.TradeNotFound.selector);
        _delivered(TradeId.wrap("none"));
    }

    function test_deliver_reverts_with_CallerNotDeliverer() public {
        Member memory foreign = _admitted("foreign", otherExchange.id);
        _grant(foreign, IParticipants.Role.DELIVERY_PROVIDER, otherExchange.id);
        _refuseDelivery(otherSeller, IDeliveries.CallerNotDeliverer.selector);
        _refuseDelivery(buyer, IDeliveries.CallerNotDeliverer.selector);
        _refuseDelivery(foreign, IDeliveries.CallerNotDeliverer.selector);
    }

    function test_deliver_reverts_with_ParticipantNotActive() public {
        _suspend(seller);
        _refuseDelivery(seller, IParticipants.ParticipantNotActive.selector);
    }

    function test_deliver_reverts_with_TradeStateWrong_given_it_is_fulfilled() public {
        _accepted(tradeId);
        _refuseDelivery(seller, ITrades.TradeStateWrong.selector);
    }

    function test_deliver_reverts_with_TradeStateWrong_given_it_is_terminated() public {
        _terminated();
        _refuseDelivery(seller, ITrades.TradeStateWrong.selector);
    }

    function test_deliver_reverts_with_DeliveryAlreadyExists() public {
        _delivered(tradeId);
        _refuseDelivery(seller, IDeliveries.DeliveryAlreadyExists.selector);
    }

    function test_deliver_reverts_with_AttemptsExhausted() public {
        for (uint256 attempt = 1; attempt <= 8; ++attempt) {
            _rejected(_delivered(tradeId));
        }
        vm.expectRevert(abi.encodeWithSelector(IDeliveries.AttemptsExhausted.selector, tradeId, 8));
        _delivered(tradeId);
    }

    function test_deliver_reverts_with_DeliveryFormWrong() public {
        vm.expectRevert(abi.encodeWithSelector(IDeliveries.DeliveryFormWrong.selector, tradeId, DeliveryForm.API));
        vm.prank(seller.account);
        deliveries.deliver(tradeId, DeliveryForm.API, "package", "keys", DigestAlg.SHA256, _direct());
    }

    function test_deliver_reverts_with_FieldInvalid() public {
        vm.expectPartialRevert(IActing.FieldInvalid.selector);
        vm.prank(seller.account);
        deliveries.deliver(tradeId, DeliveryForm.DOWNLOAD, 0, "keys", DigestAlg.SHA256, _direct());
        vm.expectPartialRevert(IActing.FieldInvalid.selector);
        vm.prank(seller.account);
        deliveries.deliver(tradeId, DeliveryForm.DOWNLOAD, "package", "keys", DigestAlg.NONE, _direct());
    }

    function test_deliver_records_the_next_attempt() public {
        DeliveryId first = _delivered(tradeId);
        _rejected(first);
        DeliveryId second = _delivered(tradeId);
        vm.assertEq(deliveries.deliveryOf(second).attempt, 2);
        vm.assertEq(deliveries.deliveryOf(second).sequence, 2);
        vm.assertEq(DeliveryId.unwrap(deliveries.latestDeliveryOf(tradeId)), DeliveryId.unwrap(second));
        vm.assertTrue(deliveries.deliveryOf(first).state == IDeliveries.DeliveryState.REJECTED);
    }

    function test_deliver_records_the_delivery() public {
        DeliveryId deliveryId = _delivered(tradeId);
        IDeliveries.Delivery memory delivery = deliveries.deliveryOf(deliveryId);
        vm.assertEq(DeliveryId.unwrap(deliveryId), DeliveryId.unwrap(_deliveryId(1)));
        vm.assertEq(TradeId.unwrap(delivery.tradeId), TradeId.unwrap(tradeId));
        vm.assertTrue(delivery.state == IDeliveries.DeliveryState.DELIVERED && delivery.deliverer == seller.id);
        vm.assertTrue(delivery.form == DeliveryForm.DOWNLOAD && delivery.digestAlg == DigestAlg.SHA256);
        vm.assertEq(delivery.evidenceHash, keccak256(abi.encode(keccak256("package"), keccak256("keys"))));
        vm.assertEq(delivery.deliveredAt, START);
        vm.assertEq(delivery.inspectUntil, START + INSPECTION_SECONDS);
        vm.assertEq(CertificateId.unwrap(delivery.certificateId), 0);
        vm.assertFalse(deliveries.isAccepted(deliveryId, tradeId));
    }

    function test_deliver_records_the_delivery_when_a_provider_calls() public {
        vm.prank(carrier.account);
        DeliveryId deliveryId =
            deliveries.deliver(tradeId, DeliveryForm.DOWNLOAD, "package", 0, DigestAlg.SHA256, _direct());
        vm.assertTrue(deliveries.deliveryOf(deliveryId).deliverer == carrier.id);
    }

    function test_deliver_records_the_delivery_when_relayed() public {
        bytes32 argumentsHash =
            keccak256(abi.encode(tradeId, DeliveryForm.DOWNLOAD, bytes32("package"), bytes32(0), DigestAlg.SHA256));
        vm.prank(stranger.account);
        DeliveryId deliveryId = deliveries.deliver(
            tradeId,
            DeliveryForm.DOWNLOAD,
            "package",
            0,
            DigestAlg.SHA256,
            _relayed(seller, address(deliveries), IDeliveries.deliver.selector, argumentsHash, 3)
        );
        vm.assertTrue(deliveries.deliveryOf(deliveryId).deliverer == seller.id);
    }

    function test_deliver_emits_DeliveryMade() public {
        vm.expectEmit(address(deliveries));
        emit IDeliveries.DeliveryMade(
            _deliveryId(1),
            tradeId,
            seller.id,
            1,
            1,
            DeliveryForm.DOWNLOAD,
            keccak256("package"),
            keccak256("keys"),
            DigestAlg.SHA256,
            START,
            START + INSPECTION_SECONDS,
            false,
            seller.account
        );
        _delivered(tradeId);
    }

    function test_deliver_moves_the_trade_to_performing() public {
        _delivered(tradeId);
        vm.assertTrue(trades.briefOf(tradeId).state == ITrades.TradeState.PERFORMING);
    }

    // ---------------------------------------------------------------- accept

    function test_accept_reverts_with_DeliveryNotFound() public {
        _refuseAcceptance(buyer, DeliveryId.wrap("none"), IDeliveries.DeliveryNotFound.selector);
    }

    function test_accept_reverts_with_CallerNotBuyer() public {
        DeliveryId deliveryId = _delivered(tradeId);
        _refuseAcceptance(seller, deliveryId, IDeliveries.CallerNotBuyer.selector);
        _refuseAcceptance(exchange, deliveryId, IDeliveries.CallerNotBuyer.selector);
    }

    function test_accept_reverts_with_DeliveryStateWrong_given_it_is_accepted() public {
        _refuseAcceptance(buyer, _accepted(tradeId), IDeliveries.DeliveryStateWrong.selector);
    }

    function test_accept_reverts_with_DeliveryStateWrong_given_it_is_rejected() public {
        DeliveryId deliveryId = _delivered(tradeId);
        _rejected(deliveryId);
        _refuseAcceptance(buyer, deliveryId, IDeliveries.DeliveryStateWrong.selector);
    }

    function test_accept_reverts_with_TradeStateWrong() public {
        DeliveryId deliveryId = _delivered(tradeId);
        _terminated();
        _refuseAcceptance(buyer, deliveryId, ITrades.TradeStateWrong.selector);
    }

    function test_accept_reverts_with_FieldInvalid() public {
        DeliveryId deliveryId = _delivered(tradeId);
        vm.expectPartialRevert(IActing.FieldInvalid.selector);
        vm.prank(buyer.account);
        deliveries.accept(deliveryId, 0, DOCUMENT, DigestAlg.SHA256, _direct());
        vm.expectPartialRevert(IActing.FieldInvalid.selector);
        vm.prank(buyer.account);
        deliveries.accept(deliveryId, "receipt", 0, DigestAlg.SHA256, _direct());
        vm.expectPartialRevert(IActing.FieldInvalid.selector);
        vm.prank(buyer.account);
        deliveries.accept(deliveryId, "receipt", DOCUMENT, DigestAlg.NONE, _direct());
    }

    /// @dev I-04: only the venue's act makes silence count; until then the buyer may still accept.
    function test_accept_fulfils_the_trade_given_the_time_is_over() public {
        DeliveryId deliveryId = _delivered(tradeId);
        vm.warp(START + INSPECTION_SECONDS + 1);
        vm.prank(buyer.account);
        deliveries.accept(deliveryId, "receipt", DOCUMENT, DigestAlg.SHA256, _direct());
        vm.assertTrue(trades.briefOf(tradeId).state == ITrades.TradeState.FULFILLED);
    }

    function test_accept_fulfils_the_trade() public {
        DeliveryId deliveryId = _accepted(tradeId);
        IDeliveries.Delivery memory delivery = deliveries.deliveryOf(deliveryId);
        bytes32 packageHash = keccak256(abi.encode(keccak256("package"), keccak256("keys")));
        vm.assertTrue(delivery.state == IDeliveries.DeliveryState.ACCEPTED);
        vm.assertEq(delivery.evidenceHash, keccak256(abi.encode(packageHash, keccak256("receipt"))));
        vm.assertTrue(trades.briefOf(tradeId).state == ITrades.TradeState.FULFILLED);
        vm.assertTrue(deliveries.isAccepted(deliveryId, tradeId));
        vm.assertFalse(deliveries.isAccepted(deliveryId, TradeId.wrap("other")));
    }

    function test_accept_emits_DeliveryAccepted() public {
        DeliveryId deliveryId = _delivered(tradeId);
        vm.expectEmit(address(deliveries));
        emit IDeliveries.DeliveryAccepted(
            deliveryId, tradeId, _certificateId(deliveryId), false, "receipt", buyer.id, buyer.account
        );
        vm.prank(buyer.account);
        deliveries.accept(deliveryId, "receipt", DOCUMENT, DigestAlg.SHA256, _direct());
    }

    function test_accept_issues_the_certificate_to_the_buyer() public {
        CertificateId certificateId = deliveries.deliveryOf(_accepted(tradeId)).certificateId;
        ICertificates.CertificateStatus memory certificate = certificates.certificateOf(certificateId);
        vm.assertTrue(certificate.kind == ICertificates.CertificateKind.DELIVERY);
        vm.assertEq(certificate.owner, buyer.account);
    }

    // ---------------------------------------------------------------- deemAccepted

    function test_deemAccepted_reverts_with_DeliveryNotFound() public {
        _refuseSilence(exchange, DeliveryId.wrap("none"), IDeliveries.DeliveryNotFound.selector);
    }

    function test_deemAccepted_reverts_with_RoleMissing() public {
        DeliveryId deliveryId = _delivered(tradeId);
        vm.warp(START + INSPECTION_SECONDS);
        _refuseSilence(seller, deliveryId, IParticipants.RoleMissing.selector);
        _refuseSilence(otherExchange, deliveryId, IParticipants.RoleMissing.selector);
    }

    function test_deemAccepted_reverts_with_DeliveryStateWrong() public {
        DeliveryId deliveryId = _delivered(tradeId);
        _rejected(deliveryId);
        vm.warp(START + INSPECTION_SECONDS);
        _refuseSilence(exchange, deliveryId, IDeliveries.DeliveryStateWrong.selector);
    }

    function test_deemAccepted_reverts_with_DeadlineNotReached() public {
        DeliveryId deliveryId = _delivered(tradeId);
        vm.warp(START + INSPECTION_SECONDS - 1);
        _refuseSilence(exchange, deliveryId, IActing.DeadlineNotReached.selector);
    }

    /// @dev I-04: only who could have objected has kept silent.
    function test_deemAccepted_reverts_with_ParticipantNotActive() public {
        DeliveryId deliveryId = _delivered(tradeId);
        _suspend(buyer);
        vm.warp(START + INSPECTION_SECONDS);
        _refuseSilence(exchange, deliveryId, IParticipants.ParticipantNotActive.selector);
    }

    function test_deemAccepted_reverts_with_FieldInvalid() public {
        DeliveryId deliveryId = _delivered(tradeId);
        vm.warp(START + INSPECTION_SECONDS);
        vm.expectPartialRevert(IActing.FieldInvalid.selector);
        vm.prank(exchange.account);
        deliveries.deemAccepted(deliveryId, 0, DigestAlg.SHA256, _direct());
    }

    function test_deemAccepted_fulfils_the_trade() public {
        DeliveryId deliveryId = _delivered(tradeId);
        vm.warp(START + INSPECTION_SECONDS);
        vm.prank(exchange.account);
        CertificateId certificateId = deliveries.deemAccepted(deliveryId, DOCUMENT, DigestAlg.SHA256, _direct());
        IDeliveries.Delivery memory delivery = deliveries.deliveryOf(deliveryId);
        vm.assertTrue(delivery.state == IDeliveries.DeliveryState.DEEMED_ACCEPTED);
        vm.assertEq(CertificateId.unwrap(delivery.certificateId), CertificateId.unwrap(certificateId));
        vm.assertTrue(trades.briefOf(tradeId).state == ITrades.TradeState.FULFILLED);
    }

    function test_deemAccepted_emits_DeliveryAccepted() public {
        DeliveryId deliveryId = _delivered(tradeId);
        vm.warp(START + INSPECTION_SECONDS);
        vm.expectEmit(address(deliveries));
        emit IDeliveries.DeliveryAccepted(
            deliveryId, tradeId, _certificateId(deliveryId), true, 0, exchange.id, exchange.account
        );
        vm.prank(exchange.account);
        deliveries.deemAccepted(deliveryId, DOCUMENT, DigestAlg.SHA256, _direct());
    }

    // ---------------------------------------------------------------- reject

    function test_reject_reverts_with_DeliveryNotFound() public {
        _refuseRejection(buyer, DeliveryId.wrap("none"), AuthorityClass.PARTY, IDeliveries.DeliveryNotFound.selector);
    }

    function test_reject_reverts_with_CallerNotBuyer() public {
        DeliveryId deliveryId = _delivered(tradeId);
        _refuseRejection(seller, deliveryId, AuthorityClass.PARTY, IDeliveries.CallerNotBuyer.selector);
    }

    function test_reject_reverts_with_AuthorityMissing() public {
        DeliveryId deliveryId = _delivered(tradeId);
        _grant(buyer, IParticipants.Role.REGULATOR, NO_VENUE);
        _refuseRejection(buyer, deliveryId, AuthorityClass.REGULATOR, IParticipants.AuthorityMissing.selector);
    }

    function test_reject_reverts_with_DeliveryStateWrong() public {
        DeliveryId deliveryId = _accepted(tradeId);
        _refuseRejection(buyer, deliveryId, AuthorityClass.PARTY, IDeliveries.DeliveryStateWrong.selector);
    }

    function test_reject_reverts_with_DeadlinePassed() public {
        DeliveryId deliveryId = _delivered(tradeId);
        vm.warp(START + INSPECTION_SECONDS);
        _refuseRejection(buyer, deliveryId, AuthorityClass.PARTY, IActing.DeadlinePassed.selector);
    }

    function test_reject_lets_the_seller_deliver_again() public {
        DeliveryId first = _delivered(tradeId);
        _rejected(first);
        vm.assertTrue(deliveries.deliveryOf(first).state == IDeliveries.DeliveryState.REJECTED);
        vm.assertEq(deliveries.deliveryOf(_accepted(tradeId)).attempt, 2);
    }

    function test_reject_emits_DeliveryRejected() public {
        DeliveryId deliveryId = _delivered(tradeId);
        vm.expectEmit(address(deliveries));
        emit IDeliveries.DeliveryRejected(deliveryId, tradeId, buyer.id, buyer.account, _cause(AuthorityClass.PARTY));
        _rejected(deliveryId);
    }

    // ---------------------------------------------------------------- views

    function test_views_reverts_with_DeliveryNotFound() public {
        vm.expectPartialRevert(IDeliveries.DeliveryNotFound.selector);
        deliveries.deliveryOf(DeliveryId.wrap("none"));
    }

    function test_views_finds_no_delivery() public view {
        vm.assertEq(DeliveryId.unwrap(deliveries.latestDeliveryOf(tradeId)), 0);
    }

    // ---------------------------------------------------------------- helpers

    function _deliveryId(uint256 attempt) private view returns (DeliveryId) {
        return DeliveryId.wrap(Hashing.actId("delivery", seller.id, TradeId.unwrap(tradeId), bytes32(attempt)));
    }

    function _certificateId(DeliveryId deliveryId) private view returns (CertificateId) {
        return CertificateId.wrap(Hashing.actId("certificate", exchange.id, DeliveryId.unwrap(deliveryId), 0));
    }

    function _terminated() private {
        vm.prank(regulator.account);
        trades.terminate(tradeId, _cause(AuthorityClass.REGULATOR), _direct());
    }

    function _rejected(DeliveryId deliveryId) private {
        vm.prank(buyer.account);
        deliveries.reject(deliveryId, _cause(AuthorityClass.PARTY), _direct());
    }

    function _refuseDelivery(Member memory member, bytes4 failure) private {
        vm.expectPartialRevert(failure);
        vm.prank(member.account);
        deliveries.deliver(tradeId, DeliveryForm.DOWNLOAD, "package", "keys", DigestAlg.SHA256, _direct());
    }

    function _refuseAcceptance(Member memory member, DeliveryId deliveryId, bytes4 failure) private {
        vm.expectPartialRevert(failure);
        vm.prank(member.account);
        deliveries.accept(deliveryId, "receipt", DOCUMENT, DigestAlg.SHA256, _direct());
    }

    function _refuseSilence(Member memory member, DeliveryId deliveryId, bytes4 failure) private {
        vm.expectPartialRevert(failure);
        vm.prank(member.account);
        deliveries.deemAccepted(deliveryId, DOCUMENT, DigestAlg.SHA256, _direct());
    }

    function _refuseRejection(Member memory member, DeliveryId deliveryId, AuthorityClass authority, bytes4 failure)
        private
    {
        vm.expectPartialRevert(failure);
        vm.prank(member.account);
        deliveries.reject(deliveryId, _cause(authority), _direct());
    }
}
