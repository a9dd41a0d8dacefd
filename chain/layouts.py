"""
Which layout a mirror's database has, and how an older one becomes this version's.

The events are what counts: a change that is not cheap is made by folding them anew into new tables,
in one transaction. It opens nothing, takes no lock, and knows no noun.
"""

from collections.abc import Callable, Iterator, Mapping
from itertools import groupby
from typing import Any, Final

from sqlalchemy import BigInteger, Column, Connection, Engine, Table, func, inspect, select, text
from sqlalchemy import table as table_clause
from sqlmodel import Field, Session

from chain.decoder import read_entry
from chain.engines import create_tables
from chain.event import UnknownEvent
from chain.facts import Append, Block, Entry, Followed, Projection
from chain.failure import Conflict
from chain.store import BLOCKS, EVENTS, apply_blocks, fold_anew, follow_also
from chain.tables import MIRROR, Mirrored
from chain.values import Address, Bytes32, HexBytes
from chain.versions import TableRecords

# Raised by one whenever a mirror written before could not be read as it stands: a column, an index
# that reads need, or a fold that makes other rows of the same events. A test says when that is.
LAYOUT: Final = 3

# Version 0.1.0 did not number its layout, and kept no checksums.
UNNUMBERED: Final = 1

# Since this one blocks and logs are kept as they are now, so that only the records change.
SAME_EVENTS: Final = 2

BATCH_BLOCKS: Final = 1_000

# The four columns that make a table one of versions.
VERSIONED: Final = frozenset({"row_id", "from_block", "to_block", "from_log"})
KEPT: Final = ("blocks", "events", "followed")
OLD: Final = "old_"

Note = Callable[[int, int], object]
"""Told how many blocks of how many are done."""


class MirrorNewer(Conflict):
    """The mirror was written by a newer version of this program."""

    layout: int
    newest_known: int


class LayoutRow(Mirrored, table=True):
    """The number of the mirror's layout: one row."""

    __tablename__ = "layout"

    version: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))


LAYOUTS: Final[Table] = LayoutRow.__table__  # type: ignore[attr-defined]

# Steps that keep the rows: from the layout they are named by to the next.
CHEAP: Final[Mapping[int, Callable[[Connection], None]]] = {}


def layout_of(connection: Connection) -> int | None:
    """Return the number of a mirror's layout; None if there are no tables yet."""
    found = inspect(connection)
    if not found.has_table("blocks"):
        return None
    if found.has_table(LAYOUTS.name):
        number: int | None = connection.execute(select(func.max(LAYOUTS.c.version))).scalar()
        if number is not None:
            return number
    columns = {one["name"] for one in found.get_columns("blocks")}
    return LAYOUT if "checksum" in columns else UNNUMBERED


def is_noted(connection: Connection) -> bool:
    """Return whether the mirror says by itself that it has this version's layout."""
    if not inspect(connection).has_table(LAYOUTS.name):
        return False
    return connection.execute(select(func.max(LAYOUTS.c.version))).scalar() == LAYOUT


def require_known(layout: int | None) -> None:
    """
    Check that this version can read, or upgrade, a layout.

    :raises MirrorNewer: if a later version wrote it
    """
    if layout is not None and layout > LAYOUT:
        raise MirrorNewer(layout=layout, newest_known=LAYOUT)


def make_tables(engine: Engine) -> None:
    """Make the tables that are not there yet, and note the layout."""
    create_tables(engine)
    with engine.begin() as connection:
        _note_layout(connection)


def upgrade_mirror(engine: Engine, project: Projection, note: Note = lambda _, __: None) -> bool:
    """
    Bring a mirror of an older layout to this one, and say whether its events were folded anew.

    ensures: all in one transaction, in which readers see the mirror as it was; events, blocks and
             the contracts followed are those that were there
    :raises MirrorNewer: if a later version wrote it
    """
    with Session(engine) as session, session.begin():
        connection = session.connection()
        layout = layout_of(connection)
        require_known(layout)
        is_folded = False
        while layout is not None and layout < LAYOUT and layout in CHEAP:
            CHEAP[layout](connection)
            layout += 1
        if layout is not None and layout < LAYOUT:
            upgrade = _fold_again if layout >= SAME_EVENTS else _fold_from_text
            upgrade(session, project, note)
            is_folded = True
        _note_layout(connection)
    return is_folded


def _note_layout(connection: Connection) -> None:
    known = connection.execute(select(func.max(LAYOUTS.c.version))).scalar()
    if known != LAYOUT:
        connection.execute(LAYOUTS.delete())
        connection.execute(LAYOUTS.insert().values(version=LAYOUT))


