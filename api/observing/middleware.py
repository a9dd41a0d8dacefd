"""
What every request goes through: an id that its log lines and its answer carry, and a stopwatch.

It judges nothing and changes no answer but by the header. Written against ASGI alone, since each
layer of a framework costs more than all that is done here.
"""

import logging
import re
from secrets import token_hex
from time import perf_counter
from typing import Any, Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.deps import Services
from api.observing.logs import REQUEST_ID

LOG: Final = logging.getLogger(__name__)

HEADER: Final = b"x-request-id"
# What somebody else's id may look like; anything else would let them write into our log.
GIVEN: Final = re.compile(rb"[A-Za-z0-9._-]{1,64}")
ID_BYTES: Final = 8
# What matched no route shares one name, or anybody could make us count without end.
UNMATCHED: Final = "unmatched"
PREFIX: Final = "/v1"
# Set in the scope of an answer that has no end, which says nothing about how quick we are.
ENDLESS: Final = "shulian.endless"
METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class Observed:
    """Gives each request an id, counts it and times it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = _given(scope) or token_hex(ID_BYTES)
        token = REQUEST_ID.set(request_id)
        status = 500
        header = (HEADER, request_id.encode("ascii"))

        async def told(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message.get("headers", ()), header]
            await send(message)

        started = perf_counter()
        try:
            await self._app(scope, receive, told)
        finally:
            self._note(scope, status, perf_counter() - started)
            REQUEST_ID.reset(token)

    def _note(self, scope: Scope, status: int, seconds: float) -> None:
        services: Services = scope["app"].state.services
        metrics = services.metrics
        if ENDLESS in scope:
            return
        method, route = scope["method"], route_of(scope)
        metrics.request(method if method in METHODS else "OTHER", route, status, seconds)
        if LOG.isEnabledFor(logging.DEBUG):
            LOG.debug(
                "request answered method=%s route=%s status=%s milliseconds=%s",
                method,
                route,
                status,
                round(seconds * 1_000, 1),
            )


def route_of(scope: Scope) -> str:
    """Return the template of the route that a request matched, with its prefix."""
    found: dict[str, Any] = scope.get("fastapi") or {}
    context = found.get("effective_route_context") or scope.get("route")
    path: str = getattr(context, "path", "")
    if not path:
        return UNMATCHED
    # The short way in knows a route by its own path, without what it is mounted under.
    is_short = scope["path"].startswith(PREFIX) and not path.startswith(PREFIX)
    return PREFIX + path if is_short else path


def _given(scope: Scope) -> str | None:
    for name, value in scope["headers"]:
        if name == HEADER and GIVEN.fullmatch(value):
            told: bytes = value
            return told.decode("ascii")
    return None
