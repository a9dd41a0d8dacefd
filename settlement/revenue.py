"""
Revenue is about dividing money: shares of a net amount, fees, tax, and the table of who is paid.

It is not about moving money or whether a trade may settle: it only computes, in whole fen, and
every division adds up to what went in.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from chain.codes import LegKind
from chain.errors import PayeesOutOfOrder, SharesNotWhole, TooManyPayees
from chain.failure import Invalid
from chain.structs import Leg, Payee
from chain.values import ParticipantId, check_fen

# The whole, in basis points.
WHOLE_BPS: Final = 10_000
# A revenue table is flattened and bounded when a link is made (architecture.md 7).
PAYEES_MAX: Final = 16


class ShareOutOfRange(Invalid):
    """A share lies between zero and 10 000 basis points."""

    share_bps: int


class RateOutOfRange(Invalid):
    """A rate lies between zero and 10 000 basis points."""

    rate_bps: int


class UpstreamAboveWhole(Invalid):
    """The parents together ask for more than 10 000 basis points."""

    total_bps: int


class ChargesAboveGross(Invalid):
    """Fees and tax together are more than the gross amount."""

    charges_fen: int
    gross_fen: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Charge:
    """A fee or a tax taken out of the gross amount, and who receives it."""

    payee: ParticipantId
    amount_fen: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Upstream:
    """What one parent asks for: its own revenue table, and its share of the child's revenue."""

    table: tuple[Payee, ...]
    share_bps: int


