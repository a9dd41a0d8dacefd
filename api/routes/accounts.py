"""
Accounts by their address: public.
"""

from fastapi import APIRouter

from api.deps import ReadingDep
from api.models import Json
from api.parameters import AccountPath
from api.problems import declares
from api.routes.participants import ACCOUNT
from chain.errors import AccountNotFound
from chain.values import Address

router = APIRouter(prefix="/accounts", tags=["accounts"])


@router.get("/{account}", response_model=ACCOUNT.model, responses=declares(AccountNotFound))
def read(reading: ReadingDep, account: AccountPath) -> Json:
    """Return whose account an address is."""
    return reading.one(ACCOUNT, account, missing=AccountNotFound(account=Address(account)))
