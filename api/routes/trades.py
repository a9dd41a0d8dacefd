"""
Contracts between buyers and sellers: for the parties, their venue and regulators; a contract that
its venue signed is relayed.
"""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Response

from api.access import PrivilegedDep
from api.deps import PagingDep, ServicesDep, StepsDep
from api.histories import tell_history
from api.models import Answer, Json
from api.paging import Where, filters
from api.parameters import IdPath
from api.problems import RelayNotServed, SignInRequired, declares
from api.relaying import RELAYED, relay
from api.requests import ActMalformed, read_act, signed_act
from chain.acts import TradesConclude
from chain.errors import TradeAlreadyExists, TradeNotFound
from chain.values import TradeId
from settlement.trades import Trade

router = APIRouter(prefix="/trades", tags=["trades"])

TradeCreate: Any = signed_act(TradesConclude)
TRADE = Answer(Trade)


@router.get("", response_model=TRADE.list_model, responses=declares(SignInRequired))
def browse(
    look: PrivilegedDep,
    where: Annotated[
        Where,
        Depends(filters(Trade, "state", "listing_id", "buyer", "seller", "executing_venue")),
    ],
    pages: PagingDep,
) -> Json:
    """List the trades that concern you."""
    return look.reading.page(TRADE, look.within_trades(where), pages)


@router.get("/{id}", response_model=TRADE.model, responses=declares(SignInRequired, TradeNotFound))
def read(look: PrivilegedDep, trade_id: IdPath) -> Json:
    """Return one trade that concerns you."""
    missing = TradeNotFound(trade_id=TradeId(trade_id))
    look.require(look.reading.find(Trade, trade_id), missing)
    return look.reading.one(TRADE, trade_id, missing=missing)


@router.post(
    "",
    status_code=202,
    response_model=RELAYED,
    responses=declares(ActMalformed, TradeAlreadyExists, RelayNotServed),
)
def conclude(services: ServicesDep, body: TradeCreate, response: Response) -> Json:
    """Relay a contract that its executing venue signed; 200 if it was relayed before."""
    act, authorization = read_act(TradesConclude, body)
    return relay(services, act, authorization, response)


@router.get(
    "/{id}/history",
    response_model=TRADE.history_model,
    responses=declares(SignInRequired, TradeNotFound),
)
def history(look: PrivilegedDep, trade_id: IdPath, pages: StepsDep) -> Json:
    """List the versions of one trade that concerns you, oldest first."""
    missing = TradeNotFound(trade_id=TradeId(trade_id))
    look.require(look.reading.find(Trade, trade_id), missing)
    return tell_history(look.reading, TRADE, trade_id, pages=pages, missing=missing)
