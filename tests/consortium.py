"""
A real consortium for tests: geth nodes with Clique on ports the kernel chooses.
"""

import json
import secrets
import socket
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from chain.consortium.folders import found_consortium
from chain.consortium.members import read_members
from chain.consortium.nodes import Nodes
from chain.consortium.running import start_all, stop_all

NAMES = ("east", "south", "west", "north")
CHEAP = 2
FIRST_PORT = 12_000
PORTS = 20_000


def free_ports(count: int) -> list[int]:
    """
    Return so many ports of this machine that nobody uses now.

    shape: below those that the kernel gives to calls going out, one of which could take the port of
           a node that is down for a moment
    """
    with ExitStack() as stack:
        chosen: list[int] = []
        while len(chosen) < count:
            port = FIRST_PORT + secrets.randbelow(PORTS)
            with suppress(OSError):
                stack.enter_context(socket.create_server(("127.0.0.1", port)))
                chosen.append(port)
        return chosen


def found(folder: Path, *, names: Sequence[str] = NAMES, validators: int | None = None) -> Nodes:
    """Make a consortium in a folder, all of it on this machine; nothing runs yet."""
    ports = free_ports(2 * len(names))
    members = [
        {
            "name": name,
            "zh": f"{name} 数据交易所",
            "en": f"{name.capitalize()} Data Exchange",
            "host": "127.0.0.1",
            "p2p_port": ports.pop(),
            "rpc_port": ports.pop(),
        }
        for name in names
    ]
    folder.mkdir(parents=True, exist_ok=True)
    path = folder.parent / f"{folder.name}-members.json"
    path.write_text(json.dumps({"members": members}, ensure_ascii=False), "utf-8")
    count = len(names) if validators is None else validators
    return Nodes(
        folder, found_consortium(folder, read_members(path, validators=count), scrypt_n=CHEAP)
    )


@contextmanager
def running(
    folder: Path, *, names: Sequence[str] = NAMES, validators: int | None = None
) -> Iterator[Nodes]:
    """Let a new consortium run, sealing blocks, as long as the block lasts."""
    nodes = found(folder, names=names, validators=validators)
    try:
        start_all(nodes, say=lambda _: None)
        yield nodes
    finally:
        stop_all(nodes)
