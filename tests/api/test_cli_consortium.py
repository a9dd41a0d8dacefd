"""`shulian consortium` on paper: what it writes, and how it says no; no node runs here."""

import json
from pathlib import Path

import pytest

from tests.api.shell import shulian
from tests.consortium import found

MEMBERS = {
    "members": [
        {"name": name, "zh": f"{name} 交易所", "en": name.capitalize(), "host": f"10.0.0.{place}"}
        for place, name in enumerate(("east", "south"), start=1)
    ]
}


@pytest.fixture
def members(tmp_path: Path) -> Path:
    path = tmp_path / "members.json"
    path.write_text(json.dumps(MEMBERS), "utf-8")
    return path


def init(members: Path, folder: Path, *, validators: int = 2) -> list[str]:
    """Return the arguments of a founding."""
    wanted = ["--validators", str(validators), "--members", str(members)]
    return ["consortium", "init", *wanted, str(folder), "--json"]


class TestInit:
    def test_tells_everything_public_and_nothing_else(self, members: Path, tmp_path: Path) -> None:
        """Cites: issue 5, Consortium."""
        told = shulian(*init(members, tmp_path / "c"))
        assert told.code == 0
        found = json.loads(told.out)
        written = json.loads((tmp_path / "c/consortium.json").read_text("utf-8"))
        assert found == {"folder": str(tmp_path / "c"), **written}
        assert [one["rpc_url"] for one in found["nodes"]] == [
            "http://10.0.0.1:8545",
            "http://10.0.0.2:8545",
        ]
        secret = (tmp_path / "c/nodes/east/nodekey").read_text("ascii")
        assert secret not in told.out + told.err

    def test_again_changes_nothing(self, members: Path, tmp_path: Path) -> None:
        first = shulian(*init(members, tmp_path / "c"))
        assert shulian(*init(members, tmp_path / "c")).out == first.out


class TestRefusals:
    def test_of_too_few_members(self, members: Path, tmp_path: Path) -> None:
        """Cites: issue 5, Bad input: one clear sentence, exit code not 0, nothing half done."""
        told = shulian(*init(members, tmp_path / "c", validators=3))
        assert told.code == 1
        assert json.loads(told.err)["type"] == "/problems/members-file-invalid"
        assert not (tmp_path / "c").exists()

    def test_of_a_folder_without_a_consortium(self, tmp_path: Path) -> None:
        for command in (["up"], ["down"], ["status"], ["start", "east"], ["stop", "east"]):
            told = shulian("consortium", *command, str(tmp_path), "--json")
            assert told.code == 1
            assert json.loads(told.err)["type"] == "/problems/consortium-not-found"

    def test_of_a_node_that_is_on_another_machine(self, members: Path, tmp_path: Path) -> None:
        shulian(*init(members, tmp_path / "c"))
        (tmp_path / "c/nodes/south").rename(tmp_path / "carried-away")
        told = shulian("consortium", "stop", "south", str(tmp_path / "c"))
        assert told.code == 1
        assert told.err.startswith("NodeElsewhere: ")
        assert len(told.err.strip().splitlines()) == 2
        assert shulian("consortium", "stop", "west", str(tmp_path / "c")).code == 1

    def test_of_a_vote_where_no_validator_runs(self, members: Path, tmp_path: Path) -> None:
        shulian(*init(members, tmp_path / "c"))
        told = shulian("consortium", "remove-validator", "south", str(tmp_path / "c"), "--json")
        assert told.code == 1
        assert json.loads(told.err)["type"] == "/problems/no-voter-here"

    def test_status_of_nodes_that_do_not_run_is_told_and_exits_with_1(self, tmp_path: Path) -> None:
        found(tmp_path / "c")
        told = shulian("consortium", "status", str(tmp_path / "c"), "--json")
        assert told.code == 1
        standing = json.loads(told.out)
        assert (standing["head"], standing["is_sealing"]) == (None, False)
        assert all(one["trouble"] for one in standing["nodes"])
