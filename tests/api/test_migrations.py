"""Older databases are brought to this version's layout, with every row; newer ones are refused."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from threading import Barrier, Thread
from typing import Any

import pytest
from sqlalchemy import Engine, inspect, text

from api import migrations
from api.migrations import NEWEST, DatabaseNewer, open_operational, upgrade
from api.operational import KEPT
from chain.entries import OPERATIONAL
from chain.outbox import Outbox, operational_engine

LAYOUTS = Path(__file__).resolve().parent / "layouts"


def make(path: Path, layout: str) -> Path:
    """Make a database as an older version left it."""
    database = sqlite3.connect(path)
    database.executescript((LAYOUTS / layout).read_text("utf-8"))
    database.execute("PRAGMA journal_mode=WAL")
    database.close()
    return path


def rows(path: Path) -> dict[str, list[tuple[Any, ...]]]:
    """Return every row of every table."""
    database = sqlite3.connect(path)
    names = database.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")
    found = {
        name: database.execute(f"SELECT * FROM {name} ORDER BY 1").fetchall()
        for (name,) in names.fetchall()
        if name != migrations.VERSION_TABLE
    }
    database.close()
    return found


def shape(engine: Engine) -> dict[str, Any]:
    """Return tables with their columns and indexes."""
    found = inspect(engine)
    return {
        name: (
            [(one["name"], str(one["type"]), one["nullable"]) for one in found.get_columns(name)],
            found.get_pk_constraint(name)["constrained_columns"],
            sorted(
                (one["name"], one["column_names"], one["unique"], _where(one))
                for one in found.get_indexes(name)
            ),
        )
        for name in found.get_table_names()
    }


def _where(index: Any) -> str:
    return str(index["dialect_options"].get("sqlite_where", ""))


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """An operational database of version 0.1.0, with rows that people made."""
    return make(tmp_path / "operational.sqlite", "operational-1.sql")


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    """A new, empty database."""
    made = operational_engine(tmp_path / "fresh.sqlite")
    yield made
    made.dispose()


class TestUpgrade:
    def test_keeps_every_row(self, old: Path) -> None:
        before = rows(old)

        open_operational(old).dispose()

        after = rows(old)
        assert all(before.values())
        assert {name: after[name] for name in before} == before

    def test_makes_of_an_old_one_what_a_new_one_is(self, old: Path, engine: Engine) -> None:
        upgrade(engine)

        migrated = open_operational(old)

        assert shape(migrated) == shape(engine)
        migrated.dispose()

    def test_gives_all_tables_that_this_version_writes(self, engine: Engine) -> None:
        upgrade(engine)

        expected = {*OPERATIONAL.tables, *KEPT.tables, migrations.VERSION_TABLE}
        assert set(inspect(engine).get_table_names()) == expected

    def test_adopts_one_that_only_has_an_outbox(self, engine: Engine) -> None:
        Outbox(engine, chain_id=1)

        assert upgrade(engine)

        assert set(KEPT.tables) <= set(inspect(engine).get_table_names())

    def test_does_nothing_the_second_time(self, old: Path) -> None:
        first = operational_engine(old)

        assert [upgrade(first), upgrade(first)] == [True, False]
        first.dispose()

    def test_refuses_one_of_a_newer_version_and_leaves_it_alone(self, old: Path) -> None:
        open_operational(old).dispose()
        with sqlite3.connect(old) as database:
            database.execute("UPDATE alembic_version SET version_num = '9999'")
        database.close()
        before = rows(old)

        with pytest.raises(DatabaseNewer) as refused:
            open_operational(old)

        assert refused.value.revision == "9999"
        assert rows(old) == before

    def test_is_whole_or_not_at_all(self, old: Path) -> None:
        """A table of the newest step that is already there makes that step fail."""
        with sqlite3.connect(old) as database:
            database.execute("CREATE TABLE alarms (mine TEXT)")
        database.close()
        before = rows(old)

        with pytest.raises(Exception, match="alarms"):
            open_operational(old)

        assert rows(old) == before

    def test_is_done_once_by_many_that_start_together(self, old: Path) -> None:
        start, done = Barrier(4), []

        def run() -> None:
            mine = operational_engine(old)
            start.wait()
            done.append(upgrade(mine))
            mine.dispose()

        threads = [Thread(target=run) for _ in range(4)]
        for one in threads:
            one.start()
        for one in threads:
            one.join()

        assert sorted(done) == [False, False, False, True]

    def test_knows_the_newest_script(self) -> None:
        from alembic.script import ScriptDirectory

        assert ScriptDirectory(str(migrations.SCRIPTS)).get_current_head() == NEWEST

    def test_leaves_the_number_of_the_layout(self, old: Path) -> None:
        found = open_operational(old)
        with found.connect() as connection:
            stored = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
        found.dispose()

        assert stored == NEWEST
