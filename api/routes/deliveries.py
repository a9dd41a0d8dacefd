"""
Deliveries: for the trade's parties, its venue and regulators.
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
from chain.errors import DeliveryNotFound
from chain.values import DeliveryId
from settlement.deliveries import Delivery
from settlement.trades import Trade

router = APIRouter(prefix="/deliveries", tags=["deliveries"])

DELIVERY = Answer(Delivery)


@router.get("", response_model=DELIVERY.list_model, responses=declares(SignInRequired))
def browse(
    look: PrivilegedDep,
    where: Annotated[Where, Depends(filters(Delivery, "trade_id", "state"))],
    pages: PagingDep,
) -> Json:
    """List the deliveries of the trades that concern you."""
    return look.reading.page(DELIVERY, look.within_trades(where), pages)


@router.get(
    "/{id}", response_model=DELIVERY.model, responses=declares(SignInRequired, DeliveryNotFound)
)
def read(look: PrivilegedDep, delivery_id: IdPath) -> Json:
    """Return one delivery of a trade that concerns you."""
    missing = DeliveryNotFound(delivery_id=DeliveryId(delivery_id))
    delivery = look.reading.find(Delivery, delivery_id)
    look.require(look.reading.find(Trade, delivery.trade_id) if delivery else None, missing)
    return look.reading.one(DELIVERY, delivery_id, missing=missing)


@router.get(
    "/{id}/history",
    response_model=DELIVERY.history_model,
    responses=declares(SignInRequired, DeliveryNotFound),
)
def history(look: PrivilegedDep, delivery_id: IdPath, pages: StepsDep) -> Json:
    """List the versions of one delivery of a trade that concerns you, oldest first."""
    missing = DeliveryNotFound(delivery_id=DeliveryId(delivery_id))
    delivery = look.reading.find(Delivery, delivery_id)
    look.require(look.reading.find(Trade, delivery.trade_id) if delivery else None, missing)
    return tell_history(look.reading, DELIVERY, delivery_id, pages=pages, missing=missing)
