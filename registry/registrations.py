"""
Applications for registration and what became of them, from submission to deposit.

It is not the certificate, which the deposit issues, nor the rights, which it enters.
"""

from dataclasses import dataclass, field, replace
from typing import ClassVar

from chain import events as e
from chain.abi import hash_values
from chain.codes import ActType, DigestAlg, ProcessingRole, RegistrationState, SourceKind, Verdict
from chain.records import INDEXED, Projected, Records, View
from chain.structs import RightTerms
from chain.values import (
    ZERO_BYTES32,
    AssetId,
    Bytes32,
    CertificateId,
    ParticipantId,
    ProfileId,
    RegistrationId,
)


@dataclass(frozen=True, slots=True)
class Registration:
    """A registration; the rights applied for stand in the event, their hash on chain."""

    KEY: ClassVar = ("registration_id",)
    VIEW: ClassVar = View(
        "Registrations",
        "registrationOf",
        ("registration_id",),
        covers={"rights_hash": lambda r: rights_hash_of(r.rights)},
    )

    registration_id: RegistrationId
    sequence: int
    asset_id: AssetId = field(metadata=INDEXED)
    asset_version: int
    act_type: ActType
    state: RegistrationState = field(metadata=INDEXED)
    profile_id: ProfileId
    applicant: ParticipantId = field(metadata=INDEXED)
    registrar: ParticipantId = field(metadata=INDEXED)
    prior_certificate_id: CertificateId
    source_kind: SourceKind
    processing_role: ProcessingRole
    document_digest: Bytes32
    digest_alg: DigestAlg
    rights: tuple[RightTerms, ...]
    rights_hash: Bytes32
    description_verdict: Verdict
    source_verdict: Verdict
    rights_verdict: Verdict
    state_until: int
    remaining_seconds: int
    open_objections: int
    certificate_id: CertificateId


def rights_hash_of(rights: tuple[RightTerms, ...]) -> Bytes32:
    """Return the hash of the rights applied for exactly as Registrations stores it."""
    return hash_values((f"{RightTerms.ABI}[]",), [list(rights)])


def apply_registration_submitted(records: Records, event: e.RegistrationSubmitted) -> Projected:
    """Make the registration."""
    rights = tuple(event.rights)
    yield Registration(
        registration_id=event.registration_id,
        sequence=event.sequence,
        asset_id=event.asset_id,
        asset_version=event.asset_version,
        act_type=event.act_type,
        state=RegistrationState.SUBMITTED,
        profile_id=event.profile_id,
        applicant=event.applicant,
        registrar=event.registrar,
        prior_certificate_id=event.prior_certificate_id,
        source_kind=event.source_kind,
        processing_role=event.processing_role,
        document_digest=event.document_digest,
        digest_alg=event.digest_alg,
        rights=rights,
        rights_hash=rights_hash_of(rights),
        description_verdict=Verdict.PENDING,
        source_verdict=Verdict.PENDING,
        rights_verdict=Verdict.PENDING,
        state_until=event.state_until,
        remaining_seconds=0,
        open_objections=0,
        certificate_id=CertificateId(ZERO_BYTES32),
    )


def apply_registration_supplement_requested(
    records: Records, event: e.RegistrationSupplementRequested
) -> Projected:
    """Set the deadline of the supplement."""
    yield replace(
        _held(records, event.registration_id),
        state=RegistrationState.SUPPLEMENT_REQUIRED,
        state_until=event.state_until,
    )


def apply_registration_supplemented(
    records: Records, event: e.RegistrationSupplemented
) -> Projected:
    """Take over the supplemented form; the answer's deadline runs anew."""
    yield replace(
        _held(records, event.registration_id),
        state=RegistrationState.SUBMITTED,
        document_digest=event.document_digest,
        digest_alg=event.digest_alg,
        state_until=event.state_until,
    )


def apply_registration_accepted(records: Records, event: e.RegistrationAccepted) -> Projected:
    """Start the decision's deadline."""
    yield replace(
        _held(records, event.registration_id),
        state=RegistrationState.ACCEPTED,
        state_until=event.state_until,
    )


def apply_registration_examined(records: Records, event: e.RegistrationExamined) -> Projected:
    """Record the three checks and stop the decision's clock."""
    yield replace(
        _held(records, event.registration_id),
        state=RegistrationState.REVIEW_PASSED,
        description_verdict=event.description_verdict,
        source_verdict=event.source_verdict,
        rights_verdict=event.rights_verdict,
        state_until=0,
        remaining_seconds=event.remaining_seconds,
    )


def apply_registration_notice_published(
    records: Records, event: e.RegistrationNoticePublished
) -> Projected:
    """Begin the public notice."""
    yield replace(
        _held(records, event.registration_id),
        state=RegistrationState.PUBLIC_NOTICE,
        state_until=event.state_until,
    )


def apply_registration_notice_waived(
    records: Records, event: e.RegistrationNoticeWaived
) -> Projected:
    """Waive the public notice."""
    yield replace(
        _held(records, event.registration_id),
        state=RegistrationState.NOTICE_WAIVED,
        state_until=0,
    )


def apply_registration_objected(records: Records, event: e.RegistrationObjected) -> Projected:
    """Count an objection."""
    yield replace(
        _held(records, event.registration_id),
        open_objections=event.open_objections,
        state_until=event.state_until,
    )


def apply_registration_objection_dismissed(
    records: Records, event: e.RegistrationObjectionDismissed
) -> Projected:
    """Count a dismissal."""
    yield replace(
        _held(records, event.registration_id),
        open_objections=event.open_objections,
        state_until=event.state_until,
    )


def apply_registration_deposited(records: Records, event: e.RegistrationDeposited) -> Projected:
    """Complete the registration (D-05)."""
    yield replace(
        _held(records, event.registration_id),
        state=RegistrationState.DEPOSITED,
        state_until=0,
        certificate_id=event.certificate_id,
    )


def apply_registration_refused(records: Records, event: e.RegistrationRefused) -> Projected:
    """Refuse the registration (D-11)."""
    yield _ended(records, event.registration_id, RegistrationState.REFUSED)


def apply_registration_withdrawn(records: Records, event: e.RegistrationWithdrawn) -> Projected:
    """Withdraw the application."""
    yield _ended(records, event.registration_id, RegistrationState.WITHDRAWN)


def _held(records: Records, registration_id: RegistrationId) -> Registration:
    return records.require(Registration, registration_id)


def _ended(
    records: Records, registration_id: RegistrationId, state: RegistrationState
) -> Registration:
    return replace(_held(records, registration_id), state=state, state_until=0)
