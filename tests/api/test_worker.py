"""
Tests of the mirror's writer: told of blocks or polling, and where the node or the database fails.
"""

import statistics
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event
from sqlmodel import Session

from api.worker import Worker, WorkerFailed
from chain.engines import open_mirror
from chain.failure import LedgerError
from chain.fetch import Source
from chain.finality import Finality
from chain.heads import ForkBeyondFinality, heads_of
from chain.newheads import announcements_url
from chain.process import AlreadyHeld
from chain.reads import final_number
from chain.rpc import Node, NodeUnavailable
from chain.store import block_at
from tests.anvil import Anvil
from tests.api.mirrored import CHAIN_ID, Mirrored
from tests.chain.emitter import deploy
from tests.chain.fault_proxy import fault_proxy
from tests.chain.following import emit, fresh, source_of
from tests.chain.things import dump, project


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
            finality=Finality(0),
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
        fork = ForkBeyondFinality(tip_number=100, final_number=88)
        asked = Asked(mirrored, fork)
        with worker_asking(mirrored, asked) as worker:
            worker.start()
            while worker.failure is None:
                assert asked.times <= 1

        assert worker.failure == fork
        assert asked.times == 1
        with Session(mirrored.services.mirror) as session:
            assert str(fork) in heads_of(session).alarm

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


WAIT_SECONDS = 30
# Far longer than a test may take: whoever moves on before was told, and did not look by itself.
NEVER_SECONDS = 600


class Followed:
    """A worker in its thread, on a real chain and a mirror of the test's own."""

    def __init__(self, anvil: Anvil, emitter: str, mirror: Engine, folder: Path) -> None:
        self.anvil = anvil
        self.emitter = emitter
        self.mirror = mirror
        self.source = source_of(anvil, emitter)
        self.folder = folder

    def worker(self, *, poll_seconds: float = NEVER_SECONDS, announcer: str = "") -> Worker:
        """Return the worker, not yet started."""
        return Worker(
            self.mirror,
            lambda: self.source,
            lock=self.folder / "mirror.lock",
            project=project,
            poll_seconds=poll_seconds,
            announcer=announcer,
        )

    def until(self, is_so: Callable[[], bool]) -> float:
        """Wait until something holds, and return how long that took."""
        began = time.monotonic()
        while not is_so():
            assert time.monotonic() - began < WAIT_SECONDS
            time.sleep(0.001)
        return time.monotonic() - began

    def has(self, number: int) -> bool:
        """Say whether a block can be read."""
        with Session(self.mirror) as session:
            return block_at(session, number) is not None

    def mine(self) -> int:
        """Emit, and return the height of the block."""
        emit(self.anvil, self.emitter, 1)
        return int(self.anvil.rpc("eth_blockNumber"), 16)


@pytest.fixture
def followed(anvil: Anvil, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Followed]:
    mirror = open_mirror(request.getfixturevalue("mirror_url"))
    yield Followed(anvil, deploy(anvil), mirror, tmp_path)
    mirror.dispose()


class TestRun:
    def test_is_woken_by_a_new_block(self, followed: Followed) -> None:
        """Block mined to row readable: at most 20 ms in half of all cases on an idle machine."""
        delays = []
        with followed.worker(announcer=announcements_url(followed.anvil.url)) as worker:
            worker.start()
            for _ in range(20):
                number = followed.mine()
                delays.append(followed.until(partial(followed.has, number)))

        assert statistics.median(delays) < 1

    def test_polls_where_nothing_is_announced(self, followed: Followed) -> None:
        with (
            fault_proxy(followed.anvil.url) as proxy,
            followed.worker(poll_seconds=0.01, announcer=announcements_url(proxy.url)) as worker,
        ):
            worker.start()
            number = followed.mine()
            followed.until(lambda: followed.has(number))

    def test_asks_the_database_nothing_while_nothing_happens(self, followed: Followed) -> None:
        followed.mine()
        asked: list[str] = []
        with followed.worker() as worker:
            worker.sync_once()
            event.listen(
                followed.mirror,
                "before_cursor_execute",
                lambda _c, _k, statement, *_: asked.append(statement),
            )

            worker.sync_once()

        # On PostgreSQL it makes sure that it is still the only writer.
        assert set(asked) <= {"SELECT 1"}

    def test_goes_on_after_the_disk_was_full(self, tmp_path: Path, followed: Followed) -> None:
        """Stop cleanly, resume without repair (reliability §4.2)."""
        full = {"is": True}
        mirror = open_mirror(f"sqlite:///{tmp_path}/full.db")
        followed.mirror = mirror

        def limit(connection: Any, _: object) -> None:
            pages = connection.execute("PRAGMA page_count").fetchone()[0] if full["is"] else 2**30
            connection.execute(f"PRAGMA max_page_count={pages}")

        mirror.dispose()
        event.listen(mirror, "connect", limit)
        numbers = [followed.mine() for _ in range(40)]
        with followed.worker(poll_seconds=0.01) as worker:
            worker.start()
            followed.until(lambda: "full" in worker.trouble)
            assert worker.failure is None

            full["is"] = False
            followed.until(lambda: followed.has(numbers[-1]))
            followed.until(lambda: worker.trouble == "")
        assert dump(mirror) == fresh(tmp_path, followed.source)
        mirror.dispose()

    def test_raises_an_alarm_while_two_nodes_disagree(self, followed: Followed) -> None:
        with fault_proxy(followed.anvil.url) as proxy, Node(proxy.url) as witness:
            proxy.plague("wrong block hash", share=1, seed=1)
            followed.source = source_of(
                followed.anvil, followed.emitter, depth=1, witnesses=(witness,)
            )
            numbers = [followed.mine() for _ in range(4)]

            def alarm() -> str:
                with Session(followed.mirror) as session:
                    return heads_of(session).alarm

            with followed.worker(poll_seconds=0.01) as worker:
                worker.start()
                followed.until(lambda: "OTHER_BLOCK" in alarm())
                assert followed.has(numbers[-1])
                assert worker.failure is None
                with Session(followed.mirror) as session:
                    assert final_number(session) == -1

                proxy.heal()
                followed.until(lambda: alarm() == "")
            with Session(followed.mirror) as session:
                assert final_number(session) == numbers[-1] - 1

    def test_ends_with_an_alarm_by_a_mistake_in_the_code(self, followed: Followed) -> None:
        def mistaken() -> Source:
            raise RuntimeError("not thought of")

        worker = Worker(followed.mirror, mistaken, lock=followed.folder / "mirror.lock")
        with worker:
            worker.start()
            followed.until(lambda: worker.failure is not None)

        assert isinstance(worker.failure, WorkerFailed)
        with Session(followed.mirror) as session:
            assert "not thought of" in heads_of(session).alarm
