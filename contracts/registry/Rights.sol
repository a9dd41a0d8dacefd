// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ICertificates} from "../interfaces/ICertificates.sol";
import {IParticipants} from "../interfaces/IParticipants.sol";
import {IRights} from "../interfaces/IRights.sol";
import {Acting} from "../libraries/Acting.sol";
import {Clock} from "../libraries/Clock.sol";
import {Hashing} from "../libraries/Hashing.sol";
import {Shares} from "../libraries/Shares.sol";
import {Actor, Authorization, Cause} from "../types/Acting.sol";
import {AuthorityClass, DigestAlg, RightKind} from "../types/Codes.sol";
import {AssetId, CertificateId, ParticipantId, RightId} from "../types/Ids.sol";

/// @title Rights
/// @dev A granted entry takes asset, version and certificate from the root of its chain, so it stores none of them.
contract Rights is IRights, Acting {
    // ---------------------------------------------------------------- types

    struct StoredRight {
        // slot 0
        bytes32 termsHash;
        // slot 1
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

    uint8 private constant KINDS = 7;
    uint8 private constant DEPTH_MAX = 8;
    uint32 private constant REGION_MAX = 999_999;
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
            assetVersion: root.assetVersion,
            certificateId: root.certificateId,
            parentRightId: stored.parentRightId,
            holder: participants.participantBySequence(stored.holder),
            kinds: stored.kinds,
            validFrom: stored.validFrom,
            validUntil: stored.validUntil,
            exclusive: stored.exclusive,
            maySubGrant: stored.maySubGrant,
            shareBps: stored.shareBps,
            purposes: stored.purposes,
            region: stored.region,
            termsHash: stored.termsHash,
            revokedAt: stored.revokedAt
        });
    }

    /// @inheritdoc IRights
    function isActive(RightId rightId) external view returns (bool) {
        StoredRight storage stored = _rights[rightId];
        return stored.depth != 0 && _isActive(stored);
    }

    /// @inheritdoc IRights
    function requireRight(RightId rightId, AssetId assetId, ParticipantId holder, RightKind kind)
        external
        view
        returns (uint16 shareBps)
    {
        StoredRight storage stored = _storedOf(rightId);
        (StoredRight storage root, bool inForce) = _walk(stored);
        require(
            AssetId.unwrap(root.assetId) == AssetId.unwrap(assetId) && stored.kinds & _bit(kind) != 0
                && participants.participantBySequence(stored.holder) == holder,
            RightMissing(rightId, assetId, holder, kind)
        );
        require(inForce && _isCertified(root), RightNotActive(rightId));
        return stored.shareBps;
    }

    /// @inheritdoc IRights
    function requireTerms(RightTerms calldata terms) public view {
        uint64 time = Clock.nowSeconds();
        require(terms.kinds != 0 && terms.kinds <= KINDS, FieldInvalid("kinds"));
        require(terms.basis != RightBasis.NONE, FieldInvalid("basis"));
        require(terms.evidenceDigest != 0 && terms.digestAlg != DigestAlg.NONE, FieldInvalid("evidenceDigest"));
        require(terms.region <= REGION_MAX, FieldInvalid("region"));
        require(terms.validFrom <= type(uint40).max, FieldInvalid("validFrom"));
        require(terms.validUntil <= type(uint40).max, FieldInvalid("validUntil"));
        require(terms.validUntil == 0 || terms.validUntil > time, TimeInPast(terms.validUntil, time));
        require(terms.validUntil == 0 || terms.validUntil > terms.validFrom, FieldInvalid("validFrom"));
        require(terms.shareBps <= Shares.WHOLE_BPS, FieldInvalid("shareBps"));
        if (!participants.isActive(terms.holder)) {
            IParticipants.ParticipantState state = participants.participantOf(terms.holder).state;
            revert IParticipants.ParticipantNotActive(terms.holder, state);
        }
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
        require(_rights[rightId].depth == 0, RightAlreadyExists(rightId));
        require(assetVersion != 0 && assetVersion <= type(uint24).max, FieldInvalid("assetVersion"));
        requireTerms(terms);
        _record(rightId, terms, 1);
        _rights[rightId].assetVersion = uint24(assetVersion);
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
        address account = _authorize(keccak256(abi.encode(params)), authorization);
        Actor memory actor = participants.actorOf(account);
        StoredRight storage parent = _storedOf(params.parentRightId);
        rightId = RightId.wrap(
            Hashing.actId("right", actor.participantId, RightId.unwrap(params.parentRightId), params.salt)
        );
        require(_rights[rightId].depth == 0, RightAlreadyExists(rightId));
        require(
            parent.holder == actor.sequence && parent.maySubGrant,
            CallerNotGrantor(params.parentRightId, actor.participantId)
        );
        (StoredRight storage root, bool inForce) = _walk(parent);
        require(inForce && _isCertified(root), RightNotActive(params.parentRightId));
        requireTerms(params.terms);
        _requireNotWider(params.parentRightId, parent, params.terms);
        require(parent.depth < DEPTH_MAX, RightTooDeep(params.parentRightId));
        _record(rightId, params.terms, parent.depth + 1);
        _rights[rightId].parentRightId = params.parentRightId;
        if (params.terms.exclusive) parent.exclusiveKinds |= params.terms.kinds;
        emit RightGranted(
            rightId,
            root.assetId,
            params.terms.holder,
            root.assetVersion,
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
        require(stored.revokedAt == 0, RightNotActive(rightId));
        uint64 time = Clock.nowSeconds();
        stored.revokedAt = uint40(time);
        if (stored.exclusive && stored.depth > 1) _rights[stored.parentRightId].exclusiveKinds &= ~stored.kinds;
        emit RightRevoked(rightId, actor.participantId, actor.account, time, cause);
    }

    // ---------------------------------------------------------------- internal

    function _record(RightId rightId, RightTerms calldata terms, uint8 depth) private {
        StoredRight storage stored = _rights[rightId];
        stored.termsHash = keccak256(abi.encode(terms));
        stored.holder = participants.sequenceOf(terms.holder);
        stored.kinds = terms.kinds;
        stored.depth = depth;
        stored.exclusive = terms.exclusive;
        stored.maySubGrant = terms.maySubGrant;
        stored.shareBps = terms.shareBps;
        stored.region = uint24(terms.region);
        stored.validFrom = uint40(terms.validFrom);
        stored.validUntil = uint40(terms.validUntil);
        if (terms.purposes != 0) stored.purposes = terms.purposes;
    }

    function _storedOf(RightId rightId) private view returns (StoredRight storage stored) {
        stored = _rights[rightId];
        require(stored.depth != 0, RightNotFound(rightId));
    }

    /// @dev Goes up to the root, at most {DEPTH_MAX} entries, and says whether all on the way are in force.
    function _walk(StoredRight storage stored) private view returns (StoredRight storage root, bool inForce) {
        uint64 time = Clock.nowSeconds();
        root = stored;
        inForce = _isInForce(root, time);
        for (uint256 depth = stored.depth; depth > 1; depth--) {
            root = _rights[root.parentRightId];
            inForce = inForce && _isInForce(root, time);
        }
    }

    function _isInForce(StoredRight storage stored, uint64 time) private view returns (bool) {
        return stored.revokedAt == 0 && time >= stored.validFrom && (stored.validUntil == 0 || time < stored.validUntil);
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
        require(terms.kinds & ~parent.kinds == 0, RightTooWide(parentRightId, "kinds"));
        uint64 purposes = parent.purposes;
        require(
            purposes == 0 || (terms.purposes != 0 && terms.purposes & ~purposes == 0),
            RightTooWide(parentRightId, "purposes")
        );
        require(parent.region == 0 || terms.region == parent.region, RightTooWide(parentRightId, "region"));
        require(
            parent.validUntil == 0 || (terms.validUntil != 0 && terms.validUntil <= parent.validUntil),
            RightTooWide(parentRightId, "validUntil")
        );
        require(terms.shareBps >= parent.shareBps, RightTooWide(parentRightId, "shareBps"));
        require(terms.kinds & parent.exclusiveKinds == 0, RightTooWide(parentRightId, "exclusive"));
    }

    /// @dev The holder gives its right up, the grantor takes it back, or an authority ends it.
    function _requireRevoker(RightId rightId, StoredRight storage stored, Actor memory actor, AuthorityClass authority)
        private
        view
    {
        if (authority == AuthorityClass.PARTY) {
            bool isHolder = stored.holder == actor.sequence;
            bool isGrantor = stored.depth > 1 && _rights[stored.parentRightId].holder == actor.sequence;
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
