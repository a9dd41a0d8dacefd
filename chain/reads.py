"""
Questions to the mirror: records as of a block, pages, histories, counts, a checksum.

Only reading; `chain.store` writes. The packages' `store.py` ask through here and add what a noun
needs beyond it.
"""

import hashlib
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

from sqlalchemy import (
    ColumnElement,
    Select,
    Subquery,
    and_,
    false,
    func,
    or_,
    select,
    tuple_,
    union,
)
from sqlmodel import Session

from chain.columns import canonical
from chain.facts import Block, Entry
from chain.heads import final_number as final_number
from chain.store import BLOCKS, EVENTS, block_at, stored_entries, tip_of
from chain.tables import TABLES, VersionedTable, table_of
from chain.values import Bytes32

R = TypeVar("R")

# After every block that a version can end at.
FOREVER: Final = 2**63 - 1
STREAMED_ROWS: Final = 2_000


@dataclass(frozen=True, slots=True)
class Recorded(Generic[R]):
    """
    A record with the place in the chain that made this version of it.

    shape: holds from `from_block` until before `to_block`, which is None while it is current
    """

    record: R
    from_block: int
    from_log: int
    to_block: int | None


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page ended: the order is by block, then log, then the record's key."""

    from_block: int
    from_log: int
    key: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Span:
    """Values of a field from the lowest to the highest, both included: such as ids by prefix."""

    lowest: Any
    highest: Any


@dataclass(frozen=True, slots=True)
class Page(Generic[R]):
    """Some records in order, and where to go on; `next` is None at the end."""

    items: tuple[Recorded[R], ...]
    next: Place | None


def as_of(session: Session, at_block: int | None = None) -> Block | None:
    """Return the block that answers are as of: the tip, or the applied block of that height."""
    return tip_of(session) if at_block is None else block_at(session, at_block)


def find(
    session: Session, record: type[R], *key: Hashable, at_block: int | None = None
) -> Recorded[R] | None:
    """Return the version of one record that held at a block (by default: holds now), or None."""
    versioned = table_of(record)
    query = _select(versioned).where(*_same(versioned, key), *_at(versioned, at_block))
    if at_block is not None:
        # The last of the versions that had begun: the index gives it at once, however many.
        query = query.order_by(versioned.table.c.from_block.desc()).limit(1)
    row = session.connection().execute(query).first()
    return None if row is None else _recorded(versioned, row)


def history(session: Session, record: type[R], *key: Hashable) -> tuple[Recorded[R], ...]:
    """Return all versions of one record, oldest first."""
    versioned = table_of(record)
    query = _select(versioned).where(*_same(versioned, key)).order_by(versioned.table.c.from_block)
    return tuple(_recorded(versioned, row) for row in session.connection().execute(query))


def page(
    session: Session,
    record: type[R],
    *,
    where: Mapping[str, Any] | None = None,
    any_of: Sequence[Mapping[str, Any]] | None = None,
    after: Place | None = None,
    limit: int = 50,
    at_block: int | None = None,
    newest_first: bool = False,
) -> Page[R]:
    """
    Return the next records in the order of the chain.

    shape:   `where` holds exact values of fields (a tuple, or a query of values: any of them; a
             Span: all between); of `any_of` one must hold as well: of none of them, nothing does
    ensures: with the same `at_block` the pages are one snapshot; without, a record that changes
             between two pages moves to the end of the order
    """
    versioned = table_of(record)
    table = versioned.table
    order = [table.c.from_block, table.c.from_log, *(table.c[name] for name in versioned.key)]
    query = _select(versioned).where(*_at(versioned, at_block), *_matching(versioned, where))
    if any_of is not None:
        query = query.where(or_(false(), *(and_(*_matching(versioned, one)) for one in any_of)))
    if after is not None:
        place = tuple_(*order)
        there = tuple_(after.from_block, after.from_log, *after.key, types=[c.type for c in order])
        query = query.where(place < there if newest_first else place > there)
    query = query.order_by(*(one.desc() if newest_first else one for one in order))
    rows = session.connection().execute(query.limit(limit + 1)).all()
    items = tuple(_recorded(versioned, row) for row in rows[:limit])
    more = len(rows) > limit
    return Page(items, _place(versioned, items[-1]) if more else None)


def count(
    session: Session,
    record: type[Any],
    *,
    where: Mapping[str, Any] | None = None,
    at_block: int | None = None,
) -> int:
    """Return how many records there are."""
    versioned = table_of(record)
    query = select(func.count()).select_from(versioned.table)
    query = query.where(*_at(versioned, at_block), *_matching(versioned, where))
    return int(session.connection().execute(query).scalar_one())


