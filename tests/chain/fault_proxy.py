"""
A node that lies: forwards JSON-RPC to a real one and spoils what a test tells it to.

`FAULTS` names the twelve ways in which nodes fail (reliability §2, §4.2); `plague` makes a share of
all answers fail in one of them, the same ones for the same seed.
"""

import json
import random
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

import httpx

Answer = dict[str, Any]
Spoil = Callable[[str, list[Any], Answer], Answer]

# Shorter than any reader's patience, longer than a real node takes.
DELAY_SECONDS: Final = 0.2
LAG_BLOCKS: Final = 3


class Dropped(Exception):
    """The connection is to be closed without an answer."""


class FaultProxy:
    """
    An HTTP endpoint before a node.

    shape: `spoil` sees method, parameters and answer of every request and returns the answer to
           give; `spoil_body` gets the whole response's bytes and returns status and bytes; both may
           raise Dropped; `between` runs after a head was asked for and before the next request
    """

    def __init__(self, url: str) -> None:
        self.upstream = httpx.Client(base_url=url, trust_env=False, timeout=60)
        self.between: Callable[[], None] = self.mine
        self.seen: list[str] = []
        self.spoilt: dict[str, int] = {}
        self.ending = threading.Event()
        self.heal()
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.server.daemon_threads = True
        self.server.handle_error = lambda *_: None  # type: ignore[method-assign]
        self.thread = threading.Thread(
            target=lambda: self.server.serve_forever(poll_interval=0.02), daemon=True
        )
        self.thread.start()
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def close(self) -> None:
        """Stop serving."""
        self.ending.set()
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()
        self.upstream.close()

    def heal(self) -> None:
        """Lie no more."""
        self.spoil: Spoil = lambda _method, _parameters, answer: answer
        self.spoil_body: Callable[[bytes], tuple[int, bytes]] = lambda body: (200, body)
        self.before: Callable[[list[str]], None] = lambda _methods: None

    def plague(self, fault: str, *, share: float, seed: int) -> None:
        """Let this share of all answers fail in one of the ways of `FAULTS`, drawn by the seed."""
        self.heal()
        FAULTS[fault](self, _Lot(self, fault, share, seed))

    def mine(self) -> None:
        """Add an empty block to the chain behind."""
        self.upstream.post("/", json={"jsonrpc": "2.0", "id": 1, "method": "evm_mine"})

    def answer(self, body: bytes) -> tuple[int, bytes]:
        """Return status and body for a request's body."""
        asked = json.loads(body)
        requests = asked if isinstance(asked, list) else [asked]
        self.before([request["method"] for request in requests])
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
            # Head and body go in two writes, of which the second must not wait for an answer.
            disable_nagle_algorithm = True

            def do_POST(self) -> None:
                asked = self.rfile.read(int(self.headers["content-length"]))
                try:
                    status, body = proxy.answer(asked)
                except (Dropped, httpx.HTTPError):
                    # The node behind is gone, or the test wants it to look so.
                    self.close_connection = True
                    return
                self.send_response(status)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                """Say nothing."""

        return Handler


class _Lot:
    """Draws whether this answer fails, and counts those that do."""

    def __init__(self, proxy: FaultProxy, fault: str, share: float, seed: int) -> None:
        self._random = random.Random(f"{fault}/{seed}")
        self._lock = threading.Lock()
        self._share = share
        self._fault = fault
        self._spoilt = proxy.spoilt

    def falls(self) -> bool:
        with self._lock:
            fallen = self._random.random() < self._share
            self._spoilt[self._fault] = self._spoilt.get(self._fault, 0) + fallen
            return fallen

    def below(self, number: int) -> int:
        with self._lock:
            return self._random.randrange(number)


# --- the twelve faults ----------------------------------------------------------------------------


def _drop(proxy: FaultProxy, lot: _Lot) -> None:
    def body(answer: bytes) -> tuple[int, bytes]:
        if lot.falls():
            raise Dropped
        return 200, answer

    proxy.spoil_body = body


def _status_500(proxy: FaultProxy, lot: _Lot) -> None:
    proxy.spoil_body = lambda body: (500, b"oops") if lot.falls() else (200, body)


