"""
The graph from source to last buyer: what a node and an edge are, and the walk.

It is not the store: whoever walks says what is one step away. Trades reach buyers through joins
that settlement adds (`settlement.lineage`); the registry knows none of them (joints 19).
"""

from collections.abc import Callable, Hashable, Set
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Generic, NamedTuple, TypeVar

from chain.codes import Noun

STEPS_MAX = 64
NODES_MAX = 10_000

# The number of a version of an asset: its sequence in the low bits, and how many versions came
# before in those above. So that of a first version, as nearly all are, is its sequence.
SEQUENCE_BITS: Final = 40
VERSIONS_MAX: Final = 1 << 23


class Direction(StrEnum):
    """Which way to walk: towards the sources, or towards the buyers."""

    UPSTREAM = "UPSTREAM"
    DOWNSTREAM = "DOWNSTREAM"


class Node(NamedTuple):
    """
    A thing in the graph: its noun, its id, and for an asset its version (else 0).

    It is a tuple, as an edge is, because a walk compares and looks up thousands.
    """

    noun: Noun
    id: str
    version: int = 0


class Edge(NamedTuple):
    """
    One step from a source towards a buyer.

    shape: `relation` is an asset's relation (`DERIVED_FROM`) or what happened (`LISTED_AS`)
    """

    source: Node
    target: Node
    relation: str


@dataclass(frozen=True, slots=True)
class Lineage:
    """
    What was reached from a start.

    shape: nodes and edges each once, nodes in walking order; not `is_complete` if a limit cut the
           walk
    """

    start: Node
    direction: Direction
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    is_complete: bool


P = TypeVar("P", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Walk(Generic[P]):
    """
    What a walk reached, one set for each step, the start's first.

    shape: if a limit cut it, it is not `is_complete`, and nobody asked what is beyond the last set
    """

    levels: tuple[Set[P], ...]
    is_complete: bool

    @property
    def followed(self) -> tuple[Set[P], ...]:
        """Return the levels of which it was asked what is one step away."""
        return self.levels if self.is_complete else self.levels[:-1]


def asset_node(asset_id: str, version: int) -> Node:
    """Return the node of one version of an asset."""
    return Node(Noun.ASSET, asset_id, version)


def number_of(*, sequence: int, version: int) -> int:
    """
    Return the number by which a version of an asset is linked to its parents and children.

    units:   `sequence` and `version` are the chain's, both from 1 on
    ensures: no two versions have the same, on any mirror
    """
    if not (0 < sequence < 1 << SEQUENCE_BITS and 0 < version <= VERSIONS_MAX):
        raise ValueError(f"no number for {sequence=} {version=}")
    return (version - 1) << SEQUENCE_BITS | sequence


def version_at(number: int) -> tuple[int, int]:
    """Return the sequence and the version that a number stands for."""
    return number & (1 << SEQUENCE_BITS) - 1, (number >> SEQUENCE_BITS) + 1


def walk(
    *,
    start: P,
    step: Callable[[Set[P]], Set[P]],
    steps_max: int = STEPS_MAX,
    nodes_max: int = NODES_MAX,
) -> Walk[P]:
    """
    Go step by step from a start, as far as there is anything new.

    shape:   `step` returns all that is one step away from any of the given
    ensures: nothing is in two levels, so even a graph with a cycle ends
    """
    seen: set[P] = {start}
    levels: list[Set[P]] = [{start}]
    for _ in range(steps_max):
        found = step(levels[-1]) - seen
        if not found:
            return Walk(tuple(levels), True)
        levels.append(found)
        seen |= found
        if len(seen) > nodes_max:
            break
    return Walk(tuple(levels), False)
