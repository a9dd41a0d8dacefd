"""
The console's pages: overview, catalogue, one page per asset and listing, the check of a certificate
file, and what the API offers.

They read what the API reads and show nothing that it would not show to anybody. Words are
`api.console.words`, geometry is `api.console.drawing`, markup is in the templates.
"""

import base64
from pathlib import Path
from typing import Annotated, Final
from urllib.parse import urlencode

from fastapi import APIRouter, FastAPI, File, Form, Request, Response, UploadFile
from fastapi.responses import HTMLResponse
from fastapi.staticfiles import StaticFiles

from api.console.drawing import draw
from api.console.failing import answer_people, failure_page
from api.console.offers import listing_page
from api.console.operations import operations_of
from api.console.rendering import language_of, render
from api.console.views import asset_page, asset_rows, latest_events, overview_counts
from api.deps import ReadingDep, Services, ServicesDep
from chain.codes import AssetKind
from chain.values import AssetId, ListingId
from registry.bundles import verify
from registry.trust import read_trust

FOLDER: Final = Path(__file__).parent
ROWS_MAX: Final = 50
BUNDLE_BYTES_MAX: Final = 2 << 20
# What a verdict's page holds of the file, so that it can be read in the other language too.
KEPT_BYTES_MAX: Final = 64 << 10

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)


def console(app: FastAPI, services: Services) -> None:  # noqa: ARG001
    """Add the console to an application: an extension as `create_app` takes it."""
    app.include_router(router)
    app.mount("/console/static", StaticFiles(directory=FOLDER / "static"), name="console")
    answer_people(app)


@router.get("/")
def overview(request: Request, reading: ReadingDep) -> Response:
    """Show the six links with their counts."""
    page = {**overview_counts(reading), "events": latest_events(reading)}
    return render(request, "overview.html", page, reading=reading)


@router.get("/catalogue")
def catalogue(
    request: Request,
    reading: ReadingDep,
    services: ServicesDep,
    search: str = "",
    kind: str = "",
    after: str = "",
) -> Response:
    """Show the assets, or those that a search finds."""
    wanted = AssetKind[kind] if kind in AssetKind.__members__ else None
    rows, more = asset_rows(
        reading, services, kind=wanted, search=search, after=after, limit=ROWS_MAX
    )
    asked = {"kind": kind, "search": search, "after": more}
    link = f"/catalogue?{urlencode(asked)}" if more else ""
    page = {"assets": rows, "search": search, "kind": kind, "more": link}
    return render(request, "catalogue.html", page, reading=reading)


@router.get("/assets/{asset_id}")
def asset(request: Request, reading: ReadingDep, services: ServicesDep, asset_id: str) -> Response:
    """Show an asset with its lineage drawn."""
    found = asset_page(reading, services, AssetId(asset_id))
    if found is None:
        return failure_page(request, "asset-not-found", 404)
    picture = draw(found["nodes"], found["edges"])
    return render(request, "asset.html", {**found, "drawing": picture}, reading=reading)


@router.get("/listings/{listing_id}")
def listing(
    request: Request, reading: ReadingDep, services: ServicesDep, listing_id: str
) -> Response:
    """Show what is offered, for how much and how."""
    found = listing_page(reading, services, ListingId(listing_id))
    if found is None:
        return failure_page(request, "listing-not-found", 404)
    return render(request, "listing.html", found, reading=reading)


@router.get("/api")
def operations(request: Request, reading: ReadingDep) -> Response:
    """List what the API offers to programs."""
    found = operations_of(request.app.openapi(), language_of(request))
    return render(request, "api.html", {"operations": found}, reading=reading)


@router.get("/verify")
def verify_form(request: Request, reading: ReadingDep, services: ServicesDep) -> Response:
    """Show where a certificate file can be dropped."""
    page = {"has_trust": _trust_path(services).is_file()}
    return render(request, "verify.html", page, reading=reading)


@router.post("/verify")
def verify_file(
    request: Request,
    reading: ReadingDep,
    services: ServicesDep,
    file: Annotated[UploadFile | None, File()] = None,
    kept: Annotated[str, Form()] = "",
    name: Annotated[str, Form()] = "",
) -> Response:
    """
    Check a certificate file against the exported trust list, and nothing else.

    shape: a dropped file; or, from the page of a verdict, what that kept of it and its name
    """
    path = _trust_path(services)
    if not path.is_file():
        return render(request, "verify.html", {"has_trust": False}, reading=reading, status=409)
    data = _unkept(kept) if file is None else file.file.read(BUNDLE_BYTES_MAX)
    if not data:
        return render(request, "verify.html", {"has_trust": True}, reading=reading, status=422)
    now = max(services.clock(), reading.now)
    page = {
        "has_trust": True,
        "verification": verify(data, trust=read_trust(path.read_bytes()), now=now),
        "file_name": name if file is None else file.filename or "",
        # A link would lose the verdict.
        "language_link": "",
        "kept": base64.b64encode(data).decode() if len(data) <= KEPT_BYTES_MAX else "",
    }
    return render(request, "verify.html", page, reading=reading)


def _unkept(kept: str) -> bytes:
    try:
        return base64.b64decode(kept, validate=True)
    except ValueError:
        return b""


def _trust_path(services: Services) -> Path:
    return services.exports / "trust.json"
