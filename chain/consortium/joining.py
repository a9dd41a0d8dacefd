"""
A node that joins the validators or leaves them: keys and place first, then the vote, then its role.

The vote itself is in `chain.consortium.votes`. A node without a folder here is on another machine:
it is voted on all the same, and its own operator starts it.
"""

import socket
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from chain.consortium.folders import Consortium, Node, joined, meant
from chain.consortium.members import FIRST_P2P_PORT, FIRST_RPC_PORT, Member, member_of
from chain.consortium.nodes import Nodes
from chain.consortium.running import introduce, restarted
from chain.consortium.votes import Vote, vote
from chain.failure import LedgerError
from chain.rpc import Node as Rpc

CATCH_UP_SECONDS: Final = 120
PAUSE_SECONDS: Final = 0.2

HTTP_SECONDS: Final = 5

Say = Callable[[str], None]


class StillBehind(LedgerError):
    """The node has not caught up with the chain yet: repeat this once it has."""

    name: str
    head: int
    wanted: int


class NodeToCarry(LedgerError):
    """The node belongs on another machine: carry its folder there, and start it first."""

    name: str
    folder: str


def admit(
    folder: Path,
    consortium: Consortium,
    name: str,
    values: Mapping[str, Any],
    *,
    wait_seconds: float,
    say: Say,
) -> Vote:
    """
    Let a node seal: make and start it if it is new, let it catch up, then vote it in.

    shape: `values` are those of a new member, without its name; ignored for a node that is known
    :raises NodeToCarry: if it is new and its place is another machine's
    :raises StillBehind: NodeUnavailable: if it does not follow the chain; nothing is voted then
    :raises LedgerError: as members, nodes and votes do
    """
    if all(one.name != name for one in consortium.nodes):
        consortium = joined(folder, consortium, _member(consortium, name, values))
        say(f"{name} has keys and a folder now")
    nodes = Nodes(folder, consortium)
    node = consortium.node(name)
    is_here = nodes.path(node).is_dir()
    if is_here and not _is_ours(node.listen_host):
        raise NodeToCarry(name=name, folder=str(nodes.path(node)))
    if is_here:
        nodes.start(node)
    introduce(nodes, node)
    _catch_up(nodes, node, say)
    found = vote(nodes, node, is_in=True, timeout_seconds=wait_seconds, waiting=say)
    if found.is_in_force:
        consortium = meant(folder, consortium, name, is_validator=True)
        if is_here:
            say(f"starting {name} again, now with its signing key")
            restarted(nodes, consortium, node)
    return found


def dismiss(
    folder: Path, consortium: Consortium, name: str, *, wait_seconds: float, say: Say
) -> Vote:
    """
    Vote a node out; it then follows the chain without its signing key.

    :raises LedgerError: as votes do
    """
    nodes = Nodes(folder, consortium)
    node = consortium.node(name)
    found = vote(nodes, node, is_in=False, timeout_seconds=wait_seconds, waiting=say)
    if found.is_in_force:
        consortium = meant(folder, consortium, name, is_validator=False)
        if nodes.path(node).is_dir():
            restarted(nodes, consortium, node)
    return found


def _member(consortium: Consortium, name: str, values: Mapping[str, Any]) -> Member:
    host = values.get("host")
    taken = {
        port
        for one in consortium.nodes
        if one.host == host
        for port in (one.p2p_port, one.rpc_port)
    }
    ports = {"p2p_port": _free(FIRST_P2P_PORT, taken), "rpc_port": _free(FIRST_RPC_PORT, taken)}
    return member_of({**ports, **values, "name": name})


def _free(first: int, taken: set[int]) -> int:
    port = first
    while port in taken:
        port += 1
    return port


def _is_ours(host: str) -> bool:
    """Say whether an address is one of this machine's."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        socket.create_server((host, 0), family=family).close()
    except OSError:
        return False
    return True


def _catch_up(nodes: Nodes, node: Node, say: Say) -> None:
    others = [one for one in nodes.here() if one.name != node.name and nodes.running(one)]
    wanted = max((nodes.height(one) for one in others), default=0)
    say(f"{node.name} catches up with block {wanted}")
    end = time.monotonic() + CATCH_UP_SECONDS
    while (head := _height(nodes, node)) < wanted:
        if time.monotonic() > end:
            raise StillBehind(name=node.name, head=head, wanted=wanted)
        time.sleep(PAUSE_SECONDS)


def _height(nodes: Nodes, node: Node) -> int:
    if nodes.running(node) is not None:
        return nodes.height(node)
    with Rpc(node.rpc_url, timeout_seconds=HTTP_SECONDS) as rpc:
        return rpc.height(timeout_seconds=HTTP_SECONDS)
