// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Authorization, Cause} from "../types/Acting.sol";
import {DigestAlg, Verdict} from "../types/Codes.sol";
import {AssessmentId, AssetId, ParticipantId} from "../types/Ids.sol";
import {IActing} from "./IActing.sol";

/// @title IAssessments
/// @notice Reports by admitted assessors on one version of an asset, with a result and an expiry (B-07, G-04).
interface IAssessments is IActing {
    enum AssessmentKind {
        NONE,
        COMPLIANCE,
        QUALITY,
        VALUE,
        SECURITY
    }

    /// @notice A report.
    /// @param verdict Pass or fail.
    /// @param score The result as an 18-decimal fixed-point number: for VALUE the information value I(X) (E-05), for
    /// QUALITY Q(Z); 0 if none.
    /// @param formulaId ASCII name of the formula and its version; zero if none.
    /// @param reportDigest Digest of the report document, which holds all inputs.
    /// @param expiresAt Seconds, exclusive; 0 means open.
    /// @param withdrawnAt Seconds; 0 means never.
    struct Assessment {
        AssessmentId assessmentId;
        AssetId assetId;
        uint32 assetVersion;
        AssessmentKind kind;
        Verdict verdict;
        uint128 score;
        bytes32 formulaId;
        bytes32 reportDigest;
        DigestAlg digestAlg;
        ParticipantId assessor;
        uint64 assessedAt;
        uint64 expiresAt;
        uint64 withdrawnAt;
    }

    /// @param salt From the caller's business key.
    struct Report {
        AssetId assetId;
        uint32 assetVersion;
        AssessmentKind kind;
        Verdict verdict;
        uint128 score;
        bytes32 formulaId;
        bytes32 reportDigest;
        DigestAlg digestAlg;
        uint64 expiresAt;
        bytes32 salt;
    }

    /// @notice An assessor recorded a report.
    event AssessmentRecorded(
        AssessmentId indexed assessmentId,
        AssetId indexed assetId,
        ParticipantId indexed assessor,
        uint32 assetVersion,
        AssessmentKind kind,
        Verdict verdict,
        uint128 score,
        bytes32 formulaId,
        bytes32 reportDigest,
        DigestAlg digestAlg,
        uint64 expiresAt,
        address byAccount
    );
    /// @notice The assessor withdrew its report.
    event AssessmentWithdrawn(
        AssessmentId indexed assessmentId,
        ParticipantId byParticipant,
        address byAccount,
        uint64 withdrawnAt,
        Cause cause
    );

    /// @notice The assessment is not known.
    /// @custom:family NotFound
    error AssessmentNotFound(AssessmentId assessmentId);
    /// @notice The assessment is already recorded.
    /// @custom:family Conflict
    error AssessmentAlreadyExists(AssessmentId assessmentId);
    /// @notice The assessment is withdrawn.
    /// @custom:family Conflict
    error AssessmentAlreadyWithdrawn(AssessmentId assessmentId);
    /// @notice Only the assessor itself can do this.
    /// @custom:family Forbidden
    error CallerNotAssessor(AssessmentId assessmentId, ParticipantId participantId);
    /// @notice An assessor may not assess its own asset (domain 3.2).
    /// @custom:family Forbidden
    error AssessorIsRegistrant(AssetId assetId, ParticipantId participantId);
    /// @notice The assessment is not in force for this version.
    /// @custom:family Conflict
    error AssessmentNotValid(AssessmentId assessmentId, AssetId assetId, uint32 assetVersion);

    /// @notice Records a report; its id is {Hashing.actId} of `assessment`, the caller, the asset and `salt`.
    ///
    /// Requirements, in order:
    /// - the caller is active, the assessment is not recorded, the version exists;
    /// - the caller is an ASSESSOR of its home venue, and not the asset's registrant;
    /// - kind, verdict and report are set, a score has a formula, `expiresAt` is 0 or ahead.
    ///
    /// Emits an {AssessmentRecorded} event.
    function record(Report calldata params, Authorization calldata authorization)
        external
        returns (AssessmentId assessmentId);

    /// @notice Withdraws a report.
    ///
    /// Requirements, in order:
    /// - the assessment exists;
    /// - the caller is its assessor (class PARTY) or a regulator; the cause is complete;
    /// - the assessment is not withdrawn.
    ///
    /// Emits an {AssessmentWithdrawn} event.
    function withdraw(AssessmentId assessmentId, Cause calldata cause, Authorization calldata authorization) external;

    /// @notice Returns a report; reverts with {AssessmentNotFound}.
    function assessmentOf(AssessmentId assessmentId) external view returns (Assessment memory);

    /// @notice Reverts unless the report passed, is in force and is about this version.
    function requireValid(AssessmentId assessmentId, AssetId assetId, uint32 assetVersion) external view;
}
