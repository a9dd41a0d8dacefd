"""
How the mirror stands: its heights, what is in it, who writes it, and the node beside it.

It reads only, and asks the node no more than its height. Whether what is in it is true is
`api.upkeep.verification`'s question.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, Engine, func, select, text
from sqlmodel import Session

from chain.engines import WRITER_LOCK
from chain.facts import Block
from chain.failure import LedgerError
from chain.heads import heads_of
from chain.layouts import LAYOUT, layout_of
from chain.letters import count_letters
from chain.process import AlreadyHeld, held
from chain.rpc import Endpoint, number_of
from chain.store import BLOCKS, EVENTS, block_at, followed, tip_of

UNKNOWN_EVENT: Final = "UnknownEvent"
LOCKS: Final = Path("/proc/locks")

# PostgreSQL tells a lock's number in two halves.
HALF_BITS: Final = 32
ADVISORY: Final = (
    "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted"
    " AND classid = :high AND objid = :low"
    " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """A block of the mirror, with the checksum over all that the mirror made up to it."""

    number: int
    hash: str
    checksum: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Writer:
    """Whether a process writes the mirror, and which, where the system tells."""

    is_writing: bool
    pid: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class MirrorState:
    """
    The mirror at one moment.

    shape: `tip` and `final` are None before there are any; `alarm` is empty while all is well
    units: `size_bytes` on the disk, with journal and indexes
    """

    chain_id: int | None
    tip: Placed | None
    final: Placed | None
    node_head: int | None
    lag_blocks: int | None
    counts: Mapping[str, int]
    alarm: str
    writer: Writer
    database: str
    size_bytes: int
    layout: int
    newest_layout: int


def state_of(mirror: Engine, lock: Path, node: Endpoint | None) -> MirrorState:
    """Return how a mirror stands; a node that is silent, or None, is told, not raised."""
    head = None if node is None else _head(node)
    with Session(mirror) as session:
        connection = session.connection()
        chain_id, _ = followed(session)
        heads = heads_of(session)
        tip = tip_of(session)
        final = block_at(session, heads.final_number)
        events = select(func.count()).select_from(EVENTS)
        unknown = events.where(EVENTS.c.name == UNKNOWN_EVENT)
        blocks = select(func.count()).select_from(BLOCKS)
        return MirrorState(
            chain_id=chain_id,
            tip=_placed(session, tip),
            final=_placed(session, final),
            node_head=head,
            lag_blocks=None if head is None or tip is None else max(0, head - tip.number),
            counts={
                "blocks": int(connection.execute(blocks).scalar_one()),
                "events": int(connection.execute(events).scalar_one()),
                "unknown_events": int(connection.execute(unknown).scalar_one()),
                "dead_letters": count_letters(session),
            },
            alarm=heads.alarm,
            writer=writer_of(lock, connection),
            database=mirror.dialect.name,
            size_bytes=_size(mirror, connection),
            layout=layout_of(connection) or LAYOUT,
            newest_layout=LAYOUT,
        )


def checksum_at(session: Session, number: int) -> str | None:
    """Return the checksum of a block and all before it; None if the mirror lacks the block."""
    query = select(BLOCKS.c.checksum).where(BLOCKS.c.number == number)
    found: str | None = session.connection().execute(query).scalar()
    return found


def writer_of(lock: Path, connection: Connection) -> Writer:
    """
    Return whether a process holds the lock of a mirror's writer.

    shape: the number only of a process of this machine
    """
    here = _writer_here(lock)
    if here.is_writing or connection.dialect.name != "postgresql":
        return here
    number = {"high": WRITER_LOCK >> HALF_BITS, "low": WRITER_LOCK & ((1 << HALF_BITS) - 1)}
    found = connection.execute(text(ADVISORY), number).scalar()
    return Writer(is_writing=bool(found), pid=None)


def _writer_here(lock: Path) -> Writer:
    if not lock.is_file():
        return Writer(is_writing=False, pid=None)
    try:
        with held(lock):
            return Writer(is_writing=False, pid=None)
    except AlreadyHeld:
        return Writer(is_writing=True, pid=_holder(lock))


def _holder(lock: Path) -> int | None:
    # proc(5): number, kind, mode, access, process, device:inode, from, to.
    try:
        lines = LOCKS.read_text("ascii").splitlines()
        inode = str(os.stat(lock).st_ino)
    except OSError:
        return None
    for line in lines:
        fields = line.split()
        if len(fields) > 5 and fields[5].rpartition(":")[2] == inode and fields[4].isdigit():
            return int(fields[4])
    return None


def _placed(session: Session, block: Block | None) -> Placed | None:
    if block is None:
        return None
    checksum = checksum_at(session, block.number) or ""
    return Placed(number=block.number, hash=block.hash, checksum=checksum)


def _head(node: Endpoint) -> int | None:
    try:
        return number_of(node.call("eth_blockNumber"))
    except LedgerError:
        return None


def _size(mirror: Engine, connection: Connection) -> int:
    if mirror.dialect.name == "postgresql":
        size = text("SELECT pg_database_size(current_database())")
        return int(connection.execute(size).scalar_one())
    path = Path(mirror.url.database or "")
    files = (path, Path(f"{path}-wal"))
    return sum(one.stat().st_size for one in files if one.is_file())
