"""
Organisations, their accounts, roles, issuer codes and venue recognitions, as the chain recorded
them.

It is not the sign-in (`api.auth`) and holds no profile text: that is a document named by its
digest.
"""

from dataclasses import dataclass, field, replace
from typing import ClassVar

from chain import events as e
from chain.codes import DigestAlg, ParticipantState, ParticipantType, Recognition, Role
from chain.records import INDEXED, Projected, Records, View
from chain.values import (
    ZERO_BYTES32,
    Address,
    Bytes32,
    HexBytes,
    ParticipantId,
    bytes32,
    keccak,
    raw,
)

ADMINISTER, ACT, COSIGN = 1, 2, 4
"""Purposes of an account (IParticipants.Account)."""


@dataclass(frozen=True, slots=True)
class Participant:
    """An organisation; fields as in IParticipants.Participant."""

    KEY: ClassVar = ("participant_id",)
    VIEW: ClassVar = View("Participants", "participantOf", ("participant_id",))

    participant_id: ParticipantId
    sequence: int
    participant_type: ParticipantType
    state: ParticipantState = field(metadata=INDEXED)
    uscc_digest: Bytes32 = field(metadata=INDEXED)
    uscc_last4: HexBytes
    home_venue: ParticipantId = field(metadata=INDEXED)
    profile_digest: Bytes32
    digest_alg: DigestAlg
    admitted_at: int
    valid_until: int
    supplement_until: int


@dataclass(frozen=True, slots=True)
class Account:
    """
    An account of an organisation; the encryption key itself stands in the event, its hash on
    chain.
    """

    KEY: ClassVar = ("account",)
    VIEW: ClassVar = View(
        "Participants",
        "accountOf",
        ("account",),
        covers={"encryption_key_hash": lambda r: bytes32(keccak(raw(r.encryption_key)))},
    )

    account: Address
    participant_id: ParticipantId = field(metadata=INDEXED)
    purposes: int
    valid_from: int
    valid_until: int
    revoked_at: int
    encryption_key: HexBytes


@dataclass(frozen=True, slots=True)
class RoleGrant:
    """
    A role that a participant holds, at one venue or (venue zero) everywhere; `valid_until` 0
    means open.
    """

    KEY: ClassVar = ("participant_id", "role", "venue")
    VIEW: ClassVar = View("Participants", "roleUntil", ("participant_id", "role", "venue"))

    participant_id: ParticipantId = field(metadata=INDEXED)
    role: Role = field(metadata=INDEXED)
    venue: ParticipantId = field(metadata=INDEXED)
    granted: bool
    valid_until: int


@dataclass(frozen=True, slots=True)
class IssuerCode:
    """Region and digit that an issuer's certificate codes begin with (domain 7)."""

    KEY: ClassVar = ("participant_id",)
    VIEW: ClassVar = View("Participants", "issuerCodeOf", ("participant_id",))

    participant_id: ParticipantId
    region: int
    digit: int


@dataclass(frozen=True, slots=True)
class VenueRecognition:
    """What a venue thinks of a participant admitted elsewhere (K-08)."""

    KEY: ClassVar = ("participant_id", "venue")
    VIEW: ClassVar = View("Participants", "recognitionOf", ("participant_id", "venue"))

    participant_id: ParticipantId = field(metadata=INDEXED)
    venue: ParticipantId = field(metadata=INDEXED)
    recognition: Recognition


def holds_role(
    grants: tuple[RoleGrant, ...], *, role: Role, venue: ParticipantId, now: int
) -> bool:
    """Return whether one of the grants gives the role at the venue, or everywhere, at this time."""
    return any(
        grant.role == role
        and grant.venue in (venue, ZERO_BYTES32)
        and is_active_grant(grant, now=now)
        for grant in grants
    )


def is_active_grant(grant: RoleGrant, *, now: int) -> bool:
    """Return whether the role is given at this time."""
    return grant.granted and (grant.valid_until == 0 or now < grant.valid_until)


def is_active_account(account: Account, *, purpose: int, now: int) -> bool:
    """Return whether the account may serve this purpose at this time."""
    return (
        account.purposes & purpose == purpose
        and account.revoked_at == 0
        and account.valid_from <= now
        and (account.valid_until == 0 or now < account.valid_until)
    )