def events_about(
    session: Session,
    topic: str,
    *,
    after: tuple[int, int] = (-1, -1),
    limit: int = 50,
    at_block: int | None = None,
) -> tuple[Entry, ...]:
    """
    Return the events in which an id stands as an indexed value, oldest first.

    shape: `after` is the block number and log index of the last one seen
    """
    places = places_about(topic, after=after, limit=limit, at_block=at_block)
    return tuple(stored_entries(session, among=places))


def places_about(
    topic: str, *, after: tuple[int, int] = (-1, -1), limit: int = 50, at_block: int | None = None
) -> Subquery:
    """
    Return the query of the next places of events in which an id stands as an indexed value.

    shape: at most `limit` from each of the three indexes, each in its order; for `stored_entries`
    """
    columns = (EVENTS.c.block_number, EVENTS.c.log_index)
    until = [] if at_block is None else [EVENTS.c.block_number <= at_block]
    later = tuple_(*columns) > tuple_(*after, types=[one.type for one in columns])
    each = [
        select(
            select(*columns)
            .where(value == topic, later, *until)
            .order_by(*columns)
            .limit(limit)
            .subquery()
        )
        for value in (EVENTS.c.topic1, EVENTS.c.topic2, EVENTS.c.topic3)
    ]
    found = union(*each).subquery()
    ordered = select(found).order_by(found.c.block_number, found.c.log_index)
    return ordered.limit(limit).subquery()


def block_checksum(session: Session, number: int) -> Bytes32 | None:
    """
    Return the checksum of an applied block, or None: over all blocks up to it and what they made.

    ensures: two mirrors of one chain, of whatever database and age, have the same
    """
    query = select(BLOCKS.c.checksum).where(BLOCKS.c.number == number)
    found: Bytes32 | None = session.connection().execute(query).scalar()
    return found


def checksum(session: Session, at_block: int | None = None) -> str:
    """
    Return the SHA-256 over all versions that held at a block (by default: hold now) and their
    places, whatever order they are kept in.

    shape:   a noun of which there is no record adds nothing, so that programs agree of which one
             knows more nouns than the other
    ensures: two mirrors of the same chain, however they came to it, have the same
    """
    total = hashlib.sha256()
    for versioned in sorted(TABLES.values(), key=lambda one: one.table.name):
        query = _raw(versioned).where(*_at(versioned, at_block))
        rows = session.connection().execute(query.execution_options(yield_per=STREAMED_ROWS))
        digests = sorted(hashlib.sha256(_canonical_row(row)).digest() for row in rows)
        if not digests:
            continue
        total.update(versioned.table.name.encode())
        total.update(len(digests).to_bytes(8, "big"))
        for digest in digests:
            total.update(digest)
    return total.hexdigest()


def _select(versioned: VersionedTable) -> Any:
    table = versioned.table
    return select(*versioned.columns(), table.c.from_block, table.c.from_log, table.c.to_block)


def _raw(versioned: VersionedTable) -> Any:
    table = versioned.table
    return select(*versioned.columns(), table.c.from_block, table.c.from_log)


def _canonical_row(row: Any) -> bytes:
    return canonical([_plain(value) for value in row]).encode()


def _plain(value: Any) -> Any:
    if isinstance(value, bool | str) or value is None:
        return value
    return value.name if hasattr(value, "name") else repr(value)


def _same(versioned: VersionedTable, key: tuple[Hashable, ...]) -> list[ColumnElement[bool]]:
    pairs = zip(versioned.key, key, strict=True)
    return [versioned.table.c[name] == value for name, value in pairs]


def _at(versioned: VersionedTable, at_block: int | None) -> list[ColumnElement[bool]]:
    table = versioned.table
    if at_block is None:
        return [table.c.to_block.is_(None)]
    # Not an OR: rows come in the order of `from_block`, not gathered by two indexes and sorted.
    return [
        table.c.from_block <= at_block,
        func.coalesce(table.c.to_block, FOREVER) > at_block,
    ]


def _matching(
    versioned: VersionedTable, where: Mapping[str, Any] | None
) -> list[ColumnElement[bool]]:
    return [_holds(versioned.table.c[name], value) for name, value in (where or {}).items()]


def _holds(column: ColumnElement[Any], value: Any) -> ColumnElement[bool]:
    if isinstance(value, Span):
        return column.between(value.lowest, value.highest)
    if isinstance(value, tuple | list | frozenset | Select):
        return column.in_(value)
    is_equal: ColumnElement[bool] = column == value
    return is_equal


def _recorded(versioned: VersionedTable, row: Any) -> Recorded[Any]:
    *values, from_block, from_log, to_block = row
    return Recorded(versioned.make(values), from_block, from_log, to_block)


def _place(versioned: VersionedTable, last: Recorded[Any]) -> Place:
    key = tuple(getattr(last.record, name) for name in versioned.key)
    return Place(last.from_block, last.from_log, key)
