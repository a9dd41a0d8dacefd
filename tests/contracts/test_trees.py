"""Every line of a ``.tree`` file has its forge test, and every forge test its line.

A tree's roots are the names of functions or rules. An outcome follows two blanks or a branch, and
begins with *it*; several on one line are parted by `` / ``::

    grantRole
    ├── given the participant is unknown   it reverts with ParticipantNotFound
    └── given the participant is admitted  it stores the term / it emits RoleGranted

The tests are ``test_<root>_<outcome>``, as ``test_grantRole_reverts_with_ParticipantNotFound``, and
may go on with the condition: ``…_given_the_participant_is_unknown``. Fuzz tests begin with
``testFuzz_``, invariants with ``invariant_``. The tests of ``Noun.tree`` are in ``Noun.t.sol``, and
in ``Noun<Part>.t.sol`` where one file would be too long.

This module does not run forge: ``scripts/test`` does.
"""

import re
from collections import Counter
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent
TREES = sorted(FOLDER.glob("*.tree"))

ROOT = re.compile(r"^[A-Za-z]\w*")
OUTCOME = re.compile(r"(?:\s{2}|[├└│─/] )it (.+?)(?= / it |$)")
TEST = re.compile(r"function (?:test|testFuzz|invariant)_(\w+)\(")


def _slug(text: str) -> str:
    return "_".join(re.findall(r"\w+", text))


def _expected(tree: str) -> Counter[str]:
    """Count the outcomes of a tree by ``root_outcome``."""
    lines: Counter[str] = Counter()
    root = ""
    for line in tree.splitlines():
        if named := ROOT.match(line):
            root = named.group()
        lines.update(f"{root}_{_slug(outcome)}" for outcome in OUTCOME.findall(line))
    return lines


def _sources(tree: Path) -> list[Path]:
    part = re.compile(rf"{tree.stem}(?:[A-Z]\w*)?\.t\.sol")
    return [path for path in sorted(FOLDER.glob("*.t.sol")) if part.fullmatch(path.name)]


def _found(names: list[str], expected: Counter[str]) -> Counter[str]:
    """Count the tests by the longest line that begins their name, or by their own name."""
    found: Counter[str] = Counter()
    for name in names:
        lines = [line for line in expected if name == line or name.startswith(f"{line}_")]
        found[max(lines, key=len, default=name)] += 1
    return found


class TestTrees:
    @pytest.mark.parametrize("tree", TREES, ids=lambda path: path.stem)
    def test_match_the_forge_tests(self, tree: Path) -> None:
        expected = _expected(tree.read_text(encoding="utf-8"))
        names = [name for path in _sources(tree) for name in TEST.findall(path.read_text("utf-8"))]

        found = _found(names, expected)

        assert expected - found == Counter(), "lines without a test"
        assert found - expected == Counter(), "tests without a line"

    def test_stand_beside_every_forge_test(self) -> None:
        covered = {path for tree in TREES for path in _sources(tree)}

        assert covered == set(FOLDER.glob("*.t.sol"))


class TestParsing:
    def test_reads_conditions_branches_and_several_outcomes(self) -> None:
        tree = (
            "grant\n"
            "├── when it is late                 it reverts with TimeInPast\n"
            "└── given the right is new\n"
            "    └── it stores the right / it emits RightGranted\n"
        )

        assert _expected(tree) == Counter(
            ["grant_reverts_with_TimeInPast", "grant_stores_the_right", "grant_emits_RightGranted"]
        )

    def test_finds_what_is_missing_and_what_is_left_over(self) -> None:
        expected = Counter(["grant_reverts_with_TimeInPast"] * 2)

        found = _found(["grant_reverts_with_TimeInPast_when_late", "grant_sings"], expected)

        assert expected - found == Counter(["grant_reverts_with_TimeInPast"])
        assert found - expected == Counter(["grant_sings"])
