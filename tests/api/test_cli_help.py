"""The command line describes itself: every command, every option, with an example."""

from collections.abc import Iterator
from typing import Any

import pytest
from typer.main import get_command

from api.cli import build
from api.commands.acting import words
from api.commands.nouns import NOUNS
from chain.acts import ACTS
from tests.api.shell import run, shulian


def own(noun: str) -> set[tuple[str, str]]:
    """Return the commands of a noun that are no acts."""
    extra = {"asset": "check", "trade": "sign"}.get(noun, "ls")
    return {(noun, name) for name in ("ls", "show", "history", extra)}


def commands(group: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    for name, one in group.commands.items():
        yield (*path, name), one
        if hasattr(one, "commands"):
            yield from commands(one, (*path, name))


EVERY = dict(commands(get_command(build())))


class TestHelp:
    @pytest.mark.parametrize("path", [(), *EVERY], ids=" ".join)
    def test_has_an_example(self, path: tuple[str, ...]) -> None:
        told = shulian(*path, "--help")

        assert told.code == 0
        assert "Example:\n    shulian" in told.out

    def test_describes_every_option(self) -> None:
        silent = [
            (*path, option.name)
            for path, one in EVERY.items()
            for option in one.params
            if not getattr(option, "help", "")
        ]
        assert silent == []

    def test_offers_json_everywhere(self) -> None:
        lacking = [
            path
            for path, one in EVERY.items()
            if not hasattr(one, "commands")
            and "--json" not in [flag for option in one.params for flag in option.opts]
        ]
        assert lacking == []

    def test_offers_every_act_of_the_contracts_once(self) -> None:
        nouns = {noun.contract: noun.name for noun in NOUNS}
        acts = [(nouns[act.CONTRACT], "-".join(words(act.FUNCTION))) for act in ACTS.values()]
        offered = [
            path
            for path in EVERY
            if len(path) == 2 and path[0] in nouns.values() and path not in own(path[0])
        ]

        assert sorted(offered) == sorted(acts)

    def test_lists_groups_without_loading_them(self) -> None:
        told = run("--help")

        assert told.code == 0
        assert "settlement" in told.out

    def test_refuses_an_unknown_command_as_misuse(self) -> None:
        told = shulian("lisitng", "ls")

        assert told.code == 2
        assert "listing" in told.err

    def test_gives_every_code_as_a_choice(self) -> None:
        told = shulian("asset", "review", "--help")
        assert "SOURCE, MODEL, ELEMENT" in " ".join(told.out.split())
