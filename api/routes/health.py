"""
Whether this server's answers can be relied on now: public.
"""

from fastapi import APIRouter

from api.deps import ServicesDep
from api.health import HEALTH, tell_health
from api.models import Json
from api.problems import declares

router = APIRouter(prefix="/health", tags=["health"])


@router.get("", response_model=HEALTH, responses=declares())
def read(services: ServicesDep) -> Json:
    """Return how far the mirror is behind the node, and whether the books close."""
    return tell_health(services)
