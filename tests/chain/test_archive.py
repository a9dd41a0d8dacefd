"""The event archive holds final blocks for ever, and a mirror can be made of it."""

import json
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from sqlalchemy import Engine, select
from sqlmodel import Session

from chain.archive import (
    MANIFEST,
    ArchiveBroken,
    ArchiveOfAnother,
    NotFinalYet,
    RangeEmpty,
    export_events,
    load_archive,
    read_archive,
    read_manifest,
)
from chain.facts import Followed
from chain.heads import note_final
from chain.store import BLOCKS, block_at, follow_also, open_mirror, rewind
from tests.chain.things import ADDRESS, append, apply, dump, project, registered_log, used_log

ON_BOTH_DATABASES = True
CHAIN_ID = 20261
FINAL = 47
SIZE = 10


def grow(mirror: Engine, first: int, last: int, branch: str = "a") -> None:
    appends = [
        append(
            number,
            [registered_log(number % 7, number), used_log(number % 3, number % 5)] * (number % 2),
            branch=branch,
            parent_branch="a" if number == first else branch,
        )
        for number in range(first, last + 1)
    ]
    apply(mirror, *appends)


def finalize(mirror: Engine, number: int) -> None:
    with Session(mirror) as session, session.begin():
        block = block_at(session, number)
        assert block is not None
        note_final(session, block)


@pytest.fixture
def grown(mirror: Engine) -> Engine:
    """A mirror of sixty blocks, of which those up to 47 are final."""
    with Session(mirror) as session, session.begin():
        contract = Followed(address=ADDRESS, contract="Assets", from_block=1)
        follow_also(session, chain_id=CHAIN_ID, contracts=[contract])
    grow(mirror, 1, 60)
    finalize(mirror, FINAL)
    return mirror


@pytest.fixture
def folder(grown: Engine, tmp_path: Path) -> Path:
    """The archive of that mirror, in ranges of ten blocks."""
    export_events(grown, tmp_path / "archive", range_blocks=SIZE)
    return tmp_path / "archive"


def files(folder: Path) -> dict[str, bytes]:
    return {one.name: one.read_bytes() for one in folder.rglob("*.parquet")}


def checksums(mirror: Engine) -> dict[int, str]:
    with mirror.connect() as connection:
        rows = connection.execute(select(BLOCKS.c.number, BLOCKS.c.checksum)).all()
    return {row[0]: row[1] for row in rows}


