"""
The records a projection reads, kept as versions in tables.

One instance serves one writer. It remembers what it read and wrote, so that a block's projection
rarely asks the database, and writes many rows at once.
"""

from collections import defaultdict
from collections.abc import Hashable, Iterable
from functools import cache
from hashlib import sha256
from typing import Any, Final, TypeVar

import orjson
from sqlalchemy import Connection, Dialect, bindparam, select
from sqlalchemy.types import TypeEngine
from sqlmodel import Session

from chain.bulk import insert_rows
from chain.prepared import Prepared
from chain.records import RecordMissing
from chain.tables import TABLES, VersionedTable, table_of

R = TypeVar("R")
Ident = tuple[type, tuple[Hashable, ...]]

# How many records are remembered between flushes, at most: about a kilobyte each.
REMEMBERED_MAX: Final = 20_000

VERSION_COLUMNS: Final = ("from_block", "to_block", "from_log")
TO_BLOCK: Final = -2

MARKS_BYTES: Final = 2_000_003


class TableRecords:
    """
    Current records as a projection sees them, and the versions it makes.

    shape: put() an event's versions, end_block() after a block's last event, flush() before commit
    """

    def __init__(self, session: Session | None = None) -> None:
        self._connection = None if session is None else session.connection()
        # The state at the end of the last whole block; None stands for a record that is not there.
        # What was not needed since the older half was filled, is forgotten with it.
        self._current: dict[Ident, Any] = {}
        self._older: dict[Ident, Any] = {}
        # The records of these types were all made here: what has no mark, is not in the table.
        self._whole: dict[type, bool] = {}
        self._marks = _Marks()
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
            kind = type(version)
            self._changed[kind, TABLES[kind].key_of(version)] = (version, log_index)

    def end_block(self, number: int) -> bytes:
        """
        Turn each changed record's last state in this block into one version from this block on.

        ensures: a record that ends the block as it began it gets no version; what is returned is
                 the digest of all versions, the same in every database
        """
        made = []
        for ident, (version, log_index) in self._changed.items():
            before = self._stored(ident)
            if before == version:
                continue
            if before is not None:
                self._close(ident, number)
            kind = ident[0]
            versioned = TABLES[kind]
            values = versioned.row(version)
            made.append((versioned.table.name, log_index, values))
            row = [*values, number, None, log_index]
            self._rows[kind].append(row)
            self._waiting[ident] = row
            self._current[ident] = version
            self._marks.add(ident)
        self._changed.clear()
        return sha256(orjson.dumps(made)).digest()

    def flush(self) -> None:
        """Write what is waiting; the caller commits."""
        connection = self._connected()
        for record, closing in self._closing.items():
            _close(connection.dialect, table_of(record)).many(connection, closing)
        for record, rows in self._rows.items():
            versioned = table_of(record)
            insert_rows(connection, versioned.table, _inserted(versioned), rows)
        self._closing.clear()
        self._rows.clear()
        self._waiting.clear()
        if len(self._current) > REMEMBERED_MAX // 2:
            self._older, self._current = self._current, {}

    def _stored(self, ident: Ident) -> Any:
        if ident in self._current:
            return self._current[ident]
        found = self._older[ident] if ident in self._older else self._load(*ident)
        self._current[ident] = found
        return found

    def _load(self, record: type, key: tuple[Hashable, ...]) -> Any:
        connection = self._connected()
        versioned = table_of(record)
        if record not in self._whole:
            some = select(versioned.table.c.row_id).limit(1)
            self._whole[record] = connection.execute(some).first() is None
        if self._whole[record] and (record, key) not in self._marks:
            return None
        row = _find(connection.dialect, versioned).first(connection, key)
        return None if row is None else versioned.read(row)

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


class _Marks:
    """Remembers in two megabytes what was surely never added (a Bloom filter of one hash)."""

    def __init__(self) -> None:
        self._bits = bytearray(MARKS_BYTES)

    def add(self, ident: Ident) -> None:
        """Mark."""
        found = hash(ident)
        self._bits[(found >> 3) % MARKS_BYTES] |= 1 << (found & 7)

    def __contains__(self, ident: Ident) -> bool:
        """Say whether it may have been added: false is certain."""
        found = hash(ident)
        return bool(self._bits[(found >> 3) % MARKS_BYTES] >> (found & 7) & 1)


@cache
def _inserted(versioned: VersionedTable) -> tuple[str, ...]:
    return (*versioned.names, *VERSION_COLUMNS)


@cache
def _find(dialect: Dialect, versioned: VersionedTable) -> Prepared:
    clause = select(*versioned.columns()).where(*_is_current(versioned))
    return Prepared(dialect, clause, _key_types(versioned))


@cache
def _close(dialect: Dialect, versioned: VersionedTable) -> Prepared:
    table = versioned.table
    clause = table.update().where(*_is_current(versioned)).values(to_block=bindparam("closed_at"))
    binds = {**_key_types(versioned), "closed_at": table.c.to_block.type}
    return Prepared(dialect, clause, binds)


def _key_types(versioned: VersionedTable) -> dict[str, TypeEngine[Any]]:
    return {f"key_{name}": versioned.table.c[name].type for name in versioned.key}


def _is_current(versioned: VersionedTable) -> list[Any]:
    table = versioned.table
    same = [table.c[name] == bindparam(f"key_{name}") for name in versioned.key]
    return [*same, table.c.to_block.is_(None)]
