"""
Keeps what the chain told: blocks, events and the versions of records, moved together or not at all.

The only writer of the mirror. It knows no noun: the projection says what an event makes, and
`chain.reads` answers questions.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from hashlib import sha256
from typing import Any, Final

from sqlalchemy import Connection, Engine, Subquery, bindparam, delete, insert, select
from sqlmodel import Session

from chain.bulk import insert_rows
from chain.columns import bytes_of
from chain.engines import mirror_engine as mirror_engine
from chain.engines import open_mirror as open_mirror
from chain.event import Event, UnknownEvent
from chain.facts import Append, Block, Entry, Followed, Projection
from chain.failure import Conflict
from chain.heads import require_rewindable, require_same_final
from chain.indexes import drop_late, make_late, without_pauses
from chain.letters import (
    CONTENT_FAULTS,
    DeadLetter,
    Stage,
    drop_letters,
    keep_letters,
    reason_of,
)
from chain.rewinds import note_rewind
from chain.rows import BLOCKS as BLOCKS
from chain.rows import EVENTS as EVENTS
from chain.rows import FOLLOWED, block_of, entry_of, event_row, every_block
from chain.tables import TABLES
from chain.values import ZERO_BYTES32, Address
from chain.versions import TableRecords

REBUILD_EVENTS: Final = 5_000


class BlockOutOfOrder(Conflict):
    """A block does not follow the last one that was applied."""

    block_number: int
    tip_number: int


def tip_of(session: Session) -> Block | None:
    """Return the last block that was applied, or None before the first."""
    rows = session.execute(select(BLOCKS).order_by(BLOCKS.c.number.desc()).limit(1))
    return next(map(block_of, rows), None)


def block_at(session: Session, number: int) -> Block | None:
    """Return the applied block of that height, or None."""
    rows = session.execute(select(BLOCKS).where(BLOCKS.c.number == number))
    return next(map(block_of, rows), None)


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
    tip = tip_of(session)
    _require_order(tip, appends)
    require_same_final(session, [append.block for append in appends])
    connection = session.connection()
    kept = records if records is not None else TableRecords(session)
    kept.use(session)
    letters: list[DeadLetter] = []
    blocks: list[tuple[Any, ...]] = []
    checksum = _checksum_of(connection, tip)
    for append in appends:
        block = append.block
        made = _fold(kept, block.number, append.entries, project, letters)
        checksum = next_checksum(checksum, block, made)
        blocks.append((block.number, block.hash, block.parent_hash, block.timestamp, checksum))
    events = [event_row(entry) for one in appends for entry in one.entries]
    insert_rows(connection, BLOCKS, BLOCKS.c.keys(), blocks)
    insert_rows(connection, EVENTS, EVENTS.c.keys(), events)
    kept.flush()
    keep_letters(session, letters)


def rewind(session: Session, to_block: int, *, to_refetch: bool = False) -> int:
    """
    Undo every block above `to_block` in the session's transaction and return how many there were.

    shape:   `to_refetch` undoes final blocks too, because the same ones are to be fetched anew
    ensures: versions above are gone, and those that they had closed are current again
    :raises ForkBeyondFinality: if a final block would be undone for another
    """
    if not to_refetch:
        require_rewindable(session, to_block)
    drop_letters(session, above=to_block)
    connection = session.connection()
    tip = tip_of(session)
    if tip is not None and tip.number > to_block:
        orphans = [] if to_refetch else _blocks_above(session, to_block)
        note_rewind(connection, to_block=to_block, from_block=tip.number, orphans=orphans)
    for versioned in TABLES.values():
        table = versioned.table
        connection.execute(delete(table).where(table.c.from_block > to_block))
        # Only a later version closes one, and those are gone.
        closed_later = table.c.to_block > to_block
        connection.execute(table.update().where(closed_later).values(to_block=None))
    connection.execute(delete(EVENTS).where(EVENTS.c.block_number > to_block))
    return connection.execute(delete(BLOCKS).where(BLOCKS.c.number > to_block)).rowcount


def rebuild(
    engine: Engine, project: Projection, note: Callable[[int], object] = lambda _: None
) -> int:
    """
    Make every version anew from the stored events, in one transaction, and return their number.

    shape:   `note` is told now and then how many events were folded
    ensures: readers see the old versions until all the new ones are there; what an older version
             could not read has the name that this one gives it
    """
    with Session(engine) as session, session.begin():
        return fold_anew(session, project, note)


def fold_anew(
    session: Session, project: Projection, note: Callable[[int], object] = lambda _: None
) -> int:
    """Do what `rebuild` does in the session's transaction; the caller commits."""
    count = 0
    connection = session.connection()
    with without_pauses():
        if connection.dialect.name == "sqlite":
            # In PostgreSQL readers would have to wait for an index that is dropped.
            drop_late(connection)
        for versioned in TABLES.values():
            connection.execute(delete(versioned.table))
        drop_letters(session)
        letters: list[DeadLetter] = []
        records = TableRecords(session)
        checksum, checksums, waiting = str(ZERO_BYTES32), [], 0
        for block, entries in every_block(connection):
            made = _fold(records, block.number, entries, project, letters)
            checksum = next_checksum(checksum, block, made)
            checksums.append({"of_number": block.number, "made": checksum})
            count += len(entries)
            waiting += len(entries)
            if waiting >= REBUILD_EVENTS:
                records.flush()
                waiting = 0
                note(count)
        records.flush()
        _name_anew(session)
        make_late(connection)
        _set_checksums(connection, checksums)
        keep_letters(session, letters)
    return count


