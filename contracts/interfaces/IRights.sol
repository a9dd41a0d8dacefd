// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Authorization, Cause} from "../types/Acting.sol";
import {DigestAlg, RightKind} from "../types/Codes.sol";
import {AssetId, CertificateId, ParticipantId, RightId} from "../types/Ids.sol";
import {IActing} from "./IActing.sol";

/// @title IRights
/// @notice HOLD, USE and OPERATE as entries of a register: independent, non-exclusive, any number of holders (D-01,
/// D-02).
/// @dev Root entries arise inside a registration's deposit; all others are granted by a holder whose entry allows
/// sub-grants, and are never wider.
interface IRights is IActing {
    /// @dev Where a right comes from (D-19): law, contract, or the parties' will.
    enum RightBasis {
        NONE,
        LAW,
        CONTRACT,
        WILL
    }

    /// @dev D-12: what kind of restriction note stands beside the entry.
    enum RightRestriction {
        NONE,
        TERM_OR_CONDITION,
        JUDICIAL,
        CONTROL,
        STATUTORY,
        OTHER
    }

    /// @notice The conditions of an entry, the same in a request, a grant and a record.
    /// @param holder Who holds the right.
    /// @param kinds Bit set: 1 HOLD, 2 USE, 4 OPERATE. One entry may give several on the same terms; they stay
    /// independent rights.
    /// @param basis Law, contract or will (D-19).
    /// @param evidenceDigest Digest of the proof.
    /// @param scopeDigest Digest of the scope document: data range, purposes, territory, environment (ODRL).
    /// @param digestAlg How both digests were made.
    /// @param purposes Bit set of the profile's purpose list, 0 for all; the parent's bits bound the child's.
    /// @param region GB/T 2260 code of the territory; 0 means everywhere.
    /// @param validFrom Seconds, inclusive.
    /// @param validUntil Seconds, exclusive; 0 means as long as the certificate.
    /// @param exclusive Whether the holder was promised that nobody else gets the same.
    /// @param maySubGrant Whether the holder may grant it on.
    /// @param restriction What note restricts it.
    /// @param shareBps Share of the revenue of whatever is derived under this right that goes to the granting side, in
    /// basis points.
    struct RightTerms {
        ParticipantId holder;
        uint8 kinds;
        RightBasis basis;
        bytes32 evidenceDigest;
        bytes32 scopeDigest;
        DigestAlg digestAlg;
        uint64 purposes;
        uint32 region;
        uint64 validFrom;
        uint64 validUntil;
        bool exclusive;
        bool maySubGrant;
        RightRestriction restriction;
        uint16 shareBps;
    }

    /// @notice A register entry.
    /// @param assetId The asset.
    /// @param assetVersion The registered version from which the right applies.
    /// @param certificateId The registration certificate it rests on.
    /// @param parentRightId The entry it was granted from; zero for a root entry.
    /// @param termsHash keccak256 of the ABI encoding of the terms.
    /// @param revokedAt Seconds; 0 means never.
    struct Right {
        RightId rightId;
        AssetId assetId;
        uint32 assetVersion;
        CertificateId certificateId;
        RightId parentRightId;
        ParticipantId holder;
        uint8 kinds;
        uint64 validFrom;
        uint64 validUntil;
        bool exclusive;
        bool maySubGrant;
        uint16 shareBps;
        uint64 purposes;
        uint32 region;
        bytes32 termsHash;
        uint64 revokedAt;
    }

    /// @param parentRightId The caller's own entry.
    /// @param terms The conditions; never wider than the parent's.
    /// @param salt From the caller's business key.
    struct RightGrant {
        RightId parentRightId;
        RightTerms terms;
        bytes32 salt;
    }

    /// @notice A right was entered.
    event RightGranted(
        RightId indexed rightId,
        AssetId indexed assetId,
        ParticipantId indexed holder,
        uint32 assetVersion,
        CertificateId certificateId,
        RightId parentRightId,
        RightTerms terms,
        ParticipantId byParticipant,
        address byAccount
    );
    /// @notice A right was revoked; what was granted from it falls with it.
    event RightRevoked(
        RightId indexed rightId, ParticipantId byParticipant, address byAccount, uint64 revokedAt, Cause cause
    );

