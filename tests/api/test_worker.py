"""
Tests of the mirror's writer where the node fails, lies, or forks too deep.
"""

from collections.abc import Iterator

import pytest

from api.worker import Worker
from chain.failure import LedgerError
from chain.fetch import Source
from chain.indexer import ForkBeyondFinality
from chain.process import AlreadyHeld
from chain.rpc import NodeUnavailable
from tests.api.mirrored import CHAIN_ID, Mirrored


class Asked:
    """What the worker asks for a source: counts, then does what the test says."""

    def __init__(self, mirrored: Mirrored, failure: LedgerError | None = None) -> None:
        self.times = 0
        self._mirrored = mirrored
        self._failure = failure

    def __call__(self) -> Source:
        self.times += 1
        if self._failure is not None:
            raise self._failure
        return Source(
            node=self._mirrored.services.node,
            chain_id=CHAIN_ID,
            contracts=(),
            finality_depth=0,
        )


def worker_asking(mirrored: Mirrored, asked: Asked) -> Worker:
    """Return a worker of the test's mirror that looks every millisecond."""
    return Worker(
        mirrored.services.mirror, asked, lock=mirrored.home / "mirror.lock", poll_seconds=0.001
    )


@pytest.fixture
def silent(mirrored: Mirrored) -> Iterator[tuple[Worker, Asked]]:
    asked = Asked(mirrored)
    with worker_asking(mirrored, asked) as worker:
        yield worker, asked


class TestWorker:
    def test_says_at_once_that_the_node_is_silent(self, silent: tuple[Worker, Asked]) -> None:
        with pytest.raises(NodeUnavailable):
            silent[0].sync_once()

    def test_goes_on_asking_a_silent_node_until_it_is_stopped(
        self, silent: tuple[Worker, Asked]
    ) -> None:
        worker, asked = silent

        worker.start()
        while asked.times < 3:
            assert worker.failure is None
        worker.stop()

        assert worker.failure is None

    def test_stops_for_a_person_when_finality_broke(self, mirrored: Mirrored) -> None:
        fork = ForkBeyondFinality(tip_number=100, finality_depth=12)
        asked = Asked(mirrored, fork)
        with worker_asking(mirrored, asked) as worker:
            worker.start()
            while worker.failure is None:
                assert asked.times <= 1

        assert worker.failure == fork
        assert asked.times == 1

    def test_writes_only_while_it_holds_the_lock(self, mirrored: Mirrored) -> None:
        worker = worker_asking(mirrored, Asked(mirrored))

        with pytest.raises(RuntimeError):
            worker.sync_once()

    def test_lets_no_second_one_in_and_gives_the_lock_back(self, mirrored: Mirrored) -> None:
        first, second = (worker_asking(mirrored, Asked(mirrored)) for _ in range(2))
        with first, pytest.raises(AlreadyHeld):
            second.__enter__()

        with second:
            pass
