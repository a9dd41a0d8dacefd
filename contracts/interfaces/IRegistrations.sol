// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Authorization, Cause} from "../types/Acting.sol";
import {DigestAlg, Verdict} from "../types/Codes.sol";
import {AssetId, CertificateId, ParticipantId, ProfileId, RegistrationId} from "../types/Ids.sol";
import {IActing} from "./IActing.sol";
import {IRights} from "./IRights.sol";

/// @title IRegistrations
/// @notice Application, acceptance, examination, public notice, objection, deposit and certificate (D-04, domain 4.2).
/// @dev The deposit is the registration: it issues the certificate, enters the rights and marks the version registered
/// in one transaction.
/// All durations come from the profile that the application froze.
interface IRegistrations is IActing {
    enum ActType {
        NONE,
        INITIAL,
        ASSIGNMENT,
        CHANGE,
        RENEWAL,
        CANCELLATION,
        CORRECTION,
        LICENSE
    }

    /// @dev Stored states of domain 4.2. LAPSED is derived from the supplement deadline; NOTICE_CLEARED from the
    /// notice's end and the
    /// count of open objections; CERTIFIED is DEPOSITED, since both are one transaction.
    enum RegistrationState {
        NONE,
        SUBMITTED,
        SUPPLEMENT_REQUIRED,
        ACCEPTED,
        REVIEW_PASSED,
        PUBLIC_NOTICE,
        NOTICE_WAIVED,
        DEPOSITED,
        REFUSED,
        TERMINATED,
        WITHDRAWN
    }

    /// @dev Source kinds (D-10).
    enum SourceKind {
        NONE,
        COLLECTED,
        AGREEMENT,
        CRAWLED,
        DERIVED
    }

    /// @dev The applicant's part in the processing (D-21).
    enum ProcessingRole {
        NONE,
        OWN,
        JOINT,
        ENTRUSTED
    }

    /// @notice An application and what became of it.
    /// @param sequence The registration's number.
    /// @param rightsHash keccak256 of the ABI encoding of the rights applied for.
    /// @param descriptionVerdict First check (D-09).
    /// @param sourceVerdict Second check.
    /// @param rightsVerdict Third check.
    /// @param stateUntil The running deadline of the state, seconds, exclusive; 0 when none runs.
    /// @param remainingSeconds Time of the decision left when its clock stopped (joints 7); 0 when it runs.
    /// @param openObjections How many objections wait.
    /// @param certificateId Zero before deposit.
    struct Registration {
        RegistrationId registrationId;
        uint64 sequence;
        AssetId assetId;
        uint32 assetVersion;
        ActType actType;
        RegistrationState state;
        ProfileId profileId;
        ParticipantId applicant;
        ParticipantId registrar;
        CertificateId priorCertificateId;
        SourceKind sourceKind;
        ProcessingRole processingRole;
        bytes32 documentDigest;
        DigestAlg digestAlg;
        bytes32 rightsHash;
        Verdict descriptionVerdict;
        Verdict sourceVerdict;
        Verdict rightsVerdict;
        uint64 stateUntil;
        uint64 remainingSeconds;
        uint16 openObjections;
        CertificateId certificateId;
    }

    /// @param documentDigest Digest of the application form (domain 6.2).
    /// @param rights The rights applied for; at most 16.
    /// @param salt From the caller's business key.
    struct RegistrationApplication {
        AssetId assetId;
        uint32 assetVersion;
        ActType actType;
        ProfileId profileId;
        ParticipantId registrar;
        CertificateId priorCertificateId;
        SourceKind sourceKind;
        ProcessingRole processingRole;
        bytes32 documentDigest;
        DigestAlg digestAlg;
        IRights.RightTerms[] rights;
        bytes32 salt;
    }

    /// @notice The three checks, each recorded for itself (D-09).
    struct Examination {
        RegistrationId registrationId;
        Verdict descriptionVerdict;
        Verdict sourceVerdict;
        Verdict rightsVerdict;
        address descriptionReviewer;
        address sourceReviewer;
        address rightsReviewer;
        bytes32 reportDigest;
        DigestAlg digestAlg;
        bool publishNotice;
    }

    /// @param rights The rights as applied for, checked against the stored hash.
    /// @param documentDigest Digest of the certificate document made beforehand.
    /// @param validUntil Seconds, exclusive; at most the profile's validity from now. 0 means exactly that.
    struct Deposit {
        RegistrationId registrationId;
        IRights.RightTerms[] rights;
        bytes32 documentDigest;
        DigestAlg digestAlg;
        uint64 validUntil;
    }

