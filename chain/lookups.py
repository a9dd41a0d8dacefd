"""
Rows found by many values of one field at once, for walks that pass thousands of them.

Making a record of each would cost more than the database does. Whoever wants records, pages or
their order asks `chain.reads`.
"""

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import islice
from typing import Any, Final

import orjson
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
    values: Sequence[Any],
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


def reached(
    session: Session,
    record: type,
    *,
    near: str,
    far: str,
    values: Iterable[int],
    at_block: int | None = None,
) -> set[int]:
    """
    Return the numbers in the field `far` of all records whose field `near` has one of these
    numbers, as of a block.

    The numbers go and come as one text: to hand over a row for each costs twice what finding it
    does (measured on a million nodes).
    """
    connection = session.connection()
    sql = step(connection.dialect, table_of(record), near, far, has_block=at_block is not None)
    asked = orjson.dumps(list(values)).decode()
    cursor = cursor_of(connection)
    try:
        cursor.execute(sql, (asked,) if at_block is None else (asked, at_block, at_block))
        (found,) = cursor.fetchone()
    finally:
        cursor.close()
    return set(orjson.loads(found))


@lru_cache(maxsize=STATEMENTS_MAX)
def step(
    dialect: Dialect, versioned: VersionedTable, near: str, far: str, *, has_block: bool
) -> str:
    """Return the statement that steps from numbers to numbers."""
    is_sqlite = dialect.name == "sqlite"
    mark = "?" if is_sqlite else "%s"
    held = "e.to_block IS NULL"
    if has_block:
        held = f"e.from_block <= {mark} AND ({held} OR e.to_block > {mark})"
    name = versioned.table.name
    if is_sqlite:
        # CROSS keeps the order: from each number to its records, never through the whole table.
        return (
            f"SELECT json_group_array(e.{far}) FROM json_each({mark}) AS n"
            f" CROSS JOIN {name} AS e ON e.{near} = n.value AND {held}"
        )
    return (
        f"SELECT coalesce(json_agg(e.{far}), '[]')::text FROM {name} AS e"
        f" WHERE e.{near} = ANY (translate({mark}, '[]', '{{}}')::bigint[]) AND {held}"
    )


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


def _chunks(values: Sequence[Any]) -> Iterator[list[Any]]:
    left = iter(values)
    while chunk := list(islice(left, SIZES[-1])):
        yield chunk
