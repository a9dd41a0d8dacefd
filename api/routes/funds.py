"""
Money at settlement banks: each organisation sees its own, and nobody else's.
"""

from typing import Annotated

from fastapi import APIRouter, Depends

from api.access import PrivilegedDep
from api.deps import PagingDep
from api.models import Answer, Json
from api.paging import Where, filters
from api.problems import SignInRequired, declares
from settlement.funds import FundsAccount, FundsHold, Posting, Withdrawal

router = APIRouter(prefix="/funds", tags=["funds"])

FUNDS = Answer(FundsAccount)
HOLD = Answer(FundsHold)
POSTING = Answer(Posting)
WITHDRAWAL = Answer(Withdrawal)


@router.get("", response_model=FUNDS.page_model, responses=declares(SignInRequired))
def browse(
    look: PrivilegedDep,
    where: Annotated[Where, Depends(filters(FundsAccount, "bank"))],
    pages: PagingDep,
) -> Json:
    """List your funds accounts, one per settlement bank."""
    look.allow()
    own = {**where, "participant_id": look.viewer.participant_id}
    return look.reading.page(FUNDS, own, pages)


@router.get("/holds", response_model=HOLD.page_model, responses=declares(SignInRequired))
def holds(look: PrivilegedDep, pages: PagingDep) -> Json:
    """List your money held for trades."""
    look.allow()
    return look.reading.page(HOLD, {"payer": look.viewer.participant_id}, pages)


@router.get("/postings", response_model=POSTING.page_model, responses=declares(SignInRequired))
def postings(
    look: PrivilegedDep,
    where: Annotated[Where, Depends(filters(Posting, "trade_id"))],
    pages: PagingDep,
) -> Json:
    """List what was paid to you, leg by leg."""
    look.allow()
    return look.reading.page(POSTING, {**where, "payee": look.viewer.participant_id}, pages)


@router.get(
    "/withdrawals", response_model=WITHDRAWAL.page_model, responses=declares(SignInRequired)
)
def withdrawals(look: PrivilegedDep, pages: PagingDep) -> Json:
    """List the payouts that you asked for."""
    look.allow()
    return look.reading.page(WITHDRAWAL, {"participant_id": look.viewer.participant_id}, pages)
