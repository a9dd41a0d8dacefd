"""
Where the boxes and lines of a lineage stand in its picture.

Pure geometry: nodes in columns from source to listing, each column sorted by what it hangs on. What
a box says is the page's business.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from registry.lineage import Edge, Node

BOX_WIDTH: Final = 216
BOX_HEIGHT: Final = 64
GAP_X: Final = 72
GAP_Y: Final = 20
MARGIN: Final = 12


@dataclass(frozen=True, slots=True)
class Box:
    """
    A node and the place of its upper left corner.

    units: pixels of the picture
    """

    node: Node
    x: int
    y: int


@dataclass(frozen=True, slots=True)
class Line:
    """An edge as the path of an SVG curve."""

    edge: Edge
    path: str


@dataclass(frozen=True, slots=True)
class Drawing:
    """
    A whole picture.

    units: pixels
    """

    width: int
    height: int
    boxes: tuple[Box, ...]
    lines: tuple[Line, ...]


def draw(nodes: Sequence[Node], edges: Sequence[Edge]) -> Drawing:
    """
    Place nodes in columns so that every edge runs from left to right.

    shape: an edge between nodes that are not both given is left out
    """
    known = set(nodes)
    drawn = sorted({one for one in edges if one.source in known and one.target in known})
    columns = _columns(nodes, drawn)
    boxes = _boxes(columns, drawn)
    lines = tuple(Line(edge, _curve(boxes[edge.source], boxes[edge.target])) for edge in drawn)
    deepest = max((len(column) for column in columns), default=0)
    return Drawing(
        width=2 * MARGIN + len(columns) * BOX_WIDTH + max(len(columns) - 1, 0) * GAP_X,
        height=2 * MARGIN + deepest * BOX_HEIGHT + max(deepest - 1, 0) * GAP_Y,
        boxes=tuple(boxes.values()),
        lines=lines,
    )


def _columns(nodes: Sequence[Node], edges: Sequence[Edge]) -> list[list[Node]]:
    """Return the nodes by their longest way from a source."""
    sources: Mapping[Node, list[Node]] = defaultdict(list)
    for edge in edges:
        sources[edge.target].append(edge.source)
    depths: dict[Node, int] = {}

    def depth_of(node: Node, below: frozenset[Node]) -> int:
        if node not in depths:
            before = [one for one in sources[node] if one not in below]
            depths[node] = 1 + max((depth_of(one, below | {node}) for one in before), default=-1)
        return depths[node]

    columns: dict[int, list[Node]] = defaultdict(list)
    for node in nodes:
        columns[depth_of(node, frozenset({node}))].append(node)
    return [columns[depth] for depth in sorted(columns)]


def _boxes(columns: Sequence[Sequence[Node]], edges: Sequence[Edge]) -> dict[Node, Box]:
    """Return a box per node; a column is centred, in the order of what its nodes hang on."""
    tallest = max((len(column) for column in columns), default=0)
    rows: dict[Node, float] = {}
    boxes: dict[Node, Box] = {}
    for index, column in enumerate(columns):
        ordered = sorted(column, key=lambda node: (_mean_row(node, edges, rows), node))
        lead = (tallest - len(column)) / 2
        for place, node in enumerate(ordered):
            rows[node] = place + lead
            boxes[node] = Box(
                node,
                MARGIN + index * (BOX_WIDTH + GAP_X),
                MARGIN + round((place + lead) * (BOX_HEIGHT + GAP_Y)),
            )
    return boxes


def _mean_row(node: Node, edges: Sequence[Edge], rows: Mapping[Node, float]) -> float:
    above = [rows[one.source] for one in edges if one.target == node and one.source in rows]
    return sum(above) / len(above) if above else 0.0


def _curve(source: Box, target: Box) -> str:
    start_x, start_y = source.x + BOX_WIDTH, source.y + BOX_HEIGHT // 2
    end_x, end_y = target.x, target.y + BOX_HEIGHT // 2
    middle = (start_x + end_x) // 2
    return f"M{start_x},{start_y} C{middle},{start_y} {middle},{end_y} {end_x},{end_y}"
