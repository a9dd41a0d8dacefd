"""
What the mirror's audit of itself found and nobody has put right yet.

Kept in the operational database, so that a restart, another process and a rebuild know it. Who
looks is `api.auditing.watch`, who tells is `api.health`.
"""

from typing import Final

from sqlalchemy import Engine, insert, select, update

from api.operational import ALARMS

SAID_MAX: Final = 1_000
# Whoever sees so many does not need the next.
OPEN_MAX: Final = 100


def raise_alarm(engine: Engine, said: str, *, block_number: int, now: int) -> bool:
    """Keep an alarm, unless the same is open already, or very many are; say whether it is new."""
    text = said[:SAID_MAX]
    with engine.begin() as connection:
        there = select(ALARMS.c.said).where(ALARMS.c.cleared_at.is_(None))
        known = connection.execute(there).scalars().all()
        if text in known or len(known) >= OPEN_MAX:
            return False
        row = {"raised_at": now, "block_number": block_number, "said": text}
        connection.execute(insert(ALARMS).values(row))
    return True


def open_alarms(engine: Engine) -> tuple[str, ...]:
    """Return what every open alarm says, oldest first."""
    query = select(ALARMS.c.said).where(ALARMS.c.cleared_at.is_(None)).order_by(ALARMS.c.alarm_id)
    with engine.connect() as connection:
        return tuple(connection.execution_options(reads=True).execute(query).scalars())


def clear_alarms(engine: Engine, *, now: int) -> int:
    """Note that a whole audit found everything equal, and return how many alarms this ends."""
    with engine.begin() as connection:
        done = connection.execute(
            update(ALARMS).where(ALARMS.c.cleared_at.is_(None)).values(cleared_at=now)
        )
        return done.rowcount
