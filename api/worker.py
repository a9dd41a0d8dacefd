"""
The mirror's one writer: follows the chain, folds its events, and reads the documents they name.

It answers no request. A file lock keeps a second writer out; whatever ends this process, the mirror
stands at the end of some block.
"""

import logging
import threading
from collections.abc import Callable
from pathlib import Path
from typing import IO, Final, Self

from sqlalchemy import Engine

from api.catalogue import Catalogue
from chain.facts import Block
from chain.failure import LedgerError
from chain.fetch import Source
from chain.indexer import Synced, sync_once
from chain.process import take_lock
from chain.rpc import NodeContradicts, NodeRefused, NodeUnavailable
from settlement.projection import apply

LOG: Final = logging.getLogger(__name__)

# What a node may do to us without it being the end.
PASSING: Final = (NodeUnavailable, NodeRefused, NodeContradicts)
PAUSE_SECONDS_MAX: Final = 30


class BlockNotReached(LedgerError):
    """The node's chain does not have this block yet."""

    block_number: int
    tip_number: int


class Worker:
    """
    Keeps a mirror up to date, once or until told to stop.

    shape: used in a `with`, which takes the lock at the beginning and gives it back at the end
    """

    def __init__(
        self,
        mirror: Engine,
        source: Callable[[], Source],
        *,
        lock: Path,
        catalogue: Catalogue | None = None,
        poll_seconds: float = 1,
    ) -> None:
        """
        Prepare to follow.

        shape: `source` is asked at every pass, so that a contract deployed meanwhile is followed
        """
        self._mirror = mirror
        self._source = source
        self._lock_path = lock
        self._catalogue = catalogue
        self._poll_seconds = poll_seconds
        self._lock: IO[bytes] | None = None
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self.failure: LedgerError | None = None

    def __enter__(self) -> Self:
        """
        Take the lock.

        :raises AlreadyHeld: if another process writes this mirror
        """
        self._lock = take_lock(self._lock_path)
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def sync_once(self) -> Synced:
        """Bring the mirror up to the node's head, one transaction per batch of whole blocks."""
        if self._lock is None:
            raise RuntimeError("a worker writes only inside its `with`")
        synced = sync_once(self._mirror, self._source(), apply)
        if synced.events or synced.rewound_to is not None:
            tip = synced.tip.number if synced.tip else None
            LOG.info("blocks applied tip=%s events=%s", tip, synced.events)
        self._read_documents(synced)
        return synced

    def sync_until(self, block_number: int) -> Block:
        """
        Bring the mirror up to a block that the node has, and return the mirror's tip.

        :raises BlockNotReached: if the node does not have it
        """
        tip = self.sync_once().tip
        if tip is None or tip.number < block_number:
            raise BlockNotReached(block_number=block_number, tip_number=tip.number if tip else -1)
        return tip

    def run(self) -> None:
        """
        Follow until `stop`; a node that fails is asked again, ever more slowly.

        :raises LedgerError: for what a person must look into, such as a fork below finality
        """
        pause = self._poll_seconds
        while not self._stopping.is_set():
            try:
                self.sync_once()
                pause = self._poll_seconds
            except PASSING as error:
                pause = min(PAUSE_SECONDS_MAX, pause * 2)
                LOG.warning("node failed pause_seconds=%s reason=%s", pause, error)
            self._stopping.wait(pause)

    def start(self) -> None:
        """Follow in a thread of this process."""
        self._thread = threading.Thread(target=self._run_aside, name="mirror", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop following after the block at hand, and wait for that."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def _run_aside(self) -> None:
        try:
            self.run()
        except LedgerError as error:
            # Nothing is rewritten: the mirror stays as it is until a person has decided.
            self.failure = error
            LOG.critical("mirror stopped reason=%s", error)
        except Exception:
            LOG.critical("mirror stopped", exc_info=True)
            raise

    def _read_documents(self, synced: Synced) -> None:
        if self._catalogue is None:
            return
        if synced.rewound_to is not None:
            self._catalogue.forget()
        try:
            self._catalogue.fill()
        except LedgerError as error:
            LOG.warning("catalogue not filled reason=%s", error)
