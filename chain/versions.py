"""
The records a projection reads, kept as versions in tables.

One instance serves one writer. It remembers what it read and wrote, so that a block's projection
rarely asks the database, and writes many rows at once.
"""

from collections import defaultdict
from collections.abc import Hashable, Iterable
from functools import cache
from typing import Any, Final, TypeVar

from sqlalchemy import Connection, Dialect, bindparam, select
from sqlalchemy.types import TypeEngine
from sqlmodel import Session

from chain.prepared import Prepared
from chain.records import RecordMissing, key_of
from chain.tables import VersionedTable, table_of

R = TypeVar("R")
Ident = tuple[type, tuple[Hashable, ...]]

# How many records are remembered between flushes: about a kilobyte each.
REMEMBERED_MAX: Final = 50_000

VERSION_COLUMNS: Final = ("from_block", "to_block", "from_log")
TO_BLOCK: Final = -2


class TableRecords:
    """
    Current records as a projection sees them, and the versions it makes.

    shape: put() an event's versions, end_block() after a block's last event, flush() before commit
    """

    def __init__(self, session: Session | None = None) -> None:
        self._connection = None if session is None else session.connection()
        # The state at the end of the last whole block; None stands for a record that is not there.
        self._current: dict[Ident, Any] = {}
        # The records of these types are all remembered: what is not there, is not in the table.
        self._whole: dict[type, bool] = {}
        self._changed: dict[Ident, tuple[Any, int]] = {}
        self._waiting: dict[Ident, list[Any]] = {}
        self._rows: dict[type, list[list[Any]]] = defaultdict(list)
        self._closing: dict[type, list[list[Any]]] = defaultdict(list)

    def use(self, session: Session) -> None:
        """Read and write in this session, whose transaction follows the last one's commit."""
        self._connection = session.connection()

    def get(self, record: type[R], *key: Hashable) -> R | None:
        """Return the current version of the record with this key, or None."""
        ident = (record, key)
        changed = self._changed.get(ident)
        if changed is not None:
            found: R = changed[0]
            return found
        stored: R | None = self._stored(ident)
        return stored

    def require(self, record: type[R], *key: Hashable) -> R:
        """
        Return the current version of a record that an earlier event must have made.

        :raises RecordMissing: if there is none, so the stream is incomplete
        """
        found = self.get(record, *key)
        if found is None:
            raise RecordMissing(record, key)
        return found

    def put(self, versions: Iterable[Any], log_index: int) -> None:
        """Make these versions current within the block that is being applied."""
        for version in versions:
            self._changed[type(version), key_of(version)] = (version, log_index)

    def end_block(self, number: int) -> None:
        """
        Turn each changed record's last state in this block into one version from this block on.

        ensures: a record that ends the block as it began it gets no version
        """
        for ident, (version, log_index) in self._changed.items():
            before = self._stored(ident)
            if before == version:
                continue
            if before is not None:
                self._close(ident, number)
            record = ident[0]
            row = [*table_of(record).values(version), number, None, log_index]
            self._rows[record].append(row)
            self._waiting[ident] = row
            self._current[ident] = version
        self._changed.clear()

    def flush(self) -> None:
        """Write what is waiting; the caller commits."""
        connection = self._connected()
        for record, closing in self._closing.items():
            _close(connection.dialect, table_of(record)).many(connection, closing)
        for record, rows in self._rows.items():
            _insert(connection.dialect, table_of(record)).many(connection, rows)
        self._closing.clear()
        self._rows.clear()
        self._waiting.clear()
        if len(self._current) > REMEMBERED_MAX:
            self._current.clear()
            self._whole = dict.fromkeys(self._whole, False)

    def _stored(self, ident: Ident) -> Any:
        if ident not in self._current:
            self._current[ident] = self._load(*ident)
        return self._current[ident]

    def _load(self, record: type, key: tuple[Hashable, ...]) -> Any:
        connection = self._connected()
        versioned = table_of(record)
        if record not in self._whole:
            some = select(versioned.table.c.row_id).limit(1)
            self._whole[record] = connection.execute(some).first() is None
        if self._whole[record]:
            return None
        row = _find(connection.dialect, versioned).first(connection, key)
        return None if row is None else versioned.make(row)

    def _close(self, ident: Ident, number: int) -> None:
        waiting = self._waiting.get(ident)
        if waiting is not None:
            waiting[TO_BLOCK] = number
        else:
            record, key = ident
            self._closing[record].append([*key, number])

    def _connected(self) -> Connection:
        if self._connection is None:
            raise RuntimeError("use() a session first")
        return self._connection


@cache
def _find(dialect: Dialect, versioned: VersionedTable) -> Prepared:
    clause = select(*versioned.columns()).where(*_is_current(versioned))
    results = [column.type for column in versioned.columns()]
    return Prepared(dialect, clause, _key_types(versioned), results)


@cache
def _close(dialect: Dialect, versioned: VersionedTable) -> Prepared:
    table = versioned.table
    clause = table.update().where(*_is_current(versioned)).values(to_block=bindparam("closed_at"))
    binds = {**_key_types(versioned), "closed_at": table.c.to_block.type}
    return Prepared(dialect, clause, binds)


@cache
def _insert(dialect: Dialect, versioned: VersionedTable) -> Prepared:
    return Prepared.insert(dialect, versioned.table, [*versioned.names, *VERSION_COLUMNS])


def _key_types(versioned: VersionedTable) -> dict[str, TypeEngine[Any]]:
    return {f"key_{name}": versioned.table.c[name].type for name in versioned.key}


def _is_current(versioned: VersionedTable) -> list[Any]:
    table = versioned.table
    same = [table.c[name] == bindparam(f"key_{name}") for name in versioned.key]
    return [*same, table.c.to_block.is_(None)]
