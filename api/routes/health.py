"""
Whether this server's answers can be relied on now: public.
"""

from fastapi import APIRouter

from api.deps import ServicesDep
from api.health import HEALTH, STANDING, require_ready, tell_health
from api.models import Json
from api.problems import NotReady, declares

router = APIRouter(prefix="/health", tags=["health"])


@router.get("", response_model=HEALTH, responses=declares())
def read(services: ServicesDep) -> Json:
    """Return how far the mirror is behind the node, and whether the books close."""
    return tell_health(services)


@router.get("/live", response_model=STANDING, responses=declares())
def live() -> Json:
    """Return that this process answers at all: where it does not, start it again."""
    return {"status": "OK"}


@router.get("/ready", response_model=STANDING, responses=declares(NotReady))
def ready(services: ServicesDep) -> Json:
    """Return that this process can answer questions about the present: else ask another."""
    return require_ready(services)
