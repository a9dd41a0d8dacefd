"""
How many of everything there is, over the six links from registration to certificate: public.
"""

from fastapi import APIRouter

from api.deps import ReadingDep
from api.models import Json
from api.problems import declares
from api.statistics import STATISTICS, tell_statistics

router = APIRouter(prefix="/statistics", tags=["statistics"])


@router.get("", response_model=STATISTICS, responses=declares())
def read(reading: ReadingDep) -> Json:
    """Return the counts."""
    return tell_statistics(reading)
