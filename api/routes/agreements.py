"""
Mutual recognition between exchanges: public.
"""

from typing import Annotated

from fastapi import APIRouter, Depends

from api.deps import PagingDep, ReadingDep
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


@router.get("", response_model=AGREEMENT.page_model, responses=declares())
def browse(
    reading: ReadingDep,
    where: Annotated[Where, Depends(filters(Agreement, "state"))],
    pages: PagingDep,
) -> Json:
    """List agreements."""
    return reading.page(AGREEMENT, where, pages)


@router.get("/{id}", response_model=AGREEMENT.model, responses=declares(AgreementNotFound))
def read(reading: ReadingDep, agreement_id: IdPath) -> Json:
    """Return one agreement."""
    missing = AgreementNotFound(agreement_id=AgreementId(agreement_id))
    return reading.one(AGREEMENT, agreement_id, missing=missing)
