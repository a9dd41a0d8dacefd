"""
Tells one client what happens on the chain, as server-sent events (WHATWG HTML, 9.2).

    id: <position>          event: <event's name>   data: the event as /v1/events tells it
    id: <position>          event: rewind           data: blocks above to_block are no more
    id: <position>          event: block            data: as of when nothing more was there
                            event: problem          data: why the stream ends

Not what comes next (`api.streaming.feed`). Nothing waits in memory for a slow client: its next page
is read when the one before was sent.
"""

import asyncio
import logging
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

import orjson
from anyio import CancelScope, create_task_group, to_thread
from sqlalchemy.exc import SQLAlchemyError
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from api.access import Privileged
from api.auth import Viewer, resume
from api.deps import Reading, Services
from api.events import tell_event
from api.models import Json
from api.observing.middleware import ENDLESS
from api.problems import InternalFailure, problem_of
from api.streaming.audience import Audience
from api.streaming.feed import OLDEST, Told, place, read_feed, require_known, snapshot
from api.streaming.positions import Position
from api.streaming.streams import Streams
from api.streaming.wanted import Wanted
from chain.failure import LedgerError

LOG: Final = logging.getLogger(__name__)

MEDIA_TYPE: Final = "text/event-stream"
HEARTBEAT_SECONDS: Final = 15.0
SEND_SECONDS_MAX: Final = 30.0
# So many different pages are remembered between two changes of the mirror.
PAGES_MAX: Final = 64
RETRY: Final = b"retry: 3000\n\n"
CLOSING: Final = b": closing\n\n"
HEADERS: Final = {"cache-control": "no-store, no-transform", "x-accel-buffering": "no"}


@dataclass(slots=True)
class Listener:
    """Where one client stands, what it wants, and who it is; `token` is None for the public."""

    services: Services
    wanted: Wanted
    position: Position
    token: str | None

    def read(self) -> tuple[Told, bytes]:
        """
        Return what comes next, and the bytes that tell it; the client then stands behind it.

        :raises LedgerError: if it may no longer listen, or stands on another chain
        """
        with snapshot(self.services) as reading:
            audience = Audience.at(reading.session, self.viewer(reading), reading.now)
            told = read_feed(reading, self.position, self.wanted, audience)
            sent = b"".join(_messages(told))
        self.position = told.after
        return told, sent

    def read_shared(self) -> tuple[Told, bytes]:
        """
        Return what `read` does, from memory if another of the public stood there just now.

        shape: what is remembered ends with the next change of the mirror, which wakes everybody
        """
        if self.token is not None:
            return self.read()
        pages, place = self.services.streams.pages, (self.position, self.wanted)
        found = pages.get(place)
        if found is None:
            found = self.read()
            if len(pages) < PAGES_MAX:
                pages[place] = found
        self.position = found[0].after
        return found

    def viewer(self, reading: Reading) -> Viewer | None:
        """
        Return who listens.

        :raises SessionEnded: AccountNotServed: if they no longer may
        """
        return None if self.token is None else resume(self.services, reading, self.token)


class EventStream(Response):
    """
    An endless answer.

    shape: `first` is what `Listener.read` gave before the answer began; the place of `owner` is
           given back in the end
    """

    media_type = MEDIA_TYPE

    def __init__(self, listener: Listener, first: tuple[Told, bytes], owner: str) -> None:
        super().__init__(headers=HEADERS)
        del self.headers["content-length"]
        self._listener = listener
        self._first = first
        self._owner = owner
        self._heartbeat = HEARTBEAT_SECONDS

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send until the client leaves or the server closes."""
        scope[ENDLESS] = True
        try:
            async with create_task_group() as group:
                group.start_soon(_watch, receive, group.cancel_scope)
                with suppress(TimeoutError, OSError):
                    await self._send(send)
                group.cancel_scope.cancel()
        finally:
            self._listener.services.streams.leave(self._owner)

    async def _send(self, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        await _write(send, RETRY)
        services = self._listener.services
        with services.streams.listening(services.mirror):
            last = await self._pump(send)
        await _write(send, last, is_last=True)

    async def _pump(self, send: Send) -> bytes:
        streams, clock = self._listener.services.streams, asyncio.get_running_loop().time
        told, sent = self._first
        # What changed since the first was read is found at once, before anybody waits.
        changed = asyncio.Event()
        changed.set()
        due = 0.0
        while True:
            if told.is_current and clock() >= due:
                sent += _block(told)
                due = clock() + self._heartbeat
            if sent:
                await _write(send, sent)
            if told.is_current:
                with suppress(TimeoutError):
                    await asyncio.wait_for(changed.wait(), max(0.0, due - clock()))
            if streams.is_closing:
                return CLOSING
            changed = streams.ticket()
            try:
                told, sent = await self._next(streams)
            except LedgerError as error:
                return _message("problem", problem_of(error))
            except SQLAlchemyError:
                LOG.exception("stream ended position=%s", self._listener.position)
                return _message("problem", problem_of(InternalFailure()))

    async def _next(self, streams: Streams) -> tuple[Told, bytes]:
        read = self._listener.read_shared
        return await to_thread.run_sync(read, limiter=streams.readers)


async def _watch(receive: Receive, scope: CancelScope) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    scope.cancel()


async def _write(send: Send, body: bytes, *, is_last: bool = False) -> None:
    message = {"type": "http.response.body", "body": body, "more_body": not is_last}
    await asyncio.wait_for(send(message), SEND_SECONDS_MAX)


def _messages(told: Told) -> Iterator[bytes]:
    if told.rewound_to is not None:
        lost = {"to_block": told.rewound_to.block_number, "as_of": as_of(told)}
        yield _message("rewind", lost, told.rewound_to)
    for position, entry in told.entries:
        event = tell_event(entry, final_number=told.final_number)
        yield _message(event["name"], event, position)


def _block(told: Told) -> bytes:
    body = {"as_of": as_of(told), "final_block": told.final_number}
    return _message("block", body, told.after)


def as_of(told: Told) -> Json:
    """Return the block that something was told as of, as every answer names it."""
    return {
        "block_number": told.tip.number,
        "block_hash": told.tip.hash,
        "is_final": told.tip.number <= told.final_number,
    }


def _message(event: str, body: Json, position: Position | None = None) -> bytes:
    # One line of JSON holds no line break, which is all that the format asks.
    told = b"id: %s\n" % str(position).encode() if position is not None else b""
    return b"%sevent: %s\ndata: %s\n\n" % (told, event.encode(), orjson.dumps(body))


def open_stream(
    services: Services, request: Request, token: str | None, wanted: Wanted, after: str | None
) -> EventStream:
    """
    Return the answer that tells a client what it wants from a position on.

    :raises PositionInvalid: PositionForeign: BlockNotMirrored: if there is no such place to go on
        from
    :raises ContractUnknown: if it wants what cannot happen
    :raises StreamsFull: TooManyStreams: if there is no room
    :raises SessionEnded: AccountNotServed: if the token is nobody's
    """
    with snapshot(services) as reading:
        require_known(reading.session, wanted)
        position = place(reading, after or OLDEST, is_final=wanted.is_final)
        viewer = None if token is None else resume(services, reading, token)
        if viewer is not None:
            Privileged(viewer, reading, request, services).allow()
    listener = Listener(services, wanted, position, token)
    first = listener.read()
    owner = "" if viewer is None else viewer.participant_id
    services.streams.take(owner)
    return EventStream(listener, first, owner)
