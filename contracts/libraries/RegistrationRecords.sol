// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IActing} from "../interfaces/IActing.sol";
import {IParticipants} from "../interfaces/IParticipants.sol";
import {IProfiles} from "../interfaces/IProfiles.sol";
import {IRegistrations} from "../interfaces/IRegistrations.sol";
import {Actor, Cause} from "../types/Acting.sol";
import {AuthorityClass, DigestAlg, Verdict} from "../types/Codes.sol";
import {AssetId, ParticipantId, RegistrationId} from "../types/Ids.sol";
import {Clock} from "./Clock.sol";

/// @dev All of a registration that changes, in one slot. The act type is always INITIAL, so it is not stored.
struct RegistrationHead {
    uint32 sequence;
    uint32 applicant;
    uint32 registrar;
    uint24 assetVersion;
    uint16 profile; // number of the frozen profile
    IRegistrations.RegistrationState state;
    IRegistrations.SourceKind sourceKind;
    IRegistrations.ProcessingRole processingRole;
    DigestAlg digestAlg;
    bool isExamined; // all three checks passed: no other outcome is recorded
    bool isObjected; // slot 4 is written
    uint40 stateUntil;
    uint32 remainingSeconds; // of a decision, which lasts a hundred years at most
}

/// @dev A registration as it is stored.
struct StoredRegistration {
    // slot 0
    RegistrationHead head;
    // slot 1
    AssetId assetId;
    // slot 2
    bytes32 documentDigest;
    // slot 3
    bytes32 rightsHash;
    // slot 4, from the first objection on
    uint16 objections;
    uint16 openObjections;
    uint40 noticeUntil; // until then the head's own deadline is the notice's end
}

