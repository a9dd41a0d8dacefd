"""Old archives go when a new one is proven, and nothing else does."""

import os
from pathlib import Path

import pytest

from api.upkeep.retention import archives_in, keep_newest, newest_at

OURS = [f"shulian-7-{number}-2026010{number}T023000Z.tar.gz" for number in range(1, 6)]
OTHERS = (
    "shulian-8-1-20250101T023000Z.tar.gz",
    "shulian-empty-0-20250101T023000Z.tar.gz",
    "shulian-7-1.tar.gz",
    "exchange-a.tar.gz",
    "notes.txt",
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in (*OURS, *OTHERS):
        (tmp_path / name).write_text(name)
    (tmp_path / "shulian-7-1-20240101T023000Z.tar.gz").mkdir()
    return tmp_path


def names(folder: Path) -> set[str]:
    return {one.name for one in folder.iterdir() if one.is_file()}


class TestKeepNewest:
    @pytest.mark.parametrize("number", [1, 2, 5, 99])
    def test_keeps_so_many_of_this_chain_and_all_else(self, folder: Path, number: int) -> None:
        removed = keep_newest(folder / OURS[-1], number)

        assert names(folder) == {*OURS[-number:], *OTHERS}
        assert [one.name for one in removed] == OURS[:-number]

    def test_keeps_what_is_newer_than_the_one_just_made(self, folder: Path) -> None:
        """Whose clock is wrong nobody knows."""
        keep_newest(folder / OURS[2], 1)

        assert names(folder) == {*OURS[2:], *OTHERS}

    def test_follows_no_link(self, folder: Path, tmp_path: Path) -> None:
        linked = tmp_path / "shulian-7-0-20240202T023000Z.tar.gz"
        linked.symlink_to(folder / OTHERS[0])

        keep_newest(folder / OURS[-1], 1)

        assert linked.is_symlink()


class TestNewest:
    def test_is_told_by_when_it_was_written(self, folder: Path) -> None:
        for one in archives_in(folder):
            os.utime(one.path, (1_000, 1_000))
        os.utime(folder / OURS[1], (2_000, 2_000))

        assert newest_at(folder) == 2_000

    def test_is_none_where_there_is_none(self, tmp_path: Path) -> None:
        assert newest_at(tmp_path) is None
