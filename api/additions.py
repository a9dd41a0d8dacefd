"""
What answers tell beside the record itself: titles from documents, and where a version stands.

It is not the record's own status (`api.statuses`), which needs nothing but the record and a time.
"""

from collections.abc import Mapping, Sequence
from enum import Enum, auto
from typing import Any, Final

from api.catalogue import Title, titles
from api.deps import Add, Reading, Services
from api.models import Json, names_of
from registry.assets import Asset, AssetHead
from registry.participants import Participant
from registry.store import every
from settlement.listings import Listing

UNTITLED: Final = Title("", "")


class AssetStatus(Enum):
    """How far a version of an asset has come; SUPERSEDED by a later version that is registered."""

    DECLARED = auto()
    REGISTERED = auto()
    SUPERSEDED = auto()


TITLE: Final = (str, "Its name in the metadata document; empty while that is not readable here.")
OVERVIEW: Final = (str, "What the metadata document says about it, cut short; empty likewise.")

TO_ASSET: Final[Mapping[str, tuple[Any, str]]] = {
    "status": (names_of(AssetStatus), "How far this version has come."),
    "title": TITLE,
    "overview": OVERVIEW,
}
TO_PARTICIPANT: Final[Mapping[str, tuple[Any, str]]] = {
    "name": (str, "Its name in the profile document; empty while that is not readable here.")
}
TO_LISTING: Final[Mapping[str, tuple[Any, str]]] = {"title": TITLE, "overview": OVERVIEW}


def to_assets(services: Services, reading: Reading) -> Add[Asset]:
    """Return what is added to versions of assets."""

    def add(assets: Sequence[Asset]) -> list[Json]:
        ids = tuple({one.asset_id for one in assets})
        heads = {
            head.asset_id: head
            for head in every(
                reading.session, AssetHead, where={"asset_id": ids}, at_block=reading.at_block
            )
        }
        said = titles(services.operational, (one.metadata_digest for one in assets))
        return [
            {
                "status": asset_status(one, heads[one.asset_id]).name,
                **_title(said.get(one.metadata_digest, UNTITLED)),
            }
            for one in assets
        ]

    return add


def asset_status(asset: Asset, head: AssetHead) -> AssetStatus:
    """Return how far a version has come."""
    if asset.version == head.registered_version:
        return AssetStatus.REGISTERED
    if asset.version < head.registered_version:
        return AssetStatus.SUPERSEDED
    return AssetStatus.DECLARED


def to_participants(services: Services) -> Add[Participant]:
    """Return what is added to organisations."""

    def add(participants: Sequence[Participant]) -> list[Json]:
        said = titles(services.operational, (one.profile_digest for one in participants))
        return [{"name": said.get(one.profile_digest, UNTITLED).title} for one in participants]

    return add


def to_listings(services: Services, reading: Reading) -> Add[Listing]:
    """Return what is added to offers: what their assets are called."""

    def add(listings: Sequence[Listing]) -> list[Json]:
        said = asset_titles(
            services, reading, [(one.asset_id, one.asset_version) for one in listings]
        )
        return [_title(said.get((one.asset_id, one.asset_version), UNTITLED)) for one in listings]

    return add


def asset_titles(
    services: Services, reading: Reading, versions: Sequence[tuple[str, int]]
) -> dict[tuple[str, int], Title]:
    """Return what versions of assets are called."""
    assets = assets_of(reading, versions)
    said = titles(services.operational, (one.metadata_digest for one in assets.values()))
    return {key: said.get(one.metadata_digest, UNTITLED) for key, one in assets.items()}


def assets_of(
    reading: Reading, versions: Sequence[tuple[str, int]]
) -> dict[tuple[str, int], Asset]:
    """Return versions of assets by id and version."""
    ids = tuple(sorted({asset_id for asset_id, _ in versions}))
    wanted = set(versions)
    found = every(reading.session, Asset, where={"asset_id": ids}, at_block=reading.at_block)
    return {key: one for one in found if (key := (one.asset_id, one.version)) in wanted}


def _title(said: Title) -> Json:
    return {"title": said.title, "overview": said.overview}
