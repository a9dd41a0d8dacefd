// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Authorization, Cause} from "../types/Acting.sol";
import {DigestAlg, Noun} from "../types/Codes.sol";
import {CertificateId, ParticipantId} from "../types/Ids.sol";
import {IActing} from "./IActing.sol";
import {IProfiles} from "./IProfiles.sol";

/// @title ICertificates
/// @notice Certificates issued inside the act that earns them; locked tokens whose status lives here (K-01, K-05).
/// @dev A certificate is a view of a register entry, never a tradable right: ERC-721 + ERC-5192, always locked. The
/// token id is the
/// CertificateId as a number; the owner is the holder's account at issue. Only the leaf is stored: the hash of all
/// fields and of the document made beforehand
/// (joints 9). A later call that needs the fields brings them and is checked against the leaf.
interface ICertificates is IActing {
    enum CertificateKind {
        NONE,
        REGISTRATION,
        TRADE,
        DELIVERY,
        SETTLEMENT
    }

    /// @dev EXPIRED is derived from `validUntil`, never stored.
    enum CertificateBase {
        NONE,
        VALID,
        SUPERSEDED,
        CANCELLED
    }

    /// @dev Independent flags, as bit numbers (domain 4.3).
    enum CertificateFlag {
        OBJECTION_PENDING,
        JUDICIAL_FREEZE,
        TEMPORARY_CONTROL,
        PLEDGED,
        TERM_OR_CONDITION,
        REGISTRAR_EXITED,
        NOTE
    }

    /// @dev What somebody wants to rely on a certificate for: flags block differently (domain 4.3).
    enum CertificatePurpose {
        LIST,
        TRADE,
        DERIVE,
        ASSIGN,
        PLEDGE,
        CANCEL
    }

    /// @notice The fields that the leaf covers.
    /// @param kind What it certifies.
    /// @param subjectNoun The noun of the subject.
    /// @param subjectId The subject's id.
    /// @param subjectVersion The asset version, where the subject is an asset; else 0.
    /// @param code Human code, ASCII, left-aligned; unique per chain and never reused, but never a key.
    /// @param issuer The registrar or exchange.
    /// @param holder Who holds it.
    /// @param documentDigest Digest of the document made before issue.
    /// @param digestAlg How that digest was made.
    /// @param issuedAt Seconds; validity begins here.
    /// @param validUntil Seconds, exclusive; 0 means open.
    struct CertificateFields {
        CertificateId certificateId;
        CertificateKind kind;
        Noun subjectNoun;
        bytes32 subjectId;
        uint32 subjectVersion;
        bytes32 code;
        ParticipantId issuer;
        ParticipantId holder;
        bytes32 documentDigest;
        DigestAlg digestAlg;
        uint64 issuedAt;
        uint64 validUntil;
    }

    /// @notice What is stored.
    /// @param leaf keccak256 of the ABI encoding of {CertificateFields}.
    /// @param owner The holder's account at issue.
    /// @param flags Bit set of {CertificateFlag}.
    /// @param statusSequence Rises by one with each change of status; 1 at issue.
    /// @param supersededBy The successor, if any.
    struct CertificateStatus {
        CertificateId certificateId;
        bytes32 leaf;
        address owner;
        CertificateKind kind;
        CertificateBase base;
        uint8 flags;
        uint32 statusSequence;
        uint64 validUntil;
        CertificateId supersededBy;
    }

    /// @notice What a module asks to be issued.
    /// @param subjectVersion The asset version, where the subject is an asset; else 0.
    /// @param issuer The registrar or exchange; its region and digit stand in the code.
    /// @param validUntil Seconds, exclusive; 0 means open.
    /// @param codeFormat For a registration certificate, NATIONAL gives the prefix `SJ` and VENUE `VN`.
    struct CertificateRequest {
        CertificateKind kind;
        Noun subjectNoun;
        bytes32 subjectId;
        uint32 subjectVersion;
        ParticipantId issuer;
        ParticipantId holder;
        bytes32 documentDigest;
        DigestAlg digestAlg;
        uint64 validUntil;
        IProfiles.CodeFormat codeFormat;
    }

    /// @notice A certificate was issued.
    event CertificateIssued(
        CertificateId indexed certificateId,
        ParticipantId indexed holder,
        bytes32 indexed subjectId,
        CertificateKind kind,
        Noun subjectNoun,
        uint32 subjectVersion,
        bytes32 code,
        ParticipantId issuer,
        bytes32 documentDigest,
        DigestAlg digestAlg,
        uint64 issuedAt,
        uint64 validUntil,
        address owner,
        bytes32 leaf
    );
    /// @notice A flag was set.
    event CertificateFlagged(
        CertificateId indexed certificateId,
        CertificateFlag indexed flag,
        ParticipantId byParticipant,
        address byAccount,
        uint32 statusSequence,
        Cause cause
    );
    /// @notice A flag was lifted by the class that set it.
    event CertificateUnflagged(
        CertificateId indexed certificateId,
        CertificateFlag indexed flag,
        ParticipantId byParticipant,
        address byAccount,
        uint32 statusSequence,
        Cause cause
    );
    /// @notice The certificate was superseded by another of the same subject.
    event CertificateSuperseded(
        CertificateId indexed certificateId, CertificateId indexed supersededBy, uint32 statusSequence
    );
    /// @notice The certificate was cancelled for good.
    event CertificateCancelled(
        CertificateId indexed certificateId,
        ParticipantId byParticipant,
        address byAccount,
        uint32 statusSequence,
        Cause cause
    );

