"""
What people ask the tables of market and settlement for: above all, the whole lineage.

Versions of assets are numbers during a walk, and get their ids at the end. It is not the
projection: nothing here writes.
"""

from collections.abc import Iterable, Iterator, Set
from typing import Any

from sqlalchemy import Select, func, or_, select
from sqlmodel import Session

from chain.abi import bytes_of, hex_of
from chain.codes import CertificateKind, Noun, WithdrawalState
from chain.lookups import rows_by
from chain.pauses import without_pauses
from chain.tables import table_of
from chain.values import ParticipantId
from registry.certificates import Certificate
from registry.lineage import NODES_MAX, STEPS_MAX, Direction, Edge, Lineage, Node, Walk, walk
from registry.store import asset_links, asset_nodes, asset_numbers, linked
from settlement import tables as tables
from settlement.deliveries import Delivery
from settlement.funds import FundsAccount, FundsHold, Posting, Withdrawal
from settlement.lineage import JOINS, End, Join
from settlement.settlements import Settlement
from settlement.trades import Trade

Point = int | Node
"""A version of an asset by its number, anything else as a node."""


def lineage_of(
    session: Session, start: Node, direction: Direction, *, at_block: int | None = None
) -> Lineage:
    """Return everything upstream or downstream of a node, as of a block (L-01, L-02)."""
    tracing = Tracing(session, direction, at_block)
    return tracing.told(start, tracing.walk(start))


class Tracing:
    """Walks one way in one reading of the mirror, and remembers what it learned on the way."""

    def __init__(self, session: Session, direction: Direction, at_block: int | None = None) -> None:
        self._session = session
        self._direction = direction
        self._at_block = at_block
        self._is_up = direction is Direction.UPSTREAM
        self._nodes: dict[int, Node] = {}
        self._edges: dict[Edge, None] = {}

    def walk(
        self, start: Node, *, steps_max: int = STEPS_MAX, nodes_max: int = NODES_MAX
    ) -> Walk[Point]:
        """Return what is reached from a node, step by step."""
        point = self._points([start]).get(start, start)
        return walk(start=point, step=self._step, steps_max=steps_max, nodes_max=nodes_max)

    def told(self, start: Node, walked: Walk[Point]) -> Lineage:
        """Return what a walk from there reached: nodes step by step, links between assets first."""
        nodes: list[Node] = []
        edges: list[Edge] = []
        with without_pauses():
            levels = [_parted(level) for level in walked.levels]
            self._learn({number for numbers, _ in levels for number in numbers})
            for numbers, others in levels:
                nodes += map(self._nodes.__getitem__, sorted(numbers))
                nodes += sorted(others)
            for numbers, _ in levels[: len(walked.followed)]:
                edges += self._links(numbers)
            edges += self._edges
        return Lineage(start, self._direction, tuple(nodes), tuple(edges), walked.is_complete)

    # --- one step -----------------------------------------------------------------------------

    def _step(self, level: Set[Point]) -> Set[Point]:
        numbers, others = _parted(level)
        found: set[Point] = set()
        if numbers:
            found |= linked(self._session, numbers, self._direction, at_block=self._at_block)
            if not self._is_up:
                self._learn(numbers)
                others |= {self._nodes[one] for one in numbers}
        return found | self._joined(others) if others else found

    def _joined(self, nodes: Set[Node]) -> Set[Point]:
        edges = sorted(edge for join in JOINS for edge in self._edges_of(join, nodes))
        self._edges.update(dict.fromkeys(edges))
        ends = [edge.source if self._is_up else edge.target for edge in edges]
        points = self._points([one for one in ends if one.noun is Noun.ASSET])
        return {points.get(one, one) for one in ends}

    def _edges_of(self, join: Join, nodes: Set[Node]) -> Iterator[Edge]:
        near = join.target if self._is_up else join.source
        ids = sorted({bytes_of(one.id) for one in nodes if one.noun is near.noun})
        if not ids:
            return
        source, target = _fields(join.source), _fields(join.target)
        rows = rows_by(
            self._session,
            join.record,
            (*source, *target),
            by=near.id,
            values=ids,
            at_block=self._at_block,
        )
        for row in rows:
            edge = Edge(
                _made(join.source, row[: len(source)]),
                _made(join.target, row[len(source) :]),
                join.relation,
            )
            if (edge.target if self._is_up else edge.source) in nodes:
                yield edge

    # --- numbers and nodes --------------------------------------------------------------------

    def _points(self, nodes: Iterable[Node]) -> dict[Node, Point]:
        assets = {one for one in nodes if one.noun is Noun.ASSET}
        if not assets:
            return {}
        found = asset_numbers(self._session, assets, at_block=self._at_block)
        self._nodes.update((number, node) for node, number in found.items())
        return dict(found)

    def _learn(self, numbers: Set[int]) -> None:
        unknown = numbers - self._nodes.keys()
        if unknown:
            self._nodes.update(asset_nodes(self._session, unknown, at_block=self._at_block))

    def _links(self, numbers: Set[int]) -> list[Edge]:
        nodes = self._nodes
        found = asset_links(self._session, numbers, self._direction, at_block=self._at_block)
        return [Edge(nodes[parent], nodes[child], relation) for parent, child, relation in found]


def _parted(level: Set[Point]) -> tuple[set[int], set[Node]]:
    """Return the versions of assets of a level, and all else."""
    numbers = {one for one in level if isinstance(one, int)}
    return numbers, {one for one in level if not isinstance(one, int)}


def _fields(end: End) -> tuple[str, ...]:
    return (end.id,) if end.version is None else (end.id, end.version)


def _made(end: End, values: Any) -> Node:
    id_, version = values if end.version else (values[0], 0)
    return Node(end.noun, hex_of(id_), version)


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
