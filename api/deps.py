"""
What a request is given: the services of this process, and a reading of the mirror as of one block.

It opens no engine (`api.compose` does) and knows no session (`api.auth` does).
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, TypeVar

from fastapi import Depends, Query, Request
from sqlalchemy import Engine
from sqlmodel import Session

from api.models import Answer, Json
from api.paging import Paging, Where, paging
from api.problems import MirrorEmpty
from chain import reads
from chain.client import Ledger
from chain.content import ContentStore
from chain.facts import Block
from chain.failure import LedgerError, NotFound
from chain.outbox import Outbox
from chain.rpc import Node

R = TypeVar("R")
Add = Callable[[Sequence[R]], list[Json]]
"""What a route adds to records: one mapping for each, in their order."""


class BlockNotMirrored(NotFound):
    """The mirror holds no block of this height."""

    block_number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """
    What a process that answers requests holds open.

    shape: `ledger` is None where only questions are answered; `clock` gives seconds of wall time,
           for sessions and logs only: everything of the ledger uses the time of its blocks
    """

    mirror: Engine
    operational: Engine
    outbox: Outbox
    content: ContentStore
    exports: Path
    node: Node
    chain_id: int
    finality_depth: int
    origin: str
    nonce_seconds: int
    session_seconds: int
    clock: Callable[[], int]
    ledger: Ledger | None = None


def services_of(request: Request) -> Services:
    """Return the services that `create_app` was given."""
    found: Services = request.app.state.services
    return found


ServicesDep = Annotated[Services, Depends(services_of)]


@dataclass(frozen=True, slots=True)
class Reading:
    """
    The mirror as of one block, in one transaction.

    shape: `at_block` is None when the block is the tip, which reads current rows
    """

    session: Session
    block: Block
    at_block: int | None
    is_final: bool

    @property
    def now(self) -> int:
        """Return the time that statuses are computed with."""
        return self.block.timestamp

    def as_of(self) -> Json:
        """Return the block as every answer names it."""
        return {
            "block_number": self.block.number,
            "block_hash": self.block.hash,
            "is_final": self.is_final,
        }

    def find(self, record: type[R], *key: Any) -> R | None:
        """Return one record, or None."""
        found = reads.find(self.session, record, *key, at_block=self.at_block)
        return None if found is None else found.record

    def require(self, record: type[R], *key: Any, missing: LedgerError) -> reads.Recorded[R]:
        """Return one record with its place, or raise what says that it is missing."""
        found = reads.find(self.session, record, *key, at_block=self.at_block)
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
        """Return a page of records."""
        found = reads.page(
            self.session,
            answer.record,
            where=where,
            after=pages.after(answer.record),
            limit=pages.limit,
            at_block=self.at_block,
        )
        return {
            "items": self._items(answer, found.items, add),
            "next": pages.next(answer.record, found.next),
            "as_of": self.as_of(),
        }

    def _items(
        self, answer: Answer[R], found: Sequence[reads.Recorded[R]], add: Add[R] | None
    ) -> list[Json]:
        added = add([one.record for one in found]) if add else [{}] * len(found)
        return [answer.item(one, self.now, more) for one, more in zip(found, added, strict=True)]


def reading(
    services: ServicesDep,
    at_block: Annotated[
        int | None,
        Query(ge=0, lt=2**63, description="Answer as of this block; by default the newest."),
    ] = None,
) -> Iterator[Reading]:
    """
    Open a reading for one request.

    :raises MirrorEmpty: if no block was applied yet
    :raises BlockNotMirrored: if none of that height was
    """
    with Session(services.mirror) as session:
        if services.mirror.dialect.name == "postgresql":
            # SQLite's transactions are snapshots by themselves.
            session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
        yield open_reading(session, services.finality_depth, at_block)


def open_reading(session: Session, finality_depth: int, at_block: int | None = None) -> Reading:
    """
    Return the mirror as of a block.

    :raises MirrorEmpty: if no block was applied yet
    :raises BlockNotMirrored: if none of that height was
    """
    tip = reads.as_of(session)
    if tip is None:
        raise MirrorEmpty()
    if at_block is None or at_block == tip.number:
        return Reading(session, tip, None, finality_depth == 0)
    block = reads.as_of(session, at_block)
    if block is None:
        raise BlockNotMirrored(block_number=at_block)
    return Reading(session, block, at_block, tip.number - block.number >= finality_depth)


ReadingDep = Annotated[Reading, Depends(reading)]
PagingDep = Annotated[Paging, Depends(paging)]
