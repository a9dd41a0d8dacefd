"""
Inserts many rows at once, each database's quickest way: `executemany` or COPY.

Rows are plain values with bytes as hex, so that whoever makes them needs no database.
"""

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, Final

from sqlalchemy import Boolean, Connection, Dialect, Table
from sqlalchemy.types import TypeEngine

from chain.columns import CodeName, Hex, JsonText, Uint256
from chain.prepared import cursor_of

Row = Sequence[Any]

# What COPY reads as something else in text (PostgreSQL's documentation, COPY, "Text Format").
ESCAPES: Final = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})


def insert_rows(
    connection: Connection, table: Table, names: Sequence[str], rows: Sequence[Row]
) -> None:
    """
    Insert rows of these columns.

    :raises ValueError: if a value of a column of bytes is no hex
    """
    if rows:
        _inserter(connection.dialect, table, tuple(names))(connection, rows)


@cache
def _inserter(
    dialect: Dialect, table: Table, names: tuple[str, ...]
) -> Callable[[Connection, Sequence[Row]], None]:
    make = _copier if dialect.name == "postgresql" else _executor
    types = [table.c[name].type for name in names]
    return make(table.name, names, types, [bool(table.c[name].nullable) for name in names])


def _executor(
    table: str, names: Sequence[str], types: Sequence[TypeEngine[Any]], nullable: Sequence[bool]
) -> Callable[[Connection, Sequence[Row]], None]:
    marks = ", ".join("?" for _ in names)
    sql = f"INSERT INTO {table} ({', '.join(names)}) VALUES ({marks})"
    bind = _compiled([_bytes(f"r[{one}]", kind) for one, kind in enumerate(types)], nullable)

    def run(connection: Connection, rows: Sequence[Row]) -> None:
        cursor = cursor_of(connection)
        try:
            cursor.executemany(sql, map(bind, rows))
        finally:
            cursor.close()

    return run


def _copier(
    table: str, names: Sequence[str], types: Sequence[TypeEngine[Any]], nullable: Sequence[bool]
) -> Callable[[Connection, Sequence[Row]], None]:
    sql = f"COPY {table} ({', '.join(names)}) FROM STDIN"
    values = [_copied(f"r[{one}]", kind) for one, kind in enumerate(types)]
    line = _compiled(values, nullable, nothing='"\\\\N"')

    def run(connection: Connection, rows: Sequence[Row]) -> None:
        text = "".join(["\t".join(line(row)) + "\n" for row in rows])
        with cursor_of(connection) as cursor, cursor.copy(sql) as copy:
            copy.write(text)

    return run


def _bytes(value: str, kind: TypeEngine[Any]) -> str:
    return f"fromhex({value}[2:])" if isinstance(kind, Hex) else value


def _copied(value: str, kind: TypeEngine[Any]) -> str:
    if isinstance(kind, Hex):
        return f"'\\\\\\\\x' + fromhex({value}[2:]).hex()"
    if isinstance(kind, Boolean):
        return f"('t' if {value} else 'f')"
    if isinstance(kind, CodeName | Uint256):
        return value
    if isinstance(kind, JsonText) or kind.python_type is str:
        return f"{value}.translate(escapes)"
    return f"str({value})"


def _compiled(
    values: Sequence[str], nullable: Sequence[bool], nothing: str = "None"
) -> Callable[[Row], Any]:
    each = [
        f"{nothing} if r[{place}] is None else {value}" if may else value
        for place, (value, may) in enumerate(zip(values, nullable, strict=True))
    ]
    scope = {"fromhex": bytes.fromhex, "escapes": ESCAPES}
    made: Callable[[Row], Any] = eval(f"lambda r: ({', '.join(each)},)", scope)
    return made
