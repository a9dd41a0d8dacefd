// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IActing} from "../interfaces/IActing.sol";
import {IParticipants} from "../interfaces/IParticipants.sol";
import {IRegistrations} from "../interfaces/IRegistrations.sol";
import {Actor, Cause} from "../types/Acting.sol";
import {AuthorityClass, DigestAlg, Verdict} from "../types/Codes.sol";
import {AssetId, ParticipantId, ProfileId, RegistrationId} from "../types/Ids.sol";
import {Clock} from "./Clock.sol";

/// @dev A registration as it is stored.
struct StoredRegistration {
    // slot 0
    uint32 sequence;
    uint32 applicant;
    uint32 registrar;
    uint32 assetVersion;
    IRegistrations.ActType actType;
    IRegistrations.RegistrationState state;
    IRegistrations.SourceKind sourceKind;
    IRegistrations.ProcessingRole processingRole;
    DigestAlg digestAlg;
    bool isExamined; // all three checks passed: no other outcome is recorded
    uint16 objections;
    uint16 openObjections;
    uint40 stateUntil;
    // slot 1
    AssetId assetId;
    // slot 2
    ProfileId profileId;
    // slot 3
    bytes32 documentDigest;
    // slot 4
    bytes32 rightsHash;
    // slot 5, from the examination on
    uint64 remainingSeconds;
    uint40 noticeUntil;
}

