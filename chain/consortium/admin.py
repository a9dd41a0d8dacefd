"""
Speaks to a node of this machine through its socket: peers, votes, and what else nobody outside may.

The public door is HTTP, with other rights (`chain.rpc`). A connection lasts as long as one request.
"""

import json
import os
import socket
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from chain.consortium.scripts import SOCKET
from chain.rpc import Call, NodeRefused, NodeUnavailable

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
        return self.batch([(method, list(parameters))])[0]

    def batch(self, calls: Sequence[Call]) -> list[Any]:
        """
        Return the results of several requests sent at once, in order.

        :raises NodeUnavailable: if the node does not answer
        :raises NodeRefused: the first error that it answers with
        """
        asked = [
            {"jsonrpc": "2.0", "id": place, "method": method, "params": parameters}
            for place, (method, parameters) in enumerate(calls)
        ]
        try:
            with _reachable(self._folder) as path, socket.socket(socket.AF_UNIX) as connection:
                connection.settimeout(self._timeout_seconds)
                connection.connect(path)
                connection.sendall(json.dumps(asked).encode("utf-8"))
                answers = {one["id"]: one for one in json.loads(_line(connection))}
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise NodeUnavailable(reason=f"{self._folder.name}: {error}") from error
        return [_result(method, answers.get(place, {})) for place, (method, _) in enumerate(calls)]


def _result(method: str, answer: Mapping[str, Any]) -> Any:
    error = answer.get("error")
    if error is None:
        return answer.get("result")
    code, message = int(error.get("code", 0)), str(error.get("message", ""))
    raise NodeRefused(method=method, code=code, message=message)


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
