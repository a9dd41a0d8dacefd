"""`shulian content`: who keeps what the ledger names, on a home that lived."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.api.copies import copy_home
from tests.api.shell import shulian


@pytest.fixture
def mine(home: Path, tmp_path: Path) -> Path:
    """A copy of the home whose content may be spoilt."""
    return copy_home(home, tmp_path / "mine")


@pytest.fixture
def second(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "second"
    folder.mkdir()
    monkeypatch.setenv("SHULIAN_CONTENT_PEERS", folder.as_uri())
    return folder


def digests_of(folder: Path) -> list[Path]:
    return sorted(path for path in (folder / "sha256").rglob("*") if path.is_file())


def kept(told: dict[str, Any]) -> int:
    """Return how much was looked at that this home keeps: other tests name what nobody has."""
    return int(told["looked_at"]) - int(told["here"].get("ELSEWHERE", 0))


class TestAudit:
    def test_finds_the_content_of_a_life_whole(self, mine: Path) -> None:
        told = shulian("content", "audit", "--full", "--json", "--home", mine)

        assert told.code == 0, told.out
        assert told.json["whole"]
        assert told.json["faults"] == []
        assert told.json["here"]["HELD"] == kept(told.json) > 0
        assert set(told.json["here"]) <= {"HELD", "ELSEWHERE"}

    def test_reads_some_at_random(self, mine: Path) -> None:
        told = shulian("content", "audit", "--sample", 5, "--json", "--home", mine)

        assert (told.code, told.json["looked_at"], told.json["full"]) == (0, 5, False)

    def test_names_what_is_lost(self, mine: Path) -> None:
        path = digests_of(mine / "content")[3]
        path.unlink()

        told = shulian("content", "audit", "--full", "--json", "--home", mine)
        listed = shulian("content", "ls", "--state", "lost", "--json", "--home", mine)

        (fault,) = told.json["faults"]
        assert told.code == 1
        assert (fault["digest"], fault["state"], fault["kept"]) == ("0x" + path.name, "LOST", True)
        assert "." in fault["named_by"]
        assert listed.json == [fault]

    def test_says_it_to_people(self, mine: Path) -> None:
        digests_of(mine / "content")[0].write_bytes(b"damaged")

        told = shulian("content", "audit", "--full", "--home", mine)

        assert told.code == 1
        assert "not whole in 1 places" in told.out
        assert "lost here" in told.out


class TestRepair:
    def test_copies_and_then_restores(self, mine: Path, second: Path) -> None:
        first = shulian("content", "repair", "--json", "--home", mine)
        assert first.code == 0, first.out
        shutil.rmtree(mine / "content")

        lost = shulian("content", "audit", "--full", "--json", "--home", mine)
        again = shulian("content", "repair", "--json", "--home", mine)

        number = kept(first.json)
        assert first.json["copies"] == {second.as_uri(): {"HELD": number}}
        assert lost.code == 1
        assert lost.json["here"]["MISSING"] == number
        assert set(lost.json["here"]) <= {"MISSING", "ELSEWHERE"}
        assert again.code == 0
        assert len(digests_of(mine / "content")) == number

    def test_ends_with_1_while_something_is_lost(self, mine: Path) -> None:
        digests_of(mine / "content")[0].unlink()

        assert shulian("content", "repair", "--home", mine).code == 1


class TestRefused:
    def test_sample_of_everything(self, mine: Path) -> None:
        told = shulian("content", "audit", "--full", "--sample", 3, "--json", "--home", mine)

        assert (told.code, told.problem["type"]) == (2, "/problems/sample-or-full")

    def test_state_that_is_none(self, mine: Path) -> None:
        told = shulian("content", "ls", "--state", "gone", "--json", "--home", mine)

        assert (told.code, told.problem["type"]) == (2, "/problems/state-unknown")

    @pytest.mark.parametrize(
        ("url", "problem"),
        [
            ("ipfs:/ip4/127.0.0.1/tcp/1", "content-store-unreachable"),
            ("ipfs:/ip4/10.0.0.7/tcp/5001", "content-store-exposed"),
            ("s3://bucket", "store-url-invalid"),
        ],
    )
    def test_stores_that_cannot_be_used(
        self, mine: Path, monkeypatch: pytest.MonkeyPatch, url: str, problem: str
    ) -> None:
        monkeypatch.setenv("SHULIAN_CONTENT_URL", url)

        told = shulian("content", "audit", "--json", "--home", mine)

        assert (told.code, told.problem["type"]) == (1, f"/problems/{problem}")
        assert told.problem["next_step"]

    def test_home_that_is_none(self, tmp_path: Path) -> None:
        told = shulian("content", "repair", "--json", "--home", tmp_path / "none")

        assert (told.code, told.problem["type"]) == (1, "/problems/home-not-found")
