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
from pathlib import Path
from typing import Any, Final, Self

from sqlalchemy import (
    Connection,
    Engine,
    bindparam,
    create_engine,
    event,
    exists,
    func,
    insert,
    select,
    update,
)

from chain.durable import make_folder
from chain.entries import (
    ENDED_COLUMNS,
    ENTRIES,
    INTENTS,
    OPERATIONAL,
    Draft,
    Ended,
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

_OTHER: Final = ENTRIES.alias("other")
_LIVES: Final = exists().where(
    _OTHER.c.chain_id == ENTRIES.c.chain_id,
    _OTHER.c.key == ENTRIES.c.key,
    _OTHER.c.sequence != ENTRIES.c.sequence,
    _OTHER.c.state != State.FAILED.value,
)
_END: Final = (
    update(ENTRIES)
    .where(ENTRIES.c.sequence == bindparam("of"))
    .where((bindparam("state") == State.FAILED.value) | ~_LIVES)
    .values({name: bindparam(name) for name in ENDED_COLUMNS})
)


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
        nonces: dict[Address, int] = {}
        rows: list[dict[str, Any]] = []
        with self._engine.begin() as connection:
            living = self._living(connection, [draft.key for draft, _ in drafts])
            contents = {key: entry.content for key, entry in living.items()}
            for draft, sign in drafts:
                if draft.key not in contents:
                    nonce = self._next_nonce(connection, draft.sender, first_nonce, nonces)
                    rows.append(row_of(draft, nonce, sign(nonce)))
                    contents[draft.key] = rows[-1]["content"]
                elif contents[draft.key] != draft.content():
                    raise OutboxConflict(key=draft.key)
            living |= self._insert(connection, rows)
        return [living[draft.key] for draft, _ in drafts]

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
            living = self._living(connection, [key])
            return living.get(key) or self._insert(connection, [row])[key]

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
        self.mark_ended([Ended(sequence=sequence, place=place)])

    def mark_ended(self, ends: Sequence[Ended]) -> None:
        """
        Note what became of entries: a block did them, or holds them though refused.

        shape: one that had failed, and was tried again before a fork did it after all, stays as it
               is until the other has failed in its turn; the same may be noted any number of times
        """
        if ends:
            ends = sorted(ends, key=lambda end: end.problem is None)
            with self._noting() as connection:
                connection.execute(_END, [{"of": end.sequence, **end.row()} for end in ends])

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
        return self.find_many([key]).get(key)

    def find_many(self, keys: Sequence[str]) -> dict[str, Entry]:
        """Return the newest entry of each business key that has one."""
        query = self._query().where(ENTRIES.c.key.in_(keys)).order_by(ENTRIES.c.sequence)
        return {entry.key: entry for entry in self._all(query)}

    def reread(self, entries: Sequence[Entry]) -> list[Entry]:
        """Return entries as they are now."""
        wanted = [entry.sequence for entry in entries]
        now = self._all(self._query().where(ENTRIES.c.sequence.in_(wanted)))
        found = {entry.sequence: entry for entry in now}
        return [found[sequence] for sequence in wanted]

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
        return in_order(self._all(query))

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

    def _all(self, query: Any) -> list[Entry]:
        with self._reading() as connection:
            return [entry_of(row) for row in connection.execute(query).mappings()]

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

    def _living(self, connection: Connection, keys: Sequence[str]) -> dict[str, Entry]:
        alive = ENTRIES.c.state != State.FAILED.value
        query = self._query().where(ENTRIES.c.key.in_(keys)).where(alive)
        return {row["key"]: entry_of(row) for row in connection.execute(query).mappings()}

    def _last_nonce(self, connection: Connection, sender: Address) -> int | None:
        query = select(func.max(ENTRIES.c.nonce)).where(
            ENTRIES.c.chain_id == self.chain_id, ENTRIES.c.sender == sender
        )
        last: int | None = connection.execute(query).scalar()
        return last

    def _next_nonce(
        self,
        connection: Connection,
        sender: Address,
        first_nonce: Callable[[Address], int],
        taken: dict[Address, int],
    ) -> int:
        last = taken[sender] if sender in taken else self._last_nonce(connection, sender)
        # The chain may have more than is kept here: a home that came back out of a backup.
        taken[sender] = max(first_nonce(sender), -1 if last is None else last + 1)
        return taken[sender]

    def _insert(
        self, connection: Connection, rows: Sequence[Mapping[str, Any]]
    ) -> dict[str, Entry]:
        if not rows:
            return {}
        own = {"chain_id": self.chain_id, "state": State.PREPARED.value}
        connection.execute(insert(ENTRIES), [{**row, **own} for row in rows])
        return self._living(connection, [row["key"] for row in rows])


def _intent_of(chain_id: int, key: str) -> Any:
    return select(INTENTS.c.intent).where(INTENTS.c.chain_id == chain_id, INTENTS.c.key == key)
