// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Actor, Authorization, Cause} from "../types/Acting.sol";
import {DigestAlg} from "../types/Codes.sol";
import {ParticipantId} from "../types/Ids.sol";
import {IActing} from "./IActing.sol";

/// @title IParticipants
/// @notice Organisations, their accounts, roles and venues: who is calling, and what it may do.
/// @dev An organisation keeps its id while its keys rotate. Roles are (participant, role, venue or zero, valid until), never a
/// global bitmap (joints 4). The governor admits those who serve the ledger; exchanges admit those who trade at their venue.
interface IParticipants is IActing {
    /// @dev Domain 4.1. LAPSED is derived from the supplement deadline and never stored.
    enum ParticipantState {
        NONE,
        APPLIED,
        SUPPLEMENT_REQUIRED,
        REJECTED,
        ADMITTED,
        SUSPENDED,
        EXITING,
        EXITED,
        SUCCEEDED
    }

    enum ParticipantType {
        NONE,
        LEGAL_PERSON,
        UNINCORPORATED,
        NATURAL_PERSON
    }

    /// @dev Domain 3.2. GOVERNOR is not a role: it is one address, {governor}.
    enum Role {
        NONE,
        REGULATOR,
        EXCHANGE_OPERATOR,
        REGISTRAR,
        SELLER,
        BUYER,
        ASSESSOR,
        SECURITY_REVIEWER,
        BROKER,
        CUSTODIAN,
        TRUSTEE,
        DELIVERY_PROVIDER,
        INSURER,
        NOTARY,
        SETTLEMENT_BANK,
        CLEARING,
        ARBITRATOR,
        MEDIATOR,
        COURT_GATEWAY,
        AUTHORIZING_BODY,
        AUTHORIZED_OPERATOR,
        AUDITOR,
        TAX_COLLECTOR
    }

    /// @dev Kinds of contract that may push a change down into a contract deployed below them.
    enum ModuleKind {
        NONE,
        CERTIFICATE_ISSUER,
        RIGHT_GRANTER,
        ASSET_REGISTRAR,
        FUNDS_HOLDER,
        FUNDS_SPLITTER,
        TRADE_ADVANCER
    }

    /// @dev Domain 4.1: recognition of a participant admitted elsewhere, per venue.
    enum Recognition {
        NONE,
        RECOGNIZED,
        DECLINED,
        REVOKED
    }

    /// @notice An organisation.
    /// @param participantId Its id, from the digest of its unified social credit code.
    /// @param sequence Its number: 1, 2, 3 …
    /// @param participantType Legal person, unincorporated organisation or natural person.
    /// @param state Stored state (domain 4.1).
    /// @param usccDigest SHA-256 of the 18-character code.
    /// @param usccLast4 The code's last four ASCII characters.
    /// @param homeVenue The exchange that admits it; zero for those whom the governor admits.
    /// @param profileDigest Digest of its profile document (legal name, type, address …).
    /// @param digestAlg How the profile digest was made.
    /// @param admittedAt Seconds since 1970 UTC; 0 before admission.
    /// @param validUntil Seconds, exclusive; 0 means open.
    /// @param supplementUntil Deadline for the supplement asked for; 0 when none is.
    struct Participant {
        ParticipantId participantId;
        uint32 sequence;
        ParticipantType participantType;
        ParticipantState state;
        bytes32 usccDigest;
        bytes4 usccLast4;
        ParticipantId homeVenue;
        bytes32 profileDigest;
        DigestAlg digestAlg;
        uint64 admittedAt;
        uint64 validUntil;
        uint64 supplementUntil;
    }

