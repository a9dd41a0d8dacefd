"""
The console's pages: overview, catalogue, one page per asset, and the check of a certificate file.

They read what the API reads and show nothing that it would not show to anybody. Words are
`api.console.words`, geometry is `api.console.drawing`, markup is in the templates.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final

from fastapi import APIRouter, FastAPI, File, Request, Response, UploadFile
from fastapi.responses import HTMLResponse
from fastapi.staticfiles import StaticFiles
from fastapi.templating import Jinja2Templates

from api.catalogue import search as search_documents
from api.console.drawing import draw
from api.console.views import asset_page, asset_rows, latest_events, overview_counts
from api.console.words import choose, words
from api.deps import Reading, ReadingDep, Services, ServicesDep
from chain.codes import AssetKind
from chain.values import AssetId
from registry.bundles import verify
from registry.trust import read_trust

FOLDER: Final = Path(__file__).parent
TEMPLATES: Final = Jinja2Templates(directory=FOLDER / "templates")
LANGUAGE_COOKIE: Final = "language"
ROWS_MAX: Final = 50
BUNDLE_BYTES_MAX: Final = 2 << 20

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)


def console(app: FastAPI, services: Services) -> None:  # noqa: ARG001
    """Add the console to an application: an extension as `create_app` takes it."""
    app.include_router(router)
    app.mount("/console/static", StaticFiles(directory=FOLDER / "static"), name="console")


@router.get("/")
def overview(request: Request, reading: ReadingDep) -> Response:
    """Show the six links with their counts."""
    page = {
        **overview_counts(reading),
        "events": latest_events(reading),
    }
    return _page(request, "overview.html", reading, page)


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
    documents = search_documents(services.operational, search) if search.strip() else None
    rows, more = asset_rows(
        reading, services, kind=wanted, documents=documents, after=after, limit=ROWS_MAX
    )
    link = f"/catalogue?kind={kind}&search={search}&after={more}" if more else ""
    page = {"assets": rows, "search": search, "kind": kind, "more": link}
    return _page(request, "catalogue.html", reading, page)


@router.get("/assets/{asset_id}")
def asset(request: Request, reading: ReadingDep, services: ServicesDep, asset_id: str) -> Response:
    """Show an asset with its lineage drawn."""
    found = asset_page(reading, services, AssetId(asset_id))
    if found is None:
        return _page(request, "problem.html", reading, {}, status=404)
    picture = draw(found["nodes"], found["edges"])
    return _page(request, "asset.html", reading, {**found, "drawing": picture})


@router.get("/verify")
def verify_form(request: Request, reading: ReadingDep, services: ServicesDep) -> Response:
    """Show where a certificate file can be dropped."""
    return _page(request, "verify.html", reading, {"has_trust": _trust_path(services).is_file()})


@router.post("/verify")
def verify_file(
    request: Request,
    reading: ReadingDep,
    services: ServicesDep,
    file: Annotated[UploadFile, File()],
) -> Response:
    """Check a dropped certificate file against the exported trust list, and nothing else."""
    path = _trust_path(services)
    if not path.is_file():
        return _page(request, "verify.html", reading, {"has_trust": False}, status=409)
    found = verify(
        file.file.read(BUNDLE_BYTES_MAX),
        trust=read_trust(path.read_bytes()),
        now=max(services.clock(), reading.now),
    )
    page = {"has_trust": True, "verification": found, "file_name": file.filename or ""}
    return _page(request, "verify.html", reading, page)


def _trust_path(services: Services) -> Path:
    return services.exports / "trust.json"


def _page(
    request: Request,
    template: str,
    reading: Reading,
    page: Mapping[str, Any],
    *,
    status: int = 200,
) -> Response:
    asked = request.query_params.get("lang")
    language = choose(
        asked=asked,
        remembered=request.cookies.get(LANGUAGE_COOKIE),
        accepted=request.headers.get("accept-language", ""),
    )
    context = {"w": words(language), "language": language, "block": reading.block, **page}
    response = TEMPLATES.TemplateResponse(request, template, context, status_code=status)
    if asked == language:
        response.set_cookie(LANGUAGE_COOKIE, language, samesite="lax", httponly=True)
    return response
