"""
Rows found by many values of one field at once, for walks that pass thousands of them.

Making a record of each would cost more than the database does. Whoever wants records, pages or
their order asks `chain.reads`.
"""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import islice
from typing import Any, Final

from sqlalchemy import Connection, Dialect, bindparam, or_, select
from sqlalchemy.types import NULLTYPE
from sqlmodel import Session

from chain.prepared import Prepared, cursor_of
from chain.tables import VersionedTable, table_of

# How many values one statement asks for; each size is a statement, compiled once.
SIZES: Final = (8, 64, 512)

STATEMENTS_MAX: Final = 128


def rows_by(
    session: Session,
    record: type,
    names: tuple[str, ...],
    *,
    by: str,
    values: Sequence[bytes],
    at_block: int | None = None,
) -> list[tuple[Any, ...]]:
    """
    Return some fields of all records whose field `by` has one of these values, as of a block.

    shape: in no order, and as stored: bytes as bytes, codes by their names; a record once for each
           time its value is given
    """
    versioned = table_of(record)
    connection = session.connection()
    found: list[tuple[Any, ...]] = []
    for chunk in _chunks(values):
        size = next(one for one in SIZES if one >= len(chunk))
        prepared = statement(
            connection.dialect, versioned, names, by, size, has_block=at_block is not None
        )
        # The last again and again, which finds nothing twice.
        asked: list[Any] = [*chunk, *[chunk[-1]] * (size - len(chunk))]
        found += _run(connection, prepared, asked if at_block is None else [*asked, at_block])
    return found


@lru_cache(maxsize=STATEMENTS_MAX)
def statement(
    dialect: Dialect,
    versioned: VersionedTable,
    names: tuple[str, ...],
    by: str,
    size: int,
    *,
    has_block: bool,
) -> Prepared:
    """Return the statement that asks for so many values."""
    table = versioned.table
    # Without a type, as they come are they bound.
    binds: dict[str, Any] = {f"value_{number}": NULLTYPE for number in range(size)}
    sought = table.c[by].in_([bindparam(one) for one in binds])
    query = select(*(table.c[name] for name in names)).where(sought)
    if has_block:
        block: Any = bindparam("at_block")
        binds["at_block"] = NULLTYPE
        is_later = or_(table.c.to_block.is_(None), table.c.to_block > block)
        query = query.where(table.c.from_block <= block, is_later)
    else:
        query = query.where(table.c.to_block.is_(None))
    return Prepared(dialect, query, binds)


def _run(connection: Connection, prepared: Prepared, values: Sequence[Any]) -> list[Any]:
    cursor = cursor_of(connection)
    try:
        cursor.execute(prepared.sql, prepared.bound(values))
        return list(cursor.fetchall())
    finally:
        cursor.close()


def _chunks(values: Sequence[bytes]) -> Iterator[list[bytes]]:
    left = iter(values)
    while chunk := list(islice(left, SIZES[-1])):
        yield chunk
