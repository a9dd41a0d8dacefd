"""
Entries of the rights register: who holds, uses or operates which asset, on what basis and within
what limits.

It is not a token: several holders may hold the same right (D-02), and nothing here is transferred.
"""

from dataclasses import dataclass, field, replace
from typing import ClassVar

from chain import events as e
from chain.abi import hash_values
from chain.codes import RightKind
from chain.records import INDEXED, WIDE, Projected, Records, View
from chain.structs import RightTerms
from chain.values import AssetId, Bytes32, CertificateId, ParticipantId, RightId


@dataclass(frozen=True, slots=True)
class Right:
    """An entry; `terms` stands in the event in full, its hash on chain."""

    KEY: ClassVar = ("right_id",)
    VIEW: ClassVar = View(
        "Rights",
        "rightOf",
        ("right_id",),
        covers={"terms_hash": lambda r: hash_values((RightTerms.ABI,), [r.terms])},
    )

    right_id: RightId
    asset_id: AssetId = field(metadata=INDEXED)
    asset_version: int
    certificate_id: CertificateId
    parent_right_id: RightId = field(metadata=INDEXED)
    holder: ParticipantId = field(metadata=INDEXED)
    kinds: int
    valid_from: int
    valid_until: int
    exclusive: bool
    may_sub_grant: bool
    share_bps: int
    purposes: int = field(metadata=WIDE)
    region: int
    terms: RightTerms
    terms_hash: Bytes32
    revoked_at: int


def kinds_of(bits: int) -> tuple[RightKind, ...]:
    """Return the rights that a bit set names: 1 HOLD, 2 USE, 4 OPERATE."""
    return tuple(kind for kind in RightKind if kind and bits & (1 << (kind - 1)))


def is_in_term(right: Right, *, now: int) -> bool:
    """
    Return whether the entry itself is in force now; what it was granted from is checked apart.
    """
    return (
        right.revoked_at == 0
        and right.valid_from <= now
        and (right.valid_until == 0 or now < right.valid_until)
    )


def apply_right_granted(records: Records, event: e.RightGranted) -> Projected:
    """Enter the right."""
    terms = event.terms
    yield Right(
        right_id=event.right_id,
        asset_id=event.asset_id,
        asset_version=event.asset_version,
        certificate_id=event.certificate_id,
        parent_right_id=event.parent_right_id,
        holder=event.holder,
        kinds=terms.kinds,
        valid_from=terms.valid_from,
        valid_until=terms.valid_until,
        exclusive=terms.exclusive,
        may_sub_grant=terms.may_sub_grant,
        share_bps=terms.share_bps,
        purposes=terms.purposes,
        region=terms.region,
        terms=terms,
        terms_hash=hash_values((RightTerms.ABI,), [terms]),
        revoked_at=0,
    )


def apply_right_revoked(records: Records, event: e.RightRevoked) -> Projected:
    """Revoke the right."""
    yield replace(records.require(Right, event.right_id), revoked_at=event.revoked_at)
