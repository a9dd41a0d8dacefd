"""
Whether the mirror is what the chain says: rows against the contract views that their records name,
and how many there are against the chain's own counts.

All of them in turn (`audit`), or some at random (`sample`); it repairs nothing. A node forgets old
states, so every part is asked at the mirror's newest block of that moment.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from random import Random
from typing import Any, Final, TypeVar

from sqlalchemy import Engine, func, select
from sqlmodel import Session

from api.auditing.comparing import AuditOnAnotherFork as AuditOnAnotherFork
from api.auditing.comparing import Difference, Moment, StateNotHeld, compare
from api.auditing.counters import COVERED, check_counters, check_gaps
from chain.facts import Block
from chain.failure import Conflict
from chain.reads import Place, count, page
from chain.records import View
from chain.rpc import Endpoint
from chain.store import followed, tip_of
from chain.tables import table_of
from settlement.projection import ALL_RECORDS

T = TypeVar("T")

BATCH: Final = 100
DIFFERENCES_MAX: Final = 100

# The node may be a block ahead, or have forgotten the state, while the mirror's writer follows.
TRIES: Final = 5
PAUSE_SECONDS: Final = 0.2

Note = Callable[[int, int], object]
"""Told how many records of how many were compared."""


class NothingToAudit(Conflict):
    """The mirror holds no block yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Audit:
    """
    What an audit found.

    shape: `compared` counts records, by name in `records`; at most DIFFERENCES_MAX differences are
           told in full, `difference_count` counts all; the block is the last that was asked at
    """

    equal: bool
    compared: int
    records: Mapping[str, int]
    block_number: int
    block_hash: str
    difference_count: int
    differences: tuple[Difference, ...]


@dataclass(slots=True)
class Scan:
    """One pass over all records, a part at a time; between parts the mirror may move on."""

    mirror: Engine
    node: Endpoint
    compared: dict[str, int] = field(default_factory=dict)
    difference_count: int = 0
    differences: list[Difference] = field(default_factory=list)
    block: Block | None = None
    _record: int = 0
    _after: Place | None = None

    @property
    def is_done(self) -> bool:
        """Return whether everything was compared."""
        return self._record > len(ALL_RECORDS)

    def step(self, limit: int = BATCH) -> list[Difference]:
        """
        Compare the next records, or at the end the counts, and return what differs.

        :raises NothingToAudit: if there is no block
        :raises AuditOnAnotherFork: StateNotHeld: if the node cannot be asked at the mirror's block
        """
        found = patiently(lambda: self._part(limit))
        self.difference_count += len(found)
        self.differences += found[: max(0, DIFFERENCES_MAX - len(self.differences))]
        return found

    def result(self) -> Audit:
        """Return what was found so far."""
        return Audit(
            equal=self.difference_count == 0,
            compared=sum(self.compared.values()),
            records=dict(self.compared),
            block_number=-1 if self.block is None else self.block.number,
            block_hash="" if self.block is None else self.block.hash,
            difference_count=self.difference_count,
            differences=tuple(self.differences),
        )

    def _part(self, limit: int) -> list[Difference]:
        with at_tip(self.mirror, self.node) as moment:
            if self._record == len(ALL_RECORDS):
                found, number, after = list(_whole(moment)), 0, None
                named = {one: count(moment.session, one) for one in COVERED}
            else:
                record = ALL_RECORDS[self._record]
                found, number, after = _stretch(moment, record, self._after, limit)
                named = {record: self.compared.get(record.__name__, 0) + number}
        # Only a part that was compared whole counts; any other is asked again.
        self.block = moment.block
        self.compared.update({one.__name__: total for one, total in named.items()})
        self._after = after
        if after is None:
            self._record += 1
        return found


