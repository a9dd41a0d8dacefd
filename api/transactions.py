"""
What became of a transaction, from the outbox, the node and the mirror together.

It sends nothing; what was sent and may be lost is put back by `chain.replay`.
"""

from collections.abc import Mapping
from enum import Enum, auto
from typing import Any, Final

from api.deps import Reading, Services
from api.models import AsOf, Json, described, names_of
from api.problems import catalogue, status_of
from api.wire import make_model
from chain.entries import Entry, State
from chain.failure import LedgerError, NotFound
from chain.rpc import number_of
from chain.values import Bytes32

PLAIN: Final = ("type", "title", "detail")


class TransactionNotFound(NotFound):
    """Neither this server nor its node knows the transaction."""

    transaction_hash: Bytes32


class TransactionState(Enum):
    """How far a transaction has come; FAILED means that a block holds it and it changed nothing."""

    PENDING = auto()
    MINED = auto()
    FINAL = auto()
    FAILED = auto()


TRANSACTION: Final = make_model(
    "TransactionOut",
    described(
        {
            "transaction_hash": (str, "Its hash."),
            "state": (names_of(TransactionState), "How far it has come."),
            "id": (str | None, "The id of what its act makes, if it was relayed here."),
            "block_number": (int | None, "Height of the block that holds it."),
            "block_hash": (str | None, "That block's hash."),
            "is_final": (bool, "Whether a fork can no longer undo it, failed or not."),
            "problem": (dict[str, Any] | None, "Why it failed, as this API tells any problem."),
            "as_of": (AsOf, "The mirror's newest block."),
        }
    ),
    doc="What became of a transaction.",
)


def tell_transaction(services: Services, reading: Reading, transaction_hash: Bytes32) -> Json:
    """
    Return what became of a transaction.

    :raises TransactionNotFound: if nobody here knows it
    """
    entry = _entry(services, transaction_hash)
    if entry is not None:
        return _from_entry(reading, entry, transaction_hash)
    receipt = services.node.call("eth_getTransactionReceipt", transaction_hash)
    if receipt is not None:
        succeeded = number_of(receipt["status"]) == 1
        number, block_hash = number_of(receipt["blockNumber"]), Bytes32(receipt["blockHash"])
        state = _placed(reading, number, block_hash, succeeded=succeeded)
        return _told(reading, transaction_hash, state, number, block_hash)
    if services.node.call("eth_getTransactionByHash", transaction_hash) is None:
        raise TransactionNotFound(transaction_hash=transaction_hash)
    return _told(reading, transaction_hash, TransactionState.PENDING, None, None)


def _entry(services: Services, transaction_hash: Bytes32) -> Entry | None:
    if services.ledger is None:
        return services.outbox.find_transaction(transaction_hash)
    return services.ledger.refresh(transaction_hash)


def _from_entry(reading: Reading, entry: Entry, transaction_hash: Bytes32) -> Json:
    if entry.block_number is None or entry.block_hash is None:
        told = _told(reading, transaction_hash, TransactionState.PENDING, None, None)
    else:
        succeeded = entry.state is State.MINED
        number, block_hash = entry.block_number, entry.block_hash
        state = _placed(reading, number, block_hash, succeeded=succeeded)
        told = _told(reading, transaction_hash, state, number, block_hash)
    problem = _problem(entry.problem) if entry.problem else None
    return {**told, "id": entry.noun_id or None, "problem": problem}


def _placed(
    reading: Reading, number: int, block_hash: Bytes32, *, succeeded: bool
) -> TransactionState:
    mirrored = reading.snapshot.block(number)
    if mirrored is not None and mirrored.hash != block_hash:
        return TransactionState.PENDING  # a fork took it out of its block
    if not succeeded:
        return TransactionState.FAILED
    is_final = _is_final(reading, number, block_hash)
    return TransactionState.FINAL if is_final else TransactionState.MINED


def _is_final(reading: Reading, number: int | None, block_hash: Bytes32 | None) -> bool:
    if number is None or number > reading.final_number:
        return False
    mirrored = reading.snapshot.block(number)
    return mirrored is not None and mirrored.hash == block_hash


def _problem(kept: Mapping[str, Any]) -> Json:
    error = catalogue().get(str(kept["type"]), LedgerError)
    return {
        "type": f"/problems/{kept['type']}",
        "title": kept["title"],
        "status": status_of(error),
        "detail": kept["detail"],
        "fields": {name: value for name, value in kept.items() if name not in PLAIN},
    }


def _told(
    reading: Reading,
    transaction_hash: Bytes32,
    state: TransactionState,
    number: int | None,
    block_hash: Bytes32 | None,
) -> Json:
    return {
        "transaction_hash": transaction_hash,
        "state": state.name,
        "id": None,
        "block_number": number,
        "block_hash": block_hash,
        "is_final": _is_final(reading, number, block_hash),
        "problem": None,
        "as_of": reading.as_of(),
    }
