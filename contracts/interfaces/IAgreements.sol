// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Authorization, Cause} from "../types/Acting.sol";
import {DigestAlg} from "../types/Codes.sol";
import {AgreementId, ParticipantId} from "../types/Ids.sol";
import {IActing} from "./IActing.sol";

/// @title IAgreements
/// @notice Mutual recognition between exchanges: what each accepts of the others (domain 4.14, R-01).
interface IAgreements is IActing {
    enum AgreementState {
        NONE,
        PROPOSED,
        ACTIVE,
        TERMINATED
    }

    /// @notice An agreement.
    /// @param scopes Bit set: 1 vendor, 2 registration certificate, 4 listing, 8 assessment report, 16 credit, 32
    /// demand.
    /// @param maxAgeSeconds How old a checkpoint may be before members stop relying on it.
    /// @param membersHash keccak256 of the ABI encoding of the members in ascending order.
    /// @param memberCount How many members must sign.
    /// @param signedCount How many have signed.
    /// @param effectiveAt Seconds; 0 until every member has signed.
    struct Agreement {
        AgreementId agreementId;
        AgreementState state;
        uint8 scopes;
        uint32 maxAgeSeconds;
        bytes32 membersHash;
        uint8 memberCount;
        uint8 signedCount;
        bytes32 documentDigest;
        DigestAlg digestAlg;
        uint64 effectiveAt;
        uint64 validUntil;
    }

    /// @param members At most 64 exchanges in ascending order of id, the proposer among them.
    /// @param validUntil Seconds, exclusive; 0 means open.
    /// @param salt From the caller's business key.
    struct AgreementProposal {
        ParticipantId[] members;
        uint8 scopes;
        uint32 maxAgeSeconds;
        bytes32 documentDigest;
        DigestAlg digestAlg;
        uint64 validUntil;
        bytes32 salt;
    }

    /// @notice An exchange proposed an agreement, and so signed it.
    event AgreementProposed(
        AgreementId indexed agreementId,
        ParticipantId indexed byParticipant,
        address byAccount,
        ParticipantId[] members,
        uint8 scopes,
        uint32 maxAgeSeconds,
        bytes32 documentDigest,
        DigestAlg digestAlg,
        uint64 validUntil
    );
    /// @notice A member signed; with the last signature the agreement takes effect.
    /// @param effectiveAt Seconds; 0 while signatures are missing.
    event AgreementSigned(
        AgreementId indexed agreementId,
        ParticipantId indexed byParticipant,
        address byAccount,
        uint8 signedCount,
        uint64 effectiveAt
    );
    /// @notice A member ended the agreement; certificates stay valid where they were issued.
    event AgreementTerminated(
        AgreementId indexed agreementId, ParticipantId indexed byParticipant, address byAccount, Cause cause
    );

    /// @notice The agreement is not known.
    /// @custom:family NotFound
    error AgreementNotFound(AgreementId agreementId);
    /// @notice The agreement already exists.
    /// @custom:family Conflict
    error AgreementAlreadyExists(AgreementId agreementId);
    /// @notice The act does not fit the agreement's state.
    /// @custom:family Conflict
    error AgreementStateWrong(AgreementId agreementId, AgreementState state);
    /// @notice The caller is not a member of the agreement.
    /// @custom:family Forbidden
    error CallerNotMember(AgreementId agreementId, ParticipantId participantId);
    /// @notice The member has signed already.
    /// @custom:family Conflict
    error MemberAlreadySigned(AgreementId agreementId, ParticipantId participantId);
    /// @notice Members must be 2 to 64 exchanges in ascending order without repeats.
    /// @custom:family Invalid
    error MembersInvalid(uint256 count);
    /// @notice No agreement in force covers these venues and this scope.
    /// @custom:family Forbidden
    error AgreementNotCovering(AgreementId agreementId, ParticipantId venue, ParticipantId peer, uint8 scope);

    /// @notice Proposes an agreement, and signs it.
    ///
    /// Requirements, in order:
    /// - the caller is an exchange;
    /// - the agreement is new;
    /// - members are 2 to 64, scopes 1 to 63; checkpoint age and document are given; the term has not ended;
    /// - members are exchanges in ascending order;
    /// - the caller is one of them.
    ///
    /// Emits an {AgreementProposed} event.
    function propose(AgreementProposal calldata params, Authorization calldata authorization)
        external
        returns (AgreementId agreementId);
    /// @notice Signs an agreement; the last signature brings it into force.
    ///
    /// Requirements, in order:
    /// - the agreement is known;
    /// - the caller is an exchange and a member;
    /// - the agreement is proposed;
    /// - the caller has not signed;
    /// - its term has not ended.
    ///
    /// Emits an {AgreementSigned} event.
    function sign(AgreementId agreementId, Authorization calldata authorization) external;
    /// @notice Ends an agreement for all its members.
    ///
    /// Requirements, in order:
    /// - the agreement is known;
    /// - the caller is an exchange, and speaks for the class of the complete cause, such as PARTY;
    /// - it is a member;
    /// - the agreement is proposed or in force.
    ///
    /// Emits an {AgreementTerminated} event.
    function terminate(AgreementId agreementId, Cause calldata cause, Authorization calldata authorization) external;

    /// @notice Returns an agreement; reverts with {AgreementNotFound}.
    function agreementOf(AgreementId agreementId) external view returns (Agreement memory);
    /// @notice Says whether a participant has signed; reverts with {AgreementNotFound}.
    function hasSigned(AgreementId agreementId, ParticipantId participantId) external view returns (bool);
    /// @notice Says whether an agreement is in force between two members for all of the given scopes; never for a venue
    /// with itself.
    /// @param scopes Bit set as in {Agreement}; 0 is never covered.
    function covers(AgreementId agreementId, ParticipantId venue, ParticipantId peer, uint8 scopes)
        external
        view
        returns (bool);
}