    /// @notice The right is not known.
    /// @custom:family NotFound
    error RightNotFound(RightId rightId);
    /// @notice The right already exists.
    /// @custom:family Conflict
    error RightAlreadyExists(RightId rightId);
    /// @notice The right is revoked, outside its term, or rests on something that is.
    /// @custom:family Conflict
    error RightNotActive(RightId rightId);
    /// @notice The right is not the one needed: another asset, holder or kind.
    /// @custom:family Forbidden
    error RightMissing(RightId rightId, AssetId assetId, ParticipantId holder, RightKind kind);
    /// @notice The caller does not hold an entry that it may grant from.
    /// @custom:family Forbidden
    error CallerNotGrantor(RightId rightId, ParticipantId participantId);
    /// @notice The grant would be wider than the entry it comes from.
    /// @custom:family Invalid
    error RightTooWide(RightId parentRightId, bytes32 field);
    /// @notice A chain of grants is at most 8 long.
    /// @custom:family Invalid
    error RightTooDeep(RightId parentRightId);

    /// @notice Enters a root entry, inside a deposit.
    /// @param salt Anything that makes the id unique; the id is {Hashing.actId} of `right`, `byParticipant`, `assetId`
    /// and `salt`.
    /// @param byParticipant The registrar.
    ///
    /// Requirements, in order:
    /// - the caller is a module RIGHT_GRANTER;
    /// - the right does not exist;
    /// - `assetVersion` is 1 to 2^24 - 1;
    /// - the terms are as {requireTerms} wants them.
    ///
    /// Emits a {RightGranted} event.
    function enter(
        RightTerms calldata terms,
        AssetId assetId,
        uint32 assetVersion,
        CertificateId certificateId,
        bytes32 salt,
        ParticipantId byParticipant,
        address byAccount
    ) external returns (RightId rightId);

    /// @notice Grants a right from an entry of the caller's own; its id is {Hashing.actId} of `right`, the caller, the
    /// parent and `salt`.
    ///
    /// Requirements, in order:
    /// - the caller is active, the parent exists, the right does not;
    /// - the caller holds the parent, which allows sub-grants;
    /// - the parent is in force;
    /// - the terms are as {requireTerms} wants them;
    /// - kinds, purposes, region and term lie within the parent's, the share is no less, and none of the kinds was
    /// granted on exclusively;
    /// - at most eight entries stand in the chain.
    ///
    /// Emits a {RightGranted} event.
    function grant(RightGrant calldata params, Authorization calldata authorization) external returns (RightId rightId);

    /// @notice Revokes a right, and with it what was granted from it.
    ///
    /// Requirements, in order:
    /// - the right exists;
    /// - the caller is its holder or grantor (class PARTY), or holds the role of REGULATOR, COURT or ARBITRATION; the
    /// cause is complete;
    /// - the right is not revoked.
    ///
    /// Emits a {RightRevoked} event.
    function revoke(RightId rightId, Cause calldata cause, Authorization calldata authorization) external;

    /// @notice Reverts unless terms are well formed, not over already, and their holder is active.
    function requireTerms(RightTerms calldata terms) external view;

    /// @notice Reverts unless each right is active and is this holder's right of this kind on the asset in its place.
    /// @param versions The versions the rights must have been registered for: each version is a registration of its own (D-14).
    /// @param holder Who must hold them.
    /// @param holderNumber The holder's number ({IParticipants.sequenceOf}).
    /// @return sharesBps What each asks for its granting side, in basis points.
    function requireRights(
        RightId[] calldata rightIds,
        AssetId[] calldata assetIds,
        uint32[] calldata versions,
        ParticipantId holder,
        uint32 holderNumber,
        RightKind kind
    ) external view returns (uint16[] memory sharesBps);

    /// @notice Returns an entry; asset, version and certificate are those of its root. Reverts with {RightNotFound}.
    function rightOf(RightId rightId) external view returns (Right memory);

    /// @notice Says whether the right, everything it was granted from and its certificate are in force now; false if
    /// unknown.
    function isActive(RightId rightId) external view returns (bool);

    /// @notice Reverts unless the right is active and is this holder's right of this kind on this asset.
    /// @return shareBps The share that the right asks for its granting side, in basis points.
    function requireRight(RightId rightId, AssetId assetId, ParticipantId holder, RightKind kind)
        external
        view
        returns (uint16 shareBps);
}
