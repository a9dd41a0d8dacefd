"""`shulian mirror`: how the mirror stands, whether it is true, and mending it, by command."""

import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from api.upkeep.peers import last_where
from chain.archive import read_manifest
from chain.node import EmbeddedNode
from tests.api.copies import ask, change, copy_home
from tests.api.shell import run, shulian
from tests.postgres import CHOSEN, forget_mirror_of

# A block of the demonstrated life, which has some more.
FINAL = 70


@pytest.fixture
def copy(home: Path, tmp_path: Path) -> Iterator[Path]:
    """A copy of the demonstrated home, which nobody serves."""
    folder = copy_home(home, tmp_path / "home")
    yield folder
    forget_mirror_of(folder)


@pytest.fixture(scope="module")
def served(home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, str]]:
    """Another copy, served by a process of its own, and where."""
    folder = copy_home(home, tmp_path_factory.mktemp("served") / "home")
    environment = {**os.environ, "SHULIAN_AUDIT_SECONDS": "0"}
    told = run("up", "--detach", "--home", folder, "--port", 0, "--json", environment=environment)
    assert told.code == 0, told.err
    yield folder, told.json["url"]
    run("down", "--home", folder)


def final_number(home: Path) -> int:
    ((found,),) = ask(home, "SELECT final_number FROM heads")
    assert isinstance(found, int)
    return found


def make_final(home: Path, number: int) -> None:
    """Say that a block is final, and that the node was last seen far above it."""
    ((block_hash,),) = ask(home, f"SELECT hash FROM blocks WHERE number = {number}")
    change(home, "DELETE FROM heads")
    change(
        home,
        "INSERT INTO heads (row_id, node_head, final_number, final_hash, alarm)"
        " VALUES (1, 1000, :number, :hash, '')",
        number=number,
        hash="0x" + bytes(block_hash).hex(),
    )


def change_first_byte(home: Path, column: str, number: int) -> None:
    """Make a block's hash, or its parent's, another."""
    ((was,),) = ask(home, f"SELECT {column} FROM blocks WHERE number = {number}")
    other = b"\0" + bytes(was)[1:]
    change(home, f"UPDATE blocks SET {column} = :other WHERE number = {number}", other=other)


class TestEvidence:
    """Of a server that answers: what it refuses is told as its own."""

    def test_asks_for_a_token_where_the_server_does(self, served: tuple[Path, str]) -> None:
        told = shulian("evidence", f"{served[1]}/v1/trades", "--json")

        assert told.problem["type"] == "/problems/token-refused"
        assert "--token-file" in told.problem["next_step"]

    def test_is_not_of_a_list_that_nobody_vouches_for(self, served: tuple[Path, str]) -> None:
        told = shulian("evidence", f"{served[1]}/v1/events?name=ParticipantApplied", "--json")

        assert told.problem["type"] == "/problems/evidence-refused"

    def test_does_not_send_to_our_own_home_for_what_another_server_said(self) -> None:
        told = shulian("evidence", "http://127.0.0.1:9/v1/assets", "--json")

        assert told.problem["type"] == "/problems/server-refused"
        assert "shulian" not in told.problem["next_step"]


class TestStatus:
    def test_tells_how_the_mirror_stands(self, served: tuple[Path, str]) -> None:
        folder, _ = served

        told = shulian("mirror", "status", "--home", folder, "--json").json

        assert told["lag_blocks"] == 0
        assert told["tip"]["number"] == told["node_head"]
        assert told["tip"]["checksum"] != told["final"]["checksum"]
        assert told["final"]["number"] <= told["tip"]["number"] - 16
        assert told["finality"] == "auto, 16 blocks"
        assert told["verified"] in ("off", "receipts")
        assert told["counts"]["blocks"] == told["tip"]["number"]
        assert told["counts"]["events"] > 100
        assert told["counts"]["unknown_events"] == told["counts"]["dead_letters"] == 0
        assert told["writer"]["is_writing"]
        assert (
            told["writer"]["pid"]
            == shulian("status", "--home", folder, "--json").json["api"]["pid"]
        )
        assert told["database"] == CHOSEN.chosen
        assert told["size_bytes"] > 100_000
        assert told["layout"] == told["newest_layout"]
        assert told["alarm"] == ""

    def test_tells_it_without_node_or_writer(self, copy: Path) -> None:
        told = shulian("mirror", "status", "--home", copy, "--json").json

        assert told["node_head"] is None
        assert told["lag_blocks"] is None
        assert told["writer"] == {"is_writing": False, "pid": None}

    def test_is_readable_by_people(self, copy: Path) -> None:
        told = shulian("mirror", "status", "--home", copy)

        assert "checksum at tip" in told.out
        assert "written by" in told.out

    def test_refuses_a_folder_without_a_ledger(self, tmp_path: Path) -> None:
        told = shulian("mirror", "status", "--home", tmp_path, "--json")

        assert told.code == 1
        assert told.problem["type"] == "/problems/home-not-found"


