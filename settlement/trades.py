"""
Contracts between a buyer and a seller, from conclusion to their end.

It is not the negotiation, which leaves signatures only, nor the money, which is `settlement.funds`.
"""

from dataclasses import dataclass, field, replace
from typing import ClassVar

from chain import events as e
from chain.abi import hash_values
from chain.codes import DeliveryForm, Rail, TradeState
from chain.records import INDEXED, Projected, Records, View
from chain.structs import Leg, TradeTerms
from chain.values import Bytes32, CertificateId, ListingId, ParticipantId, TradeId


@dataclass(frozen=True, slots=True)
class Trade:
    """A contract; terms and legs stand in the event in full, what both sides signed covers them."""

    KEY: ClassVar = ("trade_id",)
    VIEW: ClassVar = View(
        "Trades",
        "tradeOf",
        ("trade_id",),
        covers={"legs_hash": lambda r: legs_hash_of(r.legs)},
    )

    trade_id: TradeId
    sequence: int
    state: TradeState = field(metadata=INDEXED)
    listing_id: ListingId = field(metadata=INDEXED)
    listing_version: int
    buyer: ParticipantId = field(metadata=INDEXED)
    seller: ParticipantId = field(metadata=INDEXED)
    executing_venue: ParticipantId = field(metadata=INDEXED)
    bank: ParticipantId
    rail: Rail
    gross_fen: int
    terms: TradeTerms
    terms_digest: Bytes32
    legs: tuple[Leg, ...]
    legs_hash: Bytes32
    delivery_form: DeliveryForm
    inspection_seconds: int
    deliver_by: int
    is_use_not_acceptance: bool
    certificate_id: CertificateId


def legs_hash_of(legs: tuple[Leg, ...]) -> Bytes32:
    """Return the hash of the legs exactly as ITrades.legsHashOf does."""
    return hash_values((f"{Leg.ABI}[]",), [list(legs)])


def apply_trade_concluded(records: Records, event: e.TradeConcluded) -> Projected:
    """Make the contract: it is in force."""
    terms = event.terms
    yield Trade(
        trade_id=event.trade_id,
        sequence=event.sequence,
        state=TradeState.EFFECTIVE,
        listing_id=terms.listing_id,
        listing_version=terms.listing_version,
        buyer=event.buyer,
        seller=event.seller,
        executing_venue=terms.executing_venue,
        bank=terms.bank,
        rail=terms.rail,
        gross_fen=terms.gross_fen,
        terms=terms,
        terms_digest=event.terms_digest,
        legs=tuple(event.legs),
        legs_hash=terms.legs_hash,
        delivery_form=terms.delivery_form,
        inspection_seconds=terms.inspection_seconds,
        deliver_by=terms.deliver_by,
        is_use_not_acceptance=terms.is_use_not_acceptance,
        certificate_id=event.certificate_id,
    )


def apply_trade_advanced(records: Records, event: e.TradeAdvanced) -> Projected:
    """Move the contract on."""
    yield replace(records.require(Trade, event.trade_id), state=event.state)


def apply_trade_terminated(records: Records, event: e.TradeTerminated) -> Projected:
    """End the contract before it was fulfilled."""
    yield replace(records.require(Trade, event.trade_id), state=TradeState.TERMINATED)
