"""Files that are whole or not there."""

from pathlib import Path

import pytest

from chain.durable import fresh_file, publish


def fail() -> None:
    raise OSError("not writable")


class TestFreshFile:
    def test_is_gone_when_its_writer_fails(self, tmp_path: Path) -> None:
        with pytest.raises(OSError, match="not writable"), fresh_file(tmp_path / "folder"):
            fail()

        assert list((tmp_path / "folder").iterdir()) == []

    def test_is_gone_when_nobody_published_it(self, tmp_path: Path) -> None:
        with fresh_file(tmp_path) as file:
            file.write(b"whole")

        assert list(tmp_path.iterdir()) == []


class TestPublish:
    def test_names_the_whole_file_in_folders_it_makes(self, tmp_path: Path) -> None:
        path = tmp_path / "a" / "b" / "c"

        with fresh_file(tmp_path) as file:
            file.write(b"whole")
            publish(file, path)

        assert path.read_bytes() == b"whole"
        assert [entry.name for entry in tmp_path.iterdir()] == ["a"]

    def test_replaces_what_had_the_name(self, tmp_path: Path) -> None:
        path = tmp_path / "file"
        path.write_bytes(b"old and longer")

        with fresh_file(tmp_path) as file:
            file.write(b"new")
            publish(file, path)

        assert path.read_bytes() == b"new"

    def test_leaves_the_old_file_when_the_writer_fails_first(self, tmp_path: Path) -> None:
        path = tmp_path / "file"
        path.write_bytes(b"old")

        with pytest.raises(OSError, match="not writable"), fresh_file(tmp_path):
            fail()

        assert path.read_bytes() == b"old"
