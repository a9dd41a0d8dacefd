"""
What a node answers to a sender, as values: a block, and what became of a transaction.

It asks nothing (`chain.connection`), and is not the mirror's way, which distrusts (`chain.logs`).
"""

from dataclasses import dataclass
from typing import Any, cast

from chain.rpc import number_of, seconds_of
from chain.values import Address, Bytes32


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """
    A block as far as a sender needs it.

    units: `timestamp` in seconds since 1970 UTC
    """

    number: int
    hash: Bytes32
    timestamp: int
    gas_limit: int
    transactions: tuple[Bytes32, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What became of a transaction."""

    transaction_hash: Bytes32
    succeeded: bool
    block_number: int
    block_hash: Bytes32
    transaction_index: int
    gas_used: int
    contract_address: Address | None


def head_of(found: Any) -> Head | None:
    """Return the block that a node answered; None if it has none."""
    if found is None:
        return None
    return Head(
        number=number_of(found["number"]),
        hash=Bytes32(found["hash"]),
        timestamp=seconds_of(found["timestamp"]),
        gas_limit=number_of(found["gasLimit"]),
        transactions=tuple(Bytes32(one) for one in found["transactions"]),
    )


def receipt_of(found: Any) -> Receipt | None:
    """Return the receipt that a node answered; None while no block holds the transaction."""
    if found is None or found.get("blockNumber") is None:
        return None
    made = found.get("contractAddress")
    return Receipt(
        transaction_hash=Bytes32(found["transactionHash"]),
        succeeded=number_of(found["status"]) == 1,
        block_number=number_of(found["blockNumber"]),
        block_hash=Bytes32(found["blockHash"]),
        transaction_index=number_of(found["transactionIndex"]),
        gas_used=number_of(found["gasUsed"]),
        contract_address=Address(cast(str, made).lower()) if made else None,
    )