def audit(mirror: Engine, node: Endpoint, *, note: Note = lambda _, __: None) -> Audit:
    """
    Compare every current record with its contract, and every count.

    :raises NothingToAudit: if there is no block
    :raises AuditOnAnotherFork: if the node stays on another fork
    :raises StateNotHeld: if the mirror stays so far behind that the node forgot its state
    """
    scan = Scan(mirror, node)
    with Session(mirror) as session:
        total = sum(count(session, record) for record in ALL_RECORDS)
    while not scan.is_done:
        scan.step()
        note(min(total, sum(scan.compared.values())), total)
    return scan.result()


def sample(mirror: Engine, node: Endpoint, *, number: int, random: Random) -> Audit:
    """
    Compare some records, each as likely as any other of its type, and the more the more there are.

    :raises NothingToAudit: AuditOnAnotherFork: StateNotHeld: as `audit`
    """

    def ask() -> Audit:
        scan = Scan(mirror, node)
        with at_tip(mirror, node) as moment:
            for record, chosen in _chosen(moment.session, number, random).items():
                found = compare(moment, chosen, _view(record))
                scan.difference_count += len(found)
                scan.differences += found[: max(0, DIFFERENCES_MAX - len(scan.differences))]
                scan.compared[record.__name__] = len(chosen)
        scan.block = moment.block
        return scan.result()

    return patiently(ask)


def patiently(ask: Callable[[], T]) -> T:
    """Return an answer, asking again while mirror and node move apart and together."""
    for _ in range(TRIES - 1):
        try:
            return ask()
        except (AuditOnAnotherFork, StateNotHeld):
            time.sleep(PAUSE_SECONDS)
    return ask()


@contextmanager
def at_tip(mirror: Engine, node: Endpoint) -> Iterator[Moment]:
    """
    Open a reading of the mirror at its newest block, which the node has before and after.

    :raises NothingToAudit: if there is no block
    :raises AuditOnAnotherFork: if the node has another
    """
    with Session(mirror) as session:
        if mirror.dialect.name == "postgresql":
            # SQLite's transactions are snapshots by themselves.
            session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
        block = tip_of(session)
        if block is None:
            raise NothingToAudit()
        moment = Moment(session, node, block, followed(session)[1])
        moment.require_same_fork()
        yield moment
        moment.require_same_fork()


def _stretch(
    moment: Moment, record: type[Any], after: Place | None, limit: int
) -> tuple[list[Difference], int, Place | None]:
    view: View | None = record.VIEW
    if view is None:
        return [], 0, None
    rows = page(moment.session, record, after=after, limit=limit)
    found = compare(moment, [one.record for one in rows.items], view)
    return found, len(rows.items), rows.next


def _whole(moment: Moment) -> Iterator[Difference]:
    for check in COVERED.values():
        yield from check(moment.session)
    for record in ALL_RECORDS:
        yield from check_gaps(moment.session, record)
    yield from check_counters(moment)


def _view(record: type) -> View:
    view: View = record.VIEW  # type: ignore[attr-defined]
    return view


def _chosen(session: Session, number: int, random: Random) -> dict[type, Sequence[Any]]:
    with_view = [one for one in ALL_RECORDS if one.VIEW is not None]  # type: ignore[attr-defined]
    sizes = {one: count(session, one) for one in with_view}
    there = [one for one in with_view if sizes[one]]
    if not there:
        return {}
    wanted = random.choices(there, [sizes[one] for one in there], k=number)
    return {
        record: _some(session, record, wanted.count(record), random)
        for record in dict.fromkeys(wanted)
    }


def _some(session: Session, record: type, number: int, random: Random) -> list[Any]:
    """Return current records at random: for each draw the next one above a random row number."""
    versioned = table_of(record)
    table = versioned.table
    low, high = (
        session.connection()
        .execute(select(func.min(table.c.row_id), func.max(table.c.row_id)))
        .one()
    )
    found = {}
    for _ in range(number):
        query = (
            select(table.c.row_id, *versioned.columns())
            .where(table.c.row_id >= random.randint(low, high), table.c.to_block.is_(None))
            .order_by(table.c.row_id)
            .limit(1)
        )
        row = session.connection().execute(query).first()
        if row is not None:
            found[row[0]] = versioned.make(row[1:])
    return list(found.values())
