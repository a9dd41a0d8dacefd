"""
Data resources, elements and products, version by version, and what they came from: public, but for
who bought them.
"""

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query

from api.access import LookerDep
from api.additions import TO_ASSET, to_assets
from api.answering.door import quick
from api.asof import NotThereYet
from api.catalogue import search as search_documents
from api.deps import PagingDep, Reading, ReadingDep, ServicesDep, StepsDep
from api.histories import tell_history
from api.lineage import LINEAGE, tell_lineage
from api.models import Answer, Json
from api.paging import Where, filters
from api.parameters import IdPath, SearchQuery, VersionQuery
from api.problems import declares
from chain.errors import AssetNotFound
from chain.failure import LedgerError
from chain.values import AssetId
from registry.assets import Asset, AssetReview
from registry.lineage import Direction
from registry.store import find_version

router = APIRouter(prefix="/assets", tags=["assets"])

ASSET = Answer(Asset, added=TO_ASSET, excluded=("title", "overview"))
REVIEW = Answer(AssetReview)


@router.get("", response_model=ASSET.list_model, responses=declares())
@quick
def browse(
    services: ServicesDep,
    reading: ReadingDep,
    where: Annotated[
        Where, Depends(filters(Asset, "asset_id", "kind", "registrant", "content_digest"))
    ],
    pages: PagingDep,
    search: SearchQuery = None,
) -> Json:
    """List versions of assets; `search` asks for words in their metadata documents."""
    if search is not None:
        where = {**where, "metadata_digest": search_documents(services.operational, search)}
    return reading.page(ASSET, where, pages, to_assets(services, reading))


@router.get("/{id}", response_model=ASSET.model, responses=declares(AssetNotFound, NotThereYet))
@quick
def read(
    services: ServicesDep, reading: ReadingDep, asset_id: IdPath, version: VersionQuery = None
) -> Json:
    """Return a version of an asset: by default the newest registered, else the newest declared."""
    found = find_version(reading.session, AssetId(asset_id), version, at_block=reading.at_block)
    missing = _missing(reading, AssetId(asset_id), found)
    return reading.one(ASSET, asset_id, found, missing=missing, add=to_assets(services, reading))


@router.get("/{id}/reviews", response_model=REVIEW.list_model, responses=declares())
@quick
def reviews(reading: ReadingDep, asset_id: IdPath, pages: PagingDep) -> Json:
    """List the security reviews of all versions of an asset."""
    return reading.page(REVIEW, {"asset_id": asset_id}, pages)


@router.get("/{id}/lineage", response_model=LINEAGE, responses=declares(AssetNotFound, NotThereYet))
def lineage(
    looker: LookerDep,
    asset_id: IdPath,
    version: VersionQuery = None,
    direction: Annotated[
        Literal["upstream", "downstream"] | None,
        Query(description="Towards the sources or towards the buyers; both when left out."),
    ] = None,
) -> Json:
    """Return what an asset came from and what became of it, as far as the caller may see it."""
    reading = looker.reading
    found = find_version(reading.session, AssetId(asset_id), version, at_block=reading.at_block)
    missing = _missing(reading, AssetId(asset_id), found)
    reading.require(Asset, asset_id, found, missing=missing)
    ways = tuple(Direction) if direction is None else (Direction[direction.upper()],)
    return tell_lineage(looker, AssetId(asset_id), found, ways)


@router.get(
    "/{id}/history",
    response_model=ASSET.history_model,
    responses=declares(AssetNotFound, NotThereYet),
)
def history(
    reading: ReadingDep, asset_id: IdPath, pages: StepsDep, version: VersionQuery = None
) -> Json:
    """List what became of one version of an asset, oldest first."""
    found = find_version(reading.session, AssetId(asset_id), version, at_block=reading.at_block)
    missing = _missing(reading, AssetId(asset_id), found)
    return tell_history(reading, ASSET, asset_id, found, pages=pages, missing=missing)


def _missing(reading: Reading, asset_id: AssetId, version: int) -> LedgerError:
    """Return why a version is not told: the asset is unknown, or was not there yet."""
    number = reading.block.number
    if not version and find_version(reading.session, asset_id, None):
        return NotThereYet(noun="asset", id=asset_id, block_number=number)
    return AssetNotFound(asset_id=asset_id, version=version)
