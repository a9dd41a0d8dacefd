"""
`shulian trace`: draws where an asset came from and what became of it, down to who bought it.

It is not the walk (`registry.lineage`) nor the edges (`settlement.store`), and it redacts
nothing: it reads the mirror on the operator's or regulator's own machine.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from api.commands.failing import add
from api.commands.homes import (
    AsOfBlockOption,
    AsOfTimeOption,
    HomeOption,
    JsonOption,
    require_home,
    settings_for,
)
from api.commands.showing import clean, console, print_json, short

if TYPE_CHECKING:
    from rich.tree import Tree

    from api.commands.mirrors import Mirror
    from registry.lineage import Edge, Lineage, Node

UP, DOWN, BOTH = "up", "down", "both"


class Way(Enum):
    """Which way to walk."""

    UP = UP
    DOWN = DOWN
    BOTH = BOTH


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """What is told of a node: its kind, name, and the digest it is known by."""

    kind: str
    name: str
    digest: str


def register(app: typer.Typer) -> None:
    """Add the command."""
    add(app, trace, name="trace", example="shulian trace 0x3fa85f64 --direction up")


def trace(
    asset: Annotated[
        str,
        typer.Argument(
            help="The asset's id, or its first eight digits or more.", metavar="ASSET_ID"
        ),
    ],
    direction: Annotated[
        Way, typer.Option(help="Towards the sources, the buyers, or both.")
    ] = Way.BOTH,
    version: Annotated[
        int | None, typer.Option(min=1, help="By default the newest registered.")
    ] = None,
    as_of_block: AsOfBlockOption = None,
    as_of_time: AsOfTimeOption = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Trace an asset back to its source files and forward to its buyers."""
    from api.commands.mirrors import open_reading
    from chain.values import AssetId
    from registry.assets import Asset
    from registry.lineage import Direction, asset_node
    from registry.store import find_version
    from settlement.store import lineage_of

    settings = settings_for(home)
    require_home(settings.home)
    ways = {Way.UP: Direction.UPSTREAM, Way.DOWN: Direction.DOWNSTREAM}
    with open_reading(settings, as_of_block=as_of_block, as_of_time=as_of_time) as mirror:
        asset_id = AssetId(mirror.resolve("asset", Asset, asset))
        found = version or find_version(mirror.session, asset_id, None, at_block=mirror.at_block)
        mirror.require(Asset, asset_id, found)
        start = asset_node(asset_id, found)
        walks = [
            lineage_of(mirror.session, start, way, at_block=mirror.at_block)
            for name, way in ways.items()
            if direction in (name, Way.BOTH)
        ]
        labels = labels_of(mirror, {node for walk in walks for node in walk.nodes})
        if as_json:
            print_json(_told(mirror, walks, labels))
            return
        for walk in walks:
            console().print(_drawn(walk, labels))


def labels_of(mirror: "Mirror", nodes: Iterable["Node"]) -> "dict[Node, Label]":
    """Return what the nodes are called: assets and organisations by name, the rest by digest."""
    from chain.codes import Noun
    from registry.assets import Asset
    from registry.participants import Participant
    from settlement.deliveries import Delivery
    from settlement.listings import Listing
    from settlement.trades import Trade

    held = list(nodes)
    records: dict[Node, Any] = {}
    kinds = {
        Noun.PARTICIPANT: Participant,
        Noun.LISTING: Listing,
        Noun.TRADE: Trade,
        Noun.DELIVERY: Delivery,
    }
    for node in held:
        if node.noun is Noun.ASSET:
            records[node] = mirror.require(Asset, node.id, node.version)
        else:
            records[node] = mirror.require(kinds[node.noun], node.id)
    words = mirror.titles(
        getattr(one, name)
        for one in records.values()
        for name in ("metadata_digest", "profile_digest")
        if hasattr(one, name)
    )
    return {node: _label(node, record, words) for node, record in records.items()}


