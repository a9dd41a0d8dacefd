"""
Entries of the rights register: public.
"""

from typing import Annotated

from fastapi import APIRouter, Depends

from api.answering.door import quick
from api.deps import PagingDep, ReadingDep, StepsDep
from api.histories import tell_history
from api.models import Answer, Json, bits, status
from api.paging import Where, filters
from api.parameters import IdPath
from api.problems import declares
from api.statuses import RightKindBit, TermStatus, right_status
from chain.errors import RightNotFound
from chain.values import RightId
from registry.rights import Right

router = APIRouter(prefix="/rights", tags=["rights"])

RIGHT = Answer(
    Right,
    status(TermStatus, "Whether the entry itself is in force.", right_status),
    bits("kind_names", RightKindBit, "The rights granted.", "kinds"),
)


@router.get("", response_model=RIGHT.list_model, responses=declares())
@quick
def browse(
    reading: ReadingDep,
    where: Annotated[Where, Depends(filters(Right, "asset_id", "holder", "parent_right_id"))],
    pages: PagingDep,
) -> Json:
    """List rights."""
    return reading.page(RIGHT, where, pages)


@router.get("/{id}", response_model=RIGHT.model, responses=declares(RightNotFound))
@quick
def read(reading: ReadingDep, right_id: IdPath) -> Json:
    """Return one right."""
    return reading.one(RIGHT, right_id, missing=RightNotFound(right_id=RightId(right_id)))


@router.get("/{id}/history", response_model=RIGHT.history_model, responses=declares(RightNotFound))
def history(reading: ReadingDep, right_id: IdPath, pages: StepsDep) -> Json:
    """List the versions of one right, oldest first."""
    missing = RightNotFound(right_id=RightId(right_id))
    return tell_history(reading, RIGHT, right_id, pages=pages, missing=missing)
