"""
What was sent, or is about to be: every act, deployment and move of the clock, in one order.

A transaction is signed and kept here, with whatever made it, before any node sees it; so a repeat
finds it, and a chain that lost it gets the very same bytes again. Nothing here speaks to a node;
what a line holds is in `chain.entries`.
"""

import json
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path
from typing import Any, Final, Self

from sqlalchemy import Connection, Engine, create_engine, event, func, insert, select, update

from chain.durable import make_folder
from chain.entries import (
    ENTRIES,
    INTENTS,
    OPERATIONAL,
    Draft,
    Entry,
    Kind,
    Place,
    Signed,
    State,
    dumps,
    entry_of,
    in_order,
    row_of,
)
from chain.failure import Conflict
from chain.values import Address, Bytes32

BUSY_TIMEOUT_MS: Final = 10_000


class OutboxConflict(Conflict):
    """The business key was used before for something else."""

    key: str


def operational_engine(path: Path) -> Engine:
    """
    Open the operational database of a home, which survives every rebuild of the mirror.

    ensures: what was committed is on the disk, except what the chain can tell again (`derived`);
             writers of several processes take turns
    """
    make_folder(path.parent)
    engine = create_engine(f"sqlite:///{path}")

    @event.listens_for(engine, "connect")
    def _prepare(connection: Any, _: Any) -> None:
        # Transactions begin where we say, not where the driver guesses.
        connection.isolation_level = None
        for pragma in (
            f"busy_timeout={BUSY_TIMEOUT_MS}",
            "journal_mode=WAL",
            "foreign_keys=ON",
        ):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        options = connection.get_execution_options()
        safety = "NORMAL" if options.get("derived") else "FULL"
        connection.exec_driver_sql(f"PRAGMA synchronous={safety}")
        # A reader that starts to write midway could not wait its turn; a writer waits here.
        connection.exec_driver_sql("BEGIN" if options.get("reads") else "BEGIN IMMEDIATE")

    return engine


