"""
Open readings of the mirror: each sees the database as of one moment, and cannot write to it.

Connections stay open between readings, and what every request asks is compiled once. Everything
else is asked in the snapshot's session, through `chain.reads` and the packages' stores.
"""

from collections import deque
from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any, Final, TypeVar

from sqlalchemy import (
    BigInteger,
    Connection,
    Dialect,
    NullPool,
    bindparam,
    event,
    func,
    or_,
    select,
)
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session

from chain.engines import BEGUN, mirror_engine
from chain.facts import Block
from chain.heads import HEADS, NOTHING_FINAL
from chain.prepared import Prepared
from chain.reads import Recorded
from chain.rows import BLOCKS
from chain.tables import VersionedTable, table_of

R = TypeVar("R")

# A snapshot of PostgreSQL is asked for; SQLite's transactions are snapshots by themselves.
POSTGRESQL: Final = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
HEADER: Final = (BLOCKS.c.number, BLOCKS.c.hash, BLOCKS.c.parent_hash, BLOCKS.c.timestamp)


class Snapshot:
    """The mirror in one transaction that only reads."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.driver: Any = connection.connection.dbapi_connection
        self._session: Session | None = None

    @property
    def session(self) -> Session:
        """Return the session of this transaction, which is made when it is first asked for."""
        if self._session is None:
            self._session = Session(self.connection)
        return self._session

    def tip(self) -> tuple[Block, int] | None:
        """Return the newest block with the newest final height, or None before the first block."""
        row = _tip(self.connection.dialect).first(self.connection, ())
        if row is None:
            return None
        return _block(row), NOTHING_FINAL if row[4] is None else row[4]

    def block(self, number: int) -> Block | None:
        """Return the block of that height, or None."""
        row = _block_of(self.connection.dialect).first(self.connection, (number,))
        return None if row is None else _block(row)

    def block_before(self, time: int) -> Block | None:
        """Return the last block at or before a time, or None before the first."""
        row = _block_before(self.connection.dialect).first(self.connection, (time,))
        return None if row is None else _block(row)

    def find(
        self, record: type[R], *key: Hashable, at_block: int | None = None
    ) -> Recorded[R] | None:
        """Return the version of one record that held at a block (by default: holds now)."""
        versioned = table_of(record)
        dialect = self.connection.dialect
        if at_block is None:
            row = _current(dialect, versioned).first(self.connection, key)
        else:
            row = _held(dialect, versioned).first(self.connection, (*key, at_block))
        if row is None:
            return None
        *values, from_block, from_log, to_block = row
        return Recorded(versioned.read(values), from_block, from_log, to_block)

    def close(self) -> None:
        """Let go of the session; the transaction is ended by whoever began it."""
        if self._session is not None:
            self._session.close()


class Snapshots:
    """Gives out snapshots, on connections that are kept open for the next one."""

    def __init__(self, url: str) -> None:
        self._engine = mirror_engine(url, poolclass=NullPool)
        self.is_local = self._engine.dialect.name == "sqlite"
        if self.is_local:
            # Transactions begin and end on the driver: through the engine that costs as much as
            # finding a record does.
            self._engine = self._engine.execution_options(begin=BEGUN)
            event.listen(self._engine, "connect", _only_reading)
        else:
            self._engine = self._engine.execution_options(**POSTGRESQL)
        self._idle: deque[Connection] = deque()

    @contextmanager
    def open(self) -> Iterator[Snapshot]:
        """Give out a snapshot until the end of the `with`."""
        snapshot = Snapshot(self._taken() or self._engine.connect())
        try:
            self._begin(snapshot)
            yield snapshot
            self._end(snapshot)
        except DBAPIError:
            self._give_up(snapshot)
            raise
        except BaseException:
            try:
                self._end(snapshot)
            except DBAPIError:
                # What runs on the driver raises the driver's own: only here it is known for what
                # it is.
                self._give_up(snapshot)
                raise
            raise

    def dispose(self) -> None:
        """Close the connections that are not in use."""
        self._close_idle()
        self._engine.dispose()

    def _give_up(self, snapshot: Snapshot) -> None:
        # The database may be gone, or have come back: what is dead of one is dead of all, and no
        # reading shall inherit it.
        snapshot.connection.close()
        self._close_idle()

    def _close_idle(self) -> None:
        while (connection := self._taken()) is not None:
            connection.close()

    def _taken(self) -> Connection | None:
        # Not asked first whether there is one: another thread may take it in between.
        try:
            return self._idle.pop()
        except IndexError:
            return None

    def _begin(self, snapshot: Snapshot) -> None:
        if self.is_local:
            snapshot.driver.execute("BEGIN")
        else:
            # The driver begins one by itself, which only who knows of it will end.
            snapshot.connection.begin()

    def _end(self, snapshot: Snapshot) -> None:
        snapshot.close()
        snapshot.connection.rollback()
        if self.is_local and snapshot.driver.in_transaction:
            snapshot.driver.execute("ROLLBACK")
        if not snapshot.connection.closed and not snapshot.connection.invalidated:
            self._idle.append(snapshot.connection)


def _only_reading(connection: Any, _: object) -> None:
    connection.execute("PRAGMA query_only=ON")


def _block(row: Any) -> Block:
    return Block(number=row[0], hash=row[1], parent_hash=row[2], timestamp=row[3])


def _types(*columns: Any) -> list[Any]:
    return [one.type for one in columns]


# --- statements -----------------------------------------------------------------------------------


@cache
def _tip(dialect: Dialect) -> Prepared:
    final = select(func.max(HEADS.c.final_number)).scalar_subquery()
    newest = select(func.max(BLOCKS.c.number)).scalar_subquery()
    clause = select(*HEADER, final).where(BLOCKS.c.number == newest)
    return Prepared(dialect, clause, {}, [*_types(*HEADER), BigInteger()])


@cache
def _block_of(dialect: Dialect) -> Prepared:
    clause = select(*HEADER).where(BLOCKS.c.number == bindparam("number"))
    return Prepared(dialect, clause, {"number": BLOCKS.c.number.type}, _types(*HEADER))


@cache
def _block_before(dialect: Dialect) -> Prepared:
    # Aggregates and no LIMIT, beside which SQLAlchemy gives SQLite a parameter of its own.
    before = BLOCKS.c.timestamp <= bindparam("time")
    newest = select(func.max(BLOCKS.c.timestamp)).where(before).scalar_subquery()
    clause = select(*HEADER).where(BLOCKS.c.timestamp == newest).order_by(BLOCKS.c.number.desc())
    return Prepared(dialect, clause, {"time": BLOCKS.c.timestamp.type}, _types(*HEADER))


@cache
def _current(dialect: Dialect, versioned: VersionedTable) -> Prepared:
    clause = _versions(versioned).where(*_same(versioned), versioned.table.c.to_block.is_(None))
    return Prepared(dialect, clause, _key(versioned))


@cache
def _held(dialect: Dialect, versioned: VersionedTable) -> Prepared:
    table, at_block = versioned.table, bindparam("at_block", type_=BigInteger())
    # The last of the versions that had begun: the index gives it at once, however many.
    begun = [*_same(versioned), table.c.from_block <= at_block]
    last = select(func.max(table.c.from_block)).where(*begun).scalar_subquery()
    clause = _versions(versioned).where(
        *_same(versioned),
        table.c.from_block == last,
        or_(table.c.to_block.is_(None), table.c.to_block > at_block),
    )
    binds = {**_key(versioned), "at_block": table.c.from_block.type}
    return Prepared(dialect, clause, binds)


def _versions(versioned: VersionedTable) -> Any:
    table = versioned.table
    return select(*versioned.columns(), table.c.from_block, table.c.from_log, table.c.to_block)


def _key(versioned: VersionedTable) -> dict[str, Any]:
    return {f"key_{name}": versioned.table.c[name].type for name in versioned.key}


def _same(versioned: VersionedTable) -> list[Any]:
    return [versioned.table.c[name] == bindparam(f"key_{name}") for name in versioned.key]
