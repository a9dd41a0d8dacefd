// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ICertificates} from "../interfaces/ICertificates.sol";
import {IDeliveries} from "../interfaces/IDeliveries.sol";
import {IFunds} from "../interfaces/IFunds.sol";
import {IParticipants} from "../interfaces/IParticipants.sol";
import {IProfiles} from "../interfaces/IProfiles.sol";
import {ISettlements} from "../interfaces/ISettlements.sol";
import {ITrades} from "../interfaces/ITrades.sol";
import {Acting} from "../libraries/Acting.sol";
import {Clock} from "../libraries/Clock.sol";
import {Hashing} from "../libraries/Hashing.sol";
import {Venues} from "../libraries/Venues.sol";
import {Actor, Authorization, Cause} from "../types/Acting.sol";
import {AuthorityClass, DigestAlg, Noun} from "../types/Codes.sol";
import {CertificateId, DeliveryId, ParticipantId, SettlementId, TradeId} from "../types/Ids.sol";

/// @title Settlements
/// @notice Fulfilled trades paid out, and the holds of authorities.
/// @dev Holds are kept here per class, and pushed to {IFunds} as one block, so that neither payment nor refund passes
/// them.
contract Settlements is ISettlements, Acting {
    // ---------------------------------------------------------------- types

    /// @dev Everything else follows from the trade, which no longer changes.
    struct StoredSettlement {
        // slot 0
        uint40 sequence;
        SettlementState state;
        uint40 settledAt;
        // slot 1
        TradeId tradeId;
    }

    struct StoredHold {
        // slot 0
        bool isPlaced;
        uint40 until;
        uint32 byParticipant;
    }

    // ---------------------------------------------------------------- constants

    bytes3 private constant CURRENCY = "CNY";
    /// @dev A trade settles once, and a settlement has one certificate.
    bytes32 private constant SALT = 0;
    uint8 private constant CLASSES = uint8(type(AuthorityClass).max);

    IParticipants public immutable participants;
    ITrades public immutable trades;
    IDeliveries public immutable deliveries;
    IFunds public immutable funds;
    ICertificates public immutable certificates;

    // ---------------------------------------------------------------- storage

    mapping(SettlementId => StoredSettlement) private _settlements;
    mapping(TradeId => mapping(AuthorityClass => StoredHold)) private _holds;
    /// @dev One bit per class with a hold, so that settlement reads one word.
    mapping(TradeId => uint256 classes) private _heldBy;
    uint40 private _sequence;

    // ---------------------------------------------------------------- constructor

    constructor(
        IParticipants participants_,
        ITrades trades_,
        IDeliveries deliveries_,
        IFunds funds_,
        ICertificates certificates_
    ) {
        participants = participants_;
        trades = trades_;
        deliveries = deliveries_;
        funds = funds_;
        certificates = certificates_;
    }

    // ---------------------------------------------------------------- views

    /// @inheritdoc ISettlements
    function settlementOf(SettlementId settlementId) external view returns (Settlement memory) {
        StoredSettlement storage stored = _settlements[settlementId];
        require(stored.state != SettlementState.NONE, SettlementNotFound(settlementId));
        ITrades.Trade memory trade = trades.tradeOf(stored.tradeId);
        return Settlement({
            settlementId: settlementId,
            sequence: stored.sequence,
            tradeId: stored.tradeId,
            deliveryId: deliveries.latestDeliveryOf(stored.tradeId),
            state: stored.state,
            grossFen: trade.grossFen,
            legsHash: trade.legsHash,
            bank: trade.bank,
            settledAt: stored.settledAt,
            certificateId: CertificateId.wrap(
                Hashing.actId("certificate", trade.executingVenue, SettlementId.unwrap(settlementId), SALT)
            )
        });
    }

    /// @inheritdoc ISettlements
    function settlementHoldOf(TradeId tradeId, AuthorityClass authority)
        external
        view
        returns (SettlementHold memory held)
    {
        StoredHold storage stored = _holds[tradeId][authority];
        held.tradeId = tradeId;
        held.authority = authority;
        if (!stored.isPlaced) return held;
        held.isActive = _isActive(stored);
        held.until = stored.until;
        held.byParticipant = participants.participantBySequence(stored.byParticipant);
    }

    /// @inheritdoc ISettlements
    function isHeld(TradeId tradeId) external view returns (bool) {
        return _holderOf(tradeId) != AuthorityClass.NONE;
    }

    // ---------------------------------------------------------------- writes

    /// @inheritdoc ISettlements
    function settle(
        TradeId tradeId,
        DeliveryId deliveryId,
        ITrades.Leg[] calldata legs,
        bytes32 documentDigest,
        DigestAlg digestAlg,
        Authorization calldata authorization
    ) external returns (SettlementId settlementId) {
        address account = _authorize(
            _isRelayed(authorization)
                ? keccak256(abi.encode(tradeId, deliveryId, legs, documentDigest, digestAlg))
                : bytes32(0),
            authorization
        );
        ITrades.TradeBasis memory trade = trades.basisOf(tradeId);
        settlementId =
            SettlementId.wrap(Hashing.actId("settlement", trade.executingVenue, TradeId.unwrap(tradeId), SALT));
        require(_settlements[settlementId].state == SettlementState.NONE, SettlementAlreadyExists(settlementId));
        Actor memory actor = _requireClearing(account, trade.executingVenue);
        _requireSettleable(trade, deliveryId);
        require(keccak256(abi.encode(legs)) == trade.legsHash, ITrades.LegsWrong(trade.legsHash));
        require(documentDigest != 0, FieldInvalid("documentDigest"));
        require(digestAlg != DigestAlg.NONE, FieldInvalid("digestAlg"));

        _sequence += 1;
        _settlements[settlementId] =
            StoredSettlement(_sequence, SettlementState.SETTLED, uint40(Clock.nowSeconds()), tradeId);
        CertificateId certificateId = _issue(settlementId, trade, documentDigest, digestAlg);
        _emitSettled(settlementId, deliveryId, certificateId, trade, legs, actor);
        if (trade.grossFen != 0) funds.split(tradeId, legs);
        trades.advance(tradeId, ITrades.TradeState.CLOSED);
    }

    /// @inheritdoc ISettlements
    function placeHold(TradeId tradeId, Cause calldata cause, Authorization calldata authorization) external {
        address account = _authorize(keccak256(abi.encode(tradeId, cause)), authorization);
        ITrades.TradeBasis memory trade = trades.basisOf(tradeId);
        Actor memory actor = Venues.requireAuthority(participants, account, cause, trade.executingVenue);
        require(
            trade.state != ITrades.TradeState.CLOSED && trade.state != ITrades.TradeState.TERMINATED,
            ITrades.TradeStateWrong(tradeId, trade.state)
        );
        AuthorityClass authority = cause.authority;
        require(!_isActive(_holds[tradeId][authority]), SettlementHoldAlreadyExists(tradeId, authority));

        _holds[tradeId][authority] = StoredHold(true, Clock.pack(cause.until), actor.sequence);
        _heldBy[tradeId] |= 1 << uint8(authority);
        emit SettlementHoldPlaced(tradeId, authority, actor.participantId, account, cause);
        if (trade.grossFen != 0) _pushBlock(tradeId);
    }

    /// @inheritdoc ISettlements
    function liftHold(TradeId tradeId, Cause calldata cause, Authorization calldata authorization) external {
        address account = _authorize(keccak256(abi.encode(tradeId, cause)), authorization);
        ITrades.TradeBasis memory trade = trades.basisOf(tradeId);
        Actor memory actor = Venues.requireAuthority(participants, account, cause, trade.executingVenue);
        AuthorityClass authority = cause.authority;
        require(_isActive(_holds[tradeId][authority]), SettlementHoldNotFound(tradeId, authority));

        delete _holds[tradeId][authority];
        _heldBy[tradeId] &= ~(1 << uint8(authority));
        emit SettlementHoldLifted(tradeId, authority, actor.participantId, account, cause);
        if (trade.grossFen != 0) _pushBlock(tradeId);
    }

    // ---------------------------------------------------------------- internal

    function _isActive(StoredHold storage stored) private view returns (bool) {
        return stored.isPlaced && (stored.until == 0 || Clock.nowSeconds() < stored.until);
    }

    /// @dev Returns the first class that holds the trade now, or NONE.
    function _holderOf(TradeId tradeId) private view returns (AuthorityClass) {
        uint256 heldBy = _heldBy[tradeId];
        if (heldBy == 0) return AuthorityClass.NONE;
        for (uint8 class = 1; class <= CLASSES; ++class) {
            bool isSet = heldBy >> class & 1 != 0;
            if (isSet && _isActive(_holds[tradeId][AuthorityClass(class)])) return AuthorityClass(class);
        }
        return AuthorityClass.NONE;
    }

    /// @dev Tells {IFunds} until when the money stands still: until the last active hold ends, or 0 if one is open.
    function _pushBlock(TradeId tradeId) private {
        uint256 heldBy = _heldBy[tradeId];
        bool isBlocked = false;
        bool isOpen = false;
        uint40 last = 0;
        for (uint8 class = 1; class <= CLASSES; ++class) {
            if (heldBy >> class & 1 == 0) continue;
            StoredHold storage stored = _holds[tradeId][AuthorityClass(class)];
            if (!_isActive(stored)) continue;
            isBlocked = true;
            if (stored.until == 0) isOpen = true;
            if (stored.until > last) last = stored.until;
        }
        funds.setBlocked(tradeId, isBlocked, isOpen ? 0 : last);
    }

    /// @dev The executing venue itself, or a clearing house that it admitted.
    function _requireClearing(address account, ParticipantId executingVenue) private view returns (Actor memory actor) {
        actor = participants.actorOf(account);
        ParticipantId caller = actor.participantId;
        if (participants.hasRole(caller, IParticipants.Role.EXCHANGE_OPERATOR, executingVenue)) return actor;
        require(
            participants.hasRole(caller, IParticipants.Role.CLEARING, executingVenue),
            IParticipants.RoleMissing(caller, IParticipants.Role.CLEARING, executingVenue)
        );
    }

    function _requireSettleable(ITrades.TradeBasis memory trade, DeliveryId deliveryId) private view {
        TradeId tradeId = trade.tradeId;
        require(trade.state == ITrades.TradeState.FULFILLED, ITrades.TradeStateWrong(tradeId, trade.state));
        require(deliveries.isAccepted(deliveryId, tradeId), DeliveryNotAccepted(tradeId, deliveryId));
        AuthorityClass holder = _holderOf(tradeId);
        require(holder == AuthorityClass.NONE, SettlementHeld(tradeId, holder));
    }

    /// @dev Issued before the event, which carries the certificate's id.
    function _issue(
        SettlementId settlementId,
        ITrades.TradeBasis memory trade,
        bytes32 documentDigest,
        DigestAlg digestAlg
    ) private returns (CertificateId certificateId) {
        (certificateId,) = certificates.issue(
            ICertificates.CertificateRequest({
                kind: ICertificates.CertificateKind.SETTLEMENT,
                subjectNoun: Noun.SETTLEMENT,
                subjectId: SettlementId.unwrap(settlementId),
                subjectVersion: 0,
                issuer: trade.executingVenue,
                holder: trade.seller,
                documentDigest: documentDigest,
                digestAlg: digestAlg,
                validUntil: 0,
                codeFormat: IProfiles.CodeFormat.VENUE
            }),
            SALT
        );
    }

    function _emitSettled(
        SettlementId settlementId,
        DeliveryId deliveryId,
        CertificateId certificateId,
        ITrades.TradeBasis memory trade,
        ITrades.Leg[] calldata legs,
        Actor memory actor
    ) private {
        emit SettlementSettled(
            settlementId,
            trade.tradeId,
            deliveryId,
            _sequence,
            trade.grossFen,
            legs,
            trade.bank,
            CURRENCY,
            uint64(Clock.nowSeconds()),
            certificateId,
            actor.participantId,
            actor.account
        );
    }
}
