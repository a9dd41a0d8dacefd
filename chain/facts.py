"""
What the chain tells the mirror: blocks with their events, and that some blocks no longer count.

Plain values; who fetches them is `chain.indexer`, who keeps them is `chain.store`.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from chain.event import Event, EventMeta
from chain.records import Records
from chain.values import ZERO_ADDRESS, Address, Bytes32, HexBytes

Projection = Callable[[Records, Event], Iterable[Any]]
"""The whole engine's one signature: the new versions of records that an event makes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """
    A block's header, as far as the mirror needs it.

    units: `timestamp` in seconds since 1970 UTC
    """

    number: int
    hash: Bytes32
    parent_hash: Bytes32
    timestamp: int

    def place(
        self,
        log_index: int,
        transaction_hash: Bytes32,
        *,
        contract: str,
        address: Address = ZERO_ADDRESS,
        transaction_index: int | None = None,
    ) -> EventMeta:
        """Return the place of a log; by default each transaction of the block made one log."""
        return EventMeta(
            contract=contract,
            address=address,
            block_number=self.number,
            block_hash=self.hash,
            timestamp=self.timestamp,
            transaction_hash=transaction_hash,
            transaction_index=log_index if transaction_index is None else transaction_index,
            log_index=log_index,
        )


@dataclass(frozen=True, slots=True)
class Entry:
    """
    An event beside the log it was read from, which is kept for ever.

    shape: `fault` says why a log of a known event could not be read; the event is then unknown
    """

    event: Event
    topics: tuple[Bytes32, ...]
    data: HexBytes
    fault: str = ""


@dataclass(frozen=True, slots=True)
class Append:
    """The chain grew by this block; `entries` are its events in their order, often none."""

    block: Block
    entries: tuple[Entry, ...] = ()

    @property
    def events(self) -> tuple[Event, ...]:
        """Return the events alone."""
        return tuple(entry.event for entry in self.entries)


@dataclass(frozen=True, slots=True)
class Rewind:
    """Blocks above `to_block` no longer count."""

    to_block: int


Fact = Append | Rewind


@dataclass(frozen=True, slots=True, kw_only=True)
class Followed:
    """A deployed contract whose events the mirror follows."""

    address: Address
    contract: str
    from_block: int