def apply_participant_applied(records: Records, event: e.ParticipantApplied) -> Projected:
    """Make the participant and its first account."""
    yield Participant(
        participant_id=event.participant_id,
        sequence=event.sequence,
        participant_type=event.participant_type,
        state=ParticipantState.APPLIED,
        uscc_digest=event.uscc_digest,
        uscc_last4=event.uscc_last4,
        home_venue=event.home_venue,
        profile_digest=event.profile_digest,
        digest_alg=event.digest_alg,
        admitted_at=0,
        valid_until=0,
        supplement_until=0,
    )
    yield Account(
        account=event.account,
        participant_id=event.participant_id,
        purposes=event.purposes,
        valid_from=event.meta.timestamp,
        valid_until=0,
        revoked_at=0,
        encryption_key=event.encryption_key,
    )


def apply_participant_supplement_requested(
    records: Records, event: e.ParticipantSupplementRequested
) -> Projected:
    """Set the deadline of the supplement."""
    yield replace(
        records.require(Participant, event.participant_id),
        state=ParticipantState.SUPPLEMENT_REQUIRED,
        supplement_until=event.supplement_until,
    )


def apply_participant_supplemented(records: Records, event: e.ParticipantSupplemented) -> Projected:
    """Take over the new profile document."""
    yield replace(
        records.require(Participant, event.participant_id),
        state=ParticipantState.APPLIED,
        supplement_until=0,
        profile_digest=event.profile_digest,
        digest_alg=event.digest_alg,
    )


def apply_participant_rejected(records: Records, event: e.ParticipantRejected) -> Projected:
    """End the application."""
    yield _in_state(records, event.participant_id, ParticipantState.REJECTED)


def apply_participant_admitted(records: Records, event: e.ParticipantAdmitted) -> Projected:
    """Admit the participant until its term ends."""
    yield replace(
        records.require(Participant, event.participant_id),
        state=ParticipantState.ADMITTED,
        admitted_at=event.admitted_at,
        valid_until=event.valid_until,
    )


def apply_participant_suspended(records: Records, event: e.ParticipantSuspended) -> Projected:
    """Suspend the participant."""
    yield _in_state(records, event.participant_id, ParticipantState.SUSPENDED)


def apply_participant_restored(records: Records, event: e.ParticipantRestored) -> Projected:
    """Lift the suspension."""
    yield _in_state(records, event.participant_id, ParticipantState.ADMITTED)


def apply_participant_exit_requested(
    records: Records, event: e.ParticipantExitRequested
) -> Projected:
    """Begin the exit."""
    yield _in_state(records, event.participant_id, ParticipantState.EXITING)


def apply_participant_exited(records: Records, event: e.ParticipantExited) -> Projected:
    """End the participation; the records stay."""
    yield _in_state(records, event.participant_id, ParticipantState.EXITED)


def apply_account_added(records: Records, event: e.AccountAdded) -> Projected:
    """Add an account."""
    yield Account(
        account=event.account,
        participant_id=event.participant_id,
        purposes=event.purposes,
        valid_from=event.valid_from,
        valid_until=event.valid_until,
        revoked_at=0,
        encryption_key=event.encryption_key,
    )


def apply_account_revoked(records: Records, event: e.AccountRevoked) -> Projected:
    """Revoke an account."""
    yield replace(records.require(Account, event.account), revoked_at=event.revoked_at)


def apply_role_granted(records: Records, event: e.RoleGranted) -> Projected:
    """Grant a role, or replace its term."""
    yield RoleGrant(
        participant_id=event.participant_id,
        role=event.role,
        venue=event.venue,
        granted=True,
        valid_until=event.valid_until,
    )


def apply_role_revoked(records: Records, event: e.RoleRevoked) -> Projected:
    """Take a role back."""
    held = records.require(RoleGrant, event.participant_id, event.role, event.venue)
    yield replace(held, granted=False, valid_until=0)


def apply_issuer_code_assigned(records: Records, event: e.IssuerCodeAssigned) -> Projected:
    """Record an issuer's region and digit."""
    yield IssuerCode(participant_id=event.participant_id, region=event.region, digit=event.digit)


def apply_venue_recognition_set(records: Records, event: e.VenueRecognitionSet) -> Projected:
    """Record what a venue decided about a participant."""
    yield VenueRecognition(
        participant_id=event.participant_id, venue=event.venue, recognition=event.recognition
    )


def _in_state(
    records: Records, participant_id: ParticipantId, state: ParticipantState
) -> Participant:
    return replace(records.require(Participant, participant_id), state=state)
