"""
Keeps what the chain told: blocks, events and the versions of records, moved together or not at all.

The only writer of the mirror. It knows no noun: the projection says what an event makes, and
`chain.reads` answers questions.
"""

from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Column,
    Dialect,
    Engine,
    ForeignKey,
    Index,
    Integer,
    Table,
    Text,
    delete,
    event,
    insert,
    select,
    text,
)
from sqlalchemy import create_engine as _create_engine
from sqlmodel import Field, Session

from chain.decoder import decode_log
from chain.event import Event, EventMeta, UnknownEvent
from chain.facts import Append, Block, Entry, Followed, Projection
from chain.failure import Conflict
from chain.prepared import Prepared
from chain.tables import MIRROR, TABLES, Mirrored
from chain.values import Address, Bytes32, HexBytes
from chain.versions import TableRecords

BUSY_TIMEOUT_MS: Final = 10_000
REBUILD_EVENTS: Final = 5_000


class BlockOutOfOrder(Conflict):
    """A block does not follow the last one that was applied."""

    block_number: int
    tip_number: int


class BlockRow(Mirrored, table=True):
    """A block that counts; the highest one is the cursor."""

    __tablename__ = "blocks"

    number: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    hash: str = Field(sa_column=Column(Text, nullable=False, unique=True))
    parent_hash: str = Field(sa_column=Column(Text, nullable=False))
    timestamp: int = Field(sa_column=Column(BigInteger, nullable=False))


class EventRow(Mirrored, table=True):
    """A log as it came, and the name of the event it was read as."""

    __tablename__ = "events"
    __table_args__ = tuple(
        Index(
            f"events_about_{place}",
            f"topic{place}",
            sqlite_where=text(f"topic{place} IS NOT NULL"),
            postgresql_where=text(f"topic{place} IS NOT NULL"),
        )
        for place in (1, 2, 3)
    )

    block_number: int = Field(
        sa_column=Column(BigInteger, ForeignKey("blocks.number"), primary_key=True)
    )
    log_index: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    transaction_index: int = Field(sa_column=Column(Integer, nullable=False))
    transaction_hash: str = Field(sa_column=Column(Text, nullable=False))
    contract: str = Field(sa_column=Column(Text, nullable=False))
    address: str = Field(sa_column=Column(Text, nullable=False))
    name: str = Field(sa_column=Column(Text, nullable=False))
    topic0: str | None = Field(sa_column=Column(Text))
    topic1: str | None = Field(sa_column=Column(Text))
    topic2: str | None = Field(sa_column=Column(Text))
    topic3: str | None = Field(sa_column=Column(Text))
    data: str = Field(sa_column=Column(Text, nullable=False))


class FollowedRow(Mirrored, table=True):
    """A contract whose events are all here, from `from_block` on."""

    __tablename__ = "followed"

    address: str = Field(sa_column=Column(Text, primary_key=True))
    contract: str = Field(sa_column=Column(Text, nullable=False))
    from_block: int = Field(sa_column=Column(BigInteger, nullable=False))
    chain_id: int = Field(sa_column=Column(BigInteger, nullable=False))


BLOCKS: Final[Table] = BlockRow.__table__  # type: ignore[attr-defined]
EVENTS: Final[Table] = EventRow.__table__  # type: ignore[attr-defined]
FOLLOWED: Final[Table] = FollowedRow.__table__  # type: ignore[attr-defined]


def open_mirror(url: str) -> Engine:
    """
    Return an engine of the mirror's database with all tables that are imported by now.

    shape: any SQLAlchemy URL; SQLite gets WAL, foreign keys and a busy timeout
    """
    engine = _create_engine(url)
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    MIRROR.metadata.create_all(engine)
    return engine


def tip_of(session: Session) -> Block | None:
    """Return the last block that was applied, or None before the first."""
    rows = session.execute(select(BLOCKS).order_by(BLOCKS.c.number.desc()).limit(1))
    return next(map(_block, rows), None)


def block_at(session: Session, number: int) -> Block | None:
    """Return the applied block of that height, or None."""
    return next(map(_block, session.execute(select(BLOCKS).where(BLOCKS.c.number == number))), None)


def apply_block(session: Session, append: Append, project: Projection) -> None:
    """Apply one block in the session's transaction; the caller commits."""
    apply_blocks(session, [append], project)


def apply_blocks(
    session: Session,
    appends: Sequence[Append],
    project: Projection,
    records: TableRecords | None = None,
) -> None:
    """
    Apply blocks in the session's transaction: headers, events and new versions of records.

    shape:   `records` may be kept from call to call while all transactions commit and none rewinds
    ensures: all rows of all these blocks, or, if this raises and the caller rolls back, none
    :raises BlockOutOfOrder: if the first does not follow the tip, or one its predecessor
    """
    if not appends:
        return
    _require_order(tip_of(session), appends)
    connection = session.connection()
    blocks, events = _inserts(connection.dialect)
    blocks.many(connection, [_block_row(append.block) for append in appends])
    events.many(connection, [_event_row(entry) for one in appends for entry in one.entries])
    kept = records if records is not None else TableRecords(session)
    kept.use(session)
    for append in appends:
        _fold(kept, append.block.number, append.events, project)
    kept.flush()