class TestExportEvents:
    def test_writes_whole_ranges_of_final_blocks(self, folder: Path) -> None:
        parts = read_manifest(folder).parts

        assert [(one.first, one.last) for one in parts] == [
            (1, 9),
            (10, 19),
            (20, 29),
            (30, 39),
            (40, FINAL),
        ]
        assert sum(one.events for one in parts) == 2 * len(range(1, FINAL + 1, 2))

    def test_makes_the_same_bytes_again(self, grown: Engine, folder: Path, tmp_path: Path) -> None:
        export_events(grown, tmp_path / "again", range_blocks=SIZE)

        assert files(tmp_path / "again") == files(folder)
        assert (tmp_path / "again" / MANIFEST).read_bytes() == (folder / MANIFEST).read_bytes()

    def test_goes_on_where_it_was_stopped(
        self, grown: Engine, folder: Path, tmp_path: Path
    ) -> None:
        def stop(done: int, _: int) -> None:
            if done >= 25:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            export_events(grown, tmp_path / "again", range_blocks=SIZE, note=stop)
        assert len(read_manifest(tmp_path / "again").parts) == 3
        export_events(grown, tmp_path / "again", range_blocks=SIZE)

        assert files(tmp_path / "again") == files(folder)

    def test_grows_the_last_range_only(self, grown: Engine, folder: Path) -> None:
        before = {one: one.stat().st_mtime_ns for one in folder.rglob("*.parquet")}
        finalize(grown, 55)

        made = export_events(grown, folder)

        written = {one.name for one, moment in before.items() if one.stat().st_mtime_ns != moment}
        assert made.parts[-1].last == 55
        assert written == {"000000000040.parquet"}

    def test_writes_a_file_again_that_was_lost(self, grown: Engine, folder: Path) -> None:
        before = files(folder)
        (folder / "events" / "000000000020.parquet").unlink()

        export_events(grown, folder)

        assert files(folder) == before

    def test_refuses_what_can_still_change(self, grown: Engine, tmp_path: Path) -> None:
        with pytest.raises(NotFinalYet) as refused:
            export_events(grown, tmp_path / "archive", last=FINAL + 1)

        assert refused.value.final_number == FINAL

    def test_refuses_a_first_block_that_can_still_change(
        self, grown: Engine, tmp_path: Path
    ) -> None:
        with pytest.raises(NotFinalYet):
            export_events(grown, tmp_path / "archive", first=FINAL + 1)

    @pytest.mark.parametrize(("first", "last"), [(20, 10), (FINAL + 40, 10)])
    def test_refuses_a_range_that_holds_nothing(
        self, grown: Engine, tmp_path: Path, first: int, last: int
    ) -> None:
        with pytest.raises(RangeEmpty) as refused:
            export_events(grown, tmp_path / "archive", first=first, last=last)

        assert (refused.value.first, refused.value.last) == (first, last)
        assert not (tmp_path / "archive").exists()

    def test_refuses_to_go_on_with_another_fork(self, grown: Engine, folder: Path) -> None:
        with Session(grown) as session, session.begin():
            rewind(session, 30, to_refetch=True)
        with grown.begin() as connection:
            connection.exec_driver_sql("UPDATE heads SET final_number = 30")
        grow(grown, 31, 60, branch="b")
        finalize(grown, 50)

        with pytest.raises(ArchiveOfAnother):
            export_events(grown, folder)

    def test_tells_events_raw_and_read(self, folder: Path) -> None:
        rows = pq.read_table(folder / "events" / "000000000001.parquet").to_pylist()
        first = rows[0]

        assert first["name"] == "AssetRegistered"
        assert json.loads(first["fields"])["version"] == 1
        assert first["topic0"].startswith("0x")


class TestLoadArchive:
    def test_makes_a_mirror_with_the_same_checksums(
        self, grown: Engine, folder: Path, tmp_path: Path
    ) -> None:
        """Two exchanges compare these: a mirror from an archive is as good as one that followed."""
        other = open_mirror(f"sqlite:///{tmp_path / 'other.sqlite'}")

        tip = load_archive(other, folder, project)

        expected = {number: one for number, one in checksums(grown).items() if number <= FINAL}
        assert tip is not None
        assert tip.number == FINAL
        assert checksums(other) == expected
        with Session(grown) as session, session.begin():
            rewind(session, FINAL)
        assert _without_history(dump(other)) == _without_history(dump(grown))
        other.dispose()

    def test_refuses_a_changed_byte(self, folder: Path) -> None:
        path = folder / "events" / "000000000020.parquet"
        content = bytearray(path.read_bytes())
        content[len(content) // 2] ^= 1
        path.write_bytes(content)

        with pytest.raises(ArchiveBroken):
            list(read_archive(folder))

    def test_refuses_a_range_that_is_missing(self, folder: Path) -> None:
        told = json.loads((folder / MANIFEST).read_text())
        del told["parts"][2]
        (folder / MANIFEST).write_text(json.dumps(told))

        with pytest.raises(ArchiveBroken):
            list(read_archive(folder))

    def test_refuses_a_folder_without_one(self, tmp_path: Path) -> None:
        with pytest.raises(ArchiveBroken):
            read_manifest(tmp_path)


def _without_history(rows: dict[str, Any]) -> dict[str, Any]:
    # How a mirror came to be what it is does not belong to what it is.
    return {name: found for name, found in rows.items() if name not in ("rewinds", "orphans")}
