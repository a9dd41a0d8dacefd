// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Actor, Authorization, Cause} from "../types/Acting.sol";
import {DigestAlg} from "../types/Codes.sol";
import {ParticipantId} from "../types/Ids.sol";
import {IActing} from "./IActing.sol";

/// @title IParticipants
/// @notice Organisations, their accounts, roles and venues: who is calling, and what it may do.
/// @dev An organisation keeps its id while its keys rotate. Roles are (participant, role, venue or zero, valid until),
/// never a global bitmap (joints 4). The governor admits those who serve the ledger; exchanges admit those who trade at
/// their venue.
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

    /// @notice The organisation applied for admission; the applying account becomes its first account, with all
    /// purposes, valid from the block's time, without an end.
    /// @dev May come again for the same organisation, after a rejection or a lapse: it then replaces what the earlier
    /// one said.
    /// @param sequence The organisation's number, the same at every application.
    /// @param purposes Of the account: always 7.
    /// @param encryptionKey Compressed secp256k1 public key, 33 bytes.
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
    /// @param byParticipant The admitting body; zero where the governor's account belongs to no organisation. So in all
    /// events below.
    /// @param supplementUntil Seconds, exclusive.
    event ParticipantSupplementRequested(
        ParticipantId indexed participantId,
        ParticipantId byParticipant,
        address byAccount,
        uint64 supplementUntil,
        Cause cause
    );
    /// @notice The organisation gave the supplement: a new profile document.
    event ParticipantSupplemented(
        ParticipantId indexed participantId, address byAccount, bytes32 profileDigest, DigestAlg digestAlg
    );
    /// @notice The application was rejected.
    event ParticipantRejected(
        ParticipantId indexed participantId, ParticipantId byParticipant, address byAccount, Cause cause
    );
    /// @notice The organisation was admitted, or its term renewed, on the evidence of an identity check.
    /// @param admittedAt Seconds: now.
    /// @param validUntil Seconds, exclusive; 0 means open.
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
    event ParticipantSuspended(
        ParticipantId indexed participantId, ParticipantId byParticipant, address byAccount, Cause cause
    );
    /// @notice The suspension was lifted by the class that set it.
    event ParticipantRestored(
        ParticipantId indexed participantId, ParticipantId byParticipant, address byAccount, Cause cause
    );
    /// @notice The organisation asked to leave.
    event ParticipantExitRequested(ParticipantId indexed participantId, address byAccount);
    /// @notice The organisation left; its records stay.
    event ParticipantExited(ParticipantId indexed participantId, ParticipantId byParticipant, address byAccount);

    /// @notice An account was added, with its own consent.
    /// @param purposes Bit set: 1 administer accounts, 2 act in business, 4 co-sign checkpoints.
    /// @param validFrom Seconds, inclusive; 0 means at once.
    /// @param validUntil Seconds, exclusive; 0 means open.
    /// @param encryptionKey Compressed secp256k1 public key, 33 bytes.
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
    /// @param revokedAt Seconds: now.
    /// @param cause Empty where a new applicant took the place of a rejected or lapsed one.
    event AccountRevoked(
        address indexed account,
        ParticipantId indexed participantId,
        ParticipantId byParticipant,
        address byAccount,
        uint64 revokedAt,
        Cause cause
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
        ParticipantId indexed participantId,
        ParticipantId indexed venue,
        Recognition recognition,
        address byAccount,
        Cause cause
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

    /// @notice Applies for admission at a home venue or, without one, at the governor. The applying account becomes the
    /// first account.
    /// @dev May be repeated after a rejection or a lapsed supplement: else whoever applies in a stranger's name would
    /// shut it out. A repeat by another account revokes the first one. *Warning:* whoever admits checks that the
    /// account is the organisation's.
    ///
    /// Requirements, in order:
    /// - the organisation has not applied, or was rejected, or let a supplement lapse;
    /// - the account belongs to nobody, or applied for the same organisation before;
    /// - code digest, last four characters, type, profile digest and encryption key are given;
    /// - the home venue, if any, is an active exchange.
    ///
    /// Emits a {ParticipantApplied} event, after an {AccountRevoked} event where another account had applied.
    function applyForAdmission(Application calldata params, Authorization calldata authorization)
        external
        returns (ParticipantId participantId);

    /// @notice Asks an applicant for a supplement.
    /// @param supplementUntil Seconds since 1970 UTC, exclusive: from then on the application has lapsed.
    ///
    /// Requirements, in order:
    /// - the participant is known;
    /// - the caller admits it: its home venue or, without one, the governor;
    /// - the cause is complete and of class VENUE, which the governor uses too;
    /// - it has applied;
    /// - the deadline lies in the future.
    ///
    /// Emits a {ParticipantSupplementRequested} event.
    function requestSupplement(
        ParticipantId participantId,
        uint64 supplementUntil,
        Cause calldata cause,
        Authorization calldata authorization
    ) external;

    /// @notice Gives the supplement: a new profile document.
    /// @param profileDigest Digest of the new document.
    /// @param digestAlg How it was made.
    ///
    /// Requirements, in order:
    /// - the participant is known;
    /// - the caller's account administers it;
    /// - a supplement was asked for, and its deadline has not passed;
    /// - the digest is given.
    ///
    /// Emits a {ParticipantSupplemented} event.
    function supplement(
        ParticipantId participantId,
        bytes32 profileDigest,
        DigestAlg digestAlg,
        Authorization calldata authorization
    ) external;

    /// @notice Rejects an application.
    ///
    /// Requirements, in order:
    /// - the participant is known;
    /// - the caller admits it, and the cause is complete and of class VENUE;
    /// - it has applied.
    ///
    /// Emits a {ParticipantRejected} event.
    function reject(ParticipantId participantId, Cause calldata cause, Authorization calldata authorization) external;

    /// @notice Admits an applicant, or renews the term of an admitted participant.
    /// @param validUntil Seconds since 1970 UTC, exclusive; 0 means open.
    /// @param evidenceDigest Digest of the identity check's record.
    /// @param digestAlg How it was made.
    ///
    /// Requirements, in order:
    /// - the participant is known;
    /// - the caller admits it;
    /// - it has applied, or is admitted;
    /// - the evidence is given, and the term has not ended.
    ///
    /// Emits a {ParticipantAdmitted} event.
    function admit(
        ParticipantId participantId,
        uint64 validUntil,
        bytes32 evidenceDigest,
        DigestAlg digestAlg,
        Authorization calldata authorization
    ) external;

    /// @notice Suspends a participant: everywhere, until its class restores it or the measure ends by itself.
    /// @dev A regulator may take over a venue's suspension; the venue can then no longer lift it. When `cause.until`
    /// passes, the stored state stays SUSPENDED while {isActive} says yes again.
    ///
    /// Requirements, in order:
    /// - the participant is known;
    /// - the caller admits it (VENUE) or is a regulator (REGULATOR), and the cause is complete;
    /// - it is admitted, or its suspension has ended, or it is suspended by the other class and the caller is a
    /// regulator.
    ///
    /// Emits a {ParticipantSuspended} event.
    function suspend(ParticipantId participantId, Cause calldata cause, Authorization calldata authorization) external;

    /// @notice Lifts a suspension.
    ///
    /// Requirements, in order:
    /// - the participant is known;
    /// - the caller admits it (VENUE) or is a regulator (REGULATOR), and the cause is complete;
    /// - it is suspended, by the same class.
    ///
    /// Emits a {ParticipantRestored} event.
    function restore(ParticipantId participantId, Cause calldata cause, Authorization calldata authorization) external;

    /// @notice Asks to leave. From here on the organisation no longer acts, so open business is finished first.
    ///
    /// Requirements, in order:
    /// - the caller's account administers an organisation;
    /// - that is admitted or suspended.
    ///
    /// Emits a {ParticipantExitRequested} event.
    function requestExit(Authorization calldata authorization) external;

    /// @notice Completes an exit; the admitting body has checked that nothing is open.
    ///
    /// Requirements, in order:
    /// - the participant is known;
    /// - the caller admits it;
    /// - it asked to leave.
    ///
    /// Emits a {ParticipantExited} event.
    function exit(ParticipantId participantId, Authorization calldata authorization) external;

    /// @notice Adds an account to the caller's organisation. An address belongs to one organisation for ever.
    /// @param account The new account: a plain address, or a contract wallet with ERC-1271.
    /// @param purposes Bit set, 1 to 7: 1 administer accounts, 2 act in business, 4 co-sign checkpoints.
    /// @param validFrom Seconds since 1970 UTC, inclusive; 0 means at once.
    /// @param validUntil Seconds since 1970 UTC, exclusive; 0 means open.
    /// @param encryptionKey Compressed secp256k1 public key, 33 bytes, for documents sealed to this account.
    /// @param consent The new account's own signature over
    /// `JoinParticipant(bytes32 participantId,address account,uint8 purposes)` in this contract's domain, so that
    /// nobody can claim a stranger's address. An address joins once for ever, so the consent cannot be replayed.
    ///
    /// Requirements, in order:
    /// - the caller's account administers an organisation;
    /// - the new account belongs to nobody;
    /// - the organisation is active;
    /// - purposes, term and encryption key are possible;
    /// - the new account consents.
    ///
    /// Emits an {AccountAdded} event.
    function addAccount(
        address account,
        uint8 purposes,
        uint64 validFrom,
        uint64 validUntil,
        bytes calldata encryptionKey,
        bytes calldata consent,
        Authorization calldata authorization
    ) external;

    /// @notice Revokes an account: by its own organisation (PARTY), or by the admitting body (VENUE) when a key is lost
    /// or stolen.
    /// @dev One account that administers without a term always stays; if that very key is stolen, the organisation is
    /// suspended instead.
    ///
    /// Requirements, in order:
    /// - the account is known;
    /// - the caller's account administers the same organisation, or the caller admits it; the cause is complete;
    /// - the account is not revoked;
    /// - another account administers the organisation for good.
    ///
    /// Emits an {AccountRevoked} event.
    function revokeAccount(address account, Cause calldata cause, Authorization calldata authorization) external;

    /// @notice Grants a role, or replaces its term.
    /// @dev Exchanges grant SELLER, BUYER, BROKER, ASSESSOR, CUSTODIAN, TRUSTEE, DELIVERY_PROVIDER, INSURER, NOTARY and
    /// CLEARING, each at its own venue; the governor grants all others. EXCHANGE_OPERATOR is granted at the exchange
    /// itself: its id is the venue's.
    /// @param venue The venue, or zero for the whole ledger.
    /// @param validUntil Seconds since 1970 UTC, exclusive; 0 means open.
    ///
    /// Requirements, in order:
    /// - the participant and the venue are known;
    /// - the caller grants this role there;
    /// - the participant is active;
    /// - an operator serves itself, and never sells, buys or brokers at itself (A-07);
    /// - the term has not ended.
    ///
    /// Emits a {RoleGranted} event.
    function grantRole(
        ParticipantId participantId,
        Role role,
        ParticipantId venue,
        uint64 validUntil,
        Authorization calldata authorization
    ) external;

    /// @notice Revokes a role.
    ///
    /// Requirements, in order:
    /// - the participant and the venue are known;
    /// - the caller grants this role there, and the cause is complete and of class VENUE;
    /// - the role was granted there.
    ///
    /// Emits a {RoleRevoked} event.
    function revokeRole(
        ParticipantId participantId,
        Role role,
        ParticipantId venue,
        Cause calldata cause,
        Authorization calldata authorization
    ) external;

    /// @notice Gives an issuer the region and digit of its certificate codes. An earlier pair of its own stays taken.
    /// @param region First two digits of the 行政区划代码, 10 to 99.
    /// @param digit 0 to 9.
    ///
    /// Requirements, in order:
    /// - the participant is known;
    /// - the caller is the governor;
    /// - region and digit are within range, and were never assigned.
    ///
    /// Emits an {IssuerCodeAssigned} event.
    function assignIssuerCode(
        ParticipantId participantId,
        uint8 region,
        uint8 digit,
        Authorization calldata authorization
    ) external;

    /// @notice Records whether the caller's venue recognises a participant admitted elsewhere. It restricts no role:
    /// that is {revokeRole}.
    /// @param cause Needed to decline or revoke; ignored, and may be empty, to recognise.
    ///
    /// Requirements, in order:
    /// - the participant is known;
    /// - the caller is an exchange, and not the participant's home venue;
    /// - the step follows: RECOGNIZED after anything else, REVOKED after RECOGNIZED, DECLINED at first;
    /// - the participant is active if it is recognised, else the cause is complete and of class VENUE.
    ///
    /// Emits a {VenueRecognitionSet} event.
    function setVenueRecognition(
        ParticipantId participantId,
        Recognition recognition,
        Cause calldata cause,
        Authorization calldata authorization
    ) external;

    /// @notice Names a contract a module of a kind, or no longer; does nothing when it is so already.
    ///
    /// Requirements, in order:
    /// - the caller is the governor;
    /// - kind and module are given.
    ///
    /// Emits a {ModuleSet} event.
    function setModule(ModuleKind kind, address module, bool enabled, Authorization calldata authorization) external;

    /// @notice Hands the ledger to another governor, at once. *Warning:* a wrong address cannot be undone.
    ///
    /// Requirements, in order:
    /// - the caller is the governor;
    /// - the new one is not the zero address.
    ///
    /// Emits a {GovernorTransferred} event.
    function transferGovernor(address newGovernor, Authorization calldata authorization) external;

    /// @notice Returns the ledger's governor: an account in development, a multisig in production.
    function governor() external view returns (address);
    /// @notice Says whether a contract may push a kind of change down.
    function isModule(ModuleKind kind, address module) external view returns (bool);
    /// @notice Returns a participant; reverts with {ParticipantNotFound}.
    function participantOf(ParticipantId participantId) external view returns (Participant memory);
    /// @notice Returns the participant with a number; reverts with {ParticipantNotFound}, which then names zero.
    function participantBySequence(uint32 sequence) external view returns (ParticipantId);
    /// @notice Returns a participant's number, for packing; reverts with {ParticipantNotFound}.
    function sequenceOf(ParticipantId participantId) external view returns (uint32 sequence);
    /// @notice Returns an account, revoked ones too; reverts with {AccountNotFound}.
    function accountOf(address account) external view returns (Account memory);
    /// @notice Returns the term of a role granted at exactly this venue (or zero), whether or not it has ended.
    function roleUntil(ParticipantId participantId, Role role, ParticipantId venue)
        external
        view
        returns (bool granted, uint64 validUntil);
    /// @notice Returns an issuer's region and digit; reverts with {IssuerCodeMissing}.
    function issuerCodeOf(ParticipantId participantId) external view returns (uint8 region, uint8 digit);
    /// @notice Returns how a venue regards a participant.
    function recognitionOf(ParticipantId participantId, ParticipantId venue) external view returns (Recognition);

    /// @notice Says whether a participant is admitted, not suspended and within its term.
    function isActive(ParticipantId participantId) external view returns (bool);
    /// @notice Returns a participant's number, for packing; reverts with {ParticipantNotFound} or
    /// {ParticipantNotActive}.
    function requireActive(ParticipantId participantId) external view returns (uint32 sequence);
    /// @notice Returns the participant with a number; reverts with {ParticipantNotFound} or {ParticipantNotActive}.
    function requireActiveBySequence(uint32 sequence) external view returns (ParticipantId participantId);
    /// @notice Returns an issuer's number, for packing; reverts unless it is active, holds the role for the whole ledger
    /// and has region and digit.
    function requireIssuer(ParticipantId participantId, Role role) external view returns (uint32 sequence);
    /// @notice Says whether a participant holds a role at a venue, or for the whole ledger, now; not whether it is
    /// active.
    function hasRole(ParticipantId participantId, Role role, ParticipantId venue) external view returns (bool);
    /// @notice Returns who acts through a business account; reverts unless account and participant are active.
    function actorOf(address account) external view returns (Actor memory);
    /// @notice Returns who acts, and reverts unless it also holds the role at the venue.
    function actorInRole(address account, Role role, ParticipantId venue) external view returns (Actor memory);
    /// @notice Returns who acts after checking that it may speak for the cause's authority class at a venue, and that
    /// the cause is complete.
    /// @dev PARTY and ISSUER only prove an active participant, or one with an issuing role: the calling contract checks
    /// that it is *this* subject's party or issuer.
    function actorForCause(address account, Cause calldata cause, ParticipantId venue)
        external
        view
        returns (Actor memory);
    /// @notice Returns a participant's first account while it is active, else the business account added last: for
    /// wallets that show certificates. It proves nothing: use {actorOf} to learn who may act.
    function primaryAccountOf(ParticipantId participantId) external view returns (address);
}
