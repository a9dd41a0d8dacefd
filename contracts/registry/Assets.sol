// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAssets} from "../interfaces/IAssets.sol";
import {IParticipants} from "../interfaces/IParticipants.sol";
import {IRights} from "../interfaces/IRights.sol";
import {Acting} from "../libraries/Acting.sol";
import {Clock} from "../libraries/Clock.sol";
import {Declarations} from "../libraries/Declarations.sol";
import {Hashing} from "../libraries/Hashing.sol";
import {RevenueTables} from "../libraries/RevenueTables.sol";
import {Actor, Authorization, Payee} from "../types/Acting.sol";
import {AssetKind, Category, DigestAlg, Grade, Relation, RightKind, Verdict} from "../types/Codes.sol";
import {AssetId, ParticipantId, RightId} from "../types/Ids.sol";

/// @title Assets
/// @dev Version 1 keeps its small fields in the asset's own slot: most assets are never revised.
contract Assets is IAssets, Acting {
    // ---------------------------------------------------------------- types

    struct StoredAsset {
        // slot 0
        uint64 sequence;
        uint32 registrant;
        uint32 latestVersion;
        uint32 registeredVersion;
        AssetKind kind;
        Category category; // of version 1, like the next three
        Grade grade;
        DigestAlg digestAlg;
        uint40 declaredAt;
    }

    struct StoredVersion {
        // slot 0
        bytes32 contentDigest;
        // slot 1
        bytes32 metadataDigest;
        // slot 2
        bytes32 linksHash;
        // slot 3, elements only
        bytes32 modelDigest;
        // slot 4, versions after the first only
        Category category;
        Grade grade;
        DigestAlg digestAlg;
        uint40 declaredAt;
        // slot 5, elements only: by ReviewKind, the verdict above 40 bits of expiry
        uint48[4] reviews;
        // further slots, elements only
        mapping(ReviewKind kind => bytes32 reportDigest) reports;
    }

    /// @dev What {AssetDeclared} carries, in memory: its fields are too many for the stack.
    struct Draft {
        AssetId assetId;
        Actor actor;
        uint32 version;
        uint64 sequence;
        Payee[] revenueTable;
    }

    // ---------------------------------------------------------------- constants and immutables

    uint256 private constant ALIAS_LENGTH_MAX = 256;
    uint256 private constant EXPIRY_BITS = 40;
    ParticipantId private constant LEDGER = ParticipantId.wrap(0);

    IParticipants public immutable participants;
    IRights public immutable rights;

    // ---------------------------------------------------------------- storage

    uint64 private _sequence;
    mapping(AssetId assetId => StoredAsset stored) private _assets;
    mapping(AssetId assetId => mapping(uint32 version => StoredVersion stored)) private _versions;
    mapping(bytes32 scheme => mapping(bytes32 valueHash => AssetId assetId)) private _aliases;

    // ---------------------------------------------------------------- constructor

    constructor(IParticipants participants_, IRights rights_) {
        participants = participants_;
        rights = rights_;
    }

    // ---------------------------------------------------------------- modifiers

    modifier onlyModule() {
        IParticipants.ModuleKind kind = IParticipants.ModuleKind.ASSET_REGISTRAR;
        require(participants.isModule(kind, msg.sender), IParticipants.CallerNotModule(msg.sender, kind));
        _;
    }

    // ---------------------------------------------------------------- views

    /// @inheritdoc IAssets
    function assetOf(AssetId assetId, uint32 version) external view returns (Asset memory asset) {
        StoredVersion storage stored = _versionOf(assetId, version);
        StoredAsset storage head = _assets[assetId];
        bool isFirst = version == 1;
        asset.assetId = assetId;
        asset.version = version;
        asset.kind = head.kind;
        asset.category = isFirst ? head.category : stored.category;
        asset.grade = isFirst ? head.grade : stored.grade;
        asset.digestAlg = isFirst ? head.digestAlg : stored.digestAlg;
        asset.sequence = head.sequence;
        asset.registrant = participants.participantBySequence(head.registrant);
        asset.contentDigest = stored.contentDigest;
        asset.metadataDigest = stored.metadataDigest;
        asset.modelDigest = stored.modelDigest;
        asset.linksHash = stored.linksHash;
        asset.declaredAt = isFirst ? head.declaredAt : stored.declaredAt;
    }

    /// @inheritdoc IAssets
    function kindOf(AssetId assetId) external view returns (AssetKind) {
        return _headOf(assetId).kind;
    }

    /// @inheritdoc IAssets
    function briefOf(AssetId assetId) external view returns (AssetBrief memory) {
        StoredAsset storage head = _headOf(assetId);
        return AssetBrief({
            kind: head.kind,
            registrant: head.registrant,
            latestVersion: head.latestVersion,
            registeredVersion: head.registeredVersion
        });
    }

    /// @inheritdoc IAssets
    function registrantOf(AssetId assetId) external view returns (ParticipantId) {
        return participants.participantBySequence(_headOf(assetId).registrant);
    }

    /// @inheritdoc IAssets
    function latestVersionOf(AssetId assetId) external view returns (uint32 version, uint32 registeredVersion) {
        StoredAsset storage head = _headOf(assetId);
        return (head.latestVersion, head.registeredVersion);
    }

    /// @inheritdoc IAssets
    function reviewOf(AssetId assetId, uint32 version, ReviewKind kind) external view returns (Review memory) {
        StoredVersion storage stored = _versionOf(assetId, version);
        (Verdict verdict, uint64 expiresAt) = _unpack(stored.reviews[uint256(kind)]);
        return Review({verdict: verdict, expiresAt: expiresAt, reportDigest: stored.reports[kind]});
    }

    /// @inheritdoc IAssets
    function isSecurityPassed(AssetId assetId, uint32 version) public view returns (bool) {
        StoredVersion storage stored = _versionOf(assetId, version);
        uint64 time = Clock.nowSeconds();
        for (uint256 kind = uint256(ReviewKind.SOURCE); kind <= uint256(ReviewKind.ELEMENT); kind++) {
            (Verdict verdict, uint64 expiresAt) = _unpack(stored.reviews[kind]);
            if (verdict != Verdict.PASS || (expiresAt != 0 && time >= expiresAt)) return false;
        }
        return true;
    }

    /// @inheritdoc IAssets
    function requireLinks(AssetId assetId, uint32 version, Parent[] calldata parents, Payee[] calldata revenueTable)
        public
        view
    {
        bytes32 linksHash = _versionOf(assetId, version).linksHash;
        require(linksHash == keccak256(abi.encode(parents, revenueTable)), LinksWrong(assetId, version));
    }

    /// @inheritdoc IAssets
    function aliasOf(bytes32 scheme, string calldata value) external view returns (AssetId assetId) {
        assetId = _aliases[scheme][keccak256(bytes(value))];
        require(AssetId.unwrap(assetId) != 0, AssetNotFound(assetId, 0));
    }

    // ---------------------------------------------------------------- writes

    /// @inheritdoc IAssets
    function declare(Declaration calldata params, Authorization calldata authorization)
        external
        returns (AssetId assetId)
    {
        address account =
            _authorize(_isRelayed(authorization) ? keccak256(abi.encode(params)) : bytes32(0), authorization);
        Actor memory actor = participants.actorOf(account);
        assetId = Hashing.assetId(params.kind, actor.participantId, params.contentDigest);
        require(_assets[assetId].sequence == 0, AssetAlreadyExists(assetId));
        uint64 sequence = _sequence + 1;
        _requireDeclaration(params, actor, sequence);
        _sequence = sequence;
        _assets[assetId] = StoredAsset({
            sequence: sequence,
            registrant: actor.sequence,
            latestVersion: 1,
            registeredVersion: 0,
            kind: params.kind,
            category: params.category,
            grade: params.grade,
            digestAlg: params.digestAlg,
            declaredAt: uint40(Clock.nowSeconds())
        });
        _record(params, Draft(assetId, actor, 1, sequence, params.revenueTable));
    }

    /// @inheritdoc IAssets
    function revise(AssetId assetId, Declaration calldata params, Authorization calldata authorization)
        external
        returns (uint32 version)
    {
        address account = _authorize(
            _isRelayed(authorization) ? keccak256(abi.encode(assetId, params)) : bytes32(0), authorization
        );
        Actor memory actor = participants.actorOf(account);
        StoredAsset storage head = _headOf(assetId);
        require(head.registrant == actor.sequence, CallerNotRegistrant(assetId, actor.participantId));
        require(head.kind == params.kind, FieldInvalid("kind"));
        _requireDeclaration(params, actor, head.sequence);
        version = head.latestVersion + 1;
        head.latestVersion = version;
        StoredVersion storage stored = _versions[assetId][version];
        stored.category = params.category;
        stored.grade = params.grade;
        stored.digestAlg = params.digestAlg;
        stored.declaredAt = uint40(Clock.nowSeconds());
        _record(params, Draft(assetId, actor, version, head.sequence, params.revenueTable));
    }

    /// @inheritdoc IAssets
    function review(SecurityReview calldata params, Authorization calldata authorization) external {
        address account =
            _authorize(_isRelayed(authorization) ? keccak256(abi.encode(params)) : bytes32(0), authorization);
        StoredVersion storage stored = _versionOf(params.assetId, params.version);
        StoredAsset storage head = _assets[params.assetId];
        Actor memory actor = participants.actorInRole(account, IParticipants.Role.SECURITY_REVIEWER, LEDGER);
        require(head.registrant != actor.sequence, ReviewerIsRegistrant(params.assetId, actor.participantId));
        require(head.kind == AssetKind.ELEMENT, FieldInvalid("assetId"));
        require(params.kind != ReviewKind.NONE, FieldInvalid("kind"));
        require(params.verdict != Verdict.PENDING, FieldInvalid("verdict"));
        require(params.reportDigest != 0 && params.digestAlg != DigestAlg.NONE, FieldInvalid("reportDigest"));
        uint64 time = Clock.nowSeconds();
        require(params.expiresAt == 0 || params.expiresAt > time, TimeInPast(params.expiresAt, time));
        require(params.expiresAt <= type(uint40).max, FieldInvalid("expiresAt"));
        require(
            params.reviewedDigest == _reviewable(stored, params.kind), ReviewedDigestWrong(params.assetId, params.kind)
        );
        stored.reviews[uint256(params.kind)] = _pack(params.verdict, params.expiresAt);
        stored.reports[params.kind] = params.reportDigest;
        emit AssetReviewed(
            params.assetId,
            params.version,
            params.kind,
            params.verdict,
            params.reviewedDigest,
            params.reportDigest,
            params.digestAlg,
            params.expiresAt,
            actor.participantId,
            actor.account
        );
    }

    /// @inheritdoc IAssets
    function setAlias(AssetId assetId, bytes32 scheme, string calldata value, Authorization calldata authorization)
        external
    {
        address account = _authorize(keccak256(abi.encode(assetId, scheme, value)), authorization);
        StoredAsset storage head = _headOf(assetId);
        bytes32 valueHash = keccak256(bytes(value));
        AssetId holder = _aliases[scheme][valueHash];
        Actor memory actor = participants.actorOf(account);
        require(head.registrant == actor.sequence, CallerNotRegistrant(assetId, actor.participantId));
        require(AssetId.unwrap(holder) == 0, AliasTaken(scheme, holder));
        require(scheme != 0, FieldInvalid("scheme"));
        require(bytes(value).length != 0 && bytes(value).length <= ALIAS_LENGTH_MAX, FieldInvalid("value"));
        _aliases[scheme][valueHash] = assetId;
        emit AssetAliased(assetId, scheme, value, actor.participantId, actor.account);
    }

    /// @inheritdoc IAssets
    function markRegistered(AssetId assetId, uint32 version) external onlyModule {
        _versionOf(assetId, version);
        StoredAsset storage head = _assets[assetId];
        require(version > head.registeredVersion, AssetAlreadyRegistered(assetId, version));
        head.registeredVersion = version;
        emit AssetRegistered(assetId, version);
    }

    // ---------------------------------------------------------------- internal: records

    function _record(Declaration calldata params, Draft memory draft) private {
        StoredVersion storage stored = _versions[draft.assetId][draft.version];
        stored.contentDigest = params.contentDigest;
        stored.metadataDigest = params.metadataDigest;
        stored.linksHash = keccak256(abi.encode(params.parents, params.revenueTable));
        if (params.modelDigest != 0) stored.modelDigest = params.modelDigest;
        _emitDeclared(params, draft);
    }

    function _emitDeclared(Declaration calldata params, Draft memory draft) private {
        emit AssetDeclared(
            draft.assetId,
            draft.actor.participantId,
            params.contentDigest,
            draft.version,
            draft.sequence,
            params.kind,
            params.category,
            params.grade,
            params.metadataDigest,
            params.modelDigest,
            params.digestAlg,
            params.parents,
            draft.revenueTable,
            draft.actor.account
        );
    }

    function _headOf(AssetId assetId) private view returns (StoredAsset storage head) {
        head = _assets[assetId];
        require(head.sequence != 0, AssetNotFound(assetId, 0));
    }

    function _versionOf(AssetId assetId, uint32 version) private view returns (StoredVersion storage stored) {
        require(version != 0 && version <= _assets[assetId].latestVersion, AssetNotFound(assetId, version));
        return _versions[assetId][version];
    }

    function _reviewable(StoredVersion storage stored, ReviewKind kind) private view returns (bytes32) {
        if (kind == ReviewKind.SOURCE) return stored.linksHash;
        return kind == ReviewKind.MODEL ? stored.modelDigest : stored.contentDigest;
    }

    function _pack(Verdict verdict, uint64 expiresAt) private pure returns (uint48) {
        return (uint48(uint8(verdict)) << uint48(EXPIRY_BITS)) | uint48(expiresAt);
    }

    function _unpack(uint48 packed) private pure returns (Verdict verdict, uint64 expiresAt) {
        return (Verdict(uint8(packed >> EXPIRY_BITS)), uint40(packed));
    }

    // ---------------------------------------------------------------- internal: guards

    function _requireDeclaration(Declaration calldata params, Actor memory registrant, uint64 sequence) private view {
        Declarations.requireFields(params);
        RevenueTables.requireWhole(params.revenueTable);
        uint256[] memory owedBps = new uint256[](params.revenueTable.length);
        if (params.parents.length != 0) {
            uint16[] memory sharesBps = _requireParents(params, registrant, sequence);
            for (uint256 i = 0; i < sharesBps.length; i++) {
                RevenueTables.addOwed(owedBps, params.revenueTable, params.parentTables[i], sharesBps[i]);
            }
            RevenueTables.requireOwed(owedBps, params.revenueTable);
        }
        RevenueTables.requireKnown(owedBps, params.revenueTable, registrant.participantId, participants);
    }

    /// @dev Returns the shares that the registrant's own rights on the parents promise upstream.
    function _requireParents(Declaration calldata params, Actor memory registrant, uint64 sequence)
        private
        view
        returns (uint16[] memory sharesBps)
    {
        uint256 count = params.parents.length;
        AssetId[] memory parentIds = new AssetId[](count);
        uint32[] memory versions = new uint32[](count);
        RightId[] memory consents = new RightId[](count);
        for (uint256 i = 0; i < count; i++) {
            _requireParent(params, i, sequence);
            Parent calldata parent = params.parents[i];
            (parentIds[i], versions[i], consents[i]) = (parent.assetId, parent.version, parent.consentRightId);
        }
        return rights.requireRights(
            consents, parentIds, versions, registrant.participantId, registrant.sequence, RightKind.USE
        );
    }

    function _requireParent(Declaration calldata params, uint256 index, uint64 sequence) private view {
        Parent calldata parent = params.parents[index];
        AssetId parentId = parent.assetId;
        StoredAsset memory head = _assets[parentId];
        require(
            parent.version != 0 && parent.version <= head.registeredVersion,
            ParentNotRegistered(parentId, parent.version)
        );
        for (uint256 i = 0; i < index; i++) {
            require(AssetId.unwrap(params.parents[i].assetId) != AssetId.unwrap(parentId), ParentDuplicate(parentId));
        }
        require(head.sequence < sequence, ParentNotEarlier(parentId, head.sequence, sequence));
        require(parent.relation != Relation.NONE, FieldInvalid("relation"));
        require(
            params.kind == AssetKind.PRODUCT || head.kind != AssetKind.PRODUCT, ParentKindWrong(parentId, head.kind)
        );
        require(
            params.kind != AssetKind.PRODUCT || head.kind != AssetKind.ELEMENT
                || isSecurityPassed(parentId, parent.version),
            SecurityReviewMissing(parentId, parent.version)
        );
        requireLinks(parentId, parent.version, params.parentLinks[index], params.parentTables[index]);
    }
}
