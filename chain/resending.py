"""
Looks after what was sent until no fork can undo it: on a chain of several machines a block may be
given up, a node may lose its pool, and an act may be kept here that no node ever took.

Only bytes that are kept already are sent again; nothing is signed, judged or taken back. Putting a
lost embedded chain back is `chain.replay`'s, waiting for one's own act `chain.sender`'s.
"""

import logging
import time
from collections.abc import Callable, Sequence
from typing import Final

from chain.entries import Entry
from chain.recurring import Recurring
from chain.sender import PIPELINE_MAX, Sender
from chain.values import HexBytes

LOG: Final = logging.getLogger(__name__)

PASS_SECONDS: Final = 2
# A transaction that waits this long is sent again: every node may have lost it.
AGAIN_SECONDS: Final = 10
# Whoever knows it takes it for a repeat; so many at once hold no node up.
AT_ONCE: Final = 1_000


class Resending:
    """
    The thread that looks after the outbox of one sender.

    shape: of an instant chain, which has one process and no pool, it leaves all to `chain.replay`
    """

    def __init__(self, sender: Sender, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._sender = sender
        self._clock = clock
        # When each entry that waits was last sent, by its place in the outbox.
        self._sent_at: dict[int, float] = {}
        self._recurring = Recurring(self.look, name="resending", every_seconds=PASS_SECONDS)

    def start(self) -> None:
        """Look after the outbox in a thread of this process."""
        if not self._sender.connection.profile.is_instant:
            self._recurring.start()

    def stop(self) -> None:
        """Stop, and wait for that."""
        self._recurring.stop()

    def look(self) -> int:
        """
        Note where the chain has what was sent, send again what it lost, and return how many.

        :raises NodeUnavailable: if no node answers
        """
        connection = self._sender.connection
        connection.turn_to_farthest()
        height = connection.latest().number - (connection.profile.finality.depth or 0)
        kept = [one for one in self._sender.outbox.unsettled(height) if one.transaction_hash]
        missing = [one for part in _parts(kept) for one in self._missing(part)]
        now = self._clock()
        # What a block held that was given up is sent at once: nobody may have it any more.
        self._sent_at = {
            one.sequence: self._sent_at.get(one.sequence, -AGAIN_SECONDS if one.place else now)
            for one in missing
        }
        due = [one for one in missing if now - self._sent_at[one.sequence] >= AGAIN_SECONDS]
        for part in _parts(due[:AT_ONCE]):
            self._send(part)
        return len(due[:AT_ONCE])

    def _missing(self, entries: Sequence[Entry]) -> list[Entry]:
        """Return those that are in no block; note where the others are, if that is news."""
        by_hash = {one.transaction_hash: one for one in entries if one.transaction_hash}
        receipts = self._sender.connection.receipts(list(by_hash))
        found = list(zip(by_hash.values(), receipts, strict=True))
        news = [one for entry, one in found if one and one.block_hash != entry.block_hash]
        for error in self._sender.record(news, by_hash):
            LOG.warning("transaction failed reason=%s", error)
        return [entry for entry, one in found if one is None]

    def _send(self, entries: Sequence[Entry]) -> None:
        with self._sender.outbox.sending:
            refusals = self._sender.connection.send([HexBytes(one.raw or "") for one in entries])
        taken = []
        for entry, refusal in zip(entries, refusals, strict=True):
            self._sent_at[entry.sequence] = self._clock()
            if refusal is None:
                taken.append(entry.sequence)
            else:
                LOG.warning("transaction refused again key=%s reason=%s", entry.key, refusal)
        self._sender.outbox.mark_sent(taken)
        LOG.info("transactions sent again count=%d first=%s", len(entries), entries[0].key)


def _parts(entries: Sequence[Entry]) -> list[Sequence[Entry]]:
    return [entries[at : at + PIPELINE_MAX] for at in range(0, len(entries), PIPELINE_MAX)]
