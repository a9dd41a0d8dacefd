"""
What the console's pages show, as plain values for their templates.

No markup and no words of a language; the mirror is read through `chain.reads` and the packages'
stores.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import func, select

from api.catalogue import titles
from api.console.searching import matching
from api.deps import Reading, Services
from api.moments import moment_text
from chain.codes import (
    AssetKind,
    CertificateKind,
    DeliveryState,
    ListingState,
    Noun,
    RegistrationState,
    Verdict,
)
from chain.reads import Place, count, page
from chain.rows import BLOCKS, EVENTS
from chain.values import AssetId, ParticipantId
from registry.assets import Asset
from registry.certificates import Certificate, code_text, status_at
from registry.lineage import Direction, Edge, Node, asset_node
from registry.participants import Participant
from registry.registrations import Registration
from registry.rights import Right, kinds_of
from registry.store import every, list_reviews, registered_version
from settlement.deliveries import Delivery
from settlement.listings import Listing
from settlement.settlements import Settlement
from settlement.store import lineage_of
from settlement.trades import Trade

EVENTS_SHOWN: Final = 12
PUBLIC: Final = (Noun.ASSET, Noun.LISTING)
# What is still open is no failure.
TONES: Final = {Verdict.PASS: "VALID", Verdict.FAIL: "INVALID", Verdict.PENDING: "UNKNOWN"}


def overview_counts(reading: Reading) -> dict[str, Any]:
    """Return how much of each of the six links there is, and of each kind of asset."""
    accepted = (DeliveryState.ACCEPTED, DeliveryState.DEEMED_ACCEPTED)
    links = (
        ("registration", Registration, {"state": RegistrationState.DEPOSITED}),
        ("listing", Listing, {"state": ListingState.LISTED}),
        ("trade", Trade, None),
        ("delivery", Delivery, {"state": accepted}),
        ("settlement", Settlement, None),
        ("certificate", Certificate, None),
    )
    return {
        "links": [(name, _count(reading, record, where)) for name, record, where in links],
        "kinds": [
            (kind.name, _count(reading, Asset, {"kind": kind})) for kind in AssetKind if kind
        ],
        "participants": _count(reading, Participant, None),
    }


def latest_events(reading: Reading) -> list[dict[str, Any]]:
    """
    Return the newest events, newest first; those of one block, contract and name as one row.

    ensures: no more is read than the newest blocks that have events, one for each row at most
    """
    number, index = EVENTS.c.block_number, EVENTS.c.log_index
    newest = select(number).distinct().order_by(number.desc()).limit(EVENTS_SHOWN).subquery()
    last = func.max(index).label("last")
    query = (
        select(number, EVENTS.c.name, EVENTS.c.contract, BLOCKS.c.timestamp, func.count(), last)
        .join(BLOCKS, BLOCKS.c.number == number)
        .where(number.in_(select(newest.c.block_number)))
        .group_by(number, EVENTS.c.name, EVENTS.c.contract, BLOCKS.c.timestamp)
        .order_by(number.desc(), last.desc())
        .limit(EVENTS_SHOWN)
    )
    return [
        {
            "block_number": block_number,
            "name": name,
            "contract": contract,
            "time": moment_text(timestamp),
            "count": count_of_them,
        }
        for block_number, name, contract, timestamp, count_of_them, _ in reading.session.execute(
            query
        )
    ]


def asset_rows(
    reading: Reading,
    services: Services,
    *,
    kind: AssetKind | None,
    search: str,
    after: str,
    limit: int,
) -> tuple[list[dict[str, Any]], str]:
    """
    Return a page of the catalogue, and where the next one begins (empty at the end).

    :raises SearchTooBroad: as `api.console.searching.matching` does
    """
    found = page(
        reading.session,
        Asset,
        where={} if kind is None else {"kind": kind},
        any_of=matching(reading, services, search),
        after=_place(after),
        limit=limit,
        at_block=reading.at_block,
    )
    assets = [one.record for one in found.items]
    names = asset_titles(services, assets)
    rows = [_asset_row(reading, services, one, names[one.metadata_digest]) for one in assets]
    return rows, _place_text(found.next)


def asset_page(reading: Reading, services: Services, asset_id: AssetId) -> dict[str, Any] | None:
    """Return everything on an asset's page; None if the ledger does not know it."""
    versions = list(_every(reading, Asset, {"asset_id": asset_id}))
    if not versions:
        return None
    asset: Asset = max(versions, key=lambda one: one.version)
    nodes, edges = public_lineage(reading, asset)
    title = asset_titles(services, [asset])[asset.metadata_digest]
    reviews = list_reviews(
        reading.session, asset.asset_id, asset.version, at_block=reading.at_block
    )
    return {
        "asset": {
            **_asset_row(reading, services, asset, title),
            "version": asset.version,
            "category": asset.category.name,
            "grade": asset.grade.name,
            "content_digest": asset.content_digest,
            "metadata_digest": asset.metadata_digest,
        },
        "nodes": nodes,
        "edges": edges,
        "labels": _labels(reading, services, nodes, asset),
        "certificates": _certificates(reading, services, asset),
        "rights": _rights(reading, services, asset),
        "reviews": [
            {"kind": one.kind.name, "verdict": one.verdict.name, "tone": TONES[one.verdict]}
            for one in reviews
        ],
        "revenue": [
            {"payee": name_of(reading, services, one.participant_id), "percent": _percent(one)}
            for one in asset.revenue_table
        ],
    }


