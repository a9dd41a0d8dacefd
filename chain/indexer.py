"""
Follows a chain as a stream of two facts, Append and Rewind, and believes no node.

`follow` decides what happened; `chain.fetch` asks the node; `sync_once` moves the mirror by each
fact in one transaction. Nothing here knows a noun.

A node whose head is below the mirror's tip has either lost blocks or is late, and a late node must
not undo anything. What tells them apart is another block: while the node's head is one of the
mirror's own blocks, nothing contradicts the mirror, and it waits (`Source.patience_seconds`); below
what is final it waits for ever, since a whole chain does not lose that. Once the node shows another
block at a height, that is a fork, at any length. A chain of one process cannot be late; there the
patience is zero, and a shorter chain is a rewind at once.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain as joined
from typing import Final, Protocol

from sqlalchemy import Engine
from sqlmodel import Session

from chain import heads
from chain.comparison import require_agreement
from chain.facts import Append, Block, Fact, Followed, Projection, Rewind
from chain.failure import LedgerError
from chain.fetch import Source, WrongChain
from chain.finality import finalized_of
from chain.heads import NOTHING_FINAL
from chain.heads import ForkBeyondFinality as ForkBeyondFinality
from chain.indexes import complete, filling
from chain.pipeline import ahead
from chain.rpc import NodeContradicts
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
BATCH_EVENTS: Final = 2_000
BATCH_BLOCKS: Final = 1_000

STEP_BLOCKS: Final = 16

# Blocks that witnesses are asked about before they are noted as final.
AGREED_BLOCKS: Final = 1_000


class Stored(Protocol):
    """What the stream must know of the mirror."""

    def tip(self) -> Block | None:
        """Return the last block applied."""
        ...

    def block_at(self, number: int) -> Block | None:
        """Return the applied block of that height."""
        ...

    def final_number(self) -> int:
        """Return the height up to which nothing may change, -1 if everything still may."""
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

    def final_number(self) -> int:
        """Return the height up to which nothing may change, -1 if everything still may."""
        with Session(self.engine) as session:
            return heads.final_number(session)


@dataclass(frozen=True, slots=True, kw_only=True)
class Synced:
    """What one pass did; the node was behind the mirror if `node_head` is below the tip."""

    blocks: int
    events: int
    rewound_to: int | None
    tip: Block | None
    node_head: int


def follow(source: Source, stored: Stored, head: int | None = None) -> Iterator[Fact]:
    """
    Tell what happened on the chain since the stored tip, then end.

    shape:   `head` is what the source was just told, if it was asked
    ensures: at most one Rewind, first; every Append's parent is the block before it; nothing while
             the node may just be late
    :raises ForkBeyondFinality: if the common ancestor is below what is final
    :raises NodeContradicts: if the node stays behind what is final, but shows no other block
    :raises WrongChain: if the node is on another chain
    """
    tip = stored.tip()
    if head is None:
        head = source.head(tip)
    if tip is not None:
        if head < tip.number and _is_ours(source, stored, head):
            if source.is_behind(tip):
                return
            _require_above_final(source, stored, tip, head)
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
    ensures: whatever fails, the mirror stands at the end of some block; nothing final is rewritten
    """
    settled = source.settled
    head = None
    if settled is not None and settled[0] is engine:
        head = source.head(settled[1])
        if source.is_at(settled[1]):
            return _unchanged(source, settled[1])
    source.settled = None
    _note_followed(engine, source)
    stored = StoredBlocks(engine)
    rewound_to = None
    blocks = events = 0
    records = TableRecords()
    complete(engine)
    facts = follow(source, stored, head)
    with _distrusting(source), _pipelined(engine, _batches(facts)) as batches:
        for batch in batches:
            with Session(engine) as session, session.begin():
                if isinstance(batch, Rewind):
                    rewind(session, batch.to_block)
                    rewound_to = batch.to_block
                    continue
                apply_blocks(session, batch, project, records)
                heads.note_node_head(session, source.node_head)
                if not source.witnesses:
                    _note_final(session, source, batch)
            blocks += len(batch)
            events += sum(len(append.entries) for append in batch)
    tip = stored.tip()
    _finish(engine, source, tip)
    return Synced(
        blocks=blocks, events=events, rewound_to=rewound_to, tip=tip, node_head=source.node_head
    )


def _unchanged(source: Source, tip: Block) -> Synced:
    return Synced(blocks=0, events=0, rewound_to=None, tip=tip, node_head=source.node_head)


Batch = list[Append] | Rewind


@contextmanager
def _distrusting(source: Source) -> Iterator[None]:
    try:
        yield
    except NodeContradicts as error:
        source.node.distrust(str(error))
        raise


def _batches(facts: Iterator[Fact]) -> Iterator[Batch]:
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


@contextmanager
def _pipelined(engine: Engine, batches: Iterator[Batch]) -> Iterator[Iterator[Batch]]:
    # Only a mirror that is far behind is worth a thread: its first batch is a full one.
    begun: list[Batch] = []
    for batch in batches:
        begun.append(batch)
        if not isinstance(batch, Rewind):
            break
    if begun and _is_full(begun[-1]):
        with filling(engine), ahead(batches) as rest:
            yield joined(begun, rest)
    else:
        yield joined(begun, batches)


