"""
The mirror's audit of itself: some records at random and the next of all in turn, again and again.

The first difference raises an alarm, which stays until a whole round found everything equal. It
repairs nothing, and runs beside the writer, which it never holds up.
"""

import logging
import time
from collections.abc import Callable
from dataclasses import InitVar, dataclass, field
from random import Random
from typing import Final

from sqlalchemy import Engine

from api.auditing.alarms import clear_alarms, open_alarms, raise_alarm
from api.auditing.audit import BATCH, Scan, sample
from api.auditing.comparing import Difference
from chain.recurring import Recurring
from chain.rpc import Endpoint

LOG: Final = logging.getLogger(__name__)

STOP_SECONDS: Final = 10

SAMPLED: Final = 20
# At half a minute a step, a million records are all compared within a day.
SCANNED: Final = 5 * BATCH


@dataclass(slots=True)
class Watch:
    """
    Compares a little every so often, until stopped.

    shape: `compared`, `rounds` and `found` count since the start; `clock` gives wall time in
           seconds, for the alarms' rows
    """

    mirror: Engine
    operational: Engine
    node: Endpoint
    every_seconds: InitVar[float] = 30
    sampled: int = SAMPLED
    scanned: int = SCANNED
    random: Random = field(default_factory=Random)
    clock: Callable[[], int] = lambda: int(time.time())
    compared: int = 0
    rounds: int = 0
    found: int = 0
    _scan: Scan | None = None
    _recurring: Recurring = field(init=False)

    def __post_init__(self, every_seconds: float) -> None:
        self._recurring = Recurring(
            self.step, name="audit", every_seconds=every_seconds, stop_seconds=STOP_SECONDS
        )

    def start(self) -> None:
        """Compare in a thread of this process."""
        self._recurring.start()

    def stop(self) -> None:
        """Stop after the part at hand, and wait a while for that: it only reads."""
        self._recurring.stop()

    def step(self) -> list[Difference]:
        """
        Compare some at random and the next in turn, and return what differs.

        ensures: an alarm for the first difference of this step; none is open after a whole round
                 without any
        """
        found = self._sampled() + self._in_turn()
        if found:
            self._alarm(found)
        return found

    def _sampled(self) -> list[Difference]:
        drawn = sample(self.mirror, self.node, number=self.sampled, random=self.random)
        self.compared += drawn.compared
        return list(drawn.differences)

    def _in_turn(self) -> list[Difference]:
        scan = self._scan or Scan(self.mirror, self.node)
        self._scan = scan
        before = scan.result().compared
        found: list[Difference] = []
        while not scan.is_done and (done := scan.result().compared - before) < self.scanned:
            found += scan.step(min(BATCH, self.scanned - done))
            if self._recurring.is_stopping:
                break
        self.compared += scan.result().compared - before
        if scan.is_done:
            self._end_round(scan)
        return found

    def _end_round(self, scan: Scan) -> None:
        self._scan = None
        self.rounds += 1
        told = scan.result()
        LOG.info(
            "audit round ended records=%s differences=%s", told.compared, told.difference_count
        )
        if told.equal and open_alarms(self.operational):
            clear_alarms(self.operational, now=self.clock())
            LOG.warning("alarms cleared, every record is equal again")

    def _alarm(self, found: list[Difference]) -> None:
        self.found += len(found)
        first = found[0]
        key = " ".join(str(one) for one in first.key)
        said = (
            f"{first.record} {key} {first.field}: mirror {first.mirrored}, chain {first.on_chain}"
        )
        block = self._scan.block if self._scan is not None else None
        number = -1 if block is None else block.number
        if raise_alarm(self.operational, said, block_number=number, now=self.clock()):
            LOG.critical("mirror differs from the chain differences=%s first=%s", len(found), said)
