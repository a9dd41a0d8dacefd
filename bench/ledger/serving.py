"""
A small JSON-RPC server over a recorded chain, so that a measurement has a node that is never slow.

It answers what an indexer asks and nothing else: it has no state, runs no contract and mines
nothing. Every answer's bytes are those that anvil gave.
"""

import asyncio
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import httptools
import orjson

from bench.ledger.recording import Recording, open_recording

HEAD: Final = (
    b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: keep-alive\r\n"
    b"content-length: "
)
# Finality goes by the client: what was recorded is what an anvil said.
CLIENT: Final = b'"anvil/recorded"'
TAGS: Final = ("latest", "safe", "finalized", "pending")


class MethodMissing(LookupError):
    """The recorded chain does not answer this method."""


class Answers:
    """What the recorded chain says, as bytes of JSON."""

    def __init__(self, recording: Recording) -> None:
        self._chain = recording
        self._addresses = frozenset(recording.about["addresses"])
        self._last = len(recording.hashes) - 1
        self._read: dict[int, list[tuple[str, list[str], bytes]]] = {}

    def answer(self, body: bytes) -> bytes:
        """Return the answer to a request, or to a batch of them."""
        asked = orjson.loads(body)
        if isinstance(asked, list):
            return b"[" + b",".join([self._one(one) for one in asked]) + b"]"
        return self._one(asked)

    def _one(self, asked: Mapping[str, Any]) -> bytes:
        start = b'{"jsonrpc":"2.0","id":' + orjson.dumps(asked.get("id"))
        try:
            result = self._result(asked["method"], asked.get("params") or [])
        except MethodMissing as error:
            told = orjson.dumps({"code": -32601, "message": f"no method {error}"})
            return start + b',"error":' + told + b"}"
        return start + b',"result":' + result + b"}"

    def _result(self, method: str, parameters: list[Any]) -> bytes:
        if method == "eth_getLogs":
            return self._logs(parameters[0])
        if method == "eth_getBlockByNumber":
            return self._block(self._number(parameters[0]), parameters[1])
        if method == "eth_getBlockByHash":
            return self._block(self._chain.numbers.get(parameters[0], -1), parameters[1])
        if method == "eth_getBlockReceipts":
            number = self._number(parameters[0])
            return self._chain.part("receipts", number) if self._has(number) else b"null"
        if method == "eth_blockNumber":
            return orjson.dumps(hex(self._last))
        if method in ("eth_chainId", "net_version"):
            return orjson.dumps(hex(self._chain.about["chain_id"]))
        if method == "web3_clientVersion":
            return CLIENT
        raise MethodMissing(method)

    def _has(self, number: int) -> bool:
        return 0 <= number <= self._last

    def _number(self, tag: Any) -> int:
        if isinstance(tag, Mapping):
            tag = tag.get("blockHash") or tag.get("blockNumber")
        if tag in TAGS:
            return self._last
        if tag == "earliest":
            return 0
        return self._chain.numbers.get(tag, -1) if len(tag) == 66 else int(tag, 16)

    def _block(self, number: int, is_whole: bool) -> bytes:
        if not self._has(number):
            return b"null"
        return self._chain.part("whole" if is_whole else "header", number)

    def _logs(self, sought: Mapping[str, Any]) -> bytes:
        if "blockHash" in sought:
            first = last = self._chain.numbers[sought["blockHash"]]
        else:
            first = self._number(sought.get("fromBlock", "latest"))
            last = min(self._last, self._number(sought.get("toBlock", "latest")))
        addresses = sought.get("address") or []
        wanted = {addresses} if isinstance(addresses, str) else {*addresses}
        wanted = {one.lower() for one in wanted}
        topics = sought.get("topics") or []
        if not any(topics) and (not wanted or wanted >= self._addresses):
            parts = [self._chain.part("logs", number)[1:-1] for number in range(first, last + 1)]
            return b"[" + b",".join([one for one in parts if one]) + b"]"
        chosen = [
            data
            for number in range(first, last + 1)
            for address, logged, data in self._parsed(number)
            if (not wanted or address in wanted) and _matches(logged, topics)
        ]
        return b"[" + b",".join(chosen) + b"]"

    def _parsed(self, number: int) -> list[tuple[str, list[str], bytes]]:
        # A filter by topic is asked for many times over the same blocks.
        if number not in self._read:
            logs = orjson.loads(self._chain.part("logs", number))
            self._read[number] = [
                (one["address"], one["topics"], orjson.dumps(one)) for one in logs
            ]
        return self._read[number]


class Connection(asyncio.Protocol):
    """One client's connection: request after request."""

    def __init__(self, answers: Answers) -> None:
        self._answers = answers
        self._parser = httptools.HttpRequestParser(self)
        self._body: list[bytes] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way back."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Read on."""
        self._parser.feed_data(data)

    def on_body(self, body: bytes) -> None:
        """Keep a part of the request."""
        self._body.append(body)

    def on_message_complete(self) -> None:
        """Answer."""
        body = self._answers.answer(b"".join(self._body))
        self._body.clear()
        self._transport.write(HEAD + str(len(body)).encode() + b"\r\n\r\n")
        self._transport.write(body)


def _matches(topics: list[str], sought: list[Any]) -> bool:
    if len(topics) < len(sought):
        return False
    return all(
        one is None or found in ([one] if isinstance(one, str) else one)
        for found, one in zip(topics, sought, strict=False)
    )


async def _serve(recording: Recording) -> None:
    answers = Answers(recording)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(answers), "127.0.0.1", 0)
    # Whoever started it holds the other end: when that is gone, nobody needs the node.
    ended = asyncio.Event()
    loop.add_reader(sys.stdin.fileno(), ended.set)
    port = server.sockets[0].getsockname()[1]
    sys.stdout.write(f"http://127.0.0.1:{port}\n")
    sys.stdout.flush()
    async with server:
        await ended.wait()


if __name__ == "__main__":
    asyncio.run(_serve(open_recording(Path(sys.argv[1]))))