def _is_full(batch: Batch) -> bool:
    if isinstance(batch, Rewind):
        return False
    return len(batch) >= BATCH_BLOCKS or sum(len(one.entries) for one in batch) >= BATCH_EVENTS


def _is_ours(source: Source, stored: Stored, head: int) -> bool:
    # Below the first block that is followed there is nothing that could contradict the mirror.
    known = stored.block_at(head)
    return known is None or source.headers([head])[0].hash == known.hash


def _require_above_final(source: Source, stored: Stored, tip: Block, head: int) -> None:
    # What is final is not lost by a whole chain: such a node is late, for however long (a resync).
    final = min(_final(source, stored, tip), tip.number)
    if source.patience_seconds and head < final:
        raise NodeContradicts(reason=f"its head is {head}, and {final} is final: it is late")


def _final(source: Source, stored: Stored, tip: Block) -> int:
    # What the rule makes final counts before it was noted, too.
    return max(stored.final_number(), source.finality.sure_number(tip.number))


def _ancestor(source: Source, stored: Stored, tip: Block, head: int) -> Block | None:
    # The highest block that both have.
    final = _final(source, stored, tip)
    # While final blocks are fetched anew the tip is below them, and is as final as they are.
    lowest = max(source.start_block, min(final, tip.number))
    above = min(tip.number, head)
    child: Block | None = None
    while above >= lowest:
        step = 1 if above == tip.number else STEP_BLOCKS
        numbers = range(above, max(lowest, above - step + 1) - 1, -1)
        for number, header in zip(numbers, source.headers(numbers), strict=True):
            if child is not None and child.parent_hash != header.hash:
                # Another branch hangs together; a wrong hash here and there is no fork.
                raise NodeContradicts(reason=f"block {child.number} is no child of {number}")
            child = header.block
            known = tip if number == tip.number else stored.block_at(number)
            if known is not None and header.hash == known.hash:
                return known
        above = numbers[-1] - 1
    if final < source.start_block:
        return None
    raise ForkBeyondFinality(tip_number=tip.number, final_number=final)


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
            _require_same_chain(session, source, tip)
            rewind(session, first - 1, to_refetch=True)
        follow_also(session, chain_id=source.chain_id, contracts=joining)


def _require_same_chain(session: Session, source: Source, tip: Block) -> None:
    # Final blocks are undone only while the node still has them, and `apply_blocks` looks again.
    final = heads.final_block_hash(session)
    if final is not None and source.headers([final[0]])[0].hash != final[1]:
        raise ForkBeyondFinality(tip_number=tip.number, final_number=final[0])


def _note_final(session: Session, source: Source, batch: list[Append]) -> None:
    # What the node has to be asked for is left for `_finish`: no request while a row is locked.
    if source.finality.depth is None:
        return
    held = (one.block.number for one in reversed(batch) if one.entries)
    events = next(held, None)
    if events is None:
        events = _events(session, source)
    tip = batch[-1].block.number
    block = block_at(session, source.finality.deep_number(tip, events))
    if block is not None:
        heads.note_final(session, block)


def _events(session: Session, source: Source) -> int:
    return heads.last_event_number(session) if source.finality.forgets else -1


def _finish(engine: Engine, source: Source, tip: Block | None) -> None:
    with Session(engine) as session:
        known, events = heads.heads_of(session), _events(session, source)
    if known.node_head != source.node_head:
        with Session(engine) as session, session.begin():
            heads.note_node_head(session, source.node_head)
    if tip is None:
        return
    final = _final_number(engine, source, tip, events)
    noted = max(known.final_number, source.start_block - 1)
    while noted < final:
        first = noted + 1
        noted = min(final, noted + AGREED_BLOCKS) if source.witnesses else final
        if source.witnesses:
            require_agreement(engine, source, first, noted)
        with Session(engine) as session, session.begin():
            block = block_at(session, noted)
            if block is not None:
                heads.note_final(session, block)
    if source.finality.depth is not None and source.node_head == tip.number:
        # Until the node's chain moves there is nothing to do, and nothing to ask the database.
        source.settled = engine, tip


def _final_number(engine: Engine, source: Source, tip: Block, events: int) -> int:
    """
    Return the height up to which the mirror's blocks are final by the chain's rule.

    :raises NodeContradicts: if what the node calls final is not what the mirror holds: it turned to
                             another fork since, or another node answers, and the next pass follows
    """
    if source.finality.depth is not None:
        return source.finality.deep_number(tip.number, events)
    found = finalized_of(source.node)
    if found is None:
        return NOTHING_FINAL
    number, hash_ = found
    if number > tip.number:
        # Then what stands at the mirror's tip is final, if it is this block.
        number, hash_ = tip.number, source.asked_anew(tip.number).hash
    with Session(engine) as session:
        block = block_at(session, number)
    if block is not None and block.hash != hash_:
        raise NodeContradicts(reason=f"block {number}, which is final, is not the mirror's")
    return number
