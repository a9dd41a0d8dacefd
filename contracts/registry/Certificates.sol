// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC721} from "@openzeppelin/contracts/token/ERC721/IERC721.sol";
import {IERC721Metadata} from "@openzeppelin/contracts/token/ERC721/extensions/IERC721Metadata.sol";
import {Strings} from "@openzeppelin/contracts/utils/Strings.sol";

import {ICertificates} from "../interfaces/ICertificates.sol";
import {IERC5192} from "../interfaces/IERC5192.sol";
import {IParticipants} from "../interfaces/IParticipants.sol";
import {IProfiles} from "../interfaces/IProfiles.sol";
import {Acting} from "../libraries/Acting.sol";
import {CertificateCodes} from "../libraries/CertificateCodes.sol";
import {Clock} from "../libraries/Clock.sol";
import {Hashing} from "../libraries/Hashing.sol";
import {LockedToken} from "../libraries/LockedToken.sol";
import {Actor, Authorization, Cause} from "../types/Acting.sol";
import {AuthorityClass} from "../types/Codes.sol";
import {CertificateId} from "../types/Ids.sol";

/// @title Certificates
/// @dev Tokens are never burned: a cancelled certificate stays on record.
contract Certificates is ICertificates, LockedToken, Acting {
    // ---------------------------------------------------------------- types

    struct StoredCertificate {
        // slot 0
        bytes32 leaf;
        // slot 1
        address owner;
        uint40 validUntil;
        CertificateKind kind;
        CertificateBase base;
        uint8 flags;
        uint32 statusSequence;
    }

    struct FlagSource {
        // slot 0
        AuthorityClass authority;
        uint64 until;
    }

    // ---------------------------------------------------------------- constants and immutables

    uint256 private constant FLAGS = 7;
    uint256 private constant SERIAL_BITS = 16;
    uint256 private constant MONTH_SHIFT = 128;

    IParticipants public immutable participants;

    // ---------------------------------------------------------------- storage

    mapping(CertificateId certificateId => StoredCertificate stored) private _certificates;
    mapping(CertificateId certificateId => CertificateId supersededBy) private _supersededBy;
    mapping(CertificateId certificateId => mapping(CertificateFlag flag => FlagSource source)) private _flagSources;
    mapping(address owner => uint256 count) private _balances;
    /// @dev By the code's own parts, so that a code stays unique even if an issuer's region and digit pass to another.
    /// One word: the month, above the last serial of each series in it. A new month begins anew.
    mapping(uint16 issuerCode => uint256 serials) private _serials;

    // ---------------------------------------------------------------- constructor

    constructor(IParticipants participants_) {
        participants = participants_;
    }

    // ---------------------------------------------------------------- modifiers

    modifier onlyModule() {
        IParticipants.ModuleKind kind = IParticipants.ModuleKind.CERTIFICATE_ISSUER;
        require(participants.isModule(kind, msg.sender), IParticipants.CallerNotModule(msg.sender, kind));
        _;
    }

    // ---------------------------------------------------------------- views

    /// @inheritdoc ICertificates
    function certificateOf(CertificateId certificateId) external view returns (CertificateStatus memory) {
        StoredCertificate storage stored = _storedOf(certificateId);
        return CertificateStatus({
            certificateId: certificateId,
            leaf: stored.leaf,
            owner: stored.owner,
            kind: stored.kind,
            base: stored.base,
            flags: stored.flags,
            statusSequence: stored.statusSequence,
            validUntil: stored.validUntil,
            supersededBy: _supersededBy[certificateId]
        });
    }

    /// @inheritdoc ICertificates
    function flagAuthorityOf(CertificateId certificateId, CertificateFlag flag_)
        external
        view
        returns (uint8 authority, uint64 until)
    {
        require(_storedOf(certificateId).flags & _bit(flag_) != 0, CertificateFlagMissing(certificateId, flag_));
        FlagSource storage source = _flagSources[certificateId][flag_];
        return (uint8(source.authority), source.until);
    }

    /// @inheritdoc ICertificates
    function isUsable(CertificateId certificateId, CertificatePurpose purpose) public view returns (bool) {
        StoredCertificate storage stored = _certificates[certificateId];
        if (stored.base != CertificateBase.VALID) return false;
        if (stored.validUntil != 0 && Clock.nowSeconds() >= stored.validUntil) return false;
        return !_isBlocked(certificateId, stored.flags & _blockersOf(purpose), AuthorityClass.NONE);
    }

    /// @inheritdoc ICertificates
    function requireUsable(CertificateId certificateId, CertificatePurpose purpose) external view {
        _storedOf(certificateId);
        require(isUsable(certificateId, purpose), CertificateNotUsable(certificateId, purpose));
    }

    /// @inheritdoc ICertificates
    function leafOf(CertificateFields calldata fields) external pure returns (bytes32) {
        return keccak256(abi.encode(fields));
    }

    /// @inheritdoc IERC721
    function balanceOf(address owner) external view returns (uint256) {
        return _balances[owner];
    }

    /// @inheritdoc IERC721
    function ownerOf(uint256 tokenId) external view returns (address) {
        return _token(tokenId).owner;
    }

    /// @inheritdoc IERC721
    function getApproved(uint256 tokenId) external view returns (address) {
        _token(tokenId);
        return address(0);
    }

    /// @inheritdoc IERC5192
    function locked(uint256 tokenId) external view returns (bool) {
        return _token(tokenId).leaf != 0;
    }

    /// @inheritdoc IERC721Metadata
    /// @dev A name, not an address: whoever serves certificates finds the bundle by it.
    function tokenURI(uint256 tokenId) external view returns (string memory) {
        _token(tokenId);
        return string.concat(
            "urn:shulian:", Strings.toString(block.chainid), ":certificate:", Strings.toHexString(tokenId, 32)
        );
    }

    // ---------------------------------------------------------------- writes

    /// @inheritdoc ICertificates
    function issue(CertificateRequest calldata request, bytes32 salt)
        external
        onlyModule
        returns (CertificateId certificateId, bytes32 code)
    {
        certificateId = CertificateId.wrap(Hashing.actId("certificate", request.issuer, request.subjectId, salt));
        require(_certificates[certificateId].leaf == 0, CertificateAlreadyExists(certificateId));
        require(request.kind != CertificateKind.NONE, FieldInvalid("kind"));
        uint64 time = Clock.nowSeconds();
        require(request.validUntil == 0 || request.validUntil > time, TimeInPast(request.validUntil, time));
        require(request.validUntil <= type(uint40).max, FieldInvalid("validUntil"));
        code = _nextCode(request, time);
        _record(
            CertificateFields({
                certificateId: certificateId,
                kind: request.kind,
                subjectNoun: request.subjectNoun,
                subjectId: request.subjectId,
                subjectVersion: request.subjectVersion,
                code: code,
                issuer: request.issuer,
                holder: request.holder,
                documentDigest: request.documentDigest,
                digestAlg: request.digestAlg,
                issuedAt: time,
                validUntil: request.validUntil
            }),
            participants.primaryAccountOf(request.holder)
        );
    }

    /// @inheritdoc ICertificates
    function supersede(CertificateId certificateId, CertificateId supersededBy) external onlyModule {
        StoredCertificate storage stored = _storedOf(certificateId);
        _storedOf(supersededBy);
        require(CertificateId.unwrap(certificateId) != CertificateId.unwrap(supersededBy), FieldInvalid("supersededBy"));
        require(stored.base == CertificateBase.VALID, CertificateEnded(certificateId, stored.base));
        stored.base = CertificateBase.SUPERSEDED;
        stored.statusSequence += 1;
        _supersededBy[certificateId] = supersededBy;
        emit CertificateSuperseded(certificateId, supersededBy, stored.statusSequence);
    }

    /// @inheritdoc ICertificates
    function flag(
        CertificateFields calldata fields,
        CertificateFlag flag_,
        Cause calldata cause,
        Authorization calldata authorization
    ) external {
        address account = _authorize(keccak256(abi.encode(fields, flag_, cause)), authorization);
        StoredCertificate storage stored = _storedMatching(fields);
        Actor memory actor = _actorForCause(account, fields, cause);
        CertificateId certificateId = fields.certificateId;
        require(
            _maySet(flag_, cause.authority), IParticipants.AuthorityMissing(actor.participantId, uint8(cause.authority))
        );
        require(stored.base == CertificateBase.VALID, CertificateEnded(certificateId, stored.base));
        FlagSource storage source = _flagSources[certificateId][flag_];
        require(
            stored.flags & _bit(flag_) == 0 || _isOver(source),
            CertificateFlagHeld(certificateId, flag_, uint8(source.authority))
        );
        stored.flags |= _bit(flag_);
        stored.statusSequence += 1;
        (source.authority, source.until) = (cause.authority, cause.until);
        emit CertificateFlagged(certificateId, flag_, actor.participantId, actor.account, stored.statusSequence, cause);
    }

    /// @inheritdoc ICertificates
    function unflag(
        CertificateFields calldata fields,
        CertificateFlag flag_,
        Cause calldata cause,
        Authorization calldata authorization
    ) external {
        address account = _authorize(keccak256(abi.encode(fields, flag_, cause)), authorization);
        StoredCertificate storage stored = _storedMatching(fields);
        Actor memory actor = _actorForCause(account, fields, cause);
        CertificateId certificateId = fields.certificateId;
        require(stored.flags & _bit(flag_) != 0, CertificateFlagMissing(certificateId, flag_));
        AuthorityClass setBy = _flagSources[certificateId][flag_].authority;
        require(setBy == cause.authority, CertificateFlagHeld(certificateId, flag_, uint8(setBy)));
        stored.flags &= ~_bit(flag_);
        stored.statusSequence += 1;
        delete _flagSources[certificateId][flag_];
        emit CertificateUnflagged(
            certificateId, flag_, actor.participantId, actor.account, stored.statusSequence, cause
        );
    }

    /// @inheritdoc ICertificates
    function cancel(CertificateFields calldata fields, Cause calldata cause, Authorization calldata authorization)
        external
    {
        address account = _authorize(keccak256(abi.encode(fields, cause)), authorization);
        StoredCertificate storage stored = _storedMatching(fields);
        Actor memory actor = _actorForCause(account, fields, cause);
        CertificateId certificateId = fields.certificateId;
        require(stored.base == CertificateBase.VALID, CertificateEnded(certificateId, stored.base));
        require(
            !_isBlocked(certificateId, stored.flags & _blockersOf(CertificatePurpose.CANCEL), cause.authority),
            CertificateNotUsable(certificateId, CertificatePurpose.CANCEL)
        );
        stored.base = CertificateBase.CANCELLED;
        stored.statusSequence += 1;
        emit CertificateCancelled(certificateId, actor.participantId, actor.account, stored.statusSequence, cause);
    }

    // ---------------------------------------------------------------- internal: issue

    function _record(CertificateFields memory fields, address owner) private {
        bytes32 leaf = keccak256(abi.encode(fields));
        uint256 tokenId = uint256(CertificateId.unwrap(fields.certificateId));
        _certificates[fields.certificateId] = StoredCertificate({
            leaf: leaf,
            owner: owner,
            validUntil: uint40(fields.validUntil),
            kind: fields.kind,
            base: CertificateBase.VALID,
            flags: 0,
            statusSequence: 1
        });
        _balances[owner] += 1;
        emit Transfer(address(0), owner, tokenId);
        emit Locked(tokenId);
        emit CertificateIssued(
            fields.certificateId,
            fields.holder,
            fields.subjectId,
            fields.kind,
            fields.subjectNoun,
            fields.subjectVersion,
            fields.code,
            fields.issuer,
            fields.documentDigest,
            fields.digestAlg,
            fields.issuedAt,
            fields.validUntil,
            owner,
            leaf
        );
    }

    function _nextCode(CertificateRequest calldata request, uint64 time) private returns (bytes32) {
        (uint8 region, uint8 digit) = participants.issuerCodeOf(request.issuer);
        uint32 yearMonth = CertificateCodes.yearMonthOf(time);
        (bytes2 prefix, uint256 series) = _seriesOf(request.kind, request.codeFormat);
        uint256 shift = series * SERIAL_BITS;
        uint16 issuerCode = uint16(region) * 10 + digit;
        uint256 serials = _serials[issuerCode];
        if (serials >> MONTH_SHIFT != yearMonth) serials = uint256(yearMonth) << MONTH_SHIFT;
        uint16 serial = uint16(serials >> shift) + 1;
        require(serial <= CertificateCodes.SERIAL_MAX, CertificateSerialsExhausted(request.issuer, yearMonth));
        _serials[issuerCode] = serials + (1 << shift);
        return CertificateCodes.encode(prefix, region, digit, yearMonth, serial);
    }

    /// @dev Returns the letters of a code, and which serials are theirs.
    function _seriesOf(CertificateKind kind, IProfiles.CodeFormat format) private pure returns (bytes2, uint256) {
        if (kind == CertificateKind.TRADE) return ("JY", 0);
        if (kind == CertificateKind.DELIVERY) return ("JF", 1);
        if (kind == CertificateKind.SETTLEMENT) return ("JS", 2);
        return format == IProfiles.CodeFormat.NATIONAL ? (bytes2("SJ"), 3) : (bytes2("VN"), 4);
    }

    // ---------------------------------------------------------------- internal: status

    function _storedOf(CertificateId certificateId) private view returns (StoredCertificate storage stored) {
        stored = _certificates[certificateId];
        require(stored.leaf != 0, CertificateNotFound(certificateId));
    }

    function _storedMatching(CertificateFields calldata fields)
        private
        view
        returns (StoredCertificate storage stored)
    {
        stored = _storedOf(fields.certificateId);
        require(stored.leaf == keccak256(abi.encode(fields)), CertificateFieldsWrong(fields.certificateId));
    }

    function _token(uint256 tokenId) private view returns (StoredCertificate storage) {
        return _storedOf(CertificateId.wrap(bytes32(tokenId)));
    }

    /// @dev Domain 4.3. Freeze and control block everything.
    function _blockersOf(CertificatePurpose purpose) private pure returns (uint8 blockers) {
        blockers = _bit(CertificateFlag.JUDICIAL_FREEZE) | _bit(CertificateFlag.TEMPORARY_CONTROL);
        if (purpose == CertificatePurpose.LIST || purpose == CertificatePurpose.ASSIGN) {
            blockers |= _bit(CertificateFlag.OBJECTION_PENDING);
        }
        if (purpose == CertificatePurpose.ASSIGN || purpose == CertificatePurpose.CANCEL) {
            blockers |= _bit(CertificateFlag.PLEDGED);
        }
    }

    /// @dev Says whether a flag of the set is in force and was set by another class than `except`.
    function _isBlocked(CertificateId certificateId, uint8 flags, AuthorityClass except) private view returns (bool) {
        if (flags == 0) return false;
        for (uint256 i = 0; i < FLAGS; i++) {
            CertificateFlag flag_ = CertificateFlag(i);
            if (flags & _bit(flag_) == 0) continue;
            FlagSource storage source = _flagSources[certificateId][flag_];
            if (source.authority != except && !_isOver(source)) return true;
        }
        return false;
    }

    function _isOver(FlagSource storage source) private view returns (bool) {
        return source.until != 0 && Clock.nowSeconds() >= source.until;
    }

    function _bit(CertificateFlag flag_) private pure returns (uint8) {
        return uint8(1 << uint8(flag_));
    }

    // ---------------------------------------------------------------- internal: authority

    /// @dev The issuer itself, or an authority; a venue, bank or party has no say over a certificate.
    function _actorForCause(address account, CertificateFields calldata fields, Cause calldata cause)
        private
        view
        returns (Actor memory actor)
    {
        actor = participants.actorForCause(account, cause, fields.issuer);
        bool isIssuer = cause.authority == AuthorityClass.ISSUER && actor.participantId == fields.issuer;
        require(
            isIssuer || _isAuthority(cause.authority),
            IParticipants.AuthorityMissing(actor.participantId, uint8(cause.authority))
        );
    }

    function _isAuthority(AuthorityClass authority) private pure returns (bool) {
        return authority == AuthorityClass.REGULATOR || authority == AuthorityClass.COURT
            || authority == AuthorityClass.ARBITRATION;
    }

    function _maySet(CertificateFlag flag_, AuthorityClass authority) private pure returns (bool) {
        if (flag_ == CertificateFlag.JUDICIAL_FREEZE) return authority == AuthorityClass.COURT;
        if (flag_ == CertificateFlag.TEMPORARY_CONTROL) return authority == AuthorityClass.REGULATOR;
        return true;
    }
}
