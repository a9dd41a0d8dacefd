"""
Tests of the walk over the mirror: what a graph in memory gives, both ways, as of every block, on
both databases, and after a fork.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

import pytest
from sqlalchemy import Engine
from sqlmodel import Session

from chain import events as e
from chain.codes import AssetKind, Noun, Relation
from chain.event import Event
from chain.facts import Append, Block, Entry
from chain.store import apply_block, open_mirror, rewind
from chain.structs import ListingTerms, Parent, TradeTerms
from chain.values import ZERO_BYTES32, AssetId, Bytes32, HexBytes, RightId
from registry import tables as registry_tables
from registry.lineage import (
    SEQUENCE_BITS,
    VERSIONS_MAX,
    Direction,
    Edge,
    Node,
    asset_node,
    number_of,
    version_at,
    walk,
)
from settlement import tables as settlement_tables
from settlement.projection import apply
from settlement.store import Tracing, lineage_of
from tests.api.mirrored import event, filled, named

ON_BOTH_DATABASES = True
TABLES = (registry_tables, settlement_tables)

ASSETS, LISTINGS, TRADES, DELIVERIES, BUYERS = 60, 20, 20, 20, 3


@dataclass(frozen=True)
class Step:
    """A block's event, and the edges that it adds to the graph."""

    make: Any
    edges: tuple[Edge, ...]


def node(noun: Noun, number: int) -> Node:
    return Node(noun, named(f"{noun.name}/{number}"))


