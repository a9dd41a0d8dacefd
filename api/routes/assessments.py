"""
Reports by admitted assessors: public.
"""

from typing import Annotated

from fastapi import APIRouter, Depends

from api.answering.door import quick
from api.deps import PagingDep, ReadingDep, StepsDep
from api.histories import tell_history
from api.models import Answer, Json, status
from api.paging import Where, filters
from api.parameters import IdPath
from api.problems import declares
from api.statuses import ReportStatus, assessment_status
from chain.errors import AssessmentNotFound
from chain.values import AssessmentId
from registry.assessments import Assessment

router = APIRouter(prefix="/assessments", tags=["assessments"])

ASSESSMENT = Answer(
    Assessment, status(ReportStatus, "Whether it may be relied on.", assessment_status)
)


@router.get("", response_model=ASSESSMENT.list_model, responses=declares())
@quick
def browse(
    reading: ReadingDep,
    where: Annotated[Where, Depends(filters(Assessment, "asset_id", "assessor"))],
    pages: PagingDep,
) -> Json:
    """List reports."""
    return reading.page(ASSESSMENT, where, pages)


@router.get("/{id}", response_model=ASSESSMENT.model, responses=declares(AssessmentNotFound))
@quick
def read(reading: ReadingDep, assessment_id: IdPath) -> Json:
    """Return one report."""
    missing = AssessmentNotFound(assessment_id=AssessmentId(assessment_id))
    return reading.one(ASSESSMENT, assessment_id, missing=missing)


@router.get(
    "/{id}/history", response_model=ASSESSMENT.history_model, responses=declares(AssessmentNotFound)
)
def history(reading: ReadingDep, assessment_id: IdPath, pages: StepsDep) -> Json:
    """List the versions of one report, oldest first."""
    missing = AssessmentNotFound(assessment_id=AssessmentId(assessment_id))
    return tell_history(reading, ASSESSMENT, assessment_id, pages=pages, missing=missing)