    /// @notice An application was submitted.
    event RegistrationSubmitted(
        RegistrationId indexed registrationId,
        AssetId indexed assetId,
        ParticipantId indexed applicant,
        uint32 assetVersion,
        ActType actType,
        ProfileId profileId,
        ParticipantId registrar,
        CertificateId priorCertificateId,
        SourceKind sourceKind,
        ProcessingRole processingRole,
        bytes32 documentDigest,
        DigestAlg digestAlg,
        IRights.RightTerms[] rights,
        uint64 stateUntil,
        address byAccount,
        uint64 sequence
    );
    /// @notice The registrar listed all defects at once and set a deadline for the supplement.
    event RegistrationSupplementRequested(
        RegistrationId indexed registrationId,
        ParticipantId byParticipant,
        address byAccount,
        uint64 stateUntil,
        Cause cause
    );
    /// @notice The applicant gave the supplement.
    event RegistrationSupplemented(
        RegistrationId indexed registrationId,
        ParticipantId byParticipant,
        address byAccount,
        bytes32 documentDigest,
        DigestAlg digestAlg,
        uint64 stateUntil
    );
    /// @notice The application was accepted, by the registrar or by its silence (D-06).
    /// @param isDeemed Whether silence accepted it.
    /// @param stateUntil Deadline of the decision.
    event RegistrationAccepted(
        RegistrationId indexed registrationId,
        ParticipantId byParticipant,
        address byAccount,
        bool isDeemed,
        uint64 stateUntil
    );
    /// @notice The three checks were recorded, and all passed.
    /// @param remainingSeconds Time of the decision left: its clock stops until the deposit.
    event RegistrationExamined(
        RegistrationId indexed registrationId,
        ParticipantId byParticipant,
        address byAccount,
        Verdict descriptionVerdict,
        Verdict sourceVerdict,
        Verdict rightsVerdict,
        address descriptionReviewer,
        address sourceReviewer,
        address rightsReviewer,
        bytes32 reportDigest,
        DigestAlg digestAlg,
        uint64 remainingSeconds
    );
    /// @notice The public notice began.
    /// @param stateUntil When it ends.
    event RegistrationNoticePublished(
        RegistrationId indexed registrationId, ParticipantId byParticipant, address byAccount, uint64 stateUntil
    );
    /// @notice The public notice was waived for cause (D-04).
    event RegistrationNoticeWaived(
        RegistrationId indexed registrationId, ParticipantId byParticipant, address byAccount, Cause cause
    );
    /// @notice Somebody objected during the notice (O-03).
    /// @param objectionIndex 1, 2, 3 … of this registration.
    /// @param stateUntil Deadline of the investigation.
    event RegistrationObjected(
        RegistrationId indexed registrationId,
        uint16 indexed objectionIndex,
        ParticipantId byParticipant,
        address byAccount,
        uint16 openObjections,
        uint64 stateUntil,
        Cause cause
    );
    /// @notice An objection was dismissed; a sustained one refuses the registration instead.
    event RegistrationObjectionDismissed(
        RegistrationId indexed registrationId,
        uint16 indexed objectionIndex,
        ParticipantId byParticipant,
        address byAccount,
        uint16 openObjections,
        uint64 stateUntil,
        Cause cause
    );
    /// @notice The evidence was deposited: the registration is complete (D-05).
    event RegistrationDeposited(
        RegistrationId indexed registrationId,
        CertificateId indexed certificateId,
        ParticipantId byParticipant,
        address byAccount,
        uint64 depositedAt
    );
    /// @notice The registration was refused on a ground of D-11.
    event RegistrationRefused(
        RegistrationId indexed registrationId, ParticipantId byParticipant, address byAccount, Cause cause
    );
    /// @notice The applicant withdrew.
    event RegistrationWithdrawn(RegistrationId indexed registrationId, ParticipantId byParticipant, address byAccount);