def version_of(number: int) -> Node:
    # Every third is the second version of the asset before it.
    return asset_node(named(f"asset/{number - number % 3 // 2}"), 1 + number % 3 // 2)


def steps() -> list[Step]:
    """Return acts: assets with parents among those before, offers, trades, deliveries."""
    random = Random(4)
    made = [_declared(number, random) for number in range(ASSETS)]
    made += [_offered(number, version_of(random.randrange(ASSETS))) for number in range(LISTINGS)]
    for number in range(TRADES):
        offer = node(Noun.LISTING, random.randrange(LISTINGS))
        trade, buyer = node(Noun.TRADE, number), node(Noun.PARTICIPANT, random.randrange(BUYERS))
        make = event(
            e.TradeConcluded,
            trade_id=trade.id,
            buyer=buyer.id,
            terms=filled(TradeTerms, listing_id=offer.id),
        )
        edges = (Edge(offer, trade, "TRADED_AS"), Edge(trade, buyer, "BOUGHT_BY"))
        made.append(Step(make, edges))
    for number in range(DELIVERIES):
        trade, delivery = node(Noun.TRADE, random.randrange(TRADES)), node(Noun.DELIVERY, number)
        make = event(e.DeliveryMade, delivery_id=delivery.id, trade_id=trade.id)
        made.append(Step(make, (Edge(trade, delivery, "DELIVERED_AS"),)))
    return made


def _declared(number: int, random: Random) -> Step:
    one = version_of(number)
    parents = {version_of(random.randrange(number)) for _ in range(min(number, 3))} - {one}
    relations = {parent: random.choice(list(Relation)[1:]) for parent in sorted(parents)}
    make = event(
        e.AssetDeclared,
        asset_id=AssetId(one.id),
        version=one.version,
        sequence=1 + number - number % 3 // 2,
        kind=AssetKind.PRODUCT,
        parents=tuple(
            Parent(
                asset_id=AssetId(parent.id),
                version=parent.version,
                relation=relation,
                consent_right_id=RightId(ZERO_BYTES32),
            )
            for parent, relation in relations.items()
        ),
    )
    edges = tuple(Edge(parent, one, relation.name) for parent, relation in relations.items())
    return Step(make, edges)


def _offered(number: int, of: Node) -> Step:
    offer = node(Noun.LISTING, number)
    terms = filled(ListingTerms, asset_version=of.version)
    make = event(e.ListingSubmitted, listing_id=offer.id, asset_id=of.id, terms=terms)
    return Step(make, (Edge(of, offer, "LISTED_AS"),))


def appends(made: Sequence[Step], branch: str = "a", first: int = 0) -> Iterator[Append]:
    for number, step in enumerate(made, start=first):
        before = "a" if number == first else branch
        parent = ZERO_BYTES32 if number == 0 else named(f"{before}/{number - 1}")
        block = Block(
            number=number,
            hash=named(f"{branch}/{number}"),
            parent_hash=Bytes32(parent),
            timestamp=1_700_000_000 + number,
        )
        meta = block.place(0, named(f"{branch}/{number}/0"), contract="Test")
        told: Event = step.make(meta)
        yield Append(block, (Entry(told, (), HexBytes("0x")),))


def put(engine: Engine, blocks: Iterable[Append]) -> None:
    for block in blocks:
        with Session(engine) as session, session.begin():
            apply_block(session, block, apply)


def reached(
    made: Sequence[Step], start: Node, direction: Direction
) -> tuple[list[set[Node]], set[Edge]]:
    """Walk the graph in memory: what is reached at each step, and over which edges."""
    edges = [edge for step in made for edge in step.edges]
    is_up = direction is Direction.UPSTREAM
    levels, seen, used = [{start}], {start}, set()
    while levels[-1]:
        here = [edge for edge in edges if (edge.target if is_up else edge.source) in levels[-1]]
        used |= set(here)
        found = {edge.source if is_up else edge.target for edge in here} - seen
        seen |= found
        levels.append(found)
    return levels[:-1], used


def nodes_of(made: Sequence[Step]) -> list[Node]:
    versions = {version_of(number) for number in range(ASSETS)}
    return sorted(versions | {end for one in made for edge in one.edges for end in edge[:2]})


def require_same(session: Session, made: Sequence[Step], at_block: int | None = None) -> None:
    for direction in Direction:
        for start in nodes_of(made):
            found = lineage_of(session, start, direction, at_block=at_block)
            levels, edges = reached(made, start, direction)

            assert found.is_complete
            assert len(found.nodes) == len(set(found.nodes))
            assert len(found.edges) == len(set(found.edges))
            assert set(found.edges) == edges
            places = iter(found.nodes)
            assert [{next(places) for _ in level} for level in levels] == levels


@pytest.fixture
def mirror(mirror_url: str) -> Iterator[Engine]:
    engine = open_mirror(mirror_url)
    yield engine
    engine.dispose()


class TestLineageOf:
    def test_is_what_a_graph_in_memory_gives_both_ways(self, mirror: Engine) -> None:
        """L-01, L-02."""
        made = steps()
        put(mirror, appends(made))

        with Session(mirror) as session:
            require_same(session, made)

    @pytest.mark.parametrize("at_block", [0, 7, ASSETS + 5, ASSETS + LISTINGS + 9])
    def test_knows_nothing_that_came_after_the_block(self, mirror: Engine, at_block: int) -> None:
        made = steps()
        put(mirror, appends(made))

        with Session(mirror) as session:
            require_same(session, made[: at_block + 1], at_block)

    def test_follows_the_branch_that_counts(self, mirror: Engine) -> None:
        made, fork = steps(), ASSETS // 2
        put(mirror, appends(made))

        with Session(mirror) as session, session.begin():
            rewind(session, fork)
        # On the other branch no asset but these is declared, and one more is offered.
        other = [*made[: fork + 1], _offered(0, version_of(fork - 1))]
        put(mirror, appends(other[fork + 1 :], "b", fork + 1))

        with Session(mirror) as session:
            require_same(session, other)
            require_same(session, other[:-1], fork)

    def test_tells_where_a_limit_cut_it(self, mirror: Engine) -> None:
        made = steps()
        put(mirror, appends(made))
        start = version_of(ASSETS - 1)
        levels, _ = reached(made, start, Direction.UPSTREAM)
        assert len(levels) > 3

        with Session(mirror) as session:
            tracing = Tracing(session, Direction.UPSTREAM)
            cut = tracing.told(start, tracing.walk(start, steps_max=2))

        assert not cut.is_complete
        assert set(cut.nodes) == set().union(*levels[:3])
        asked = set().union(*levels[:2])
        assert {edge.target for edge in cut.edges} <= asked

    def test_of_an_asset_nobody_declared_is_the_asset_alone(self, mirror: Engine) -> None:
        start = asset_node(named("nobody"), 1)

        with Session(mirror) as session:
            found = lineage_of(session, start, Direction.UPSTREAM)

        assert (found.nodes, found.edges, found.is_complete) == ((start,), (), True)


class TestWalk:
    def test_ends_on_a_cycle(self) -> None:
        found = walk(start=0, step=lambda level: {(one + 1) % 5 for one in level})

        assert found.levels == ({0}, {1}, {2}, {3}, {4})
        assert found.is_complete

    def test_stops_after_so_many_nodes(self) -> None:
        found = walk(start=0, step=lambda level: {one + 1 for one in level}, nodes_max=3)

        assert found.levels == ({0}, {1}, {2}, {3})
        assert found.followed == ({0}, {1}, {2})
        assert not found.is_complete


class TestNumberOf:
    @pytest.mark.parametrize("sequence", [1, 2, (1 << SEQUENCE_BITS) - 1])
    @pytest.mark.parametrize("version", [1, 2, VERSIONS_MAX])
    def test_is_taken_apart_again_and_fits_its_column(self, sequence: int, version: int) -> None:
        number = number_of(sequence=sequence, version=version)

        assert version_at(number) == (sequence, version)
        assert 0 < number < 2**63

    @pytest.mark.parametrize(
        ("sequence", "version"), [(0, 1), (1, 0), (1 << SEQUENCE_BITS, 1), (1, VERSIONS_MAX + 1)]
    )
    def test_refuses_what_would_be_another_version(self, sequence: int, version: int) -> None:
        with pytest.raises(ValueError, match="no number"):
            number_of(sequence=sequence, version=version)
