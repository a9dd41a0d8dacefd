// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ICertificates} from "../interfaces/ICertificates.sol";
import {IDeliveries} from "../interfaces/IDeliveries.sol";
import {IParticipants} from "../interfaces/IParticipants.sol";
import {IProfiles} from "../interfaces/IProfiles.sol";
import {ITrades} from "../interfaces/ITrades.sol";
import {Acting} from "../libraries/Acting.sol";
import {Clock} from "../libraries/Clock.sol";
import {Hashing} from "../libraries/Hashing.sol";
import {Venues} from "../libraries/Venues.sol";
import {Actor, Authorization, Cause} from "../types/Acting.sol";
import {AuthorityClass, DeliveryForm, DigestAlg, Noun} from "../types/Codes.sol";
import {CertificateId, DeliveryId, ParticipantId, TradeId} from "../types/Ids.sol";

/// @title Deliveries
/// @notice Packages handed over, inspected, accepted or rejected.
contract Deliveries is IDeliveries, Acting {
    // ---------------------------------------------------------------- types

    struct StoredDelivery {
        // slot 0
        uint40 sequence;
        uint8 attempt;
        DeliveryState state;
        DeliveryForm form;
        DigestAlg digestAlg;
        uint32 deliverer;
        uint40 deliveredAt;
        uint40 inspectUntil;
        bool isUseNotAcceptance;
        // slot 1
        TradeId tradeId;
        // slot 2
        bytes32 evidenceHash;
    }

    // ---------------------------------------------------------------- constants

    uint8 private constant ATTEMPTS_MAX = 8;
    /// @dev A delivery has one certificate.
    bytes32 private constant CERTIFICATE_SALT = 0;

    IParticipants public immutable participants;
    ITrades public immutable trades;
    ICertificates public immutable certificates;

    // ---------------------------------------------------------------- storage

    mapping(DeliveryId => StoredDelivery) private _deliveries;
    uint40 private _sequence;

    // ---------------------------------------------------------------- constructor

    constructor(IParticipants participants_, ITrades trades_, ICertificates certificates_) {
        participants = participants_;
        trades = trades_;
        certificates = certificates_;
    }

    // ---------------------------------------------------------------- views

    /// @inheritdoc IDeliveries
    function deliveryOf(DeliveryId deliveryId) external view returns (Delivery memory delivery) {
        StoredDelivery storage stored = _deliveryOf(deliveryId);
        delivery.deliveryId = deliveryId;
        delivery.sequence = stored.sequence;
        delivery.tradeId = stored.tradeId;
        delivery.attempt = stored.attempt;
        delivery.state = stored.state;
        delivery.form = stored.form;
        delivery.deliverer = participants.participantBySequence(stored.deliverer);
        delivery.digestAlg = stored.digestAlg;
        delivery.deliveredAt = stored.deliveredAt;
        delivery.inspectUntil = stored.inspectUntil;
        delivery.isUseNotAcceptance = stored.isUseNotAcceptance;
        delivery.evidenceHash = stored.evidenceHash;
        if (_isAccepted(stored)) {
            uint32 executingVenue = trades.briefOf(stored.tradeId).executingVenue;
            delivery.certificateId = CertificateId.wrap(
                Hashing.actId(
                    "certificate",
                    participants.participantBySequence(executingVenue),
                    DeliveryId.unwrap(deliveryId),
                    CERTIFICATE_SALT
                )
            );
        }
    }

    /// @inheritdoc IDeliveries
    function latestDeliveryOf(TradeId tradeId) external view returns (DeliveryId latest) {
        ParticipantId seller = participants.participantBySequence(trades.briefOf(tradeId).seller);
        for (uint8 attempt = 1; attempt <= ATTEMPTS_MAX; ++attempt) {
            DeliveryId deliveryId = _deliveryId(seller, tradeId, attempt);
            if (_deliveries[deliveryId].state == DeliveryState.NONE) break;
            latest = deliveryId;
        }
    }

    /// @inheritdoc IDeliveries
    function isAccepted(DeliveryId deliveryId, TradeId tradeId) external view returns (bool) {
        StoredDelivery storage stored = _deliveries[deliveryId];
        return _isAccepted(stored) && TradeId.unwrap(stored.tradeId) == TradeId.unwrap(tradeId);
    }

    // ---------------------------------------------------------------- writes

    /// @inheritdoc IDeliveries
    function deliver(
        TradeId tradeId,
        DeliveryForm form,
        bytes32 packageDigest,
        bytes32 keysDigest,
        DigestAlg digestAlg,
        Authorization calldata authorization
    ) external returns (DeliveryId deliveryId) {
        address account = _authorize(
            keccak256(abi.encode(tradeId, form, packageDigest, keysDigest, digestAlg)), authorization
        );
        ITrades.TradeBrief memory trade = trades.briefOf(tradeId);
        Actor memory actor = _requireDeliverer(account, tradeId, trade);
        require(
            trade.state == ITrades.TradeState.EFFECTIVE || trade.state == ITrades.TradeState.PERFORMING,
            ITrades.TradeStateWrong(tradeId, trade.state)
        );
        uint8 attempt;
        (deliveryId, attempt) = _nextAttempt(tradeId, trade.seller, actor);
        require(form == trade.deliveryForm, DeliveryFormWrong(tradeId, form));
        require(packageDigest != 0, FieldInvalid("packageDigest"));
        require(digestAlg != DigestAlg.NONE, FieldInvalid("digestAlg"));

        _sequence += 1;
        uint64 time = Clock.nowSeconds();
        StoredDelivery storage stored = _deliveries[deliveryId];
        stored.sequence = _sequence;
        stored.attempt = attempt;
        stored.state = DeliveryState.DELIVERED;
        stored.form = form;
        stored.digestAlg = digestAlg;
        stored.deliverer = actor.sequence;
        stored.deliveredAt = uint40(time);
        stored.inspectUntil = Clock.pack(time + trade.inspectionSeconds);
        stored.isUseNotAcceptance = trade.isUseNotAcceptance;
        stored.tradeId = tradeId;
        stored.evidenceHash = keccak256(abi.encode(packageDigest, keysDigest));
        _emitMade(deliveryId, stored, actor, packageDigest, keysDigest);
        if (trade.state == ITrades.TradeState.EFFECTIVE) trades.advance(tradeId, ITrades.TradeState.PERFORMING);
    }

    /// @inheritdoc IDeliveries
    function accept(
        DeliveryId deliveryId,
        bytes32 receiptDigest,
        bytes32 documentDigest,
        DigestAlg digestAlg,
        Authorization calldata authorization
    ) external returns (CertificateId certificateId) {
        address account = _authorize(
            keccak256(abi.encode(deliveryId, receiptDigest, documentDigest, digestAlg)), authorization
        );
        StoredDelivery storage stored = _deliveryOf(deliveryId);
        TradeId tradeId = stored.tradeId;
        ITrades.TradeBrief memory trade = trades.briefOf(tradeId);
        Actor memory actor = participants.actorOf(account);
        require(actor.sequence == trade.buyer, CallerNotBuyer(tradeId, actor.participantId));
        require(stored.state == DeliveryState.DELIVERED, DeliveryStateWrong(deliveryId, stored.state));
        require(receiptDigest != 0, FieldInvalid("receiptDigest"));

        stored.state = DeliveryState.ACCEPTED;
        stored.evidenceHash = keccak256(abi.encode(stored.evidenceHash, receiptDigest));
        ParticipantId executingVenue = participants.participantBySequence(trade.executingVenue);
        certificateId = _issue(deliveryId, executingVenue, actor.participantId, documentDigest, digestAlg);
        emit DeliveryAccepted(deliveryId, tradeId, certificateId, false, receiptDigest, actor.participantId, account);
        trades.advance(tradeId, ITrades.TradeState.FULFILLED);
    }

    /// @inheritdoc IDeliveries
    function deemAccepted(
        DeliveryId deliveryId,
        bytes32 documentDigest,
        DigestAlg digestAlg,
        Authorization calldata authorization
    ) external returns (CertificateId certificateId) {
        address account = _authorize(keccak256(abi.encode(deliveryId, documentDigest, digestAlg)), authorization);
        StoredDelivery storage stored = _deliveryOf(deliveryId);
        TradeId tradeId = stored.tradeId;
        ITrades.TradeBrief memory trade = trades.briefOf(tradeId);
        ParticipantId executingVenue = participants.participantBySequence(trade.executingVenue);
        Venues.requireOperator(participants, account, executingVenue);
        require(stored.state == DeliveryState.DELIVERED, DeliveryStateWrong(deliveryId, stored.state));
        uint64 time = Clock.nowSeconds();
        require(time >= stored.inspectUntil, DeadlineNotReached(stored.inspectUntil, time));
        ParticipantId buyer = participants.requireActiveBySequence(trade.buyer);

        stored.state = DeliveryState.DEEMED_ACCEPTED;
        certificateId = _issue(deliveryId, executingVenue, buyer, documentDigest, digestAlg);
        emit DeliveryAccepted(deliveryId, tradeId, certificateId, true, 0, executingVenue, account);
        trades.advance(tradeId, ITrades.TradeState.FULFILLED);
    }

    /// @inheritdoc IDeliveries
    function reject(DeliveryId deliveryId, Cause calldata cause, Authorization calldata authorization) external {
        address account = _authorize(keccak256(abi.encode(deliveryId, cause)), authorization);
        StoredDelivery storage stored = _deliveryOf(deliveryId);
        TradeId tradeId = stored.tradeId;
        ITrades.TradeBrief memory trade = trades.briefOf(tradeId);
        Actor memory actor =
            participants.actorForCause(account, cause, participants.participantBySequence(trade.executingVenue));
        require(actor.sequence == trade.buyer, CallerNotBuyer(tradeId, actor.participantId));
        require(
            cause.authority == AuthorityClass.PARTY,
            IParticipants.AuthorityMissing(actor.participantId, uint8(cause.authority))
        );
        require(stored.state == DeliveryState.DELIVERED, DeliveryStateWrong(deliveryId, stored.state));
        uint64 time = Clock.nowSeconds();
        require(time < stored.inspectUntil, DeadlinePassed(stored.inspectUntil, time));

        stored.state = DeliveryState.REJECTED;
        emit DeliveryRejected(deliveryId, tradeId, actor.participantId, account, cause);
    }

    // ---------------------------------------------------------------- internal

    function _deliveryOf(DeliveryId deliveryId) private view returns (StoredDelivery storage stored) {
        stored = _deliveries[deliveryId];
        require(stored.state != DeliveryState.NONE, DeliveryNotFound(deliveryId));
    }

    function _isAccepted(StoredDelivery storage stored) private view returns (bool) {
        return stored.state == DeliveryState.ACCEPTED || stored.state == DeliveryState.DEEMED_ACCEPTED;
    }

    function _deliveryId(ParticipantId seller, TradeId tradeId, uint8 attempt) private view returns (DeliveryId) {
        return DeliveryId.wrap(Hashing.actId("delivery", seller, TradeId.unwrap(tradeId), bytes32(uint256(attempt))));
    }

    /// @dev Attempts are found by their ids, so that no counter is stored per trade. All earlier ones must have been
    /// rejected.
    function _nextAttempt(TradeId tradeId, uint32 sellerSequence, Actor memory actor)
        private
        view
        returns (DeliveryId deliveryId, uint8 attempt)
    {
        ParticipantId seller = actor.sequence == sellerSequence
            ? actor.participantId
            : participants.participantBySequence(sellerSequence);
        for (attempt = 1; attempt <= ATTEMPTS_MAX; ++attempt) {
            deliveryId = _deliveryId(seller, tradeId, attempt);
            DeliveryState state = _deliveries[deliveryId].state;
            if (state == DeliveryState.NONE) return (deliveryId, attempt);
            require(state == DeliveryState.REJECTED, DeliveryAlreadyExists(deliveryId));
        }
        revert AttemptsExhausted(tradeId, ATTEMPTS_MAX);
    }

    function _requireDeliverer(address account, TradeId tradeId, ITrades.TradeBrief memory trade)
        private
        view
        returns (Actor memory actor)
    {
        actor = participants.actorOf(account);
        if (actor.sequence == trade.seller) return actor;
        require(
            participants.hasRole(
                actor.participantId,
                IParticipants.Role.DELIVERY_PROVIDER,
                participants.participantBySequence(trade.executingVenue)
            ),
            CallerNotDeliverer(tradeId, actor.participantId)
        );
    }

    function _emitMade(
        DeliveryId deliveryId,
        StoredDelivery storage stored,
        Actor memory actor,
        bytes32 packageDigest,
        bytes32 keysDigest
    ) private {
        emit DeliveryMade(
            deliveryId,
            stored.tradeId,
            actor.participantId,
            stored.sequence,
            stored.attempt,
            stored.form,
            packageDigest,
            keysDigest,
            stored.digestAlg,
            stored.deliveredAt,
            stored.inspectUntil,
            stored.isUseNotAcceptance,
            actor.account
        );
    }

    /// @dev Issued before the event, which carries the certificate's id.
    function _issue(
        DeliveryId deliveryId,
        ParticipantId executingVenue,
        ParticipantId buyer,
        bytes32 documentDigest,
        DigestAlg digestAlg
    ) private returns (CertificateId certificateId) {
        require(documentDigest != 0, FieldInvalid("documentDigest"));
        require(digestAlg != DigestAlg.NONE, FieldInvalid("digestAlg"));
        (certificateId,) = certificates.issue(
            ICertificates.CertificateRequest({
                kind: ICertificates.CertificateKind.DELIVERY,
                subjectNoun: Noun.DELIVERY,
                subjectId: DeliveryId.unwrap(deliveryId),
                subjectVersion: 0,
                issuer: executingVenue,
                holder: buyer,
                documentDigest: documentDigest,
                digestAlg: digestAlg,
                validUntil: 0,
                codeFormat: IProfiles.CodeFormat.VENUE
            }),
            CERTIFICATE_SALT
        );
    }
}