    /// @notice An account of an organisation.
    /// @param account The address that signs.
    /// @param participantId Whose it is.
    /// @param purposes Bit set: 1 administer accounts, 2 act in business, 4 co-sign checkpoints.
    /// @param validFrom Seconds, inclusive.
    /// @param validUntil Seconds, exclusive; 0 means open.
    /// @param revokedAt Seconds; 0 means never.
    /// @param encryptionKeyHash keccak256 of the 33-byte compressed secp256k1 encryption public key.
    struct Account {
        address account;
        ParticipantId participantId;
        uint8 purposes;
        uint64 validFrom;
        uint64 validUntil;
        uint64 revokedAt;
        bytes32 encryptionKeyHash;
    }

    /// @param usccDigest SHA-256 of the 18-character code.
    /// @param usccLast4 The code's last four ASCII characters.
    /// @param participantType What the organisation is.
    /// @param homeVenue The exchange asked to admit it; zero for the governor.
    /// @param profileDigest Digest of the profile document.
    /// @param digestAlg How that digest was made.
    /// @param encryptionKey The first account's compressed secp256k1 encryption public key, 33 bytes.
    struct Application {
        bytes32 usccDigest;
        bytes4 usccLast4;
        ParticipantType participantType;
        ParticipantId homeVenue;
        bytes32 profileDigest;
        DigestAlg digestAlg;
        bytes encryptionKey;
    }

    /// @notice The organisation applied for admission; the applying account becomes its first account, with all purposes.
    event ParticipantApplied(
        ParticipantId indexed participantId,
        address indexed account,
        ParticipantId indexed homeVenue,
        uint32 sequence,
        ParticipantType participantType,
        bytes32 usccDigest,
        bytes4 usccLast4,
        bytes32 profileDigest,
        DigestAlg digestAlg,
        uint8 purposes,
        bytes encryptionKey
    );
    /// @notice The admitting body asked for a supplement, to be given before a deadline.
    event ParticipantSupplementRequested(
        ParticipantId indexed participantId, ParticipantId byParticipant, address byAccount, uint64 supplementUntil, Cause cause
    );
    /// @notice The organisation gave the supplement: a new profile document.
    event ParticipantSupplemented(ParticipantId indexed participantId, address byAccount, bytes32 profileDigest, DigestAlg digestAlg);
    /// @notice The application was rejected.
    event ParticipantRejected(ParticipantId indexed participantId, ParticipantId byParticipant, address byAccount, Cause cause);
    /// @notice The organisation was admitted on the evidence of an identity check.
    event ParticipantAdmitted(
        ParticipantId indexed participantId,
        ParticipantId byParticipant,
        address byAccount,
        uint64 admittedAt,
        uint64 validUntil,
        bytes32 evidenceDigest,
        DigestAlg digestAlg
    );
    /// @notice The organisation was suspended: it can neither act nor be a new counterparty.
    event ParticipantSuspended(ParticipantId indexed participantId, ParticipantId byParticipant, address byAccount, Cause cause);
    /// @notice The suspension was lifted by the class that set it.
    event ParticipantRestored(ParticipantId indexed participantId, ParticipantId byParticipant, address byAccount, Cause cause);
    /// @notice The organisation asked to leave.
    event ParticipantExitRequested(ParticipantId indexed participantId, address byAccount);
    /// @notice The organisation left; its records stay.
    event ParticipantExited(ParticipantId indexed participantId, ParticipantId byParticipant, address byAccount);

    /// @notice An account was added, with its own consent.
    event AccountAdded(
        address indexed account,
        ParticipantId indexed participantId,
        address byAccount,
        uint8 purposes,
        uint64 validFrom,
        uint64 validUntil,
        bytes encryptionKey
    );
    /// @notice An account was revoked: it authorises nothing afterwards.
    event AccountRevoked(
        address indexed account, ParticipantId indexed participantId, ParticipantId byParticipant, address byAccount, uint64 revokedAt, Cause cause
    );