def _label(node: "Node", record: Any, words: Mapping[str, str]) -> Label:
    kind = record.kind.name if node.noun.name == "ASSET" else node.noun.name
    names = ("metadata_digest", "profile_digest")
    said = next(
        (words[getattr(record, one)] for one in names if getattr(record, one, "") in words), ""
    )
    digests = ("content_digest", "package_digest", "terms_digest", "profile_digest")
    digest = next((getattr(record, one) for one in digests if hasattr(record, one)), "")
    return Label(kind=kind, name=said, digest=digest)


# --- JSON -----------------------------------------------------------------------------------------


def _told(
    mirror: "Mirror", walks: "Sequence[Lineage]", labels: "Mapping[Node, Label]"
) -> dict[str, Any]:
    start = walks[0].start
    sides = {node: walk.direction.value for walk in walks for node in walk.nodes}
    sides[start] = "START"
    edges = dict.fromkeys(edge for walk in walks for edge in walk.edges)
    nodes = [start, *(node for node in sides if node != start)]
    return {
        "nodes": [
            {
                **_point(node),
                "side": sides[node],
                "kind": labels[node].kind,
                "name": labels[node].name,
                "digest": labels[node].digest,
            }
            for node in nodes
        ],
        "edges": [
            {"source": _point(one.source), "target": _point(one.target), "relation": one.relation}
            for one in edges
        ],
        "is_complete": all(walk.is_complete for walk in walks),
        "as_of": mirror.as_of(),
    }


def _point(node: "Node") -> dict[str, Any]:
    version = node.version if node.noun.name == "ASSET" else None
    return {"noun": node.noun.name, "id": node.id, "version": version}


# --- a tree ---------------------------------------------------------------------------------------


def _drawn(walk: "Lineage", labels: "Mapping[Node, Label]") -> "Tree":
    from rich.text import Text
    from rich.tree import Tree

    from registry.lineage import Direction

    is_up = walk.direction is Direction.UPSTREAM
    heading = "back to the sources" if is_up else "forward to the buyers"
    tree = Tree(Text(heading, style="bold"))
    _grow(tree, walk.start, "", _steps(walk.edges, is_up=is_up), labels, seen=set())
    if not walk.is_complete:
        tree.add(Text("… cut off here: the graph goes on"))
    return tree


def _steps(edges: "Sequence[Edge]", *, is_up: bool) -> "dict[Node, list[tuple[Node, str]]]":
    steps: dict[Node, list[tuple[Node, str]]] = {}
    for edge in edges:
        near, far = (edge.target, edge.source) if is_up else (edge.source, edge.target)
        steps.setdefault(near, []).append((far, edge.relation))
    return steps


def _grow(
    tree: "Tree",
    node: "Node",
    relation: str,
    steps: "Mapping[Node, Sequence[tuple[Node, str]]]",
    labels: "Mapping[Node, Label]",
    *,
    seen: "set[Node]",
) -> None:
    from rich.text import Text

    label = labels[node]
    line = Text(f"{relation} " if relation else "", style="dim")
    line.append(f"{label.kind} ", style="cyan")
    line.append(f"{clean(label.name)} " if label.name else "", style="bold")
    line.append(f"{short(node.id)}" + (f" v{node.version}" if node.version else ""))
    if label.digest:
        line.append(f"  {_digest_of(label)}", style="dim")
    again = node in seen and node in steps
    branch = tree.add(line.append("  (see above)") if again else line)
    if again:
        return
    seen.add(node)
    for far, how in steps.get(node, ()):
        _grow(branch, far, how, steps, labels, seen=seen)


def _digest_of(label: Label) -> str:
    # A source file is found by its whole digest; of the others the beginning is enough.
    word = "sha256" if label.kind == "RESOURCE" else "digest"
    return f"{word} {label.digest if label.kind == 'RESOURCE' else short(label.digest)}"
