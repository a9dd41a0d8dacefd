"""
The edges that market and settlement add to the graph: from an asset to its buyers.

It is not the walk (`registry.lineage`), nor the mirror's rows of it (`settlement.store`).
"""

from dataclasses import dataclass
from typing import Final

from chain.codes import Noun
from settlement.deliveries import Delivery
from settlement.listings import Listing
from settlement.trades import Trade


@dataclass(frozen=True, slots=True)
class End:
    """An end of a join: the noun, and the fields of the record that hold its id (and version)."""

    noun: Noun
    id: str
    version: str | None = None


@dataclass(frozen=True, slots=True)
class Join:
    """Each record of this type is an edge from one thing it names to another."""

    record: type
    source: End
    target: End
    relation: str


LISTING: Final = End(Noun.LISTING, "listing_id")
TRADE: Final = End(Noun.TRADE, "trade_id")

JOINS: Final = (
    Join(Listing, End(Noun.ASSET, "asset_id", "asset_version"), LISTING, "LISTED_AS"),
    Join(Trade, LISTING, TRADE, "TRADED_AS"),
    Join(Trade, TRADE, End(Noun.PARTICIPANT, "buyer"), "BOUGHT_BY"),
    Join(Delivery, TRADE, End(Noun.DELIVERY, "delivery_id"), "DELIVERED_AS"),
)
"""What ends a join never changes once the record is made, so any version of it tells."""
