"""
Looks at all content in rounds: what the ledger names is read out of the mirror, then each is read
in every place, a part at a time. A round that is interrupted goes on where it stopped.

It holds no content itself (`api.content.keeper`), and decides nothing about when (`watch`).
"""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from sqlalchemy import Engine, tuple_
from sqlmodel import Session

from api.content import round_rows, rows
from api.content.keeper import Keeper
from api.content.named import Named, named_in, naming_events
from api.content.round_rows import RUNS, Purpose, Round
from api.content.rows import FAULTY, Content
from chain.codes import DigestAlg
from chain.facts import Block
from chain.kubo_node import ContentStoreUnreachable
from chain.reads import find
from chain.rewinds import last_rewind, lowest_since
from chain.store import EVENTS, block_at, stored_entries
from chain.values import CertificateId
from registry.certificates import Certificate

NAMES_READ: Final = 2_000
# So much is looked at before it is noted: what a kill makes us read again.
BATCH: Final = 50
BATCH_BYTES: Final = 256 << 20
# So old may be what a run rests on that was interrupted.
CONTINUED_SECONDS: Final = 86_400
# Blocks that may have been replaced while we were away.
FORKED_BLOCKS: Final = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """How much is looked at, at most, before the caller is asked again; None is without bound."""

    number: int | None = None
    size_bytes: int | None = None
    seconds: float | None = None


@dataclass(slots=True)
class Rounds:
    """Everything there is to look at, and who looks."""

    mirror: Engine
    operational: Engine
    keeper: Keeper
    clock: Callable[[], int] = lambda: int(time.time())
    _after: tuple[int, int] | None = None
    _seen: Block | None = field(default=None, init=False)
    _epoch: int = field(default=0, init=False)

    def read_names(self) -> bool:
        """Note what the next events name; return whether there are more."""
        with Session(self.mirror) as session:
            after = self._place(session)
            place = tuple_(EVENTS.c.block_number, EVENTS.c.log_index)
            types = [EVENTS.c.block_number.type, EVENTS.c.log_index.type]
            entries = list(
                stored_entries(
                    session,
                    EVENTS.c.name.in_(naming_events()),
                    place > tuple_(*after, types=types),
                    limit=NAMES_READ,
                )
            )
            found: list[tuple[Named, int]] = []
            for entry in entries:
                meta = entry.event.meta
                after = (meta.block_number, meta.log_index)
                named = named_in(entry.event, lambda one: _algorithm(session, one))
                found += [(one, meta.block_number) for one in named]
            self._seen = block_at(session, after[0]) if after[0] >= 0 else None
            self._epoch = last_rewind(session)
        rows.note_named(self.operational, found)
        self._after = after
        return len(entries) == NAMES_READ

    def open(self, purpose: Purpose = Purpose.WATCH) -> Round:
        """
        Return the round at hand: an interrupted one of this purpose, or a new one.

        shape: a run that was left long ago is not gone on with: what it read then says nothing of
               a disk that failed since
        """
        now = self.clock()
        since = now - CONTINUED_SECONDS if purpose in RUNS else 0
        return round_rows.open_round(self.operational, purpose, since=since, now=now)

    def step(
        self, current: Round, bounds: Bounds, *, is_mending: bool
    ) -> Iterator[tuple[Content, ...]]:
        """
        Look at what is left of a round within bounds, and yield it a batch at a time.

        ensures: every batch that was yielded is noted; the round is ended when nothing is left
        :raises ContentStoreUnreachable: if the own store is away; the round says so until it is not
        """
        spent = _Spent(bounds)
        while batch := rows.left_in(self.operational, current, spent.batch()):
            yield from self.look(batch, current, spent, is_mending=is_mending)
            if spent.is_over():
                return
        if is_mending:
            yield from self._mend_again(current)
        round_rows.end_round(self.operational, current.round_id, now=self.clock())

    def look(
        self,
        contents: Sequence[Content],
        current: Round | None,
        spent: "_Spent | None" = None,
        *,
        is_mending: bool,
    ) -> Iterator[tuple[Content, ...]]:
        """
        Look at these contents, and yield them as found, batch by batch.

        shape: without a round, as for a sample, none counts them as read
        """
        spent = spent or _Spent(Bounds())
        found: list[Content] = []
        try:
            for content in contents:
                found.append(self._look(content, is_mending=is_mending))
                spent.add(content.size_bytes or 0)
                if len(found) >= BATCH or spent.is_over():
                    yield self._noted(found, current)
                    found = []
                if spent.is_over():
                    return
        except ContentStoreUnreachable as error:
            self._noted(found, current)
            if current is not None:
                round_rows.note_trouble(self.operational, current.round_id, str(error))
            raise
        if found:
            yield self._noted(found, current)
        if current is not None and current.trouble:
            round_rows.note_trouble(self.operational, current.round_id, "")

    def _mend_again(self, current: Round) -> Iterator[tuple[Content, ...]]:
        """Mend what is left as long as it becomes less: a damage may stand in another's way."""
        before, left = -1, self.faulty()
        while left and len(left) != before:
            yield from self.look(left, current, is_mending=True)
            before, left = len(left), self.faulty()

    def faulty(self, limit: int | None = None) -> tuple[Content, ...]:
        """Return what is known not to be well here."""
        return rows.list_contents(self.operational, states=FAULTY, limit=limit)

    def _look(self, content: Content, *, is_mending: bool) -> Content:
        found = self.keeper.look(content, now=self.clock())
        return self.keeper.mend(found, now=self.clock()) if is_mending else found

    def _noted(self, found: Sequence[Content], current: Round | None) -> tuple[Content, ...]:
        rows.note_found(self.operational, found, current, now=self.clock())
        return tuple(found)

    def _place(self, session: Session) -> tuple[int, int]:
        """Return the place after which events were not read yet."""
        if self._after is None:
            newest = rows.newest_naming_block(self.operational)
            return (max(-1, newest - FORKED_BLOCKS), -1)
        there = block_at(session, self._seen.number) if self._seen is not None else None
        if self._seen is not None and (there is None or there.hash != self._seen.hash):
            return (max(-1, self._seen.number - FORKED_BLOCKS), -1)
        lowest = lowest_since(session, self._epoch)
        # The same blocks may have come again with more in them: those of a contract that joined.
        return self._after if lowest is None else min(self._after, (lowest + 1, -1))


@dataclass(slots=True)
class _Spent:
    """What was looked at of what may be."""

    bounds: Bounds
    number: int = 0
    size_bytes: int = 0
    began: float = field(default_factory=time.monotonic)

    def add(self, size_bytes: int) -> None:
        self.number += 1
        self.size_bytes += size_bytes

    def batch(self) -> int:
        return BATCH if self.bounds.number is None else min(BATCH, self.bounds.number - self.number)

    def is_over(self) -> bool:
        most = self.bounds
        return (
            (most.number is not None and self.number >= most.number)
            or (most.size_bytes is not None and self.size_bytes >= most.size_bytes)
            or (most.seconds is not None and time.monotonic() - self.began >= most.seconds)
        )


def _algorithm(session: Session, certificate_id: CertificateId) -> DigestAlg | None:
    found = find(session, Certificate, certificate_id)
    return None if found is None else found.record.digest_alg