    /// @notice A role was granted, at one venue or (venue zero) for the whole ledger; granting again replaces the term.
    /// @param validUntil Seconds, exclusive; 0 means open.
    event RoleGranted(
        ParticipantId indexed participantId,
        Role indexed role,
        ParticipantId indexed venue,
        uint64 validUntil,
        ParticipantId byParticipant,
        address byAccount
    );
    /// @notice A role was revoked.
    event RoleRevoked(
        ParticipantId indexed participantId,
        Role indexed role,
        ParticipantId indexed venue,
        ParticipantId byParticipant,
        address byAccount,
        Cause cause
    );
    /// @notice A registrar or exchange received the region and digit that its certificate codes begin with (domain 7).
    /// @param region First two digits of the 行政区划代码, 10 to 99.
    /// @param digit One digit, 0 to 9, unique within the region.
    event IssuerCodeAssigned(ParticipantId indexed participantId, uint8 region, uint8 digit, address byAccount);
    /// @notice A venue recognised, declined or revoked a participant admitted elsewhere.
    event VenueRecognitionSet(
        ParticipantId indexed participantId, ParticipantId indexed venue, Recognition recognition, address byAccount, Cause cause
    );

    /// @notice A contract was named, or no longer named, a module of a kind.
    event ModuleSet(ModuleKind indexed kind, address indexed module, bool enabled, address byAccount);
    /// @notice The ledger's governor changed.
    event GovernorTransferred(address indexed previousGovernor, address indexed newGovernor);

    /// @notice The participant is not known.
    /// @custom:family NotFound
    error ParticipantNotFound(ParticipantId participantId);
    /// @notice The account belongs to no participant.
    /// @custom:family NotFound
    error AccountNotFound(address account);
    /// @notice The account already belongs to a participant.
    /// @custom:family Conflict
    error AccountAlreadyExists(address account);
    /// @notice The organisation has already applied.
    /// @custom:family Conflict
    error ParticipantAlreadyExists(ParticipantId participantId);
    /// @notice The act does not fit the participant's state.
    /// @custom:family Conflict
    error ParticipantStateWrong(ParticipantId participantId, ParticipantState state);
    /// @notice The participant is not admitted, or is suspended or past its term.
    /// @custom:family Forbidden
    error ParticipantNotActive(ParticipantId participantId, ParticipantState state);
    /// @notice The account is revoked, outside its term, or kept for another purpose.
    /// @custom:family Forbidden
    error AccountNotActive(address account, uint8 purpose);
    /// @notice The organisation would be left without an account that administers it for good.
    /// @custom:family Conflict
    error AccountLastAdministrator(address account);
    /// @notice The caller is not the governor.
    /// @custom:family Forbidden
    error CallerNotGovernor(address account);
    /// @notice The caller may not admit, grant or revoke this.
    /// @custom:family Forbidden
    error CallerNotAdmitter(ParticipantId caller, ParticipantId participantId);
    /// @notice The participant does not hold the role at this venue now.
    /// @custom:family Forbidden
    error RoleMissing(ParticipantId participantId, Role role, ParticipantId venue);
    /// @notice The two roles may not be held together at one venue (A-07).
    /// @custom:family Conflict
    error RolesIncompatible(ParticipantId participantId, Role role, Role held);
    /// @notice The caller is not a module of the kind that may do this.
    /// @custom:family Forbidden
    error CallerNotModule(address caller, ModuleKind kind);
    /// @notice Another issuer already uses this region and digit.
    /// @custom:family Conflict
    error IssuerCodeTaken(uint8 region, uint8 digit);
    /// @notice The issuer has no region and digit for certificate codes.
    /// @custom:family Forbidden
    error IssuerCodeMissing(ParticipantId participantId);
    /// @notice The caller is not of the authority class that this needs.
    /// @custom:family Forbidden
    error AuthorityMissing(ParticipantId participantId, uint8 authority);

