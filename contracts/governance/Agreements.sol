// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAgreements} from "../interfaces/IAgreements.sol";
import {IParticipants} from "../interfaces/IParticipants.sol";
import {Acting} from "../libraries/Acting.sol";
import {Clock} from "../libraries/Clock.sol";
import {Hashing} from "../libraries/Hashing.sol";
import {Actor, Authorization, Cause} from "../types/Acting.sol";
import {DigestAlg} from "../types/Codes.sol";
import {AgreementId, ParticipantId} from "../types/Ids.sol";

/// @title Agreements
contract Agreements is IAgreements, Acting {
    // ---------------------------------------------------------------- types

    enum Membership {
        NONE,
        INVITED,
        SIGNED
    }

    struct AgreementRecord {
        // slot 0
        AgreementState state;
        uint8 scopes;
        uint32 maxAgeSeconds;
        uint8 memberCount;
        uint8 signedCount;
        DigestAlg digestAlg;
        uint64 effectiveAt;
        uint64 validUntil;
        // slot 1
        bytes32 membersHash;
        // slot 2
        bytes32 documentDigest;
    }

    // ---------------------------------------------------------------- constants and immutables

    uint256 private constant MIN_MEMBERS = 2;
    uint256 private constant MAX_MEMBERS = 64;
    uint8 private constant ALL_SCOPES = 63;

    IParticipants private immutable _participants;

    // ---------------------------------------------------------------- storage

    mapping(AgreementId agreementId => AgreementRecord) private _agreements;
    mapping(AgreementId agreementId => mapping(ParticipantId participantId => Membership)) private _memberships;

    // ---------------------------------------------------------------- constructor

    constructor(IParticipants participants) {
        _participants = participants;
    }

    // ---------------------------------------------------------------- views

    /// @inheritdoc IAgreements
    function agreementOf(AgreementId agreementId) external view returns (Agreement memory) {
        AgreementRecord storage record = _recordOf(agreementId);
        return Agreement({
            agreementId: agreementId,
            state: record.state,
            scopes: record.scopes,
            maxAgeSeconds: record.maxAgeSeconds,
            membersHash: record.membersHash,
            memberCount: record.memberCount,
            signedCount: record.signedCount,
            documentDigest: record.documentDigest,
            digestAlg: record.digestAlg,
            effectiveAt: record.effectiveAt,
            validUntil: record.validUntil
        });
    }

    /// @inheritdoc IAgreements
    function hasSigned(AgreementId agreementId, ParticipantId participantId) external view returns (bool) {
        _recordOf(agreementId);
        return _memberships[agreementId][participantId] == Membership.SIGNED;
    }

    /// @inheritdoc IAgreements
    function covers(AgreementId agreementId, ParticipantId venue, ParticipantId peer, uint8 scopes)
        external
        view
        returns (bool)
    {
        AgreementRecord storage record = _agreements[agreementId];
        if (record.state != AgreementState.ACTIVE || venue == peer) return false;
        if (record.validUntil != 0 && Clock.nowSeconds() >= record.validUntil) return false;
        return scopes != 0 && record.scopes & scopes == scopes && _memberships[agreementId][venue] == Membership.SIGNED
            && _memberships[agreementId][peer] == Membership.SIGNED;
    }

    // ---------------------------------------------------------------- writes

    /// @inheritdoc IAgreements
    function propose(AgreementProposal calldata params, Authorization calldata authorization)
        external
        returns (AgreementId agreementId)
    {
        address account =
            _authorize(_isRelayed(authorization) ? keccak256(abi.encode(params)) : bytes32(0), authorization);
        Actor memory actor = _exchangeOf(account);
        bytes32 membersHash = keccak256(abi.encode(params.members));
        agreementId = AgreementId.wrap(Hashing.actId("agreement", actor.participantId, membersHash, params.salt));
        require(_agreements[agreementId].state == AgreementState.NONE, AgreementAlreadyExists(agreementId));
        _requireTerms(params);
        _invite(agreementId, params.members);
        require(
            _memberships[agreementId][actor.participantId] == Membership.INVITED,
            CallerNotMember(agreementId, actor.participantId)
        );
        _memberships[agreementId][actor.participantId] = Membership.SIGNED;
        _agreements[agreementId] = AgreementRecord({
            state: AgreementState.PROPOSED,
            scopes: params.scopes,
            maxAgeSeconds: params.maxAgeSeconds,
            memberCount: uint8(params.members.length),
            signedCount: 1,
            digestAlg: params.digestAlg,
            effectiveAt: 0,
            validUntil: params.validUntil,
            membersHash: membersHash,
            documentDigest: params.documentDigest
        });
        emit AgreementProposed(
            agreementId,
            actor.participantId,
            account,
            params.members,
            params.scopes,
            params.maxAgeSeconds,
            params.documentDigest,
            params.digestAlg,
            params.validUntil
        );
    }

    /// @inheritdoc IAgreements
    function sign(AgreementId agreementId, Authorization calldata authorization) external {
        address account = _authorize(keccak256(abi.encode(agreementId)), authorization);
        AgreementRecord storage record = _recordOf(agreementId);
        Actor memory actor = _exchangeOf(account);
        Membership membership = _memberships[agreementId][actor.participantId];
        require(membership != Membership.NONE, CallerNotMember(agreementId, actor.participantId));
        require(record.state == AgreementState.PROPOSED, AgreementStateWrong(agreementId, record.state));
        require(membership != Membership.SIGNED, MemberAlreadySigned(agreementId, actor.participantId));
        uint64 time = Clock.nowSeconds();
        require(record.validUntil == 0 || time < record.validUntil, DeadlinePassed(record.validUntil, time));
        _memberships[agreementId][actor.participantId] = Membership.SIGNED;
        uint8 signedCount = record.signedCount + 1;
        record.signedCount = signedCount;
        if (signedCount == record.memberCount) {
            record.state = AgreementState.ACTIVE;
            record.effectiveAt = time;
        }
        emit AgreementSigned(agreementId, actor.participantId, account, signedCount, record.effectiveAt);
    }

    /// @inheritdoc IAgreements
    function terminate(AgreementId agreementId, Cause calldata cause, Authorization calldata authorization) external {
        address account = _authorize(keccak256(abi.encode(agreementId, cause)), authorization);
        AgreementRecord storage record = _recordOf(agreementId);
        Actor memory actor = _exchangeOf(account);
        _participants.actorForCause(account, cause, actor.participantId);
        require(
            _memberships[agreementId][actor.participantId] != Membership.NONE,
            CallerNotMember(agreementId, actor.participantId)
        );
        require(record.state != AgreementState.TERMINATED, AgreementStateWrong(agreementId, record.state));
        record.state = AgreementState.TERMINATED;
        emit AgreementTerminated(agreementId, actor.participantId, account, cause);
    }

    // ---------------------------------------------------------------- internal

    function _recordOf(AgreementId agreementId) private view returns (AgreementRecord storage record) {
        record = _agreements[agreementId];
        require(record.state != AgreementState.NONE, AgreementNotFound(agreementId));
    }

    /// @dev Returns who acts, which must be an exchange.
    function _exchangeOf(address account) private view returns (Actor memory actor) {
        actor = _participants.actorOf(account);
        _requireExchange(actor.participantId);
    }

    function _requireExchange(ParticipantId participantId) private view {
        require(
            _participants.hasRole(participantId, IParticipants.Role.EXCHANGE_OPERATOR, participantId),
            IParticipants.RoleMissing(participantId, IParticipants.Role.EXCHANGE_OPERATOR, participantId)
        );
    }

    function _requireTerms(AgreementProposal calldata params) private view {
        uint256 count = params.members.length;
        require(count >= MIN_MEMBERS && count <= MAX_MEMBERS, MembersInvalid(count));
        require(params.scopes != 0 && params.scopes <= ALL_SCOPES, FieldInvalid("scopes"));
        require(params.maxAgeSeconds != 0, FieldInvalid("maxAgeSeconds"));
        require(params.documentDigest != 0 && params.digestAlg != DigestAlg.NONE, FieldInvalid("documentDigest"));
        uint64 time = Clock.nowSeconds();
        require(params.validUntil == 0 || params.validUntil > time, TimeInPast(params.validUntil, time));
    }

    function _invite(AgreementId agreementId, ParticipantId[] calldata members) private {
        bytes32 previous = 0;
        for (uint256 i = 0; i < members.length; ++i) {
            bytes32 member = ParticipantId.unwrap(members[i]);
            require(member > previous, MembersInvalid(members.length));
            _requireExchange(members[i]);
            _memberships[agreementId][members[i]] = Membership.INVITED;
            previous = member;
        }
    }
}
