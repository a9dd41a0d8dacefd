"""Copies of a mirror are one moment of it, whatever is written meanwhile, and can be put back."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread

import pytest
from sqlalchemy import Engine, inspect, select
from sqlmodel import Session

from chain.copies import CopyDamaged, MirrorNotEmpty, check_file, copy_mirror, load_mirror
from chain.heads import note_final
from chain.reads import checksum
from chain.store import BLOCKS, mirror_engine, open_mirror, rebuild, rewind, tip_of
from tests.chain.things import append, apply, dump, project, registered_log, used_log

ON_BOTH_DATABASES = True
COPIES = 8


def grow(mirror: Engine, first: int, last: int, branch: str = "a") -> None:
    """Apply a block at a time, as a worker does."""
    for number in range(first, last + 1):
        logs = [registered_log(number % 7, number), used_log(number % 3, number % 5)]
        apply(mirror, append(number, logs, branch=branch))


@contextmanager
def writing(mirror: Engine, first: int) -> Iterator[None]:
    """Append blocks, and now and then take some back, until the end of the `with`."""
    stopping = Event()

    def write() -> None:
        number = first
        while not stopping.is_set():
            grow(mirror, number, number + 4)
            with Session(mirror) as session, session.begin():
                rewind(session, number + 2)
            number += 3

    thread = Thread(target=write)
    thread.start()
    try:
        yield
    finally:
        stopping.set()
        thread.join()


@contextmanager
def opened(path: Path) -> Iterator[Engine]:
    engine = mirror_engine(f"sqlite:///{path}")
    try:
        yield engine
    finally:
        engine.dispose()


def seen_of(session: Session) -> tuple[int, str]:
    tip = tip_of(session)
    assert tip is not None
    return tip.number, checksum(session)


class TestCopyMirror:
    def test_is_one_moment_of_a_mirror_that_is_written_to(
        self, mirror: Engine, tmp_path: Path
    ) -> None:
        """reliability §3.27, §4.2: every backup under write load restores, and is equal."""
        grow(mirror, 1, 20)
        heights = set()
        with writing(mirror, 21):
            for turn in range(COPIES):
                path = tmp_path / f"copy-{turn}.sqlite"
                number, expected = copy_mirror(mirror, path, seen_of)
                heights.add(number)
                check_file(path)
                with opened(path) as copy, Session(copy) as session:
                    assert seen_of(session) == (number, expected)
                    numbers = session.execute(select(BLOCKS.c.number)).scalars().all()
                    assert sorted(numbers) == list(range(1, number + 1))
        assert len(heights) > 1

    def test_folds_to_the_same_again(self, mirror: Engine, tmp_path: Path) -> None:
        """integrity_check is no substitute for equality (reliability §4.2)."""
        grow(mirror, 1, 30)
        path = tmp_path / "copy.sqlite"
        copy_mirror(mirror, path, tip_of)
        with opened(path) as copy:
            before = dump(copy)

            rebuild(copy, project)

            assert dump(copy) == before

    def test_needs_no_journal_beside_it(self, mirror: Engine, tmp_path: Path) -> None:
        grow(mirror, 1, 5)

        copy_mirror(mirror, tmp_path / "copy.sqlite", tip_of)

        assert [one.name for one in tmp_path.glob("copy.sqlite*")] == ["copy.sqlite"]


class TestLoadMirror:
    @pytest.fixture
    def copy(self, mirror: Engine, tmp_path: Path) -> Path:
        grow(mirror, 1, 30)
        with Session(mirror) as session, session.begin():
            tip = tip_of(session)
            assert tip is not None
            note_final(session, tip)
        copy_mirror(mirror, tmp_path / "copy.sqlite", tip_of)
        return tmp_path / "copy.sqlite"

    def test_gives_every_row_back(self, mirror: Engine, copy: Path) -> None:
        before = dump(mirror)
        with mirror.begin() as connection:
            for table in reversed(_tables()):
                connection.execute(table.delete())

        load_mirror(copy, mirror)

        assert dump(mirror) == before

    def test_lets_the_mirror_go_on(self, mirror: Engine, copy: Path) -> None:
        """The rows' numbers go on where those that were loaded end."""
        with mirror.begin() as connection:
            for table in reversed(_tables()):
                connection.execute(table.delete())
        load_mirror(copy, mirror)

        grow(mirror, 31, 40)

        with Session(mirror) as session:
            assert seen_of(session)[0] == 40

    def test_refuses_a_database_that_holds_a_mirror(self, mirror: Engine, copy: Path) -> None:
        with pytest.raises(MirrorNotEmpty):
            load_mirror(copy, mirror)

    def test_makes_the_tables(self, copy: Path, tmp_path: Path) -> None:
        empty = mirror_engine(f"sqlite:///{tmp_path / 'empty.sqlite'}")
        load_mirror(copy, empty)

        assert "blocks" in inspect(empty).get_table_names()
        empty.dispose()


class TestCheckFile:
    def test_finds_a_damaged_page(self, tmp_path: Path) -> None:
        engine = open_mirror(f"sqlite:///{tmp_path / 'mirror.sqlite'}")
        grow(engine, 1, 60)
        copy_mirror(engine, tmp_path / "copy.sqlite", tip_of)
        engine.dispose()
        content = bytearray((tmp_path / "copy.sqlite").read_bytes())
        middle = len(content) // 2 // 4096 * 4096
        content[middle : middle + 4096] = bytes(4096)
        (tmp_path / "copy.sqlite").write_bytes(content)

        with pytest.raises(CopyDamaged):
            check_file(tmp_path / "copy.sqlite")

    def test_finds_what_is_no_database(self, tmp_path: Path) -> None:
        (tmp_path / "copy.sqlite").write_bytes(b"nothing of the kind" * 100)

        with pytest.raises(CopyDamaged):
            check_file(tmp_path / "copy.sqlite")


def _tables() -> list:
    from chain.tables import MIRROR

    return list(MIRROR.metadata.sorted_tables)
