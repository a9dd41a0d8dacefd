"""
The mirror's one writer: follows the chain, folds its events, and reads the documents they name.

It answers no request. A file lock keeps a second writer out; whatever ends this process, the mirror
stands at the end of some block.
"""

import logging
import sqlite3
import threading
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Final, Protocol, Self

import psycopg
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import Session

from api.catalogue import Catalogue
from chain.comparison import NodesDisagree
from chain.engines import WriterLock, require_writable
from chain.facts import Block, Projection
from chain.failure import LedgerError
from chain.fetch import Source
from chain.heads import note_alarm
from chain.indexer import Synced, sync_once
from chain.newheads import Announcements
from chain.process import take_lock
from chain.rpc import NodeContradicts, NodeRefused, NodeUnavailable
from settlement.projection import apply

LOG: Final = logging.getLogger(__name__)

# What a node may do to us without it being the end.
PASSING: Final = (NodeUnavailable, NodeRefused, NodeContradicts)
# What a database may do to us that it recovers from: a restart, a full disk. Some statements run on
# the driver's own cursor, and raise the driver's own errors.
DATABASE_FAILED: Final = (SQLAlchemyError, sqlite3.Error, psycopg.Error)
PAUSE_SECONDS_MAX: Final = 30
QUIET_SECONDS: Final = 10


class Watching(Protocol):
    """Whoever looks after something while the worker follows."""

    def start(self) -> None:
        """Look now and then, in a thread of its own."""
        ...

    def stop(self) -> None:
        """Stop looking."""
        ...


class BlockNotReached(LedgerError):
    """The node's chain does not have this block yet."""

    block_number: int
    tip_number: int


class WorkerFailed(LedgerError):
    """The mirror's writer ended by a mistake in the code."""

    reason: str


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
        project: Projection = apply,
        poll_seconds: float = 0,
        announcer: str = "",
        watches: Sequence[Watching] = (),
    ) -> None:
        """
        Prepare to follow.

        shape: `source` is asked at every pass, so that a contract deployed meanwhile is followed;
               without `poll_seconds` it says how often to look;
               `announcer` is the WebSocket at which the node tells of new blocks, empty for none;
               `watches` audit mirror and content while the worker follows in a thread
        """
        self._mirror = mirror
        self._source = source
        self._lock_path = lock
        self._catalogue = catalogue
        self._project = project
        self._poll_seconds = poll_seconds
        self._lock: IO[bytes] | None = None
        self._writer = WriterLock(mirror)
        self._announcer = announcer
        self._watches = tuple(watches)
        self._stopping = threading.Event()
        self._woken = threading.Event()
        self._alarmed: str | None = None
        self._thread: threading.Thread | None = None
        # Why the worker ended; and why its last pass failed, which the next may mend.
        self.failure: LedgerError | None = None
        self.trouble = ""
        # Who is told of every pass that moved the mirror, in the worker's thread.
        self.listeners: list[Callable[[Synced], None]] = []

    def __enter__(self) -> Self:
        """
        Take the lock.

        :raises AlreadyHeld: if another process writes this mirror
        :raises MirrorNotWritable: if we may not
        """
        self._lock = take_lock(self._lock_path)
        try:
            self._writer.hold()
            require_writable(self._mirror)
        except BaseException:
            self._let_go()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        self._let_go()

    def _let_go(self) -> None:
        self._writer.release()
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def sync_once(self) -> Synced:
        """Bring the mirror up to the node's head, one transaction per batch of whole blocks."""
        if self._lock is None:
            raise RuntimeError("a worker writes only inside its `with`")
        self._writer.hold()
        source = self._source()
        self._poll_seconds = self._poll_seconds or source.poll_seconds
        synced = sync_once(self._mirror, source, self._project)
        if synced.events or synced.rewound_to is not None:
            tip = synced.tip.number if synced.tip else None
            LOG.info("blocks applied tip=%s events=%s", tip, synced.events)
        if synced.blocks or synced.rewound_to is not None:
            for listener in self.listeners:
                listener(synced)
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
        Follow until `stop`; a node or database that fails is asked again, ever more slowly.

        :raises LedgerError: for what a person must look into, such as a fork below finality
        """
        with ExitStack() as stack:
            announced = None
            if self._announcer:
                announced = stack.enter_context(Announcements(self._announcer, self._woken.set))
            pause = 0.0
            while not self._stopping.is_set():
                self._woken.clear()
                pause = self._pass(pause)
                is_told = announced is not None and announced.is_connected and not self.trouble
                # Whoever is told of every block looks now and then all the same.
                self._woken.wait(max(pause, QUIET_SECONDS) if is_told else pause)

    def start(self) -> None:
        """Follow in a thread of this process."""
        self._thread = threading.Thread(target=self._run_aside, name="mirror", daemon=True)
        self._thread.start()
        for watch in self._watches:
            watch.start()

    def stop(self) -> None:
        """Stop following after the block at hand, and wait for that."""
        self._stopping.set()
        self._woken.set()
        for watch in self._watches:
            watch.stop()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def _pass(self, pause: float) -> float:
        # One look at the chain; returns the seconds until the next.
        try:
            self.sync_once()
        except PASSING as error:
            self._stumble(error)
            if isinstance(error, NodesDisagree):
                self._alarm(str(error))
        except DATABASE_FAILED as error:
            self._stumble(error)
            # Connections that went down with the server are not used again.
            self._mirror.dispose()
        else:
            self.trouble = ""
            self._alarm("")
            return self._poll_seconds
        return min(PAUSE_SECONDS_MAX, max(self._poll_seconds or 1, pause * 2))

    def _stumble(self, error: Exception) -> None:
        self.trouble = str(error)
        LOG.warning("pass failed kind=%s reason=%s", type(error).__name__, error)

    def _alarm(self, sentence: str) -> None:
        if sentence == self._alarmed:
            return
        if sentence:
            LOG.critical("alarm reason=%s", sentence)
        try:
            with Session(self._mirror) as session, session.begin():
                note_alarm(session, sentence)
        except DATABASE_FAILED as error:
            LOG.error("alarm not noted reason=%s", error)
        else:
            self._alarmed = sentence

    def _run_aside(self) -> None:
        try:
            self.run()
        except LedgerError as error:
            # Nothing is rewritten: the mirror stays as it is until a person has decided.
            self._end(error)
        except Exception as error:
            # Told in full here: nobody reads what a thread raises.
            self._end(WorkerFailed(reason=f"{type(error).__name__}: {error}"))

    def _end(self, failure: LedgerError) -> None:
        LOG.critical("mirror stopped reason=%s", failure, exc_info=True)
        self._alarm(f"the mirror stopped: {failure}")
        self.failure = failure

    def _read_documents(self, synced: Synced) -> None:
        if self._catalogue is None:
            return
        if synced.rewound_to is not None:
            self._catalogue.forget()
        try:
            self._catalogue.fill()
        except LedgerError as error:
            LOG.warning("catalogue not filled reason=%s", error)
