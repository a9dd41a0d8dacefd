// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Authorization, Cause} from "../types/Acting.sol";
import {DigestAlg, Verdict} from "../types/Codes.sol";
import {AssetId, CertificateId, ParticipantId, ProfileId, RegistrationId} from "../types/Ids.sol";
import {IActing} from "./IActing.sol";
import {IRights} from "./IRights.sol";

/// @title IRegistrations
/// @notice Application, acceptance, examination, public notice, objection, deposit and certificate (D-04, domain 4.2).
/// @dev The deposit is the registration: it issues the certificate, enters the rights and marks the version registered in one transaction.
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

    /// @dev Stored states of domain 4.2. LAPSED is derived from the supplement deadline; NOTICE_CLEARED from the notice's end and the
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
        RegistrationId indexed registrationId, ParticipantId byParticipant, address byAccount, uint64 stateUntil, Cause cause
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
        RegistrationId indexed registrationId, ParticipantId byParticipant, address byAccount, bool isDeemed, uint64 stateUntil
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
    event RegistrationRefused(RegistrationId indexed registrationId, ParticipantId byParticipant, address byAccount, Cause cause);
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

    function submit(RegistrationApplication calldata params, Authorization calldata authorization)
        external
        returns (RegistrationId registrationId);
    function requestSupplement(RegistrationId registrationId, Cause calldata cause, Authorization calldata authorization) external;
    function supplement(RegistrationId registrationId, bytes32 documentDigest, DigestAlg digestAlg, Authorization calldata authorization)
        external;
    function accept(RegistrationId registrationId, Authorization calldata authorization) external;
    /// @notice Anyone may record that the registrar's silence accepted the application.
    function deemAccepted(RegistrationId registrationId, Authorization calldata authorization) external;
    function examine(Examination calldata params, Authorization calldata authorization) external;
    function publishNotice(RegistrationId registrationId, Authorization calldata authorization) external;
    function waiveNotice(RegistrationId registrationId, Cause calldata cause, Authorization calldata authorization) external;
    function object(RegistrationId registrationId, Cause calldata cause, Authorization calldata authorization) external;
    function dismissObjection(
        RegistrationId registrationId,
        uint16 objectionIndex,
        Cause calldata cause,
        Authorization calldata authorization
    ) external;
    function deposit(Deposit calldata params, Authorization calldata authorization) external returns (CertificateId certificateId);
    function refuse(RegistrationId registrationId, Cause calldata cause, Authorization calldata authorization) external;
    function withdraw(RegistrationId registrationId, Authorization calldata authorization) external;

    function registrationOf(RegistrationId registrationId) external view returns (Registration memory);
}
