"""`shulian content`: who keeps what the ledger names, on a home that lived."""

import shutil
import time
from pathlib import Path
from typing import Any

import pytest

from api.config import read_settings
from api.content.round_rows import Purpose
from api.content.rounds import CONTINUED_SECONDS, Bounds, Rounds
from api.content.stores import keeper_of
from api.migrations import open_operational
from chain.engines import mirror_engine
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


def read_some(home: Path, purpose: Purpose, number: int, *, now: int) -> None:
    """Begin a round and leave it after so many."""
    settings = read_settings({}, home=home)
    operational = open_operational(settings.operational)
    mirror = mirror_engine(settings.mirror_url)
    rounds = Rounds(mirror, operational, keeper_of(settings), clock=lambda: now)
    for _ in rounds.step(rounds.open(purpose), Bounds(number=number), is_mending=False):
        pass
    operational.dispose()
    mirror.dispose()


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

    def test_tells_only_of_those_that_a_sample_read(self, mine: Path) -> None:
        told = shulian("content", "audit", "--sample", 5, "--json", "--home", mine)

        assert sum(told.json["here"].values()) == 5

    def test_reads_everything_whatever_a_sample_read_before(self, mine: Path) -> None:
        first = shulian("content", "audit", "--json", "--home", mine)
        digests_of(mine / "content")[3].unlink()

        told = shulian("content", "audit", "--full", "--json", "--home", mine)

        assert (told.code, told.json["here"]["LOST"]) == (1, 1)
        assert told.json["looked_at"] == first.json["looked_at"]

    def test_goes_on_with_its_own_run_and_says_since_when(self, mine: Path) -> None:
        whole = shulian("content", "audit", "--full", "--json", "--home", mine).json["looked_at"]
        began_at = int(time.time()) - 60
        read_some(mine, Purpose.AUDIT, 3, now=began_at)

        told = shulian("content", "audit", "--full", "--json", "--home", mine)
        read_some(mine, Purpose.AUDIT, 3, now=began_at)
        said = shulian("content", "audit", "--full", "--home", mine)

        assert told.json["looked_at"] == whole - 3
        assert (told.json["continued_since"], told.json["looked_at_before"]) == (began_at, 3)
        assert f"{whole - 3}, going on with a run of 20" in said.out

    @pytest.mark.parametrize(
        ("purpose", "age_seconds"),
        [(Purpose.WATCH, 60), (Purpose.REPAIR, 60), (Purpose.AUDIT, CONTINUED_SECONDS + 60)],
    )
    def test_rests_on_no_other_reading(
        self, mine: Path, purpose: Purpose, age_seconds: int
    ) -> None:
        """The server's round, a repair, and what was left long ago may be from before a failure."""
        whole = shulian("content", "audit", "--full", "--json", "--home", mine).json["looked_at"]
        read_some(mine, purpose, 3, now=int(time.time()) - age_seconds)

        told = shulian("content", "audit", "--full", "--json", "--home", mine)

        assert (told.json["looked_at"], told.json["continued_since"]) == (whole, None)

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

    @pytest.mark.usefixtures("second")
    def test_reads_everything_whatever_an_audit_read_before(self, mine: Path) -> None:
        first = shulian("content", "repair", "--json", "--home", mine)
        shulian("content", "audit", "--json", "--home", mine)
        damaged = digests_of(mine / "content")[3]
        before = damaged.read_bytes()
        damaged.write_bytes(before + b"more")

        again = shulian("content", "repair", "--json", "--home", mine)

        assert (again.code, again.json["looked_at"]) == (0, first.json["looked_at"])
        assert damaged.read_bytes() == before

    def test_tells_of_no_second_copy_that_is_none_any_more(
        self, mine: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        gone = (tmp_path / "gone").as_uri()
        monkeypatch.setenv("SHULIAN_CONTENT_PEERS", gone)
        before = shulian("content", "audit", "--sample", 5, "--json", "--home", mine)
        monkeypatch.delenv("SHULIAN_CONTENT_PEERS")

        listed = shulian("content", "ls", "--json", "--home", mine)
        told = shulian("content", "repair", "--json", "--home", mine)

        assert (before.code, before.json["copies"]) == (1, {gone: {"UNREACHABLE": 5}})
        assert {str(one["copies"]) for one in listed.json} == {"{}"}
        assert (told.code, told.json["copies"], told.json["faults"]) == (0, {}, [])

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
