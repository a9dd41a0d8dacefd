"""
The paths under /v1, one module per plural noun, and nothing but paths: rules are the nouns' own.
"""

from collections.abc import Iterator
from typing import Final

from fastapi import APIRouter, Depends
from fastapi.routing import APIRoute

from api.paging import known_parameters
from api.routes import (
    accounts,
    agreements,
    assessments,
    assets,
    blocks,
    certificates,
    deliveries,
    events,
    funds,
    health,
    listings,
    nonces,
    participants,
    profiles,
    registrations,
    rights,
    sessions,
    settlements,
    statistics,
    stream,
    trades,
    transactions,
    webhooks,
)

MODULES: Final = (
    participants,
    accounts,
    profiles,
    agreements,
    assets,
    registrations,
    rights,
    assessments,
    certificates,
    listings,
    trades,
    deliveries,
    funds,
    settlements,
    transactions,
    blocks,
    events,
    statistics,
    stream,
    webhooks,
    health,
    nonces,
    sessions,
)

PREFIX: Final = "/v1"


def reads() -> Iterator[tuple[str, APIRoute]]:
    """Return the paths that are read, with their routes, in the order in which they are tried."""
    for module in MODULES:
        for route in module.router.routes:
            if isinstance(route, APIRoute):
                yield f"{PREFIX}{route.path}", route


def v1() -> APIRouter:
    """Return all paths under /v1."""
    router = APIRouter(prefix=PREFIX, dependencies=[Depends(known_parameters)])
    for module in MODULES:
        router.include_router(module.router)
    return router
