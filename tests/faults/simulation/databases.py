"""
The database goes away in the middle, and comes back.

PostgreSQL is stopped, orderly or at once, or only its connections are; SQLite's file is locked by
another program, or moved away.
"""

import signal
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager, suppress
from typing import Final

from sqlalchemy import Engine
from sqlmodel import Session

from api.worker import DATABASE_FAILED, Worker
from chain.store import tip_of
from tests.chain.things import project
from tests.faults.simulation.branches import Chain, open_chain
from tests.faults.simulation.mirrors import FINALITY, Following, catch_up, opened
from tests.faults.simulation.oracle import Violated, Witness, require_right
from tests.faults.simulation.running import Numbers, Run

ROUNDS: Final = 2
BLOCKS_MAX: Final = 60
GONE_SECONDS_MAX: Final = 0.3
POLL_SECONDS: Final = 0.01
RECOVERY_SECONDS_MAX: Final = 60
LOCK_SECONDS: Final = 10


def gone(run: Run) -> Numbers:
    """Take the database away while the worker writes, and give it back: the worker goes on."""
    numbers: dict[str, int | float] = {"rounds": 0, "noticed": 0, "recovered_seconds_max": 0}
    ways = POSTGRESQL if run.database == "postgresql" else SQLITE
    with open_chain(run.chance) as chain, opened(run.mirror()) as engine:
        following = Following(url=chain.anvil.url, contracts=chain.followed(0, 1))
        witness = Witness(FINALITY)
        _make_durable(engine)
        chain.grow(10)
        catch_up(engine, following)
        for turn in range(ROUNDS):
            way = list(ways)[(run.seed + turn) % len(ways)]
            with _working(run, engine, following) as worker:
                _write(run, chain)
                with ways[way](run, engine):
                    _write(run, chain)
                    time.sleep(run.chance.uniform(0, GONE_SECONDS_MAX))
                    numbers["noticed"] += bool(worker.trouble)
                _write(run, chain)
                seconds = _recover(run, chain, worker)
            numbers[way] = numbers.get(way, 0) + 1
            numbers["rounds"] += 1
            numbers["recovered_seconds_max"] = max(numbers["recovered_seconds_max"], seconds)
            with opened(run.mirror()) as other:
                witness.look(other)
        catch_up(engine, following)
        require_right(engine, chain.anvil.node, following)
    return numbers


@contextmanager
def _working(run: Run, engine: Engine, following: Following) -> Iterator[Worker]:
    with (
        following.source() as source,
        Worker(
            engine,
            lambda: source,
            lock=run.folder / "lock",
            project=project,
            poll_seconds=POLL_SECONDS,
        ) as worker,
    ):
        worker.start()
        yield worker


def _write(run: Run, chain: Chain) -> None:
    chain.grow(run.chance.randrange(1, BLOCKS_MAX))


def _recover(run: Run, chain: Chain, worker: Worker) -> float:
    """Return after how many seconds the worker has caught up by itself."""
    began = time.monotonic()
    head = chain.head()
    while worker.failure is None and time.monotonic() - began < RECOVERY_SECONDS_MAX:
        # The worker may just be finding out that its file is another, and hold the old one.
        with suppress(*DATABASE_FAILED), opened(run.mirror()) as other, Session(other) as session:
            tip = tip_of(session)
            if tip is not None and tip.number == head:
                return time.monotonic() - began
        time.sleep(POLL_SECONDS)
    raise Violated(
        f"the worker does not go on although its database is back: {worker.trouble} "
        f"{worker.failure or ''}"
    )


def _make_durable(engine: Engine) -> None:
    """Let a commit of a test's server outlive that server, as everywhere else."""
    if engine.dialect.name == "postgresql":
        with engine.begin() as connection:
            name = engine.url.database
            connection.exec_driver_sql(f"ALTER DATABASE {name} SET synchronous_commit = on")
        engine.dispose()


# --- ways to be away ------------------------------------------------------------------------------


@contextmanager
def _locked(run: Run, engine: Engine) -> Iterator[None]:  # noqa: ARG001
    with closing(sqlite3.connect(run.folder / "mirror.db", isolation_level=None)) as other:
        other.execute(f"PRAGMA busy_timeout={LOCK_SECONDS * 1000}")
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


@contextmanager
def _moved(run: Run, engine: Engine) -> Iterator[None]:
    # Another file stands in its place, so that nobody makes a new mirror there: whoever closes that
    # would remove the log that belongs to the one that comes back (SQLite, "How To Corrupt").
    file, beside = run.folder / "mirror.db", ("mirror.db-wal", "mirror.db-shm")
    away = run.folder / "away"
    away.mkdir(exist_ok=True)
    (away / "other").write_text("This is no database.\n" * 100)
    there = [name for name in beside if (run.folder / name).exists()]
    file.rename(away / file.name)
    (away / "other").rename(file)
    for name in there:
        (run.folder / name).rename(away / name)
    yield
    engine.dispose()
    # The database last: nobody finds it without its log.
    for name in (*there, file.name):
        (away / name).rename(run.folder / name)


def _server(sign: signal.Signals) -> Callable[[Run, Engine], AbstractContextManager[None]]:
    @contextmanager
    def away(run: Run, engine: Engine) -> Iterator[None]:  # noqa: ARG001
        with run.databases.postgres.stopped(sign):
            yield

    return away


@contextmanager
def _disconnected(run: Run, engine: Engine) -> Iterator[None]:
    name = engine.url.database
    assert name is not None
    run.databases.postgres.disconnect(name)
    yield


SQLITE: Final = {"locked": _locked, "moved": _moved}
POSTGRESQL: Final = {
    "stopped": _server(signal.SIGINT),
    "crashed": _server(signal.SIGQUIT),
    "disconnected": _disconnected,
}