def public_lineage(reading: Reading, asset: Asset) -> tuple[tuple[Node, ...], tuple[Edge, ...]]:
    """Return what anybody may see of an asset's lineage, both ways: assets and listings."""
    start = asset_node(asset.asset_id, asset.version)
    walks = [
        lineage_of(reading.session, start, direction, at_block=reading.at_block)
        for direction in Direction
    ]
    nodes = dict.fromkeys(one for walk in walks for one in walk.nodes if one.noun in PUBLIC)
    edges = dict.fromkeys(edge for walk in walks for edge in walk.edges)
    return tuple(nodes), tuple(edges)


def asset_titles(services: Services, assets: Iterable[Asset]) -> Mapping[str, str]:
    """Return what each asset is called, by metadata digest; a short id where nothing says it."""
    held = list(assets)
    known = titles(services.operational, (one.metadata_digest for one in held))
    return {
        one.metadata_digest: known[one.metadata_digest].title
        if one.metadata_digest in known and known[one.metadata_digest].title
        else f"{one.asset_id[:10]}…"
        for one in held
    }


def name_of(reading: Reading, services: Services, participant_id: ParticipantId) -> str:
    """Return what an organisation is called; a short id where nothing says it."""
    found = reading.find(Participant, participant_id)
    known = titles(services.operational, [found.profile_digest]) if found else {}
    title = known[found.profile_digest].title if found and known else ""
    return title or f"{participant_id[:10]}…"


def _asset_row(reading: Reading, services: Services, asset: Asset, title: str) -> dict[str, Any]:
    registered = registered_version(reading.session, asset.asset_id, at_block=reading.at_block)
    return {
        "asset_id": asset.asset_id,
        "title": title,
        "kind": asset.kind.name,
        "registrant": name_of(reading, services, asset.registrant),
        "is_registered": registered >= asset.version,
    }


def _labels(
    reading: Reading, services: Services, nodes: Sequence[Node], here: Asset
) -> dict[Node, dict[str, Any]]:
    labels = {}
    for node in nodes:
        if node.noun is Noun.LISTING:
            title, kind, href = f"{node.id[:10]}…", "LISTING", f"/listings/{node.id}"
        else:
            asset = reading.find(Asset, node.id, node.version)
            title = asset_titles(services, [asset])[asset.metadata_digest] if asset else node.id
            kind = asset.kind.name if asset else AssetKind.RESOURCE.name
            href = f"/assets/{node.id}"
        is_here = node.id == here.asset_id
        labels[node] = {
            "title": title,
            "kind": kind,
            "href": "" if is_here else href,
            "is_here": is_here,
        }
    return labels


def _certificates(reading: Reading, services: Services, asset: Asset) -> list[dict[str, Any]]:
    public = {"subject_id": asset.asset_id, "kind": CertificateKind.REGISTRATION}
    return [
        {
            "code": code_text(one.code),
            "kind": one.kind.name,
            "holder": name_of(reading, services, one.holder),
            "status": status_at(
                base=one.base, flags=one.flags, valid_until=one.valid_until, now=reading.now
            ).value,
            "valid_until": moment_text(one.valid_until),
        }
        for one in _every(reading, Certificate, public)
    ]


def _rights(reading: Reading, services: Services, asset: Asset) -> list[dict[str, Any]]:
    return [
        {
            "holder": name_of(reading, services, one.holder),
            "kinds": [kind.name for kind in kinds_of(one.kinds)],
            "valid_until": moment_text(one.valid_until),
        }
        for one in _every(reading, Right, {"asset_id": asset.asset_id})
        if one.revoked_at == 0
    ]


def _percent(payee: Any) -> str:
    whole, rest = divmod(payee.share_bps, 100)
    return f"{whole}.{rest:02d}"


def _every(reading: Reading, record: type[Any], where: Mapping[str, Any]) -> Iterable[Any]:
    return every(reading.session, record, where=where, at_block=reading.at_block)


def _count(reading: Reading, record: type, where: Mapping[str, Any] | None) -> int:
    return count(reading.session, record, where=where, at_block=reading.at_block)


def _place(text: str) -> Place | None:
    parts = text.split(".")
    if len(parts) != 4 or not all(
        one.isascii() and one.isdigit() for one in (*parts[:2], parts[3])
    ):
        return None
    return Place(int(parts[0]), int(parts[1]), (parts[2], int(parts[3])))


def _place_text(place: Place | None) -> str:
    if place is None:
        return ""
    asset_id, version = place.key
    return f"{place.from_block}.{place.from_log}.{asset_id}.{version}"
