"""
Compares the mirror's blocks and logs with what a node serves for them now.

Two uses: before a block becomes final, the other nodes must agree (`require_agreement`); and
whoever doubts the mirror asks for all differences (`chain.gaps`). It changes nothing.
"""

import logging
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any, Final

from sqlalchemy import Engine
from sqlmodel import Session

from chain.facts import Append, Block, Entry
from chain.fetch import Source
from chain.rpc import NodeContradicts, NodeRefused, NodeUnavailable
from chain.store import EVENTS, block_at, stored_entries

LOG: Final = logging.getLogger(__name__)

# How many blocks are compared at once.
COMPARED_BLOCKS: Final = 500


class NodesDisagree(NodeContradicts):
    """Two nodes tell different things about the same chain: a person must decide which is right."""


class DifferenceKind(Enum):
    """What is wrong with a block of the mirror."""

    MISSING = "MISSING"
    UNLINKED = "UNLINKED"
    OTHER_BLOCK = "OTHER_BLOCK"
    OTHER_LOGS = "OTHER_LOGS"


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """
    One height at which the mirror is not what it should be.

    shape: `stored` and `found` are hashes, or for OTHER_LOGS how many logs there are
    """

    block_number: int
    kind: DifferenceKind
    stored: str
    found: str


def differences(session: Session, source: Source, first: int, last: int) -> Iterator[Difference]:
    """
    Tell, in order, where the mirror and a node differ: blocks, and the logs of each.

    shape: the node was asked for its head
    :raises LedgerError: if the node does not answer, or contradicts itself
    """
    for start in range(first, last + 1, COMPARED_BLOCKS):
        end = min(last, start + COMPARED_BLOCKS - 1)
        logs = _stored_logs(session, start, end)
        for append in source.blocks(start, end, head=source.node_head):
            number = append.block.number
            stored = block_at(session, number)
            found = _difference(stored, append, logs.get(number, []))
            if found is not None:
                yield found


def require_agreement(engine: Engine, source: Source, first: int, last: int) -> None:
    """
    Check that every witness that answers has these blocks as the mirror has them.

    shape:  with verified logs one hash is enough, which vouches for all before it; a witness that
            is silent, late, or contradicts itself is passed over, so that losing one node does not
            stop finality
    :raises NodesDisagree: if one has another block, or other logs
    """
    with Session(engine) as session:
        for witness in source.witnesses:
            other = replace(source, node=witness, witnesses=())
            try:
                found = _disagreement(session, other, first, last)
            except (NodeUnavailable, NodeRefused, NodeContradicts) as error:
                LOG.warning("witness of no use reason=%s", error)
                continue
            if found is not None:
                raise NodesDisagree(
                    reason=f"{found.kind.name} at block {found.block_number}:"
                    f" the mirror has {found.stored}, {witness} {found.found}"
                )


def _disagreement(session: Session, other: Source, first: int, last: int) -> Difference | None:
    if other.head() < last:
        raise NodeUnavailable(reason=f"its head is {other.node_head}, below {last}")
    header = other.headers([last])[0]
    found = _difference(block_at(session, last), Append(header.block), None)
    if found is not None or other.verify:
        return found
    return next(differences(session, other, first, last), None)


def _difference(
    stored: Block | None, append: Append, logs: Sequence[Any] | None
) -> Difference | None:
    block = append.block
    if stored is None or stored.hash != block.hash:
        kind = DifferenceKind.MISSING if stored is None else DifferenceKind.OTHER_BLOCK
        return Difference(
            block_number=block.number,
            kind=kind,
            stored="" if stored is None else stored.hash,
            found=block.hash,
        )
    served = [_content(entry) for entry in append.entries]
    if logs is None or served == logs:
        return None
    return Difference(
        block_number=block.number,
        kind=DifferenceKind.OTHER_LOGS,
        stored=str(len(logs)),
        found=str(len(served)),
    )


def _stored_logs(session: Session, first: int, last: int) -> dict[int, list[Any]]:
    found = defaultdict(list)
    there = (EVENTS.c.block_number >= first, EVENTS.c.block_number <= last)
    for entry in stored_entries(session, *there):
        found[entry.event.meta.block_number].append(_content(entry))
    return found


def _content(entry: Entry) -> tuple[Any, ...]:
    meta = entry.event.meta
    return meta.address, meta.transaction_hash, meta.log_index, entry.topics, entry.data
