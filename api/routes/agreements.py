"""
Mutual recognition between exchanges: public.
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
from api.statuses import AgreementStatus, agreement_status
from chain.errors import AgreementNotFound
from chain.values import AgreementId
from registry.agreements import Agreement, Scope

router = APIRouter(prefix="/agreements", tags=["agreements"])

AGREEMENT = Answer(
    Agreement,
    status(AgreementStatus, "The state, and what time made of it.", agreement_status),
    bits("scope_names", Scope, "What members recognise of each other.", "scopes"),
)


@router.get("", response_model=AGREEMENT.list_model, responses=declares())
@quick
def browse(
    reading: ReadingDep,
    where: Annotated[Where, Depends(filters(Agreement, "state"))],
    pages: PagingDep,
) -> Json:
    """List agreements."""
    return reading.page(AGREEMENT, where, pages)


@router.get("/{id}", response_model=AGREEMENT.model, responses=declares(AgreementNotFound))
@quick
def read(reading: ReadingDep, agreement_id: IdPath) -> Json:
    """Return one agreement."""
    missing = AgreementNotFound(agreement_id=AgreementId(agreement_id))
    return reading.one(AGREEMENT, agreement_id, missing=missing)


@router.get(
    "/{id}/history", response_model=AGREEMENT.history_model, responses=declares(AgreementNotFound)
)
def history(reading: ReadingDep, agreement_id: IdPath, pages: StepsDep) -> Json:
    """List the versions of one agreement, oldest first."""
    missing = AgreementNotFound(agreement_id=AgreementId(agreement_id))
    return tell_history(reading, AGREEMENT, agreement_id, pages=pages, missing=missing)
