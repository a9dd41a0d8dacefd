"""
The artifacts that ship: fresh, refused when doubtful, and the same from three compilers.

Not about what the contracts do.
"""

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from chain.compile import INDEX, ROOT, Build, CompileFailed, build, main, problems, write

INTERFACE = """// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

type NoteId is bytes32;

/// @notice Notes.
interface INotes {
    /// @notice State of a note.
    enum NoteState {
        NONE,
        OPEN
    }

    /// @notice One note.
    /// @param writer Who wrote it.
    struct Note {
        address writer;
        NoteState state;
    }

    function noteOf(NoteId noteId) external view returns (Note memory note);
}
"""

CONTRACT = """// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {INotes, NoteId} from "../interfaces/INotes.sol";

contract Notes is INotes {
    uint64 private immutable _openedAt = uint64(block.timestamp);
    mapping(NoteId noteId => Note note) private _notes;

    function noteOf(NoteId noteId) external view returns (Note memory note) {
        require(_openedAt > 0);
        note = _notes[noteId];
    }
}
"""


def _lay_out(folder: Path) -> Path:
    for name, text in (("interfaces/INotes", INTERFACE), ("registry/Notes", CONTRACT)):
        path = folder / "contracts" / f"{name}.sol"
        path.parent.mkdir(parents=True)
        path.write_text(text)
    shutil.copy(ROOT / "package-lock.json", folder)
    (folder / "node_modules").symlink_to(ROOT / "node_modules")
    (folder / "scripts").symlink_to(ROOT / "scripts")
    return folder


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout with two sources, our compiler and our pinned packages."""
    return _lay_out(tmp_path)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Build:
    """What a compilation of such a checkout gives."""
    return build(_lay_out(tmp_path_factory.mktemp("small")))


@pytest.fixture
def built(checkout: Path, small: Build) -> Path:
    """Such a checkout, compiled."""
    write(checkout, small)
    return checkout


def _run(*command: str) -> None:
    done = subprocess.run(
        command,
        cwd=ROOT,
        env={**os.environ, "CI": "true"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def shipped() -> dict[str, Any]:
    """Every committed artifact by its source and name."""
    index = json.loads((ROOT / INDEX).read_text("utf-8"))
    artifacts = [json.loads((ROOT / name).read_text("utf-8")) for name in index["files"]]
    return {f"{one['sourceName']}:{one['contractName']}": one for one in artifacts}


@pytest.fixture(scope="module")
def from_forge() -> Path:
    """Where forge has put its artifacts."""
    _run("scripts/forge", "build")
    return ROOT / ".build/forge/out"


@pytest.fixture(scope="module")
def from_hardhat() -> Path:
    """Where Hardhat has put its artifacts."""
    _run("node", "node_modules/hardhat/internal/cli/bootstrap.js", "compile", "--quiet")
    return ROOT / ".build/hardhat/artifacts"


class TestShippedArtifacts:
    def test_are_what_a_fresh_compilation_gives(self) -> None:
        files = build(ROOT).files

        different = [
            name
            for name, text in files.items()
            if not (ROOT / name).is_file() or (ROOT / name).read_text("utf-8") != text
        ]

        assert different == []

    def test_are_complete(self) -> None:
        assert problems(ROOT) == []
        assert main(["--check"]) == 0

    def test_hold_deployable_contracts(self, shipped: dict[str, Any]) -> None:
        deployable = [name for name, one in shipped.items() if one["kind"] == "contract"]

        assert deployable
        assert all(len(shipped[name]["bytecode"]) > 2 for name in deployable)

    def test_fit_under_eip_170(self, shipped: dict[str, Any]) -> None:
        limit = 24_576

        sizes = {name: len(one["deployedBytecode"]) // 2 - 1 for name, one in shipped.items()}

        assert {name: size for name, size in sizes.items() if size > limit} == {}

    def test_equal_what_forge_makes(self, shipped: dict[str, Any], from_forge: Path) -> None:
        for key, artifact in shipped.items():
            source, name = key.split(":")
            theirs = json.loads((from_forge / Path(source).name / f"{name}.json").read_text())

            # forge sorts the ABI its own way.
            assert theirs["bytecode"]["object"] == artifact["bytecode"], key
            assert theirs["deployedBytecode"]["object"] == artifact["deployedBytecode"], key

    def test_equal_what_hardhat_makes(self, shipped: dict[str, Any], from_hardhat: Path) -> None:
        for key, artifact in shipped.items():
            source, name = key.split(":")
            theirs = json.loads((from_hardhat / source / f"{name}.json").read_text())

            assert theirs["abi"] == artifact["abi"], key
            assert theirs["bytecode"] == artifact["bytecode"], key
            assert theirs["deployedBytecode"] == artifact["deployedBytecode"], key


class TestBuild:
    def test_gives_an_artifact_per_contract_and_interface(self, small: Build) -> None:
        assert sorted(small.files) == [
            "chain/artifacts/INotes.json",
            "chain/artifacts/Notes.json",
            "chain/artifacts/index.json",
        ]

    def test_lists_the_types_that_an_abi_leaves_out(self, small: Build) -> None:
        index = json.loads(small.files[INDEX])

        assert index["enums"] == {"NoteState": ["NONE", "OPEN"]}
        assert index["aliases"] == {"NoteId": "bytes32"}
        assert index["structs"]["Note"]["members"] == [
            {"name": "writer", "type": "address"},
            {"name": "state", "type": "enum INotes.NoteState"},
        ]

    def test_says_where_immutables_stand(self, small: Build) -> None:
        notes = json.loads(small.files["chain/artifacts/Notes.json"])

        code = bytes.fromhex(notes["deployedBytecode"][2:])

        assert notes["immutables"]
        assert all(
            code[start : start + length] == bytes(32) for start, length in notes["immutables"]
        )

    def test_gives_the_same_bytes_in_another_folder(self, checkout: Path, small: Build) -> None:
        assert build(checkout).files == small.files

    def test_keeps_mocks_out_of_the_package(self, checkout: Path) -> None:
        mock = checkout / "contracts/mocks/Mock.sol"
        mock.parent.mkdir()
        mock.write_text(
            "// SPDX-License-Identifier: Apache-2.0\npragma solidity 0.8.37;\ncontract Mock {}\n"
        )

        files = build(checkout).files

        assert "tests/artifacts/Mock.json" in files
        assert "chain/artifacts/Mock.json" not in files

    def test_refuses_a_warning(self, checkout: Path) -> None:
        path = checkout / "contracts/registry/Notes.sol"
        path.write_text(path.read_text().replace("require(", "uint256 unused;\n        require("))

        with pytest.raises(CompileFailed, match="Unused local variable"):
            build(checkout)

    def test_refuses_an_error(self, checkout: Path) -> None:
        path = checkout / "contracts/registry/Notes.sol"
        path.write_text(path.read_text().replace("_notes[noteId]", "_nothing[noteId]"))

        with pytest.raises(CompileFailed, match="_nothing"):
            build(checkout)

    def test_refuses_one_name_for_two_things(self, checkout: Path) -> None:
        shutil.copy(
            checkout / "contracts/interfaces/INotes.sol", checkout / "contracts/registry/Again.sol"
        )

        with pytest.raises(CompileFailed, match="two definitions are called"):
            build(checkout)


class TestProblems:
    def test_is_empty_after_a_build(self, built: Path) -> None:
        assert problems(built) == []

    def test_sees_a_changed_source(self, built: Path) -> None:
        path = built / "contracts/registry/Notes.sol"
        path.write_text(path.read_text() + "\n")

        assert problems(built) == [f"{INDEX} was made from other sources, settings or compiler"]

    def test_sees_another_compiler(self, built: Path) -> None:
        path = built / "package-lock.json"
        locked = json.loads(path.read_text())
        locked["packages"]["node_modules/solc"]["integrity"] = "sha512-another"
        path.write_text(json.dumps(locked))

        assert problems(built) == [f"{INDEX} was made from other sources, settings or compiler"]

    def test_sees_an_artifact_changed_by_hand(self, built: Path) -> None:
        path = built / "chain/artifacts/Notes.json"
        path.write_text(path.read_text().replace("0x60", "0x61", 1))

        assert problems(built) == ["chain/artifacts/Notes.json is missing or was changed by hand"]

    def test_sees_a_missing_artifact(self, built: Path) -> None:
        (built / "chain/artifacts/INotes.json").unlink()

        assert problems(built) == ["chain/artifacts/INotes.json is missing or was changed by hand"]

    def test_sees_an_artifact_of_no_contract(self, built: Path) -> None:
        (built / "chain/artifacts/Old.json").write_text("{}")

        assert problems(built) == ["chain/artifacts/Old.json belongs to no contract"]


class TestWrite:
    def test_removes_artifacts_of_contracts_that_are_no_more(self, built: Path) -> None:
        (built / "contracts/registry/Notes.sol").unlink()

        write(built, build(built))

        assert not (built / "chain/artifacts/Notes.json").exists()
        assert problems(built) == []