/// @title RegistrationRecords
/// @notice The steps that change a stored registration, and who may take them.
library RegistrationRecords {
    ParticipantId private constant LEDGER = ParticipantId.wrap(0);

    // ---------------------------------------------------------------- views

    /// @notice Returns the record in full, but for the certificate.
    function toRecord(
        StoredRegistration storage self,
        RegistrationId registrationId,
        IParticipants participants,
        IProfiles profiles
    ) internal view returns (IRegistrations.Registration memory record) {
        Verdict verdict = self.head.isExamined ? Verdict.PASS : Verdict.PENDING;
        record.registrationId = registrationId;
        record.sequence = self.head.sequence;
        record.assetId = self.assetId;
        record.assetVersion = self.head.assetVersion;
        record.actType = IRegistrations.ActType.INITIAL;
        record.state = self.head.state;
        record.profileId = profiles.profileIdOf(self.head.profile);
        record.applicant = participants.participantBySequence(self.head.applicant);
        record.registrar = participants.participantBySequence(self.head.registrar);
        record.sourceKind = self.head.sourceKind;
        record.processingRole = self.head.processingRole;
        record.documentDigest = self.documentDigest;
        record.digestAlg = self.head.digestAlg;
        record.rightsHash = self.rightsHash;
        record.descriptionVerdict = verdict;
        record.sourceVerdict = verdict;
        record.rightsVerdict = verdict;
        record.stateUntil = self.head.stateUntil;
        record.remainingSeconds = self.head.remainingSeconds;
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
        uint16 profile,
        uint64 stateUntil
    ) internal {
        self.head = RegistrationHead({
            sequence: sequence,
            applicant: applicant,
            registrar: registrar,
            assetVersion: uint24(params.assetVersion),
            profile: profile,
            state: IRegistrations.RegistrationState.SUBMITTED,
            sourceKind: params.sourceKind,
            processingRole: params.processingRole,
            digestAlg: params.digestAlg,
            isExamined: false,
            isObjected: false,
            stateUntil: uint40(stateUntil),
            remainingSeconds: 0
        });
        self.assetId = params.assetId;
        self.documentDigest = params.documentDigest;
        self.rightsHash = keccak256(abi.encode(params.rights));
    }

    /// @notice Enters a state and starts its deadline; 0 where none runs.
    function enter(StoredRegistration storage self, IRegistrations.RegistrationState state, uint40 stateUntil)
        internal
    {
        self.head.state = state;
        self.head.stateUntil = stateUntil;
    }

    /// @notice Records that all three checks passed, and stops the decision's clock.
    /// @param state What follows: REVIEW_PASSED, or PUBLIC_NOTICE until `stateUntil`.
    function pass(
        StoredRegistration storage self,
        IRegistrations.Examination calldata params,
        Actor memory actor,
        IRegistrations.RegistrationState state,
        uint40 stateUntil
    ) internal {
        uint64 time = Clock.nowSeconds();
        RegistrationHead memory head = self.head;
        head.remainingSeconds = head.stateUntil > time ? uint32(head.stateUntil - time) : 0;
        head.isExamined = true;
        head.state = state;
        head.stateUntil = stateUntil;
        self.head = head;
        _emitExamined(params, actor, head.remainingSeconds);
    }

    /// @notice Counts an objection and starts its investigation; the notice goes on meanwhile.
    function object(StoredRegistration storage self, uint40 stateUntil) internal returns (uint16 objectionIndex) {
        if (!self.head.isObjected) {
            self.head.isObjected = true;
            self.noticeUntil = self.head.stateUntil;
        }
        objectionIndex = self.objections + 1;
        self.objections = objectionIndex;
        self.openObjections += 1;
        self.head.stateUntil = stateUntil;
    }

    /// @notice Counts an objection as dismissed; after the last one the notice's own end counts again.
    function dismiss(StoredRegistration storage self) internal {
        self.openObjections -= 1;
        if (self.openObjections == 0) self.head.stateUntil = self.noticeUntil;
    }

    /// @notice Returns when a running notice ends, whatever is investigated meanwhile.
    function noticeEnd(StoredRegistration storage self) internal view returns (uint40) {
        return self.head.isObjected ? self.noticeUntil : self.head.stateUntil;
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
            actor.sequence == self.head.applicant,
            IRegistrations.CallerNotApplicant(registrationId, actor.participantId)
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
    /// @param account Who acts: known to be at the registrar, and not asked for again.
    function requireReviewers(
        StoredRegistration storage self,
        IRegistrations.Examination calldata params,
        address account,
        IParticipants participants
    ) internal view {
        _requireReviewer(self, params.registrationId, params.descriptionReviewer, account, participants);
        _requireReviewer(self, params.registrationId, params.sourceReviewer, account, participants);
        _requireReviewer(self, params.registrationId, params.rightsReviewer, account, participants);
    }

    function requireState(
        StoredRegistration storage self,
        RegistrationId registrationId,
        IRegistrations.RegistrationState state
    ) internal view {
        require(self.head.state == state, IRegistrations.RegistrationStateWrong(registrationId, self.head.state));
    }

    /// @notice Reverts once the state's deadline has passed.
    function requireBefore(StoredRegistration storage self) internal view {
        uint64 time = Clock.nowSeconds();
        require(time < self.head.stateUntil, IActing.DeadlinePassed(self.head.stateUntil, time));
    }

    /// @notice Reverts unless the notice was waived, or is over without an open objection (D-04).
    function requireCleared(StoredRegistration storage self, RegistrationId registrationId) internal view {
        if (self.head.state == IRegistrations.RegistrationState.NOTICE_WAIVED) return;
        requireState(self, registrationId, IRegistrations.RegistrationState.PUBLIC_NOTICE);
        if (self.head.isObjected) {
            uint16 openObjections = self.openObjections;
            require(openObjections == 0, IRegistrations.ObjectionsOpen(registrationId, openObjections));
        }
        (uint64 time, uint40 noticeUntil) = (Clock.nowSeconds(), noticeEnd(self));
        require(time >= noticeUntil, IActing.DeadlineNotReached(noticeUntil, time));
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

    function _requireReviewer(
        StoredRegistration storage self,
        RegistrationId registrationId,
        address reviewer,
        address account,
        IParticipants participants
    ) private view {
        if (reviewer != account) {
            _requireOfRegistrar(self, registrationId, participants.actorOf(reviewer));
        }
    }

    function _requireOfRegistrar(StoredRegistration storage self, RegistrationId registrationId, Actor memory actor)
        private
        view
    {
        require(
            actor.sequence == self.head.registrar,
            IRegistrations.CallerNotRegistrar(registrationId, actor.participantId)
        );
    }
}
