// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Authorization, Cause} from "../types/Acting.sol";
import {AuthorityClass, DigestAlg} from "../types/Codes.sol";
import {CertificateId, DeliveryId, ParticipantId, SettlementId, TradeId} from "../types/Ids.sol";
import {IActing} from "./IActing.sol";
import {ITrades} from "./ITrades.sol";

/// @title ISettlements
/// @notice Clearing and settlement of fulfilled trades, and the holds that stop them (domain 4.8, J-01).
/// @dev On the prefunded rail clearing and payment are one act: the legs fixed in the signed contract are posted out of
/// the hold, sum for
/// sum. A hold stops it until the same authority class lifts it; no authority can redirect money.
interface ISettlements is IActing {
    enum SettlementState {
        NONE,
        SETTLED
    }

    /// @notice A settlement.
    /// @param grossFen Gross amount in fen: the sum of the legs.
    /// @param legsHash keccak256 of the ABI encoding of the legs that were paid.
    /// @param settledAt Seconds.
    struct Settlement {
        SettlementId settlementId;
        uint64 sequence;
        TradeId tradeId;
        DeliveryId deliveryId;
        SettlementState state;
        uint64 grossFen;
        bytes32 legsHash;
        ParticipantId bank;
        uint64 settledAt;
        CertificateId certificateId;
    }

    /// @notice A hold of an authority class on the settlement of a trade; without one, only the key is set.
    /// @param isActive Whether it holds now.
    /// @param until Seconds when it ends by itself; 0 means open.
    struct SettlementHold {
        TradeId tradeId;
        AuthorityClass authority;
        bool isActive;
        uint64 until;
        ParticipantId byParticipant;
    }

    /// @notice A fulfilled trade was settled: every leg posted, the certificate issued, the trade closed.
    /// @param grossFen Gross amount in fen.
    /// @param currency ISO 4217, three ASCII letters; CNY.
    /// @param settledAt Seconds.
    event SettlementSettled(
        SettlementId indexed settlementId,
        TradeId indexed tradeId,
        DeliveryId indexed deliveryId,
        uint64 sequence,
        uint64 grossFen,
        ITrades.Leg[] legs,
        ParticipantId bank,
        bytes3 currency,
        uint64 settledAt,
        CertificateId certificateId,
        ParticipantId byParticipant,
        address byAccount
    );
    /// @notice An authority put a hold on the settlement of a trade.
    event SettlementHoldPlaced(
        TradeId indexed tradeId,
        AuthorityClass indexed authority,
        ParticipantId byParticipant,
        address byAccount,
        Cause cause
    );
    /// @notice The authority class lifted its hold.
    event SettlementHoldLifted(
        TradeId indexed tradeId,
        AuthorityClass indexed authority,
        ParticipantId byParticipant,
        address byAccount,
        Cause cause
    );

    /// @notice The settlement is not known.
    /// @custom:family NotFound
    error SettlementNotFound(SettlementId settlementId);
    /// @notice The trade is already settled: nothing is paid twice.
    /// @custom:family Conflict
    error SettlementAlreadyExists(SettlementId settlementId);
    /// @notice An authority holds the settlement.
    /// @custom:family Conflict
    error SettlementHeld(TradeId tradeId, AuthorityClass authority);
    /// @notice The class has no hold on this trade.
    /// @custom:family NotFound
    error SettlementHoldNotFound(TradeId tradeId, AuthorityClass authority);
    /// @notice The class already holds this trade.
    /// @custom:family Conflict
    error SettlementHoldAlreadyExists(TradeId tradeId, AuthorityClass authority);
    /// @notice The delivery is not the accepted delivery of this trade.
    /// @custom:family Conflict
    error DeliveryNotAccepted(TradeId tradeId, DeliveryId deliveryId);

    /// @notice Pays every leg out of the hold, issues the settlement certificate and closes the trade.
    /// @param deliveryId The trade's accepted delivery.
    /// @param legs The legs that both sides signed.
    /// @param documentDigest Digest of the settlement certificate's document.
    ///
    /// Requirements, in order:
    /// - the trade is known and was never settled;
    /// - the caller operates the executing venue, or has the role CLEARING there;
    /// - the trade is fulfilled, and the delivery is its accepted one;
    /// - no authority holds the settlement;
    /// - the legs are those signed; digest and algorithm are given.
    ///
    /// Emits a {SettlementSettled} event.
    function settle(
        TradeId tradeId,
        DeliveryId deliveryId,
        ITrades.Leg[] calldata legs,
        bytes32 documentDigest,
        DigestAlg digestAlg,
        Authorization calldata authorization
    ) external returns (SettlementId settlementId);

    /// @notice Stops the money of a trade: it is neither paid nor given back while any class holds it.
    ///
    /// Requirements, in order:
    /// - the trade is known;
    /// - the caller operates the executing venue (VENUE), or speaks for a regulator, court or arbitrator there;
    /// - the trade is neither closed nor terminated, and the class does not hold it already.
    ///
    /// Emits a {SettlementHoldPlaced} event.
    function placeHold(TradeId tradeId, Cause calldata cause, Authorization calldata authorization) external;

    /// @notice Lifts the hold of the caller's own class.
    ///
    /// Requirements, in order:
    /// - the trade is known;
    /// - the caller has standing, as for {placeHold};
    /// - the class holds it.
    ///
    /// Emits a {SettlementHoldLifted} event.
    function liftHold(TradeId tradeId, Cause calldata cause, Authorization calldata authorization) external;

    /// @notice Returns a settlement; reverts with {SettlementNotFound}.
    function settlementOf(SettlementId settlementId) external view returns (Settlement memory);
    /// @notice Returns the hold of a class on a trade.
    function settlementHoldOf(TradeId tradeId, AuthorityClass authority) external view returns (SettlementHold memory);
    /// @notice Says whether any class holds the settlement now.
    function isHeld(TradeId tradeId) external view returns (bool);
}