    /// @notice The registration is not known.
    /// @custom:family NotFound
    error RegistrationNotFound(RegistrationId registrationId);
    /// @notice The application was already submitted.
    /// @custom:family Conflict
    error RegistrationAlreadyExists(RegistrationId registrationId);
    /// @notice The act does not fit the registration's state.
    /// @custom:family Conflict
    error RegistrationStateWrong(RegistrationId registrationId, RegistrationState state);
    /// @notice Only the registrar named in the application can do this.
    /// @custom:family Forbidden
    error CallerNotRegistrar(RegistrationId registrationId, ParticipantId participantId);
    /// @notice Only the applicant can do this.
    /// @custom:family Forbidden
    error CallerNotApplicant(RegistrationId registrationId, ParticipantId participantId);
    /// @notice A registrar cannot register its own data (D-09, P1 art. 10).
    /// @custom:family Forbidden
    error RegistrarIsApplicant(ParticipantId participantId);
    /// @notice A check did not pass.
    /// @custom:family Invalid
    error ExaminationNotPassed(RegistrationId registrationId);
    /// @notice Objections are open.
    /// @custom:family Conflict
    error ObjectionsOpen(RegistrationId registrationId, uint16 openObjections);
    /// @notice The registration has no such open objection.
    /// @custom:family NotFound
    error ObjectionNotFound(RegistrationId registrationId, uint16 objectionIndex);
    /// @notice The rights brought along are not those applied for.
    /// @custom:family Invalid
    error RightsWrong(RegistrationId registrationId);
    /// @notice The source or processing role does not support this right (D-10).
    /// @custom:family Invalid
    error RightNotSupported(SourceKind sourceKind, ProcessingRole processingRole, uint8 kinds);
    /// @notice This act type needs the certificate of an earlier registration, an initial one needs none (D-07).
    /// @custom:family Invalid
    error PriorCertificateWrong(ActType actType, CertificateId priorCertificateId);
    /// @notice This act type is not yet served by this deployment.
    /// @custom:family Invalid
    error ActTypeNotServed(ActType actType);
    /// @notice The profile does not allow waiving the notice.
    /// @custom:family Forbidden
    error NoticeNotWaivable(ProfileId profileId);
    /// @notice The validity asked for exceeds the profile's (D-08).
    /// @custom:family Invalid
    error ValidityTooLong(uint64 validUntil, uint64 maximum);

    /// @notice Applies for the registration of a version; the id is {Hashing.actId} of `registration`, the caller, the
    /// asset and `salt`.
    ///
    /// Requirements, in order:
    /// - the caller is active, the application does not exist;
    /// - the version exists, the caller is the asset's registrant, the version is not registered;
    /// - the registrar is active, holds the role, has a code, and is not the caller;
    /// - the act is INITIAL and names no earlier certificate; source, processing role and document are set;
    /// - there are 1 to 16 rights (none for an entrusted processor), source and role support each (D-10), the terms are
    /// as {IRights.requireTerms} wants
    /// them;
    /// - the profile exists.
    ///
    /// Emits a {RegistrationSubmitted} event.
    function submit(RegistrationApplication calldata params, Authorization calldata authorization)
        external
        returns (RegistrationId registrationId);

    /// @notice Lists all defects at once and sets the profile's deadline for the supplement.
    ///
    /// Requirements, in order:
    /// - the registration exists;
    /// - the caller is the registrar named in the application (class ISSUER); the cause is complete;
    /// - it is SUBMITTED, and its silence has not accepted it yet.
    ///
    /// Emits a {RegistrationSupplementRequested} event.
    function requestSupplement(
        RegistrationId registrationId,
        Cause calldata cause,
        Authorization calldata authorization
    ) external;

    /// @notice Gives the supplement: a new application document, which the registrar has the full time to answer.
    ///
    /// Requirements, in order:
    /// - the registration exists, the caller is the applicant;
    /// - a supplement is required, its deadline has not passed;
    /// - the document is set.
    ///
    /// Emits a {RegistrationSupplemented} event.
    function supplement(
        RegistrationId registrationId,
        bytes32 documentDigest,
        DigestAlg digestAlg,
        Authorization calldata authorization
    ) external;

    /// @notice Accepts the application and starts the decision's clock.
    ///
    /// Requirements, in order:
    /// - the registration exists, the caller is its registrar;
    /// - it is SUBMITTED, and its silence has not accepted it yet.
    ///
    /// Emits a {RegistrationAccepted} event.
    function accept(RegistrationId registrationId, Authorization calldata authorization) external;