def stored_entries(
    session: Session,
    *conditions: Any,
    limit: int | None = None,
    among: Subquery | None = None,
) -> Iterator[Entry]:
    """
    Return stored logs with their events, in the order of the chain.

    shape: with `among`, those at the places that it finds: their block and log
    """
    query = (
        select(EVENTS, BLOCKS.c.hash.label("block_hash"), BLOCKS.c.timestamp)
        .join(BLOCKS, BLOCKS.c.number == EVENTS.c.block_number)
        .where(*conditions)
        .order_by(EVENTS.c.block_number, EVENTS.c.log_index)
        .limit(limit)
    )
    if among is not None:
        is_there = (among.c.block_number == EVENTS.c.block_number) & (
            among.c.log_index == EVENTS.c.log_index
        )
        query = query.join(among, is_there)
    for row in session.connection().execute(query.execution_options(yield_per=REBUILD_EVENTS)):
        yield entry_of(row, row.block_hash, row.timestamp)


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


def next_checksum(before: str, block: Block, made: bytes) -> str:
    """
    Return the checksum of a block: SHA-256 over the last one's, the block's hash, and the digest of
    the versions that it made.

    ensures: the same however a mirror came to the block, and in every database
    """
    return "0x" + sha256(bytes_of(before) + bytes_of(block.hash) + made).hexdigest()


def _checksum_of(connection: Connection, tip: Block | None) -> str:
    if tip is None:
        return ZERO_BYTES32
    query = select(BLOCKS.c.checksum).where(BLOCKS.c.number == tip.number)
    return str(connection.execute(query).scalar_one())


def _fold(
    records: TableRecords,
    number: int,
    entries: Sequence[Entry],
    project: Projection,
    letters: list[DeadLetter],
) -> bytes:
    for entry in entries:
        one = entry.event
        if isinstance(one, UnknownEvent):
            if entry.fault:
                letters.append(_letter(one, Stage.DECODING, entry.fault))
            continue
        try:
            # All versions of an event before any is kept: one that raises half way makes none.
            records.put(tuple(project(records, one)), one.meta.log_index)
        except CONTENT_FAULTS as error:
            letters.append(_letter(one, Stage.PROJECTION, reason_of(error)))
    return records.end_block(number)


def _name_anew(session: Session) -> None:
    """Give what an older version could not read the names that this one reads."""
    unknown = EVENTS.c.name == UnknownEvent.__name__
    read = [
        {
            "of_block": one.event.meta.block_number,
            "of_log": one.event.meta.log_index,
            "read_as": type(one.event).__name__,
        }
        for one in stored_entries(session, unknown)
        if not isinstance(one.event, UnknownEvent)
    ]
    if read:
        same = (EVENTS.c.block_number == bindparam("of_block")) & (
            EVENTS.c.log_index == bindparam("of_log")
        )
        clause = EVENTS.update().where(same).values(name=bindparam("read_as"))
        session.connection().execute(clause, read)


def _letter(event: Event, stage: Stage, reason: str) -> DeadLetter:
    meta = event.meta
    return DeadLetter(
        block_number=meta.block_number, log_index=meta.log_index, stage=stage, reason=reason
    )


def _blocks_above(session: Session, number: int) -> list[Block]:
    rows = session.connection().execute(select(BLOCKS).where(BLOCKS.c.number > number))
    return [block_of(row) for row in rows]


def _require_order(tip: Block | None, appends: Sequence[Append]) -> None:
    for append in appends:
        block = append.block
        if tip is not None and (block.parent_hash, block.number) != (tip.hash, tip.number + 1):
            raise BlockOutOfOrder(block_number=block.number, tip_number=tip.number)
        tip = block


def _set_checksums(connection: Connection, checksums: list[dict[str, Any]]) -> None:
    if checksums:
        same = BLOCKS.c.number == bindparam("of_number")
        clause = BLOCKS.update().where(same).values(checksum=bindparam("made"))
        connection.execute(clause, checksums)