# --- from the stored events -----------------------------------------------------------------------


def _fold_again(session: Session, project: Projection, note: Note) -> None:
    connection = session.connection()
    found = inspect(connection)
    for name in found.get_table_names():
        if {one["name"] for one in found.get_columns(name)} >= VERSIONED:
            connection.exec_driver_sql(f'DROP TABLE "{name}"')
    MIRROR.metadata.create_all(connection)
    blocks, events = (select(func.count()).select_from(one) for one in (BLOCKS, EVENTS))
    total, every = connection.execute(blocks).scalar_one(), connection.execute(events).scalar_one()
    fold_anew(session, project, lambda done: note(total * done // max(every, 1), total))
    note(total, total)


def _fold_from_text(session: Session, project: Projection, note: Note) -> None:
    connection = session.connection()
    _set_aside(connection)
    MIRROR.metadata.create_all(connection)
    chain_id, contracts = _old_followed(connection)
    if chain_id is not None:
        follow_also(session, chain_id=chain_id, contracts=contracts)
    total = int(connection.execute(text(f"SELECT count(*) FROM {OLD}blocks")).scalar_one())
    records = TableRecords(session)
    batch: list[Append] = []
    done = 0
    for append in _old_appends(connection):
        batch.append(append)
        if len(batch) == BATCH_BLOCKS:
            apply_blocks(session, batch, project, records)
            done += len(batch)
            note(done, total)
            batch = []
    apply_blocks(session, batch, project, records)
    note(total, total)
    for name in reversed(KEPT):
        connection.exec_driver_sql(f"DROP TABLE {OLD}{name}")


def _set_aside(connection: Connection) -> None:
    found = inspect(connection)
    for name in found.get_table_names():
        columns = {one["name"] for one in found.get_columns(name)}
        if name in KEPT:
            # An index keeps its name when its table gets another.
            for index in found.get_indexes(name):
                if not index.get("duplicates_constraint"):
                    connection.exec_driver_sql(f'DROP INDEX "{index["name"]}"')
        elif columns >= VERSIONED or name in MIRROR.metadata.tables:
            connection.exec_driver_sql(f'DROP TABLE "{name}"')
    for name in KEPT:
        connection.exec_driver_sql(f"ALTER TABLE {name} RENAME TO {OLD}{name}")


def _old_followed(connection: Connection) -> tuple[int | None, tuple[Followed, ...]]:
    rows = connection.execute(
        text(f"SELECT address, contract, from_block, chain_id FROM {OLD}followed ORDER BY address")
    ).all()
    contracts = tuple(
        Followed(address=Address(one.address), contract=one.contract, from_block=one.from_block)
        for one in rows
    )
    return (rows[0].chain_id if rows else None), contracts


def _old_appends(connection: Connection) -> Iterator[Append]:
    """Return the blocks and logs of layout 1, in their order."""
    blocks, events = (table_clause(f"{OLD}{name}").alias(short) for name, short in _ALIASES)
    query = (
        select(text(_BLOCK_COLUMNS), text(_EVENT_COLUMNS))
        .select_from(blocks.outerjoin(events, text("e.block_number = b.number")))
        .order_by(text("b.number"), text("e.log_index"))
        .execution_options(yield_per=BATCH_BLOCKS)
    )
    rows = connection.execute(query)
    for _, found in groupby(rows, key=lambda row: row.number):
        logs = list(found)
        first = logs[0]
        block = Block(
            number=first.number,
            hash=Bytes32(first.hash),
            parent_hash=Bytes32(first.parent_hash),
            timestamp=first.timestamp,
        )
        yield Append(block, tuple(_entry(block, one) for one in logs if one.log_index is not None))


_ALIASES: Final = (("blocks", "b"), ("events", "e"))
_BLOCK_COLUMNS: Final = "b.number, b.hash, b.parent_hash, b.timestamp"
_EVENT_COLUMNS: Final = (
    "e.log_index, e.transaction_index, e.transaction_hash, e.contract, e.address,"
    " e.topic0, e.topic1, e.topic2, e.topic3, e.data"
)


def _entry(block: Block, row: Any) -> Entry:
    meta = block.place(
        row.log_index,
        Bytes32(row.transaction_hash),
        contract=row.contract,
        address=Address(row.address),
        transaction_index=row.transaction_index,
    )
    found = (row.topic0, row.topic1, row.topic2, row.topic3)
    topics = tuple(Bytes32(one) for one in found if one is not None)
    data = HexBytes(row.data)
    read = read_entry(topics, data, meta)
    return read or Entry(UnknownEvent(meta=meta, topics=topics, data=data), topics, data)
