"""
Looks after the content of a home while it serves: new content is copied, all of it is read again in
rounds, and what is not whole is put back from second copies or from other exchanges' nodes.

A part at a time, beside the writer, which it never holds up. What it cannot mend is an alarm.
"""

import logging
import time
from collections.abc import Callable
from dataclasses import InitVar, dataclass, field
from typing import Final

from api.content import round_rows, rows
from api.content.alarms import content_alarms
from api.content.rounds import BATCH, BATCH_BYTES, Bounds, Rounds
from api.content.rows import Content, State
from chain.recurring import Recurring

LOG: Final = logging.getLogger(__name__)

STOP_SECONDS: Final = 10

# What one step may take: a store is there for others, too.
STEP: Final = Bounds(number=500, size_bytes=BATCH_BYTES, seconds=5)
# How long after the end of a round the next begins, and after which what was not whole is tried
# again: its second copy may be back.
ROUND_SECONDS: Final = 3600
RETRY_SECONDS: Final = 600


@dataclass(slots=True)
class ContentWatch:
    """
    Looks at a little every so often, until stopped.

    shape: `looked` counts since the start
    """

    rounds: Rounds
    every_seconds: InitVar[float] = 30
    bounds: Bounds = STEP
    clock: Callable[[], int] = lambda: int(time.time())
    looked: int = 0
    _retried_at: int = 0
    _alarmed: tuple[str, ...] = ()
    _recurring: Recurring = field(init=False)

    def __post_init__(self, every_seconds: float) -> None:
        self._recurring = Recurring(
            self.step, name="content", every_seconds=every_seconds, stop_seconds=STOP_SECONDS
        )

    def start(self) -> None:
        """Look in a thread of this process, at the places that there are now."""
        rows.forget_places(self.rounds.operational, self.rounds.keeper.places.copies)
        self._recurring.start()

    def stop(self) -> None:
        """Stop after the content at hand, and wait a while for that."""
        self._recurring.stop()

    def step(self) -> None:
        """
        Look at what is new, at what was not whole, and at the next of the round, and mend it.

        ensures: an alarm is logged once for whatever is wrong and was not before
        """
        try:
            while self.rounds.read_names() and not self._recurring.is_stopping:
                pass
            self._look_at_new()
            self._look_again()
            self._look_in_turn()
        finally:
            self._tell()

    def _look_at_new(self) -> None:
        found = rows.fresh(self.rounds.operational, BATCH)
        if found:
            self._look(found)

    def _look_again(self) -> None:
        if self.clock() - self._retried_at < RETRY_SECONDS:
            return
        self._retried_at = self.clock()
        self._look(self.rounds.faulty(BATCH))

    def _look_in_turn(self) -> None:
        newest = round_rows.last_round(self.rounds.operational)
        ended_at = newest.ended_at if newest is not None else None
        if ended_at is not None and self.clock() - ended_at < ROUND_SECONDS:
            return
        for batch in self.rounds.step(self.rounds.open(), self.bounds, is_mending=True):
            self._note(batch)
            if self._recurring.is_stopping:
                break

    def _look(self, contents: tuple[Content, ...]) -> None:
        if not contents:
            return
        current = round_rows.last_round(self.rounds.operational) or self.rounds.open()
        for batch in self.rounds.look(contents, current, is_mending=True):
            self._note(batch)
            if self._recurring.is_stopping:
                break

    def _note(self, batch: tuple[Content, ...]) -> None:
        self.looked += len(batch)
        for one in batch:
            if one.state is State.LOST:
                LOG.critical("content lost digest=%s named_by=%s", one.digest.value, one.named_by)

    def _tell(self) -> None:
        said = content_alarms(self.rounds.operational)
        for one in said:
            if one not in self._alarmed:
                LOG.critical("content alarm reason=%s", one)
        if self._alarmed and not said:
            LOG.warning("content alarms ended, everything kept is whole")
        self._alarmed = said
