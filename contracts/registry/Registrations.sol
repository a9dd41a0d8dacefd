// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAssets} from "../interfaces/IAssets.sol";
import {ICertificates} from "../interfaces/ICertificates.sol";
import {IParticipants} from "../interfaces/IParticipants.sol";
import {IProfiles} from "../interfaces/IProfiles.sol";
import {IRegistrations} from "../interfaces/IRegistrations.sol";
import {IRights} from "../interfaces/IRights.sol";
import {Acting} from "../libraries/Acting.sol";
import {Applications} from "../libraries/Applications.sol";
import {Clock} from "../libraries/Clock.sol";
import {Hashing} from "../libraries/Hashing.sol";
import {RegistrationRecords, StoredRegistration} from "../libraries/RegistrationRecords.sol";
import {Actor, Authorization, Cause} from "../types/Acting.sol";
import {AssetKind, DigestAlg, Noun, Verdict} from "../types/Codes.sol";
import {AssetId, CertificateId, ParticipantId, RegistrationId} from "../types/Ids.sol";

/// @title Registrations
/// @dev Serves initial registrations only; each version of an asset is a registration unit of its own (D-14).
contract Registrations is IRegistrations, Acting {
    using RegistrationRecords for StoredRegistration;

    // ---------------------------------------------------------------- types

    /// @dev What {RegistrationSubmitted} carries, in memory where the stack is too small for it.
    struct Draft {
        RegistrationId registrationId;
        ParticipantId applicant;
        address byAccount;
        uint64 stateUntil;
        IRights.RightTerms[] rights;
    }

    // ---------------------------------------------------------------- constants and immutables

    ParticipantId private constant LEDGER = ParticipantId.wrap(0);

    IParticipants public immutable participants;
    IProfiles public immutable profiles;
    ICertificates public immutable certificates;
    IRights public immutable rights;
    IAssets public immutable assets;

    // ---------------------------------------------------------------- storage

    uint32 private _sequence;
    mapping(RegistrationId registrationId => StoredRegistration stored) private _registrations;
    mapping(RegistrationId registrationId => mapping(uint16 objectionIndex => bool isOpen)) private _objections;

    // ---------------------------------------------------------------- constructor

    constructor(
        IParticipants participants_,
        IProfiles profiles_,
        ICertificates certificates_,
        IRights rights_,
        IAssets assets_
    ) {
        participants = participants_;
        profiles = profiles_;
        certificates = certificates_;
        rights = rights_;
        assets = assets_;
    }

    // ---------------------------------------------------------------- views

    /// @inheritdoc IRegistrations
    /// @dev The certificate's id is made here as {Certificates} makes it, so that it need not be stored.
    function registrationOf(RegistrationId registrationId) external view returns (Registration memory record) {
        StoredRegistration storage stored = _storedOf(registrationId);
        record = stored.toRecord(registrationId, participants, profiles);
        if (stored.head.state == RegistrationState.DEPOSITED) {
            (bytes32 subject, bytes32 salt) = (AssetId.unwrap(record.assetId), RegistrationId.unwrap(registrationId));
            record.certificateId = CertificateId.wrap(Hashing.actId("certificate", record.registrar, subject, salt));
        }
    }

    // ---------------------------------------------------------------- writes: application

    /// @inheritdoc IRegistrations
    function submit(RegistrationApplication calldata params, Authorization calldata authorization)
        external
        returns (RegistrationId registrationId)
    {
        address account =
            _authorize(_isRelayed(authorization) ? keccak256(abi.encode(params)) : bytes32(0), authorization);
        Actor memory actor = participants.actorOf(account);
        registrationId = RegistrationId.wrap(
            Hashing.actId("registration", actor.participantId, AssetId.unwrap(params.assetId), params.salt)
        );
        StoredRegistration storage stored = _registrations[registrationId];
        require(stored.head.state == RegistrationState.NONE, RegistrationAlreadyExists(registrationId));
        AssetKind kind = Applications.requireAsset(params, actor, assets);
        uint32 registrar = Applications.requireRegistrar(params.registrar, actor.participantId, participants);
        Applications.requireFields(params);
        Applications.requireRights(params, kind, participants);
        (uint16 profile, uint64 stateUntil) = profiles.openingOf(params.profileId, Clock.nowSeconds());
        _sequence += 1;
        stored.open(params, _sequence, actor.sequence, registrar, profile, stateUntil);
        _emitSubmitted(params, Draft(registrationId, actor.participantId, actor.account, stateUntil, params.rights));
    }

    /// @inheritdoc IRegistrations
    function requestSupplement(
        RegistrationId registrationId,
        Cause calldata cause,
        Authorization calldata authorization
    ) external {
        (StoredRegistration storage stored, Actor memory actor) =
            _asRegistrarForCause(registrationId, cause, authorization);
        stored.requireState(registrationId, RegistrationState.SUBMITTED);
        stored.requireBefore();
        stored.enter(RegistrationState.SUPPLEMENT_REQUIRED, _deadline(stored, IProfiles.Step.SUPPLEMENT));
        emit RegistrationSupplementRequested(
            registrationId, actor.participantId, actor.account, stored.head.stateUntil, cause
        );
    }

    /// @inheritdoc IRegistrations
    function supplement(
        RegistrationId registrationId,
        bytes32 documentDigest,
        DigestAlg digestAlg,
        Authorization calldata authorization
    ) external {
        address account = _authorize(keccak256(abi.encode(registrationId, documentDigest, digestAlg)), authorization);
        StoredRegistration storage stored = _storedOf(registrationId);
        Actor memory actor = stored.requireApplicant(registrationId, account, participants);
        stored.requireState(registrationId, RegistrationState.SUPPLEMENT_REQUIRED);
        stored.requireBefore();
        Applications.requireDigest(documentDigest, digestAlg);
        stored.documentDigest = documentDigest;
        stored.head.digestAlg = digestAlg;
        stored.enter(RegistrationState.SUBMITTED, _deadline(stored, IProfiles.Step.ACCEPTANCE));
        emit RegistrationSupplemented(
            registrationId, actor.participantId, actor.account, documentDigest, digestAlg, stored.head.stateUntil
        );
    }

    /// @inheritdoc IRegistrations
    function withdraw(RegistrationId registrationId, Authorization calldata authorization) external {
        address account = _authorize(keccak256(abi.encode(registrationId)), authorization);
        StoredRegistration storage stored = _storedOf(registrationId);
        Actor memory actor = stored.requireApplicant(registrationId, account, participants);
        require(
            stored.head.state < RegistrationState.DEPOSITED, RegistrationStateWrong(registrationId, stored.head.state)
        );
        stored.enter(RegistrationState.WITHDRAWN, 0);
        emit RegistrationWithdrawn(registrationId, actor.participantId, actor.account);
    }

    // ---------------------------------------------------------------- writes: decision

    /// @inheritdoc IRegistrations
    function accept(RegistrationId registrationId, Authorization calldata authorization) external {
        address account = _authorize(keccak256(abi.encode(registrationId)), authorization);
        StoredRegistration storage stored = _storedOf(registrationId);
        Actor memory actor = stored.requireRegistrar(registrationId, account, participants);
        stored.requireState(registrationId, RegistrationState.SUBMITTED);
        stored.requireBefore();
        _accept(registrationId, stored, actor, false);
    }

    /// @inheritdoc IRegistrations
    function deemAccepted(RegistrationId registrationId, Authorization calldata authorization) external {
        address account = _authorize(keccak256(abi.encode(registrationId)), authorization);
        StoredRegistration storage stored = _storedOf(registrationId);
        Actor memory actor = participants.actorOf(account);
        stored.requireState(registrationId, RegistrationState.SUBMITTED);
        uint64 time = Clock.nowSeconds();
        require(time >= stored.head.stateUntil, DeadlineNotReached(stored.head.stateUntil, time));
        _accept(registrationId, stored, actor, true);
    }

    /// @inheritdoc IRegistrations
    function examine(Examination calldata params, Authorization calldata authorization) external {
        address account =
            _authorize(_isRelayed(authorization) ? keccak256(abi.encode(params)) : bytes32(0), authorization);
        RegistrationId registrationId = params.registrationId;
        StoredRegistration storage stored = _storedOf(registrationId);
        Actor memory actor = stored.requireRegistrar(registrationId, account, participants);
        stored.requireReviewers(params, account, participants);
        stored.requireState(registrationId, RegistrationState.ACCEPTED);
        require(
            params.descriptionVerdict == Verdict.PASS && params.sourceVerdict == Verdict.PASS
                && params.rightsVerdict == Verdict.PASS,
            ExaminationNotPassed(registrationId)
        );
        Applications.requireDigest(params.reportDigest, params.digestAlg);
        if (!params.publishNotice) return stored.pass(params, actor, RegistrationState.REVIEW_PASSED, 0);
        uint40 noticeUntil = _deadline(stored, IProfiles.Step.NOTICE);
        stored.pass(params, actor, RegistrationState.PUBLIC_NOTICE, noticeUntil);
        emit RegistrationNoticePublished(registrationId, actor.participantId, actor.account, noticeUntil);
    }

    /// @inheritdoc IRegistrations
    function refuse(RegistrationId registrationId, Cause calldata cause, Authorization calldata authorization)
        external
    {
        (StoredRegistration storage stored, Actor memory actor) =
            _asRegistrarForCause(registrationId, cause, authorization);
        require(
            stored.head.state >= RegistrationState.ACCEPTED && stored.head.state < RegistrationState.DEPOSITED,
            RegistrationStateWrong(registrationId, stored.head.state)
        );
        stored.enter(RegistrationState.REFUSED, 0);
        emit RegistrationRefused(registrationId, actor.participantId, actor.account, cause);
    }

    // ---------------------------------------------------------------- writes: notice

    /// @inheritdoc IRegistrations
    function publishNotice(RegistrationId registrationId, Authorization calldata authorization) external {
        address account = _authorize(keccak256(abi.encode(registrationId)), authorization);
        StoredRegistration storage stored = _storedOf(registrationId);
        Actor memory actor = stored.requireRegistrar(registrationId, account, participants);
        stored.requireState(registrationId, RegistrationState.REVIEW_PASSED);
        uint40 noticeUntil = _deadline(stored, IProfiles.Step.NOTICE);
        stored.enter(RegistrationState.PUBLIC_NOTICE, noticeUntil);
        emit RegistrationNoticePublished(registrationId, actor.participantId, actor.account, noticeUntil);
    }

    /// @inheritdoc IRegistrations
    function waiveNotice(RegistrationId registrationId, Cause calldata cause, Authorization calldata authorization)
        external
    {
        (StoredRegistration storage stored, Actor memory actor) =
            _asRegistrarForCause(registrationId, cause, authorization);
        if (!profiles.isNoticeWaivable(stored.head.profile)) {
            revert NoticeNotWaivable(profiles.profileIdOf(stored.head.profile));
        }
        stored.requireState(registrationId, RegistrationState.REVIEW_PASSED);
        stored.enter(RegistrationState.NOTICE_WAIVED, 0);
        emit RegistrationNoticeWaived(registrationId, actor.participantId, actor.account, cause);
    }

    /// @inheritdoc IRegistrations
    function object(RegistrationId registrationId, Cause calldata cause, Authorization calldata authorization)
        external
    {
        address account = _authorize(keccak256(abi.encode(registrationId, cause)), authorization);
        StoredRegistration storage stored = _storedOf(registrationId);
        Actor memory actor = participants.actorForCause(account, cause, LEDGER);
        Applications.requireObjector(actor, cause.authority);
        stored.requireState(registrationId, RegistrationState.PUBLIC_NOTICE);
        uint64 time = Clock.nowSeconds();
        uint40 noticeUntil = stored.noticeEnd();
        require(time < noticeUntil, DeadlinePassed(noticeUntil, time));
        uint16 objectionIndex = stored.object(_deadline(stored, IProfiles.Step.OBJECTION));
        _objections[registrationId][objectionIndex] = true;
        emit RegistrationObjected(
            registrationId,
            objectionIndex,
            actor.participantId,
            actor.account,
            stored.openObjections,
            stored.head.stateUntil,
            cause
        );
    }

    /// @inheritdoc IRegistrations
    function dismissObjection(
        RegistrationId registrationId,
        uint16 objectionIndex,
        Cause calldata cause,
        Authorization calldata authorization
    ) external {
        address account = _authorize(keccak256(abi.encode(registrationId, objectionIndex, cause)), authorization);
        StoredRegistration storage stored = _storedOf(registrationId);
        require(_objections[registrationId][objectionIndex], ObjectionNotFound(registrationId, objectionIndex));
        Actor memory actor = stored.requireRegistrarForCause(registrationId, account, cause, participants);
        stored.requireState(registrationId, RegistrationState.PUBLIC_NOTICE);
        _objections[registrationId][objectionIndex] = false;
        stored.dismiss();
        emit RegistrationObjectionDismissed(
            registrationId,
            objectionIndex,
            actor.participantId,
            actor.account,
            stored.openObjections,
            stored.head.stateUntil,
            cause
        );
    }

    // ---------------------------------------------------------------- writes: deposit

    /// @inheritdoc IRegistrations
    /// @dev The certificate is issued before the event, which carries its id.
    function deposit(Deposit calldata params, Authorization calldata authorization)
        external
        returns (CertificateId certificateId)
    {
        address account =
            _authorize(_isRelayed(authorization) ? keccak256(abi.encode(params)) : bytes32(0), authorization);
        RegistrationId registrationId = params.registrationId;
        StoredRegistration storage stored = _storedOf(registrationId);
        Actor memory actor = stored.requireRegistrar(registrationId, account, participants);
        stored.requireCleared(registrationId);
        require(keccak256(abi.encode(params.rights)) == stored.rightsHash, RightsWrong(registrationId));
        Applications.requireDigest(params.documentDigest, params.digestAlg);
        stored.enter(RegistrationState.DEPOSITED, 0);
        certificateId = _issue(params, stored, actor.participantId);
        emit RegistrationDeposited(
            registrationId, certificateId, actor.participantId, actor.account, Clock.nowSeconds()
        );
        for (uint256 i = 0; i < params.rights.length; i++) {
            rights.enter(
                params.rights[i],
                stored.assetId,
                stored.head.assetVersion,
                certificateId,
                keccak256(abi.encode(registrationId, i)),
                actor.participantId,
                actor.account
            );
        }
        assets.markRegistered(stored.assetId, stored.head.assetVersion);
    }

    // ---------------------------------------------------------------- internal: steps

    function _accept(
        RegistrationId registrationId,
        StoredRegistration storage stored,
        Actor memory actor,
        bool isDeemed
    ) private {
        uint40 stateUntil = _deadline(stored, IProfiles.Step.DECISION);
        stored.enter(RegistrationState.ACCEPTED, stateUntil);
        emit RegistrationAccepted(registrationId, actor.participantId, actor.account, isDeemed, stateUntil);
    }

    function _issue(Deposit calldata params, StoredRegistration storage stored, ParticipantId registrar)
        private
        returns (CertificateId certificateId)
    {
        (uint64 maximum, IProfiles.CodeFormat codeFormat) = profiles.validityOf(stored.head.profile, Clock.nowSeconds());
        require(params.validUntil <= maximum, ValidityTooLong(params.validUntil, maximum));
        ICertificates.CertificateRequest memory request = ICertificates.CertificateRequest({
            kind: ICertificates.CertificateKind.REGISTRATION,
            subjectNoun: Noun.ASSET,
            subjectId: AssetId.unwrap(stored.assetId),
            subjectVersion: stored.head.assetVersion,
            issuer: registrar,
            holder: participants.requireActiveBySequence(stored.head.applicant),
            documentDigest: params.documentDigest,
            digestAlg: params.digestAlg,
            validUntil: params.validUntil == 0 ? maximum : params.validUntil,
            codeFormat: codeFormat
        });
        (certificateId,) = certificates.issue(request, RegistrationId.unwrap(params.registrationId));
    }

    function _deadline(StoredRegistration storage stored, IProfiles.Step step) private view returns (uint40) {
        return uint40(profiles.deadlineOf(stored.head.profile, step, Clock.nowSeconds()));
    }

    // ---------------------------------------------------------------- internal: records

    function _storedOf(RegistrationId registrationId) private view returns (StoredRegistration storage stored) {
        stored = _registrations[registrationId];
        require(stored.head.state != RegistrationState.NONE, RegistrationNotFound(registrationId));
    }

    /// @dev The last field comes from storage: the stack holds no more.
    function _emitSubmitted(RegistrationApplication calldata params, Draft memory draft) private {
        emit RegistrationSubmitted(
            draft.registrationId,
            params.assetId,
            draft.applicant,
            params.assetVersion,
            params.actType,
            params.profileId,
            params.registrar,
            params.priorCertificateId,
            params.sourceKind,
            params.processingRole,
            params.documentDigest,
            params.digestAlg,
            draft.rights,
            draft.stateUntil,
            draft.byAccount,
            _sequence
        );
    }

    function _asRegistrarForCause(
        RegistrationId registrationId,
        Cause calldata cause,
        Authorization calldata authorization
    ) private returns (StoredRegistration storage stored, Actor memory actor) {
        address account = _authorize(keccak256(abi.encode(registrationId, cause)), authorization);
        stored = _storedOf(registrationId);
        actor = stored.requireRegistrarForCause(registrationId, account, cause, participants);
    }
}
