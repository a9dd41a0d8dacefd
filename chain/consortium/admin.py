"""
Speaks to a node of this machine through its socket: peers, votes, and what else nobody outside may.

The public door is HTTP, with other rights (`chain.rpc`). A connection lasts as long as one request.
"""

import json
import os
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from chain.consortium.scripts import SOCKET
from chain.rpc import NodeRefused, NodeUnavailable

TIMEOUT_SECONDS: Final = 10
# sockaddr_un holds no longer path, on any of the systems that we know.
PATH_MAX: Final = 100
PIECE_BYTES: Final = 1 << 16


class Admin:
    """The socket of one node, below its folder."""

    def __init__(self, folder: Path, *, timeout_seconds: float = TIMEOUT_SECONDS) -> None:
        self._folder = folder
        self._timeout_seconds = timeout_seconds

    def call(self, method: str, *parameters: Any) -> Any:
        """
        Return the result of one request.

        :raises NodeUnavailable: if the node does not answer
        :raises NodeRefused: if it answers with an error
        """
        asked = {"jsonrpc": "2.0", "id": 1, "method": method, "params": parameters}
        try:
            with _reachable(self._folder) as path, socket.socket(socket.AF_UNIX) as connection:
                connection.settimeout(self._timeout_seconds)
                connection.connect(path)
                connection.sendall(json.dumps(asked).encode("utf-8"))
                answer = json.loads(_line(connection))
        except (OSError, ValueError) as error:
            raise NodeUnavailable(reason=f"{self._folder.name}: {error}") from error
        if "error" in answer:
            raise _refused(method, answer["error"])
        return answer.get("result")


def _refused(method: str, error: Any) -> NodeRefused:
    return NodeRefused(method=method, code=int(error.get("code", 0)), message=str(error["message"]))


def _line(connection: socket.socket) -> bytes:
    pieces: list[bytes] = []
    while not pieces or not pieces[-1].endswith(b"\n"):
        piece = connection.recv(PIECE_BYTES)
        if not piece:
            break
        pieces.append(piece)
    return b"".join(pieces)


@contextmanager
def _reachable(folder: Path) -> Iterator[str]:
    path = str(folder / SOCKET)
    if len(os.fsencode(path)) <= PATH_MAX:
        yield path
        return
    with tempfile.TemporaryDirectory(prefix="shulian-") as short:
        link = Path(short) / "node"
        link.symlink_to(folder.absolute())
        yield str(link / SOCKET)
