"""
The mirror's database as one SQLite file, and back: a consistent copy while it is written to.

The file is the same whichever database the mirror is in, so a copy also moves a mirror from one to
the other. What else belongs to a backup is `api.upkeep.backups`'.
"""

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from itertools import islice
from pathlib import Path
from typing import Any, Final, TypeVar

from sqlalchemy import Engine, Table, func, inspect, select
from sqlmodel import Session

from chain.failure import Conflict, LedgerError
from chain.layouts import make_tables
from chain.store import mirror_engine
from chain.tables import MIRROR

T = TypeVar("T")

BATCH_ROWS: Final = 5_000

SNAPSHOT: Final = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}


class CopyDamaged(LedgerError):
    """A database file is damaged."""

    file: str
    reason: str


class MirrorNotEmpty(Conflict):
    """The database that a mirror is to be put into holds one already."""

    tables: tuple[str, ...]


def copy_mirror(engine: Engine, path: Path, seen: Callable[[Session], T]) -> T:
    """
    Write the mirror as it is at one moment into a new SQLite file; return what was seen of it then.

    shape:   `seen` reads the mirror itself, not the copy, in the very snapshot that is copied
    ensures: the snapshot lies between two transactions of the writer, who is not held up
    """
    with Session(engine) as session:
        if engine.dialect.name == "postgresql":
            # SQLite's transactions are snapshots by themselves.
            session.connection(execution_options=SNAPSHOT)
        found = seen(session)
        driver: Any = session.connection().connection.driver_connection
        if engine.dialect.name == "sqlite":
            _copy_pages(driver, path)
        else:
            _copy_rows(driver, path)
    return found


def _copy_pages(source: sqlite3.Connection, path: Path) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as target:
        source.backup(target)
        # One file without a journal beside it, and without what was deleted.
        target.execute("PRAGMA journal_mode=DELETE")
        target.execute("VACUUM")


def _copy_rows(source: Any, path: Path) -> None:
    target = mirror_engine(f"sqlite:///{path}")
    try:
        make_tables(target)
        with _raw(target) as sink:
            # A damaged mirror is copied as it is; `check_file` tells what is wrong with a copy.
            sink.execute("PRAGMA foreign_keys=OFF")
            sink.execute("BEGIN")
            for table in reversed(MIRROR.metadata.sorted_tables):
                sink.execute(f'DELETE FROM "{table.name}"')
            for table in MIRROR.metadata.sorted_tables:
                _out(source, sink, table)
            sink.execute("COMMIT")
            sink.execute("PRAGMA journal_mode=DELETE")
    finally:
        target.dispose()


def copy_sqlite(driver: Any, path: Path) -> None:
    """
    Write a SQLite database as it is at one moment into a new file.

    ensures: what was deleted is not in it; the file needs no journal beside it
    """
    driver.execute("VACUUM INTO ?", (str(path),))


def load_mirror(path: Path, engine: Engine) -> None:
    """
    Fill an empty database with the copy in a file, in one transaction.

    :raises MirrorNotEmpty: if there is a mirror in it
    """
    names = tuple(sorted(set(inspect(engine).get_table_names()) & set(MIRROR.metadata.tables)))
    if names and _holds_blocks(engine, names):
        raise MirrorNotEmpty(tables=names)
    make_tables(engine)
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as source:
        if engine.dialect.name == "sqlite":
            with _raw(engine) as driver:
                source.backup(driver)
            return
        with _raw(engine) as sink:
            for table in reversed(MIRROR.metadata.sorted_tables):
                sink.execute(f'DELETE FROM "{table.name}"')
            for table in MIRROR.metadata.sorted_tables:
                _in(source, sink, table)
            sink.commit()


def check_file(path: Path) -> None:
    """
    Check a SQLite file from its first page to its last.

    :raises CopyDamaged: if it is not whole, or a row refers to one that is not there
    """
    try:
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
            said = [row[0] for row in database.execute("PRAGMA integrity_check")]
            orphans = database.execute("PRAGMA foreign_key_check").fetchall()
    except sqlite3.DatabaseError as error:
        raise CopyDamaged(file=path.name, reason=str(error)) from error
    if said != ["ok"]:
        raise CopyDamaged(file=path.name, reason="; ".join(said[:3]))
    if orphans:
        raise CopyDamaged(file=path.name, reason=f"{len(orphans)} rows without what they refer to")


def _holds_blocks(engine: Engine, names: Sequence[str]) -> bool:
    blocks = MIRROR.metadata.tables["blocks"]
    if blocks.name not in names:
        return True
    with engine.connect() as connection:
        return bool(connection.execute(select(func.count()).select_from(blocks)).scalar())


@contextmanager
def _raw(engine: Engine) -> Iterator[Any]:
    """Lend the driver's own connection, which begins no transaction of ours."""
    connection = engine.raw_connection()
    try:
        yield connection.driver_connection
    finally:
        connection.close()


def _columns(table: Table) -> str:
    return ", ".join(f'"{one.name}"' for one in table.columns)


def _out(source: Any, sink: Any, table: Table) -> None:
    columns = _columns(table)
    marks = ", ".join("?" for _ in table.columns)
    insert = f'INSERT INTO "{table.name}" ({columns}) VALUES ({marks})'
    with source.cursor() as cursor:
        cursor.execute(f'SELECT {columns} FROM "{table.name}" LIMIT 0')
        kinds = [one.type_code for one in cursor.description]
        with cursor.copy(f'COPY (SELECT {columns} FROM "{table.name}") TO STDOUT') as copy:
            copy.set_types(kinds)
            rows = copy.rows()
            while batch := list(islice(rows, BATCH_ROWS)):
                sink.executemany(insert, batch)


def _in(source: sqlite3.Connection, sink: Any, table: Table) -> None:
    columns = _columns(table)
    known = {row[1] for row in source.execute(f'PRAGMA table_info("{table.name}")')}
    if not known:
        return
    with sink.cursor() as cursor:
        with cursor.copy(f'COPY "{table.name}" ({columns}) FROM STDIN') as copy:
            for row in source.execute(f'SELECT {columns} FROM "{table.name}"'):
                copy.write_row(row)
        for column in table.primary_key.columns:
            # The database gives the next number; what was loaded has taken some.
            cursor.execute("SELECT pg_get_serial_sequence(%s, %s)", (table.name, column.name))
            sequence = cursor.fetchone()[0]
            if sequence is not None:
                last = f'(SELECT coalesce(max("{column.name}"), 0) + 1 FROM "{table.name}")'
                cursor.execute(f"SELECT setval(%s, {last}, false)", (sequence,))
