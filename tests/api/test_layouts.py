"""Mirrors of older layouts become this version's and lose no event; newer ones are refused."""

import hashlib
import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, inspect, select, text
from sqlalchemy.schema import CreateIndex, CreateTable
from sqlmodel import Session

from api.databases import open_current
from chain.layouts import LAYOUT, LAYOUTS, MirrorNewer, layout_of, make_tables
from chain.process import held
from chain.reads import checksum
from chain.rewinds import REWINDS, last_rewind
from chain.store import BLOCKS, EVENTS, followed, mirror_engine, rebuild, stored_entries, tip_of
from chain.tables import MIRROR
from registry.participants import Participant
from registry.store import every
from settlement.projection import apply

ON_BOTH_DATABASES = True
OLD = Path(__file__).resolve().parent / "layouts" / "mirror-1.sql"

# What block 45 of that mirror is folded to, and the tables and indexes that a new mirror gets. When
# one of them is another, the layout changed: raise `chain.layouts.LAYOUT`, say there how the last
# one is upgraded, and put the new value here.
CHECKSUM = "0x1329cc94e6bd6a84a56312641f54d2593cdaa5a449863008f8355b38279cd445"
SHAPE = "c7c3f3349cc9f74058ef6ae4f28c48d79400822a1eec037393f9752e736d91c3"


def old_rows(table: str) -> list[tuple[Any, ...]]:
    """Return the rows of a table as the older version left them."""
    database = sqlite3.connect(":memory:")
    database.executescript(OLD.read_text("utf-8"))
    found = database.execute(f"SELECT * FROM {table} ORDER BY 1, 2").fetchall()
    database.close()
    return found


@pytest.fixture
def url(mirror_url: str, database: str) -> str:
    """A mirror as version 0.1.0 left it, with the first blocks of a demonstration."""
    engine = mirror_engine(mirror_url)
    if database == "postgresql":
        _make_on_postgresql(engine)
    else:
        driver = engine.raw_connection()
        driver.driver_connection.executescript(OLD.read_text("utf-8"))
        driver.close()
    engine.dispose()
    return mirror_url


def _make_on_postgresql(engine: Engine) -> None:
    with engine.begin() as connection:
        MIRROR.metadata.drop_all(connection)
        for statement in OLD.read_text("utf-8").split(";\n"):
            # Of the tables of records none with truth values has a row that this one would take.
            kept = re.match(r'(CREATE|INSERT INTO "(blocks|events|followed)")', statement.strip())
            if kept:
                connection.exec_driver_sql(statement.replace("%", "%%"))


@pytest.fixture
def upgraded(url: str, tmp_path: Path) -> Iterator[Engine]:
    """That mirror, opened by this version."""
    engine = open_current(url, tmp_path / "mirror.lock")
    yield engine
    engine.dispose()


