"""
A process that only answers questions, one of several on the same listening socket.

    python -m api.answering.reader    its standard input says what it serves; ends with its parent

It never writes the mirror: what asks for that is handed on (`api.answering.forwarding`). Who starts
it and starts it anew is `api.answering.processes`.
"""

import os
import signal
import socket
import sys
import threading
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import IO, Self

import orjson

from api.answering.forwarding import Forwarding
from api.answering.server import Server
from api.app import create_app
from api.compose import open_services
from api.config import read_settings
from api.console.pages import console
from api.observing.logs import set_up


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """
    What a process is to serve.

    shape: an empty `config` names no file of settings;
           `listener` is the number of a file that it inherits; `writer` the URL of the writer
    """

    home: str
    config: str
    chain_id: int
    rpc_url: str
    origin: str
    verify: str
    listener: int
    writer: str

    def to_line(self) -> bytes:
        """Return the task as a line."""
        return orjson.dumps(asdict(self)) + b"\n"

    @classmethod
    def from_line(cls, line: bytes) -> Self:
        """Return the task that a line says."""
        return cls(**orjson.loads(line))


def main() -> None:
    """Serve until stopped, or until the process that started this one ends."""
    task = Task.from_line(sys.stdin.buffer.readline())
    threading.Thread(target=_end_with, args=(sys.stdin.buffer,), daemon=True).start()
    config = Path(task.config) if task.config else None
    settings = read_settings(
        os.environ, config=config, home=Path(task.home), origin=task.origin, verify=task.verify
    )
    set_up(form=settings.log_format, level=settings.log_level)
    opened = open_services(settings, chain_id=task.chain_id, rpc_url=task.rpc_url)
    with opened as services, socket.socket(fileno=task.listener) as listener:
        app = create_app(replace(services, origin=task.origin), extensions=(console,))
        Server(Forwarding(app, writer=task.writer), services.streams).run(sockets=[listener])


def _end_with(parent: IO[bytes]) -> None:
    parent.read()
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    main()
