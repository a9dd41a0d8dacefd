"""
Tests of opening the mirror's database: its tables, its settings, its one writer.
"""

import subprocess
import sys
import threading
from pathlib import Path

import pytest
from sqlalchemy import Engine, inspect
from sqlmodel import Session

from chain.engines import WriterLock, create_tables, mirror_engine, open_mirror
from chain.process import AlreadyHeld
from chain.store import tip_of
from chain.tables import MIRROR
from tests.postgres import CHOSEN

ON_BOTH_DATABASES = True

OPENING = """
import sys
import registry.tables, settlement.tables
from chain.engines import open_mirror
sys.stdin.readline()
open_mirror(sys.argv[1]).dispose()
"""


class TestOpenMirror:
    def test_makes_all_tables(self, mirror: Engine) -> None:
        assert set(inspect(mirror).get_table_names()) >= set(MIRROR.metadata.tables)

    def test_takes_the_plain_name_of_postgresql(self, tmp_path: Path) -> None:
        url = CHOSEN.url(tmp_path / "plain.db", "postgresql")
        engine = mirror_engine(url.replace("postgresql+psycopg://", "postgresql://"))

        with Session(engine) as session:
            assert tip_of(session) is None
        assert engine.dialect.driver == "psycopg"
        engine.dispose()

    def test_lets_processes_make_the_tables_at_once(self, empty_url: str) -> None:
        """Two workers started at once: reliability §3.8."""
        ran = [
            subprocess.Popen(
                [sys.executable, "-c", OPENING, empty_url],
                stdin=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
            for _ in range(3)
        ]
        for one in ran:
            assert one.stdin is not None
            one.stdin.write("\n")
            one.stdin.flush()
        said = [one.communicate()[1] for one in ran]

        assert [one.returncode for one in ran] == [0, 0, 0], said

    def test_lets_threads_make_the_tables_at_once(self, empty_url: str) -> None:
        failures: list[Exception] = []
        engine = mirror_engine(empty_url)

        def make() -> None:
            try:
                create_tables(engine)
            except Exception as error:
                failures.append(error)

        threads = [threading.Thread(target=make) for _ in range(4)]
        for one in threads:
            one.start()
        for one in threads:
            one.join()

        assert failures == []
        engine.dispose()


class TestSettings:
    def test_of_sqlite_are_wal_and_foreign_keys(self, tmp_path: Path) -> None:
        engine = open_mirror(f"sqlite:///{tmp_path}/mirror.db")

        with engine.connect() as connection:
            run = connection.exec_driver_sql
            assert run("PRAGMA journal_mode").scalar() == "wal"
            assert run("PRAGMA foreign_keys").scalar() == 1
            assert run("PRAGMA busy_timeout").scalar() == 10_000
        engine.dispose()


class TestWriterLock:
    @pytest.fixture
    def postgres(self, tmp_path: Path) -> Engine:
        path = tmp_path / "locked.db"
        engine = mirror_engine(CHOSEN.url(path, "postgresql"))
        yield engine
        engine.dispose()
        CHOSEN.forget(path, "postgresql")

    def test_keeps_a_second_writer_out(self, postgres: Engine) -> None:
        first, second = WriterLock(postgres), WriterLock(mirror_engine(postgres.url))
        first.hold()
        first.hold()

        with pytest.raises(AlreadyHeld):
            second.hold()

        first.release()
        second.hold()
        second.release()

    def test_is_taken_anew_after_the_database_was_away(self, postgres: Engine) -> None:
        lock = WriterLock(postgres)
        lock.hold()
        with postgres.connect() as connection:
            connection.exec_driver_sql(
                "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'"
            )

        lock.hold()

        with pytest.raises(AlreadyHeld):
            WriterLock(postgres).hold()
        lock.release()

    def test_is_lost_to_whoever_was_quicker(self, postgres: Engine) -> None:
        lock, other = WriterLock(postgres), WriterLock(postgres)
        lock.hold()
        with postgres.connect() as connection:
            connection.exec_driver_sql(
                "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'"
            )
        other.hold()

        with pytest.raises(AlreadyHeld):
            lock.hold()
        other.release()

    def test_asks_nothing_of_sqlite(self, tmp_path: Path) -> None:
        engine = mirror_engine(f"sqlite:///{tmp_path}/one.db")
        first, second = WriterLock(engine), WriterLock(engine)

        first.hold()
        second.hold()

        assert not (tmp_path / "one.db").exists()
