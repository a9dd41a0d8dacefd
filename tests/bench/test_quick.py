"""The quick form of the bench: that its lines run and what they write. Never how fast they are."""

import json
from pathlib import Path

import pytest

from bench.__main__ import BENCHES, main

LINE = {"name", "ours", "unit", "reference", "against", "ratio", "target", "verdict", "note"}


class TestMain:
    def test_writes_every_line_with_its_judgement(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        output = tmp_path / "results.json"

        code = main(
            ["backfill", "rebuild", "reading", "--quick", "--json", "--output", str(output)]
        )

        assert code == 0
        report = json.loads(output.read_text("utf-8"))
        assert report == json.loads(capsys.readouterr().out)
        assert report["is_quick"] is True
        assert report["could_not_run"] == []
        assert report["machine"]["cores"] > 0
        assert all(set(line) == LINE for line in report["lines"])
        assert [line["name"] for line in report["lines"]] == [
            "backfill, SQLite",
            "backfill, PostgreSQL",
            "rebuild, SQLite",
            "rebuild, PostgreSQL",
            "record by id",
            "record by id",
            "page 1, p50",
            "page 20, p50",
        ]
        judged = [line for line in report["lines"] if line["verdict"] != "SKIP"]
        assert {line["verdict"] for line in judged} <= {"PASS", "FAIL"}
        assert all(line["ours"] > 0 for line in judged)

    def test_ends_with_an_error_if_a_line_cannot_run(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.setitem(BENCHES, "verify", lambda _: 1 / 0)

        assert main(["verify", "--quick"]) == 1

        assert "verify could not run" in capsys.readouterr().err

    def test_lists_the_names(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["--list"]) == 0

        assert capsys.readouterr().out.split() == list(BENCHES)
