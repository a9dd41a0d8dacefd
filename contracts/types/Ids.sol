// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @dev Every id is a hash that anyone can compute before sending ({Hashing}). Distinct types let the
/// compiler refuse a ListingId where a TradeId is due.

type ParticipantId is bytes32;
type ProfileId is bytes32;
type AgreementId is bytes32;
type AssetId is bytes32;
type RegistrationId is bytes32;
type RightId is bytes32;
type CertificateId is bytes32;
type AssessmentId is bytes32;
type ListingId is bytes32;
type TradeId is bytes32;
type DeliveryId is bytes32;
type WithdrawalId is bytes32;
type SettlementId is bytes32;

using {_equals as ==, _differs as !=} for ParticipantId global;

function _equals(ParticipantId left, ParticipantId right) pure returns (bool) {
    return ParticipantId.unwrap(left) == ParticipantId.unwrap(right);
}

function _differs(ParticipantId left, ParticipantId right) pure returns (bool) {
    return ParticipantId.unwrap(left) != ParticipantId.unwrap(right);
}
