"""
What this process counted since it began: requests, webhooks sent, and how long requests took.

Not the state of the ledger, which is read from the mirror when somebody asks
(`api.observing.exposition`). The counters are written from the event loop or under a lock, and cost
about a microsecond.
"""

import os
import threading
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Final

# Seconds; the last of a request's buckets is everything above.
BUCKETS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
STATM: Final = Path("/proc/self/statm")

Key = tuple[str, str, int]


class Latency:
    """How many requests there were of one kind, and how long they took."""

    __slots__ = ("buckets", "seconds")

    def __init__(self) -> None:
        self.buckets = [0] * (len(BUCKETS) + 1)
        self.seconds = 0.0

    def note(self, seconds: float) -> None:
        """Count one."""
        self.buckets[bisect_left(BUCKETS, seconds)] += 1
        self.seconds += seconds

    def cumulative(self) -> Iterator[tuple[str, float]]:
        """Return how many took at most as long as each bound."""
        total = 0
        for bound, count in zip((*map(str, BUCKETS), "+Inf"), self.buckets, strict=True):
            total += count
            yield bound, total


class Metrics:
    """The counters of a process."""

    def __init__(self) -> None:
        self.requests: dict[Key, Latency] = {}
        self.webhooks: Counter[str] = Counter()
        self.applied: Counter[str] = Counter()
        self._lock = threading.Lock()

    def request(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count a request; called from the event loop only."""
        key = (method, route, status)
        found = self.requests.get(key)
        if found is None:
            found = self.requests[key] = Latency()
        found.note(seconds)

    def webhook(self, outcome: str) -> None:
        """Count an attempt to send to a webhook, from whatever thread."""
        with self._lock:
            self.webhooks[outcome] += 1

    def apply(self, *, blocks: int, events: int) -> None:
        """Count what the mirror's worker applied."""
        with self._lock:
            self.applied["blocks"] += blocks
            self.applied["events"] += events


def resident_bytes() -> int:
    """Return how much memory this process holds; 0 where the system does not say."""
    try:
        return int(STATM.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, IndexError):
        return 0
