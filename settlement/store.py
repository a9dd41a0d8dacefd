"""
What people ask the tables of market and settlement for: above all, the whole lineage.

It is not the projection: nothing here writes.
"""

from collections.abc import Callable, Iterator
from typing import Any

from sqlmodel import Session

from chain.codes import Noun
from registry.lineage import Direction, Edge, Lineage, Node, walk
from registry.store import asset_edges, every
from settlement import tables as tables
from settlement.deliveries import Delivery
from settlement.lineage import edges_of_delivery, edges_of_listing, edges_of_trade
from settlement.listings import Listing
from settlement.trades import Trade

# From which records, by which field, the edges at a noun are found.
DOWNSTREAM: dict[Noun, tuple[tuple[type, str, Callable[[Any], tuple[Edge, ...]]], ...]] = {
    Noun.ASSET: ((Listing, "asset_id", edges_of_listing),),
    Noun.LISTING: ((Trade, "listing_id", edges_of_trade),),
    Noun.TRADE: (
        (Trade, "trade_id", edges_of_trade),
        (Delivery, "trade_id", edges_of_delivery),
    ),
}
UPSTREAM: dict[Noun, tuple[tuple[type, str, Callable[[Any], tuple[Edge, ...]]], ...]] = {
    Noun.LISTING: ((Listing, "listing_id", edges_of_listing),),
    Noun.TRADE: ((Trade, "trade_id", edges_of_trade),),
    Noun.DELIVERY: ((Delivery, "delivery_id", edges_of_delivery),),
    Noun.PARTICIPANT: ((Trade, "buyer", edges_of_trade),),
}


def lineage_of(
    session: Session, start: Node, direction: Direction, *, at_block: int | None = None
) -> Lineage:
    """Return everything upstream or downstream of a node, as of a block (L-01, L-02)."""

    def neighbours(level: tuple[Node, ...]) -> tuple[Edge, ...]:
        return edges_at(session, level, direction, at_block=at_block)

    return walk(start=start, direction=direction, neighbours=neighbours)


def edges_at(
    session: Session,
    level: tuple[Node, ...],
    direction: Direction,
    *,
    at_block: int | None = None,
) -> tuple[Edge, ...]:
    """Return the edges that touch these nodes on the walking side."""
    nodes = set(level)
    assets = tuple(node for node in level if node.noun is Noun.ASSET)
    edges = list(asset_edges(session, assets, direction, at_block=at_block)) if assets else []
    sources = DOWNSTREAM if direction is Direction.DOWNSTREAM else UPSTREAM
    for noun, readers in sources.items():
        ids = tuple(node.id for node in level if node.noun is noun)
        for record, field, edges_of in readers:
            if ids:
                found: Iterator[Any] = every(session, record, where={field: ids}, at_block=at_block)
                edges.extend(edge for one in found for edge in edges_of(one))
    if direction is Direction.DOWNSTREAM:
        return tuple(edge for edge in edges if edge.source in nodes)
    return tuple(edge for edge in edges if edge.target in nodes)