def _truncated(proxy: FaultProxy, lot: _Lot) -> None:
    proxy.spoil_body = lambda body: (200, body[: lot.below(len(body))] if lot.falls() else body)


def _delay(proxy: FaultProxy, lot: _Lot) -> None:
    def body(answer: bytes) -> tuple[int, bytes]:
        if lot.falls():
            proxy.ending.wait(DELAY_SECONDS)
        return 200, answer

    proxy.spoil_body = body


def _hang(proxy: FaultProxy, lot: _Lot) -> None:
    def body(answer: bytes) -> tuple[int, bytes]:
        if lot.falls():
            proxy.ending.wait()
            raise Dropped
        return 200, answer

    proxy.spoil_body = body


def _lagging_head(proxy: FaultProxy, lot: _Lot) -> None:
    def spoil(method: str, _: list[Any], answer: Answer) -> Answer:
        if method != "eth_blockNumber" or not lot.falls():
            return answer
        head = int(answer["result"], 16)
        return {**answer, "result": hex(max(0, head - 1 - lot.below(LAG_BLOCKS)))}

    proxy.spoil = spoil


def _on_logs(proxy: FaultProxy, lot: _Lot, change: Callable[[list[Any]], list[Any]]) -> None:
    def spoil(method: str, _: list[Any], answer: Answer) -> Answer:
        found = answer.get("result")
        if method == "eth_getLogs" and found and lot.falls():
            return {**answer, "result": change(found)}
        if method == "eth_getBlockReceipts" and found and lot.falls():
            return {**answer, "result": [{**one, "logs": change(one["logs"])} for one in found]}
        return answer

    proxy.spoil = spoil


def _no_logs(proxy: FaultProxy, lot: _Lot) -> None:
    _on_logs(proxy, lot, lambda _: [])


def _some_logs(proxy: FaultProxy, lot: _Lot) -> None:
    def without_one(logs: list[Any]) -> list[Any]:
        gone = lot.below(len(logs)) if logs else 0
        return logs[:gone] + logs[gone + 1 :]

    _on_logs(proxy, lot, without_one)


def _wrong_hash(proxy: FaultProxy, lot: _Lot) -> None:
    def spoil(method: str, _: list[Any], answer: Answer) -> Answer:
        found = answer.get("result")
        wrong = f"0x{lot.below(2**64):064x}"
        if method == "eth_getBlockByNumber" and found and lot.falls():
            return {**answer, "result": {**found, "hash": wrong}}
        if method == "eth_getLogs" and found and lot.falls():
            return {**answer, "result": [{**one, "blockHash": wrong} for one in found]}
        return answer

    proxy.spoil = spoil


def _swapped_id(proxy: FaultProxy, lot: _Lot) -> None:
    proxy.spoil = lambda _method, _parameters, answer: (
        {**answer, "id": answer["id"] + 1} if lot.falls() else answer
    )


def _null_result(proxy: FaultProxy, lot: _Lot) -> None:
    proxy.spoil = lambda _method, _parameters, answer: (
        {**answer, "result": None} if lot.falls() else answer
    )


def _moving_head(proxy: FaultProxy, lot: _Lot) -> None:
    moved = {"due": False}

    def before(methods: list[str]) -> None:
        if moved["due"]:
            moved["due"] = False
            proxy.between()
        moved["due"] = "eth_blockNumber" in methods and lot.falls()

    proxy.before = before


FAULTS: Final[Mapping[str, Callable[[FaultProxy, _Lot], None]]] = {
    "drop": _drop,
    "http 500": _status_500,
    "truncated json": _truncated,
    "delay": _delay,
    "lagging head": _lagging_head,
    "empty logs": _no_logs,
    "partial logs": _some_logs,
    "wrong block hash": _wrong_hash,
    "swapped id": _swapped_id,
    "null result": _null_result,
    "hang forever": _hang,
    "head moves": _moving_head,
}


@contextmanager
def fault_proxy(url: str) -> Iterator[FaultProxy]:
    """Serve a lying node while the block runs."""
    proxy = FaultProxy(url)
    try:
        yield proxy
    finally:
        proxy.close()
