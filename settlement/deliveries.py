"""
What was handed over for a trade, when the buyer inspects it, and the receipt.

It is not the content: a delivery names the sealed package and its keys by digest.
"""

from dataclasses import dataclass, field, replace
from typing import ClassVar

from chain import events as e
from chain.abi import hash_values
from chain.codes import DeliveryForm, DeliveryState, DigestAlg
from chain.records import INDEXED, Projected, Records, View
from chain.values import ZERO_BYTES32, Bytes32, CertificateId, DeliveryId, ParticipantId, TradeId


@dataclass(frozen=True, slots=True)
class Delivery:
    """One attempt to deliver; use never accepts it (I-04)."""

    KEY: ClassVar = ("delivery_id",)
    VIEW: ClassVar = View(
        "Deliveries",
        "deliveryOf",
        ("delivery_id",),
        covers={"evidence_hash": lambda r: evidence_hash_of(r)},
    )

    delivery_id: DeliveryId
    sequence: int
    trade_id: TradeId = field(metadata=INDEXED)
    attempt: int
    state: DeliveryState = field(metadata=INDEXED)
    form: DeliveryForm
    deliverer: ParticipantId
    package_digest: Bytes32
    keys_digest: Bytes32
    digest_alg: DigestAlg
    delivered_at: int
    inspect_until: int
    is_use_not_acceptance: bool
    receipt_digest: Bytes32
    certificate_id: CertificateId


def evidence_hash_of(delivery: Delivery) -> Bytes32:
    """Return the hash of package, keys and receipt exactly as Deliveries stores it."""
    pair = ("bytes32", "bytes32")
    handed_over = hash_values(pair, (delivery.package_digest, delivery.keys_digest))
    if delivery.state is not DeliveryState.ACCEPTED:
        return handed_over
    return hash_values(pair, (handed_over, delivery.receipt_digest))


def apply_delivery_made(records: Records, event: e.DeliveryMade) -> Projected:
    """Record the attempt; the inspection runs."""
    yield Delivery(
        delivery_id=event.delivery_id,
        sequence=event.sequence,
        trade_id=event.trade_id,
        attempt=event.attempt,
        state=DeliveryState.DELIVERED,
        form=event.form,
        deliverer=event.deliverer,
        package_digest=event.package_digest,
        keys_digest=event.keys_digest,
        digest_alg=event.digest_alg,
        delivered_at=event.delivered_at,
        inspect_until=event.inspect_until,
        is_use_not_acceptance=event.is_use_not_acceptance,
        receipt_digest=ZERO_BYTES32,
        certificate_id=CertificateId(ZERO_BYTES32),
    )


def apply_delivery_accepted(records: Records, event: e.DeliveryAccepted) -> Projected:
    """Accept the delivery, by the buyer's act or its silence."""
    state = DeliveryState.DEEMED_ACCEPTED if event.is_deemed else DeliveryState.ACCEPTED
    yield replace(
        records.require(Delivery, event.delivery_id),
        state=state,
        receipt_digest=event.receipt_digest,
        certificate_id=event.certificate_id,
    )


def apply_delivery_rejected(records: Records, event: e.DeliveryRejected) -> Projected:
    """Reject the delivery for defects."""
    yield replace(records.require(Delivery, event.delivery_id), state=DeliveryState.REJECTED)
