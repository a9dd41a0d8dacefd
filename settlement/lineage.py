"""
The edges that market and settlement add to the graph: from an asset to its buyers.

It is not the walk (`registry.lineage`).
"""

from chain.codes import Noun
from registry.lineage import Edge, Node, asset_node
from settlement.deliveries import Delivery
from settlement.listings import Listing
from settlement.trades import Trade


def edges_of_listing(listing: Listing) -> tuple[Edge, ...]:
    """Return the edge from the asset to its listing."""
    source = asset_node(listing.asset_id, listing.asset_version)
    return (Edge(source, Node(Noun.LISTING, listing.listing_id), "LISTED_AS"),)


def edges_of_trade(trade: Trade) -> tuple[Edge, ...]:
    """Return the edges from the listing to the trade and from the trade to its buyer."""
    node = Node(Noun.TRADE, trade.trade_id)
    return (
        Edge(Node(Noun.LISTING, trade.listing_id), node, "TRADED_AS"),
        Edge(node, Node(Noun.PARTICIPANT, trade.buyer), "BOUGHT_BY"),
    )


def edges_of_delivery(delivery: Delivery) -> tuple[Edge, ...]:
    """Return the edge from the trade to a delivery."""
    source = Node(Noun.TRADE, delivery.trade_id)
    return (Edge(source, Node(Noun.DELIVERY, delivery.delivery_id), "DELIVERED_AS"),)
