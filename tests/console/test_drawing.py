"""The picture of a lineage: every edge runs to the right, no two boxes touch."""

from hypothesis import given
from hypothesis import strategies as st

from api.console.drawing import BOX_HEIGHT, BOX_WIDTH, draw
from chain.codes import Noun
from registry.lineage import Edge, Node


def node(number: int) -> Node:
    return Node(Noun.ASSET, f"0x{number:064x}", 1)


@st.composite
def graphs(build: st.DrawFn) -> tuple[list[Node], list[Edge]]:
    count = build(st.integers(1, 12))
    pairs = st.tuples(st.integers(0, count - 1), st.integers(0, count - 1))
    edges = [
        Edge(node(low), node(high), "DERIVED_FROM")
        for low, high in (sorted(pair) for pair in build(st.lists(pairs, max_size=30)))
        if low != high
    ]
    return [node(number) for number in range(count)], edges


class TestDraw:
    @given(graphs())
    def test_runs_every_edge_to_the_right(self, graph: tuple[list[Node], list[Edge]]) -> None:
        """L-02: the chain is read from source to product."""
        nodes, edges = graph

        drawing = draw(nodes, edges)

        places = {box.node: box for box in drawing.boxes}
        assert all(places[e.source].x + BOX_WIDTH < places[e.target].x for e in edges)
        assert len(drawing.lines) == len(set(edges))

    @given(graphs())
    def test_keeps_boxes_apart_and_inside(self, graph: tuple[list[Node], list[Edge]]) -> None:
        drawing = draw(*graph)

        for index, one in enumerate(drawing.boxes):
            assert 0 <= one.x <= drawing.width - BOX_WIDTH
            assert 0 <= one.y <= drawing.height - BOX_HEIGHT
            for other in drawing.boxes[index + 1 :]:
                assert one.x != other.x or abs(one.y - other.y) >= BOX_HEIGHT

    def test_leaves_out_edges_to_nodes_that_are_not_shown(self) -> None:
        hidden = Node(Noun.TRADE, "0x" + "ee" * 32)

        drawing = draw([node(1)], [Edge(node(1), hidden, "TRADED_AS")])

        assert [box.node for box in drawing.boxes] == [node(1)]
        assert drawing.lines == ()

    def test_ends_on_a_cycle(self) -> None:
        drawing = draw(
            [node(1), node(2)],
            [Edge(node(1), node(2), "DERIVED_FROM"), Edge(node(2), node(1), "DERIVED_FROM")],
        )

        assert len(drawing.boxes) == 2
