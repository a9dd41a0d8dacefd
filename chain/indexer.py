"""
Follows a chain as a stream of two facts, Append and Rewind, and believes no node.

`follow` decides what happened; `chain.fetch` asks the node; `sync_once` moves the mirror by each
fact in one transaction. Nothing here knows a noun.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Protocol

from sqlalchemy import Engine
from sqlmodel import Session

from chain.facts import Append, Block, Fact, Followed, Projection, Rewind
from chain.failure import LedgerError
from chain.fetch import Source, WrongChain
from chain.store import (
    apply_blocks,
    block_at,
    follow_also,
    followed,
    rewind,
    tip_of,
)
from chain.versions import TableRecords

# A transaction of the mirror ends when it holds this much, or when the node has no more.
BATCH_EVENTS: Final = 5_000
BATCH_BLOCKS: Final = 1_000

STEP_BLOCKS: Final = 16


class ForkBeyondFinality(LedgerError):
    """The chain forked below what was served as final: a person must decide what is true."""

    tip_number: int
    finality_depth: int


class Stored(Protocol):
    """What the stream must know of the mirror."""

    def tip(self) -> Block | None:
        """Return the last block applied."""
        ...

    def block_at(self, number: int) -> Block | None:
        """Return the applied block of that height."""
        ...


@dataclass(frozen=True, slots=True)
class StoredBlocks:
    """The mirror's blocks, each question in a transaction of its own."""

    engine: Engine

    def tip(self) -> Block | None:
        """Return the last block applied."""
        with Session(self.engine) as session:
            return tip_of(session)

    def block_at(self, number: int) -> Block | None:
        """Return the applied block of that height."""
        with Session(self.engine) as session:
            return block_at(session, number)


@dataclass(frozen=True, slots=True, kw_only=True)
class Synced:
    """What one pass did."""

    blocks: int
    events: int
    rewound_to: int | None
    tip: Block | None


def follow(source: Source, stored: Stored) -> Iterator[Fact]:
    """
    Tell what happened on the chain since the stored tip, then end.

    ensures: at most one Rewind, first; every Append's parent is the block before it
    :raises ForkBeyondFinality: if the common ancestor is deeper than `source.finality_depth`
    :raises WrongChain: if the node is on another chain
    """
    head = source.head()
    tip = stored.tip()
    if tip is not None:
        ancestor = _ancestor(source, stored, tip, head)
        if ancestor is None or ancestor.number != tip.number:
            yield Rewind(source.start_block - 1 if ancestor is None else ancestor.number)
        tip = ancestor
    first = source.start_block if tip is None else tip.number + 1
    for append in source.blocks(first, head):
        if tip is not None and append.block.parent_hash != tip.hash:
            return
        yield append
        tip = append.block


def sync_once(engine: Engine, source: Source, project: Projection) -> Synced:
    """
    Bring the mirror up to the node's head, each fact wholly or not at all.

    shape:   several Appends may share one transaction while the mirror is far behind
    ensures: whatever fails, the mirror stands at the end of some block
    """
    _note_followed(engine, source)
    stored = StoredBlocks(engine)
    rewound_to = None
    blocks = events = 0
    records = TableRecords()
    for batch in _batches(follow(source, stored)):
        with Session(engine) as session, session.begin():
            if isinstance(batch, Rewind):
                rewind(session, batch.to_block)
                rewound_to = batch.to_block
                continue
            apply_blocks(session, batch, project, records)
        blocks += len(batch)
        events += sum(len(append.entries) for append in batch)
    return Synced(blocks=blocks, events=events, rewound_to=rewound_to, tip=stored.tip())


def _batches(facts: Iterator[Fact]) -> Iterator[list[Append] | Rewind]:
    # What was fetched whole before a failure is still true, so it is handed on first.
    batch: list[Append] = []
    waiting = 0
    try:
        for fact in facts:
            if isinstance(fact, Rewind):
                yield fact
                continue
            batch.append(fact)
            waiting += len(fact.entries)
            if len(batch) >= BATCH_BLOCKS or waiting >= BATCH_EVENTS:
                yield batch
                batch, waiting = [], 0
    except LedgerError:
        if batch:
            yield batch
        raise
    if batch:
        yield batch


def _ancestor(source: Source, stored: Stored, tip: Block, head: int) -> Block | None:
    # The highest block that both have. A node behind the tip has lost blocks: also a rewind.
    lowest = max(source.start_block, tip.number - source.finality_depth)
    above = min(tip.number, head)
    while above >= lowest:
        numbers = range(above, max(lowest, above - STEP_BLOCKS + 1) - 1, -1)
        for number, header in zip(numbers, source.headers(numbers), strict=True):
            known = stored.block_at(number)
            if known is not None and header.hash == known.hash:
                return known
        above = numbers[-1] - 1
    if lowest == source.start_block and tip.number - lowest < source.finality_depth:
        return None
    raise ForkBeyondFinality(tip_number=tip.number, finality_depth=source.finality_depth)


def _note_followed(engine: Engine, source: Source) -> None:
    # A contract that joins below the tip has events in blocks already applied: those come again.
    with Session(engine) as session, session.begin():
        chain_id, known = followed(session)
        if chain_id is not None and chain_id != source.chain_id:
            raise WrongChain(expected_chain_id=chain_id, found_chain_id=source.chain_id)
        addresses = {one.address for one in known}
        joining: list[Followed] = [one for one in source.contracts if one.address not in addresses]
        tip = tip_of(session)
        first = min((one.from_block for one in joining), default=None)
        if tip is not None and first is not None and first <= tip.number:
            rewind(session, first - 1)
        follow_also(session, chain_id=source.chain_id, contracts=joining)
