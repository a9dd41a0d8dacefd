"""
What became of a transaction: PENDING, MINED, FINAL, or FAILED with the problem.
"""

from fastapi import APIRouter

from api.deps import ReadingDep, ServicesDep
from api.models import Json
from api.parameters import HashPath
from api.problems import declares
from api.transactions import TRANSACTION, TransactionNotFound, tell_transaction
from chain.rpc import NodeUnavailable
from chain.values import Bytes32

router = APIRouter(prefix="/transactions", tags=["transactions"])


@router.get(
    "/{hash}",
    response_model=TRANSACTION,
    responses=declares(TransactionNotFound, NodeUnavailable),
)
def read(services: ServicesDep, reading: ReadingDep, transaction_hash: HashPath) -> Json:
    """Return what became of a transaction."""
    return tell_transaction(services, reading, Bytes32(transaction_hash))
