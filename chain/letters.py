"""
Dead letters: logs of followed contracts that could not be read, or whose projection raised.

Such a log stays among the events as it came, makes no versions, and stops nobody. What a person
then does about it is in `chain.gaps`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

from sqlalchemy import BigInteger, Column, Table, Text, delete, func, insert, select
from sqlmodel import Field, Session

from chain.failure import LedgerError
from chain.tables import Mirrored

# What a log's content can make reading and folding raise. Not what a database or a disk raises:
# that is nobody's letter, and stops the writer.
CONTENT_FAULTS: Final = (
    LedgerError,
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    ArithmeticError,
    AssertionError,
)
REASON_MAX: Final = 500


class Stage(Enum):
    """Where a log failed."""

    DECODING = "DECODING"
    PROJECTION = "PROJECTION"


class DeadLetterRow(Mirrored, table=True):
    """A log that made nothing, and why."""

    __tablename__ = "dead_letters"

    block_number: int = Field(
        sa_column=Column(BigInteger, primary_key=True, autoincrement=False, nullable=False)
    )
    log_index: int = Field(
        sa_column=Column(BigInteger, primary_key=True, autoincrement=False, nullable=False)
    )
    stage: str = Field(sa_column=Column(Text, nullable=False))
    reason: str = Field(sa_column=Column(Text, nullable=False))


DEAD_LETTERS: Final[Table] = DeadLetterRow.__table__  # type: ignore[attr-defined]


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetter:
    """The place of a log that made nothing, at which stage it failed, and one sentence why."""

    block_number: int
    log_index: int
    stage: Stage
    reason: str


def reason_of(error: BaseException) -> str:
    """Return the sentence that is kept of an error."""
    return f"{type(error).__name__}: {error}".replace("\0", "")[:REASON_MAX]


def keep_letters(session: Session, letters: Sequence[DeadLetter]) -> None:
    """Keep letters in the session's transaction."""
    rows = [
        {
            "block_number": one.block_number,
            "log_index": one.log_index,
            "stage": one.stage.name,
            "reason": one.reason,
        }
        for one in letters
    ]
    if rows:
        session.connection().execute(insert(DEAD_LETTERS), rows)


def drop_letters(session: Session, *, above: int = -1) -> None:
    """Forget the letters of blocks above a height: of all, if none is given."""
    session.connection().execute(delete(DEAD_LETTERS).where(DEAD_LETTERS.c.block_number > above))


def dead_letters(session: Session, *, limit: int | None = None) -> tuple[DeadLetter, ...]:
    """Return the letters in the order of the chain."""
    query = (
        select(DEAD_LETTERS)
        .order_by(DEAD_LETTERS.c.block_number, DEAD_LETTERS.c.log_index)
        .limit(limit)
    )
    return tuple(_letter(row) for row in session.connection().execute(query))


def count_letters(session: Session) -> int:
    """Return how many letters there are."""
    query = select(func.count()).select_from(DEAD_LETTERS)
    return int(session.connection().execute(query).scalar_one())


def _letter(row: Any) -> DeadLetter:
    return DeadLetter(
        block_number=row.block_number,
        log_index=row.log_index,
        stage=Stage[row.stage],
        reason=row.reason,
    )
