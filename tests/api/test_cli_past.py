"""
Tests of what the command line tells of the past, and of the check that a list is complete.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from api.commands.vouching import ListNotComplete, ListUnreadable, checked
from chain import events as e
from tests.api.mirrored import Mirrored, event, named
from tests.api.shell import run
from tests.api.test_evidence import declare

SUPPLIER = named("supplier")


@pytest.fixture
def home(mirrored: Mirrored) -> Path:
    """Return a home where an organisation was admitted in block 1 and suspended in block 2."""
    mirrored.admit("supplier")
    mirrored.append(event(e.ParticipantSuspended, participant_id=SUPPLIER))
    mirrored.finalize(1)
    return mirrored.home


def told(home: Path, *arguments: object) -> Any:
    """Return what a command prints as JSON."""
    done = run(*arguments, "--home", home, "--json")
    assert done.code == 0, done.err
    return done.json


class TestAsOf:
    def test_shows_and_lists_what_held_then(self, home: Path) -> None:
        shown = told(home, "participant", "show", SUPPLIER, "--as-of-block", "1")
        at_time = ("--as-of-time", "2025-10-09T08:53:40Z")
        listed = told(home, "participant", "ls", *at_time)

        assert (shown["status"], shown["as_of"]["is_final"]) == ("ADMITTED", True)
        assert [one["to_block"] for one in shown["history"]] == [None]
        assert [one["status"] for one in listed["items"]] == ["ADMITTED"]
        assert told(home, "participant", "show", SUPPLIER)["status"] == "SUSPENDED"

    def test_says_which_block_is_not_there(self, home: Path) -> None:
        done = run("participant", "ls", "--as-of-block", "9", "--home", home, "--json")

        assert (done.code, done.problem["type"]) == (1, "/problems/block-not-mirrored")


class TestHistory:
    def test_tells_what_the_api_tells(self, mirrored: Mirrored, home: Path) -> None:
        served = mirrored.get(f"/v1/participants/{SUPPLIER}/history").json()

        found = told(home, "participant", "history", SUPPLIER[:12])

        assert found["as_of"] == served["as_of"]
        for ours, theirs in zip(found["items"], served["items"], strict=True):
            own = ours.pop("record")
            assert {name: theirs["record"][name] for name in own} == own
            assert {name: theirs[name] for name in ours} == ours


class TestEvidence:
    @pytest.fixture
    def sent(self, mirrored: Mirrored) -> tuple[Any, list[Any]]:
        """Return evidence about a list and its pages, as they were sent."""
        declare(mirrored, 5)
        first = mirrored.get("/v1/assets", limit=3).json()
        last = mirrored.get("/v1/assets", limit=3, cursor=first["next"]).json()
        return mirrored.get("/v1/assets", evidence="true").json(), [first, last]

    def test_is_checked_from_files(self, sent: tuple[Any, list[Any]], tmp_path: Path) -> None:
        vouched, pages = sent
        files = [tmp_path / f"{number}.json" for number in range(3)]
        for file, held in zip(files, (vouched, *pages), strict=True):
            file.write_text(json.dumps(held), "utf-8")

        complete, short = run("evidence", *files, "--json"), run("evidence", *files[:2], "--json")

        assert (complete.code, complete.json["count"]) == (0, 5)
        assert (short.code, short.problem["type"]) == (1, "/problems/list-not-complete")

    def test_is_not_of_pages_that_are_fewer_swapped_or_changed(
        self, sent: tuple[Any, list[Any]]
    ) -> None:
        vouched, (first, last) = sent
        changed = {**last, "items": [{**last["items"][0], "version": 2}, *last["items"][1:]]}
        elsewhere = {**last, "as_of": {**last["as_of"], "block_hash": named("other")}}

        assert checked(vouched, [first, last])["complete"] is True
        for pages in ([first], [last, first], [first, changed], [first, elsewhere]):
            with pytest.raises(ListNotComplete):
                checked(vouched, pages)

    def test_is_not_made_of_anything_else(self) -> None:
        with pytest.raises(ListUnreadable):
            checked({"count": 1}, [{"items": [1]}])
