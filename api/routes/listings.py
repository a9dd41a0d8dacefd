"""
Offers, and where they are mirrored: public.
"""

from typing import Annotated

from fastapi import APIRouter, Depends

from api.additions import TO_LISTING, to_listings
from api.answering.door import quick
from api.deps import PagingDep, ReadingDep, ServicesDep, StepsDep
from api.histories import tell_history
from api.models import Answer, Json, status
from api.paging import Where, filters
from api.parameters import IdPath
from api.problems import declares
from api.statuses import ListingStatus, listing_status
from chain.errors import ListingNotFound
from chain.values import ListingId
from settlement.listings import Listing, ListingMirror

router = APIRouter(prefix="/listings", tags=["listings"])

LISTING = Answer(
    Listing,
    status(ListingStatus, "The state, and what time made of it.", listing_status),
    added=TO_LISTING,
    excluded=("title", "overview"),
)
MIRROR = Answer(ListingMirror)


@router.get("", response_model=LISTING.list_model, responses=declares())
@quick
def browse(
    services: ServicesDep,
    reading: ReadingDep,
    where: Annotated[Where, Depends(filters(Listing, "state", "asset_id", "seller", "home_venue"))],
    pages: PagingDep,
) -> Json:
    """List offers."""
    return reading.page(LISTING, where, pages, to_listings(services, reading))


@router.get("/{id}", response_model=LISTING.model, responses=declares(ListingNotFound))
@quick
def read(services: ServicesDep, reading: ReadingDep, listing_id: IdPath) -> Json:
    """Return one offer."""
    missing = ListingNotFound(listing_id=ListingId(listing_id))
    return reading.one(LISTING, listing_id, missing=missing, add=to_listings(services, reading))


@router.get("/{id}/mirrors", response_model=MIRROR.list_model, responses=declares())
@quick
def mirrors(reading: ReadingDep, listing_id: IdPath, pages: PagingDep) -> Json:
    """List the other venues that show an offer."""
    return reading.page(MIRROR, {"listing_id": listing_id}, pages)


@router.get(
    "/{id}/history", response_model=LISTING.history_model, responses=declares(ListingNotFound)
)
def history(reading: ReadingDep, listing_id: IdPath, pages: StepsDep) -> Json:
    """List the versions of one offer, oldest first."""
    missing = ListingNotFound(listing_id=ListingId(listing_id))
    return tell_history(reading, LISTING, listing_id, pages=pages, missing=missing)
