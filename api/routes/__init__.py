"""
The paths under /v1, one module per plural noun, and nothing but paths: rules are the nouns' own.
"""

from typing import Final

from fastapi import APIRouter, Depends

from api.paging import known_parameters
from api.routes import (
    accounts,
    agreements,
    assessments,
    assets,
    certificates,
    deliveries,
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
    trades,
    transactions,
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
    statistics,
    health,
    nonces,
    sessions,
)


def v1() -> APIRouter:
    """Return all paths under /v1."""
    router = APIRouter(prefix="/v1", dependencies=[Depends(known_parameters)])
    for module in MODULES:
        router.include_router(module.router)
    return router
