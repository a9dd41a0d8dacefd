"""
Rule profiles and loaded calendar years: public.
"""

from fastapi import APIRouter

from api.deps import PagingDep, ReadingDep
from api.models import Answer, Derived, Json
from api.parameters import IdPath
from api.problems import declares
from chain.errors import ProfileNotFound
from chain.values import ProfileId
from registry.certificates import code_text
from registry.profiles import CalendarYear, RuleProfile

router = APIRouter(prefix="/profiles", tags=["profiles"])

PROFILE = Answer(
    RuleProfile,
    Derived("name_text", str, "The name as text.", lambda one, _: code_text(one.name)),
)
YEAR = Answer(CalendarYear)


@router.get("", response_model=PROFILE.page_model, responses=declares())
def browse(reading: ReadingDep, pages: PagingDep) -> Json:
    """List rule profiles."""
    return reading.page(PROFILE, {}, pages)


@router.get("/calendar-years", response_model=YEAR.page_model, responses=declares())
def calendar_years(reading: ReadingDep, pages: PagingDep) -> Json:
    """List the years whose working days are loaded."""
    return reading.page(YEAR, {}, pages)


@router.get("/{id}", response_model=PROFILE.model, responses=declares(ProfileNotFound))
def read(reading: ReadingDep, profile_id: IdPath) -> Json:
    """Return one rule profile."""
    missing = ProfileNotFound(profile_id=ProfileId(profile_id))
    return reading.one(PROFILE, profile_id, missing=missing)
