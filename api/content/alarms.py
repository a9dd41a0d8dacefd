"""
What a person must know of the content that is kept here: what is lost, damaged, or out of reach.

Told from what was last found (`api.content.rows`), so it ends by itself when all is whole again.
"""

from typing import Final

from sqlalchemy import Engine

from api.content.round_rows import last_round
from api.content.rows import (
    FAULTY,
    State,
    copies_away,
    count_faulty,
    list_contents,
)

NAMED_MAX: Final = 5

MEANT: Final = {
    State.LOST: "kept nowhere any more",
    State.MISSING: "missing here",
    State.CORRUPTED: "damaged here",
    State.LOOSE: "not held fast here",
}


def content_alarms(engine: Engine) -> tuple[str, ...]:
    """Return one sentence for each kind of thing that is wrong, the gravest first."""
    said = []
    newest = last_round(engine)
    if newest is not None and newest.trouble:
        said.append(newest.trouble)
    there = count_faulty(engine)
    for state in reversed(FAULTY):
        number = there.get(state, 0)
        if number:
            said.append(f"content {MEANT[state]}: {number} ({_some(engine, state, number)})")
    said += [f"second copy out of reach: {name}" for name in copies_away(engine)]
    return tuple(said)


def _some(engine: Engine, state: State, number: int) -> str:
    named = [
        f"{one.named_by or 'put here'} {one.digest.value}"
        for one in list_contents(engine, states=[state], limit=NAMED_MAX)
    ]
    return ", ".join([*named, *(["…"] if number > NAMED_MAX else [])])
