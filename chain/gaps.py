"""
Finds what a mirror lacks or has wrong, and mends it: gaps, other blocks, other logs, dead letters.

It decides nothing by itself: finding changes no row, and final blocks are fetched anew only where
the caller says so. The worker must not run meanwhile (the caller holds its lock).
"""

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import Engine, select
from sqlmodel import Session

from chain.comparison import Difference, DifferenceKind, differences
from chain.facts import Projection
from chain.failure import Conflict
from chain.fetch import Source
from chain.heads import final_number, note_alarm, take_back_final
from chain.indexer import Synced, sync_once
from chain.letters import count_letters
from chain.store import BLOCKS, block_at, rebuild, rewind, tip_of


class RepairNotPermitted(Conflict):
    """Mending would undo final blocks, which only a person may decide."""

    block_number: int
    final_number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Lettered:
    """How many dead letters there were before they were tried again, and how many are left."""

    before: int
    after: int


def inner_gaps(session: Session) -> Iterator[Difference]:
    """Tell, in order, which heights are missing between the mirror's blocks, or do not link."""
    query = select(BLOCKS.c.number, BLOCKS.c.hash, BLOCKS.c.parent_hash).order_by(BLOCKS.c.number)
    before: tuple[int, str] | None = None
    for number, block_hash, parent_hash in session.connection().execute(
        query.execution_options(yield_per=10_000)
    ):
        if before is not None and number != before[0] + 1:
            for missing in range(before[0] + 1, number):
                yield Difference(
                    block_number=missing, kind=DifferenceKind.MISSING, stored="", found=""
                )
        elif before is not None and parent_hash != before[1]:
            yield Difference(
                block_number=number,
                kind=DifferenceKind.UNLINKED,
                stored=parent_hash,
                found=before[1],
            )
        before = number, block_hash


def find_gaps(
    session: Session, source: Source, *, first: int | None = None, last: int | None = None
) -> Iterator[Difference]:
    """
    Tell what is wrong within the mirror, then where it differs from what the node has.

    shape:  without limits, from the first followed block to the mirror's tip; heights that the node
            does not have yet are not compared
    :raises LedgerError: if the node does not answer, or contradicts itself
    """
    yield from inner_gaps(session)
    tip = tip_of(session)
    if tip is None:
        return
    head = source.head()
    start = max(source.start_block, first or 0)
    end = min(tip.number, head, tip.number if last is None else last)
    yield from differences(session, source, start, end)


def repair(
    engine: Engine,
    source: Source,
    project: Projection,
    *,
    from_block: int,
    is_final_permitted: bool = False,
) -> Synced:
    """
    Undo every block from this one on and fetch them anew.

    shape: `is_final_permitted` also gives up what was served as final, from this block on
    ensures: without it, final blocks stay
    :raises RepairNotPermitted: if final blocks would be undone without it
    """
    with Session(engine) as session, session.begin():
        final = final_number(session)
        if from_block <= final:
            if not is_final_permitted:
                raise RepairNotPermitted(block_number=from_block, final_number=final)
            take_back_final(session, block_at(session, from_block - 1))
        rewind(session, from_block - 1)
        note_alarm(session, "")
    source.settled = None
    return sync_once(engine, source, project)


def replay_dead_letters(engine: Engine, project: Projection) -> Lettered:
    """
    Read and fold the dead letters again, after the code that failed on them was mended.

    What came after them was folded without them, so all versions are made anew from the stored
    events, in one transaction; without letters nothing is done.
    """
    with Session(engine) as session:
        before = count_letters(session)
    if before == 0:
        return Lettered(before=0, after=0)
    rebuild(engine, project)
    with Session(engine) as session:
        return Lettered(before=before, after=count_letters(session))
