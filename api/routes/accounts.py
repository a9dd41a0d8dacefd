"""
Accounts by their address: public.
"""

from fastapi import APIRouter

from api.answering.door import quick
from api.deps import ReadingDep, StepsDep
from api.histories import tell_history
from api.models import Json
from api.parameters import AccountPath
from api.problems import declares
from api.routes.participants import ACCOUNT
from chain.errors import AccountNotFound
from chain.values import Address

router = APIRouter(prefix="/accounts", tags=["accounts"])


@router.get("/{account}", response_model=ACCOUNT.model, responses=declares(AccountNotFound))
@quick
def read(reading: ReadingDep, account: AccountPath) -> Json:
    """Return whose account an address is."""
    return reading.one(ACCOUNT, account, missing=AccountNotFound(account=Address(account)))


@router.get(
    "/{account}/history", response_model=ACCOUNT.history_model, responses=declares(AccountNotFound)
)
def history(reading: ReadingDep, account: AccountPath, pages: StepsDep) -> Json:
    """List the versions of one account, oldest first."""
    missing = AccountNotFound(account=Address(account))
    return tell_history(reading, ACCOUNT, account, pages=pages, missing=missing)
