"""
What is known of every content that the ledger names or this home kept, in the operational database.

It reads no content: who looks is `api.content.keeper`, in which order is `api.content.rounds`; the
rounds themselves are noted by `round_rows`.
"""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum, auto
from typing import Any, Final, Self

from sqlalchemy import Column, Engine, bindparam, case, func, select, update
from sqlalchemy.dialects.sqlite import insert

from api.content.named import Named
from api.content.round_rows import RUNS, Round
from api.operational import CONTENTS
from chain.codes import DigestAlg
from chain.content import Condition, Name, Stored
from chain.documents import Cid, Digest
from chain.values import Bytes32

# The round, and the run, of what was not looked at yet.
NO_ROUND: Final = 0
READ_ROWS: Final = 1_000


class State(Enum):
    """
    How some content stands, as last looked at.

    shape: ELSEWHERE was never kept here and is only named; LOST was, and nobody who was asked has
           it any more; the others are what the own store answered (`chain.content.Condition`)
    """

    UNCHECKED = auto()
    HELD = auto()
    LOOSE = auto()
    CORRUPTED = auto()
    MISSING = auto()
    LOST = auto()
    ELSEWHERE = auto()


# What a person, or a repair, must see to.
FAULTY: Final = (State.LOOSE, State.CORRUPTED, State.MISSING, State.LOST)
AWAY: Final = "UNREACHABLE"
WELL: Final = (Condition.HELD.name,)


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """
    Some content, by what names it, and where it was found.

    shape: `kept_at` is None if this home never had it; `copies` tells the condition at each second
           copy by its name
    """

    digest: Digest
    sha256: Bytes32 | None = None
    cid: Cid | None = None
    size_bytes: int | None = None
    named_by: str = ""
    named_block: int | None = None
    kept_at: int | None = None
    state: State = State.UNCHECKED
    copies: Mapping[str, str] = field(default_factory=dict)

    @property
    def name(self) -> Name:
        """Return the name that a store finds it by best."""
        if self.cid is None:
            return self.digest
        size_bytes = self.size_bytes or 0
        return Stored(digest=self.digest, cid=self.cid, size_bytes=size_bytes, sha256=self.sha256)

    @property
    def is_kept(self) -> bool:
        """Return whether this home answers for it."""
        return self.kept_at is not None

    def only_at(self, places: Collection[str]) -> Self:
        """Return it without what is known of other places: they may be none of ours any more."""
        return replace(
            self, copies={name: self.copies[name] for name in places if name in self.copies}
        )

    @property
    def is_well(self) -> bool:
        """Return whether nothing is to be done: whole here, and at every second copy."""
        if self.state in (State.ELSEWHERE, State.UNCHECKED):
            return True
        return self.state is State.HELD and all(one in WELL for one in self.copies.values())


# What of a content's row is never forgotten again.
LEARNT: Final = ("sha256", "cid", "size_bytes", "kept_at")


# --- what is there --------------------------------------------------------------------------------


def note_kept(engine: Engine, stored: Stored, *, now: int) -> None:
    """Note that this home put some content into its store."""
    row = {
        "digest": stored.digest.value,
        "algorithm": stored.digest.algorithm.name,
        "sha256": stored.sha256,
        "cid": stored.cid,
        "size_bytes": stored.size_bytes,
        "named_by": "",
        "kept_at": now,
        "state": State.HELD.name,
        "copies": "{}",
        "round_id": NO_ROUND,
    }
    known = insert(CONTENTS).values(row)
    again = {name: known.excluded[name] for name in ("sha256", "cid", "size_bytes", "state")}
    kept = known.on_conflict_do_update(
        index_elements=[CONTENTS.c.digest],
        set_={**again, "kept_at": func.coalesce(CONTENTS.c.kept_at, known.excluded.kept_at)},
    )
    # Forgotten in a power cut it is found again by looking: it need not wait for the disk.
    with engine.connect().execution_options(derived=True) as connection, connection.begin():
        connection.execute(kept)


