"""
How many events the mirror holds, and how many of them nobody can read, without counting all anew.

What is final never changes, so it is counted once per process; only what lies above is counted each
time.
"""

import threading
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import case, func, select
from sqlmodel import Session

from api.events import UNKNOWN
from chain.rewinds import last_rewind
from chain.rows import BLOCKS, EVENTS

NOTHING: Final = (0, 0, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """How much a mirror holds."""

    blocks: int
    events: int
    unknown: int


class Tallies:
    """Counts the rows of a mirror that only grows, but for its end."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._below = -1
        self._epoch = 0
        self._counted = NOTHING

    def count(self, session: Session, *, final_number: int) -> Tally:
        """Return how much there is."""
        epoch = last_rewind(session)
        with self._lock:
            below, counted = self._below, self._counted
            if epoch != self._epoch:
                # A contract that joined late brings events below what was final.
                below, counted = -1, NOTHING
        more = _between(session, below, final_number)
        settled = _add(counted, more)
        with self._lock:
            self._below, self._epoch, self._counted = max(below, final_number), epoch, settled
        above = _between(session, max(below, final_number), None)
        blocks, events, unknown = _add(settled, above)
        return Tally(blocks=blocks, events=events, unknown=unknown)


def _between(session: Session, above: int, up_to: int | None) -> tuple[int, int, int]:
    if up_to is not None and up_to <= above:
        return NOTHING
    connection = session.connection()
    blocks = select(func.count()).where(*_range(BLOCKS.c.number, above, up_to))
    is_unknown = case((EVENTS.c.name == UNKNOWN, 1), else_=0)
    events = select(func.count(), func.coalesce(func.sum(is_unknown), 0)).where(
        *_range(EVENTS.c.block_number, above, up_to)
    )
    found, unknown = connection.execute(events).one()
    return int(connection.execute(blocks).scalar_one()), int(found), int(unknown)


def _range(column: Any, above: int, up_to: int | None) -> list[Any]:
    found = [column > above]
    return found if up_to is None else [*found, column <= up_to]


def _add(one: tuple[int, int, int], other: tuple[int, int, int]) -> tuple[int, int, int]:
    return one[0] + other[0], one[1] + other[1], one[2] + other[2]
