"""
Money at settlement banks: each organisation sees its own, and nobody else's.
"""

from typing import Annotated

from fastapi import APIRouter, Depends

from api.access import PrivilegedDep
from api.deps import PagingDep, StepsDep
from api.histories import tell_history
from api.models import Answer, Json
from api.paging import Where, filters
from api.parameters import IdPath
from api.problems import SignInRequired, declares
from chain.failure import NotFound
from chain.values import ParticipantId
from settlement.funds import FundsAccount, FundsHold, Posting, Withdrawal


class FundsAccountMissing(NotFound):
    """You have no account at this bank."""

    bank: ParticipantId


router = APIRouter(prefix="/funds", tags=["funds"])

FUNDS = Answer(FundsAccount)
HOLD = Answer(FundsHold)
POSTING = Answer(Posting)
WITHDRAWAL = Answer(Withdrawal)


@router.get("", response_model=FUNDS.list_model, responses=declares(SignInRequired))
def browse(
    look: PrivilegedDep,
    where: Annotated[Where, Depends(filters(FundsAccount, "bank"))],
    pages: PagingDep,
) -> Json:
    """List your funds accounts, one per settlement bank."""
    look.allow()
    own = {**where, "participant_id": look.viewer.participant_id}
    return look.reading.page(FUNDS, own, pages)


@router.get("/holds", response_model=HOLD.list_model, responses=declares(SignInRequired))
def holds(look: PrivilegedDep, pages: PagingDep) -> Json:
    """List your money held for trades."""
    look.allow()
    return look.reading.page(HOLD, {"payer": look.viewer.participant_id}, pages)


@router.get("/postings", response_model=POSTING.list_model, responses=declares(SignInRequired))
def postings(
    look: PrivilegedDep,
    where: Annotated[Where, Depends(filters(Posting, "trade_id"))],
    pages: PagingDep,
) -> Json:
    """List what was paid to you, leg by leg."""
    look.allow()
    return look.reading.page(POSTING, {**where, "payee": look.viewer.participant_id}, pages)


@router.get(
    "/withdrawals", response_model=WITHDRAWAL.list_model, responses=declares(SignInRequired)
)
def withdrawals(look: PrivilegedDep, pages: PagingDep) -> Json:
    """List the payouts that you asked for."""
    look.allow()
    return look.reading.page(WITHDRAWAL, {"participant_id": look.viewer.participant_id}, pages)


@router.get(
    "/{id}/history",
    response_model=FUNDS.history_model,
    responses=declares(SignInRequired, FundsAccountMissing),
)
def history(look: PrivilegedDep, bank: IdPath, pages: StepsDep) -> Json:
    """List the versions of your funds account at a bank, whose id it takes, oldest first."""
    look.allow()
    missing = FundsAccountMissing(bank=ParticipantId(bank))
    own = look.viewer.participant_id
    return tell_history(look.reading, FUNDS, own, bank, pages=pages, missing=missing)
