"""
Gives a chain back what it lost: the outbox's transactions, in their blocks, at their times.

An embedded chain that was killed comes back behind its head, or empty. Each block is made again
out of the same bytes at the same second, so it gets the same hash, and nobody who followed the
chain notices. On a chain whose blocks are not ours the transactions are only sent again.
"""

import logging
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final, TypeVar

from chain.answers import Receipt
from chain.connection import Connection
from chain.entries import Entry, Kind, State
from chain.failure import LedgerError
from chain.outbox import Outbox
from chain.sender import PIPELINE_MAX, Sender, place_of
from chain.values import Bytes32, HexBytes

T = TypeVar("T")

LOG: Final = logging.getLogger(__name__)


class ReplayIncomplete(LedgerError):
    """The chain does not take back every transaction of the outbox."""

    keys: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """
    What a replay did.

    shape: `ancestor` is the last block that outbox and chain agreed on, -1 for none; `moved` the
           keys of entries that are now in another block, or ended otherwise, than before
    """

    ancestor: int
    resent: int
    moved: tuple[str, ...]


def replay(sender: Sender) -> Replayed:
    """
    Bring a chain to where the outbox has it; to be called on every start, before anything is sent.

    ensures: every transaction ever kept is in a block, or on its way on a chain whose blocks are
             not ours to wait for; an embedded chain's clock is not behind its last block, nor
             behind where it was moved to
    :raises ReplayIncomplete: if an instant chain has a transaction in no block afterwards
    """
    outbox, connection = sender.outbox, sender.connection
    with outbox.sending:
        ancestor = _ancestor(outbox, connection)
        entries = outbox.unsettled(ancestor)
        before = _note(sender, entries)
        missing = [one for one in entries if one.kind is Kind.CLOCK or _is_missing(one, before)]
        if connection.profile.is_remakable:
            _remake(sender, missing)
        else:
            _resend(sender, missing)
        after = _note(sender, missing)
        lost = tuple(one.key for one in missing if _is_missing(one, after))
        if lost and connection.profile.is_instant:
            raise ReplayIncomplete(keys=lost)
        resent = [one for one in missing if one.raw is not None]
        moved = tuple(_moved(outbox, entries))
    LOG.info("outbox replayed ancestor=%d resent=%d moved=%d", ancestor, len(resent), len(moved))
    return Replayed(ancestor=ancestor, resent=len(resent), moved=moved)


def _ancestor(outbox: Outbox, connection: Connection) -> int:
    # A block's hash vouches for all before it, so the newest that agrees is enough.
    height, step = connection.latest().number, 1
    while height >= 0:
        entry = outbox.placed_below(height)
        if entry is None or entry.place is None:
            return -1
        head = connection.head(entry.place.block_number)
        if head is not None and head.hash == entry.place.block_hash:
            return head.number
        height, step = entry.place.block_number - step, 2 * step
    return -1


def _note(sender: Sender, entries: Sequence[Entry]) -> dict[Bytes32, Receipt]:
    sent = {one.transaction_hash: one for one in entries if one.transaction_hash is not None}
    found: dict[Bytes32, Receipt] = {}
    for part in _parts(list(sent)):
        receipts = [one for one in sender.connection.receipts(part) if one is not None]
        sender.record(receipts, sent)
        found.update({one.transaction_hash: one for one in receipts})
    return found


def _is_missing(entry: Entry, receipts: Mapping[Bytes32, Receipt]) -> bool:
    return entry.transaction_hash is not None and entry.transaction_hash not in receipts


def _remake(sender: Sender, entries: Sequence[Entry]) -> None:
    connection = sender.connection
    last = connection.latest().timestamp
    connection.set_automine(False)
    # Blocks are made at the moments they had, which the running clock is past.
    connection.set_time(last)
    try:
        for block in _blocks(entries):
            wanted = max(_time_of(one) for one in block)
            raws = [one.raw for one in block if one.raw is not None]
            _fill(connection, block[0].block_number, at=last)
            if raws or wanted > last:
                _take(connection, raws)
                last = max(wanted, last)
                connection.mine_at(last)
            _note_clocks(sender, block)
    finally:
        connection.set_automine(True)
    connection.set_time(max(last, int(time.time()) + sender.outbox.clock_offset()))


def _fill(connection: Connection, number: int | None, *, at: int) -> None:
    # anvil leaves empty blocks behind transactions that came at once; without them all that
    # follows would have other numbers than before.
    if number is not None:
        for _ in range(connection.latest().number + 1, number):
            connection.mine_at(at)


def _take(connection: Connection, raws: Sequence[HexBytes]) -> None:
    for refusal in connection.send(raws):
        if refusal is not None:
            LOG.warning("transaction refused in replay reason=%s", refusal)


def _note_clocks(sender: Sender, block: Sequence[Entry]) -> None:
    clocks = [one for one in block if one.kind is Kind.CLOCK]
    head = sender.connection.latest() if clocks else None
    for clock in clocks:
        # A move that later blocks went past needs no block of its own any more.
        mined = head is not None and head.timestamp == clock.target
        place = place_of(head) if head is not None and mined else None
        sender.outbox.mark_mined(clock.sequence, place)


def _blocks(entries: Sequence[Entry]) -> Iterator[list[Entry]]:
    # What was in one block is made in one again; what was in none gets one of its own.
    for _, group in groupby(
        entries, key=lambda one: (one.block_number, 0 if one.place else one.sequence)
    ):
        yield list(group)


def _time_of(entry: Entry) -> int:
    if entry.target is not None:
        return entry.target
    # Without a block it happens when it was meant to: its signatures may have ended since.
    return entry.prepared_at if entry.timestamp is None else entry.timestamp


def _resend(sender: Sender, entries: Sequence[Entry]) -> None:
    for part in _parts([one for one in entries if one.raw is not None]):
        if sender.connection.profile.is_instant:
            # One process, which lost them: nobody else can have what it refuses.
            sender.hand_over(part, new={one.key for one in part})
            sender.settle(part)
        else:
            # What is refused now is looked after like all that was sent (`chain.resending`).
            _take(sender.connection, [HexBytes(one.raw or "") for one in part])


def _moved(outbox: Outbox, entries: Sequence[Entry]) -> Iterator[str]:
    for entry, now in zip(entries, outbox.reread(entries), strict=True):
        # Only those count whose end was known before.
        if entry.state in (State.MINED, State.FAILED) and now != entry:
            yield entry.key


def _parts(items: Sequence[T]) -> Iterator[Sequence[T]]:
    for start in range(0, len(items), PIPELINE_MAX):
        yield items[start : start + PIPELINE_MAX]