class TestOpenCurrent:
    def test_keeps_every_block_and_event(self, upgraded: Engine) -> None:
        with Session(upgraded) as session:
            connection = session.connection()
            columns = [BLOCKS.c[name] for name in ("hash", "number", "parent_hash", "timestamp")]
            blocks = connection.execute(select(*columns)).all()
            entries = list(stored_entries(session))

        assert sorted(one[1] for one in blocks) == [one[0] for one in old_rows("blocks")]
        assert {one[0] for one in blocks} == {one[1] for one in old_rows("blocks")}
        old = old_rows("events")
        assert [one.event.meta.transaction_hash for one in entries] == [one[3] for one in old]
        assert [one.data for one in entries] == [one[11] for one in old]
        assert set(inspect(upgraded).get_table_names()) == set(MIRROR.metadata.tables)

    def test_makes_the_same_records_of_the_same_contracts(self, upgraded: Engine) -> None:
        with Session(upgraded) as session:
            chain_id, contracts = followed(session)
            found = {one.participant_id: one.state.name for one in every(session, Participant)}

        assert {one.address for one in contracts} == {one[0] for one in old_rows("followed")}
        assert chain_id == old_rows("followed")[0][3]
        current = [one for one in old_rows("participants") if one[-2] is None]
        assert len(found) == len(current) == len({one[0] for one in old_rows("participants")})

    def test_makes_what_folding_anew_makes(self, upgraded: Engine) -> None:
        with Session(upgraded) as session:
            before = checksum(session), [row[0] for row in session.execute(_checksums())]

        rebuild(upgraded, apply)

        with Session(upgraded) as session:
            after = checksum(session), [row[0] for row in session.execute(_checksums())]
        assert after == before

    def test_makes_the_checksum_that_every_exchange_makes(self, upgraded: Engine) -> None:
        """Two exchanges compare these: another value means another fold, so another layout."""
        with Session(upgraded) as session:
            tip = tip_of(session)
            query = select(BLOCKS.c.checksum).order_by(BLOCKS.c.number.desc()).limit(1)
            found = session.connection().execute(query).scalar()

        assert tip is not None
        assert tip.number == 45
        assert found == CHECKSUM

    def test_waits_while_another_process_upgrades(self, url: str, tmp_path: Path) -> None:
        """Whoever opens it meanwhile gets it upgraded, not half of it."""
        from threading import Timer

        lock = held(tmp_path / "mirror.lock")
        lock.__enter__()
        timer = Timer(0.5, lambda: lock.__exit__(None, None, None))
        timer.start()

        engine = open_current(url, tmp_path / "mirror.lock")

        assert not timer.is_alive() or timer.finished.is_set()
        with Session(engine) as session:
            assert tip_of(session) is not None
        engine.dispose()
        timer.join()

    def test_refuses_a_newer_layout_and_leaves_it_alone(
        self, upgraded: Engine, url: str, tmp_path: Path
    ) -> None:
        with upgraded.begin() as connection:
            connection.execute(LAYOUTS.update().values(version=LAYOUT + 1))

        with pytest.raises(MirrorNewer) as refused:
            open_current(url, tmp_path / "mirror.lock")

        assert refused.value.layout == LAYOUT + 1
        with upgraded.connect() as connection:
            assert connection.execute(select(EVENTS.c.log_index)).first() is not None

    def test_waits_for_no_writer(self, upgraded: Engine, url: str, tmp_path: Path) -> None:
        """Readers keep reading while a rebuild writes for long."""
        with upgraded.begin() as connection:
            connection.execute(LAYOUTS.update().values(version=LAYOUT))
            other = open_current(url, tmp_path / "mirror.lock")
            with Session(other) as session:
                assert tip_of(session) is not None
            other.dispose()

    def test_numbers_a_new_one(self, mirror_url: str, tmp_path: Path) -> None:
        engine = open_current(mirror_url, tmp_path / "mirror.lock")

        with engine.connect() as connection:
            assert layout_of(connection) == LAYOUT
        engine.dispose()


# As layout 2 had it, whose other tables were as they are now.
LINKS_2 = """CREATE TABLE asset_links (row_id INTEGER PRIMARY KEY, asset_id TEXT, version INTEGER,
    parent_id TEXT, parent_version INTEGER, relation TEXT, consent_right_id TEXT,
    from_block INTEGER, to_block INTEGER, from_log INTEGER)"""


class TestFromLayout2:
    def test_folds_anew_and_keeps_blocks_events_and_rewinds(
        self, upgraded: Engine, url: str, tmp_path: Path
    ) -> None:
        with upgraded.begin() as connection:
            before = [connection.execute(select(one)).all() for one in (BLOCKS, EVENTS)]
            connection.exec_driver_sql("DROP TABLE asset_links")
            connection.exec_driver_sql(LINKS_2)
            connection.execute(REWINDS.insert().values(to_block=7, from_block=9))
            connection.execute(LAYOUTS.update().values(version=2))
        told: list[tuple[int, int]] = []

        engine = open_current(url, tmp_path / "mirror.lock", lambda *done: told.append(done))

        with Session(engine) as session:
            connection = session.connection()
            after = [connection.execute(select(one)).all() for one in (BLOCKS, EVENTS)]
            links = {one["name"] for one in inspect(connection).get_columns("asset_links")}
            assert layout_of(connection) == LAYOUT
            assert last_rewind(session) == 1
            assert len(list(every(session, Participant))) > 0
        engine.dispose()
        assert after == before
        assert links == set(MIRROR.metadata.tables["asset_links"].columns.keys())
        assert told[-1] == (45, 45)


class TestLayout:
    def test_is_raised_when_the_tables_change(self, tmp_path: Path) -> None:
        """A mirror that this version cannot read as it stands must not look as if it could."""
        engine = mirror_engine(f"sqlite:///{tmp_path / 'new.sqlite'}")
        make_tables(engine)
        told = [
            " ".join(str(statement.compile(engine)).split())
            for table in MIRROR.metadata.sorted_tables
            if not table.name.startswith("test_")
            for statement in (
                CreateTable(table),
                *map(CreateIndex, sorted(table.indexes, key=lambda one: str(one.name))),
            )
        ]
        engine.dispose()

        found = hashlib.sha256("\n".join(told).encode()).hexdigest()

        assert found == SHAPE


def _checksums() -> Any:
    return text("SELECT checksum FROM blocks ORDER BY number")