/// @title RegistrationRecords
/// @notice The steps that change a stored registration, and who may take them.
library RegistrationRecords {
    ParticipantId private constant LEDGER = ParticipantId.wrap(0);

    // ---------------------------------------------------------------- views

    /// @notice Returns the record in full, but for the certificate.
    function toRecord(StoredRegistration storage self, RegistrationId registrationId, IParticipants participants)
        internal
        view
        returns (IRegistrations.Registration memory record)
    {
        Verdict verdict = self.isExamined ? Verdict.PASS : Verdict.PENDING;
        record.registrationId = registrationId;
        record.sequence = self.sequence;
        record.assetId = self.assetId;
        record.assetVersion = self.assetVersion;
        record.actType = self.actType;
        record.state = self.state;
        record.profileId = self.profileId;
        record.applicant = participants.participantBySequence(self.applicant);
        record.registrar = participants.participantBySequence(self.registrar);
        record.sourceKind = self.sourceKind;
        record.processingRole = self.processingRole;
        record.documentDigest = self.documentDigest;
        record.digestAlg = self.digestAlg;
        record.rightsHash = self.rightsHash;
        record.descriptionVerdict = verdict;
        record.sourceVerdict = verdict;
        record.rightsVerdict = verdict;
        record.stateUntil = self.stateUntil;
        record.remainingSeconds = self.remainingSeconds;
        record.openObjections = self.openObjections;
    }

    // ---------------------------------------------------------------- writes

    /// @notice Fills a new record.
    function open(
        StoredRegistration storage self,
        IRegistrations.RegistrationApplication calldata params,
        uint32 sequence,
        uint32 applicant,
        uint32 registrar,
        uint40 stateUntil
    ) internal {
        self.sequence = sequence;
        self.applicant = applicant;
        self.registrar = registrar;
        self.assetVersion = params.assetVersion;
        self.actType = params.actType;
        self.state = IRegistrations.RegistrationState.SUBMITTED;
        self.sourceKind = params.sourceKind;
        self.processingRole = params.processingRole;
        self.digestAlg = params.digestAlg;
        self.stateUntil = stateUntil;
        self.assetId = params.assetId;
        self.profileId = params.profileId;
        self.documentDigest = params.documentDigest;
        self.rightsHash = keccak256(abi.encode(params.rights));
    }

    /// @notice Enters a state and starts its deadline; 0 where none runs.
    function enter(StoredRegistration storage self, IRegistrations.RegistrationState state, uint40 stateUntil)
        internal
    {
        self.state = state;
        self.stateUntil = stateUntil;
    }

    /// @notice Records that all three checks passed, and stops the decision's clock.
    function pass(StoredRegistration storage self, IRegistrations.Examination calldata params, Actor memory actor)
        internal
    {
        uint64 time = Clock.nowSeconds();
        self.remainingSeconds = self.stateUntil > time ? self.stateUntil - time : 0;
        self.isExamined = true;
        enter(self, IRegistrations.RegistrationState.REVIEW_PASSED, 0);
        _emitExamined(params, actor, self.remainingSeconds);
    }

    /// @notice Counts an objection and starts its investigation; the notice goes on meanwhile.
    function object(StoredRegistration storage self, uint40 stateUntil) internal returns (uint16 objectionIndex) {
        objectionIndex = self.objections + 1;
        self.objections = objectionIndex;
        self.openObjections += 1;
        self.stateUntil = stateUntil;
    }

    /// @notice Counts an objection as dismissed; after the last one the notice's own end counts again.
    function dismiss(StoredRegistration storage self) internal {
        self.openObjections -= 1;
        if (self.openObjections == 0) self.stateUntil = self.noticeUntil;
    }

    // ---------------------------------------------------------------- guards

    function requireApplicant(
        StoredRegistration storage self,
        RegistrationId registrationId,
        address account,
        IParticipants participants
    ) internal view returns (Actor memory actor) {
        actor = participants.actorOf(account);
        require(
            actor.sequence == self.applicant, IRegistrations.CallerNotApplicant(registrationId, actor.participantId)
        );
    }

    function requireRegistrar(
        StoredRegistration storage self,
        RegistrationId registrationId,
        address account,
        IParticipants participants
    ) internal view returns (Actor memory actor) {
        actor = participants.actorInRole(account, IParticipants.Role.REGISTRAR, LEDGER);
        _requireOfRegistrar(self, registrationId, actor);
    }

    function requireRegistrarForCause(
        StoredRegistration storage self,
        RegistrationId registrationId,
        address account,
        Cause calldata cause,
        IParticipants participants
    ) internal view returns (Actor memory actor) {
        actor = participants.actorForCause(account, cause, LEDGER);
        require(
            cause.authority == AuthorityClass.ISSUER,
            IParticipants.AuthorityMissing(actor.participantId, uint8(cause.authority))
        );
        _requireOfRegistrar(self, registrationId, actor);
    }

    /// @notice Reverts unless each of the three checks was made by somebody at the registrar (D-09).
    function requireReviewers(
        StoredRegistration storage self,
        IRegistrations.Examination calldata params,
        IParticipants participants
    ) internal view {
        _requireOfRegistrar(self, params.registrationId, participants.actorOf(params.descriptionReviewer));
        _requireOfRegistrar(self, params.registrationId, participants.actorOf(params.sourceReviewer));
        _requireOfRegistrar(self, params.registrationId, participants.actorOf(params.rightsReviewer));
    }

    function requireState(
        StoredRegistration storage self,
        RegistrationId registrationId,
        IRegistrations.RegistrationState state
    ) internal view {
        require(self.state == state, IRegistrations.RegistrationStateWrong(registrationId, self.state));
    }

    /// @notice Reverts once the state's deadline has passed.
    function requireBefore(StoredRegistration storage self) internal view {
        uint64 time = Clock.nowSeconds();
        require(time < self.stateUntil, IActing.DeadlinePassed(self.stateUntil, time));
    }

    /// @notice Reverts unless the notice was waived, or is over without an open objection (D-04).
    function requireCleared(StoredRegistration storage self, RegistrationId registrationId) internal view {
        if (self.state == IRegistrations.RegistrationState.NOTICE_WAIVED) return;
        requireState(self, registrationId, IRegistrations.RegistrationState.PUBLIC_NOTICE);
        require(self.openObjections == 0, IRegistrations.ObjectionsOpen(registrationId, self.openObjections));
        uint64 time = Clock.nowSeconds();
        require(time >= self.noticeUntil, IActing.DeadlineNotReached(self.noticeUntil, time));
    }

    function _emitExamined(IRegistrations.Examination calldata params, Actor memory actor, uint64 remainingSeconds)
        private
    {
        emit IRegistrations.RegistrationExamined(
            params.registrationId,
            actor.participantId,
            actor.account,
            params.descriptionVerdict,
            params.sourceVerdict,
            params.rightsVerdict,
            params.descriptionReviewer,
            params.sourceReviewer,
            params.rightsReviewer,
            params.reportDigest,
            params.digestAlg,
            remainingSeconds
        );
    }

    function _requireOfRegistrar(StoredRegistration storage self, RegistrationId registrationId, Actor memory actor)
        private
        view
    {
        require(
            actor.sequence == self.registrar, IRegistrations.CallerNotRegistrar(registrationId, actor.participantId)
        );
    }
}
