"""
What comes next for a reader of the events: read page by page from the mirror, forks told.

The stream and the webhooks read through here. Not who asks (`api.streaming.audience`), nor how what
is found travels (`api.streaming.stream`, `api.webhooks.deliverer`).
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, Final

from sqlalchemy import ColumnElement, func, or_, select, tuple_
from sqlmodel import Session

from api.asof import BlockNotMirrored
from api.deps import Reading, Services, open_reading
from api.streaming.audience import RESERVED, Audience
from api.streaming.positions import ANY_HASH, END, START, UNHEARD, Position, PositionForeign
from api.streaming.wanted import ContractUnknown, Wanted
from chain.acts import ACTS
from chain.facts import Block, Entry
from chain.rewinds import is_orphan, last_rewind, lowest_since
from chain.rows import BLOCKS, EVENTS
from chain.store import block_at, followed, stored_entries

PAGE_EVENTS: Final = 100

CONTRACTS: Final = frozenset(one.CONTRACT for one in ACTS.values())

NEWEST: Final = "newest"
OLDEST: Final = "oldest"


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """
    What comes next.

    shape: first the rewind, if there is one: blocks above `rewound_to` are no more; then the
           events; `after` is where to go on, and `is_current` says that nothing waits there
    """

    rewound_to: Position | None
    entries: Sequence[tuple[Position, Entry]]
    after: Position
    is_current: bool
    tip: Block
    final_number: int


def read_feed(
    reading: Reading,
    position: Position,
    wanted: Wanted,
    audience: Audience,
    *,
    limit: int = PAGE_EVENTS,
) -> Told:
    """
    Return what comes next after a position.

    shape:   at most `limit` events, fewer where some are not the audience's to see
    ensures: told from one snapshot; folding all that is told gives what the mirror holds, whatever
             forks happened between two calls
    :raises PositionForeign: if the position is of another chain
    """
    session, tip = reading.session, reading.block
    final = reading.final_number
    here = settle(session, position, tip)
    went_back = (here.block_number, here.log_index) < (position.block_number, position.log_index)
    last = min(tip.number, final) if wanted.is_final else tip.number
    found = _entries(session, here, wanted, audience, last=last, limit=limit)
    is_current = len(found) < limit
    entries = [(_after(one, here.epoch), one) for one in found if audience.sees(one.event)]
    after = _after(found[-1], here.epoch) if found else here
    if is_current and here.block_number <= last:
        after = _end_of(session, last, here.epoch)
    return Told(
        rewound_to=here if went_back else None,
        entries=entries,
        after=after,
        is_current=is_current,
        tip=tip,
        final_number=final,
    )


def settle(session: Session, position: Position, tip: Block) -> Position:
    """
    Return the position on the history that holds now: the same, or a lower one after a fork.

    :raises PositionForeign: if it never was on this mirror's history
    """
    epoch = last_rewind(session)
    if position.epoch == UNHEARD:
        return replace(position, epoch=epoch)
    block = block_at(session, position.block_number)
    is_held = position.block_hash in (ANY_HASH, block.hash if block else None)
    lost = lowest_since(session, position.epoch)
    if lost is not None and lost < position.block_number:
        if is_held or is_orphan(session, position.block_hash):
            return _end_of(session, lost, epoch)
    elif is_held:
        return replace(position, epoch=epoch)
    if position.block_number > tip.number:
        # A mirror that is being made anew has not come there yet.
        return position
    raise PositionForeign(position=str(position))


def place(reading: Reading, after: str, *, is_final: bool = False) -> Position:
    """
    Return the position that somebody asks to go on from, on whatever history it was given out.

    shape: the newest of what is final, where only that is wanted
    :raises PositionInvalid: if there is no such place
    :raises BlockNotMirrored: if it is the number of a block that is not there yet
    """
    session = reading.session
    if after not in (OLDEST, NEWEST):
        found = Position.parse(after)
        # Only one that was given out may be above the tip: a mirror made anew comes there again.
        if found.epoch == UNHEARD and found.block_number > reading.block.number:
            raise BlockNotMirrored(block_number=found.block_number)
        return found
    if after == NEWEST and not is_final:
        return newest(session, reading.block)
    final = block_at(session, reading.final_number) if after == NEWEST else None
    if final is None:
        return oldest(session)
    return Position(final.number, END, last_rewind(session), final.hash)


def require_known(session: Session, wanted: Wanted) -> None:
    """
    Check that what somebody wants can ever happen.

    :raises ContractUnknown: if no contract of the ledger has the name
    """
    name = wanted.contract
    if name is None or name in CONTRACTS:
        return
    # One of a newer version, whose events are kept raw.
    if name not in {one.contract for one in followed(session)[1]}:
        raise ContractUnknown(contract=name)


def newest(session: Session, tip: Block) -> Position:
    """Return the position after everything that there is."""
    return Position(tip.number, END, last_rewind(session), tip.hash)


def oldest(session: Session) -> Position:
    """Return the position before everything that there is."""
    first = session.connection().execute(select(func.min(BLOCKS.c.number))).scalar()
    return START if first is None else replace(START, block_number=first - 1)


def _end_of(session: Session, number: int, epoch: int) -> Position:
    block = block_at(session, number)
    return Position(number, END, epoch, ANY_HASH if block is None else block.hash)


def _after(entry: Entry, epoch: int) -> Position:
    meta = entry.event.meta
    return Position(meta.block_number, meta.log_index, epoch, meta.block_hash)


def _entries(
    session: Session,
    after: Position,
    wanted: Wanted,
    audience: Audience,
    *,
    last: int,
    limit: int,
) -> list[Entry]:
    place = tuple_(EVENTS.c.block_number, EVENTS.c.log_index)
    types = [EVENTS.c.block_number.type, EVENTS.c.log_index.type]
    conditions: list[ColumnElement[bool]] = [
        place > tuple_(after.block_number, after.log_index, types=types),
        EVENTS.c.block_number <= last,
        *narrowed(wanted),
    ]
    if audience.viewer is None:
        # Read and thrown away otherwise: the public sees none of them.
        conditions.append(EVENTS.c.contract.not_in(RESERVED))
    return list(stored_entries(session, *conditions, limit=limit))


def narrowed(wanted: Wanted) -> list[Any]:
    """Return what a reader wants as conditions on the stored events."""
    conditions: list[Any] = []
    if wanted.about is not None:
        topics = (EVENTS.c.topic1, EVENTS.c.topic2, EVENTS.c.topic3)
        conditions.append(or_(*(topic == wanted.about for topic in topics)))
    if wanted.contract is not None:
        conditions.append(EVENTS.c.contract == wanted.contract)
    if wanted.name is not None:
        conditions.append(EVENTS.c.name == wanted.name)
    return conditions


@contextmanager
def snapshot(services: Services) -> Iterator[Reading]:
    """
    Open the mirror as of its tip, in a transaction of its own.

    :raises MirrorEmpty: if no block was applied yet
    """
    with services.snapshots.open() as opened:
        yield open_reading(opened)
