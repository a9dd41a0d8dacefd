"""
What a request is given: the services of this process, and a reading of the mirror as of one block.

It opens no engine (`api.compose` does) and knows no session (`api.auth` does).
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Final, TypeVar

from fastapi import Depends, Query, Request
from sqlalchemy import Engine
from sqlmodel import Session

from api.asof import HEIGHT_MAX, NEWEST, Asked, AsOf, block_of
from api.cursors import pinned_by
from api.evidence import tell_evidence
from api.models import Answer, Json
from api.observing.metrics import Metrics
from api.observing.tallies import Tallies
from api.paging import Paging, Where, paging, stepping
from api.streaming.streams import Streams
from api.webhooks.endpoints import Webhooks
from chain import reads
from chain.client import Ledger
from chain.content import ContentStore
from chain.facts import Block
from chain.failure import LedgerError
from chain.outbox import Outbox
from chain.reading import Snapshot, Snapshots
from chain.rpc import Endpoint

# How many records are read at once for evidence.
EVIDENCE_STEP: Final = 1_000

R = TypeVar("R")
Add = Callable[[Sequence[R]], list[Json]]
"""What a route adds to records: one mapping for each, in their order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """
    What a process that answers requests holds open.

    shape: `ledger` is None where only questions are answered; `clock` gives seconds of wall time,
           for sessions and logs only: everything of the ledger uses the time of its blocks;
           a chain whose newest block is older than `stall_seconds` stands still, 0 for never;
           in `backup_folder`, if there is one, backups are to be found
    """

    mirror: Engine
    snapshots: Snapshots
    operational: Engine
    outbox: Outbox
    content: ContentStore
    exports: Path
    node: Endpoint
    chain_id: int
    origin: str
    nonce_seconds: int
    session_seconds: int
    clock: Callable[[], int]
    webhooks: Webhooks
    finality: str
    verify: str
    stall_seconds: int = 0
    backup_folder: str = ""
    ledger: Ledger | None = None
    rpc_url: str = ""
    streams: Streams = field(default_factory=Streams)
    metrics: Metrics = field(default_factory=Metrics)
    tallies: Tallies = field(default_factory=Tallies)


def services_of(request: Request) -> Services:
    """Return the services that `create_app` was given."""
    found: Services = request.app.state.services
    return found


ServicesDep = Annotated[Services, Depends(services_of)]


@dataclass(frozen=True, slots=True)
class Reading:
    """
    The mirror as of one block, in one transaction.

    shape: `at_block` is None when the block is the newest, which reads current rows
    """

    snapshot: Snapshot
    moment: AsOf

    @property
    def session(self) -> Session:
        """Return the session to ask in."""
        return self.snapshot.session

    @property
    def block(self) -> Block:
        """Return the block that answers are as of."""
        return self.moment.block

    @property
    def at_block(self) -> int | None:
        """Return its height as `chain.reads` takes it."""
        return self.moment.at_block

    @property
    def now(self) -> int:
        """Return the time that statuses are computed with."""
        return self.moment.block.timestamp

    @property
    def final_number(self) -> int:
        """Return the height up to which no fork can change anything; -1 if there is none."""
        return self.moment.final_number

    def as_of(self) -> Json:
        """Return the block as every answer names it."""
        told = self.moment
        return {
            "block_number": told.block.number,
            "block_hash": told.block.hash,
            "is_final": told.is_final,
        }

    def newest(self) -> "Reading":
        """Return the same transaction as of the newest block: what somebody may see is of now."""
        return self if self.at_block is None else Reading(self.snapshot, block_of(self.snapshot))

    def find(self, record: type[R], *key: Any) -> R | None:
        """Return one record, or None."""
        found = self.snapshot.find(record, *key, at_block=self.at_block)
        return None if found is None else found.record

    def require(self, record: type[R], *key: Any, missing: LedgerError) -> reads.Recorded[R]:
        """Return one record with its place, or raise what says that it is missing."""
        found = self.snapshot.find(record, *key, at_block=self.at_block)
        if found is None:
            raise missing
        return found

    def one(
        self, answer: Answer[R], *key: Any, missing: LedgerError, add: Add[R] | None = None
    ) -> Json:
        """Return the answer about one record."""
        return self.told(answer, self.require(answer.record, *key, missing=missing), add)

    def told(self, answer: Answer[R], found: reads.Recorded[R], add: Add[R] | None = None) -> Json:
        """Return the answer about a record that was found."""
        return {**self._items(answer, (found,), add)[0], "as_of": self.as_of()}

    def page(
        self, answer: Answer[R], where: Where, pages: Paging, add: Add[R] | None = None
    ) -> Json:
        """Return a page of records, or the evidence about all of them if that is asked for."""
        if pages.evidence:
            return {**tell_evidence(self._all(answer, where, add), answer), "as_of": self.as_of()}
        found = self._page(answer, where, pages.after(answer.record), pages.limit)
        return {
            "items": self._items(answer, found.items, add),
            "next": pages.next(answer.record, found.next, self.block),
            "as_of": self.as_of(),
        }

    def _all(self, answer: Answer[R], where: Where, add: Add[R] | None) -> Iterator[Json]:
        after = None
        while True:
            found = self._page(answer, where, after, EVIDENCE_STEP)
            yield from self._items(answer, found.items, add)
            after = found.next
            if after is None:
                return

    def _page(
        self, answer: Answer[R], where: Where, after: reads.Place | None, limit: int
    ) -> reads.Page[R]:
        return reads.page(
            self.session,
            answer.record,
            where=where,
            after=after,
            limit=limit,
            at_block=self.at_block,
        )

    def _items(
        self, answer: Answer[R], found: Sequence[reads.Recorded[R]], add: Add[R] | None
    ) -> list[Json]:
        if add is None:
            return [answer.item(one, self.now) for one in found]
        added = add([one.record for one in found])
        return [answer.item(one, self.now, more) for one, more in zip(found, added, strict=True)]


AsOfBlockQuery = Annotated[
    int | None,
    Query(ge=0, le=HEIGHT_MAX, description="Answer as of this block; by default the newest."),
]
AsOfTimeQuery = Annotated[
    str | None,
    Query(
        max_length=40,
        description="Answer as of the last block at or before this time (RFC 3339).",
    ),
]


def reading(
    request: Request,
    services: ServicesDep,
    as_of_block: AsOfBlockQuery = None,
    as_of_time: AsOfTimeQuery = None,
) -> Iterator[Reading]:
    """
    Open a reading for one request: of the page before's block if it brings a cursor.

    :raises LedgerError: as `api.asof.block_of` does
    """
    asked = NEWEST
    if request.scope["query_string"]:
        pinned = pinned_by(request.query_params.get("cursor"))
        asked = Asked(as_of_block, as_of_time, pinned)
    with services.snapshots.open() as snapshot:
        yield open_reading(snapshot, asked)


def open_reading(snapshot: Snapshot, asked: Asked = NEWEST) -> Reading:
    """
    Return the mirror as of a block.

    :raises LedgerError: as `api.asof.block_of` does
    """
    return Reading(snapshot, block_of(snapshot, asked))


ReadingDep = Annotated[Reading, Depends(reading)]
PagingDep = Annotated[Paging, Depends(paging)]
StepsDep = Annotated[Paging, Depends(stepping)]
