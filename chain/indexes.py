"""
Indexes that only readers need: left out while an empty mirror is filled, made at the end at once.

Sorting a million keys is several times quicker than putting them in their places one by one. A
process that ends before leaves some out; the next writer makes them (`complete`).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final
from weakref import WeakSet

from sqlalchemy import Connection, Engine, Index, inspect, select

from chain.pauses import without_pauses as without_pauses
from chain.rows import BLOCKS
from chain.tables import LATE, MIRROR

# Engines whose database has them all, as far as this process knows.
_COMPLETE: Final[WeakSet[Engine]] = WeakSet()


@contextmanager
def filling(engine: Engine) -> Iterator[None]:
    """
    Go without these indexes during the `with`, if the mirror is empty when it begins.

    ensures: when it ends, however it ends, they are there
    """
    with engine.begin() as connection:
        is_empty = connection.execute(select(BLOCKS.c.number).limit(1)).first() is None
        if is_empty:
            drop_late(connection)
    _COMPLETE.discard(engine)
    try:
        with without_pauses():
            yield
    finally:
        complete(engine)


def complete(engine: Engine) -> None:
    """Make the indexes that are missing: the writer's affair, once in each process."""
    if engine not in _COMPLETE:
        with engine.begin() as connection:
            make_late(connection)
        _COMPLETE.add(engine)


def drop_late(connection: Connection) -> None:
    """Drop the indexes that only readers need, in the connection's transaction."""
    there = _there(connection)
    for index in _late():
        if index.name in there:
            index.drop(connection)


def make_late(connection: Connection) -> None:
    """Make those of them that are missing, in the connection's transaction."""
    there = _there(connection)
    for index in _late():
        if index.name not in there:
            index.create(connection)


def _late() -> Iterator[Index]:
    for table in MIRROR.metadata.sorted_tables:
        yield from (index for index in table.indexes if index.info.get(LATE))


def _there(connection: Connection) -> set[str]:
    found = inspect(connection).get_multi_indexes()
    return {str(index["name"]) for indexes in found.values() for index in indexes}