def note_named(engine: Engine, named: Iterable[tuple[Named, int]]) -> None:
    """Note what the ledger names, each with the block that does, unless it is known to."""
    rows = [
        {
            "digest": one.digest.value,
            "algorithm": one.digest.algorithm.name,
            "named_by": one.by,
            "named_block": block_number,
            "state": State.UNCHECKED.name,
            "copies": "{}",
            "round_id": NO_ROUND,
        }
        for one, block_number in named
    ]
    if not rows:
        return
    known = insert(CONTENTS)
    first = known.on_conflict_do_update(
        index_elements=[CONTENTS.c.digest],
        set_={name: known.excluded[name] for name in ("named_by", "named_block")},
        where=CONTENTS.c.named_block.is_(None),
    )
    with engine.connect().execution_options(derived=True) as connection, connection.begin():
        connection.execute(first, rows)


def note_found(
    engine: Engine, found: Sequence[Content], current: Round | None, *, now: int
) -> None:
    """
    Note how content was found, as part of a round if there is one.

    ensures: what was put here while it was looked for stays kept, under the names that it has
    """
    if not found:
        return
    same = CONTENTS.c.digest == bindparam("of_digest")
    column = None if current is None else _reader(current).name
    names = (*LEARNT, "state", "copies", "checked_at", *([column] if column else []))
    told = {name: bindparam(f"new_{name}", type_=CONTENTS.c[name].type) for name in names}
    # It was put after it was read as nobody's: what was found is old, and is to be found anew.
    was_put = CONTENTS.c.kept_at.is_not(None) & told["kept_at"].is_(None)
    learnt = {name: func.coalesce(told[name], CONTENTS.c[name]) for name in LEARNT}
    anew = {"state": case((was_put, CONTENTS.c.state), else_=told["state"])}
    read: dict[str, int] = {}
    if current is not None and column is not None:
        anew[column] = case((was_put, NO_ROUND), else_=told[column])
        read = {f"new_{column}": current.round_id}
    change = update(CONTENTS).where(same).values({**told, **learnt, **anew})
    rows = [
        {
            "of_digest": one.digest.value,
            "new_sha256": one.sha256,
            "new_cid": one.cid,
            "new_size_bytes": one.size_bytes,
            "new_kept_at": one.kept_at,
            "new_state": one.state.name,
            "new_copies": json.dumps(dict(one.copies), sort_keys=True),
            "new_checked_at": now,
            **read,
        }
        for one in found
    ]
    with engine.begin() as connection:
        connection.execute(change, rows)


def find_content(engine: Engine, digest: str) -> Content | None:
    """Return what is known of one content."""
    with engine.connect() as connection:
        reading = connection.execution_options(reads=True)
        row = reading.execute(select(CONTENTS).where(CONTENTS.c.digest == digest)).first()
    return None if row is None else _content(row)


def list_contents(
    engine: Engine, *, states: Sequence[State] = (), after: str = "", limit: int | None = None
) -> tuple[Content, ...]:
    """Return contents by digest, those in one of these states if any are given."""
    query = select(CONTENTS).where(CONTENTS.c.digest > after).order_by(CONTENTS.c.digest)
    if states:
        query = query.where(CONTENTS.c.state.in_([one.name for one in states]))
    return _contents(engine, query.limit(limit))


def unwell(engine: Engine, places: Collection[str]) -> tuple[Content, ...]:
    """Return all content that something is to be done about, here or at one of these copies."""
    kept = select(CONTENTS).where(CONTENTS.c.kept_at.is_not(None)).order_by(CONTENTS.c.digest)
    with engine.connect() as connection:
        rows = connection.execution_options(reads=True, yield_per=READ_ROWS).execute(kept)
        found = (_content(row).only_at(places) for row in rows)
        return tuple(one for one in found if not one.is_well)


def fresh(engine: Engine, limit: int) -> tuple[Content, ...]:
    """Return contents that nobody looked at yet: those put here have no second copy so far."""
    query = select(CONTENTS).where(CONTENTS.c.round_id == NO_ROUND)
    return _contents(engine, query.order_by(CONTENTS.c.digest).limit(limit))


def newest_naming_block(engine: Engine) -> int:
    """Return the newest block whose event is known to name something, -1 if there is none."""
    query = select(func.max(CONTENTS.c.named_block))
    with engine.connect() as connection:
        found = connection.execution_options(reads=True).execute(query).scalar()
    return -1 if found is None else int(found)


