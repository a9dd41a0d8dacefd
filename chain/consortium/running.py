"""
A whole consortium on one machine: all its nodes started, watched until they seal, and stopped.
"""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Final

from chain.consortium.folders import Consortium, Node
from chain.consortium.nodes import Nodes
from chain.consortium.standing import Whole, look
from chain.failure import LedgerError
from chain.rpc import NodeRefused, NodeUnavailable

SEAL_SECONDS: Final = 60
PAUSE_SECONDS: Final = 0.2

Say = Callable[[str], None]


class NotSealing(LedgerError):
    """The nodes run, but the chain does not grow: too few validators are up, or not connected."""

    running: int
    needed: int


class NothingHere(LedgerError):
    """No node of this consortium has its folder here."""

    chain_id: int


def start_all(nodes: Nodes, *, say: Say) -> Whole:
    """
    Start every node of this machine and wait until blocks are sealed.

    ensures: if one does not start, those that this call started are stopped again
    :raises NothingHere: if no node's folder is here
    :raises NotSealing: if the chain does not grow in time; the nodes go on trying
    :raises LedgerError: what a node did not start for
    """
    if not nodes.here():
        raise NothingHere(chain_id=nodes.consortium.chain_id)
    idle = [one for one in nodes.here() if nodes.running(one) is None]
    started: list[Node] = []

    def start(node: Node) -> None:
        nodes.start(node)
        started.append(node)
        say(f"{node.name} answers at {node.rpc_url}")

    with ThreadPoolExecutor(max_workers=max(1, len(idle))) as pool:
        waiting = [pool.submit(start, one) for one in idle]
    failures = [error for one in waiting if (error := one.exception()) is not None]
    if failures:
        for one in started:
            nodes.stop(one)
        raise failures[0]
    # A node that was down when another looked for it is looked for again only after a while.
    for one in nodes.here():
        introduce(nodes, one)
    return wait_sealing(nodes, say=say)


def introduce(nodes: Nodes, node: Node) -> None:
    """Let a node and all others of this machine look for each other now."""
    for other in nodes.here():
        if other.name != node.name:
            with suppress(NodeUnavailable, NodeRefused):
                nodes.admin(other).call("admin_addPeer", node.enode)
                nodes.admin(node).call("admin_addPeer", other.enode)


def wait_sealing(nodes: Nodes, *, say: Say, timeout_seconds: float = SEAL_SECONDS) -> Whole:
    """
    Wait until the chain grows, and all nodes that answer agree about it.

    :raises NotSealing: if it does not in time
    """
    say("waiting for blocks")
    end = time.monotonic() + timeout_seconds
    first = look(nodes)
    while True:
        found = look(nodes)
        grew = (found.head or 0) > (first.head or 0)
        if grew and found.is_agreed:
            return found
        if time.monotonic() > end:
            up = sum(one.head is not None for one in found.nodes)
            raise NotSealing(running=up, needed=found.needed)
        time.sleep(PAUSE_SECONDS)


def stop_all(nodes: Nodes) -> list[str]:
    """Stop every node of this machine, and return the names of those that ran."""
    with ThreadPoolExecutor(max_workers=max(1, len(nodes.here()))) as pool:
        ran = list(pool.map(nodes.stop, nodes.here()))
    return [one.name for one, was_up in zip(nodes.here(), ran, strict=True) if was_up]


def restarted(nodes: Nodes, consortium: Consortium, node: Node) -> Nodes:
    """Return the nodes of a consortium that changed, with one started again as it is meant now."""
    changed = nodes.of(consortium)
    if changed.running(node) is not None:
        changed.stop(node)
        changed.start(changed.named(node.name))
        introduce(changed, node)
    return changed