class TestVerify:
    def test_finds_a_served_mirror_true(self, served: tuple[Path, str]) -> None:
        told = shulian("mirror", "verify", "--full", "--home", served[0], "--json")

        assert told.code == 0, told.out
        checks = {one["name"]: one for one in told.json["checks"]}
        assert set(checks) == {"links", "blocks", "records", "rebuild"}
        assert all(one["equal"] and one["checked"] > 50 for one in checks.values())

    def test_finds_another_exchange_equal(self, served: tuple[Path, str], copy: Path) -> None:
        """`copy` is another exchange's mirror of the same chain."""
        make_final(copy, FINAL)

        told = shulian(
            "mirror", "verify", "--offline", "--against", served[1], "--home", copy, "--json"
        )

        assert told.code == 0, told.out
        found = told.json["checks"][-1]
        assert found["equal"]
        assert found["checked"] == min(FINAL, final_number(served[0]))

    def test_finds_the_first_block_in_which_another_exchange_differs(
        self, served: tuple[Path, str], copy: Path
    ) -> None:
        make_final(copy, FINAL)
        change(copy, "UPDATE blocks SET checksum = :other WHERE number >= 61", other=b"\x11")

        told = shulian(
            "mirror", "verify", "--offline", "--against", served[1], "--home", copy, "--json"
        )

        assert told.code == 1
        assert "block 61:" in told.json["checks"][-1]["differences"][0]
        assert "the same block" in told.json["checks"][-1]["differences"][0]

    def test_says_that_another_exchange_is_silent(self, copy: Path) -> None:
        make_final(copy, FINAL)
        told = shulian(
            "mirror", "verify", "--offline", "--against", "http://127.0.0.1:9", "--home", copy,
            "--json",
        )  # fmt: skip

        assert told.problem["type"] == "/problems/peer-unavailable"

    @pytest.mark.parametrize(
        ("statement", "check", "said"),
        [
            ("DELETE FROM blocks WHERE number = 60", "links", "block 60"),
            ("UPDATE blocks SET parent_hash = :other WHERE number = 60", "links", "block 60"),
            ("UPDATE listings SET price_fen = 1", "rebuild", "listings"),
            ("UPDATE blocks SET checksum = :other WHERE number = 60", "rebuild", "block 60"),
            ("DELETE FROM trades", "rebuild", "trades"),
        ],
    )
    def test_finds_what_was_changed(
        self, copy: Path, statement: str, check: str, said: str
    ) -> None:
        """integrity_check would say ok to all of these (reliability §4.2)."""
        change(copy, statement, other=b"\0")

        told = shulian("mirror", "verify", "--full", "--offline", "--home", copy, "--json")

        assert told.code == 1
        found = next(one for one in told.json["checks"] if one["name"] == check)
        assert not found["equal"]
        assert any(said in one for one in found["differences"])

    def test_lets_the_chain_run_meanwhile_as_audit_does(self, copy: Path) -> None:
        """After `demo --once` nothing runs, and the README says what to check then."""
        told = shulian("mirror", "verify", "--home", copy, "--json")

        assert told.code == 0, told.err
        assert told.json["equal"] is True
        assert EmbeddedNode(copy).running() is None

    def test_takes_a_number_or_everything(self, copy: Path) -> None:
        told = shulian("mirror", "verify", "--full", "--sample", 3, "--home", copy)

        assert told.code == 2


