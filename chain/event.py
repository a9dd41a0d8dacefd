"""
What every event of the ledger has in common: where and when the chain recorded it.

The events themselves are generated (`chain.events`); nothing here knows a noun, a node or a
database.
"""

from dataclasses import dataclass, fields

from chain.values import Address, Bytes32, HexBytes


@dataclass(frozen=True, slots=True, kw_only=True)
class EventMeta:
    """
    The place of one event in the chain.

    shape: `contract` is the name the deployment gave the address; `log_index` rises through a block
    units: `timestamp` in seconds since 1970 UTC, whatever unit the chain's headers use
    """

    contract: str
    address: Address
    block_number: int
    block_hash: Bytes32
    timestamp: int
    transaction_hash: Bytes32
    transaction_index: int
    log_index: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """A fact that a contract emitted."""

    meta: EventMeta


@dataclass(frozen=True, slots=True, kw_only=True)
class UnknownEvent(Event):
    """A log of a followed contract that this version cannot read: kept as it came."""

    topics: tuple[Bytes32, ...]
    data: HexBytes


def describe(kind: type) -> dict[str, str]:
    """
    Return what the contract's prose says about each field of an event or struct.

    shape: field name -> sentence; fields without prose are absent
    """
    return {
        field.name: field.metadata["description"]
        for field in fields(kind)
        if "description" in field.metadata
    }
