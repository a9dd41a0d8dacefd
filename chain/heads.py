"""
How far the node's chain goes, and up to where it can no longer change: one row of the mirror.

The worker writes it in the transaction that applies the blocks; whoever answers reads it there.
Where finality comes from is `chain.finality`'s affair.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from sqlalchemy import BigInteger, Column, Integer, Table, Text, func, select
from sqlmodel import Field, Session

from chain.facts import Block
from chain.failure import LedgerError
from chain.rows import EVENTS
from chain.tables import Mirrored
from chain.values import Bytes32

ONLY_ROW: Final = 1
NOTHING_FINAL: Final = -1


class ForkBeyondFinality(LedgerError):
    """The chain forked below what was served as final: a person must decide what is true."""

    tip_number: int
    final_number: int


class HeadRow(Mirrored, table=True):
    """The one row; `alarm` is empty while all is well."""

    __tablename__ = "heads"

    row_id: int = Field(sa_column=Column(Integer, primary_key=True, autoincrement=False))
    node_head: int = Field(sa_column=Column(BigInteger, nullable=False))
    final_number: int = Field(sa_column=Column(BigInteger, nullable=False))
    final_hash: str = Field(sa_column=Column(Text, nullable=False))
    alarm: str = Field(sa_column=Column(Text, nullable=False))


HEADS: Final[Table] = HeadRow.__table__  # type: ignore[attr-defined]


@dataclass(frozen=True, slots=True, kw_only=True)
class Heads:
    """
    The node's height when it was last asked, and the newest final block.

    shape: `final_number` is -1, with no hash, before any block is final; `alarm` is one sentence
    """

    node_head: int = -1
    final_number: int = NOTHING_FINAL
    final_hash: str = ""
    alarm: str = ""


def heads_of(session: Session) -> Heads:
    """Return the row, or one that says nothing before the first."""
    row = session.connection().execute(select(HEADS)).first()
    if row is None:
        return Heads()
    return Heads(
        node_head=row.node_head,
        final_number=row.final_number,
        final_hash=row.final_hash,
        alarm=row.alarm,
    )


def final_number(session: Session) -> int:
    """Return the height up to which no block can change any more, -1 if every one still can."""
    found = session.connection().execute(select(HEADS.c.final_number)).scalar()
    return NOTHING_FINAL if found is None else int(found)


def last_event_number(session: Session) -> int:
    """Return the height of the newest block that holds an event, -1 if none does."""
    found = session.connection().execute(select(func.max(EVENTS.c.block_number))).scalar()
    return -1 if found is None else int(found)


def note_node_head(session: Session, number: int) -> None:
    """Note the height of the node's chain; a node may be behind the mirror, or behind another."""
    if heads_of(session).node_head != number:
        _write(session, node_head=number)


def note_final(session: Session, block: Block) -> None:
    """
    Note that this applied block and all below it are final.

    ensures: the final height never falls
    """
    if block.number > final_number(session):
        _write(session, final_number=block.number, final_hash=block.hash)


def take_back_final(session: Session, block: Block | None) -> None:
    """Let no block above this one be final, or none at all: only where a person decided so."""
    if block is None:
        _write(session, final_number=NOTHING_FINAL, final_hash="")
    elif block.number < final_number(session):
        _write(session, final_number=block.number, final_hash=block.hash)


def note_alarm(session: Session, sentence: str) -> None:
    """Note what a person must look into; an empty sentence ends the alarm."""
    if heads_of(session).alarm != sentence:
        _write(session, alarm=sentence)


def require_rewindable(session: Session, to_block: int) -> None:
    """
    Check that undoing the blocks above a height undoes nothing final.

    :raises ForkBeyondFinality: if it would
    """
    final = final_number(session)
    if to_block < final:
        raise ForkBeyondFinality(tip_number=to_block, final_number=final)


def require_same_final(session: Session, blocks: Iterable[Block]) -> None:
    """
    Check that among blocks to be applied the one of the final height is the one that was final.

    It matters only after blocks were fetched anew, for a contract that joined or by a repair: since
    a block's hash vouches for all before it, this one comparison shows that nothing was rewritten.

    :raises ForkBeyondFinality: if it is another
    """
    heads = heads_of(session)
    for block in blocks:
        if block.number == heads.final_number and block.hash != heads.final_hash:
            raise ForkBeyondFinality(tip_number=block.number, final_number=heads.final_number)


def final_block_hash(session: Session) -> tuple[int, Bytes32] | None:
    """Return height and hash of the newest final block, or None before the first."""
    heads = heads_of(session)
    if heads.final_number == NOTHING_FINAL:
        return None
    return heads.final_number, Bytes32(heads.final_hash)


def _write(session: Session, **values: object) -> None:
    connection = session.connection()
    if connection.execute(HEADS.update().values(**values)).rowcount == 0:
        start = {"node_head": -1, "final_number": NOTHING_FINAL, "final_hash": "", "alarm": ""}
        connection.execute(HEADS.insert().values({"row_id": ONLY_ROW, **start, **values}))
