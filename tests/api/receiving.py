"""
An address that webhooks are sent to: keeps what comes, checks signatures as a receiver would, and
answers what a test says.
"""

import base64
import hashlib
import hmac
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

WAIT_SECONDS = 20


@dataclass(frozen=True)
class Got:
    """A message as it came."""

    headers: dict[str, str]
    body: bytes

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def place(self) -> tuple[int, int]:
        """Return where the event stands in the order of the chain."""
        return self.json["data"]["block_number"], self.json["data"]["log_index"]


def is_signed(got: Got, secret: str) -> bool:
    """Check a message as docs/stream.md tells receivers to."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = b".".join((got.id.encode(), got.headers["webhook-timestamp"].encode(), got.body))
    expected = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    given = [one.partition(",")[2] for one in got.headers["webhook-signature"].split()]
    return any(hmac.compare_digest(expected, one) for one in given)


class Receiver:
    """The address; `answer` is asked for the status of every message."""

    def __init__(self) -> None:
        self.got: list[Got] = []
        self.answer: Callable[[Got], int] = lambda _: 204
        self.headers: dict[str, str] = {}
        self.said = b""
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}/events"

    def close(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def until(self, count: int, *, distinct: bool = False) -> list[Got]:
        """Wait until so many messages came: of different ids, if only those count."""
        end = time.monotonic() + WAIT_SECONDS
        while len({one.id for one in self.got} if distinct else self.got) < count:
            assert time.monotonic() < end, f"{len(self.got)} of {count} came"
            time.sleep(0.005)
        return self.got

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                got = Got({name.lower(): value for name, value in self.headers.items()}, body)
                receiver.got.append(got)
                self.send_response(receiver.answer(got))
                for name, value in receiver.headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(receiver.said)

            def log_message(self, *_: Any) -> None:
                """Say nothing."""

        return Handler


@contextmanager
def open_receiver() -> Iterator[Receiver]:
    """Listen while the block runs."""
    receiver = Receiver()
    try:
        yield receiver
    finally:
        receiver.close()
