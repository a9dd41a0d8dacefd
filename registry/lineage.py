"""
The graph from source to last buyer: what an edge is, which edges the registry knows, and the walk.

It is not the store: edges come as arguments. Trades reach buyers through edges that settlement
emits (`settlement.lineage`); the registry knows none of them (joints 19).
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from chain.codes import Noun, Relation
from registry.assets import Asset

STEPS_MAX = 64
NODES_MAX = 10_000


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

    shape: nodes and edges each once, in walking order; not `is_complete` if a limit cut the walk
    """

    start: Node
    direction: Direction
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    is_complete: bool


def asset_node(asset_id: str, version: int) -> Node:
    """Return the node of one version of an asset."""
    return Node(Noun.ASSET, asset_id, version)


def edges_of_asset(asset: Asset) -> tuple[Edge, ...]:
    """Return the edges from an asset's parents to it."""
    target = asset_node(asset.asset_id, asset.version)
    return tuple(
        Edge(asset_node(parent.asset_id, parent.version), target, Relation(parent.relation).name)
        for parent in asset.parents
    )


def walk(
    *,
    start: Node,
    direction: Direction,
    neighbours: Callable[[tuple[Node, ...]], Iterable[Edge]],
    steps_max: int = STEPS_MAX,
    nodes_max: int = NODES_MAX,
) -> Lineage:
    """
    Follow edges level by level from a node.

    shape: `neighbours` returns the edges that touch the given nodes on the walking side
    ensures: no node is visited twice, so even a graph with a cycle ends
    """
    seen: dict[Node, None] = {start: None}
    edges: dict[Edge, None] = {}
    level: tuple[Node, ...] = (start,)
    for _ in range(steps_max):
        found = sorted(neighbours(level))
        edges.update(dict.fromkeys(found))
        ends = (edge.source if direction is Direction.UPSTREAM else edge.target for edge in found)
        level = tuple(node for node in dict.fromkeys(ends) if node not in seen)
        if not level:
            return Lineage(start, direction, tuple(seen), tuple(edges), True)
        seen.update(dict.fromkeys(level))
        if len(seen) > nodes_max:
            break
    return Lineage(start, direction, tuple(seen), tuple(edges), False)
