"""
Mirrors of a simulated chain: the one that lives through the faults, and one that saw none.

They follow with the packages' own code; what is expected of them is `oracle`'s.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, Final

from sqlalchemy import Engine

from chain.facts import Followed, Projection
from chain.failure import LedgerError
from chain.fetch import Source
from chain.finality import Finality
from chain.indexer import Synced, sync_once
from chain.rpc import Node
from chain.store import open_mirror
from tests.anvil import CHAIN_ID
from tests.chain.things import project

FINALITY: Final = 64
PATIENT_SECONDS: Final = 20.0
PASSES_MAX: Final = 20


class NotCaughtUp(AssertionError):
    """A mirror does not come to the node's head although nothing is wrong any more."""


@dataclass(slots=True, kw_only=True)
class Following:
    """
    What of a node is followed, and how deep the chain may fork.

    shape: a change of `url` or `contracts` counts from the next pass on
    """

    url: str
    contracts: tuple[Followed, ...]
    chain_id: int = CHAIN_ID
    finality: int = FINALITY
    timeout_seconds: float = PATIENT_SECONDS
    options: dict[str, Any] = field(default_factory=dict)

    @contextmanager
    def source(self) -> Iterator[Source]:
        """Open a connection to the node and ask through it."""
        with Node(self.url, timeout_seconds=self.timeout_seconds) as node:
            yield Source(
                node=node,
                chain_id=self.chain_id,
                contracts=self.contracts,
                finality=Finality(self.finality),
                **self.options,
            )


@contextmanager
def opened(url: str) -> Iterator[Engine]:
    """Open a mirror and close it."""
    engine = open_mirror(url)
    try:
        yield engine
    finally:
        engine.dispose()


def catch_up(engine: Engine, following: Following, projection: Projection = project) -> Synced:
    """
    Follow until nothing is left to follow, with a node that fails no more.

    :raises NotCaughtUp: if there is no end to it
    """
    # It may be slow, on a machine that is busy.
    patient = replace(following, timeout_seconds=PATIENT_SECONDS)
    with patient.source() as source:
        for _ in range(PASSES_MAX):
            synced = sync_once(engine, source, projection)
            if synced.blocks == 0 and synced.rewound_to is None:
                return synced
    raise NotCaughtUp(f"not caught up after {PASSES_MAX} passes: {synced}")


def try_once(engine: Engine, following: Following, projection: Projection = project) -> str:
    """Follow as far as a failing node lets us, and return what stopped it, or ""."""
    with following.source() as source:
        try:
            sync_once(engine, source, projection)
        except LedgerError as error:
            return type(error).__name__
    return ""
