"""
Tests that the generated modules are what the contracts say, under the same names.
"""

import copy
import re
import subprocess
import sys
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from chain import codes, structs
from chain.acts import ACTS
from chain.codegen.files import stale, texts, write
from chain.codegen.model import read_artifacts
from chain.codegen.types import CannotGenerate, snake
from chain.errors import ERRORS, SELECTORS
from chain.events import EVENTS

ROOT = Path(__file__).resolve().parents[2]
INDEX, ARTIFACTS = read_artifacts(ROOT / "chain/artifacts")
SOURCES = "\n".join(
    path.read_text("utf-8")
    for path in sorted((ROOT / "contracts").rglob("*.sol"))
    if "mocks" not in path.parts
)
# Of the token standards: for wallets only, and ignored by the fold.
STANDARD = {"Transfer", "Approval", "ApprovalForAll", "Locked", "Unlocked", "EIP712DomainChanged"}


def solidity(keyword: str) -> set[str]:
    return set(re.findall(rf"^\s*{keyword} (\w+)\s*\(", SOURCES, re.MULTILINE))


def abi(kind: str) -> set[str]:
    return {
        entry["name"]
        for artifact in ARTIFACTS
        for entry in artifact["abi"]
        if entry["type"] == kind
    }


class TestGeneratedFiles:
    def test_are_fresh(self) -> None:
        assert stale(ROOT) == []

    def test_are_noticed_when_changed_by_hand(self, tmp_path: Path) -> None:
        folder = tmp_path / "chain"
        (folder / "artifacts").mkdir(parents=True)
        for path in (ROOT / "chain/artifacts").glob("*.json"):
            (folder / "artifacts" / path.name).write_text(path.read_text("utf-8"))
        for name in texts(INDEX, ARTIFACTS):
            (folder / name).write_text((ROOT / "chain" / name).read_text("utf-8"))
        (folder / "events.py").write_text("edited")

        assert stale(tmp_path) == ["events.py"]

    def test_are_written_when_stale(self, tmp_path: Path) -> None:
        (tmp_path / "chain/artifacts").mkdir(parents=True)
        for path in (ROOT / "chain/artifacts").glob("*.json"):
            (tmp_path / "chain/artifacts" / path.name).write_text(path.read_text("utf-8"))

        written = write(tmp_path)

        assert sorted(written) == sorted(texts(INDEX, ARTIFACTS))
        assert write(tmp_path) == []

    def test_are_checked_by_the_script(self) -> None:
        command = [sys.executable, "scripts/generate", "--check"]
        ended = subprocess.run(command, cwd=ROOT, check=False)

        assert ended.returncode == 0


class TestNames:
    def test_of_errors_are_the_same_in_solidity_abi_and_python(self) -> None:
        ours = {name for name in abi("error") if f"error {name}(" in SOURCES}

        assert ours == solidity("error")
        assert set(ERRORS) == abi("error")
        assert all(kind.__name__ == name for name, kind in ERRORS.items())

    def test_of_events_are_the_same_in_solidity_abi_and_python(self) -> None:
        assert set(EVENTS) == abi("event") - STANDARD
        assert solidity("event") - STANDARD <= set(EVENTS)
        assert all(kind.__name__ == name for name, kind in EVENTS.items())

    def test_of_enum_members_are_the_same(self) -> None:
        for name, members in INDEX["enums"].items():
            kind = getattr(codes, name)
            assert [(one.name, one.value) for one in kind] == [
                (member, number) for number, member in enumerate(members)
            ]

    def test_of_fields_are_the_same_in_struct_and_dataclass(self) -> None:
        found = 0
        for name, struct in INDEX["structs"].items():
            kind = getattr(structs, name, None)
            if kind is not None:
                assert [one.name for one in fields(kind)] == [
                    snake(member["name"]) for member in struct["members"]
                ]
                found += 1
        assert found > 20

    def test_of_writes_are_the_same(self) -> None:
        writes = {
            (artifact["contractName"], entry["name"])
            for artifact in ARTIFACTS
            if artifact["kind"] == "contract"
            for entry in artifact["abi"]
            if entry["type"] == "function"
            and entry["inputs"]
            and entry["inputs"][-1].get("internalType") == "struct Authorization"
        }

        assert {(act.CONTRACT, act.FUNCTION) for act in ACTS.values()} == writes

    def test_of_errors_are_unique_by_selector(self) -> None:
        assert len(SELECTORS) == len(ERRORS)


class TestRefusals:
    @pytest.fixture
    def artifact(self) -> dict[str, Any]:
        return copy.deepcopy(next(one for one in ARTIFACTS if one["contractName"] == "IAssets"))

    def test_of_an_error_without_a_family(self, artifact: dict[str, Any]) -> None:
        for said in artifact["devdoc"]["errors"]["AssetAlreadyExists(bytes32)"]:
            del said["custom:family"]

        with pytest.raises(CannotGenerate, match="AssetAlreadyExists"):
            texts(INDEX, [artifact])

    def test_of_an_error_of_a_family_that_is_none(self, artifact: dict[str, Any]) -> None:
        artifact["devdoc"]["errors"]["AssetAlreadyExists(bytes32)"][0]["custom:family"] = "Sorry"

        with pytest.raises(CannotGenerate, match="Sorry"):
            texts(INDEX, [artifact])

    def test_of_one_name_for_two_errors(self, artifact: dict[str, Any]) -> None:
        other = copy.deepcopy(artifact)
        entry = next(one for one in other["abi"] if one["name"] == "AssetAlreadyExists")
        entry["inputs"] = []

        with pytest.raises(CannotGenerate, match="AssetAlreadyExists"):
            texts(INDEX, [artifact, other])

    def test_of_one_name_for_events_that_index_differently(self, artifact: dict[str, Any]) -> None:
        other = copy.deepcopy(artifact)
        entry = next(one for one in other["abi"] if one["name"] == "AssetRegistered")
        entry["inputs"][1]["indexed"] = True

        with pytest.raises(CannotGenerate, match="AssetRegistered"):
            texts(INDEX, [artifact, other])

    def test_of_an_overloaded_write(self, artifact: dict[str, Any]) -> None:
        entry = copy.deepcopy(next(one for one in artifact["abi"] if one["name"] == "setAlias"))
        entry["inputs"] = entry["inputs"][1:]
        artifact["abi"].append(entry)

        with pytest.raises(CannotGenerate, match="setAlias is overloaded"):
            texts(INDEX, [artifact])

    def test_of_an_enum_without_members(self, artifact: dict[str, Any]) -> None:
        with pytest.raises(CannotGenerate, match="AssetKind"):
            texts({**INDEX, "enums": {}}, [artifact])
