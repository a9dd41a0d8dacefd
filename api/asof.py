"""
Which block an answer is as of: the newest, one of a height, the last at or before a time, or that
of the page before.

It is not what is read there (`api.deps`, `chain.reads`).
"""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from api.problems import MirrorEmpty
from chain.facts import Block
from chain.failure import Conflict, Invalid, NotFound
from chain.reading import Snapshot

# RFC 3339 §5.6, with the capital letters that it recommends.
MOMENT: Final = re.compile(
    r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)", flags=re.ASCII
)
HEIGHT_MAX: Final = 2**63 - 1


class BlockNotMirrored(NotFound):
    """The mirror holds no block of this height."""

    block_number: int


class TimeBeforeChain(NotFound):
    """The mirror holds no block at or before this time."""

    time: str


class NotThereYet(NotFound):
    """It was not there yet at this block."""

    noun: str
    id: str
    block_number: int


class TimeMalformed(Invalid):
    """A time is written as RFC 3339 has it, such as 2026-11-21T08:00:00Z."""

    time: str


class AsOfTwice(Invalid):
    """An answer is as of a block or as of a time, not both."""


class PagesUndone(Conflict):
    """A fork undid the block that these pages are as of: begin again."""

    block_number: int


@dataclass(frozen=True, slots=True)
class Pinned:
    """The block of the page before: its height, and the first characters of its hash."""

    number: int
    hash_start: str


@dataclass(frozen=True, slots=True)
class Asked:
    """What somebody asks an answer to be as of; all None means the newest block."""

    block: int | None = None
    time: str | None = None
    pinned: Pinned | None = None


NEWEST: Final = Asked()


@dataclass(frozen=True, slots=True)
class AsOf:
    """
    The block that an answer is as of.

    shape: `at_block` is None when the block is the newest, which reads current rows
    """

    block: Block
    at_block: int | None
    is_final: bool
    final_number: int


def block_of(snapshot: Snapshot, asked: Asked = NEWEST) -> AsOf:
    """
    Return the block that an answer is to be as of.

    :raises MirrorEmpty: if no block was applied yet
    :raises AsOfTwice: TimeMalformed: for what cannot be meant
    :raises BlockNotMirrored: TimeBeforeChain: PagesUndone: if there is no such block
    """
    found = snapshot.tip()
    if found is None:
        raise MirrorEmpty()
    tip, final_number = found
    block = tip if asked == NEWEST else _asked(snapshot, tip, asked)
    at_block = None if block.number == tip.number else block.number
    return AsOf(block, at_block, block.number <= final_number, final_number)


def seconds_of(time: str) -> int:
    """
    Return a time in seconds since 1970 UTC; parts of a second are cut off.

    :raises TimeMalformed: if it is not RFC 3339
    """
    if MOMENT.fullmatch(time) is None:
        raise TimeMalformed(time=time)
    whole, _, rest = time.partition(".")
    # Nine digits of a second are more than Python takes.
    told = whole + rest.lstrip("0123456789")
    try:
        return int(datetime.fromisoformat(told).timestamp())
    except (ValueError, OverflowError) as error:
        raise TimeMalformed(time=time) from error


def _asked(snapshot: Snapshot, tip: Block, asked: Asked) -> Block:
    if asked.block is not None and asked.time is not None:
        raise AsOfTwice()
    if asked.pinned is not None:
        return _pinned(snapshot, asked.pinned)
    if asked.time is not None:
        seconds = seconds_of(asked.time)
        before = tip if tip.timestamp <= seconds else snapshot.block_before(seconds)
        if before is None:
            raise TimeBeforeChain(time=asked.time)
        return before
    assert asked.block is not None
    block = snapshot.block(asked.block)
    if block is None:
        raise BlockNotMirrored(block_number=asked.block)
    return block


def _pinned(snapshot: Snapshot, pinned: Pinned) -> Block:
    block = snapshot.block(pinned.number)
    if block is None or not block.hash.startswith(pinned.hash_start):
        raise PagesUndone(block_number=pinned.number)
    return block
