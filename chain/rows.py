"""
The mirror's own tables: blocks that count, their logs, and the contracts followed.

Bytes are stored as bytes and are hex everywhere else. Who writes these rows is `chain.store`; the
records' tables are derived (`chain.tables`).
"""

from collections.abc import Iterator
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    ForeignKey,
    Index,
    Integer,
    Table,
    Text,
    text,
)
from sqlmodel import Field

from chain.columns import Hex
from chain.decoder import read_entry
from chain.event import EventMeta, UnknownEvent
from chain.facts import Block, Entry
from chain.tables import LATE, Mirrored
from chain.values import Bytes32, HexBytes

READ_ROWS: Final = 2_000

# Not a plain `str`, so that what begins with it may be any of our names for hex.
HEX: Final[Any] = "0x"


class BlockRow(Mirrored, table=True):
    """
    A block that counts; the highest one is the cursor.

    shape: `checksum` is over the last block's, this one's hash and the versions that it made
    """

    __tablename__ = "blocks"

    number: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    hash: str = Field(sa_column=Column(Hex, nullable=False, unique=True))
    parent_hash: str = Field(sa_column=Column(Hex, nullable=False))
    timestamp: int = Field(sa_column=Column(BigInteger, nullable=False, index=True))
    checksum: str = Field(sa_column=Column(Hex, nullable=False))


class EventRow(Mirrored, table=True):
    """A log as it came, and the name of the event it was read as."""

    __tablename__ = "events"
    __table_args__ = tuple(
        Index(
            f"events_about_{place}",
            f"topic{place}",
            "block_number",
            "log_index",
            sqlite_where=text(f"topic{place} IS NOT NULL"),
            postgresql_where=text(f"topic{place} IS NOT NULL"),
            info={LATE: True},
        )
        for place in (1, 2, 3)
    )

    block_number: int = Field(
        sa_column=Column(BigInteger, ForeignKey("blocks.number"), primary_key=True)
    )
    log_index: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    transaction_index: int = Field(sa_column=Column(Integer, nullable=False))
    transaction_hash: str = Field(sa_column=Column(Hex, nullable=False))
    contract: str = Field(sa_column=Column(Text, nullable=False))
    address: str = Field(sa_column=Column(Hex, nullable=False))
    name: str = Field(sa_column=Column(Text, nullable=False))
    topic0: str | None = Field(sa_column=Column(Hex))
    topic1: str | None = Field(sa_column=Column(Hex))
    topic2: str | None = Field(sa_column=Column(Hex))
    topic3: str | None = Field(sa_column=Column(Hex))
    data: str = Field(sa_column=Column(Hex, nullable=False))


class FollowedRow(Mirrored, table=True):
    """A contract whose events are all here, from `from_block` on."""

    __tablename__ = "followed"

    address: str = Field(sa_column=Column(Hex, primary_key=True))
    contract: str = Field(sa_column=Column(Text, nullable=False))
    from_block: int = Field(sa_column=Column(BigInteger, nullable=False))
    chain_id: int = Field(sa_column=Column(BigInteger, nullable=False))


BLOCKS: Final[Table] = BlockRow.__table__  # type: ignore[attr-defined]
EVENTS: Final[Table] = EventRow.__table__  # type: ignore[attr-defined]
FOLLOWED: Final[Table] = FollowedRow.__table__  # type: ignore[attr-defined]


def block_of(row: Any) -> Block:
    """Return the block of a row of `blocks`."""
    return Block(
        number=row.number, hash=row.hash, parent_hash=row.parent_hash, timestamp=row.timestamp
    )


def event_row(entry: Entry) -> tuple[Any, ...]:
    """Return the row of `events` that keeps a log: the values of all columns, in their order."""
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


def entry_of(row: Any, block_hash: Bytes32, timestamp: int) -> Entry:
    """Return the log of a row of `events` in a block, read anew."""
    meta = EventMeta(
        contract=row.contract,
        address=row.address,
        block_number=row.block_number,
        block_hash=block_hash,
        timestamp=timestamp,
        transaction_hash=row.transaction_hash,
        transaction_index=row.transaction_index,
        log_index=row.log_index,
    )
    topics = tuple(
        [
            Bytes32(one)
            for one in (row.topic0, row.topic1, row.topic2, row.topic3)
            if one is not None
        ]
    )
    return _read(topics, row.data, meta)


def every_block(connection: Connection) -> Iterator[tuple[Block, list[Entry]]]:
    """Return all blocks with their logs, read anew, in the order of the chain."""
    logs = _driver_rows(connection, _LOGS_SQL)
    # Few contracts and few kinds of events: their hex is made once.
    known: dict[bytes, Any] = {}
    waiting = next(logs, None)
    for number, hash_, parent_hash, timestamp in _driver_rows(connection, _BLOCKS_SQL):
        block = Block(
            number=number,
            hash=HEX + hash_.hex(),
            parent_hash=HEX + parent_hash.hex(),
            timestamp=timestamp,
        )
        entries = []
        while waiting is not None and waiting[0] == number:
            entries.append(_driver_entry(waiting, block, known))
            waiting = next(logs, None)
        yield block, entries


# The driver's own rows: no conversion but what is written here, since these are read by millions.
_BLOCKS_SQL: Final = "SELECT number, hash, parent_hash, timestamp FROM blocks ORDER BY number"
_LOGS_SQL: Final = (
    "SELECT block_number, log_index, transaction_index, transaction_hash, contract, address,"
    " topic0, topic1, topic2, topic3, data FROM events ORDER BY block_number, log_index"
)


def _driver_rows(connection: Connection, sql: str) -> Iterator[Any]:
    driver: Any = connection.connection.dbapi_connection
    if connection.dialect.name == "sqlite":
        cursor = driver.cursor()
    else:
        # One that the server keeps, which sends so many rows at a time.
        cursor = driver.cursor(name=f"rows_{len(sql)}")
        cursor.itersize = READ_ROWS
    try:
        yield from cursor.execute(sql)
    finally:
        cursor.close()


def _driver_entry(row: Any, block: Block, known: dict[bytes, Any]) -> Entry:
    (_, index, transaction, hash_, contract, address, topic0, topic1, topic2, topic3, data) = row
    emitter = known.get(address)
    if emitter is None:
        emitter = known[address] = HEX + address.hex()
    meta = EventMeta(
        contract=contract,
        address=emitter,
        block_number=block.number,
        block_hash=block.hash,
        timestamp=block.timestamp,
        transaction_hash=HEX + hash_.hex(),
        transaction_index=transaction,
        log_index=index,
    )
    topics: list[Any] = []
    if topic0 is not None:
        kind = known.get(topic0)
        if kind is None:
            kind = known[topic0] = HEX + topic0.hex()
        topics.append(kind)
        for topic in (topic1, topic2, topic3):
            if topic is None:
                break
            topics.append(HEX + topic.hex())
    return _read(tuple(topics), HEX + data.hex(), meta)


def _read(topics: tuple[Bytes32, ...], data: HexBytes, meta: EventMeta) -> Entry:
    # A log that an older version kept raw may be readable by now.
    read = read_entry(topics, data, meta)
    return read or Entry(UnknownEvent(meta=meta, topics=topics, data=data), topics, data)
