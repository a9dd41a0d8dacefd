"""
Rule profiles and loaded calendar years: public.
"""

from fastapi import APIRouter

from api.answering.door import quick
from api.deps import PagingDep, ReadingDep, StepsDep
from api.histories import tell_history
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


@router.get("", response_model=PROFILE.list_model, responses=declares())
@quick
def browse(reading: ReadingDep, pages: PagingDep) -> Json:
    """List rule profiles."""
    return reading.page(PROFILE, {}, pages)


@router.get("/calendar-years", response_model=YEAR.list_model, responses=declares())
@quick
def calendar_years(reading: ReadingDep, pages: PagingDep) -> Json:
    """List the years whose working days are loaded."""
    return reading.page(YEAR, {}, pages)


@router.get("/{id}", response_model=PROFILE.model, responses=declares(ProfileNotFound))
@quick
def read(reading: ReadingDep, profile_id: IdPath) -> Json:
    """Return one rule profile."""
    missing = ProfileNotFound(profile_id=ProfileId(profile_id))
    return reading.one(PROFILE, profile_id, missing=missing)


@router.get(
    "/{id}/history", response_model=PROFILE.history_model, responses=declares(ProfileNotFound)
)
def history(reading: ReadingDep, profile_id: IdPath, pages: StepsDep) -> Json:
    """List the versions of one rule profile, oldest first."""
    missing = ProfileNotFound(profile_id=ProfileId(profile_id))
    return tell_history(reading, PROFILE, profile_id, pages=pages, missing=missing)