def sampled(engine: Engine, number: int) -> tuple[Content, ...]:
    """Return contents at random, those first that are kept here."""
    return _contents(
        engine,
        select(CONTENTS).order_by(CONTENTS.c.kept_at.is_(None), func.random()).limit(number),
    )


def counts(engine: Engine) -> dict[str, int]:
    """Return how many contents are in each state."""
    query = select(CONTENTS.c.state, func.count()).group_by(CONTENTS.c.state)
    with engine.connect() as connection:
        rows = connection.execution_options(reads=True).execute(query)
        return {state: int(number) for state, number in rows}


def count_faulty(engine: Engine) -> dict[State, int]:
    """Return how many contents are not well here, which takes as long as there are such."""
    faulty = CONTENTS.c.state.in_([one.name for one in FAULTY])
    query = select(CONTENTS.c.state, func.count()).where(faulty).group_by(CONTENTS.c.state)
    with engine.connect() as connection:
        rows = connection.execution_options(reads=True).execute(query)
        return {State[state]: int(number) for state, number in rows}


def copy_counts(engine: Engine) -> dict[str, dict[str, int]]:
    """Return how many contents each second copy has, by the condition it has them in."""
    told: dict[str, dict[str, int]] = {}
    query = select(CONTENTS.c.copies, func.count()).group_by(CONTENTS.c.copies)
    with engine.connect() as connection:
        for text, number in connection.execution_options(reads=True).execute(query):
            for name, condition in json.loads(text).items():
                here = told.setdefault(name, {})
                here[condition] = here.get(condition, 0) + int(number)
    return told


def copies_away(engine: Engine) -> tuple[str, ...]:
    """Return the second copies that were out of reach for some content, however much there is."""
    away: set[str] = set()
    last: str | None = ""
    with engine.connect() as connection:
        reading = connection.execution_options(reads=True)
        # There are few ways in which copies stand: from one to the next by the index.
        while last is not None:
            query = select(func.min(CONTENTS.c.copies)).where(CONTENTS.c.copies > last)
            last = reading.execute(query).scalar()
            told = json.loads(last or "{}")
            away |= {name for name, condition in told.items() if condition == AWAY}
    return tuple(sorted(away))


def forget_places(engine: Engine, places: Collection[str]) -> None:
    """Forget what was found at second copies that are none any more."""
    with engine.connect() as connection:
        query = select(CONTENTS.c.copies).distinct()
        texts = connection.execution_options(reads=True).execute(query).scalars().all()
    with engine.begin() as connection:
        for text in texts:
            told = json.loads(text)
            left = {name: told[name] for name in told if name in places}
            if left != told:
                same = update(CONTENTS).where(CONTENTS.c.copies == text)
                connection.execute(same.values(copies=json.dumps(left, sort_keys=True)))


# --- what a round left ----------------------------------------------------------------------------


def left_in(engine: Engine, current: Round, limit: int) -> tuple[Content, ...]:
    """Return some of what a round has not looked at."""
    reader = _reader(current)
    left = select(CONTENTS).where(reader < current.round_id)
    return _contents(engine, left.order_by(reader, CONTENTS.c.digest).limit(limit))


def count_left(engine: Engine, current: Round) -> int:
    """Return how much a round has not looked at."""
    left = _reader(current) < current.round_id
    query = select(func.count()).select_from(CONTENTS).where(left)
    with engine.connect() as connection:
        return int(connection.execution_options(reads=True).execute(query).scalar_one())


def _reader(current: Round) -> Column[Any]:
    """Return the column in which a round notes what it has read."""
    return CONTENTS.c.run_id if current.purpose in RUNS else CONTENTS.c.round_id


def _contents(engine: Engine, query: Any) -> tuple[Content, ...]:
    with engine.connect() as connection:
        rows = connection.execution_options(reads=True).execute(query)
        return tuple(_content(row) for row in rows)


def _content(row: Any) -> Content:
    return Content(
        digest=Digest(Bytes32(row.digest), DigestAlg[row.algorithm]),
        sha256=row.sha256,
        cid=row.cid,
        size_bytes=row.size_bytes,
        named_by=row.named_by,
        named_block=row.named_block,
        kept_at=row.kept_at,
        state=State[row.state],
        copies=json.loads(row.copies),
    )