class TestRebuild:
    def test_mends_changed_records(self, copy: Path) -> None:
        before = ask(copy, "SELECT price_fen FROM listings ORDER BY 1")
        change(copy, "UPDATE listings SET price_fen = 1")

        told = shulian("mirror", "rebuild", "--home", copy, "--json")

        assert told.code == 0, told.err
        assert told.json["changed"]
        assert ask(copy, "SELECT price_fen FROM listings ORDER BY 1") == before

    def test_changes_nothing_of_a_true_one(self, copy: Path) -> None:
        assert shulian("mirror", "rebuild", "--home", copy, "--json").json["changed"] is False

    @pytest.mark.parametrize("command", ["rebuild", "repair"])
    def test_leaves_a_mirror_alone_that_is_written(
        self, served: tuple[Path, str], command: str
    ) -> None:
        told = shulian("mirror", command, "--home", served[0], "--json")

        assert told.code == 1
        assert told.problem["type"] == "/problems/mirror-written"
        assert "shulian down" in told.problem["next_step"]


class TestRepair:
    def test_does_nothing_to_a_true_one(self, copy: Path) -> None:
        told = shulian("mirror", "repair", "--home", copy, "--json")

        assert told.code == 0, told.err
        assert told.json["from_block"] is None
        assert told.json["differences"] == []

    def test_fetches_lost_logs_anew(self, copy: Path) -> None:
        """reliability §3.1: silently missing logs, found by comparing with the node."""
        ((number,),) = ask(copy, "SELECT max(block_number) FROM events")
        change(copy, f"DELETE FROM events WHERE block_number = {number}")

        told = shulian("mirror", "repair", "--home", copy, "--json")

        assert told.code == 0, told.err
        assert told.json["from_block"] == number
        assert told.json["given_up"] == 0
        assert shulian("mirror", "verify", "--full", "--offline", "--home", copy).code == 0
        assert shulian("audit", "--home", copy).code == 0

    def test_asks_before_it_gives_up_final_blocks(self, copy: Path) -> None:
        change_first_byte(copy, "hash", 50)
        change_first_byte(copy, "parent_hash", 51)
        blocks = ask(copy, "SELECT count(*) FROM blocks")
        make_final(copy, FINAL)

        refused = shulian("mirror", "repair", "--home", copy, "--json")
        told = shulian("mirror", "repair", "--accept-fork-below-final", "--home", copy, "--json")

        assert refused.problem["type"] == "/problems/repair-not-permitted"
        assert "--accept-fork-below-final" in refused.problem["next_step"]
        assert told.code == 0, told.err
        assert told.json["from_block"] == 50
        assert told.json["given_up"] == 1
        kept = sqlite3.connect(told.json["kept"])
        assert kept.execute("SELECT count(*) FROM blocks").fetchall() == blocks
        assert kept.execute(
            "SELECT hex(substr(hash, 1, 1)) FROM blocks WHERE number = 50"
        ).fetchone() == ("00",)
        kept.close()
        assert shulian("mirror", "verify", "--full", "--offline", "--home", copy).code == 0


class TestExport:
    def test_writes_final_blocks(self, served: tuple[Path, str], tmp_path: Path) -> None:
        told = shulian(
            "mirror", "export", tmp_path / "archive", "--format", "parquet", "--home", served[0],
            "--json",
        )  # fmt: skip

        assert told.code == 0, told.err
        assert told.json["last_block"] == final_number(served[0])
        assert read_manifest(tmp_path / "archive").parts[-1].checksum == told.json["checksum"]

    def test_names_the_final_block_if_asked_for_more(
        self, served: tuple[Path, str], tmp_path: Path
    ) -> None:
        final = final_number(served[0])

        told = shulian(
            "mirror", "export", tmp_path / "archive", "--to-block", final + 1, "--home", served[0],
            "--json",
        )  # fmt: skip

        assert told.problem["fields"] == {"block_number": final + 1, "final_number": final}


class TestLastWhere:
    @pytest.mark.parametrize("last", [None, 1, 2, 5, 9, 10])
    def test_finds_the_last_for_which_it_holds(self, last: int | None) -> None:
        asked = []

        def holds(number: int) -> bool:
            asked.append(number)
            return last is not None and number <= last

        assert last_where(holds, 1, 10) == last
        assert len(asked) <= 5
