"""
What people ask the tables of market and settlement for: above all, the whole lineage.

It is not the projection: nothing here writes.
"""

from collections.abc import Callable, Iterator
from typing import Any

from sqlalchemy import Select, func, or_, select
from sqlmodel import Session

from chain.codes import CertificateKind, Noun, WithdrawalState
from chain.tables import table_of
from chain.values import ParticipantId
from registry.certificates import Certificate
from registry.lineage import Direction, Edge, Lineage, Node, walk
from registry.store import asset_edges, every
from settlement import tables as tables
from settlement.deliveries import Delivery
from settlement.funds import FundsAccount, FundsHold, Posting, Withdrawal
from settlement.lineage import edges_of_delivery, edges_of_listing, edges_of_trade
from settlement.listings import Listing
from settlement.settlements import Settlement
from settlement.trades import Trade

# From which records, by which field, the edges at a noun are found.
DOWNSTREAM: dict[Noun, tuple[tuple[type, str, Callable[[Any], tuple[Edge, ...]]], ...]] = {
    Noun.ASSET: ((Listing, "asset_id", edges_of_listing),),
    Noun.LISTING: ((Trade, "listing_id", edges_of_trade),),
    Noun.TRADE: (
        (Trade, "trade_id", edges_of_trade),
        (Delivery, "trade_id", edges_of_delivery),
    ),
}
UPSTREAM: dict[Noun, tuple[tuple[type, str, Callable[[Any], tuple[Edge, ...]]], ...]] = {
    Noun.LISTING: ((Listing, "listing_id", edges_of_listing),),
    Noun.TRADE: ((Trade, "trade_id", edges_of_trade),),
    Noun.DELIVERY: ((Delivery, "delivery_id", edges_of_delivery),),
    Noun.PARTICIPANT: ((Trade, "buyer", edges_of_trade),),
}


def lineage_of(
    session: Session, start: Node, direction: Direction, *, at_block: int | None = None
) -> Lineage:
    """Return everything upstream or downstream of a node, as of a block (L-01, L-02)."""

    def neighbours(level: tuple[Node, ...]) -> tuple[Edge, ...]:
        return edges_at(session, level, direction, at_block=at_block)

    return walk(start=start, direction=direction, neighbours=neighbours)


def edges_at(
    session: Session,
    level: tuple[Node, ...],
    direction: Direction,
    *,
    at_block: int | None = None,
) -> tuple[Edge, ...]:
    """Return the edges that touch these nodes on the walking side."""
    assets = tuple(node for node in level if node.noun is Noun.ASSET)
    edges = asset_edges(session, assets, direction, at_block=at_block)
    return edges + tuple(_other_edges(session, level, direction, at_block))


def _other_edges(
    session: Session, level: tuple[Node, ...], direction: Direction, at_block: int | None
) -> Iterator[Edge]:
    is_down = direction is Direction.DOWNSTREAM
    nodes = set(level)
    for noun, readers in (DOWNSTREAM if is_down else UPSTREAM).items():
        ids = tuple(node.id for node in level if node.noun is noun)
        for record, field, edges_of in readers if ids else ():
            found: Iterator[Any] = every(session, record, where={field: ids}, at_block=at_block)
            for one in found:
                for edge in edges_of(one):
                    if (edge.source if is_down else edge.target) in nodes:
                        yield edge


def trades_seen_by(
    participant_id: ParticipantId, venues: tuple[ParticipantId, ...]
) -> Select[tuple[str]]:
    """
    Return the query of the ids of trades that concern a participant: as a party, as the executing
    venue, or because it supervises that venue.

    shape: parties never change, so current rows serve every moment
    """
    trades = table_of(Trade).table
    return select(trades.c.trade_id).where(
        trades.c.to_block.is_(None),
        or_(
            trades.c.buyer == participant_id,
            trades.c.seller == participant_id,
            trades.c.executing_venue.in_((participant_id, *venues)),
        ),
    )


def certificates_seen_by(trades: Select[tuple[str]] | None) -> Select[tuple[str]]:
    """
    Return the query of the ids of certificates of registration, and of those about these trades,
    their deliveries and settlements; None means no trade.

    shape: what a certificate is about never changes, so current rows serve every moment
    """
    made = table_of(Certificate).table
    seen = made.c.kind == CertificateKind.REGISTRATION
    if trades is not None:
        subjects = [trades]
        for record, key in ((Delivery, "delivery_id"), (Settlement, "settlement_id")):
            table = table_of(record).table
            subjects.append(select(table.c[key]).where(table.c.trade_id.in_(trades)))
        seen = or_(seen, *(made.c.subject_id.in_(one) for one in subjects))
    return select(made.c.certificate_id).where(made.c.to_block.is_(None), seen)


def settled_fen(session: Session) -> int:
    """Return the gross amount of all settlements."""
    settlements = table_of(Settlement).table
    total = func.coalesce(func.sum(settlements.c.gross_fen), 0)
    query = select(total).where(settlements.c.to_block.is_(None))
    return int(session.connection().execute(query).scalar_one())


def violations(session: Session) -> tuple[str, ...]:
    """
    Return what is wrong with the money of the mirror, one sentence each; nothing is expected.

    ensures: at each bank, what accounts have held is what open holds and withdrawals hold; the
             postings of a settled trade add up to its gross amount
    """
    return (*_unheld(session), *_unposted(session))


def _unheld(session: Session) -> Iterator[str]:
    accounts, holds = table_of(FundsAccount).table, table_of(FundsHold).table
    waiting = table_of(Withdrawal).table
    held = _sums(session, accounts.c.bank, accounts.c.held_fen)
    reasons = _sums(session, holds.c.bank, holds.c.held_fen)
    asked = waiting.c.state == WithdrawalState.REQUESTED
    for bank, amount in _sums(session, waiting.c.bank, waiting.c.amount_fen, asked).items():
        reasons[bank] = reasons.get(bank, 0) + amount
    for bank in sorted(held.keys() | reasons.keys()):
        if held.get(bank, 0) != reasons.get(bank, 0):
            yield (
                f"at bank {bank} accounts hold {held.get(bank, 0)} fen,"
                f" holds and withdrawals {reasons.get(bank, 0)}"
            )


def _unposted(session: Session) -> Iterator[str]:
    settlements, postings = table_of(Settlement).table, table_of(Posting).table
    posted = _sums(session, postings.c.trade_id, postings.c.amount_fen)
    for trade_id, gross_fen in _sums(
        session, settlements.c.trade_id, settlements.c.gross_fen
    ).items():
        found = posted.pop(trade_id, 0)
        if found != gross_fen:
            yield f"trade {trade_id} settled {gross_fen} fen and posted {found}"
    for trade_id in sorted(posted):
        yield f"trade {trade_id} posted {posted[trade_id]} fen without a settlement"


def _sums(session: Session, by: Any, amount: Any, *where: Any) -> dict[str, int]:
    current = by.table.c.to_block.is_(None)
    query = select(by, func.sum(amount)).where(current, *where).group_by(by)
    return {key: int(total) for key, total in session.connection().execute(query)}
