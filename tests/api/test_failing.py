"""What a command says after it refused: a next step that can be taken."""

import json
import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages
from typing import Any

import pytest
from typer.main import get_command

import api.doctor
from api.cli import build
from api.commands.failing import FAMILIES, NEXT, told_in
from chain.failure import LedgerError
from tests.api.shell import shulian

WORDS = Path(api.doctor.__file__).parent / "words"
# The doctor's next steps, too, in both languages.
DOCTOR = {
    f"{path.stem} {case}": one.get("next", "")
    for path in sorted(WORDS.glob("*.json"))
    for case, one in json.loads(path.read_text("utf-8")).items()
}
STEPS = {**NEXT, **{kind.__name__: text for kind, text in FAMILIES.items()}, **DOCTOR}
COMMAND = re.compile(r"`shulian ([^`]+)`")


def subclasses(kind: type) -> Iterator[type]:
    """Return every class below one."""
    for one in kind.__subclasses__():
        yield one
        yield from subclasses(one)


def commands_in(text: str) -> list[list[str]]:
    return [one.split() for one in COMMAND.findall(text)]


def flaw(words: list[str]) -> str:
    """Return what of a command is not there; what it is given is anybody's."""
    command: Any = get_command(build({words[0]}))
    for word in words:
        if hasattr(command, "commands"):
            if word not in command.commands:
                return f"no command {word}"
            command = command.commands[word]
        elif word.startswith("--"):
            flags = {flag for one in command.params for flag in one.opts}
            if word not in flags:
                return f"no option {word}"
    return ""


class TestNextStep:
    @pytest.mark.parametrize("name", sorted(STEPS))
    def test_names_commands_that_are_there(self, name: str) -> None:
        flaws = [(words, flaw(words)) for words in commands_in(STEPS[name])]

        assert [one for one in flaws if one[1]] == []

    @pytest.mark.parametrize("name", sorted(STEPS))
    def test_names_no_command_without_its_group(self, name: str) -> None:
        """`show` alone is no command, and not every noun has one."""
        bare = re.findall(r"`(ls|show|status|verify)\b[^`]*`", STEPS[name])

        assert bare == [] or "every noun has its" in STEPS[name] or name == "IdUnknown"

    def test_finds_what_is_not_there(self) -> None:
        assert flaw(["webhook", "show"]) == "no command show"
        assert flaw(["mirror", "verify", "--whole"]) == "no option --whole"

    def test_is_of_an_error_that_there_is(self) -> None:
        for package in ("chain", "registry", "settlement", "api"):
            for found in walk_packages(import_module(package).__path__, f"{package}."):
                if ".migrations." not in found.name:
                    import_module(found.name)

        known = {one.__name__ for one in subclasses(LedgerError)}

        assert set(NEXT) - known == set()


class TestToldIn:
    def test_finds_how_a_command_said_no(self) -> None:
        told = "PortTaken: Another process listens: port=1\n  → Choose another --port."

        assert told_in(f"2026 log line\n{told}\n", as_json=False) == told
        assert told_in("Traceback\n  x\nKeyError: 'a'\n", as_json=False) is None
        assert told_in("", as_json=False) is None
        assert told_in('log\n{"type": "/problems/port-taken"}\n', as_json=True) == (
            '{"type": "/problems/port-taken"}'
        )
        assert told_in("log\n", as_json=True) is None


class TestRestore:
    def test_says_that_there_is_no_such_file(self, tmp_path: Path) -> None:
        told = shulian("restore", tmp_path / "nope.tar.gz", "--home", tmp_path / "home", "--json")

        assert told.code == 2
        assert told.problem["fields"]["reason"] == "it is not there"
