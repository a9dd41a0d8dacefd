"""
Settlements and the holds that stop them: for the trade's parties, its venue and regulators.
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
from chain.errors import SettlementNotFound
from chain.values import SettlementId
from settlement.settlements import Settlement, SettlementHold
from settlement.trades import Trade

router = APIRouter(prefix="/settlements", tags=["settlements"])

SETTLEMENT = Answer(Settlement)
HOLD = Answer(SettlementHold)


@router.get("", response_model=SETTLEMENT.list_model, responses=declares(SignInRequired))
def browse(
    look: PrivilegedDep,
    where: Annotated[Where, Depends(filters(Settlement, "trade_id"))],
    pages: PagingDep,
) -> Json:
    """List the settlements of the trades that concern you."""
    return look.reading.page(SETTLEMENT, look.within_trades(where), pages)


@router.get("/holds", response_model=HOLD.list_model, responses=declares(SignInRequired))
def holds(
    look: PrivilegedDep,
    where: Annotated[Where, Depends(filters(SettlementHold, "trade_id"))],
    pages: PagingDep,
) -> Json:
    """List the holds on the money of the trades that concern you."""
    return look.reading.page(HOLD, look.within_trades(where), pages)


@router.get(
    "/{id}", response_model=SETTLEMENT.model, responses=declares(SignInRequired, SettlementNotFound)
)
def read(look: PrivilegedDep, settlement_id: IdPath) -> Json:
    """Return one settlement of a trade that concerns you."""
    missing = SettlementNotFound(settlement_id=SettlementId(settlement_id))
    settlement = look.reading.find(Settlement, settlement_id)
    look.require(look.reading.find(Trade, settlement.trade_id) if settlement else None, missing)
    return look.reading.one(SETTLEMENT, settlement_id, missing=missing)


@router.get(
    "/{id}/history",
    response_model=SETTLEMENT.history_model,
    responses=declares(SignInRequired, SettlementNotFound),
)
def history(look: PrivilegedDep, settlement_id: IdPath, pages: StepsDep) -> Json:
    """List the versions of one settlement of a trade that concerns you, oldest first."""
    missing = SettlementNotFound(settlement_id=SettlementId(settlement_id))
    settlement = look.reading.find(Settlement, settlement_id)
    look.require(look.reading.find(Trade, settlement.trade_id) if settlement else None, missing)
    return tell_history(look.reading, SETTLEMENT, settlement_id, pages=pages, missing=missing)
