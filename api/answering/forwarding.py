"""
What a process that only answers questions hands on to the one that writes: acts, sign-ins, what
became of a transaction, and how the mirror itself is.

It judges nothing and repeats nothing: whoever is asked twice would act twice.
"""

from typing import Final

import httpx
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from api import problems
from api.limits import limited
from api.problems import RelayNotServed, RouteNotFound

# Questions that only the writer can answer: it keeps the outbox, and the mirror.
WRITERS: Final = ("/v1/transactions/", "/v1/health", "/v1/webhooks", "/metrics")
READING: Final = ("GET", "HEAD", "OPTIONS")
# RFC 9110 §7.6.1: of one connection, not of the message. The length is set anew.
OF_A_HOP: Final = frozenset(
    {"connection", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade", "content-length"}
)
SECONDS_MAX: Final = 60


class Forwarding:
    """Stands before an application, and hands on what is not its own."""

    def __init__(self, app: ASGIApp, *, writer: str) -> None:
        """
        Stand before an application.

        shape: `writer` is the URL of the process that writes, on this machine
        """
        self._app = app
        self._client = httpx.AsyncClient(base_url=writer, timeout=SECONDS_MAX, trust_env=False)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http" or not _is_writers(scope):
            await self._app(scope, receive, send)
            return
        request = Request(scope, limited(receive))
        try:
            response = await self._handed_on(request)
        except HTTPException as error:  # the body is too large
            response = problems.on_http(request, error)
        await response(scope, receive, send)

    async def _handed_on(self, request: Request) -> Response:
        try:
            answer = await self._client.request(
                request.method,
                httpx.URL(path=request.url.path, query=request.scope["query_string"]),
                content=await request.body(),
                headers=[one for one in request.headers.items() if one[0] not in OF_A_HOP],
            )
        except httpx.HTTPError:
            return problems.answer_to(RelayNotServed())
        except httpx.InvalidURL:  # NUL and the like, which no path here holds
            return problems.answer_to(RouteNotFound(path=request.url.path))
        response = Response(answer.content, status_code=answer.status_code)
        response.raw_headers = [
            (name.lower().encode("latin-1"), value.encode("latin-1"))
            for name, value in answer.headers.multi_items()
            if name.lower() not in OF_A_HOP and name.lower() != "content-encoding"
        ]
        response.headers["content-length"] = str(len(answer.content))
        return response


def _is_writers(scope: Scope) -> bool:
    return scope["method"] not in READING or scope["path"].startswith(WRITERS)
