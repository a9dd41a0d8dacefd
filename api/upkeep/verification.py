"""
Whether a mirror is true: its blocks hang together, are the node's, hold what the contracts say, and
fold to the same again; and whether another exchange's mirror says the same.

It reads only; what it folds anew it folds in a copy. Mending is `api.upkeep.repairs`'.
"""

import hashlib
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any, Final

from sqlalchemy import Engine, func, select
from sqlmodel import Session

from api.auditing.audit import Audit, audit, sample
from api.auditing.comparing import Difference
from chain.columns import canonical
from chain.comparison import COMPARED_BLOCKS, differences
from chain.comparison import Difference as BlockDifference
from chain.copies import copy_mirror
from chain.facts import Projection
from chain.fetch import Source
from chain.gaps import inner_gaps
from chain.reads import checksum, final_number
from chain.rpc import Endpoint
from chain.store import BLOCKS, EVENTS, mirror_engine, rebuild, tip_of
from chain.tables import TABLES

TOLD_MAX: Final = 20
BATCH_ROWS: Final = 5_000
TRIES: Final = 3
PAUSE_SECONDS: Final = 1

Note = Callable[[int, int], object]


def silent(_done: int, _total: int) -> None:
    """Tell nobody how far it has come."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """
    One thing that was checked.

    shape: `differences` are sentences, at most TOLD_MAX of them; `count` is how many there are
    """

    name: str
    checked: int
    count: int = 0
    differences: tuple[str, ...] = ()

    @property
    def is_equal(self) -> bool:
        """Return whether nothing differs."""
        return self.count == 0


def check_of(name: str, checked: int, found: list[str]) -> Check:
    """Return a check with what it found."""
    return Check(name=name, checked=checked, count=len(found), differences=tuple(found[:TOLD_MAX]))


def verify_links(mirror: Engine) -> Check:
    """Check that every stored block is the child of the one before it, none missing between."""
    with Session(mirror) as session:
        total = session.connection().execute(select(func.count()).select_from(BLOCKS))
        found = [_of_block(one) for one in inner_gaps(session)]
        return check_of("links", int(total.scalar_one()), found)


def verify_blocks(mirror: Engine, source: Source, *, note: Note = silent) -> Check:
    """
    Check that the stored blocks are the node's, with the very logs that it serves.

    shape: what differs above the final height is asked again, since mirror and node move
    """
    for _ in range(TRIES - 1):
        found, total, final = _differing(mirror, source, note)
        if not found or found[0].block_number <= final:
            break
        time.sleep(PAUSE_SECONDS)
    else:
        found, total, final = _differing(mirror, source, note)
    return check_of("blocks", total, [_of_block(one) for one in found])


def _differing(
    mirror: Engine, source: Source, note: Note
) -> tuple[list[BlockDifference], int, int]:
    with Session(mirror) as session:
        if mirror.dialect.name == "postgresql":
            session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
        tip, final = tip_of(session), final_number(session)
        if tip is None:
            return [], 0, final
        start, end = source.start_block, min(tip.number, source.head())
        found: list[BlockDifference] = []
        for first in range(start, end + 1, COMPARED_BLOCKS):
            last = min(end, first + COMPARED_BLOCKS - 1)
            found += differences(session, source, first, last)
            note(last - start + 1, end - start + 1)
        return found, max(0, end - start + 1), final


def _of_block(found: BlockDifference) -> str:
    what = found.kind.name.replace("_", " ").lower()
    return f"block {found.block_number}: {what}, mirror {found.stored or '–'}, {found.found or '–'}"


def verify_records(
    mirror: Engine, node: Endpoint, *, number: int | None, random: Random, note: Note = silent
) -> Check:
    """Compare records with the contracts' views: some at random, or with `number` None all."""
    if number is None:
        found = audit(mirror, node, note=note)
    else:
        found = sample(mirror, node, number=number, random=random)
    return _of_audit(found)


def _of_audit(found: Audit) -> Check:
    return Check(
        name="records",
        checked=found.compared,
        count=found.difference_count,
        differences=tuple(sentence_of(one) for one in found.differences[:TOLD_MAX]),
    )


def sentence_of(found: Difference) -> str:
    """Return a difference in one sentence."""
    key = " ".join(str(one) for one in found.key)
    return f"{found.record} {key} {found.field}: mirror {found.mirrored}, chain {found.on_chain}"


def verify_rebuild(
    mirror: Engine, project: Projection, *, folder: Path, note: Note = silent
) -> Check:
    """
    Fold all stored events anew in a copy, and compare every version of every record, and every
    block's checksum, with those that the mirror came to as it followed.

    shape: the copy is made in `folder`, and removed
    """
    with tempfile.TemporaryDirectory(prefix=".fresh-verify-", dir=folder) as scratch:
        path = Path(scratch) / "mirror.sqlite"
        copy_mirror(mirror, path, tip_of)
        copy = mirror_engine(f"sqlite:///{path}")
        try:
            before, sums = digests_of(copy), dict(_checksums(copy))
            total = count_events(copy)
            events = rebuild(copy, project, lambda done: note(done, total))
            after = digests_of(copy)
            found = [
                f"table {name} is not what its events make"
                for name in sorted(before)
                if before[name] != after[name]
            ]
            differing = (number for number, one in _checksums(copy) if sums.get(number) != one)
            first = next(differing, None)
            if first is not None:
                found.append(f"the checksum of block {first} is another when it is folded anew")
        finally:
            copy.dispose()
    return check_of("rebuild", events, found)


def digests_of(mirror: Engine) -> dict[str, str]:
    """Return the SHA-256 of every version in each table of records, in the order of the keys."""
    found = {}
    with Session(mirror) as session:
        for versioned in TABLES.values():
            table = versioned.table
            places = [table.c.from_block, table.c.to_block, table.c.from_log]
            key = [table.c[name] for name in versioned.key]
            query = select(*versioned.columns(), *places).order_by(*key, table.c.from_block)
            total = hashlib.sha256()
            for row in session.connection().execute(query.execution_options(yield_per=BATCH_ROWS)):
                total.update(canonical([_plain(value) for value in row]).encode())
            found[table.name] = total.hexdigest()
    return found


def count_events(mirror: Engine) -> int:
    """Return how many events are stored."""
    with Session(mirror) as session:
        query = select(func.count()).select_from(EVENTS)
        return int(session.connection().execute(query).scalar_one())


def mirror_checksum(mirror: Engine) -> str:
    """Return the checksum over all current records."""
    with Session(mirror) as session:
        return checksum(session)


def _checksums(mirror: Engine) -> Iterator[tuple[int, str]]:
    query = select(BLOCKS.c.number, BLOCKS.c.checksum).order_by(BLOCKS.c.number)
    with Session(mirror) as session:
        for row in session.connection().execute(query.execution_options(yield_per=BATCH_ROWS)):
            yield row[0], row[1]


def _plain(value: Any) -> Any:
    if isinstance(value, bool | str) or value is None:
        return value
    return value.name if hasattr(value, "name") else repr(value)
