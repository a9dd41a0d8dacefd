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
        seen = 0

        async def limited() -> Message:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > self._bytes_max:
                raise HTTPException(413, f"a body has at most {self._bytes_max} bytes")
            return message

        await self._app(scope, limited if scope["type"] == "http" else receive, send)
