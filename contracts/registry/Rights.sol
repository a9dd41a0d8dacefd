// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ICertificates} from "../interfaces/ICertificates.sol";
import {IParticipants} from "../interfaces/IParticipants.sol";
import {IRights} from "../interfaces/IRights.sol";
import {Acting} from "../libraries/Acting.sol";
import {Clock} from "../libraries/Clock.sol";
import {Hashing} from "../libraries/Hashing.sol";
import {RightsTerms} from "../libraries/RightsTerms.sol";
import {Actor, Authorization, Cause} from "../types/Acting.sol";
import {AuthorityClass, RightKind} from "../types/Codes.sol";
import {AssetId, CertificateId, ParticipantId, RightId} from "../types/Ids.sol";

/// @title Rights
/// @dev A granted entry takes asset, version and certificate from the root of its chain, so it stores none of them.
contract Rights is IRights, Acting {
    // ---------------------------------------------------------------- types

    struct Head {
        uint32 holder;
        uint8 kinds;
        uint8 exclusiveKinds; // kinds that the holder granted on exclusively
        uint8 depth; // 1 for a root entry
        bool exclusive;
        bool maySubGrant;
        uint16 shareBps;
        uint24 region;
        uint24 assetVersion; // root entries only
        uint40 validFrom;
        uint40 validUntil;
        uint40 revokedAt;
    }

    struct StoredRight {
        // slot 0
        Head head;
        // slot 1
        bytes32 termsHash;
        // slot 2, root entries only
        AssetId assetId;
        // slot 3, root entries only
        CertificateId certificateId;
        // slot 4, granted entries only
        RightId parentRightId;
        // slot 5, written only where purposes are bounded
        uint64 purposes;
    }

    // ---------------------------------------------------------------- constants and immutables

    uint8 private constant DEPTH_MAX = 8;
    ParticipantId private constant LEDGER = ParticipantId.wrap(0);

    IParticipants public immutable participants;
    ICertificates public immutable certificates;

    // ---------------------------------------------------------------- storage

    mapping(RightId rightId => StoredRight stored) private _rights;

    // ---------------------------------------------------------------- constructor

    constructor(IParticipants participants_, ICertificates certificates_) {
        participants = participants_;
        certificates = certificates_;
    }

    // ---------------------------------------------------------------- modifiers

    modifier onlyModule() {
        IParticipants.ModuleKind kind = IParticipants.ModuleKind.RIGHT_GRANTER;
        require(participants.isModule(kind, msg.sender), IParticipants.CallerNotModule(msg.sender, kind));
        _;
    }

    // ---------------------------------------------------------------- views

    /// @inheritdoc IRights
    function rightOf(RightId rightId) external view returns (Right memory) {
        StoredRight storage stored = _storedOf(rightId);
        (StoredRight storage root,) = _walk(stored);
        return Right({
            rightId: rightId,
            assetId: root.assetId,
            assetVersion: root.head.assetVersion,
            certificateId: root.certificateId,
            parentRightId: stored.parentRightId,
            holder: participants.participantBySequence(stored.head.holder),
            kinds: stored.head.kinds,
            validFrom: stored.head.validFrom,
            validUntil: stored.head.validUntil,
            exclusive: stored.head.exclusive,
            maySubGrant: stored.head.maySubGrant,
            shareBps: stored.head.shareBps,
            purposes: stored.purposes,
            region: stored.head.region,
            termsHash: stored.termsHash,
            revokedAt: stored.head.revokedAt
        });
    }

    /// @inheritdoc IRights
    function isActive(RightId rightId) external view returns (bool) {
        StoredRight storage stored = _rights[rightId];
        return stored.head.depth != 0 && _isActive(stored);
    }

    /// @inheritdoc IRights
    function requireRight(RightId rightId, AssetId assetId, ParticipantId holder, RightKind kind)
        external
        view
        returns (uint16 shareBps)
    {
        uint32 number = _storedOf(rightId).head.holder;
        bool isHolder = participants.participantBySequence(number) == holder;
        (shareBps,) = _requireRight(rightId, assetId, holder, isHolder ? number : 0, kind);
    }

    /// @inheritdoc IRights
    function requireRights(
        RightId[] calldata rightIds,
        AssetId[] calldata assetIds,
        uint32[] calldata versions,
        ParticipantId holder,
        uint32 holderNumber,
        RightKind kind
    ) external view returns (uint16[] memory sharesBps) {
        require(rightIds.length == assetIds.length, FieldInvalid("assetIds"));
        require(rightIds.length == versions.length, FieldInvalid("versions"));
        sharesBps = new uint16[](rightIds.length);
        for (uint256 i = 0; i < rightIds.length; i++) {
            uint24 version;
            (sharesBps[i], version) = _requireRight(rightIds[i], assetIds[i], holder, holderNumber, kind);
            require(version == versions[i], RightMissing(rightIds[i], assetIds[i], holder, kind));
        }
    }

    /// @inheritdoc IRights
    function requireTerms(RightTerms calldata terms) external view {
        RightsTerms.requireValid(terms, participants);
    }

    // ---------------------------------------------------------------- writes

    /// @inheritdoc IRights
    function enter(
        RightTerms calldata terms,
        AssetId assetId,
        uint32 assetVersion,
        CertificateId certificateId,
        bytes32 salt,
        ParticipantId byParticipant,
        address byAccount
    ) external onlyModule returns (RightId rightId) {
        rightId = RightId.wrap(Hashing.actId("right", byParticipant, AssetId.unwrap(assetId), salt));
        require(_rights[rightId].head.depth == 0, RightAlreadyExists(rightId));
        require(assetVersion != 0 && assetVersion <= type(uint24).max, FieldInvalid("assetVersion"));
        _record(rightId, terms, RightsTerms.requireValid(terms, participants), 1, uint24(assetVersion));
        _rights[rightId].assetId = assetId;
        _rights[rightId].certificateId = certificateId;
        emit RightGranted(
            rightId,
            assetId,
            terms.holder,
            assetVersion,
            certificateId,
            RightId.wrap(0),
            terms,
            byParticipant,
            byAccount
        );
    }

    /// @inheritdoc IRights
    function grant(RightGrant calldata params, Authorization calldata authorization)
        external
        returns (RightId rightId)
    {
        Actor memory actor = participants.actorOf(
            _authorize(_isRelayed(authorization) ? keccak256(abi.encode(params)) : bytes32(0), authorization)
        );
        StoredRight storage parent = _storedOf(params.parentRightId);
        rightId = RightId.wrap(
            Hashing.actId("right", actor.participantId, RightId.unwrap(params.parentRightId), params.salt)
        );
        require(_rights[rightId].head.depth == 0, RightAlreadyExists(rightId));
        require(
            parent.head.holder == actor.sequence && parent.head.maySubGrant,
            CallerNotGrantor(params.parentRightId, actor.participantId)
        );
        StoredRight storage root = _requireActive(params.parentRightId, parent);
        uint32 holder = RightsTerms.requireValid(params.terms, participants);
        _requireNotWider(params.parentRightId, parent, params.terms);
        require(parent.head.depth < DEPTH_MAX, RightTooDeep(params.parentRightId));
        _record(rightId, params.terms, holder, parent.head.depth + 1, 0);
        _rights[rightId].parentRightId = params.parentRightId;
        if (params.terms.exclusive) parent.head.exclusiveKinds |= params.terms.kinds;
        emit RightGranted(
            rightId,
            root.assetId,
            params.terms.holder,
            root.head.assetVersion,
            root.certificateId,
            params.parentRightId,
            params.terms,
            actor.participantId,
            actor.account
        );
    }

    /// @inheritdoc IRights
    function revoke(RightId rightId, Cause calldata cause, Authorization calldata authorization) external {
        address account = _authorize(keccak256(abi.encode(rightId, cause)), authorization);
        StoredRight storage stored = _storedOf(rightId);
        Actor memory actor = participants.actorForCause(account, cause, LEDGER);
        _requireRevoker(rightId, stored, actor, cause.authority);
        require(stored.head.revokedAt == 0, RightNotActive(rightId));
        uint64 time = Clock.nowSeconds();
        stored.head.revokedAt = uint40(time);
        if (stored.head.exclusive && stored.head.depth > 1) {
            _rights[stored.parentRightId].head.exclusiveKinds &= ~stored.head.kinds;
        }
        emit RightRevoked(rightId, actor.participantId, actor.account, time, cause);
    }

    // ---------------------------------------------------------------- internal

    function _record(RightId rightId, RightTerms calldata terms, uint32 holder, uint8 depth, uint24 assetVersion)
        private
    {
        StoredRight storage stored = _rights[rightId];
        stored.head = Head({
            holder: holder,
            kinds: terms.kinds,
            exclusiveKinds: 0,
            depth: depth,
            exclusive: terms.exclusive,
            maySubGrant: terms.maySubGrant,
            shareBps: terms.shareBps,
            region: uint24(terms.region),
            assetVersion: assetVersion,
            validFrom: uint40(terms.validFrom),
            validUntil: uint40(terms.validUntil),
            revokedAt: 0
        });
        stored.termsHash = keccak256(abi.encode(terms));
        if (terms.purposes != 0) stored.purposes = terms.purposes;
    }

    function _storedOf(RightId rightId) private view returns (StoredRight storage stored) {
        stored = _rights[rightId];
        require(stored.head.depth != 0, RightNotFound(rightId));
    }

    function _requireRight(RightId rightId, AssetId assetId, ParticipantId holder, uint32 holderNumber, RightKind kind)
        private
        view
        returns (uint16 shareBps, uint24 version)
    {
        StoredRight storage stored = _storedOf(rightId);
        Head memory head = stored.head;
        (StoredRight storage root, bool inForce) = _walk(stored);
        require(
            AssetId.unwrap(root.assetId) == AssetId.unwrap(assetId) && head.kinds & _bit(kind) != 0
                && head.holder == holderNumber,
            RightMissing(rightId, assetId, holder, kind)
        );
        require(inForce && _isCertified(root), RightNotActive(rightId));
        return (head.shareBps, root.head.assetVersion);
    }

    function _requireActive(RightId rightId, StoredRight storage stored)
        private
        view
        returns (StoredRight storage root)
    {
        bool inForce;
        (root, inForce) = _walk(stored);
        require(inForce && _isCertified(root), RightNotActive(rightId));
    }

    /// @dev Goes up to the root, at most {DEPTH_MAX} entries, and says whether all on the way are in force.
    function _walk(StoredRight storage stored) private view returns (StoredRight storage root, bool inForce) {
        uint64 time = Clock.nowSeconds();
        root = stored;
        Head memory head = root.head;
        inForce = _isInForce(head, time);
        while (head.depth > 1) {
            root = _rights[root.parentRightId];
            head = root.head;
            inForce = inForce && _isInForce(head, time);
        }
    }

    function _isInForce(Head memory head, uint64 time) private pure returns (bool) {
        return head.revokedAt == 0 && time >= head.validFrom && (head.validUntil == 0 || time < head.validUntil);
    }

    function _isCertified(StoredRight storage root) private view returns (bool) {
        return certificates.isUsable(root.certificateId, ICertificates.CertificatePurpose.DERIVE);
    }

    function _isActive(StoredRight storage stored) private view returns (bool) {
        (StoredRight storage root, bool inForce) = _walk(stored);
        return inForce && _isCertified(root);
    }

    function _bit(RightKind kind) private pure returns (uint8) {
        return kind == RightKind.NONE ? 0 : uint8(1 << (uint8(kind) - 1));
    }

    /// @dev What the grantor owes upstream it cannot give away: the share never falls along a chain.
    function _requireNotWider(RightId parentRightId, StoredRight storage parent, RightTerms calldata terms)
        private
        view
    {
        require(terms.kinds & ~parent.head.kinds == 0, RightTooWide(parentRightId, "kinds"));
        uint64 purposes = parent.purposes;
        require(
            purposes == 0 || (terms.purposes != 0 && terms.purposes & ~purposes == 0),
            RightTooWide(parentRightId, "purposes")
        );
        require(parent.head.region == 0 || terms.region == parent.head.region, RightTooWide(parentRightId, "region"));
        require(
            parent.head.validUntil == 0 || (terms.validUntil != 0 && terms.validUntil <= parent.head.validUntil),
            RightTooWide(parentRightId, "validUntil")
        );
        require(terms.shareBps >= parent.head.shareBps, RightTooWide(parentRightId, "shareBps"));
        require(terms.kinds & parent.head.exclusiveKinds == 0, RightTooWide(parentRightId, "exclusive"));
    }

    /// @dev The holder gives its right up, the grantor takes it back, or an authority ends it.
    function _requireRevoker(RightId rightId, StoredRight storage stored, Actor memory actor, AuthorityClass authority)
        private
        view
    {
        if (authority == AuthorityClass.PARTY) {
            bool isHolder = stored.head.holder == actor.sequence;
            bool isGrantor = stored.head.depth > 1 && _rights[stored.parentRightId].head.holder == actor.sequence;
            require(isHolder || isGrantor, CallerNotGrantor(rightId, actor.participantId));
            return;
        }
        require(
            authority == AuthorityClass.REGULATOR || authority == AuthorityClass.COURT
                || authority == AuthorityClass.ARBITRATION,
            IParticipants.AuthorityMissing(actor.participantId, uint8(authority))
        );
    }
}
