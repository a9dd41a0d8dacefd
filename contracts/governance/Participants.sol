// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IParticipants} from "../interfaces/IParticipants.sol";
import {Acting} from "../libraries/Acting.sol";
import {Clock} from "../libraries/Clock.sol";
import {Hashing} from "../libraries/Hashing.sol";
import {Signatures} from "../libraries/Signatures.sol";
import {Actor, Authorization, Cause} from "../types/Acting.sol";
import {AuthorityClass, DigestAlg} from "../types/Codes.sol";
import {ParticipantId} from "../types/Ids.sol";

/// @title Participants
contract Participants is IParticipants, Acting {
    // ---------------------------------------------------------------- types

    struct ParticipantRecord {
        // slot 0
        uint32 sequence;
        ParticipantState state;
        ParticipantType participantType;
        AuthorityClass suspendedBy;
        uint64 stateUntil; // deadline of the supplement asked for, or end of the suspension; 0 means open
        uint64 validUntil;
        uint16 administrators; // accounts that administer for ever, unless revoked
        uint8 region;
        uint8 digit;
        DigestAlg digestAlg;
        bytes4 usccLast4;
        // slot 1
        bytes32 usccDigest;
        // slot 2
        ParticipantId homeVenue;
        // slot 3
        bytes32 profileDigest;
        // slot 4
        address firstAccount;
        uint64 admittedAt;
        // slot 5
        address lastAccount; // latest business account added after the first
    }

    struct AccountRecord {
        // slot 0
        uint32 sequence;
        uint8 purposes;
        bool isAdministrator; // counted in `administrators`
        uint64 validFrom;
        uint64 validUntil;
        uint64 revokedAt;
        // slot 1
        bytes32 encryptionKeyHash;
    }

    // ---------------------------------------------------------------- constants

    ParticipantId private constant LEDGER = ParticipantId.wrap(0);
    uint8 private constant ADMINISTER = 1;
    uint8 private constant ACT = 2;
    uint8 private constant ALL_PURPOSES = 7;
    uint64 private constant OPEN_TERM = type(uint64).max;
    uint256 private constant ENCRYPTION_KEY_LENGTH = 33;
    bytes32 private constant JOIN_TYPEHASH =
        keccak256("JoinParticipant(bytes32 participantId,address account,uint8 purposes)");

    // ---------------------------------------------------------------- storage

    address private _governor;
    uint32 private _sequence;
    mapping(ParticipantId participantId => ParticipantRecord) private _participants;
    mapping(uint32 sequence => ParticipantId) private _participantIds;
    mapping(address account => AccountRecord) private _accounts;
    /// @dev End of the term, {OPEN_TERM} without one, 0 if not granted.
    mapping(ParticipantId participantId => mapping(ParticipantId venue => mapping(Role => uint64))) private _roles;
    mapping(ParticipantId participantId => mapping(ParticipantId venue => Recognition)) private _recognitions;
    mapping(uint8 region => mapping(uint8 digit => bool)) private _issuerCodes;
    mapping(ModuleKind => mapping(address module => bool)) private _modules;

    // ---------------------------------------------------------------- constructor

    /// @param governor_ The ledger's first governor.
    constructor(address governor_) {
        require(governor_ != address(0), FieldInvalid("governor"));
        _governor = governor_;
        emit GovernorTransferred(address(0), governor_);
    }

    // ---------------------------------------------------------------- views

    /// @inheritdoc IParticipants
    function governor() external view returns (address) {
        return _governor;
    }

    /// @inheritdoc IParticipants
    function isModule(ModuleKind kind, address module) external view returns (bool) {
        return _modules[kind][module];
    }

    /// @inheritdoc IParticipants
    function participantOf(ParticipantId participantId) external view returns (Participant memory) {
        ParticipantRecord storage record = _recordOf(participantId);
        return Participant({
            participantId: participantId,
            sequence: record.sequence,
            participantType: record.participantType,
            state: record.state,
            usccDigest: record.usccDigest,
            usccLast4: record.usccLast4,
            homeVenue: record.homeVenue,
            profileDigest: record.profileDigest,
            digestAlg: record.digestAlg,
            admittedAt: record.admittedAt,
            validUntil: record.validUntil,
            supplementUntil: record.state == ParticipantState.SUPPLEMENT_REQUIRED ? record.stateUntil : 0
        });
    }

    /// @inheritdoc IParticipants
    function participantBySequence(uint32 sequence) external view returns (ParticipantId participantId) {
        participantId = _participantIds[sequence];
        require(participantId != LEDGER, ParticipantNotFound(participantId));
    }

    /// @inheritdoc IParticipants
    function sequenceOf(ParticipantId participantId) external view returns (uint32 sequence) {
        return _recordOf(participantId).sequence;
    }

    /// @inheritdoc IParticipants
    function accountOf(address account) external view returns (Account memory) {
        AccountRecord storage record = _accounts[account];
        require(record.sequence != 0, AccountNotFound(account));
        return Account({
            account: account,
            participantId: _participantIds[record.sequence],
            purposes: record.purposes,
            validFrom: record.validFrom,
            validUntil: record.validUntil,
            revokedAt: record.revokedAt,
            encryptionKeyHash: record.encryptionKeyHash
        });
    }

    /// @inheritdoc IParticipants
    function roleUntil(ParticipantId participantId, Role role, ParticipantId venue)
        external
        view
        returns (bool granted, uint64 validUntil)
    {
        uint64 term = _roles[participantId][venue][role];
        return (term != 0, term == OPEN_TERM ? 0 : term);
    }

    /// @inheritdoc IParticipants
    function issuerCodeOf(ParticipantId participantId) external view returns (uint8 region, uint8 digit) {
        ParticipantRecord storage record = _recordOf(participantId);
        (region, digit) = (record.region, record.digit);
        require(region != 0, IssuerCodeMissing(participantId));
    }

    /// @inheritdoc IParticipants
    function recognitionOf(ParticipantId participantId, ParticipantId venue) external view returns (Recognition) {
        return _recognitions[participantId][venue];
    }

    /// @inheritdoc IParticipants
    function primaryAccountOf(ParticipantId participantId) external view returns (address) {
        ParticipantRecord storage record = _recordOf(participantId);
        (address first, address last) = (record.firstAccount, record.lastAccount);
        return last == address(0) || _isAccountActive(_accounts[first], ACT) ? first : last;
    }

    /// @inheritdoc IParticipants
    function isActive(ParticipantId participantId) public view returns (bool) {
        return _isActive(_participants[participantId]);
    }

    /// @inheritdoc IParticipants
    function hasRole(ParticipantId participantId, Role role, ParticipantId venue) public view returns (bool) {
        uint64 time = Clock.nowSeconds();
        if (_roles[participantId][venue][role] > time) return true;
        return venue != LEDGER && _roles[participantId][LEDGER][role] > time;
    }

    /// @inheritdoc IParticipants
    function actorOf(address account) public view returns (Actor memory) {
        ParticipantId participantId = _participantOfAccount(account, ACT);
        ParticipantRecord storage record = _participants[participantId];
        require(_isActive(record), ParticipantNotActive(participantId, record.state));
        return Actor({participantId: participantId, sequence: record.sequence, account: account});
    }

    /// @inheritdoc IParticipants
    function actorInRole(address account, Role role, ParticipantId venue) public view returns (Actor memory actor) {
        actor = actorOf(account);
        require(hasRole(actor.participantId, role, venue), RoleMissing(actor.participantId, role, venue));
    }

    /// @inheritdoc IParticipants
    function actorForCause(address account, Cause calldata cause, ParticipantId venue)
        public
        view
        returns (Actor memory actor)
    {
        actor = actorOf(account);
        _requireComplete(cause);
        require(
            _hasStanding(actor.participantId, cause.authority, venue),
            AuthorityMissing(actor.participantId, uint8(cause.authority))
        );
    }

    // ---------------------------------------------------------------- writes: admission

    /// @inheritdoc IParticipants
    function applyForAdmission(Application calldata params, Authorization calldata authorization)
        external
        returns (ParticipantId participantId)
    {
        address account = _authorize(keccak256(abi.encode(params)), authorization);
        participantId = Hashing.participantId(params.usccDigest);
        ParticipantRecord storage record = _participants[participantId];
        require(_mayApply(record), ParticipantAlreadyExists(participantId));
        require(
            _accounts[account].sequence == 0 || account == record.firstAccount, AccountAlreadyExists(account)
        );
        _requireApplication(params);
        if (record.sequence == 0) {
            record.sequence = ++_sequence;
            _participantIds[record.sequence] = participantId;
        } else if (account != record.firstAccount) {
            _revokeFirstAccount(participantId, record, account);
        }
        record.state = ParticipantState.APPLIED;
        record.participantType = params.participantType;
        record.stateUntil = 0;
        record.administrators = 1;
        record.digestAlg = params.digestAlg;
        record.usccLast4 = params.usccLast4;
        record.usccDigest = params.usccDigest;
        record.homeVenue = params.homeVenue;
        record.profileDigest = params.profileDigest;
        record.firstAccount = account;
        _accounts[account] = AccountRecord({
            sequence: record.sequence,
            purposes: ALL_PURPOSES,
            isAdministrator: true,
            validFrom: 0,
            validUntil: 0,
            revokedAt: 0,
            encryptionKeyHash: keccak256(params.encryptionKey)
        });
        emit ParticipantApplied(
            participantId,
            account,
            params.homeVenue,
            record.sequence,
            params.participantType,
            params.usccDigest,
            params.usccLast4,
            params.profileDigest,
            params.digestAlg,
            ALL_PURPOSES,
            params.encryptionKey
        );
    }

    /// @inheritdoc IParticipants
    function requestSupplement(
        ParticipantId participantId,
        uint64 supplementUntil,
        Cause calldata cause,
        Authorization calldata authorization
    ) external {
        address account = _authorize(keccak256(abi.encode(participantId, supplementUntil, cause)), authorization);
        ParticipantRecord storage record = _recordOf(participantId);
        ParticipantId byParticipant = _requireAdmitterForCause(account, participantId, record.homeVenue, cause);
        require(record.state == ParticipantState.APPLIED, ParticipantStateWrong(participantId, record.state));
        uint64 time = Clock.nowSeconds();
        require(supplementUntil > time, TimeInPast(supplementUntil, time));
        record.state = ParticipantState.SUPPLEMENT_REQUIRED;
        record.stateUntil = supplementUntil;
        emit ParticipantSupplementRequested(participantId, byParticipant, account, supplementUntil, cause);
    }

    /// @inheritdoc IParticipants
    function supplement(
        ParticipantId participantId,
        bytes32 profileDigest,
        DigestAlg digestAlg,
        Authorization calldata authorization
    ) external {
        address account = _authorize(keccak256(abi.encode(participantId, profileDigest, digestAlg)), authorization);
        ParticipantRecord storage record = _recordOf(participantId);
        ParticipantId caller = _participantOfAccount(account, ADMINISTER);
        require(caller == participantId, CallerNotAdmitter(caller, participantId));
        require(
            record.state == ParticipantState.SUPPLEMENT_REQUIRED, ParticipantStateWrong(participantId, record.state)
        );
        uint64 time = Clock.nowSeconds();
        require(time < record.stateUntil, DeadlinePassed(record.stateUntil, time));
        _requireDigest(profileDigest, digestAlg, "profileDigest");
        record.state = ParticipantState.APPLIED;
        record.stateUntil = 0;
        record.profileDigest = profileDigest;
        record.digestAlg = digestAlg;
        emit ParticipantSupplemented(participantId, account, profileDigest, digestAlg);
    }

    /// @inheritdoc IParticipants
    function reject(ParticipantId participantId, Cause calldata cause, Authorization calldata authorization) external {
        address account = _authorize(keccak256(abi.encode(participantId, cause)), authorization);
        ParticipantRecord storage record = _recordOf(participantId);
        ParticipantId byParticipant = _requireAdmitterForCause(account, participantId, record.homeVenue, cause);
        require(record.state == ParticipantState.APPLIED, ParticipantStateWrong(participantId, record.state));
        record.state = ParticipantState.REJECTED;
        emit ParticipantRejected(participantId, byParticipant, account, cause);
    }

    /// @inheritdoc IParticipants
    function admit(
        ParticipantId participantId,
        uint64 validUntil,
        bytes32 evidenceDigest,
        DigestAlg digestAlg,
        Authorization calldata authorization
    ) external {
        address account =
            _authorize(keccak256(abi.encode(participantId, validUntil, evidenceDigest, digestAlg)), authorization);
        ParticipantRecord storage record = _recordOf(participantId);
        ParticipantId byParticipant = _requireAdmitter(account, participantId, record.homeVenue);
        require(
            record.state == ParticipantState.APPLIED || record.state == ParticipantState.ADMITTED,
            ParticipantStateWrong(participantId, record.state)
        );
        _requireDigest(evidenceDigest, digestAlg, "evidenceDigest");
        _requireOpenOrFuture(validUntil);
        uint64 time = Clock.nowSeconds();
        record.state = ParticipantState.ADMITTED;
        record.validUntil = validUntil;
        record.admittedAt = time;
        emit ParticipantAdmitted(participantId, byParticipant, account, time, validUntil, evidenceDigest, digestAlg);
    }

    /// @inheritdoc IParticipants
    function suspend(ParticipantId participantId, Cause calldata cause, Authorization calldata authorization) external {
        address account = _authorize(keccak256(abi.encode(participantId, cause)), authorization);
        ParticipantRecord storage record = _recordOf(participantId);
        ParticipantId byParticipant = _requireSupervisor(account, participantId, record.homeVenue, cause);
        require(_maySuspend(record, cause.authority), ParticipantStateWrong(participantId, record.state));
        record.state = ParticipantState.SUSPENDED;
        record.suspendedBy = cause.authority;
        record.stateUntil = cause.until;
        emit ParticipantSuspended(participantId, byParticipant, account, cause);
    }

    /// @inheritdoc IParticipants
    function restore(ParticipantId participantId, Cause calldata cause, Authorization calldata authorization) external {
        address account = _authorize(keccak256(abi.encode(participantId, cause)), authorization);
        ParticipantRecord storage record = _recordOf(participantId);
        ParticipantId byParticipant = _requireSupervisor(account, participantId, record.homeVenue, cause);
        require(record.state == ParticipantState.SUSPENDED, ParticipantStateWrong(participantId, record.state));
        require(record.suspendedBy == cause.authority, AuthorityMissing(byParticipant, uint8(record.suspendedBy)));
        record.state = ParticipantState.ADMITTED;
        record.suspendedBy = AuthorityClass.NONE;
        record.stateUntil = 0;
        emit ParticipantRestored(participantId, byParticipant, account, cause);
    }

    /// @inheritdoc IParticipants
    function requestExit(Authorization calldata authorization) external {
        address account = _authorize(keccak256(""), authorization);
        ParticipantId participantId = _participantOfAccount(account, ADMINISTER);
        ParticipantRecord storage record = _participants[participantId];
        require(
            record.state == ParticipantState.ADMITTED || record.state == ParticipantState.SUSPENDED,
            ParticipantStateWrong(participantId, record.state)
        );
        record.state = ParticipantState.EXITING;
        emit ParticipantExitRequested(participantId, account);
    }

    /// @inheritdoc IParticipants
    function exit(ParticipantId participantId, Authorization calldata authorization) external {
        address account = _authorize(keccak256(abi.encode(participantId)), authorization);
        ParticipantRecord storage record = _recordOf(participantId);
        ParticipantId byParticipant = _requireAdmitter(account, participantId, record.homeVenue);
        require(record.state == ParticipantState.EXITING, ParticipantStateWrong(participantId, record.state));
        record.state = ParticipantState.EXITED;
        emit ParticipantExited(participantId, byParticipant, account);
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
        address byAccount = _authorize(
            keccak256(abi.encode(account, purposes, validFrom, validUntil, encryptionKey, consent)), authorization
        );
        ParticipantId participantId = _participantOfAccount(byAccount, ADMINISTER);
        require(_accounts[account].sequence == 0, AccountAlreadyExists(account));
        ParticipantRecord storage record = _participants[participantId];
        require(_isActive(record), ParticipantNotActive(participantId, record.state));
        require(purposes != 0 && purposes <= ALL_PURPOSES, FieldInvalid("purposes"));
        _requireOpenOrFuture(validUntil);
        require(validUntil == 0 || validFrom < validUntil, FieldInvalid("validFrom"));
        _requireEncryptionKey(encryptionKey);
        _recordAccount(record, account, purposes, validFrom, validUntil, keccak256(encryptionKey));
        emit AccountAdded(account, participantId, byAccount, purposes, validFrom, validUntil, encryptionKey);
        _requireConsent(participantId, account, purposes, consent);
    }

    /// @inheritdoc IParticipants
    function revokeAccount(address account, Cause calldata cause, Authorization calldata authorization) external {
        address byAccount = _authorize(keccak256(abi.encode(account, cause)), authorization);
        AccountRecord storage record = _accounts[account];
        require(record.sequence != 0, AccountNotFound(account));
        ParticipantId participantId = _participantIds[record.sequence];
        ParticipantId byParticipant = _requireRevoker(byAccount, participantId, cause);
        require(record.revokedAt == 0, AccountNotActive(account, record.purposes));
        if (record.isAdministrator) {
            ParticipantRecord storage participant = _participants[participantId];
            require(participant.administrators > 1, AccountLastAdministrator(account));
            participant.administrators -= 1;
        }
        uint64 time = Clock.nowSeconds();
        record.revokedAt = time;
        emit AccountRevoked(account, participantId, byParticipant, byAccount, time, cause);
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
        ParticipantRecord storage record = _recordOf(participantId);
        ParticipantId byParticipant = _requireGranter(account, participantId, role, venue);
        require(_isActive(record), ParticipantNotActive(participantId, record.state));
        require(role != Role.EXCHANGE_OPERATOR || venue == participantId, FieldInvalid("venue"));
        require(
            participantId != venue || !_isTradingRole(role),
            RolesIncompatible(participantId, role, Role.EXCHANGE_OPERATOR)
        );
        _requireOpenOrFuture(validUntil);
        _roles[participantId][venue][role] = validUntil == 0 ? OPEN_TERM : validUntil;
        emit RoleGranted(participantId, role, venue, validUntil, byParticipant, account);
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
        _recordOf(participantId);
        ParticipantId byParticipant = _requireGranter(account, participantId, role, venue);
        _requireVenueCause(byParticipant, cause);
        require(_roles[participantId][venue][role] != 0, RoleMissing(participantId, role, venue));
        _roles[participantId][venue][role] = 0;
        emit RoleRevoked(participantId, role, venue, byParticipant, account, cause);
    }

    /// @inheritdoc IParticipants
    function assignIssuerCode(ParticipantId participantId, uint8 region, uint8 digit, Authorization calldata authorization)
        external
    {
        address account = _authorize(keccak256(abi.encode(participantId, region, digit)), authorization);
        ParticipantRecord storage record = _recordOf(participantId);
        _requireGovernor(account);
        require(region >= 10 && region <= 99, FieldInvalid("region"));
        require(digit <= 9, FieldInvalid("digit"));
        require(!_issuerCodes[region][digit], IssuerCodeTaken(region, digit));
        _issuerCodes[region][digit] = true;
        (record.region, record.digit) = (region, digit);
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
        ParticipantRecord storage record = _recordOf(participantId);
        ParticipantId venue = actorOf(account).participantId;
        require(hasRole(venue, Role.EXCHANGE_OPERATOR, venue), RoleMissing(venue, Role.EXCHANGE_OPERATOR, venue));
        Recognition previous = _recognitions[participantId][venue];
        require(_mayRecognize(previous, recognition), FieldInvalid("recognition"));
        require(record.homeVenue != venue, FieldInvalid("participantId"));
        if (recognition == Recognition.RECOGNIZED) {
            require(_isActive(record), ParticipantNotActive(participantId, record.state));
        } else {
            _requireVenueCause(venue, cause);
        }
        _recognitions[participantId][venue] = recognition;
        emit VenueRecognitionSet(participantId, venue, recognition, account, cause);
    }

    // ---------------------------------------------------------------- writes: the ledger itself

    /// @inheritdoc IParticipants
    function setModule(ModuleKind kind, address module, bool enabled, Authorization calldata authorization) external {
        address account = _authorize(keccak256(abi.encode(kind, module, enabled)), authorization);
        _requireGovernor(account);
        require(kind != ModuleKind.NONE, FieldInvalid("kind"));
        require(module != address(0), FieldInvalid("module"));
        if (_modules[kind][module] == enabled) return;
        _modules[kind][module] = enabled;
        emit ModuleSet(kind, module, enabled, account);
    }

    /// @inheritdoc IParticipants
    function transferGovernor(address newGovernor, Authorization calldata authorization) external {
        address account = _authorize(keccak256(abi.encode(newGovernor)), authorization);
        _requireGovernor(account);
        require(newGovernor != address(0), FieldInvalid("newGovernor"));
        _governor = newGovernor;
        emit GovernorTransferred(account, newGovernor);
    }

    // ---------------------------------------------------------------- internal: standing

    function _recordOf(ParticipantId participantId) private view returns (ParticipantRecord storage record) {
        record = _participants[participantId];
        require(record.sequence != 0, ParticipantNotFound(participantId));
    }

    /// @dev Returns whose an account is, if it is active for the purpose; says nothing about the participant's own state.
    function _participantOfAccount(address account, uint8 purpose) private view returns (ParticipantId) {
        AccountRecord storage record = _accounts[account];
        require(record.sequence != 0, AccountNotFound(account));
        require(_isAccountActive(record, purpose), AccountNotActive(account, purpose));
        return _participantIds[record.sequence];
    }

    function _isAccountActive(AccountRecord storage record, uint8 purpose) private view returns (bool) {
        uint64 time = Clock.nowSeconds();
        return record.purposes & purpose != 0 && record.revokedAt == 0 && time >= record.validFrom
            && (record.validUntil == 0 || time < record.validUntil);
    }

    function _isActive(ParticipantRecord storage record) private view returns (bool) {
        uint64 time = Clock.nowSeconds();
        if (record.validUntil != 0 && time >= record.validUntil) return false;
        return record.state == ParticipantState.ADMITTED || _isSuspensionOver(record, time);
    }

    function _isSuspensionOver(ParticipantRecord storage record, uint64 time) private view returns (bool) {
        return record.state == ParticipantState.SUSPENDED && record.stateUntil != 0 && time >= record.stateUntil;
    }

    /// @dev A regulator's suspension takes the place of a venue's, so that the venue cannot lift it.
    function _maySuspend(ParticipantRecord storage record, AuthorityClass authority) private view returns (bool) {
        if (record.state == ParticipantState.ADMITTED || _isSuspensionOver(record, Clock.nowSeconds())) return true;
        return record.state == ParticipantState.SUSPENDED && authority == AuthorityClass.REGULATOR
            && record.suspendedBy != authority;
    }

    /// @dev A rejected or lapsed application may be made again: else a stranger's would shut the organisation out.
    function _mayApply(ParticipantRecord storage record) private view returns (bool) {
        if (record.state == ParticipantState.NONE || record.state == ParticipantState.REJECTED) return true;
        return record.state == ParticipantState.SUPPLEMENT_REQUIRED && Clock.nowSeconds() >= record.stateUntil;
    }

    function _mayRecognize(Recognition previous, Recognition recognition) private pure returns (bool) {
        if (recognition == Recognition.RECOGNIZED) return previous != Recognition.RECOGNIZED;
        if (recognition == Recognition.REVOKED) return previous == Recognition.RECOGNIZED;
        return recognition == Recognition.DECLINED && previous == Recognition.NONE;
    }

    function _hasStanding(ParticipantId caller, AuthorityClass authority, ParticipantId venue)
        private
        view
        returns (bool)
    {
        if (authority == AuthorityClass.REGULATOR) return hasRole(caller, Role.REGULATOR, venue);
        if (authority == AuthorityClass.COURT) return hasRole(caller, Role.COURT_GATEWAY, venue);
        if (authority == AuthorityClass.ARBITRATION) return hasRole(caller, Role.ARBITRATOR, venue);
        if (authority == AuthorityClass.VENUE) return hasRole(caller, Role.EXCHANGE_OPERATOR, venue);
        if (authority == AuthorityClass.BANK) return hasRole(caller, Role.SETTLEMENT_BANK, venue);
        if (authority == AuthorityClass.ISSUER) {
            return hasRole(caller, Role.REGISTRAR, venue) || hasRole(caller, Role.EXCHANGE_OPERATOR, venue);
        }
        return authority == AuthorityClass.PARTY;
    }

    // ---------------------------------------------------------------- internal: guards

    function _requireGovernor(address account) private view {
        require(account == _governor, CallerNotGovernor(account));
    }

    /// @dev The admitting body: the home venue, or the governor where there is none. Returns the caller's organisation, if any.
    function _requireAdmitter(address account, ParticipantId participantId, ParticipantId homeVenue)
        private
        view
        returns (ParticipantId caller)
    {
        if (homeVenue == LEDGER) {
            caller = _participantIds[_accounts[account].sequence];
            require(account == _governor, CallerNotAdmitter(caller, participantId));
        } else {
            caller = actorOf(account).participantId;
            require(
                caller == homeVenue && hasRole(caller, Role.EXCHANGE_OPERATOR, caller),
                CallerNotAdmitter(caller, participantId)
            );
        }
    }

    function _requireAdmitterForCause(
        address account,
        ParticipantId participantId,
        ParticipantId homeVenue,
        Cause calldata cause
    ) private view returns (ParticipantId caller) {
        caller = _requireAdmitter(account, participantId, homeVenue);
        _requireVenueCause(caller, cause);
    }

    /// @dev The admitting body, or a regulator of its venue.
    function _requireSupervisor(
        address account,
        ParticipantId participantId,
        ParticipantId homeVenue,
        Cause calldata cause
    ) private view returns (ParticipantId) {
        if (cause.authority == AuthorityClass.REGULATOR) return actorForCause(account, cause, homeVenue).participantId;
        return _requireAdmitterForCause(account, participantId, homeVenue, cause);
    }

    /// @dev The organisation itself as PARTY, or its admitting body as VENUE.
    function _requireRevoker(address account, ParticipantId participantId, Cause calldata cause)
        private
        view
        returns (ParticipantId caller)
    {
        if (cause.authority != AuthorityClass.PARTY) {
            return _requireAdmitterForCause(account, participantId, _participants[participantId].homeVenue, cause);
        }
        caller = _participantOfAccount(account, ADMINISTER);
        require(caller == participantId, CallerNotAdmitter(caller, participantId));
        _requireComplete(cause);
    }

    /// @dev The governor grants roles that serve the ledger, an exchange those of its own venue.
    function _requireGranter(address account, ParticipantId participantId, Role role, ParticipantId venue)
        private
        view
        returns (ParticipantId caller)
    {
        require(role != Role.NONE, FieldInvalid("role"));
        if (venue != LEDGER) _recordOf(venue);
        return _requireAdmitter(account, participantId, _isVenueRole(role) ? venue : LEDGER);
    }

    function _isTradingRole(Role role) private pure returns (bool) {
        return role == Role.SELLER || role == Role.BUYER || role == Role.BROKER;
    }

    function _isVenueRole(Role role) private pure returns (bool) {
        return _isTradingRole(role) || role == Role.ASSESSOR || role == Role.CUSTODIAN || role == Role.TRUSTEE
            || role == Role.DELIVERY_PROVIDER || role == Role.INSURER || role == Role.NOTARY || role == Role.CLEARING;
    }

    function _requireComplete(Cause calldata cause) private view {
        require(
            cause.reasonCode != 0 && cause.documentDigest != 0 && cause.digestAlg != DigestAlg.NONE,
            CauseIncomplete(cause.reasonCode, cause.documentDigest)
        );
        _requireOpenOrFuture(cause.until);
    }

    /// @dev The admitting body speaks as VENUE, the governor too.
    function _requireVenueCause(ParticipantId caller, Cause calldata cause) private view {
        _requireComplete(cause);
        require(cause.authority == AuthorityClass.VENUE, AuthorityMissing(caller, uint8(cause.authority)));
    }

    function _requireOpenOrFuture(uint64 time) private view {
        uint64 current = Clock.nowSeconds();
        require(time == 0 || time > current, TimeInPast(time, current));
    }

    function _requireDigest(bytes32 digest, DigestAlg digestAlg, bytes32 field) private pure {
        require(digest != 0 && digestAlg != DigestAlg.NONE, FieldInvalid(field));
    }

    function _requireEncryptionKey(bytes calldata key) private pure {
        require(
            key.length == ENCRYPTION_KEY_LENGTH && (key[0] == 0x02 || key[0] == 0x03), FieldInvalid("encryptionKey")
        );
    }

    function _requireApplication(Application calldata params) private view {
        require(params.usccDigest != 0, FieldInvalid("usccDigest"));
        require(params.usccLast4 != 0, FieldInvalid("usccLast4"));
        require(params.participantType != ParticipantType.NONE, FieldInvalid("participantType"));
        _requireDigest(params.profileDigest, params.digestAlg, "profileDigest");
        _requireEncryptionKey(params.encryptionKey);
        ParticipantId venue = params.homeVenue;
        if (venue == LEDGER) return;
        ParticipantRecord storage record = _recordOf(venue);
        require(hasRole(venue, Role.EXCHANGE_OPERATOR, venue), RoleMissing(venue, Role.EXCHANGE_OPERATOR, venue));
        require(_isActive(record), ParticipantNotActive(venue, record.state));
    }

    function _requireConsent(ParticipantId participantId, address account, uint8 purposes, bytes calldata consent)
        private
        view
    {
        bytes32 digest = _hashTypedDataV4(keccak256(abi.encode(JOIN_TYPEHASH, participantId, account, purposes)));
        require(Signatures.isSigned(account, digest, consent), SignatureInvalid(account));
    }

    // ---------------------------------------------------------------- internal: accounts

    /// @dev An account that administers without a term counts as an administrator; the last one is never revoked.
    function _recordAccount(
        ParticipantRecord storage participant,
        address account,
        uint8 purposes,
        uint64 validFrom,
        uint64 validUntil,
        bytes32 encryptionKeyHash
    ) private {
        bool isAdministrator = purposes & ADMINISTER != 0 && validUntil == 0 && validFrom <= Clock.nowSeconds();
        if (isAdministrator) participant.administrators += 1;
        if (purposes & ACT != 0) participant.lastAccount = account;
        _accounts[account] = AccountRecord({
            sequence: participant.sequence,
            purposes: purposes,
            isAdministrator: isAdministrator,
            validFrom: validFrom,
            validUntil: validUntil,
            revokedAt: 0,
            encryptionKeyHash: encryptionKeyHash
        });
    }

    /// @dev Whoever applied in vain before loses the organisation to the new applicant.
    function _revokeFirstAccount(ParticipantId participantId, ParticipantRecord storage record, address byAccount)
        private
    {
        Cause memory cause;
        uint64 time = Clock.nowSeconds();
        address previous = record.firstAccount;
        _accounts[previous].revokedAt = time;
        emit AccountRevoked(previous, participantId, participantId, byAccount, time, cause);
    }
}
