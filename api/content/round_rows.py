"""
The rounds of looking at all content, in the operational database: whose they are, and when.

What each has read stands with the content (`api.content.rows`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any, Final

from sqlalchemy import Connection, Engine, select, update

from api.operational import CONTENT_ROUNDS


class Purpose(Enum):
    """
    Whose round it is: the server's, which goes round for ever, or a run that a person asked for.

    A run never rests on what the server read, nor a repair on what an audit read.
    """

    WATCH = auto()
    AUDIT = auto()
    REPAIR = auto()


RUNS: Final = (Purpose.AUDIT, Purpose.REPAIR)


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """One time of looking at everything; `ended_at` is None while some is left."""

    round_id: int
    began_at: int
    ended_at: int | None
    trouble: str = ""
    purpose: Purpose = Purpose.WATCH


def open_round(
    engine: Engine, purpose: Purpose = Purpose.WATCH, *, since: int = 0, now: int
) -> Round:
    """
    Return the round that is not ended, which may have begun before a restart, or a new one.

    shape: a run goes on only if it began at `since` or later and no other run began after it:
           what the other has read, it has not
    """
    peers = RUNS if purpose in RUNS else (purpose,)
    with engine.begin() as connection:
        found = _last_round(connection, peers)
        is_open = found is not None and found.ended_at is None and found.began_at >= since
        if found is not None and is_open and found.purpose is purpose:
            return found
        row = {"began_at": now, "trouble": "", "purpose": purpose.name}
        made = connection.execute(CONTENT_ROUNDS.insert().values(row)).inserted_primary_key
        assert made is not None
        return Round(round_id=int(made[0]), began_at=now, ended_at=None, purpose=purpose)


def last_round(engine: Engine) -> Round | None:
    """Return the server's newest round, ended or not."""
    with engine.connect() as connection:
        return _last_round(connection.execution_options(reads=True), [Purpose.WATCH])


def end_round(engine: Engine, round_id: int, *, now: int) -> None:
    """Note that a round has looked at everything."""
    _change_round(engine, round_id, ended_at=now, trouble="")


def note_trouble(engine: Engine, round_id: int, said: str) -> None:
    """Note why a round cannot go on, or with an empty text that it can."""
    _change_round(engine, round_id, trouble=said)


def _last_round(connection: Connection, purposes: Sequence[Purpose]) -> Round | None:
    these = CONTENT_ROUNDS.c.purpose.in_([one.name for one in purposes])
    query = select(CONTENT_ROUNDS).where(these).order_by(CONTENT_ROUNDS.c.round_id.desc())
    row = connection.execute(query.limit(1)).first()
    if row is None:
        return None
    return Round(**{**row._mapping, "purpose": Purpose[row.purpose]})


def _change_round(engine: Engine, round_id: int, **values: Any) -> None:
    with engine.begin() as connection:
        same = CONTENT_ROUNDS.c.round_id == round_id
        connection.execute(update(CONTENT_ROUNDS).where(same).values(values))
