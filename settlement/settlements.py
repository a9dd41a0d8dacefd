"""
Settlements of fulfilled trades, and the holds that stop them.

It is not the split (`settlement.revenue`), which both sides fixed when they signed.
"""

from dataclasses import dataclass, field, replace
from typing import ClassVar

from chain import events as e
from chain.codes import AuthorityClass, SettlementState
from chain.records import INDEXED, Projected, Records, View
from chain.structs import Leg
from chain.values import (
    ZERO_BYTES32,
    Bytes32,
    CertificateId,
    DeliveryId,
    ParticipantId,
    SettlementId,
    TradeId,
)
from settlement.trades import legs_hash_of

NOBODY = ParticipantId(ZERO_BYTES32)


@dataclass(frozen=True, slots=True)
class Settlement:
    """
    A settlement; the legs stand in the event, their hash on chain, their sum is the gross amount.
    """

    KEY: ClassVar = ("settlement_id",)
    VIEW: ClassVar = View(
        "Settlements",
        "settlementOf",
        ("settlement_id",),
        covers={"legs_hash": lambda r: legs_hash_of(r.legs)},
    )

    settlement_id: SettlementId
    sequence: int
    trade_id: TradeId = field(metadata=INDEXED)
    delivery_id: DeliveryId
    state: SettlementState
    gross_fen: int
    legs: tuple[Leg, ...]
    legs_hash: Bytes32
    bank: ParticipantId
    settled_at: int
    certificate_id: CertificateId


@dataclass(frozen=True, slots=True)
class SettlementHold:
    """A hold of one authority class on the settlement of a trade."""

    KEY: ClassVar = ("trade_id", "authority")
    VIEW: ClassVar = View("Settlements", "settlementHoldOf", ("trade_id", "authority"))

    trade_id: TradeId = field(metadata=INDEXED)
    authority: AuthorityClass
    is_active: bool
    until: int
    by_participant: ParticipantId


def apply_settlement_settled(records: Records, event: e.SettlementSettled) -> Projected:
    """Record the settlement; its sum closes."""
    legs = tuple(event.legs)
    legs_total_fen = sum(leg.amount_fen for leg in legs)
    assert legs_total_fen == event.gross_fen, f"{legs_total_fen=} {event.gross_fen=}"
    yield Settlement(
        settlement_id=event.settlement_id,
        sequence=event.sequence,
        trade_id=event.trade_id,
        delivery_id=event.delivery_id,
        state=SettlementState.SETTLED,
        gross_fen=event.gross_fen,
        legs=legs,
        legs_hash=legs_hash_of(legs),
        bank=event.bank,
        settled_at=event.settled_at,
        certificate_id=event.certificate_id,
    )


def apply_settlement_hold_placed(records: Records, event: e.SettlementHoldPlaced) -> Projected:
    """Place the hold."""
    yield SettlementHold(
        trade_id=event.trade_id,
        authority=event.authority,
        is_active=True,
        until=event.cause.until,
        by_participant=event.by_participant,
    )


def apply_settlement_hold_lifted(records: Records, event: e.SettlementHoldLifted) -> Projected:
    """Lift the hold."""
    held = records.require(SettlementHold, event.trade_id, event.authority)
    yield replace(held, is_active=False, until=0, by_participant=NOBODY)