def split(*, net_fen: int, weights_bps: Sequence[int]) -> tuple[int, ...]:
    """
    Divide an amount by weights, handing the fen left over to the largest remainders.

    shape:   one part per weight, in the same order; ties go to the lowest index
    ensures: the parts add up to the amount, none is negative, a weight of zero gets zero
    source:  domain.md 5, revenue sharing; J-02, J-03
    :raises SharesNotWhole: if the weights do not add up to 10 000
    """
    check_fen(net_fen)
    for weight in weights_bps:
        _check_share(weight)
    total_bps = sum(weights_bps)
    if total_bps != WHOLE_BPS:
        raise SharesNotWhole(total_bps=total_bps)
    parts = [net_fen * weight // WHOLE_BPS for weight in weights_bps]
    by_remainder = sorted(
        range(len(parts)), key=lambda place: (-(net_fen * weights_bps[place] % WHOLE_BPS), place)
    )
    for place in by_remainder[: net_fen - sum(parts)]:
        parts[place] += 1
    parts_total = sum(parts)
    assert parts_total == net_fen, f"{parts_total=} {net_fen=}"
    return tuple(parts)


def vat_inclusive_tax(*, gross_fen: int, rate_bps: int) -> int:
    """
    Find the tax inside a tax-inclusive price: gross * r / (1 + r), rounded half-up to a fen.

    units:   the rate in basis points, a parameter of the trade; the source cites 600 (J-10)
    ensures: computed in whole numbers, never above the gross amount
    """
    check_fen(gross_fen)
    _check_rate(rate_bps)
    divisor = WHOLE_BPS + rate_bps
    return (2 * gross_fen * rate_bps + divisor) // (2 * divisor)


def fee_floor(*, gross_fen: int, rate_bps: int) -> int:
    """Take a fee in basis points of the gross amount, rounded down to a fen (J-08, J-09)."""
    check_fen(gross_fen)
    _check_rate(rate_bps)
    return gross_fen * rate_bps // WHOLE_BPS


def plan_legs(
    *,
    gross_fen: int,
    fees: Sequence[Charge],
    taxes: Sequence[Charge],
    revenue_table: Sequence[Payee],
) -> tuple[Leg, ...]:
    """
    Plan every payment out of a gross amount: shares in table order, then fees, then tax.

    note:    a price of zero gives no legs (A-10); a leg of zero is left out
    ensures: the legs add up to the gross amount; what is shared is gross - fees - tax
    :raises ChargesAboveGross: if fees and tax leave less than nothing to share
    """
    check_fen(gross_fen)
    check_table(revenue_table)
    charges_fen = sum(check_fen(charge.amount_fen) for charge in (*fees, *taxes))
    if charges_fen > gross_fen:
        raise ChargesAboveGross(charges_fen=charges_fen, gross_fen=gross_fen)
    parts = split(
        net_fen=gross_fen - charges_fen,
        weights_bps=[payee.share_bps for payee in revenue_table],
    )
    shares = [
        Charge(payee=payee.participant_id, amount_fen=part)
        for payee, part in zip(revenue_table, parts, strict=True)
    ]
    legs = (
        *_legs(LegKind.SHARE, shares),
        *_legs(LegKind.FEE, fees),
        *_legs(LegKind.TAX, taxes),
    )
    legs_total = sum(leg.amount_fen for leg in legs)
    assert legs_total == gross_fen, f"{legs_total=} {gross_fen=}"
    return legs


def flatten_revenue(*, parents: Sequence[Upstream], registrant: ParticipantId) -> tuple[Payee, ...]:
    """
    Write the revenue table of an asset from the tables of its parents.

    shape:   ascending by participant id, each payee once, at most PAYEES_MAX, each with a share
    ensures: every upstream payee gets at least the sum of floor(parent share * link share), the
             registrant gets all the rest, the shares add up to 10 000
    source:  architecture.md 7
    :raises UpstreamAboveWhole: if the parents ask for more than the whole
    :raises TooManyPayees: if the merged table has more than PAYEES_MAX payees
    """
    for parent in parents:
        check_table(parent.table)
        _check_share(parent.share_bps)
    asked_bps = sum(parent.share_bps for parent in parents)
    if asked_bps > WHOLE_BPS:
        raise UpstreamAboveWhole(total_bps=asked_bps)
    shares = dict(upstream_floors(parents))
    shares[registrant] = shares.get(registrant, 0) + WHOLE_BPS - sum(shares.values())
    table = tuple(
        Payee(participant_id=payee, share_bps=share_bps)
        for payee, share_bps in sorted(shares.items())
        if share_bps
    )
    check_table(table)
    return table


def upstream_floors(parents: Iterable[Upstream]) -> Mapping[ParticipantId, int]:
    """
    Add up what each upstream payee must get at least, in basis points.

    note: this is the sum the contract checks a declared revenue table against
    """
    floors: dict[ParticipantId, int] = {}
    for parent in parents:
        for payee in parent.table:
            share_bps = payee.share_bps * parent.share_bps // WHOLE_BPS
            floors[payee.participant_id] = floors.get(payee.participant_id, 0) + share_bps
    return floors


def check_table(table: Sequence[Payee]) -> None:
    """
    Refuse a revenue table that the contract would refuse.

    :raises TooManyPayees: above PAYEES_MAX
    :raises PayeesOutOfOrder: if a payee is out of order, named twice, or has no share
    :raises SharesNotWhole: if the shares do not add up to 10 000
    """
    if len(table) > PAYEES_MAX:
        raise TooManyPayees(count=len(table), maximum=PAYEES_MAX)
    before = ""
    for payee in table:
        if payee.participant_id <= before or payee.share_bps <= 0:
            raise PayeesOutOfOrder(participant_id=payee.participant_id)
        before = payee.participant_id
    total_bps = sum(payee.share_bps for payee in table)
    if total_bps != WHOLE_BPS:
        raise SharesNotWhole(total_bps=total_bps)


def _legs(kind: LegKind, payments: Sequence[Charge]) -> tuple[Leg, ...]:
    return tuple(
        Leg(kind=kind, payee=payment.payee, amount_fen=payment.amount_fen)
        for payment in payments
        if payment.amount_fen
    )


def _check_share(share_bps: int) -> None:
    if not 0 <= share_bps <= WHOLE_BPS:
        raise ShareOutOfRange(share_bps=share_bps)


def _check_rate(rate_bps: int) -> None:
    if not 0 <= rate_bps <= WHOLE_BPS:
        raise RateOutOfRange(rate_bps=rate_bps)
