"""
The lines of the outbox: what they hold, how far each has come, and the tables they are kept in.

Plain values; who writes and orders them is `chain.outbox`.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from enum import Enum
from typing import Any, Final

from sqlalchemy import BigInteger, Column, Index, Integer, MetaData, RowMapping, Table, Text, text

from chain.values import Address, Bytes32, HexBytes


class Kind(Enum):
    """What an entry asks of the chain."""

    ACT = "ACT"
    DEPLOY = "DEPLOY"
    CLOCK = "CLOCK"


class State(Enum):
    """How far an entry has come. FAILED by a block still used up its nonce."""

    PREPARED = "PREPARED"
    SENT = "SENT"
    MINED = "MINED"
    FAILED = "FAILED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """
    What shall be sent, before it has a nonce.

    shape: `act` and `actor` are what a repeat is compared by; `to` is "" for a new contract
    units: `prepared_at` in seconds of the chain's time
    """

    kind: Kind
    key: str
    contract: str
    function: str
    act: Mapping[str, Any]
    actor: Address
    sender: Address
    noun_id: str
    prepared_at: int

    def content(self) -> str:
        """Return what a repeat has to be equal in."""
        return dumps([self.kind.value, self.contract, self.function, self.act, self.actor])


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed:
    """A transaction that only waits to be handed over."""

    raw: HexBytes
    transaction_hash: Bytes32


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """
    Where the chain put an entry.

    units: `timestamp` in seconds since 1970 UTC
    """

    block_number: int
    block_hash: Bytes32
    timestamp: int
    transaction_index: int


PLACE_COLUMNS: Final = tuple(one.name for one in fields(Place))
ENDED_COLUMNS: Final = ("state", "problem", *PLACE_COLUMNS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """
    What became of an entry: done, or with a problem refused by its contract.

    shape: `place` is None for a move of the clock that needed no block
    """

    sequence: int
    place: Place | None
    problem: Mapping[str, Any] | None = None

    def row(self) -> dict[str, Any]:
        """Return the columns that say so."""
        return {
            "state": (State.MINED if self.problem is None else State.FAILED).value,
            "problem": None if self.problem is None else dumps(self.problem),
            **{name: getattr(self.place, name, None) for name in PLACE_COLUMNS},
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """
    One line of the outbox.

    shape: `sequence` is the order of all; `nonce`, `raw` and `transaction_hash` are None for a move
           of the clock and for what a node refused to take
    units: `target` and `prepared_at` in seconds of the chain's time, `offset_seconds` how far the
           chain's clock was moved before the machine's
    """

    sequence: int
    kind: Kind
    state: State
    key: str
    contract: str
    function: str
    content: str
    actor: str
    sender: str
    noun_id: str
    prepared_at: int
    nonce: int | None
    raw: HexBytes | None
    transaction_hash: Bytes32 | None
    target: int | None
    offset_seconds: int | None
    block_number: int | None
    block_hash: Bytes32 | None
    timestamp: int | None
    transaction_index: int | None
    problem: Mapping[str, Any] | None

    @property
    def place(self) -> Place | None:
        """Return where the chain put it, if it did."""
        if self.block_number is None or self.block_hash is None or self.timestamp is None:
            return None
        return Place(
            block_number=self.block_number,
            block_hash=self.block_hash,
            timestamp=self.timestamp,
            transaction_index=self.transaction_index or 0,
        )


OPERATIONAL: Final = MetaData()

INTENTS: Final = Table(
    "outbox_intents",
    OPERATIONAL,
    Column("chain_id", BigInteger, primary_key=True, autoincrement=False),
    Column("key", Text, primary_key=True),
    Column("intent", Text, nullable=False),
)

_ALIVE: Final = text("state <> 'FAILED'")

ENTRIES: Final = Table(
    "outbox_entries",
    OPERATIONAL,
    Column("sequence", Integer, primary_key=True, autoincrement=True),
    Column("chain_id", BigInteger, nullable=False),
    Column("kind", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("contract", Text, nullable=False),
    Column("function", Text, nullable=False),
    Column("content", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("sender", Text, nullable=False),
    Column("noun_id", Text, nullable=False),
    Column("prepared_at", BigInteger, nullable=False),
    Column("nonce", BigInteger),
    Column("raw", Text),
    Column("transaction_hash", Text),
    Column("target", BigInteger),
    Column("offset_seconds", BigInteger),
    Column("block_number", BigInteger),
    Column("block_hash", Text),
    Column("timestamp", BigInteger),
    Column("transaction_index", Integer),
    Column("problem", Text),
    # One living entry per key: only what failed may be tried again.
    Index(
        "outbox_key", "chain_id", "key", unique=True, sqlite_where=_ALIVE, postgresql_where=_ALIVE
    ),
    Index("outbox_nonce", "chain_id", "sender", "nonce", unique=True),
    Index("outbox_block", "chain_id", "block_number", "transaction_index"),
    Index("outbox_transaction", "transaction_hash"),
    Index("outbox_state", "chain_id", "state"),
)


def row_of(draft: Draft, nonce: int, signed: Signed) -> dict[str, Any]:
    return {
        "kind": draft.kind.value,
        "key": draft.key,
        "contract": draft.contract,
        "function": draft.function,
        "content": draft.content(),
        "actor": draft.actor,
        "sender": draft.sender,
        "noun_id": draft.noun_id,
        "prepared_at": draft.prepared_at,
        "nonce": nonce,
        "raw": signed.raw,
        "transaction_hash": signed.transaction_hash,
    }


def entry_of(row: RowMapping | Mapping[str, Any]) -> Entry:
    values = dict(row)
    del values["chain_id"]
    values["kind"], values["state"] = Kind(values["kind"]), State(values["state"])
    values["problem"] = None if values["problem"] is None else json.loads(values["problem"])
    return Entry(**values)


def in_order(entries: Sequence[Entry]) -> list[Entry]:
    # What was never seen in a block follows what was prepared before it.
    keyed: list[tuple[tuple[int, int, int], Entry]] = []
    last = (-1, -1)
    for entry in entries:
        if entry.place is not None:
            last = max(last, (entry.place.block_number, entry.place.transaction_index))
            here = (entry.place.block_number, entry.place.transaction_index)
        else:
            here = last
        keyed.append(((*here, entry.sequence), entry))
    return [entry for _, entry in sorted(keyed, key=lambda pair: pair[0])]


def dumps(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
