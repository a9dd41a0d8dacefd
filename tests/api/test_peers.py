"""Another exchange's API is asked, and believed only as far as its answer can be held."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest

from api.upkeep.peers import BODY_BYTES_MAX, Peer, PeerUnavailable

PIECE = b" " * 65_536


@contextmanager
def endless() -> Iterator[tuple[str, list[int]]]:
    """A server whose answer never ends, and how much of it was taken."""
    taken = [0]

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            with suppress(OSError):
                while taken[0] < 64 * BODY_BYTES_MAX:
                    self.wfile.write(PIECE)
                    taken[0] += len(PIECE)

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", taken
        finally:
            server.shutdown()
            thread.join()


class TestPeer:
    def test_is_left_when_its_answer_does_not_end(self) -> None:
        with endless() as (url, taken):
            peer = Peer(url)
            try:
                with pytest.raises(PeerUnavailable, match="too long"):
                    peer.block(1)
            finally:
                peer.close()

        # What stands in buffers on the way comes on top.
        assert taken[0] < 16 * BODY_BYTES_MAX
