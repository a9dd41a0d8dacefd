"""
Everything that happened, event by event, as the chain recorded it: public where the records are; of
the rest each sees what concerns them, and a regulator what it supervises.
"""

from typing import Annotated

from fastapi import APIRouter, Depends

from api.access import LookerDep
from api.auth import AccountNotServed, SessionEnded
from api.deps import StepsDep
from api.events import EVENT
from api.listing import tell_events
from api.models import Json, page_model
from api.parameters import AboutQuery, ContractQuery, NameQuery
from api.problems import declares
from api.streaming.wanted import ContractUnknown, EventNameUnknown, Wanted

router = APIRouter(prefix="/events", tags=["events"])


def wanted(
    about: AboutQuery = None, contract: ContractQuery = None, name: NameQuery = None
) -> Wanted:
    """Return which events a request wants."""
    return Wanted(about=about, contract=contract, name=name)


@router.get(
    "",
    response_model=page_model("EventPage", EVENT),
    responses=declares(EventNameUnknown, ContractUnknown, SessionEnded, AccountNotServed),
)
def browse(looker: LookerDep, pages: StepsDep, which: Annotated[Wanted, Depends(wanted)]) -> Json:
    """List events; a page holds fewer than asked for where some are not yours to see."""
    return tell_events(looker, which, pages)
