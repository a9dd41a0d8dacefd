"""
What all streams of a process share: one wake-up, a limited number of places, and the end.

It sends nothing (`api.streaming.stream`) and reads nothing but how far the mirror is.
"""

import asyncio
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from anyio import CapacityLimiter
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import Session

from chain.failure import LedgerError
from chain.heads import final_number
from chain.rewinds import last_rewind
from chain.store import tip_of

POLL_SECONDS: Final = 0.25
# Streams read beside the requests, and never with all of the process's threads.
READERS: Final = 4
PUBLIC: Final = ""


class StreamsFull(LedgerError):
    """This server tells as many streams as it can; ask again shortly."""

    streams_max: int


class TooManyStreams(LedgerError):
    """You follow as many streams of this server as one may."""

    streams_max: int


class Streams:
    """
    The streams of a process.

    shape: of `places` the public together may take half, and an organisation an eighth, so that
           nobody can shut the others out
    """

    def __init__(self, places: int = 256) -> None:
        self._places = places
        self._taken: Counter[str] = Counter()
        self._lock = threading.Lock()
        self._changed: asyncio.Event | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._readers: CapacityLimiter | None = None
        self._poller: asyncio.Task[None] | None = None
        self.is_closing = False
        # What was read since the last change, by where it was read from: see
        # `api.streaming.stream`.
        self.pages: dict[Any, Any] = {}

    def __len__(self) -> int:
        return self._taken.total()

    def take(self, owner: str) -> None:
        """
        Take a place; whoever took it gives it back by `leave`.

        :raises StreamsFull: if there is none
        :raises TooManyStreams: if the owner has its share
        """
        share = max(1, self._places // (8 if owner else 2))
        with self._lock:
            if self._taken[owner] >= share:
                raise TooManyStreams(streams_max=share)
            if self._taken.total() >= self._places or self.is_closing:
                raise StreamsFull(streams_max=self._places)
            self._taken[owner] += 1

    def leave(self, owner: str) -> None:
        """Give a place back."""
        with self._lock:
            self._taken[owner] -= 1
            if not self._taken[owner]:
                del self._taken[owner]

    def notify(self) -> None:
        """Wake all streams, from whatever thread: the mirror has moved."""
        self._wake_soon()

    def close(self) -> None:
        """Let every stream end after what it is sending."""
        self.is_closing = True
        self._wake_soon()

    @contextmanager
    def listening(self, mirror: Engine) -> Iterator[None]:
        """Take part in the wake-ups while the block runs; the first to come starts the watch."""
        if self._changed is None or self._loop is not asyncio.get_running_loop():
            self._loop = asyncio.get_running_loop()
            self._changed = asyncio.Event()
            self._readers = CapacityLimiter(READERS)
        if self._poller is None or self._poller.done():
            self._poller = asyncio.create_task(self._poll(mirror))
        yield

    def ticket(self) -> asyncio.Event:
        """Return what the next change sets; to be taken before reading, so that none is lost."""
        assert self._changed is not None, "inside `listening` only"
        return self._changed

    @property
    def readers(self) -> CapacityLimiter:
        """Return what limits how many streams read at once; inside `listening` only."""
        assert self._readers is not None, "inside `listening` only"
        return self._readers

    def _wake_soon(self) -> None:
        loop = self._loop
        if loop is not None and not loop.is_closed():
            loop.call_soon_threadsafe(self._wake)

    def _wake(self) -> None:
        if self._changed is not None:
            # Another one: whoever still reads the mirror as it was keeps that to the old.
            self.pages = {}
            changed, self._changed = self._changed, asyncio.Event()
            changed.set()

    async def _poll(self, mirror: Engine) -> None:
        # Another process may be the writer; one cheap question serves all who listen here.
        seen = None
        while self._taken and not self.is_closing:
            found = await asyncio.to_thread(_mark, mirror)
            if found != seen:
                seen = found
                self._wake()
            await asyncio.sleep(POLL_SECONDS)


def _mark(mirror: Engine) -> tuple[object, ...] | None:
    try:
        with Session(mirror) as session:
            tip = tip_of(session)
            return tip and tip.hash, final_number(session), last_rewind(session)
    except SQLAlchemyError:
        # Whoever reads next says what is wrong.
        return None
