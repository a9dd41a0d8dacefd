"""
How large a request may be: what is larger is not read to its end.

It is not a rate limit: that belongs to the server in front.
"""

from typing import Final

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

BODY_BYTES_MAX: Final = 1 << 18


class BodyLimit:
    """Stops reading a body that grows beyond the limit, whatever length it claims."""

    def __init__(self, app: ASGIApp, *, bytes_max: int = BODY_BYTES_MAX) -> None:
        self._app = app
        self._bytes_max = bytes_max

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        is_http = scope["type"] == "http"
        await self._app(scope, limited(receive, self._bytes_max) if is_http else receive, send)


def limited(receive: Receive, bytes_max: int = BODY_BYTES_MAX) -> Receive:
    """
    Return what reads a request, and stops where its body grows beyond the limit.

    shape: it raises an HTTPException there, with status 413
    """
    seen = 0

    async def read() -> Message:
        nonlocal seen
        message = await receive()
        seen += len(message.get("body", b""))
        if seen > bytes_max:
            raise HTTPException(413, f"a body has at most {bytes_max} bytes")
        return message

    return read
