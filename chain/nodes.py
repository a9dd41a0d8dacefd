"""
Several nodes of one chain that stand in for each other, used as if they were one.

One of them answers while it is well. A node that fails rests, ever longer, and is tried again; one
that is behind the others is asked last. Whether two nodes agree is checked in `chain.comparison`.
"""

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from chain.failure import Invalid, LedgerError
from chain.rpc import Call, Node, NodeContradicts, NodeRefused, NodeUnavailable

LOG: Final = logging.getLogger(__name__)

REST_SECONDS_MIN: Final = 1
REST_SECONDS_MAX: Final = 60
# Nodes are this far apart even where nothing is wrong.
LATE_BLOCKS: Final = 2
# How often all nodes are asked for their heads, and how long they have for that.
SURVEY_SECONDS: Final = 5
SURVEY_TIMEOUT_SECONDS: Final = 2
# Where another can answer, nobody waits as long for one as where there is only that one.
TIMEOUT_SECONDS: Final = 10


class NodeUrlMissing(Invalid):
    """A list of nodes names no node."""

    urls: str


class NodeUrlInvalid(Invalid):
    """A node's address begins with http:// or https:// and names a host."""

    url: str


@dataclass(slots=True)
class _Standing:
    """What is known of a node: failures in a row, until when it rests, and its height."""

    node: Node
    failures: int = 0
    resting_until: float = 0
    head: int = -1


class Nodes:
    """
    Nodes of one chain, asked as one.

    shape: the order is that of preference as long as all are well and equally far
    """

    def __init__(
        self, nodes: Sequence[Node], *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._standings = [_Standing(node) for node in nodes]
        self._clock = clock
        self._surveyed_at: float | None = None

    @property
    def each(self) -> tuple[Node, ...]:
        """Return the nodes themselves."""
        return tuple(one.node for one in self._standings)

    def call(self, method: str, *parameters: Any) -> Any:
        """Return the result of one request."""
        return self.batch([(method, list(parameters))])[0]

    def batch(self, calls: Sequence[Call]) -> list[Any]:
        """
        Return the results of several requests sent at once, all from one node.

        shape:   what one refuses, another that is well may not: it keeps more, or is asked less
        :raises NodeRefused: what the first that refused said, if none does better
        :raises NodeUnavailable: NodeContradicts: what the last node said, if none can answer
        """
        self._survey()
        failure: LedgerError = NodeUnavailable(reason="no node is left")
        refusal: NodeRefused | None = None
        for standing in self._order():
            if refusal is not None and standing.resting_until > self._clock():
                break
            try:
                found = standing.node.batch(calls)
            except NodeRefused as error:
                refusal = refusal or error
            except (NodeUnavailable, NodeContradicts) as error:
                failure = error
                self._rest(standing, str(error))
            else:
                standing.failures = 0
                return found
        raise refusal or failure

    def distrust(self, reason: str) -> None:
        """Let the node that is asked first rest: its answers do not fit together."""
        self._rest(self._order()[0], reason)

    def _order(self) -> list[_Standing]:
        now = self._clock()
        best = max(one.head for one in self._standings)

        def rank(one: _Standing) -> tuple[bool, bool, float]:
            is_resting = one.resting_until > now
            # Of those that rest, the one that is due soonest.
            return is_resting, one.head + LATE_BLOCKS < best, one.resting_until if is_resting else 0

        return sorted(self._standings, key=rank)

    def _rest(self, standing: _Standing, reason: str) -> None:
        seconds = min(REST_SECONDS_MAX, REST_SECONDS_MIN * 2**standing.failures)
        standing.failures += 1
        standing.resting_until = self._clock() + seconds
        LOG.warning("node rests node=%s seconds=%s reason=%s", standing.node, seconds, reason)

    def _survey(self) -> None:
        now = self._clock()
        if self._surveyed_at is not None and now - self._surveyed_at < SURVEY_SECONDS:
            return
        self._surveyed_at = now
        well = [one for one in self._standings if one.resting_until <= now]
        with ThreadPoolExecutor(max_workers=max(1, len(well))) as pool:
            for standing, head in zip(well, pool.map(_head, well), strict=True):
                if head is None:
                    self._rest(standing, "no head")
                else:
                    standing.head = head


def _head(standing: _Standing) -> int | None:
    try:
        return standing.node.height(timeout_seconds=SURVEY_TIMEOUT_SECONDS)
    except LedgerError:
        return None


def urls_of(text: str) -> tuple[str, ...]:
    """
    Return the URLs in a list separated by commas, each once.

    :raises NodeUrlMissing: NodeUrlInvalid: if there is none, or one is no address of a node
    """
    found = tuple(dict.fromkeys(one.strip() for one in text.split(",") if one.strip()))
    if not found:
        raise NodeUrlMissing(urls=text)
    for one in found:
        if not _is_address(one):
            raise NodeUrlInvalid(url=one)
    return found


def _is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port that is none
        return False


@contextmanager
def open_nodes(text: str) -> Iterator[Node | Nodes]:
    """Open the one node, or the several, that a list of URLs names."""
    urls = urls_of(text)
    if len(urls) == 1:
        with Node(urls[0]) as node:
            yield node
        return
    opened = [Node(url, timeout_seconds=TIMEOUT_SECONDS) for url in urls]
    try:
        yield Nodes(opened)
    finally:
        for one in opened:
            one.close()
