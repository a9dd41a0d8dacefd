"""
Mends a mirror: what it lacks or has wrong, what it could not read, and a fork that a person has
accepted.

Finding is `chain.gaps`' and `api.upkeep.verification`'s. Only the mirror's one writer may do this:
the caller holds the lock.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from sqlalchemy import Engine
from sqlmodel import Session

from chain.copies import copy_mirror
from chain.facts import Projection
from chain.fetch import Source
from chain.gaps import Lettered, find_gaps, repair, replay_dead_letters
from chain.heads import note_alarm
from chain.reads import final_number
from chain.store import block_at, tip_of

STEP_BLOCKS: Final = 500

Begin = Callable[[str], object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Repaired:
    """
    What was mended.

    shape: `from_block` is where the mirror was fetched anew, None if nowhere; `given_up` counts
           the blocks among them that had been served as final; `kept` is the copy of the mirror
           as it was before those were given up
    """

    differences: tuple[str, ...]
    from_block: int | None
    blocks: int
    events: int
    given_up: int
    kept: str
    letters: Lettered


def mend(
    mirror: Engine,
    source: Source,
    project: Projection,
    *,
    keep_in: Path,
    is_final_permitted: bool,
    begin: Begin = lambda _: None,
) -> Repaired:
    """
    Fetch anew from the first block that is missing or differs, and try dead letters again.

    ensures: final blocks stay unless it is permitted; then the mirror as it was is kept as a file
    :raises RepairNotPermitted: if final blocks would have to be given up and it is not permitted
    """
    begin("look for what differs from the node")
    with Session(mirror) as session:
        found = list(find_gaps(session, source))
        final = final_number(session)
        tip = tip_of(session)
    first = min((one.block_number for one in found), default=None)
    if first is None and source.node_head < final:
        # What the node still has agrees; the rest it lost, which no comparison of blocks shows.
        first = source.node_head + 1
    kept, given_up, blocks, events = "", 0, 0, 0
    if first is not None and tip is not None:
        if first <= final and is_final_permitted:
            begin("keep the mirror as it is")
            kept = str(_keep(mirror, keep_in, first))
            given_up = _lost(mirror, source, first, final)
        begin(f"fetch anew from block {first}")
        synced = repair(
            mirror, source, project, from_block=first, is_final_permitted=is_final_permitted
        )
        blocks, events = synced.blocks, synced.events
        _end_alarm(mirror)
    begin("try dead letters again")
    return Repaired(
        differences=tuple(
            f"block {one.block_number}: {one.kind.name.replace('_', ' ').lower()}" for one in found
        ),
        from_block=first,
        blocks=blocks,
        events=events,
        given_up=given_up,
        kept=kept,
        letters=replay_dead_letters(mirror, project),
    )


def _keep(mirror: Engine, folder: Path, first: int) -> Path:
    moment = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    path = folder / f"mirror.sqlite.before-{first}-{moment}"
    copy_mirror(mirror, path, tip_of)
    return path


def _lost(mirror: Engine, source: Source, first: int, final: int) -> int:
    """Return how many final blocks the node's chain does not have."""
    head = source.head()
    lost = max(0, final - max(first - 1, head))
    with Session(mirror) as session:
        for start in range(first, min(final, head) + 1, STEP_BLOCKS):
            numbers = range(start, min(final, head, start + STEP_BLOCKS - 1) + 1)
            for number, header in zip(numbers, source.headers(numbers), strict=True):
                stored = block_at(session, number)
                lost += stored is None or stored.hash != header.hash
    return lost


def _end_alarm(mirror: Engine) -> None:
    with Session(mirror) as session, session.begin():
        note_alarm(session, "")
