"""
A real server before a mirror that follows a real chain, and a client that reads server-sent events.
"""

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import httpx
from sqlmodel import Session

from api.answering.server import Server
from api.app import create_app
from api.compose import open_services
from api.config import read_settings
from api.deps import Services
from chain.fetch import Source
from chain.indexer import sync_once
from chain.store import stored_entries
from tests.anvil import CHAIN_ID, Anvil
from tests.chain.emitter import calldata, deploy
from tests.chain.following import source_of
from tests.chain.things import registered_log, used_log
from tests.postgres import mirror_of

WAIT_SECONDS = 30
DEPTH = 4


@dataclass(frozen=True)
class Message:
    """One server-sent event."""

    id: str
    event: str
    data: Any


class Client:
    """Reads a stream as a browser does, and keeps what it was told and has not been taken back."""

    def __init__(self, response: httpx.Response) -> None:
        self.response = response
        self.messages: list[Message] = []
        self._lines = response.iter_lines()

    def next(self) -> Message | None:
        """Return the next message, None at the end of the stream."""
        parts: dict[str, str] = {}
        for line in self._lines:
            if not line:
                if "event" in parts:
                    break
                parts = {}
            name, _, value = line.partition(":")
            parts[name] = value.removeprefix(" ")
        if "event" not in parts:
            return None
        found = Message(parts.get("id", ""), parts["event"], json.loads(parts["data"]))
        self.messages.append(found)
        return found

    def until(self, condition: Callable[[Message], bool]) -> list[Message]:
        """Return what comes up to the message that meets a condition."""
        taken: list[Message] = []
        end = time.monotonic() + WAIT_SECONDS
        while time.monotonic() < end:
            found = self.next()
            assert found is not None, f"the stream ended after {self.messages}"
            taken.append(found)
            if condition(found):
                return taken
        raise TimeoutError(str(taken))

    def until_current(self) -> list[Message]:
        """Return what comes before the stream says that there is no more now."""
        return self.until(lambda one: one.event == "block")[:-1]


def folded(messages: list[Message]) -> list[tuple[str, int]]:
    """Return the places of the events that stand after all that was told."""
    kept: list[tuple[int, str, int]] = []
    for one in messages:
        if one.event == "rewind":
            kept = [place for place in kept if place[0] <= one.data["to_block"]]
        elif one.event != "block":
            data = one.data
            kept.append((data["block_number"], data["block_hash"], data["log_index"]))
    return [(block_hash, log_index) for _, block_hash, log_index in kept]


@dataclass
class Streamed:
    """The chain, the mirror and the server."""

    anvil: Anvil
    emitter: str
    services: Services
    url: str
    source: Source = field(init=False)

    def __post_init__(self) -> None:
        self.source = source_of(self.anvil, self.emitter, depth=DEPTH, patience_seconds=0)

    def emit(self, *versions: int) -> None:
        """Mine one block per version with two events, and let the mirror follow."""
        for version in versions:
            logs = [registered_log(version % 5, version), used_log(version % 3, version)]
            self.anvil.send(to=self.emitter, data=calldata(logs))
        self.follow()

    def follow(self) -> None:
        """Let the mirror follow."""
        sync_once(self.services.mirror, self.source, lambda _records, _event: ())
        self.services.streams.notify()

    def mirrored(self) -> list[tuple[str, int]]:
        """Return the places of the events in the mirror."""
        with Session(self.services.mirror) as session:
            metas = [entry.event.meta for entry in stored_entries(session)]
        return [(one.block_hash, one.log_index) for one in metas]

    @contextmanager
    def listen(self, *, last: str | None = None, **query: Any) -> Iterator[Client]:
        """Open a stream."""
        headers = {} if last is None else {"Last-Event-ID": last}
        with httpx.stream(
            "GET",
            f"{self.url}/v1/stream",
            params=query,
            headers=headers,
            timeout=WAIT_SECONDS,
            trust_env=False,
        ) as response:
            yield Client(response)


@contextmanager
def open_streamed(anvil: Anvil, home: Path, **settings: Any) -> Iterator[Streamed]:
    """Deploy a contract that emits, and serve what the mirror has of it."""
    read = read_settings({}, home=home, **{"mirror_url": mirror_of(home), **settings})
    with (
        open_services(read, chain_id=CHAIN_ID, rpc_url=anvil.url) as services,
        serving(services) as url,
    ):
        yield Streamed(anvil, deploy(anvil), services, url)


@contextmanager
def serving(services: Services) -> Iterator[str]:
    """Serve in a thread, and give the address."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        server = Server(create_app(replace(services, origin=url)), services.streams)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            yield url
        finally:
            server.should_exit = True
            thread.join(WAIT_SECONDS)
            assert not thread.is_alive(), "the server did not end"
