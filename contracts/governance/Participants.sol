// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IParticipants} from "../interfaces/IParticipants.sol";
import {Acting} from "../libraries/Acting.sol";
import {Admission} from "../libraries/Admission.sol";
import {Causes} from "../libraries/Causes.sol";
import {Clock} from "../libraries/Clock.sol";
import {Hashing} from "../libraries/Hashing.sol";
import {Roles} from "../libraries/Roles.sol";
import {Signatures} from "../libraries/Signatures.sol";
import {Standing} from "../libraries/Standing.sol";
import {Actor, Authorization, Cause} from "../types/Acting.sol";
import {DigestAlg} from "../types/Codes.sol";
import {ParticipantId} from "../types/Ids.sol";

/// @title Participants
contract Participants is IParticipants, Acting {
    using Admission for Standing.Register;
    using Standing for Standing.Register;
    using Standing for Standing.Organisation;

    // ---------------------------------------------------------------- constants

    bytes32 private constant JOIN_TYPEHASH =
        keccak256("JoinParticipant(bytes32 participantId,address account,uint8 purposes)");

    // ---------------------------------------------------------------- storage

    Standing.Register private _register;
    mapping(ParticipantId participantId => mapping(ParticipantId venue => Recognition)) private _recognitions;
    /// @dev Bit n stands for the n-th {ModuleKind}, so that a module with several kinds reads one slot.
    mapping(address module => uint256 kinds) private _modules;

    // ---------------------------------------------------------------- constructor

    constructor(address governor_) {
        require(governor_ != address(0), FieldInvalid("governor"));
        _register.governor = governor_;
        emit GovernorTransferred(address(0), governor_);
    }

    // ---------------------------------------------------------------- views

    /// @inheritdoc IParticipants
    function governor() external view returns (address) {
        return _register.governor;
    }

    /// @inheritdoc IParticipants
    function isModule(ModuleKind kind, address module) external view returns (bool) {
        return _modules[module] >> uint8(kind) & 1 != 0;
    }

    /// @inheritdoc IParticipants
    function participantOf(ParticipantId participantId) external view returns (Participant memory) {
        return _register.participantOf(participantId);
    }

    /// @inheritdoc IParticipants
    function participantBySequence(uint32 sequence) external view returns (ParticipantId participantId) {
        participantId = _register.ids[sequence];
        require(participantId != Standing.LEDGER, ParticipantNotFound(participantId));
    }

    /// @inheritdoc IParticipants
    function sequenceOf(ParticipantId participantId) external view returns (uint32 sequence) {
        return _register.organisationOf(participantId).sequence;
    }

    /// @inheritdoc IParticipants
    function accountOf(address account) external view returns (Account memory) {
        return _register.accountOf(account);
    }

    /// @inheritdoc IParticipants
    function roleUntil(ParticipantId participantId, Role role, ParticipantId venue)
        external
        view
        returns (bool granted, uint64 validUntil)
    {
        uint64 term = _register.terms[participantId][venue][role];
        return (term != 0, term == Standing.OPEN_TERM ? 0 : term);
    }

    /// @inheritdoc IParticipants
    function issuerCodeOf(ParticipantId participantId) external view returns (uint8 region, uint8 digit) {
        return _register.issuerCodeOf(participantId);
    }

    /// @inheritdoc IParticipants
    function recognitionOf(ParticipantId participantId, ParticipantId venue) external view returns (Recognition) {
        return _recognitions[participantId][venue];
    }

    /// @inheritdoc IParticipants
    function isActive(ParticipantId participantId) external view returns (bool) {
        return _register.organisations[participantId].isActive();
    }

    /// @inheritdoc IParticipants
    function requireActive(ParticipantId participantId) external view returns (uint32 sequence) {
        return _register.requireActiveId(participantId);
    }

    /// @inheritdoc IParticipants
    function requireActiveBySequence(uint32 sequence) external view returns (ParticipantId participantId) {
        participantId = _register.ids[sequence];
        _register.requireActiveId(participantId);
    }

    /// @inheritdoc IParticipants
    function requireIssuer(ParticipantId participantId, Role role) external view returns (uint32 sequence) {
        return _register.requireIssuer(participantId, role);
    }

    /// @inheritdoc IParticipants
    function hasRole(ParticipantId participantId, Role role, ParticipantId venue) external view returns (bool) {
        return _register.hasRole(participantId, role, venue);
    }

    /// @inheritdoc IParticipants
    function actorOf(address account) external view returns (Actor memory) {
        return _register.actorOf(account);
    }

    /// @inheritdoc IParticipants
    function actorInRole(address account, Role role, ParticipantId venue) external view returns (Actor memory) {
        return _register.requireInRole(account, role, venue);
    }

    /// @inheritdoc IParticipants
    function actorForCause(address account, Cause calldata cause, ParticipantId venue)
        external
        view
        returns (Actor memory)
    {
        return _register.requireActorFor(account, cause, venue);
    }

    /// @inheritdoc IParticipants
    function primaryAccountOf(ParticipantId participantId) external view returns (address) {
        return _register.primaryAccountOf(participantId);
    }

    // ---------------------------------------------------------------- writes: admission

    /// @inheritdoc IParticipants
    function applyForAdmission(Application calldata params, Authorization calldata authorization)
        external
        returns (ParticipantId participantId)
    {
        address account = _authorize(keccak256(abi.encode(params)), authorization);
        participantId = Hashing.participantId(params.usccDigest);
        _register.requireMayApply(participantId, account);
        _register.requireApplication(params);
        _register.enterApplication(participantId, account, params);
    }

    /// @inheritdoc IParticipants
    function requestSupplement(
        ParticipantId participantId,
        uint64 supplementUntil,
        Cause calldata cause,
        Authorization calldata authorization
    ) external {
        address account = _authorize(keccak256(abi.encode(participantId, supplementUntil, cause)), authorization);
        Standing.Organisation storage record = _register.organisationOf(participantId);
        ParticipantId by = _register.requireAdmitterFor(account, participantId, record.homeVenue, cause);
        record.requireState(participantId, ParticipantState.APPLIED);
        require(supplementUntil > Clock.nowSeconds(), TimeInPast(supplementUntil, Clock.nowSeconds()));
        record.state = ParticipantState.SUPPLEMENT_REQUIRED;
        record.stateUntil = supplementUntil;
        emit ParticipantSupplementRequested(participantId, by, account, supplementUntil, cause);
    }

    /// @inheritdoc IParticipants
    function supplement(
        ParticipantId participantId,
        bytes32 profileDigest,
        DigestAlg digestAlg,
        Authorization calldata authorization
    ) external {
        address account = _authorize(keccak256(abi.encode(participantId, profileDigest, digestAlg)), authorization);
        Standing.Organisation storage record = _register.organisationOf(participantId);
        _register.requireOwn(account, participantId);
        record.requireState(participantId, ParticipantState.SUPPLEMENT_REQUIRED);
        require(Clock.nowSeconds() < record.stateUntil, DeadlinePassed(record.stateUntil, Clock.nowSeconds()));
        Admission.requireDigest(profileDigest, digestAlg, "profileDigest");
        record.state = ParticipantState.APPLIED;
        record.profileDigest = profileDigest;
        record.digestAlg = digestAlg;
        emit ParticipantSupplemented(participantId, account, profileDigest, digestAlg);
    }

    /// @inheritdoc IParticipants
    function reject(ParticipantId participantId, Cause calldata cause, Authorization calldata authorization) external {
        address account = _authorize(keccak256(abi.encode(participantId, cause)), authorization);
        Standing.Organisation storage record = _register.organisationOf(participantId);
        ParticipantId by = _register.requireAdmitterFor(account, participantId, record.homeVenue, cause);
        record.requireState(participantId, ParticipantState.APPLIED);
        record.state = ParticipantState.REJECTED;
        emit ParticipantRejected(participantId, by, account, cause);
    }

    /// @inheritdoc IParticipants
    function admit(
        ParticipantId participantId,
        uint64 validUntil,
        bytes32 evidenceDigest,
        DigestAlg digestAlg,
        Authorization calldata authorization
    ) external {
        bytes32 argumentsHash = keccak256(abi.encode(participantId, validUntil, evidenceDigest, digestAlg));
        address account = _authorize(argumentsHash, authorization);
        Standing.Organisation storage record = _register.organisationOf(participantId);
        ParticipantId by = _register.requireAdmitter(account, participantId, record.homeVenue);
        if (record.state != ParticipantState.ADMITTED) record.requireState(participantId, ParticipantState.APPLIED);
        Admission.requireDigest(evidenceDigest, digestAlg, "evidenceDigest");
        Causes.requireOpenOrFuture(validUntil);
        uint64 time = Clock.nowSeconds();
        record.state = ParticipantState.ADMITTED;
        record.validUntil = validUntil;
        record.admittedAt = time;
        emit ParticipantAdmitted(participantId, by, account, time, validUntil, evidenceDigest, digestAlg);
    }

    /// @inheritdoc IParticipants
    function suspend(ParticipantId participantId, Cause calldata cause, Authorization calldata authorization) external {
        address account = _authorize(keccak256(abi.encode(participantId, cause)), authorization);
        Standing.Organisation storage record = _register.organisationOf(participantId);
        ParticipantId by = _register.requireSupervisor(account, participantId, cause);
        require(record.maySuspend(cause.authority), ParticipantStateWrong(participantId, record.state));
        record.state = ParticipantState.SUSPENDED;
        record.suspendedBy = cause.authority;
        record.stateUntil = cause.until;
        emit ParticipantSuspended(participantId, by, account, cause);
    }

    /// @inheritdoc IParticipants
    function restore(ParticipantId participantId, Cause calldata cause, Authorization calldata authorization) external {
        address account = _authorize(keccak256(abi.encode(participantId, cause)), authorization);
        Standing.Organisation storage record = _register.organisationOf(participantId);
        ParticipantId by = _register.requireSupervisor(account, participantId, cause);
        record.requireState(participantId, ParticipantState.SUSPENDED);
        require(record.suspendedBy == cause.authority, AuthorityMissing(by, uint8(record.suspendedBy)));
        record.state = ParticipantState.ADMITTED;
        emit ParticipantRestored(participantId, by, account, cause);
    }

    /// @inheritdoc IParticipants
    function requestExit(Authorization calldata authorization) external {
        address account = _authorize(keccak256(abi.encode()), authorization);
        ParticipantId participantId = _register.holderOf(account, Standing.ADMINISTER);
        Standing.Organisation storage record = _register.organisations[participantId];
        if (record.state != ParticipantState.SUSPENDED) record.requireState(participantId, ParticipantState.ADMITTED);
        record.state = ParticipantState.EXITING;
        emit ParticipantExitRequested(participantId, account);
    }

    /// @inheritdoc IParticipants
    function exit(ParticipantId participantId, Authorization calldata authorization) external {
        address account = _authorize(keccak256(abi.encode(participantId)), authorization);
        Standing.Organisation storage record = _register.organisationOf(participantId);
        ParticipantId by = _register.requireAdmitter(account, participantId, record.homeVenue);
        record.requireState(participantId, ParticipantState.EXITING);
        record.state = ParticipantState.EXITED;
        emit ParticipantExited(participantId, by, account);
    }

    // ---------------------------------------------------------------- writes: accounts

    /// @inheritdoc IParticipants
    function addAccount(
        address account,
        uint8 purposes,
        uint64 validFrom,
        uint64 validUntil,
        bytes calldata encryptionKey,
        bytes calldata consent,
        Authorization calldata authorization
    ) external {
        bytes32 argumentsHash = keccak256(abi.encode(account, purposes, validFrom, validUntil, encryptionKey, consent));
        address byAccount = _authorize(argumentsHash, authorization);
        ParticipantId participantId = _register.holderOf(byAccount, Standing.ADMINISTER);
        require(_register.keys[account].participantId == Standing.LEDGER, AccountAlreadyExists(account));
        _register.organisations[participantId].requireActive(participantId);
        Admission.requireAccount(purposes, validFrom, validUntil, encryptionKey);
        _register.enterAccount(participantId, account, purposes, validFrom, validUntil, keccak256(encryptionKey));
        emit AccountAdded(account, participantId, byAccount, purposes, validFrom, validUntil, encryptionKey);
        bytes32 joining = keccak256(abi.encode(JOIN_TYPEHASH, participantId, account, purposes));
        require(Signatures.isSigned(account, _hashTypedDataV4(joining), consent), SignatureInvalid(account));
    }

    /// @inheritdoc IParticipants
    function revokeAccount(address account, Cause calldata cause, Authorization calldata authorization) external {
        address byAccount = _authorize(keccak256(abi.encode(account, cause)), authorization);
        ParticipantId participantId = _register.accountOf(account).participantId;
        ParticipantId by = _register.requireRevoker(byAccount, participantId, cause);
        uint64 time = _register.endAccount(account);
        emit AccountRevoked(account, participantId, by, byAccount, time, cause);
    }

    // ---------------------------------------------------------------- writes: roles and recognition

    /// @inheritdoc IParticipants
    function grantRole(
        ParticipantId participantId,
        Role role,
        ParticipantId venue,
        uint64 validUntil,
        Authorization calldata authorization
    ) external {
        address account = _authorize(keccak256(abi.encode(participantId, role, venue, validUntil)), authorization);
        Standing.Organisation storage record = _register.organisationOf(participantId);
        ParticipantId by = _register.requireGranter(account, participantId, role, venue);
        record.requireActive(participantId);
        Roles.requireGrantable(participantId, role, venue);
        Causes.requireOpenOrFuture(validUntil);
        _register.terms[participantId][venue][role] = validUntil == 0 ? Standing.OPEN_TERM : validUntil;
        emit RoleGranted(participantId, role, venue, validUntil, by, account);
    }

    /// @inheritdoc IParticipants
    function revokeRole(
        ParticipantId participantId,
        Role role,
        ParticipantId venue,
        Cause calldata cause,
        Authorization calldata authorization
    ) external {
        address account = _authorize(keccak256(abi.encode(participantId, role, venue, cause)), authorization);
        _register.organisationOf(participantId);
        ParticipantId by = _register.requireGranter(account, participantId, role, venue);
        Causes.requireOfVenue(by, cause);
        require(_register.terms[participantId][venue][role] != 0, RoleMissing(participantId, role, venue));
        _register.terms[participantId][venue][role] = 0;
        emit RoleRevoked(participantId, role, venue, by, account, cause);
    }

    /// @inheritdoc IParticipants
    function assignIssuerCode(
        ParticipantId participantId,
        uint8 region,
        uint8 digit,
        Authorization calldata authorization
    ) external {
        address account = _authorize(keccak256(abi.encode(participantId, region, digit)), authorization);
        _register.organisationOf(participantId);
        _register.requireGovernor(account);
        _register.enterIssuerCode(participantId, region, digit);
        emit IssuerCodeAssigned(participantId, region, digit, account);
    }

    /// @inheritdoc IParticipants
    function setVenueRecognition(
        ParticipantId participantId,
        Recognition recognition,
        Cause calldata cause,
        Authorization calldata authorization
    ) external {
        address account = _authorize(keccak256(abi.encode(participantId, recognition, cause)), authorization);
        Standing.Organisation storage record = _register.organisationOf(participantId);
        ParticipantId venue = _register.actorOf(account).participantId;
        _register.requireExchange(venue);
        require(record.homeVenue != venue, FieldInvalid("participantId"));
        Admission.requireRecognition(_recognitions[participantId][venue], recognition);
        if (recognition == Recognition.RECOGNIZED) record.requireActive(participantId);
        else Causes.requireOfVenue(venue, cause);
        _recognitions[participantId][venue] = recognition;
        emit VenueRecognitionSet(participantId, venue, recognition, account, cause);
    }

    // ---------------------------------------------------------------- writes: the ledger itself

    /// @inheritdoc IParticipants
    function setModule(ModuleKind kind, address module, bool enabled, Authorization calldata authorization) external {
        address account = _authorize(keccak256(abi.encode(kind, module, enabled)), authorization);
        _register.requireGovernor(account);
        require(kind != ModuleKind.NONE, FieldInvalid("kind"));
        require(module != address(0), FieldInvalid("module"));
        (uint256 kinds, uint256 bit) = (_modules[module], 1 << uint8(kind));
        if ((kinds & bit != 0) == enabled) return;
        _modules[module] = kinds ^ bit;
        emit ModuleSet(kind, module, enabled, account);
    }

    /// @inheritdoc IParticipants
    function transferGovernor(address newGovernor, Authorization calldata authorization) external {
        address account = _authorize(keccak256(abi.encode(newGovernor)), authorization);
        _register.requireGovernor(account);
        require(newGovernor != address(0), FieldInvalid("newGovernor"));
        _register.governor = newGovernor;
        emit GovernorTransferred(account, newGovernor);
    }
}
