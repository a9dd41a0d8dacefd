"""
scripts/solc: the npm compiler behind native solc's command line.

Not about the contracts; py-solc-x, forge and slither each use another part of it.
"""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from packaging.version import Version
from solcx.wrapper import get_solc_version

from chain.compile import ROOT

SOLC = ROOT / "scripts/solc"

SOURCE = """// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Two} from "lib/Two.sol";

contract One is Two {}
"""

IMPORTED = """// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

contract Two {
    function two() external pure returns (uint256 number) {
        number = 2;
    }
}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """One.sol, which imports Two.sol through a remapping."""
    (tmp_path / "One.sol").write_text(SOURCE)
    (tmp_path / "packages").mkdir()
    (tmp_path / "packages/Two.sol").write_text(IMPORTED)
    return tmp_path


def _solc(*arguments: str, cwd: Path, stdin: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(SOLC), *arguments], cwd=cwd, input=stdin, capture_output=True, text=True, check=False
    )


def _standard(folder: Path, *arguments: str, remapping: str) -> dict[str, Any]:
    request = {
        "language": "Solidity",
        "sources": {"One.sol": {"content": SOURCE}},
        "settings": {
            "remappings": [remapping],
            "outputSelection": {"*": {"*": ["evm.bytecode.object"]}},
        },
    }
    done = _solc("--standard-json", *arguments, cwd=folder, stdin=json.dumps(request))
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


class TestVersion:
    def test_is_read_by_py_solc_x(self) -> None:
        assert get_solc_version(SOLC) == Version("0.8.37")

    def test_has_the_line_that_forge_reads(self, tmp_path: Path) -> None:
        last = _solc("--version", cwd=tmp_path).stdout.splitlines()[-1]

        assert last.startswith("Version: 0.8.37+commit.")


class TestStandardJson:
    def test_finds_an_import_under_the_base_path(self, folder: Path) -> None:
        answer = _standard(folder, "--base-path", str(folder), remapping="lib/=packages/")

        assert answer["contracts"]["One.sol"]["One"]["evm"]["bytecode"]["object"]

    def test_reads_nothing_outside_the_allowed_folders(self, folder: Path) -> None:
        base = folder / "base"
        base.mkdir()
        remapping = f"lib/={folder}/packages/"

        refused = _standard(folder, "--base-path", "base", remapping=remapping)
        allowed = _standard(
            folder, "--base-path=base", "--allow-paths", f"{folder}/packages", remapping=remapping
        )

        assert "File outside of allowed directories" in refused["errors"][0]["message"]
        assert "One" in allowed["contracts"]["One.sol"]

    def test_reads_no_link_that_leaves_the_allowed_folders(self, folder: Path) -> None:
        base = folder / "base"
        base.mkdir()
        (base / "packages").symlink_to(folder / "packages")

        answer = _standard(folder, "--base-path", "base", remapping="lib/=packages/")

        assert "File outside of allowed directories" in answer["errors"][0]["message"]

    def test_reports_errors_in_its_answer(self, folder: Path) -> None:
        answer = _standard(folder, remapping="lib/=nowhere/")

        assert answer["errors"][0]["severity"] == "error"


class TestCombinedJson:
    FIELDS = "abi,ast,bin,bin-runtime,srcmap,srcmap-runtime,userdoc,devdoc,hashes"

    def test_gives_what_slither_reads(self, folder: Path) -> None:
        done = _solc("lib/=packages/", "One.sol", "--combined-json", self.FIELDS, cwd=folder)

        answer = json.loads(done.stdout)
        one = answer["contracts"]["One.sol:One"]
        assert set(one) == set(self.FIELDS.split(",")) - {"ast"}
        assert one["hashes"] == {"two()": "5fdf05d7"}
        assert answer["sourceList"] == ["One.sol", "packages/Two.sol"]
        assert answer["sources"]["packages/Two.sol"]["AST"]["nodeType"] == "SourceUnit"

    def test_gives_the_bytecode_of_the_standard_form(self, folder: Path) -> None:
        done = _solc("lib/=packages/", "One.sol", "--combined-json", "bin", cwd=folder)

        combined = json.loads(done.stdout)["contracts"]["One.sol:One"]["bin"]

        standard = _standard(folder, remapping="lib/=packages/")["contracts"]["One.sol"]["One"]
        assert combined == standard["evm"]["bytecode"]["object"]

    def test_obeys_the_options_of_the_optimizer(self, folder: Path) -> None:
        plain = _solc("lib/=packages/", "One.sol", "--combined-json", "bin", cwd=folder)
        small = _solc(
            *("lib/=packages/", "One.sol", "--combined-json", "bin", "--optimize"),
            *("--evm-version", "london", "--no-cbor-metadata"),
            cwd=folder,
        )

        assert len(small.stdout) < len(plain.stdout)

    def test_fails_with_the_message_on_an_error(self, folder: Path) -> None:
        done = _solc("One.sol", "--combined-json", "bin", cwd=folder)

        assert done.returncode == 1
        assert done.stdout == ""
        assert 'Source "lib/Two.sol" not found' in done.stderr


class TestOptions:
    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (("--no-such-option",), "unrecognised option '--no-such-option'"),
            (("--combined-json", "bin,nothing", "One.sol"), "Invalid option to --combined-json"),
            (("--standard-json", "--base-path"), "argument for option '--base-path' is missing"),
            (("--combined-json", "bin"), "No input files given"),
            (("One.sol",), "one of --standard-json and --combined-json is needed"),
            (("Nowhere.sol", "--combined-json", "bin"), '"Nowhere.sol" is not found'),
        ],
    )
    def test_refuses_what_it_cannot_do(
        self, folder: Path, arguments: tuple[str, ...], message: str
    ) -> None:
        done = _solc(*arguments, cwd=folder)

        assert done.returncode == 1
        assert message in done.stderr
