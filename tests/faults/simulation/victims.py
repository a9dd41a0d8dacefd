"""
Processes that keep a mirror with the real worker, and are killed for it.

They are forked off a server that has everything imported, so that many can be killed in a second.
What is done to them is `kills`'s, `disks`'s and `writers`'s affair.
"""

import logging
import multiprocessing
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any, Final

from api.worker import Worker
from chain import indexer
from chain.process import AlreadyHeld
from chain.store import open_mirror
from registry import tables as registry_tables
from settlement import tables as settlement_tables
from settlement.projection import apply
from tests.chain.things import project
from tests.faults.simulation.mirrors import Following

# A process folds only what it has imported the tables of.
TABLES_USED: Final = (registry_tables, settlement_tables)

CONTEXT: Final = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(["tests.faults.simulation.victims"])

POLL_SECONDS: Final = 0.005
END_SECONDS: Final = 60

REFUSED: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """
    What a process is to do: follow this into that mirror, holding this lock.

    shape: at most `batch_blocks` in one transaction, so that a kill finds others before and after;
           who is not patient ends at once where another holds the lock; its clock of the day is
           wrong by `clock_seconds`; a ledger's events are folded as the ledger's, others as the
           tests' own noun's
    """

    mirror: str
    following: Following
    lock: Path
    batch_blocks: int = indexer.BATCH_BLOCKS
    clock_seconds: int = 0
    is_patient: bool = True
    is_ledger: bool = False


def keep(post: Post, ready: Any = None) -> None:
    """
    Keep the mirror until killed; a predecessor's lock may outlive it for a moment.

    shape: `ready`, an event, is set when the lock is held
    """
    # What it says of its end is expected.
    logging.disable(logging.CRITICAL)
    real = time.time
    time.time = lambda: real() + post.clock_seconds
    indexer.BATCH_BLOCKS = post.batch_blocks  # type: ignore[misc]
    end = time.monotonic() + END_SECONDS
    while True:
        try:
            _work(post, ready)
        except AlreadyHeld:
            if not post.is_patient:
                raise SystemExit(REFUSED) from None
            if time.monotonic() > end:
                raise
            time.sleep(POLL_SECONDS)


def _work(post: Post, ready: Any) -> None:
    engine = open_mirror(post.mirror)
    try:
        with (
            post.following.source() as source,
            Worker(
                engine,
                lambda: source,
                lock=post.lock,
                project=apply if post.is_ledger else project,
                poll_seconds=POLL_SECONDS,
            ) as worker,
        ):
            if ready is not None:
                ready.set()
            worker.run()
    finally:
        engine.dispose()


@contextmanager
def started(target: Callable[..., Any], *arguments: Any) -> Iterator[BaseProcess]:
    """Start a process, and kill it when the block ends."""
    process = CONTEXT.Process(target=target, args=arguments, daemon=True)
    process.start()
    try:
        yield process
    finally:
        process.kill()
        process.join(END_SECONDS)