    /// @notice The certificate is not known.
    /// @custom:family NotFound
    error CertificateNotFound(CertificateId certificateId);
    /// @notice The certificate already exists.
    /// @custom:family Conflict
    error CertificateAlreadyExists(CertificateId certificateId);
    /// @notice The certificate cannot be relied on for this purpose now.
    /// @custom:family Conflict
    error CertificateNotUsable(CertificateId certificateId, CertificatePurpose purpose);
    /// @notice The fields are not those of the certificate.
    /// @custom:family Invalid
    error CertificateFieldsWrong(CertificateId certificateId);
    /// @notice The certificate's base status no longer changes.
    /// @custom:family Conflict
    error CertificateEnded(CertificateId certificateId, CertificateBase base);
    /// @notice The flag is set already, or another class set it.
    /// @custom:family Conflict
    error CertificateFlagHeld(CertificateId certificateId, CertificateFlag flag, uint8 authority);
    /// @notice The flag is not set.
    /// @custom:family Conflict
    error CertificateFlagMissing(CertificateId certificateId, CertificateFlag flag);
    /// @notice The issuer has used up its certificate serials of this month.
    /// @custom:family Conflict
    error CertificateSerialsExhausted(ParticipantId issuer, uint32 yearMonth);
    /// @notice Certificates are locked: they are never transferred or approved.
    /// @custom:family Forbidden
    error CertificateLocked(uint256 tokenId);

    /// @notice Issues a certificate inside the act that earns it.
    /// @param request What to certify; `holder` shows it in the wallet of its primary account.
    /// @param salt From the subject's own id, so that the certificate's id can be computed beforehand with
    /// {Hashing.actId} (noun `certificate`,
    /// actor the issuer).
    ///
    /// Requirements, in order:
    /// - the caller is a module CERTIFICATE_ISSUER;
    /// - the certificate does not exist;
    /// - `kind` is set, `validUntil` is 0 or ahead;
    /// - the issuer has a region and digit, and a serial left this month; the holder is known.
    ///
    /// Emits {IERC721.Transfer}, {IERC5192.Locked} and a {CertificateIssued} event.
    function issue(CertificateRequest calldata request, bytes32 salt)
        external
        returns (CertificateId certificateId, bytes32 code);

    /// @notice Names a certificate's successor.
    ///
    /// Requirements, in order:
    /// - the caller is a module CERTIFICATE_ISSUER;
    /// - both certificates exist and differ;
    /// - the superseded one is valid.
    ///
    /// Emits a {CertificateSuperseded} event.
    function supersede(CertificateId certificateId, CertificateId supersededBy) external;

    /// @notice Sets a flag, until `cause.until` or until its class lifts it.
    ///
    /// Requirements, in order:
    /// - the certificate exists and `fields` are its own;
    /// - the caller is the issuer (class ISSUER), or holds the role of REGULATOR, COURT or ARBITRATION; the cause is
    /// complete;
    /// - JUDICIAL_FREEZE is set by COURT only, TEMPORARY_CONTROL by REGULATOR only;
    /// - the certificate is valid, and the flag is not set or is over.
    ///
    /// Emits a {CertificateFlagged} event.
    function flag(
        CertificateFields calldata fields,
        CertificateFlag flag_,
        Cause calldata cause,
        Authorization calldata authorization
    ) external;

    /// @notice Lifts a flag.
    ///
    /// Requirements, in order:
    /// - the certificate exists and `fields` are its own;
    /// - the caller is as for {flag};
    /// - the flag is set, and the cause's class set it.
    ///
    /// Emits a {CertificateUnflagged} event.
    function unflag(
        CertificateFields calldata fields,
        CertificateFlag flag_,
        Cause calldata cause,
        Authorization calldata authorization
    ) external;

    /// @notice Cancels a certificate for good; it stays on record.
    ///
    /// Requirements, in order:
    /// - the certificate exists and `fields` are its own;
    /// - the caller is as for {flag};
    /// - the certificate is valid;
    /// - no freeze, control or pledge of another class is in force.
    ///
    /// Emits a {CertificateCancelled} event.
    function cancel(CertificateFields calldata fields, Cause calldata cause, Authorization calldata authorization)
        external;

    /// @notice Returns what is stored of a certificate; reverts with {CertificateNotFound}.
    function certificateOf(CertificateId certificateId) external view returns (CertificateStatus memory);

    /// @notice Returns the class that set a flag, and when it ends (seconds, 0 for open); reverts with
    /// {CertificateFlagMissing}.
    function flagAuthorityOf(CertificateId certificateId, CertificateFlag flag_)
        external
        view
        returns (uint8 authority, uint64 until);

    /// @notice Says whether a certificate can be relied on now: valid, not expired, and not blocked for this purpose;
    /// false if unknown.
    /// @dev Freeze and control block everything, an objection LIST and ASSIGN, a pledge ASSIGN and CANCEL (domain 4.3).
    function isUsable(CertificateId certificateId, CertificatePurpose purpose) external view returns (bool);

    /// @notice Reverts with {CertificateNotFound} or {CertificateNotUsable}.
    function requireUsable(CertificateId certificateId, CertificatePurpose purpose) external view;

    /// @notice Returns the leaf of a certificate with these fields, whether it exists or not.
    function leafOf(CertificateFields calldata fields) external pure returns (bytes32);
}
