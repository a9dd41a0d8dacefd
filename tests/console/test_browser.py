"""Finding a browser: what a machine may call it, and the one variable that names another."""

from pathlib import Path

import pytest

from tests.browser import NAMES, VARIABLE, find

SETUP = Path(__file__).parents[2] / "scripts/setup"


def make(folder: Path, name: str) -> str:
    program = folder / name
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    return str(program)


class TestFind:
    @pytest.fixture(autouse=True)
    def bare(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PATH", str(tmp_path))
        monkeypatch.delenv(VARIABLE, raising=False)

    @pytest.mark.parametrize("name", NAMES)
    def test_knows_every_name(self, tmp_path: Path, name: str) -> None:
        made = make(tmp_path, name)

        assert find() == made

    def test_takes_the_one_that_is_named(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        make(tmp_path, NAMES[0])
        monkeypatch.setenv(VARIABLE, make(tmp_path, "mine"))

        assert find() == str(tmp_path / "mine")

    def test_takes_no_other_if_the_named_one_is_not_there(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        make(tmp_path, NAMES[0])
        monkeypatch.setenv(VARIABLE, str(tmp_path / "gone"))

        assert find() is None

    def test_is_what_setup_asks(self) -> None:
        """One name and one list: setup holds none of its own."""
        told = SETUP.read_text("utf-8")

        assert "tests/browser.py" in told
        assert "CHROMIUM" not in told.replace(VARIABLE, "")
        assert "google-chrome" not in told
