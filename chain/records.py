"""
What a noun's record is to the rest of the ledger: its key, its contract view, and how projections
read others.

It is not the store: no database, no I/O. `chain.store` keeps records as versioned rows; a
dictionary keeps them in tests.
"""

from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol, TypeVar, runtime_checkable

INDEXED: Mapping[str, Any] = {"index": True}
"""Field metadata: the read table gets an index on this column, because people filter by it."""

WIDE: Mapping[str, Any] = {"uint256": True}
"""Field metadata: the number may exceed 63 bits, so its column is text of 78 digits."""


def walked(*to: str) -> Mapping[str, Any]:
    """
    Return field metadata: the read table gets an index from this number to other fields, which
    alone answers a walk along them (`chain.lookups`).
    """
    return {"walk": to}


@dataclass(frozen=True, slots=True)
class View:
    """
    Name the contract view that must equal a record, so that the audit can ask it.

    arguments: record fields passed to the view, in order
    covers:    view field that is a stored hash -> how to recompute it from the record, whose
               event-only fields it covers
    """

    contract: str
    function: str
    arguments: tuple[str, ...]
    covers: Mapping[str, Callable[[Any], str]] = field(default_factory=dict)


@runtime_checkable
class Record(Protocol):
    """A frozen dataclass with a key; one version of it is one row."""

    KEY: ClassVar[tuple[str, ...]]


R = TypeVar("R")


class Records(Protocol):
    """What a projection may read: the current version of any record by its key."""

    def get(self, record: type[R], *key: Hashable) -> R | None:
        """Return the current version of the record with this key, or None."""
        ...

    def require(self, record: type[R], *key: Hashable) -> R:
        """Return the current version, or raise because the event stream broke its own order."""
        ...


Projected = Iterable[Any]


def key_of(record: Any) -> tuple[Hashable, ...]:
    """Return the key values of a record in the order of its KEY."""
    return tuple(getattr(record, name) for name in record.KEY)


class RecordMissing(AssertionError):
    """An event refers to a record that no earlier event made: the stream is incomplete."""

    def __init__(self, record: type, key: tuple[Hashable, ...]) -> None:
        super().__init__(f"{record.__name__} {key} is not there: the event stream is incomplete")


class MemoryRecords:
    """Keep current records in a dictionary: for tests, reference models and rebuild checks."""

    def __init__(self) -> None:
        self.current: dict[tuple[type, tuple[Hashable, ...]], Any] = {}

    def get(self, record: type[R], *key: Hashable) -> R | None:
        """Return the current version of the record with this key, or None."""
        found: R | None = self.current.get((record, key))
        return found

    def require(self, record: type[R], *key: Hashable) -> R:
        """Return the current version, or raise RecordMissing."""
        found = self.get(record, *key)
        if found is None:
            raise RecordMissing(record, key)
        return found

    def put(self, versions: Iterable[Any]) -> None:
        """Make these versions current."""
        for version in versions:
            self.current[(type(version), key_of(version))] = version
