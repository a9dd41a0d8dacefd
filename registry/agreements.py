"""
Mutual recognition between exchanges: who agreed to what, and since when.

It is not the check of a certificate (`registry.certificates`); it only says how old a checkpoint
may be.
"""

from dataclasses import dataclass, field, replace
from enum import IntFlag
from typing import ClassVar

from chain import events as e
from chain.abi import hash_values
from chain.codes import AgreementState, DigestAlg
from chain.records import INDEXED, Projected, Records, View
from chain.values import AgreementId, Bytes32, ParticipantId


class Scope(IntFlag):
    """What members recognise of each other (domain 4.14)."""

    VENDOR = 1
    REGISTRATION_CERTIFICATE = 2
    LISTING = 4
    ASSESSMENT_REPORT = 8
    CREDIT = 16
    DEMAND = 32


@dataclass(frozen=True, slots=True)
class Agreement:
    """An agreement; the members stand in the event, their hash on chain."""

    KEY: ClassVar = ("agreement_id",)
    VIEW: ClassVar = View(
        "Agreements",
        "agreementOf",
        ("agreement_id",),
        covers={"members_hash": lambda r: hash_values(("bytes32[]",), [list(r.members)])},
    )

    agreement_id: AgreementId
    state: AgreementState = field(metadata=INDEXED)
    scopes: int
    max_age_seconds: int
    members: tuple[ParticipantId, ...]
    member_count: int
    signed_count: int
    document_digest: Bytes32
    digest_alg: DigestAlg
    effective_at: int
    valid_until: int


def apply_agreement_proposed(records: Records, event: e.AgreementProposed) -> Projected:
    """Make the agreement, signed by its proposer."""
    yield Agreement(
        agreement_id=event.agreement_id,
        state=AgreementState.PROPOSED,
        scopes=event.scopes,
        max_age_seconds=event.max_age_seconds,
        members=tuple(event.members),
        member_count=len(event.members),
        signed_count=1,
        document_digest=event.document_digest,
        digest_alg=event.digest_alg,
        effective_at=0,
        valid_until=event.valid_until,
    )


def apply_agreement_signed(records: Records, event: e.AgreementSigned) -> Projected:
    """Count a signature; the last one puts the agreement in force."""
    yield replace(
        records.require(Agreement, event.agreement_id),
        state=AgreementState.ACTIVE if event.effective_at else AgreementState.PROPOSED,
        signed_count=event.signed_count,
        effective_at=event.effective_at,
    )


def apply_agreement_terminated(records: Records, event: e.AgreementTerminated) -> Projected:
    """End the agreement."""
    yield replace(records.require(Agreement, event.agreement_id), state=AgreementState.TERMINATED)
