"""
From any failure to `application/problem+json` (RFC 9457): one type per named error, one status per
family.

It is not where errors are defined: those stand beside what raises them, or in `chain.errors`.
"""

import logging
from collections.abc import Iterator, Mapping, Sequence
from inspect import cleandoc
from typing import Any, Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from api.streaming.streams import StreamsFull, TooManyStreams
from chain.content import ContentCorrupted
from chain.failure import Conflict, Forbidden, Invalid, LedgerError, NotFound
from chain.rpc import NodeContradicts, NodeRefused, NodeUnavailable

LOG: Final = logging.getLogger(__name__)

MEDIA_TYPE: Final = "application/problem+json"
OURS: Final = ("chain.", "registry.", "settlement.", "api.")


class RequestMalformed(Invalid):
    """The request does not have the form that this operation takes."""


class RouteNotFound(NotFound):
    """There is nothing at this path."""

    path: str


class MethodNotAllowed(Invalid):
    """This path does not serve this method."""

    method: str


class RequestRefused(Invalid):
    """The server does not take this request."""

    reason: str


class InternalFailure(LedgerError):
    """The server failed; the request was not at fault."""


class SignInRequired(Forbidden):
    """Sign in first: this is shown to those concerned only."""


class MirrorEmpty(LedgerError):
    """The mirror has not applied a block yet; ask again shortly."""


class NotReady(LedgerError):
    """This server should not be asked now: ask another, or again later."""

    status: str


class RelayNotServed(LedgerError):
    """This server answers questions only: it relays no acts."""


FAMILIES: Final[Mapping[type[LedgerError], int]] = {
    NotFound: 404,
    Conflict: 409,
    Forbidden: 403,
    Invalid: 422,
    LedgerError: 500,
}

# Where HTTP has a word of its own for it.
STATUSES: Final[Mapping[type[LedgerError], int]] = {
    SignInRequired: 401,
    MethodNotAllowed: 405,
    NodeUnavailable: 503,
    NodeRefused: 502,
    NodeContradicts: 502,
    MirrorEmpty: 503,
    NotReady: 503,
    StreamsFull: 503,
    TooManyStreams: 429,
    RelayNotServed: 503,
    ContentCorrupted: 500,
}

SCHEMA: Final[Mapping[str, Any]] = {
    "type": "object",
    "description": "A problem (RFC 9457).",
    "required": ["type", "title", "status", "detail", "fields"],
    "properties": {
        "type": {"type": "string", "description": "What went wrong: a path that explains it."},
        "title": {"type": "string", "description": "The same in one sentence."},
        "status": {"type": "integer", "description": "The HTTP status."},
        "detail": {"type": "string", "description": "The sentence with this case's values."},
        "fields": {
            "type": "object",
            "description": "This case's values by name, each as the API writes such a value.",
        },
        "errors": {
            "type": "array",
            "description": "What is malformed, one entry per place; only for a malformed request.",
            "items": {
                "type": "object",
                "required": ["location", "message"],
                "properties": {
                    "location": {"type": "string", "description": "For example query.limit."},
                    "message": {"type": "string", "description": "What is wrong there."},
                },
            },
        },
    },
}


REFERENCE: Final = "#/components/schemas/Problem"


def status_of(error: type[LedgerError]) -> int:
    """Return the HTTP status of an error: its own, else its family's."""
    return next(
        found
        for table in (STATUSES, FAMILIES)
        for kind in error.__mro__
        if (found := table.get(kind)) is not None
    )


def type_of(error: type[LedgerError]) -> str:
    """Return the problem type of an error: a path of this API."""
    return f"/problems/{error.slug()}"


def problem_of(error: LedgerError, errors: Sequence[Mapping[str, str]] = ()) -> dict[str, Any]:
    """Return an error as a problem document."""
    kind = type(error)
    document: dict[str, Any] = {
        "type": type_of(kind),
        "title": kind.title,
        "status": status_of(kind),
        "detail": str(error),
        "fields": error.to_fields(),
    }
    return {**document, "errors": list(errors)} if errors else document


def response_of(error: LedgerError, errors: Sequence[Mapping[str, str]] = ()) -> JSONResponse:
    """Return an error as the answer to a request."""
    headers = {"WWW-Authenticate": "Bearer"} if isinstance(error, SignInRequired) else None
    return JSONResponse(
        problem_of(error, errors),
        status_code=status_of(type(error)),
        media_type=MEDIA_TYPE,
        headers=headers,
    )


def declares(*errors: type[LedgerError]) -> dict[int | str, dict[str, Any]]:
    """Return what a route says in `responses=` about the errors it may answer with."""
    declared: dict[int | str, dict[str, Any]] = {}
    named: tuple[type[LedgerError], ...] = (RequestMalformed, *errors)
    for error in named:
        entry = declared.setdefault(
            status_of(error),
            {"description": "", "content": {MEDIA_TYPE: {"schema": {"$ref": REFERENCE}}}},
        )
        entry["description"] = f"{entry['description']} {error.title} ({type_of(error)})".strip()
    return declared


def catalogue() -> dict[str, type[LedgerError]]:
    """
    Return every named error of the ledger by its slug.

    shape: families are not errors; those of modules that are not loaded are missing
    """
    return {
        error.slug(): error
        for error in _below(LedgerError)
        if error not in FAMILIES and error.__module__.startswith(OURS)
    }


def explain(error: type[LedgerError]) -> dict[str, Any]:
    """Return what anybody can read about a problem type."""
    return {
        "type": type_of(error),
        "name": error.__name__,
        "title": error.title,
        "status": status_of(error),
        "family": next(kind.__name__ for kind in error.__mro__ if kind in FAMILIES),
        "description": " ".join(cleandoc(error.__doc__ or error.title).split()),
        "fields": list(error._field_names),
    }


def install(app: FastAPI) -> None:
    """Let an application answer every failure with a problem."""
    app.add_exception_handler(LedgerError, _on_ledger_error)
    app.add_exception_handler(RequestValidationError, _on_malformed)
    app.add_exception_handler(HTTPException, on_http)
    app.add_exception_handler(Exception, _on_failure)


def _below(kind: type[LedgerError]) -> Iterator[type[LedgerError]]:
    for error in kind.__subclasses__():
        yield error
        yield from _below(error)


def _on_ledger_error(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, LedgerError)
    return answer_to(error)


def answer_to(error: LedgerError) -> JSONResponse:
    """Return an error as the answer to a request, and log it if it is ours."""
    if status_of(type(error)) >= 500:
        LOG.error("request failed problem=%s detail=%s", error.slug(), error)
    return response_of(error)


def _on_malformed(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    errors = [
        {"location": ".".join(str(part) for part in one["loc"]), "message": str(one["msg"])}
        for one in error.errors()
    ]
    return response_of(RequestMalformed(), errors)


def on_http(request: Request, error: Exception) -> JSONResponse:
    """Return what HTTP says of a request as the answer to it."""
    assert isinstance(error, HTTPException)
    if error.status_code == 404:
        return response_of(RouteNotFound(path=request.url.path))
    if error.status_code == 405:
        return response_of(MethodNotAllowed(method=request.method))
    if error.status_code < 500:
        refused = {**problem_of(RequestRefused(reason=error.detail)), "status": error.status_code}
        return JSONResponse(refused, status_code=error.status_code, media_type=MEDIA_TYPE)
    return response_of(InternalFailure())


def _on_failure(_: Request, error: Exception) -> JSONResponse:
    LOG.error("request failed unexpectedly", exc_info=error)
    return response_of(InternalFailure())
