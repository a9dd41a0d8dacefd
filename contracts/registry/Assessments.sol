// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAssessments} from "../interfaces/IAssessments.sol";
import {IAssets} from "../interfaces/IAssets.sol";
import {IParticipants} from "../interfaces/IParticipants.sol";
import {Acting} from "../libraries/Acting.sol";
import {Clock} from "../libraries/Clock.sol";
import {Hashing} from "../libraries/Hashing.sol";
import {Actor, Authorization, Cause} from "../types/Acting.sol";
import {AuthorityClass, DigestAlg, Verdict} from "../types/Codes.sol";
import {AssessmentId, AssetId, ParticipantId} from "../types/Ids.sol";

/// @title Assessments
contract Assessments is IAssessments, Acting {
    // ---------------------------------------------------------------- types

    struct StoredAssessment {
        // slot 0
        uint32 assessor;
        uint32 assetVersion;
        AssessmentKind kind;
        Verdict verdict;
        DigestAlg digestAlg;
        uint40 assessedAt;
        uint40 expiresAt;
        uint40 withdrawnAt;
        // slot 1
        AssetId assetId;
        // slot 2
        bytes32 reportDigest;
        // slot 3, written only with a result
        uint128 score;
        // slot 4, written only with a formula
        bytes32 formulaId;
    }

    // ---------------------------------------------------------------- constants and immutables

    ParticipantId private constant LEDGER = ParticipantId.wrap(0);

    IParticipants public immutable participants;
    IAssets public immutable assets;

    // ---------------------------------------------------------------- storage

    mapping(AssessmentId assessmentId => StoredAssessment stored) private _assessments;

    // ---------------------------------------------------------------- constructor

    constructor(IParticipants participants_, IAssets assets_) {
        participants = participants_;
        assets = assets_;
    }

    // ---------------------------------------------------------------- views

    /// @inheritdoc IAssessments
    function assessmentOf(AssessmentId assessmentId) external view returns (Assessment memory) {
        StoredAssessment storage stored = _storedOf(assessmentId);
        return Assessment({
            assessmentId: assessmentId,
            assetId: stored.assetId,
            assetVersion: stored.assetVersion,
            kind: stored.kind,
            verdict: stored.verdict,
            score: stored.score,
            formulaId: stored.formulaId,
            reportDigest: stored.reportDigest,
            digestAlg: stored.digestAlg,
            assessor: participants.participantBySequence(stored.assessor),
            assessedAt: stored.assessedAt,
            expiresAt: stored.expiresAt,
            withdrawnAt: stored.withdrawnAt
        });
    }

    /// @inheritdoc IAssessments
    function requireValid(AssessmentId assessmentId, AssetId assetId, uint32 assetVersion) external view {
        StoredAssessment storage stored = _storedOf(assessmentId);
        require(
            stored.verdict == Verdict.PASS && stored.withdrawnAt == 0
                && (stored.expiresAt == 0 || Clock.nowSeconds() < stored.expiresAt)
                && stored.assetVersion == assetVersion && AssetId.unwrap(stored.assetId) == AssetId.unwrap(assetId),
            AssessmentNotValid(assessmentId, assetId, assetVersion)
        );
    }

    // ---------------------------------------------------------------- writes

    /// @inheritdoc IAssessments
    function record(Report calldata params, Authorization calldata authorization)
        external
        returns (AssessmentId assessmentId)
    {
        address account =
            _authorize(_isRelayed(authorization) ? keccak256(abi.encode(params)) : bytes32(0), authorization);
        Actor memory actor = participants.actorOf(account);
        assessmentId = AssessmentId.wrap(
            Hashing.actId("assessment", actor.participantId, AssetId.unwrap(params.assetId), params.salt)
        );
        require(_assessments[assessmentId].assessor == 0, AssessmentAlreadyExists(assessmentId));
        _requireAssessor(params, actor.participantId);
        _requireReport(params);
        _store(assessmentId, params, actor.sequence);
        emit AssessmentRecorded(
            assessmentId,
            params.assetId,
            actor.participantId,
            params.assetVersion,
            params.kind,
            params.verdict,
            params.score,
            params.formulaId,
            params.reportDigest,
            params.digestAlg,
            params.expiresAt,
            actor.account
        );
    }

    /// @inheritdoc IAssessments
    function withdraw(AssessmentId assessmentId, Cause calldata cause, Authorization calldata authorization) external {
        address account = _authorize(keccak256(abi.encode(assessmentId, cause)), authorization);
        StoredAssessment storage stored = _storedOf(assessmentId);
        Actor memory actor = participants.actorForCause(account, cause, LEDGER);
        require(
            cause.authority == AuthorityClass.PARTY || cause.authority == AuthorityClass.REGULATOR,
            IParticipants.AuthorityMissing(actor.participantId, uint8(cause.authority))
        );
        require(
            cause.authority == AuthorityClass.REGULATOR || stored.assessor == actor.sequence,
            CallerNotAssessor(assessmentId, actor.participantId)
        );
        require(stored.withdrawnAt == 0, AssessmentAlreadyWithdrawn(assessmentId));
        uint64 time = Clock.nowSeconds();
        stored.withdrawnAt = uint40(time);
        emit AssessmentWithdrawn(assessmentId, actor.participantId, actor.account, time, cause);
    }

    // ---------------------------------------------------------------- internal

    function _store(AssessmentId assessmentId, Report calldata params, uint32 assessor) private {
        StoredAssessment storage stored = _assessments[assessmentId];
        stored.assessor = assessor;
        stored.assetVersion = params.assetVersion;
        stored.kind = params.kind;
        stored.verdict = params.verdict;
        stored.digestAlg = params.digestAlg;
        stored.assessedAt = uint40(Clock.nowSeconds());
        stored.expiresAt = uint40(params.expiresAt);
        stored.assetId = params.assetId;
        stored.reportDigest = params.reportDigest;
        if (params.score != 0) stored.score = params.score;
        if (params.formulaId != 0) stored.formulaId = params.formulaId;
    }

    function _storedOf(AssessmentId assessmentId) private view returns (StoredAssessment storage stored) {
        stored = _assessments[assessmentId];
        require(stored.assessor != 0, AssessmentNotFound(assessmentId));
    }

    /// @dev An assessor is admitted by its home venue.
    function _requireAssessor(Report calldata params, ParticipantId participantId) private view {
        ParticipantId registrant = assets.assetOf(params.assetId, params.assetVersion).registrant;
        ParticipantId venue = participants.participantOf(participantId).homeVenue;
        IParticipants.Role role = IParticipants.Role.ASSESSOR;
        require(participants.hasRole(participantId, role, venue), IParticipants.RoleMissing(participantId, role, venue));
        require(registrant != participantId, AssessorIsRegistrant(params.assetId, participantId));
    }

    function _requireReport(Report calldata params) private view {
        require(params.kind != AssessmentKind.NONE, FieldInvalid("kind"));
        require(params.verdict != Verdict.PENDING, FieldInvalid("verdict"));
        require(params.score == 0 || params.formulaId != 0, FieldInvalid("formulaId"));
        require(params.reportDigest != 0 && params.digestAlg != DigestAlg.NONE, FieldInvalid("reportDigest"));
        uint64 time = Clock.nowSeconds();
        require(params.expiresAt == 0 || params.expiresAt > time, TimeInPast(params.expiresAt, time));
        require(params.expiresAt <= type(uint40).max, FieldInvalid("expiresAt"));
    }
}
