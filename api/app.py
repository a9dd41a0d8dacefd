"""
The application: paths, problems, and whatever else is mounted beside them.

It opens nothing and starts nothing: `api.compose` does, and a server runs what this returns.
"""

from collections.abc import Callable, Sequence
from typing import Any, Final

from fastapi import APIRouter, FastAPI, Path
from fastapi.routing import APIRoute

from api import problems
from api.answering.door import Door
from api.deps import Services
from api.limits import BodyLimit
from api.models import Json, described
from api.observing.exposition import metrics
from api.observing.middleware import Observed
from api.routes import reads, v1
from api.wire import make_model
from chain.failure import NotFound

Extension = Callable[[FastAPI, Services], None]
"""What else an application serves, such as the console; it adds its own paths."""

TITLE: Final = "Shulian"
VERSION: Final = "0.1.0"
DESCRIPTION: Final = (
    "The ledger that data exchanges share. Reads come from a mirror of the chain and say as of"
    " which block; writes are signed acts that are relayed to it."
)


class ProblemNotFound(NotFound):
    """There is no problem type of this name."""

    slug_given: str


PROBLEM_TYPE: Final = make_model(
    "ProblemType",
    described(
        {
            "type": (str, "The type as it stands in a problem."),
            "name": (str, "The error's name in Solidity and Python."),
            "title": (str, "What went wrong, in one sentence."),
            "status": (int, "The HTTP status it comes with."),
            "family": (str, "NotFound, Conflict, Forbidden, Invalid, or LedgerError for ours."),
            "description": (str, "What there is to know about it."),
            "fields": (list[str], "The values that come with it, under `fields`."),
        }
    ),
    doc="A kind of problem.",
)
PROBLEM_TYPES: Final = make_model(
    "ProblemTypes",
    described({"items": (list[PROBLEM_TYPE], "All of them, by type.")}),  # type: ignore[valid-type]
    doc="Every kind of problem.",
)

explanations = APIRouter(prefix="/problems", tags=["problems"])


@explanations.get("", response_model=PROBLEM_TYPES)
def browse() -> Json:
    """List every type of problem."""
    known = problems.catalogue()
    return {"items": [problems.explain(known[slug]) for slug in sorted(known)]}


@explanations.get(
    "/{slug}", response_model=PROBLEM_TYPE, responses=problems.declares(ProblemNotFound)
)
def read(slug: str = Path(max_length=100, description="The last part of the type.")) -> Json:
    """Explain one type of problem."""
    error = problems.catalogue().get(slug)
    if error is None:
        raise ProblemNotFound(slug_given=slug)
    return problems.explain(error)


def create_app(services: Services, *, extensions: Sequence[Extension] = ()) -> FastAPI:
    """
    Return the application that answers with these services.

    shape: each extension is called once with the application, after the API's own paths are there
    """
    app = bare_app()
    app.state.services = services
    for extend in extensions:
        extend(app, services)
    return app


def bare_app() -> FastAPI:
    """Return the application without services: enough for its OpenAPI document."""
    app = FastAPI(
        title=TITLE,
        version=VERSION,
        description=DESCRIPTION,
        generate_unique_id_function=_operation_id,
        separate_input_output_schemas=False,
        redoc_url=None,
        docs_url=None,
        # We measure ourselves (`api.observing.metrics`); looking for others' means costs every
        # request.
        telemetry={"tracing": False, "metrics": False, "logs": False},
    )
    problems.install(app)
    app.add_middleware(BodyLimit)
    app.add_middleware(Door, routes=reads)
    app.add_middleware(Observed)
    app.include_router(v1())
    app.include_router(explanations)
    app.add_route("/metrics", metrics, include_in_schema=False)
    _document_problems(app)
    return app


def openapi() -> dict[str, Any]:
    """Return the OpenAPI document, which is committed."""
    return bare_app().openapi()


def _document_problems(app: FastAPI) -> None:
    make = app.openapi

    def with_problem() -> dict[str, Any]:
        document = make()
        document["components"]["schemas"]["Problem"] = problems.SCHEMA
        return document

    app.openapi = with_problem  # type: ignore[method-assign]


def _operation_id(route: APIRoute) -> str:
    return f"{route.tags[0]}-{route.name}" if route.tags else route.name
