"""
The history of one record: its versions, oldest first, each with the event that made it.

Nothing is remembered beside the mirror: versions and events are there already, side by side.
"""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar

from sqlalchemy import select, tuple_
from sqlmodel import Session

from chain.reads import Recorded
from chain.store import BLOCKS, EVENTS
from chain.tables import table_of
from chain.values import Bytes32

R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Made:
    """The event that made a version."""

    name: str
    contract: str
    transaction_hash: Bytes32


@dataclass(frozen=True, slots=True)
class Version(Generic[R]):
    """
    A version of a record with what made it.

    units: `from_time` and `to_time` in seconds since 1970 UTC, the latter None while it is current
    """

    recorded: Recorded[R]
    made: Made
    from_time: int
    to_time: int | None


def versions(
    session: Session,
    record: type[R],
    *key: Hashable,
    after: int = -1,
    limit: int = 50,
    at_block: int | None = None,
) -> tuple[tuple[Version[R], ...], int | None]:
    """
    Return the next versions of one record, and the block after which to go on (None at the end).

    shape:   `after` is the `from_block` of the last version seen
    ensures: as of a block, nothing is told that came later: what is closed later is open
    """
    versioned = table_of(record)
    table = versioned.table
    same = [table.c[name] == value for name, value in zip(versioned.key, key, strict=True)]
    until = [] if at_block is None else [table.c.from_block <= at_block]
    query = (
        select(*versioned.columns(), table.c.from_block, table.c.from_log, table.c.to_block)
        .where(*same, table.c.from_block > after, *until)
        .order_by(table.c.from_block)
        .limit(limit + 1)
    )
    rows = session.connection().execute(query).all()
    found = [_recorded(versioned, row, at_block) for row in rows[:limit]]
    made, times = _made(session, found), _times(session, found)
    told = tuple(
        Version(
            one,
            made[one.from_block, one.from_log],
            times[one.from_block],
            None if one.to_block is None else times[one.to_block],
        )
        for one in found
    )
    return told, found[-1].from_block if len(rows) > limit else None


def _recorded(versioned: Any, row: Any, at_block: int | None) -> Recorded[Any]:
    *values, from_block, from_log, to_block = row
    found = Recorded(versioned.make(values), from_block, from_log, to_block)
    is_later = at_block is not None and to_block is not None and to_block > at_block
    return replace(found, to_block=None) if is_later else found


def _made(session: Session, found: Sequence[Recorded[Any]]) -> dict[tuple[int, int], Made]:
    place = (EVENTS.c.block_number, EVENTS.c.log_index)
    wanted = [(one.from_block, one.from_log) for one in found]
    query = select(*place, EVENTS.c.name, EVENTS.c.contract, EVENTS.c.transaction_hash)
    rows = session.connection().execute(query.where(tuple_(*place).in_(wanted)))
    return {(number, log): Made(*rest) for number, log, *rest in rows}


def _times(session: Session, found: Sequence[Recorded[Any]]) -> dict[int, int]:
    ends = [one.to_block for one in found if one.to_block is not None]
    wanted = {*(one.from_block for one in found), *ends}
    query = select(BLOCKS.c.number, BLOCKS.c.timestamp).where(BLOCKS.c.number.in_(wanted))
    return {row.number: row.timestamp for row in session.connection().execute(query)}
