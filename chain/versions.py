"""
The records a projection reads, kept as versions in tables.

One instance serves one writer. It remembers what it read and wrote, so that a block's projection
rarely asks the database, and writes many rows at once.
"""

from collections import defaultdict
from collections.abc import Hashable, Iterable
from functools import cache
from typing import Any, Final, TypeVar

from sqlalchemy import Connection, bindparam, insert, select
from sqlmodel import Session

from chain.records import RecordMissing, key_of
from chain.tables import VersionedTable, table_of

R = TypeVar("R")
Ident = tuple[type, tuple[Hashable, ...]]

# How many records are remembered between flushes: about a kilobyte each.
REMEMBERED_MAX: Final = 50_000


class TableRecords:
    """
    Current records as a projection sees them, and the versions it makes.

    shape: put() an event's versions, end_block() after a block's last event, flush() before commit
    """

    def __init__(self, session: Session | None = None) -> None:
        self._session = session
        # The state at the end of the last whole block; None stands for a record that is not there.
        self._current: dict[Ident, Any] = {}
        self._changed: dict[Ident, tuple[Any, int]] = {}
        self._waiting: dict[Ident, dict[str, Any]] = {}
        self._rows: dict[type, list[dict[str, Any]]] = defaultdict(list)
        self._closing: dict[type, list[dict[str, Any]]] = defaultdict(list)

    def use(self, session: Session) -> None:
        """Read and write in this session, whose transaction follows the last one's commit."""
        self._session = session

    def _connection(self) -> Connection:
        if self._session is None:
            raise RuntimeError("use() a session first")
        return self._session.connection()

    def get(self, record: type[R], *key: Hashable) -> R | None:
        """Return the current version of the record with this key, or None."""
        ident = (record, key)
        changed = self._changed.get(ident)
        if changed is not None:
            found: R = changed[0]
            return found
        if ident not in self._current:
            self._current[ident] = self._load(record, key)
        stored: R | None = self._current[ident]
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
            record, key = ident
            before = self.get_stored(record, *key)
            if before != version:
                self._close(ident, number, known=before is not None)
                row = {name: getattr(version, name) for name in table_of(record).names}
                row |= {"from_block": number, "to_block": None, "from_log": log_index}
                self._rows[record].append(row)
                self._waiting[ident] = row
                self._current[ident] = version
        self._changed.clear()

    def get_stored(self, record: type[R], *key: Hashable) -> R | None:
        """Return the version at the end of the last whole block, or None."""
        ident = (record, key)
        if ident not in self._current:
            self._current[ident] = self._load(record, key)
        stored: R | None = self._current[ident]
        return stored

    def flush(self) -> None:
        """Write what is waiting; the caller commits."""
        connection = self._connection()
        for record, closing in self._closing.items():
            connection.execute(_close_statement(table_of(record)), closing)
        for record, rows in self._rows.items():
            connection.execute(insert(table_of(record).table), rows)
        self._closing.clear()
        self._rows.clear()
        self._waiting.clear()
        if len(self._current) > REMEMBERED_MAX:
            self._current.clear()

    def _close(self, ident: Ident, number: int, *, known: bool) -> None:
        waiting = self._waiting.get(ident)
        if waiting is not None:
            waiting["to_block"] = number
        elif known:
            record, key = ident
            self._closing[record].append({**_named_key(table_of(record), key), "closed_at": number})

    def _load(self, record: type[Any], key: tuple[Hashable, ...]) -> Any:
        versioned = table_of(record)
        named = _named_key(versioned, key)
        row = self._connection().execute(_find_statement(versioned), named).first()
        return None if row is None else versioned.make(row)


@cache
def _find_statement(versioned: VersionedTable) -> Any:
    return select(*versioned.columns()).where(*_is_current(versioned))


@cache
def _close_statement(versioned: VersionedTable) -> Any:
    current = _is_current(versioned)
    return versioned.table.update().where(*current).values(to_block=bindparam("closed_at"))


def _named_key(versioned: VersionedTable, key: tuple[Hashable, ...]) -> dict[str, Hashable]:
    return {f"key_{name}": value for name, value in zip(versioned.key, key, strict=True)}


def _is_current(versioned: VersionedTable) -> list[Any]:
    table = versioned.table
    same = [
        table.c[name] == bindparam(f"key_{name}", type_=table.c[name].type)
        for name in versioned.key
    ]
    return [*same, table.c.to_block.is_(None)]
