"""
Who may seal, changed by those who do: each signer votes with its own next block.

A vote is in force when more than half of the signers have cast it. From one machine only the votes
of that machine's nodes can be cast; the other operators cast theirs by the same command.
"""

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, Final

from chain.consortium.folders import Node
from chain.consortium.nodes import Nodes
from chain.consortium.seals import majority_of
from chain.failure import Conflict, LedgerError, NotFound
from chain.rpc import NodeUnavailable
from chain.values import Address

PAUSE_SECONDS: Final = 0.2


class AlreadyValidator(Conflict):
    """The node may seal already."""

    name: str


class NotValidator(NotFound):
    """The node may not seal anyway."""

    name: str


class LastValidator(Conflict):
    """A chain cannot lose its last validator."""

    name: str


class NoVoterHere(LedgerError):
    """No validator of this machine runs, so no vote can be cast from here."""

    folder: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Vote:
    """What came of a vote: how many of those needed were cast here, and whether it is in force."""

    name: str
    signer: Address
    is_in: bool
    cast_here: tuple[str, ...]
    needed: int
    is_in_force: bool
    signers: tuple[Address, ...]

    def to_json(self) -> dict[str, Any]:
        """Return it as the command prints it."""
        return asdict(self)


def signers_of(nodes: Nodes) -> tuple[Address, ...]:
    """
    Return who may seal as of the newest block of a node of this machine.

    :raises NoVoterHere: if none runs
    """
    for node in nodes.here():
        if nodes.running(node) is None:
            continue
        try:
            return tuple(nodes.admin(node).call("clique_getSigners"))
        except NodeUnavailable:
            continue
    raise NoVoterHere(folder=", ".join(one.name for one in nodes.here()))


def vote(
    nodes: Nodes,
    node: Node,
    *,
    is_in: bool,
    timeout_seconds: float,
    waiting: Callable[[str], None] = lambda _: None,
) -> Vote:
    """
    Let the validators of this machine vote a node in or out, and wait until that is in force.

    shape: votes of a machine without a majority wait for those of the others, as long as they may
    :raises AlreadyValidator: NotValidator: LastValidator: if there is nothing to vote on
    :raises NoVoterHere: if no validator runs here
    """
    signers = signers_of(nodes)
    _require_sense(node, signers, is_in=is_in)
    voters = [one for one in nodes.here() if one.signer in signers and nodes.running(one)]
    if not voters:
        raise NoVoterHere(folder=", ".join(one.name for one in nodes.here()))
    needed = majority_of(len(signers))
    for one in voters[:needed]:
        nodes.admin(one).call("clique_propose", node.signer, is_in)
    cast = tuple(one.name for one in voters[:needed])
    waiting(f"{len(cast)} of {needed} votes are cast here; waiting until they are in force")
    try:
        found = _wait(nodes, node, is_in=is_in, timeout_seconds=timeout_seconds)
    finally:
        if len(cast) >= needed:
            _discard(nodes, voters[:needed], node)
    return Vote(
        name=node.name,
        signer=node.signer,
        is_in=is_in,
        cast_here=cast,
        needed=needed,
        is_in_force=(node.signer in found) is is_in,
        signers=found,
    )


def _require_sense(node: Node, signers: tuple[Address, ...], *, is_in: bool) -> None:
    if is_in and node.signer in signers:
        raise AlreadyValidator(name=node.name)
    if not is_in and node.signer not in signers:
        raise NotValidator(name=node.name)
    if not is_in and len(signers) == 1:
        raise LastValidator(name=node.name)


def _wait(nodes: Nodes, node: Node, *, is_in: bool, timeout_seconds: float) -> tuple[Address, ...]:
    end = time.monotonic() + timeout_seconds
    while True:
        found = signers_of(nodes)
        if (node.signer in found) is is_in or time.monotonic() > end:
            return found
        time.sleep(PAUSE_SECONDS)


def _discard(nodes: Nodes, voters: list[Node], node: Node) -> None:
    # A proposal that stays would be voted again as soon as somebody undoes it.
    for one in voters:
        nodes.admin(one).call("clique_discard", node.signer)