    /// @notice Records that the registrar's silence accepted the application; any participant may (D-06).
    ///
    /// Requirements, in order:
    /// - the registration exists, the caller is active;
    /// - it is SUBMITTED, and the deadline for the answer has passed.
    ///
    /// Emits a {RegistrationAccepted} event.
    function deemAccepted(RegistrationId registrationId, Authorization calldata authorization) external;

    /// @notice Records the three checks, stops the decision's clock, and publishes the notice if asked to. A failed
    /// check is a {refuse}.
    /// @dev A late examination is recorded with nothing remaining: the registrar's delay does not harm the applicant.
    ///
    /// Requirements, in order:
    /// - the registration exists, the caller is its registrar, and so are the three reviewers;
    /// - it is ACCEPTED;
    /// - all three checks passed, the report is set.
    ///
    /// Emits a {RegistrationExamined} event, and a {RegistrationNoticePublished} event if it publishes.
    function examine(Examination calldata params, Authorization calldata authorization) external;

    /// @notice Begins the public notice.
    ///
    /// Requirements, in order:
    /// - the registration exists, the caller is its registrar;
    /// - it is REVIEW_PASSED.
    ///
    /// Emits a {RegistrationNoticePublished} event.
    function publishNotice(RegistrationId registrationId, Authorization calldata authorization) external;

    /// @notice Waives the public notice for cause (D-04).
    ///
    /// Requirements, in order:
    /// - the registration exists;
    /// - the caller is the registrar named in the application (class ISSUER); the cause is complete;
    /// - the profile allows it;
    /// - it is REVIEW_PASSED.
    ///
    /// Emits a {RegistrationNoticeWaived} event.
    function waiveNotice(RegistrationId registrationId, Cause calldata cause, Authorization calldata authorization)
        external;

    /// @notice Objects during the public notice, as a party or as a regulator. The notice goes on; the deposit waits.
    ///
    /// Requirements, in order:
    /// - the registration exists;
    /// - the caller is active and objects as PARTY or REGULATOR; the cause is complete;
    /// - the notice runs.
    ///
    /// Emits a {RegistrationObjected} event.
    function object(RegistrationId registrationId, Cause calldata cause, Authorization calldata authorization) external;

    /// @notice Dismisses an objection after its investigation. A sustained one is a {refuse}.
    ///
    /// Requirements, in order:
    /// - the registration exists and has this open objection;
    /// - the caller is the registrar named in the application (class ISSUER); the cause is complete;
    /// - it is in PUBLIC_NOTICE.
    ///
    /// Emits a {RegistrationObjectionDismissed} event.
    function dismissObjection(
        RegistrationId registrationId,
        uint16 objectionIndex,
        Cause calldata cause,
        Authorization calldata authorization
    ) external;

    /// @notice Deposits the evidence, which is the registration (D-05): issues the certificate, enters the rights,
    /// marks the version.
    ///
    /// Requirements, in order:
    /// - the registration exists, the caller is its registrar;
    /// - the notice was waived, or is over without an open objection;
    /// - the rights are those applied for, the document is set;
    /// - `validUntil` is ahead and within the profile's validity, the applicant and every right holder are active;
    /// - the version was not registered meanwhile.
    ///
    /// Emits a {RegistrationDeposited} event, and those of {ICertificates.issue}, {IRights.enter} and
    /// {IAssets.markRegistered}.
    function deposit(Deposit calldata params, Authorization calldata authorization)
        external
        returns (CertificateId certificateId);

    /// @notice Refuses the application on a ground of D-11, or because a check failed or an objection was sustained.
    ///
    /// Requirements, in order:
    /// - the registration exists;
    /// - the caller is the registrar named in the application (class ISSUER); the cause is complete;
    /// - it is accepted and not ended.
    ///
    /// Emits a {RegistrationRefused} event.
    function refuse(RegistrationId registrationId, Cause calldata cause, Authorization calldata authorization) external;

    /// @notice Withdraws the application.
    ///
    /// Requirements, in order:
    /// - the registration exists, the caller is the applicant;
    /// - it has not ended.
    ///
    /// Emits a {RegistrationWithdrawn} event.
    function withdraw(RegistrationId registrationId, Authorization calldata authorization) external;

    /// @notice Returns a registration; reverts with {RegistrationNotFound}.
    /// @dev While an objection is open, `stateUntil` is the end of its investigation; the notice's own end counts again
    /// after the last.
    function registrationOf(RegistrationId registrationId) external view returns (Registration memory);
}
