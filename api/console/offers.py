"""
What the page of one listing shows, as plain values for its template.

Listings are public; whoever bought by one is not, and stands nowhere here.
"""

from typing import Any

from api.console.views import asset_titles, name_of
from api.deps import Reading, Services
from api.moments import moment_text
from chain.codes import DeliveryForm
from chain.values import ListingId, yuan_from_fen
from registry.assets import Asset
from settlement.listings import Listing


def listing_page(
    reading: Reading, services: Services, listing_id: ListingId
) -> dict[str, Any] | None:
    """Return everything on a listing's page; None if the ledger does not know it."""
    listing = reading.find(Listing, listing_id)
    if listing is None:
        return None
    asset = reading.find(Asset, listing.asset_id, listing.asset_version)
    titles = asset_titles(services, [asset] if asset else [])
    return {
        "listing": {
            "listing_id": listing_id,
            "version": listing.version,
            "state": listing.state.name,
            "asset_id": listing.asset_id,
            "title": titles[asset.metadata_digest] if asset else listing.asset_id,
            "asset_version": listing.asset_version,
            "seller": name_of(reading, services, listing.seller),
            "home_venue": name_of(reading, services, listing.home_venue),
            "mode": listing.mode.name,
            "price_yuan": yuan_from_fen(listing.price_fen),
            "unit_quantity": listing.unit_quantity,
            "unit": listing.unit.name,
            "forms": [one.name for one in DeliveryForm if listing.delivery_forms & (1 << one)],
            "list_until": moment_text(listing.list_until),
            "terms_digest": listing.terms_digest,
        }
    }