def rewind(session: Session, to_block: int) -> int:
    """
    Undo every block above `to_block` in the session's transaction and return how many there were.

    ensures: versions above are gone, and those that they had closed are current again
    """
    connection = session.connection()
    for versioned in TABLES.values():
        table = versioned.table
        key = [table.c[name] for name in versioned.key]
        above = table.c.from_block > to_block
        reopened = connection.execute(select(*key).where(above).distinct()).all()
        connection.execute(delete(table).where(above))
        for values in reopened:
            same = [column == value for column, value in zip(key, values, strict=True)]
            connection.execute(
                table.update().where(*same, table.c.to_block > to_block).values(to_block=None)
            )
    connection.execute(delete(EVENTS).where(EVENTS.c.block_number > to_block))
    return connection.execute(delete(BLOCKS).where(BLOCKS.c.number > to_block)).rowcount


def rebuild(engine: Engine, project: Projection) -> int:
    """
    Make every version anew from the stored events, in one transaction, and return their number.

    ensures: readers see the old versions until all the new ones are there
    """
    count = 0
    with Session(engine) as session, session.begin():
        for versioned in TABLES.values():
            session.connection().execute(delete(versioned.table))
        records = TableRecords(session)
        waiting = 0
        for number, events in _stored_blocks(session):
            _fold(records, number, events, project)
            count += len(events)
            waiting += len(events)
            if waiting >= REBUILD_EVENTS:
                records.flush()
                waiting = 0
        records.flush()
    return count


def stored_entries(session: Session, *conditions: Any, limit: int | None = None) -> Iterator[Entry]:
    """Return stored logs with their events, in the order of the chain."""
    query = (
        select(EVENTS, BLOCKS.c.hash.label("block_hash"), BLOCKS.c.timestamp)
        .join(BLOCKS, BLOCKS.c.number == EVENTS.c.block_number)
        .where(*conditions)
        .order_by(EVENTS.c.block_number, EVENTS.c.log_index)
        .limit(limit)
    )
    for row in session.connection().execute(query.execution_options(yield_per=REBUILD_EVENTS)):
        yield _entry(row)


def followed(session: Session) -> tuple[int | None, tuple[Followed, ...]]:
    """Return the chain's id (None before the first contract) and the contracts followed."""
    rows = session.execute(select(FOLLOWED).order_by(FOLLOWED.c.address)).all()
    contracts = tuple(
        Followed(address=Address(row.address), contract=row.contract, from_block=row.from_block)
        for row in rows
    )
    return (rows[0].chain_id if rows else None), contracts


def follow_also(session: Session, *, chain_id: int, contracts: Iterable[Followed]) -> None:
    """Note that these contracts are followed from now on."""
    rows = [
        {
            "address": one.address,
            "contract": one.contract,
            "from_block": one.from_block,
            "chain_id": chain_id,
        }
        for one in contracts
    ]
    if rows:
        session.connection().execute(insert(FOLLOWED), rows)


def _fold(records: TableRecords, number: int, events: Sequence[Event], project: Projection) -> None:
    for one in events:
        if not isinstance(one, UnknownEvent):
            records.put(tuple(project(records, one)), one.meta.log_index)
    records.end_block(number)


def _require_order(tip: Block | None, appends: Sequence[Append]) -> None:
    for append in appends:
        block = append.block
        if tip is not None and (block.parent_hash, block.number) != (tip.hash, tip.number + 1):
            raise BlockOutOfOrder(block_number=block.number, tip_number=tip.number)
        tip = block


def _stored_blocks(session: Session) -> Iterator[tuple[int, list[Event]]]:
    events: list[Event] = []
    for entry in stored_entries(session):
        number = entry.event.meta.block_number
        if events and events[-1].meta.block_number != number:
            yield events[-1].meta.block_number, events
            events = []
        events.append(entry.event)
    if events:
        yield events[-1].meta.block_number, events


def _entry(row: Any) -> Entry:
    meta = EventMeta(
        contract=row.contract,
        address=row.address,
        block_number=row.block_number,
        block_hash=row.block_hash,
        timestamp=row.timestamp,
        transaction_hash=row.transaction_hash,
        transaction_index=row.transaction_index,
        log_index=row.log_index,
    )
    topics = tuple(
        Bytes32(one) for one in (row.topic0, row.topic1, row.topic2, row.topic3) if one is not None
    )
    data = HexBytes(row.data)
    # A log that an older version kept raw may be readable by now.
    read = decode_log(topics, data, meta)
    return Entry(read or UnknownEvent(meta=meta, topics=topics, data=data), topics, data)


def _block(row: Any) -> Block:
    return Block(
        number=row.number, hash=row.hash, parent_hash=row.parent_hash, timestamp=row.timestamp
    )


def _block_row(block: Block) -> tuple[Any, ...]:
    return block.number, block.hash, block.parent_hash, block.timestamp


def _event_row(entry: Entry) -> tuple[Any, ...]:
    meta = entry.event.meta
    topic0, topic1, topic2, topic3 = (*entry.topics, None, None, None, None)[:4]
    return (
        meta.block_number,
        meta.log_index,
        meta.transaction_index,
        meta.transaction_hash,
        meta.contract,
        meta.address,
        type(entry.event).__name__,
        topic0,
        topic1,
        topic2,
        topic3,
        entry.data,
    )


@cache
def _inserts(dialect: Dialect) -> tuple[Prepared, Prepared]:
    # The columns in the order of the two functions above, which is that of the tables.
    return (
        Prepared.insert(dialect, BLOCKS, BLOCKS.c.keys()),
        Prepared.insert(dialect, EVENTS, EVENTS.c.keys()),
    )


def _prepare_sqlite(connection: Any, _: object) -> None:
    # The driver's own transactions begin too late for a read that decides a write.
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=NORMAL")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")
    cursor.close()


def _begin_sqlite(connection: Any) -> None:
    connection.exec_driver_sql("BEGIN")
