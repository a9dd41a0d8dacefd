"""
Hears at once that a node has a new block: its `newHeads` subscription over WebSocket.

An announcement is only a reason to look: nothing in it is believed or used. Where there is no
WebSocket, or while it is down, whoever listens polls as before.
"""

import logging
import threading
from collections.abc import Callable
from typing import Any, Final, Self
from urllib.parse import urlsplit, urlunsplit

import orjson
from websockets.exceptions import WebSocketException
from websockets.sync.client import connect
from websockets.sync.connection import Connection

from chain.rpc import host_of

LOG: Final = logging.getLogger(__name__)

OPEN_SECONDS: Final = 5
PAUSE_SECONDS_MIN: Final = 0.5
PAUSE_SECONDS_MAX: Final = 30
SUBSCRIBE: Final = orjson.dumps(
    {"jsonrpc": "2.0", "id": 1, "method": "eth_subscribe", "params": ["newHeads"]}
)
SCHEMES: Final = {"http": "ws", "https": "wss"}
# What a subscription that failed raises: the connection's errors, and answers of no use.
BROKEN: Final = (OSError, WebSocketException, TimeoutError, orjson.JSONDecodeError, EOFError)


class Announcements:
    """
    A thread that listens to one node, and connects again whenever that breaks off.

    shape: `heard` is called in that thread, for every new block and once at every connection,
           since blocks may have come before
    """

    def __init__(self, url: str, heard: Callable[[], None]) -> None:
        self.url = url
        self._heard = heard
        self._connected = threading.Event()
        self._stopping = threading.Event()
        self._socket: Connection | None = None
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._run, name="newheads", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        with self._lock:
            socket = self._socket
        if socket is not None:
            socket.close()
        self._thread.join()

    @property
    def is_connected(self) -> bool:
        """Say whether a new block would be heard of now."""
        return self._connected.is_set()

    def _run(self) -> None:
        pause = PAUSE_SECONDS_MIN
        while not self._stopping.is_set():
            try:
                self._listen()
            except BROKEN as error:
                LOG.info("announcements down node=%s reason=%s", host_of(self.url), error)
            if self._connected.is_set():
                pause = PAUSE_SECONDS_MIN
                self._connected.clear()
                # Whoever relied on being told must look, and poll from now on.
                self._heard()
            self._stopping.wait(pause)
            pause = min(PAUSE_SECONDS_MAX, 2 * pause)

    def _listen(self) -> None:
        with connect(self.url, open_timeout=OPEN_SECONDS, proxy=None) as socket:
            with self._lock:
                self._socket = socket
            if self._stopping.is_set():
                return
            socket.send(SUBSCRIBE)
            if not _is_accepted(orjson.loads(socket.recv(timeout=OPEN_SECONDS))):
                LOG.info("announcements refused node=%s", host_of(self.url))
                return
            self._connected.set()
            LOG.info("announcements heard node=%s", host_of(self.url))
            self._heard()
            for _ in socket:
                self._heard()


def announcements_url(rpc_url: str) -> str:
    """Return where a node announces its blocks, if it does so beside its HTTP endpoint."""
    parts = urlsplit(rpc_url)
    return urlunsplit(parts._replace(scheme=SCHEMES.get(parts.scheme, parts.scheme)))


def _is_accepted(answer: Any) -> bool:
    return isinstance(answer, dict) and isinstance(answer.get("result"), str)
