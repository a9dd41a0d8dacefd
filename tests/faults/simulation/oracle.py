"""
What must hold of a mirror whatever happened to it; what does not is returned as sentences.

A mirror is compared with one that only ever saw the chain as it is now, with the node's receipts,
and with itself made again from its events.
"""

import hashlib
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import Engine
from sqlmodel import Session

from chain.facts import Projection
from chain.heads import final_number
from chain.reads import checksum
from chain.records import key_of
from chain.rpc import Node
from chain.store import block_at, rebuild, tip_of
from tests.chain.things import dump, project
from tests.faults.simulation.branches import Chain
from tests.faults.simulation.mirrors import Following, catch_up, opened
from tests.faults.simulation.receipts import Story, stored, told

TOLD_MAX: Final = 3


class Violated(AssertionError):
    """What must hold does not."""


def require_right(
    engine: Engine, node: Node, following: Following, projection: Projection = project
) -> None:
    """
    Check a mirror that has caught up.

    :raises Violated: with everything that is wrong
    """
    found = violations(engine, node, following, projection)
    if found:
        raise Violated("; ".join(found))


def violations(
    engine: Engine, node: Node, following: Following, projection: Projection = project
) -> list[str]:
    """Return everything that is wrong with a mirror that has caught up."""
    story, rows, total = stored(engine), dump(engine), _checksum(engine)
    found = []
    with (
        tempfile.TemporaryDirectory(prefix="shulian-simulate-fresh-") as folder,
        opened(f"sqlite:///{folder}/fresh.db") as fresh,
    ):
        catch_up(fresh, following, projection)
        found += _differences("a fresh mirror", rows, dump(fresh))
        if total != _checksum(fresh):
            found.append("the checksum is not a fresh mirror's")
    wanted = told(node, following.contracts, projection)
    found += _differences("the node's receipts", _tables(story), _tables(wanted))
    found += intervals(story)
    rebuild(engine, projection)
    found += _differences("itself made again", rows, dump(engine))
    return found


def intervals(story: Story) -> list[str]:
    """Return what is wrong with when versions hold: one follows another, and the last is open."""
    versions: dict[Any, list[tuple[int, int | None]]] = defaultdict(list)
    for record, since, until, _ in story.versions:
        versions[type(record).__name__, key_of(record)].append((since, until))
    found = []
    for ident, spans in versions.items():
        spans.sort()
        ends = [until for _, until in spans]
        starts = [since for since, _ in spans]
        if ends != [*starts[1:], None] or len(set(starts)) != len(starts):
            found.append(f"versions of {ident} do not follow each other: {spans}")
    return found


@dataclass(slots=True)
class Witness:
    """Remembers what a mirror served as final, to see later that it still says so."""

    finality: int
    served: dict[int, tuple[str, str | None]] = field(default_factory=dict)

    def look(self, engine: Engine) -> None:
        """
        Check everything that was final before, and note what is final now.

        :raises Violated: if something final was rewritten
        """
        story = stored(engine)
        with Session(engine) as session:
            for number, (block_hash, digest) in self.served.items():
                block = block_at(session, number)
                if block is None and digest is None:
                    # Its blocks are being fetched anew, for the contract that joined.
                    continue
                if block is None or block.hash != block_hash:
                    raise Violated(f"block {number} was served as final and is another now")
                if digest not in (None, state_at(story, number)):
                    raise Violated(f"what was final at block {number} was rewritten")
            final = self._final(session)
            block = None if final is None else block_at(session, final)
            if block is not None:
                self.served[block.number] = (block.hash, state_at(story, block.number))

    def expect_more(self) -> None:
        """Let what is told of final blocks change, but not which blocks they are: a noun joins."""
        self.served = {
            number: (block_hash, None) for number, (block_hash, _) in self.served.items()
        }

    def _final(self, session: Session) -> int | None:
        tip = tip_of(session)
        told = final_number(session)
        return told if told >= 0 or tip is None else tip.number - self.finality


def state_at(story: Story, number: int) -> str:
    """Return a digest of everything that a mirror says as of a block."""
    total = hashlib.sha256()
    for block in story.blocks:
        if block[0] <= number:
            total.update(repr(block).encode())
    for log in story.logs:
        if log[0] <= number:
            total.update(repr(log).encode())
    held = (
        repr((record, since, until if until is not None and until <= number else None, log))
        for record, since, until, log in story.versions
        if since <= number
    )
    for one in sorted(held):
        total.update(one.encode())
    return total.hexdigest()


def _checksum(engine: Engine) -> str:
    with Session(engine) as session:
        return checksum(session)


def _tables(story: Story) -> dict[str, Sequence[Any]]:
    return {"blocks": story.blocks, "logs": story.logs, "versions": story.versions}


def _differences(other: str, rows: Any, expected: Any) -> Iterator[str]:
    for name, wanted in expected.items():
        here, there = Counter(rows[name]), Counter(wanted)
        missing, surplus = there - here, here - there
        if missing or surplus:
            some = [*list(missing)[:TOLD_MAX], *list(surplus)[:TOLD_MAX]]
            yield (
                f"{name} differs from {other}: {missing.total()} missing, "
                f"{surplus.total()} surplus, such as {some}"
            )


def foreign(engine: Engine, chain: Chain, following: Following) -> list[str]:
    """
    Return what a mirror holds that was never true, while it may be behind the chain.

    shape: every block must have been on some branch; of those that count now, every log
    """
    story = stored(engine)
    found = [f"block {row[0]} was never there" for row in story.blocks if row[1] not in chain.known]
    wanted = told(chain.anvil.node, following.contracts, project)
    counting = {row[0] for row in wanted.blocks} & {row[0] for row in story.blocks}
    hashes = {row[0]: row[1] for row in wanted.blocks}
    same = {row[0] for row in story.blocks if row[0] in counting and row[1] == hashes[row[0]]}
    here = [row for row in story.logs if row[0] in same]
    there = [row for row in wanted.logs if row[0] in same]
    return found + list(_differences("the node's receipts", {"logs": here}, {"logs": there}))
