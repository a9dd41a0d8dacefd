"""
Tests of handing on what another process answers: how much is read, and what no path can be.
"""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from api.answering.forwarding import Forwarding
from api.limits import BODY_BYTES_MAX
from tests.api.mirrored import NO_NODE, Mirrored

PIECE = 1 << 16


class Asked:
    """One request, piece by piece, and its answer."""

    def __init__(self, method: str, path: str, pieces: int = 0) -> None:
        self.scope = {
            "type": "http",
            "method": method,
            "path": path,
            "raw_path": path.encode(),
            "query_string": b"",
            "headers": [(b"host", b"127.0.0.1")],
            "server": ("127.0.0.1", 80),
            "scheme": "http",
            "root_path": "",
        }
        self.left = pieces
        self.read = 0
        self.status = 0

    async def receive(self) -> Any:
        """Give the next piece of the body."""
        self.left -= 1
        self.read += PIECE
        return {"type": "http.request", "body": b"x" * PIECE, "more_body": self.left > 0}

    async def send(self, message: Any) -> None:
        """Take a piece of the answer."""
        self.status = message.get("status", self.status)


def status_of(mirrored: Mirrored, asked: Asked) -> int:
    """Return the status of the answer by a process that hands on to nobody."""
    app = Forwarding(mirrored.client.app, writer=NO_NODE)
    # In a thread of its own: what steers a browser leaves a loop running in this one.
    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, app(asked.scope, asked.receive, asked.send)).result()
    return asked.status


class TestForwarding:
    def test_reads_no_more_than_a_body_may_have(self, mirrored: Mirrored) -> None:
        asked = Asked("POST", "/v1/registrations", pieces=1_000)

        assert status_of(mirrored, asked) == 413
        assert asked.read <= BODY_BYTES_MAX + PIECE

    @pytest.mark.parametrize("path", ["/v1/transactions/\0", "/v1/webhooks/\x7f"])
    def test_finds_nothing_where_no_path_can_lead(self, mirrored: Mirrored, path: str) -> None:
        assert status_of(mirrored, Asked("GET", path)) in (404, 503)