    function applyForAdmission(Application calldata params, Authorization calldata authorization) external returns (ParticipantId participantId);
    function requestSupplement(ParticipantId participantId, uint64 supplementUntil, Cause calldata cause, Authorization calldata authorization)
        external;
    function supplement(ParticipantId participantId, bytes32 profileDigest, DigestAlg digestAlg, Authorization calldata authorization) external;
    function reject(ParticipantId participantId, Cause calldata cause, Authorization calldata authorization) external;
    function admit(
        ParticipantId participantId,
        uint64 validUntil,
        bytes32 evidenceDigest,
        DigestAlg digestAlg,
        Authorization calldata authorization
    ) external;
    function suspend(ParticipantId participantId, Cause calldata cause, Authorization calldata authorization) external;
    function restore(ParticipantId participantId, Cause calldata cause, Authorization calldata authorization) external;
    function requestExit(Authorization calldata authorization) external;
    function exit(ParticipantId participantId, Authorization calldata authorization) external;

    /// @param consent The new account's own signature over
    /// `JoinParticipant(bytes32 participantId,address account,uint8 purposes)` in this contract's domain, so that nobody can claim a
    /// stranger's address. An address joins once for ever, so the consent cannot be replayed.
    function addAccount(
        address account,
        uint8 purposes,
        uint64 validFrom,
        uint64 validUntil,
        bytes calldata encryptionKey,
        bytes calldata consent,
        Authorization calldata authorization
    ) external;
    function revokeAccount(address account, Cause calldata cause, Authorization calldata authorization) external;
    function grantRole(
        ParticipantId participantId,
        Role role,
        ParticipantId venue,
        uint64 validUntil,
        Authorization calldata authorization
    ) external;
    function revokeRole(
        ParticipantId participantId,
        Role role,
        ParticipantId venue,
        Cause calldata cause,
        Authorization calldata authorization
    ) external;
    function assignIssuerCode(ParticipantId participantId, uint8 region, uint8 digit, Authorization calldata authorization) external;
    function setVenueRecognition(
        ParticipantId participantId,
        Recognition recognition,
        Cause calldata cause,
        Authorization calldata authorization
    ) external;
    function setModule(ModuleKind kind, address module, bool enabled, Authorization calldata authorization) external;
    function transferGovernor(address newGovernor, Authorization calldata authorization) external;

    function governor() external view returns (address);
    function isModule(ModuleKind kind, address module) external view returns (bool);
    function participantOf(ParticipantId participantId) external view returns (Participant memory);
    function participantBySequence(uint32 sequence) external view returns (ParticipantId);
    /// @notice Returns a participant's number, for packing; reverts with {ParticipantNotFound}.
    function sequenceOf(ParticipantId participantId) external view returns (uint32 sequence);
    function accountOf(address account) external view returns (Account memory);
    function roleUntil(ParticipantId participantId, Role role, ParticipantId venue) external view returns (bool granted, uint64 validUntil);
    function issuerCodeOf(ParticipantId participantId) external view returns (uint8 region, uint8 digit);
    function recognitionOf(ParticipantId participantId, ParticipantId venue) external view returns (Recognition);

    /// @notice Says whether a participant is admitted, not suspended and within its term.
    function isActive(ParticipantId participantId) external view returns (bool);
    /// @notice Says whether a participant holds a role at a venue, or for the whole ledger, now.
    function hasRole(ParticipantId participantId, Role role, ParticipantId venue) external view returns (bool);
    /// @notice Returns who acts through a business account; reverts unless account and participant are active.
    function actorOf(address account) external view returns (Actor memory);
    /// @notice Returns who acts, and reverts unless it also holds the role at the venue.
    function actorInRole(address account, Role role, ParticipantId venue) external view returns (Actor memory);
    /// @notice Returns who acts after checking that it may speak for the cause's authority class at a venue, and that the cause is complete.
    function actorForCause(address account, Cause calldata cause, ParticipantId venue) external view returns (Actor memory);
    /// @notice Returns a participant's first active business account, for wallets that show certificates.
    function primaryAccountOf(ParticipantId participantId) external view returns (address);
}