class Outbox:
    """The entries of one chain."""

    def __init__(self, engine: Engine, *, chain_id: int) -> None:
        self.chain_id = chain_id
        # Held from taking a nonce until the node has the transaction, so that the order of the
        # entries is the order in which one process hands them over.
        self.sending = threading.RLock()
        self._engine = engine
        OPERATIONAL.create_all(engine)

    @classmethod
    def open(cls, path: Path, *, chain_id: int) -> Self:
        """Open the outbox in an operational database of its own."""
        return cls(operational_engine(path), chain_id=chain_id)

    def close(self) -> None:
        """Close the database's connections."""
        self._engine.dispose()

    # --- intents ----------------------------------------------------------------------------------

    def remember(self, key: str, make: Callable[[], Mapping[str, Any]]) -> dict[str, Any]:
        """
        Return what was kept under a business key; the first time, make it and keep it.

        shape: JSON; everything random or timed that a repeat has to give again
        ensures: what is returned is on the disk before anything is sent
        """
        known = self._intent(key)
        if known is not None:
            return known
        row = {"chain_id": self.chain_id, "key": key, "intent": dumps(make())}
        with self._engine.begin() as connection:
            # Whoever came first counts, also for him who made another meanwhile.
            if connection.execute(_intent_of(self.chain_id, key)).scalar() is None:
                connection.execute(insert(INTENTS).values(row))
        kept = self._intent(key)
        if kept is None:
            raise OutboxConflict(key=key)
        return kept

    def _intent(self, key: str) -> dict[str, Any] | None:
        with self._reading() as connection:
            found = connection.execute(_intent_of(self.chain_id, key)).scalar()
        return None if found is None else dict(json.loads(found))

    # --- writing ----------------------------------------------------------------------------------

    def prepare(
        self,
        drafts: Sequence[tuple[Draft, Callable[[int], Signed]]],
        *,
        first_nonce: Callable[[Address], int],
    ) -> list[Entry]:
        """
        Give each draft the next nonce of its sender, sign it, and keep it; all or none.

        shape: each draft beside its signer; a key that lives already gives the entry it has
        ensures: it is on the disk
        :raises OutboxConflict: if a key lives already with other content
        """
        found = []
        with self._engine.begin() as connection:
            for draft, sign in drafts:
                known = self._living(connection, draft.key)
                if known is None:
                    nonce = self._next_nonce(connection, draft.sender, first_nonce)
                    known = self._insert(connection, row_of(draft, nonce, sign(nonce)))
                elif known.content != draft.content():
                    raise OutboxConflict(key=draft.key)
                found.append(known)
        return found

    def prepare_clock(
        self, key: str, *, target: int, offset_seconds: int, prepared_at: int
    ) -> Entry:
        """Keep a move of the chain's clock."""
        row = {
            "kind": Kind.CLOCK.value,
            "content": dumps([Kind.CLOCK.value, target]),
            "key": key,
            "prepared_at": prepared_at,
            "target": target,
            "offset_seconds": offset_seconds,
            **dict.fromkeys(("contract", "function", "actor", "sender", "noun_id"), ""),
        }
        with self._engine.begin() as connection:
            return self._living(connection, key) or self._insert(connection, row)

    def mark_sent(self, sequences: Sequence[int]) -> None:
        """Note that the node took these entries."""
        with self._noting() as connection:
            connection.execute(
                update(ENTRIES)
                .where(ENTRIES.c.sequence.in_(sequences))
                .where(ENTRIES.c.state == State.PREPARED.value)
                .values(state=State.SENT.value)
            )

    def mark_mined(self, sequence: int, place: Place | None) -> None:
        """Note that the chain did what an entry asks."""
        self._mark(sequence, State.MINED, place, None)

    def mark_failed(self, sequence: int, place: Place, problem: Mapping[str, Any]) -> None:
        """Note that a block holds the transaction but its contract refused it."""
        self._mark(sequence, State.FAILED, place, problem)

    def release(self, sequence: int, problem: Mapping[str, Any]) -> bool:
        """
        Take back an entry that the node would not take; say whether that was possible.

        ensures: the nonce is free again; it is kept if a later one is taken, which needs it
        """
        with self._engine.begin() as connection:
            row = connection.execute(select(ENTRIES).where(ENTRIES.c.sequence == sequence))
            entry = entry_of(row.mappings().one())
            later = self._last_nonce(connection, Address(entry.sender))
            if entry.nonce is None or later is None or later > entry.nonce:
                return False
            freed = {"nonce": None, "raw": None, "transaction_hash": None}
            failed = {"state": State.FAILED.value, "problem": dumps(problem)}
            connection.execute(
                update(ENTRIES).where(ENTRIES.c.sequence == sequence).values(**freed, **failed)
            )
            return True

    # --- reading ----------------------------------------------------------------------------------

    def find(self, key: str) -> Entry | None:
        """Return the newest entry of a business key."""
        query = self._query().where(ENTRIES.c.key == key).order_by(ENTRIES.c.sequence.desc())
        return self._first(query.limit(1))

    def reread(self, entry: Entry) -> Entry:
        """Return an entry as it is now."""
        found = self._first(self._query().where(ENTRIES.c.sequence == entry.sequence))
        return entry if found is None else found

    def find_transaction(self, transaction_hash: Bytes32) -> Entry | None:
        """Return the entry that a transaction carries out."""
        return self._first(self._query().where(ENTRIES.c.transaction_hash == transaction_hash))

    def placed_below(self, block_number: int) -> Entry | None:
        """Return the last entry that the chain put at or below a height."""
        query = self._query().where(ENTRIES.c.block_number <= block_number)
        last = (ENTRIES.c.block_number.desc(), ENTRIES.c.transaction_index.desc())
        return self._first(query.order_by(*last).limit(1))

    def unsettled(self, above_block: int) -> list[Entry]:
        """
        Return what the chain may lack: all above a height, and all that was never seen mined.

        shape: in the order in which the chain had, or shall have, them
        """
        high = (ENTRIES.c.block_number > above_block) | (
            ENTRIES.c.block_number.is_(None) & ENTRIES.c.raw.is_not(None)
        )
        waiting_clock = (ENTRIES.c.kind == Kind.CLOCK.value) & ENTRIES.c.block_number.is_(None)
        query = self._query().where(high | waiting_clock).order_by(ENTRIES.c.sequence)
        with self._reading() as connection:
            entries = [entry_of(row) for row in connection.execute(query).mappings()]
        return in_order(entries)

    def clock_offset(self) -> int:
        """Return how many seconds the chain's clock was last moved before the machine's."""
        query = self._query().where(ENTRIES.c.kind == Kind.CLOCK.value)
        last = self._first(query.order_by(ENTRIES.c.sequence.desc()).limit(1))
        return 0 if last is None else last.offset_seconds or 0

    # --- inside -----------------------------------------------------------------------------------

    def _query(self) -> Any:
        return select(ENTRIES).where(ENTRIES.c.chain_id == self.chain_id)

    def _first(self, query: Any) -> Entry | None:
        with self._reading() as connection:
            row = connection.execute(query).mappings().first()
        return None if row is None else entry_of(row)

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        with self._engine.connect() as connection:
            yield connection.execution_options(reads=True)

    @contextmanager
    def _noting(self) -> Iterator[Connection]:
        # What the chain did can be asked again after a power cut, so the disk need not wait.
        with self._engine.connect() as connection:
            yield connection.execution_options(derived=True)
            connection.commit()

    def _living(self, connection: Connection, key: str) -> Entry | None:
        alive = ENTRIES.c.state != State.FAILED.value
        query = self._query().where(ENTRIES.c.key == key).where(alive)
        row = connection.execute(query).mappings().first()
        return None if row is None else entry_of(row)

    def _last_nonce(self, connection: Connection, sender: Address) -> int | None:
        query = select(func.max(ENTRIES.c.nonce)).where(
            ENTRIES.c.chain_id == self.chain_id, ENTRIES.c.sender == sender
        )
        last: int | None = connection.execute(query).scalar()
        return last

    def _next_nonce(
        self, connection: Connection, sender: Address, first_nonce: Callable[[Address], int]
    ) -> int:
        last = self._last_nonce(connection, sender)
        return first_nonce(sender) if last is None else last + 1

    def _insert(self, connection: Connection, row: Mapping[str, Any]) -> Entry:
        values = {**row, "chain_id": self.chain_id, "state": State.PREPARED.value}
        made = connection.execute(insert(ENTRIES).values(values)).inserted_primary_key
        if made is None:
            raise LookupError("an inserted row has no key")
        query = select(ENTRIES).where(ENTRIES.c.sequence == made[0])
        return entry_of(connection.execute(query).mappings().one())

    def _mark(
        self,
        sequence: int,
        state: State,
        place: Place | None,
        problem: Mapping[str, Any] | None,
    ) -> None:
        where = {one.name: getattr(place, one.name) if place else None for one in fields(Place)}
        told = None if problem is None else dumps(problem)
        with self._noting() as connection:
            connection.execute(
                update(ENTRIES)
                .where(ENTRIES.c.sequence == sequence)
                .values(state=state.value, problem=told, **where)
            )


def _intent_of(chain_id: int, key: str) -> Any:
    return select(INTENTS.c.intent).where(INTENTS.c.chain_id == chain_id, INTENTS.c.key == key)
