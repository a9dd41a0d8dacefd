"""
Tests of how the databases answer: no page and no look-up reads a whole table, and a late page costs
what the first one costs.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, Text, event
from sqlmodel import Session

from chain.codes import Noun, TradeState
from chain.columns import CodeName, Hex
from chain.reads import (
    Place,
    Recorded,
    block_checksum,
    count,
    events_about,
    find,
    history,
    page,
)
from chain.store import block_at, open_mirror, rewind
from chain.tables import TABLES, VersionedTable
from chain.values import AssetId, CertificateId, ParticipantId
from chain.versions import _close, _find
from registry import store as registry_store
from registry import tables as registry_tables
from registry.certificates import Certificate
from registry.lineage import Direction, Node
from registry.store import asset_links, asset_nodes, linked
from settlement import store as settlement_store
from settlement import tables as settlement_tables
from settlement.store import Tracing
from settlement.trades import Trade
from tests.chain.things import Thing, append, apply, asset, registered_log

ON_BOTH_DATABASES = True

ID = "0x" + "ab" * 32
AFTER = (3, 4)
OURS = {registry_tables.__name__, settlement_tables.__name__}

# What the words of EXPLAIN say of a table that is read from end to end.
SCANS = {
    "sqlite": re.compile(r"^SCAN (?!found|anon_|\(|\d|CONSTANT|VALUES)"),
    "postgresql": re.compile(r"Seq Scan"),
}
SORTS = {
    "sqlite": re.compile(r"USE TEMP B-TREE FOR ORDER BY"),
    "postgresql": re.compile(r"^\s*(-> *)?Sort +\("),
}

Statement = tuple[str, Any]


def value_of(versioned: VersionedTable, name: str) -> Any:
    """Return a value that a column can be asked for."""
    kind: Any = versioned.table.c[name].type
    if isinstance(kind, CodeName):
        return next(iter(kind.kind))
    return ID if isinstance(kind, Hex) else "x" if isinstance(kind, Text) else 1


def key_of(versioned: VersionedTable) -> tuple[Any, ...]:
    return tuple(value_of(versioned, name) for name in versioned.key)


def indexed(versioned: VersionedTable) -> list[str]:
    return [one.name for one in fields(versioned.record) if one.metadata.get("index")]


@contextmanager
def collected(engine: Engine) -> Iterator[list[Statement]]:
    """Collect what is asked meanwhile, with its parameters."""
    found: list[Statement] = []

    def collect(_: Any, __: Any, sql: str, parameters: Any, *___: Any) -> None:
        if sql.startswith(("SELECT", "UPDATE", "DELETE", "WITH")):
            found.append((sql, parameters))

    event.listen(engine, "before_cursor_execute", collect)
    yield found
    event.remove(engine, "before_cursor_execute", collect)


def plan(engine: Engine, statement: Statement) -> list[str]:
    """Return the lines in which the database says how it would answer."""
    sql, parameters = statement
    with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", parameters)
            return [row[3] for row in rows]
        # Of an empty table every plan is cheap; without scans only what has no index is left one.
        for avoided in ("seqscan", "bitmapscan", "sort"):
            connection.exec_driver_sql(f"SET LOCAL enable_{avoided} = off")
        return [row[0] for row in connection.exec_driver_sql(f"EXPLAIN {sql}", parameters)]


def plans_of(engine: Engine, ask: Callable[[Session], object]) -> list[list[str]]:
    with collected(engine) as statements, Session(engine) as session:
        ask(session)
    assert statements, "nothing was asked"
    return [plan(engine, one) for one in statements]


def found_in(
    engine: Engine, words: dict[str, re.Pattern[str]], plans: list[list[str]]
) -> list[str]:
    """Return the lines of plans in which the words stand."""
    return [line for plan in plans for line in plan if words[engine.dialect.name].search(line)]


def require_no(engine: Engine, words: dict[str, re.Pattern[str]], plans: list[list[str]]) -> None:
    assert found_in(engine, words, plans) == []


EVERY = sorted(TABLES.values(), key=lambda one: one.table.name)
REAL = [one for one in EVERY if not one.table.name.startswith("test_")]
BY_VALUE = [(one, name) for one in REAL for name in indexed(one)]


class TestLookups:
    def test_of_a_record_read_no_table(self, mirror: Engine) -> None:
        def ask(session: Session) -> None:
            for one in REAL:
                find(session, one.record, *key_of(one))
                find(session, one.record, *key_of(one), at_block=7)
                history(session, one.record, *key_of(one))

        plans = plans_of(mirror, ask)

        require_no(mirror, SCANS, plans)
        require_no(mirror, SORTS, plans)

    def test_of_the_writer_read_no_table(self, mirror: Engine) -> None:
        plans = []
        for one in REAL:
            found, closed = _find(mirror.dialect, one), _close(mirror.dialect, one)
            bound = [found.bound(key_of(one)), closed.bound([*key_of(one), 7])]
            for prepared, given in zip((found, closed), bound, strict=True):
                parameters = given if isinstance(given, dict) else tuple(given)
                plans.append(plan(mirror, (prepared.sql, parameters)))

        require_no(mirror, SCANS, plans)

    def test_of_blocks_read_no_table(self, mirror: Engine) -> None:
        def ask(session: Session) -> None:
            block_at(session, 7)
            block_checksum(session, 7)

        plans = plans_of(mirror, ask)

        require_no(mirror, SCANS, plans)


class TestPages:
    @pytest.mark.parametrize("newest_first", [False, True], ids=["oldest", "newest"])
    @pytest.mark.parametrize("at_block", [None, 7], ids=["now", "as-of"])
    def test_come_in_the_order_of_an_index(
        self, mirror: Engine, at_block: int | None, newest_first: bool
    ) -> None:
        def ask(session: Session) -> None:
            for one in REAL:
                after = Place(*AFTER, key_of(one))
                page(
                    session,
                    one.record,
                    after=after,
                    at_block=at_block,
                    newest_first=newest_first,
                )

        plans = plans_of(mirror, ask)

        require_no(mirror, SCANS, plans)
        require_no(mirror, SORTS, plans)

    def test_of_a_value_come_in_the_order_of_its_index(self, mirror: Engine) -> None:
        def ask(session: Session) -> None:
            for one, name in BY_VALUE:
                after = Place(*AFTER, key_of(one))
                page(session, one.record, where={name: value_of(one, name)}, after=after)

        plans = plans_of(mirror, ask)

        require_no(mirror, SCANS, plans)
        require_no(mirror, SORTS, plans)

    def test_of_a_value_as_of_a_block_read_no_table(self, mirror: Engine) -> None:
        def ask(session: Session) -> None:
            for one, name in BY_VALUE:
                page(session, one.record, where={name: value_of(one, name)}, at_block=7)

        plans = plans_of(mirror, ask)

        require_no(mirror, SCANS, plans)


def trades_of_a_party(session: Session) -> None:
    seen = settlement_store.trades_seen_by(ParticipantId(ID), (ParticipantId(ID),))
    page(session, Trade, where={"trade_id": seen}, limit=2)


class TestStores:
    @pytest.mark.parametrize(
        "ask",
        [
            lambda s: registry_store.list_roles(s, ParticipantId(ID)),
            lambda s: registry_store.list_reviews(s, AssetId(ID), 1),
            lambda s: registry_store.registered_version(s, AssetId(ID)),
            lambda s: registry_store.list_certificates(s, [CertificateId(ID)] * 3),
            lambda s: page(s, Certificate, where={"code": ID}, limit=1),
            lambda s: count(s, Trade, where={"state": TradeState.EFFECTIVE}),
            trades_of_a_party,
        ],
    )
    def test_read_no_table(self, mirror: Engine, ask: Callable[[Session], object]) -> None:
        require_no(mirror, SCANS, plans_of(mirror, ask))

    @pytest.mark.parametrize("direction", list(Direction))
    @pytest.mark.parametrize(
        "noun", [Noun.ASSET, Noun.LISTING, Noun.TRADE, Noun.DELIVERY, Noun.PARTICIPANT]
    )
    def test_walk_the_lineage_by_indexes(
        self, mirror: Engine, noun: Noun, direction: Direction
    ) -> None:
        nodes = (Node(noun, ID, 1), Node(noun, "0x" + "cd" * 32, 1))

        with collected(mirror) as statements, Session(mirror) as session:
            for at_block in (None, 7):
                tracing = Tracing(session, direction, at_block)
                tracing.walk(nodes[0])
                tracing._joined(set(nodes))
                linked(session, [1, 2], direction, at_block=at_block)
                asset_links(session, [1, 2], direction, at_block=at_block)
                asset_nodes(session, [1, 2], at_block=at_block)

        require_no(mirror, SCANS, [plan(mirror, one) for one in statements])


class TestEvents:
    @pytest.mark.parametrize("at_block", [None, 7])
    def test_about_an_id_come_from_the_indexes(self, mirror: Engine, at_block: int | None) -> None:
        plans = plans_of(
            mirror, lambda session: events_about(session, ID, after=AFTER, at_block=at_block)
        )

        require_no(mirror, SCANS, plans)


class TestRewind:
    def test_looks_only_at_what_it_undoes(self, mirror: Engine) -> None:
        apply(mirror, append(1, []), append(2, [registered_log(1, 1)]))

        with collected(mirror) as statements, Session(mirror) as session, session.begin():
            rewind(session, 1)
        changes = [one for one in statements if not one[0].startswith("SELECT")]

        plans = [plan(mirror, one) for one in changes if "dead_letters" not in one[0]]
        require_no(mirror, SCANS, plans)


@contextmanager
def counted(session: Session) -> Iterator[Callable[[], int]]:
    """Count the steps that SQLite makes, in hundreds: the same on every machine."""
    driver: Any = session.connection().connection.driver_connection
    steps = 0

    def step() -> int:
        nonlocal steps
        steps += 1
        return 0

    driver.set_progress_handler(step, 100)
    yield lambda: steps
    driver.set_progress_handler(None, 0)


class TestLatePages:
    """performance.md, Reading: no slower on page 10 000 than on page 1."""

    @pytest.fixture
    def long(self, tmp_path: Path) -> Iterator[Engine]:
        mirror = open_mirror(f"sqlite:///{tmp_path}/long.db")
        for first in range(0, 60, 20):
            apply(
                mirror,
                *(
                    append(number, [registered_log(number * 100 + one, one) for one in range(100)])
                    for number in range(first, first + 20)
                ),
            )
        yield mirror
        mirror.dispose()

    def pages(
        self, engine: Engine, ask: Callable[[Session, Place | None], Sequence[Recorded[Any]]]
    ) -> tuple[int, int]:
        costs = []
        for after in (None, Place(55, 20, (asset(1),))):
            with Session(engine) as session:
                ask(session, after)
                with counted(session) as steps:
                    found = ask(session, after)
                    costs.append(steps())
            assert len(found) == 20
        return costs[0], costs[1]

    @pytest.mark.parametrize("where", [None, {"is_even": True}], ids=["all", "filtered"])
    @pytest.mark.parametrize("at_block", [None, 58], ids=["now", "as-of"])
    def test_cost_what_the_first_costs(
        self, long: Engine, where: dict[str, Any] | None, at_block: int | None
    ) -> None:
        first, late = self.pages(
            long,
            lambda session, after: (
                page(session, Thing, where=where, after=after, limit=20, at_block=at_block).items
            ),
        )

        assert late <= 2 * first + 5
