"""
What a record amounts to at a moment: its stored state, and what time alone has made of it since.

No status is stored anywhere, since time could falsify it; the moment is the time of the block that
an answer is as of. Certificates have theirs in `registry.certificates`.
"""

from enum import Enum, IntFlag, auto

from chain.codes import (
    AgreementState,
    CertificateFlag,
    ListingState,
    ParticipantState,
    RegistrationState,
    RightKind,
)
from registry.agreements import Agreement
from registry.assessments import Assessment
from registry.certificates import Certificate, CertificateStatus, status_at
from registry.participants import (
    ACT,
    ADMINISTER,
    COSIGN,
    Account,
    Participant,
    RoleGrant,
    is_active_account,
)
from registry.registrations import Registration
from registry.rights import Right, is_in_term
from settlement.listings import Listing


class Purpose(IntFlag):
    """What an account may do for its organisation."""

    ADMINISTER = ADMINISTER
    ACT = ACT
    COSIGN = COSIGN


class RightKindBit(IntFlag):
    """The rights that an entry grants."""

    HOLD = 1 << (RightKind.HOLD - 1)
    USE = 1 << (RightKind.USE - 1)
    OPERATE = 1 << (RightKind.OPERATE - 1)


class FlagBit(IntFlag):
    """The flags of a certificate; numbered as in `CertificateFlag`."""

    OBJECTION_PENDING = 1 << CertificateFlag.OBJECTION_PENDING
    JUDICIAL_FREEZE = 1 << CertificateFlag.JUDICIAL_FREEZE
    TEMPORARY_CONTROL = 1 << CertificateFlag.TEMPORARY_CONTROL
    PLEDGED = 1 << CertificateFlag.PLEDGED
    TERM_OR_CONDITION = 1 << CertificateFlag.TERM_OR_CONDITION
    REGISTRAR_EXITED = 1 << CertificateFlag.REGISTRAR_EXITED
    NOTE = 1 << CertificateFlag.NOTE


class TermStatus(Enum):
    """Whether something with a term is in force."""

    PENDING = auto()
    ACTIVE = auto()
    EXPIRED = auto()
    REVOKED = auto()


class ReportStatus(Enum):
    """Whether a report may still be relied on."""

    VALID = auto()
    EXPIRED = auto()
    WITHDRAWN = auto()


class ParticipantStatus(Enum):
    """The stored states of a participant, and the two that time makes."""

    APPLIED = auto()
    SUPPLEMENT_REQUIRED = auto()
    LAPSED = auto()
    REJECTED = auto()
    ADMITTED = auto()
    EXPIRED = auto()
    SUSPENDED = auto()
    EXITING = auto()
    EXITED = auto()
    SUCCEEDED = auto()
    NONE = auto()


class RegistrationStatus(Enum):
    """The stored states of a registration, and the two that time makes (domain 4.2)."""

    SUBMITTED = auto()
    SUPPLEMENT_REQUIRED = auto()
    LAPSED = auto()
    ACCEPTED = auto()
    REVIEW_PASSED = auto()
    PUBLIC_NOTICE = auto()
    NOTICE_CLEARED = auto()
    NOTICE_WAIVED = auto()
    DEPOSITED = auto()
    REFUSED = auto()
    TERMINATED = auto()
    WITHDRAWN = auto()
    NONE = auto()


class ListingStatus(Enum):
    """The stored states of a listing, and the one that time makes."""

    UNDER_REVIEW = auto()
    RETURNED = auto()
    REJECTED = auto()
    LISTED = auto()
    EXPIRED = auto()
    SUSPENDED = auto()
    DELISTED = auto()
    NONE = auto()


class AgreementStatus(Enum):
    """The stored states of an agreement, and the one that time makes."""

    PROPOSED = auto()
    ACTIVE = auto()
    EXPIRED = auto()
    TERMINATED = auto()
    NONE = auto()


def participant_status(one: Participant, now: int) -> ParticipantStatus:
    """Return a participant's status; a term that ran out makes ADMITTED EXPIRED."""
    state = ParticipantStatus[one.state.name]
    if one.state is ParticipantState.ADMITTED and _over(one.valid_until, now):
        return ParticipantStatus.EXPIRED
    if one.state is ParticipantState.SUPPLEMENT_REQUIRED and _over(one.supplement_until, now):
        return ParticipantStatus.LAPSED
    return state


def is_active_participant(one: Participant, now: int) -> bool:
    """Return whether the organisation may act now."""
    return participant_status(one, now) is ParticipantStatus.ADMITTED


def account_status(one: Account, now: int) -> TermStatus:
    """Return whether a key counts now."""
    if one.revoked_at:
        return TermStatus.REVOKED
    if is_active_account(one, purpose=0, now=now):
        return TermStatus.ACTIVE
    return TermStatus.PENDING if now < one.valid_from else TermStatus.EXPIRED


def role_status(one: RoleGrant, now: int) -> TermStatus:
    """Return whether a role is held now."""
    if not one.granted:
        return TermStatus.REVOKED
    return TermStatus.EXPIRED if _over(one.valid_until, now) else TermStatus.ACTIVE


def right_status(one: Right, now: int) -> TermStatus:
    """Return whether the entry itself is in force; what it was granted from is not looked at."""
    if one.revoked_at:
        return TermStatus.REVOKED
    if is_in_term(one, now=now):
        return TermStatus.ACTIVE
    return TermStatus.PENDING if now < one.valid_from else TermStatus.EXPIRED


def registration_status(one: Registration, now: int) -> RegistrationStatus:
    """Return a registration's status; a notice that ended without objection is cleared."""
    state = RegistrationStatus[one.state.name]
    if one.state is RegistrationState.SUPPLEMENT_REQUIRED and _over(one.state_until, now):
        return RegistrationStatus.LAPSED
    if (
        one.state is RegistrationState.PUBLIC_NOTICE
        and _over(one.state_until, now)
        and not one.open_objections
    ):
        return RegistrationStatus.NOTICE_CLEARED
    return state


def assessment_status(one: Assessment, now: int) -> ReportStatus:
    """Return whether a report may still be relied on."""
    if one.withdrawn_at:
        return ReportStatus.WITHDRAWN
    return ReportStatus.EXPIRED if _over(one.expires_at, now) else ReportStatus.VALID


def agreement_status(one: Agreement, now: int) -> AgreementStatus:
    """Return an agreement's status."""
    if one.state is AgreementState.ACTIVE and _over(one.valid_until, now):
        return AgreementStatus.EXPIRED
    return AgreementStatus[one.state.name]


def listing_status(one: Listing, now: int) -> ListingStatus:
    """Return a listing's status; a suspension may end by itself."""
    is_resumed = one.state is ListingState.SUSPENDED and _over(one.suspended_until, now)
    state = ListingState.LISTED if is_resumed else one.state
    if state is ListingState.LISTED and _over(one.list_until, now):
        return ListingStatus.EXPIRED
    return ListingStatus[state.name]


def certificate_status(one: Certificate, now: int) -> CertificateStatus:
    """Return what a certificate is worth now."""
    return status_at(base=one.base, flags=one.flags, valid_until=one.valid_until, now=now)


def _over(until: int, now: int) -> bool:
    return until != 0 and now >= until
