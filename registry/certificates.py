"""
Certificates: their fields, their leaf, their status at a moment.

It is not the proof that leaves the house: checkpoints and bundles are `registry.checkpoints` and
`registry.bundles`.
"""

from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import ClassVar

from chain import events as e
from chain.abi import hash_values
from chain.codes import CertificateBase, CertificateFlag, CertificateKind, DigestAlg, Noun
from chain.records import INDEXED, Projected, Records, View
from chain.structs import CertificateFields
from chain.values import ZERO_BYTES32, Address, Bytes32, CertificateId, ParticipantId, text_of

NO_CERTIFICATE = CertificateId(ZERO_BYTES32)


class CertificateStatus(StrEnum):
    """
    What a certificate is worth at a moment; EXPIRED follows from time alone and is stored
    nowhere.
    """

    VALID = "VALID"
    EXPIRED = "EXPIRED"
    SUSPENDED = "SUSPENDED"
    SUPERSEDED = "SUPERSEDED"
    CANCELLED = "CANCELLED"


SUSPENDING = (CertificateFlag.JUDICIAL_FREEZE, CertificateFlag.TEMPORARY_CONTROL)
"""Flags that stop every use of a certificate (domain 4.3)."""


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate; the leaf covers every field that is not stored for itself."""

    KEY: ClassVar = ("certificate_id",)
    VIEW: ClassVar = View(
        "Certificates",
        "certificateOf",
        ("certificate_id",),
        covers={"leaf": lambda r: leaf_of(fields_of(r))},
    )

    certificate_id: CertificateId
    kind: CertificateKind = field(metadata=INDEXED)
    subject_noun: Noun
    subject_id: Bytes32 = field(metadata=INDEXED)
    subject_version: int
    code: Bytes32 = field(metadata=INDEXED)
    issuer: ParticipantId = field(metadata=INDEXED)
    holder: ParticipantId = field(metadata=INDEXED)
    document_digest: Bytes32
    digest_alg: DigestAlg
    issued_at: int
    valid_until: int
    owner: Address
    leaf: Bytes32
    base: CertificateBase
    flags: int
    status_sequence: int
    superseded_by: CertificateId


def fields_of(certificate: Certificate) -> CertificateFields:
    """Return the fields that the leaf covers."""
    return CertificateFields(
        certificate_id=certificate.certificate_id,
        kind=certificate.kind,
        subject_noun=certificate.subject_noun,
        subject_id=certificate.subject_id,
        subject_version=certificate.subject_version,
        code=certificate.code,
        issuer=certificate.issuer,
        holder=certificate.holder,
        document_digest=certificate.document_digest,
        digest_alg=certificate.digest_alg,
        issued_at=certificate.issued_at,
        valid_until=certificate.valid_until,
    )


def leaf_of(fields: CertificateFields) -> Bytes32:
    """
    Return the leaf exactly as ICertificates.leafOf does: keccak256 of the fields' ABI encoding.
    """
    return hash_values((CertificateFields.ABI,), [fields])


def code_text(code: Bytes32) -> str:
    """Return the human code (domain 7) as text."""
    return text_of(code)


def status_at(
    *, base: CertificateBase, flags: int, valid_until: int, now: int
) -> CertificateStatus:
    """
    Return the status at a moment: the base first, then expiry, then flags that suspend (domain
    4.3).
    """
    if base is CertificateBase.CANCELLED:
        return CertificateStatus.CANCELLED
    if base is CertificateBase.SUPERSEDED:
        return CertificateStatus.SUPERSEDED
    if valid_until and now >= valid_until:
        return CertificateStatus.EXPIRED
    if any(flags & (1 << flag) for flag in SUSPENDING):
        return CertificateStatus.SUSPENDED
    return CertificateStatus.VALID


def apply_certificate_issued(records: Records, event: e.CertificateIssued) -> Projected:
    """Make the certificate."""
    yield Certificate(
        certificate_id=event.certificate_id,
        kind=event.kind,
        subject_noun=event.subject_noun,
        subject_id=event.subject_id,
        subject_version=event.subject_version,
        code=event.code,
        issuer=event.issuer,
        holder=event.holder,
        document_digest=event.document_digest,
        digest_alg=event.digest_alg,
        issued_at=event.issued_at,
        valid_until=event.valid_until,
        owner=event.owner,
        leaf=event.leaf,
        base=CertificateBase.VALID,
        flags=0,
        status_sequence=1,
        superseded_by=NO_CERTIFICATE,
    )


def apply_certificate_flagged(records: Records, event: e.CertificateFlagged) -> Projected:
    """Set a flag."""
    held = records.require(Certificate, event.certificate_id)
    yield replace(held, flags=held.flags | (1 << event.flag), status_sequence=event.status_sequence)


def apply_certificate_unflagged(records: Records, event: e.CertificateUnflagged) -> Projected:
    """Lift a flag."""
    held = records.require(Certificate, event.certificate_id)
    yield replace(
        held, flags=held.flags & ~(1 << event.flag), status_sequence=event.status_sequence
    )


def apply_certificate_superseded(records: Records, event: e.CertificateSuperseded) -> Projected:
    """Name the successor."""
    yield replace(
        records.require(Certificate, event.certificate_id),
        base=CertificateBase.SUPERSEDED,
        superseded_by=event.superseded_by,
        status_sequence=event.status_sequence,
    )


def apply_certificate_cancelled(records: Records, event: e.CertificateCancelled) -> Projected:
    """Cancel for good."""
    yield replace(
        records.require(Certificate, event.certificate_id),
        base=CertificateBase.CANCELLED,
        status_sequence=event.status_sequence,
    )
