"""
The rewinds that a mirror made, numbered: what lets a reader who was away learn what is no more.

Not how a rewind is done (`chain.store`). It tells how the mirror came to be what it is, not what it
is, so it enters no checksum, and two mirrors of one chain may differ in it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import BigInteger, Column, Connection, ForeignKey, Table, Text, func, insert, select
from sqlmodel import Field, Session

from chain.facts import Block
from chain.tables import MIRROR, ROW_ID, Mirrored


class RewindRow(Mirrored, table=True):
    """The blocks above `to_block` were taken back; `from_block` was the highest of them."""

    __tablename__ = "rewinds"

    rewind_id: int = Field(sa_column=Column(ROW_ID, primary_key=True))
    to_block: int = Field(sa_column=Column(BigInteger, nullable=False))
    from_block: int = Field(sa_column=Column(BigInteger, nullable=False))


class OrphanRow(Mirrored, table=True):
    """A block that a fork took back."""

    __tablename__ = "orphans"

    rewind_id: int = Field(
        sa_column=Column(BigInteger, ForeignKey("rewinds.rewind_id"), primary_key=True)
    )
    number: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    hash: str = Field(sa_column=Column(Text, nullable=False, index=True))


REWINDS: Final[Table] = MIRROR.metadata.tables["rewinds"]
ORPHANS: Final[Table] = MIRROR.metadata.tables["orphans"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rewound:
    """How many rewinds a mirror made, and how many blocks they took back: in all, and at most."""

    count: int
    blocks: int
    deepest: int


def note_rewind(
    connection: Connection, *, to_block: int, from_block: int, orphans: Sequence[Block]
) -> None:
    """
    Note a rewind in the transaction that makes it.

    shape: `orphans` are the blocks that it takes back, none if the same ones are fetched anew
    """
    made = insert(REWINDS).values(to_block=to_block, from_block=from_block)
    rewind_id = connection.execute(made.returning(REWINDS.c.rewind_id)).scalar_one()
    rows = [{"rewind_id": rewind_id, "number": one.number, "hash": one.hash} for one in orphans]
    if rows:
        connection.execute(insert(ORPHANS), rows)


def last_rewind(session: Session) -> int:
    """Return the number of the last rewind; 0 before the first."""
    return int(session.connection().execute(select(func.max(REWINDS.c.rewind_id))).scalar() or 0)


def lowest_since(session: Session, rewind_id: int) -> int | None:
    """Return the lowest block that a later rewind went back to; None if there was none."""
    query = select(func.min(REWINDS.c.to_block)).where(REWINDS.c.rewind_id > rewind_id)
    found: int | None = session.connection().execute(query).scalar()
    return found


def is_orphan(session: Session, block_hash: str) -> bool:
    """Return whether a fork once took this block back."""
    query = select(ORPHANS.c.number).where(ORPHANS.c.hash == block_hash).limit(1)
    return session.connection().execute(query).first() is not None


def rewound(session: Session) -> Rewound:
    """Return what rewinds took back, all of them together."""
    depth = REWINDS.c.from_block - REWINDS.c.to_block
    query = select(func.count(), func.sum(depth), func.max(depth)).select_from(REWINDS)
    count, blocks, deepest = session.connection().execute(query).one()
    return Rewound(count=int(count), blocks=int(blocks or 0), deepest=int(deepest or 0))
