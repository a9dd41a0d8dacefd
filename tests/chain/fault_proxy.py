"""
A node that lies: forwards JSON-RPC to a real one and spoils what a test tells it to.
"""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx

Answer = dict[str, Any]
Spoil = Callable[[str, list[Any], Answer], Answer]


class FaultProxy:
    """
    An HTTP endpoint before a node.

    shape: `spoil` sees method, parameters and answer of every request and returns the answer to
           give; `spoil_body` gets the whole response's bytes and returns status and bytes
    """

    def __init__(self, url: str) -> None:
        self.upstream = httpx.Client(base_url=url, trust_env=False)
        self.spoil: Spoil = lambda _method, _parameters, answer: answer
        self.spoil_body: Callable[[bytes], tuple[int, bytes]] = lambda body: (200, body)
        self.seen: list[str] = []
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.server.daemon_threads = True
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def close(self) -> None:
        """Stop serving."""
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()
        self.upstream.close()

    def answer(self, body: bytes) -> tuple[int, bytes]:
        """Return status and body for a request's body."""
        asked = json.loads(body)
        requests = asked if isinstance(asked, list) else [asked]
        found = self.upstream.post("/", json=asked).json()
        answers = found if isinstance(found, list) else [found]
        by_id = {one["id"]: one for one in answers}
        told = []
        for request in requests:
            self.seen.append(request["method"])
            told.append(self.spoil(request["method"], request["params"], by_id[request["id"]]))
        return self.spoil_body(json.dumps(told if isinstance(asked, list) else told[0]).encode())

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                status, body = proxy.answer(self.rfile.read(int(self.headers["content-length"])))
                self.send_response(status)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                """Say nothing."""

        return Handler


@contextmanager
def fault_proxy(url: str) -> Iterator[FaultProxy]:
    """Serve a lying node while the block runs."""
    proxy = FaultProxy(url)
    try:
        yield proxy
    finally:
        proxy.close()
