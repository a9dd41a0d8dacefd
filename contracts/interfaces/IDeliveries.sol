// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Authorization, Cause} from "../types/Acting.sol";
import {DeliveryForm, DigestAlg} from "../types/Codes.sol";
import {CertificateId, DeliveryId, ParticipantId, TradeId} from "../types/Ids.sol";
import {IActing} from "./IActing.sol";

/// @title IDeliveries
/// @notice What was handed over, when the buyer inspected it, and the receipt (domain 4.7, I-01).
/// @dev READY and STARTED leave no trace of their own: a delivery is recorded in one act, when the package exists. Use
/// is never
/// acceptance (I-04): no usage event changes a delivery.
interface IDeliveries is IActing {
    enum DeliveryState {
        NONE,
        DELIVERED,
        ACCEPTED,
        DEEMED_ACCEPTED,
        REJECTED
    }

    /// @notice A delivery attempt.
    /// @param attempt 1, 2, 3 … of its trade.
    /// @param deliveredAt Seconds.
    /// @param inspectUntil Seconds, exclusive: the buyer may object before it.
    /// @param evidenceHash keccak256 of the ABI encoding of (packageDigest, keysDigest), which stand in {DeliveryMade};
    /// with the
    /// buyer's acceptance keccak256 of the ABI encoding of that hash and the receiptDigest of {DeliveryAccepted}.
    /// @param certificateId Zero before acceptance.
    struct Delivery {
        DeliveryId deliveryId;
        uint64 sequence;
        TradeId tradeId;
        uint16 attempt;
        DeliveryState state;
        DeliveryForm form;
        ParticipantId deliverer;
        DigestAlg digestAlg;
        uint64 deliveredAt;
        uint64 inspectUntil;
        bool isUseNotAcceptance;
        bytes32 evidenceHash;
        CertificateId certificateId;
    }

    /// @notice The seller or its delivery provider handed over.
    /// @param attempt 1 to 8.
    /// @param packageDigest Digest of the sealed package.
    /// @param keysDigest Digest of the sidecar that holds the wrapped keys; zero if none.
    /// @param deliveredAt Seconds.
    /// @param inspectUntil Seconds, exclusive.
    event DeliveryMade(
        DeliveryId indexed deliveryId,
        TradeId indexed tradeId,
        ParticipantId indexed deliverer,
        uint64 sequence,
        uint16 attempt,
        DeliveryForm form,
        bytes32 packageDigest,
        bytes32 keysDigest,
        DigestAlg digestAlg,
        uint64 deliveredAt,
        uint64 inspectUntil,
        bool isUseNotAcceptance,
        address byAccount
    );
    /// @notice The buyer accepted, or its silence did.
    /// @param receiptDigest Digest of the buyer's receipt; zero where silence accepted.
    event DeliveryAccepted(
        DeliveryId indexed deliveryId,
        TradeId indexed tradeId,
        CertificateId certificateId,
        bool isDeemed,
        bytes32 receiptDigest,
        ParticipantId byParticipant,
        address byAccount
    );
    /// @notice The buyer rejected the delivery for defects; the seller may deliver again.
    event DeliveryRejected(
        DeliveryId indexed deliveryId,
        TradeId indexed tradeId,
        ParticipantId byParticipant,
        address byAccount,
        Cause cause
    );

    /// @notice The delivery is not known.
    /// @custom:family NotFound
    error DeliveryNotFound(DeliveryId deliveryId);
    /// @notice A delivery of this trade is already made and not rejected.
    /// @custom:family Conflict
    error DeliveryAlreadyExists(DeliveryId deliveryId);
    /// @notice The act does not fit the delivery's state.
    /// @custom:family Conflict
    error DeliveryStateWrong(DeliveryId deliveryId, DeliveryState state);
    /// @notice Only the seller, or a delivery provider of the executing venue, can deliver.
    /// @custom:family Forbidden
    error CallerNotDeliverer(TradeId tradeId, ParticipantId participantId);
    /// @notice Only the buyer can do this.
    /// @custom:family Forbidden
    error CallerNotBuyer(TradeId tradeId, ParticipantId participantId);
    /// @notice The form is not the one agreed.
    /// @custom:family Invalid
    error DeliveryFormWrong(TradeId tradeId, DeliveryForm form);
    /// @notice All attempts are used up.
    /// @custom:family Conflict
    error AttemptsExhausted(TradeId tradeId, uint16 maximum);

    /// @notice Records that the package was handed over; the inspection begins.
    /// @param packageDigest Digest of the sealed package.
    /// @param keysDigest Digest of the sidecar that holds the wrapped keys; zero if none.
    ///
    /// Requirements, in order:
    /// - the trade is known;
    /// - the caller is its seller, or has the role DELIVERY_PROVIDER at the executing venue;
    /// - the trade is in force and not fulfilled;
    /// - no delivery of it waits for inspection, and fewer than 8 were made;
    /// - the form is the one agreed; digest and algorithm are given.
    ///
    /// Emits a {DeliveryMade} event.
    function deliver(
        TradeId tradeId,
        DeliveryForm form,
        bytes32 packageDigest,
        bytes32 keysDigest,
        DigestAlg digestAlg,
        Authorization calldata authorization
    ) external returns (DeliveryId deliveryId);

    /// @notice Accepts a delivery, in time or late; the trade is fulfilled and the delivery certificate issued.
    /// @param receiptDigest Digest of the buyer's receipt.
    /// @param documentDigest Digest of the delivery certificate's document.
    ///
    /// Requirements, in order:
    /// - the delivery is known;
    /// - the caller is the trade's buyer;
    /// - it waits for inspection, and the trade is being performed;
    /// - digests and algorithm are given.
    ///
    /// Emits a {DeliveryAccepted} event.
    function accept(
        DeliveryId deliveryId,
        bytes32 receiptDigest,
        bytes32 documentDigest,
        DigestAlg digestAlg,
        Authorization calldata authorization
    ) external returns (CertificateId certificateId);

    /// @notice Records that the inspection ended without objection; otherwise as {accept}.
    ///
    /// Requirements, in order:
    /// - the delivery is known;
    /// - the caller operates the executing venue;
    /// - it waits for inspection, and the trade is being performed;
    /// - the time for inspection is over, and the buyer is active;
    /// - digest and algorithm are given.
    ///
    /// Emits a {DeliveryAccepted} event.
    function deemAccepted(
        DeliveryId deliveryId,
        bytes32 documentDigest,
        DigestAlg digestAlg,
        Authorization calldata authorization
    ) external returns (CertificateId certificateId);

    /// @notice Rejects a delivery for defects, which the cause's document describes; the seller may deliver again.
    ///
    /// Requirements, in order:
    /// - the delivery is known;
    /// - the caller is the trade's buyer and speaks as PARTY;
    /// - it waits for inspection, and the time for it is not over.
    ///
    /// Emits a {DeliveryRejected} event.
    function reject(DeliveryId deliveryId, Cause calldata cause, Authorization calldata authorization) external;

    /// @notice Returns a delivery; reverts with {DeliveryNotFound}.
    function deliveryOf(DeliveryId deliveryId) external view returns (Delivery memory);
    /// @notice Returns a trade's last delivery; zero if none was made.
    function latestDeliveryOf(TradeId tradeId) external view returns (DeliveryId);
    /// @notice Says whether this is the accepted delivery of the trade.
    function isAccepted(DeliveryId deliveryId, TradeId tradeId) external view returns (bool);
}
