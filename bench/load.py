"""
A load generator as a process of its own: connections that ask, wait for the answer, and ask again.

`python -m bench.load HOST:PORT CONNECTIONS SECONDS < PATHS`; prints requests per second and delays.
"""

import asyncio
import json
import sys
from collections.abc import Iterator, Sequence
from itertools import cycle
from time import perf_counter

import httptools

from bench.timing import percentile


class Client(asyncio.Protocol):
    """One connection, one request at a time."""

    def __init__(self, paths: Iterator[bytes], ends_at: float) -> None:
        self._paths = paths
        self._ends_at = ends_at
        self._parser = httptools.HttpResponseParser(self)
        self.delays: list[float] = []
        self.failures = 0
        self.done = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask the first time."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._ask()

    def data_received(self, data: bytes) -> None:
        """Read on."""
        self._parser.feed_data(data)

    def connection_lost(self, exc: Exception | None) -> None:
        """Say so if it was not us who ended it."""
        if not self.done.done():
            self.done.set_exception(exc or ConnectionError("the server hung up"))

    def on_message_complete(self) -> None:
        """Note the delay, and ask again while there is time."""
        now = perf_counter()
        self.delays.append(now - self._asked_at)
        self.failures += self._parser.get_status_code() != 200
        if now < self._ends_at:
            self._ask()
        else:
            self.done.set_result(None)
            self._transport.close()

    def _ask(self) -> None:
        self._asked_at = perf_counter()
        self._transport.write(
            b"GET " + next(self._paths) + b" HTTP/1.1\r\nhost: bench\r\naccept: */*\r\n\r\n"
        )


async def _run(
    place: str, connections: int, seconds: float, paths: Sequence[str]
) -> dict[str, float]:
    host, port = place.rsplit(":", 1)
    loop = asyncio.get_running_loop()
    asked = cycle([one.encode() for one in paths])
    began = perf_counter()
    clients = []
    for _ in range(connections):
        _, client = await loop.create_connection(
            lambda: Client(asked, began + seconds), host, int(port)
        )
        clients.append(client)
    await asyncio.gather(*(one.done for one in clients))
    took = perf_counter() - began
    delays = [delay for one in clients for delay in one.delays]
    return {
        "requests_per_second": len(delays) / took,
        "p50_ms": 1_000 * percentile(delays, 50),
        "p95_ms": 1_000 * percentile(delays, 95),
        "p99_ms": 1_000 * percentile(delays, 99),
        "failures": sum(one.failures for one in clients),
    }


if __name__ == "__main__":
    told = asyncio.run(
        _run(sys.argv[1], int(sys.argv[2]), float(sys.argv[3]), sys.stdin.read().split())
    )
    sys.stdout.write(json.dumps(told) + "\n")
