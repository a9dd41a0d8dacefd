"""
The engines built with Go: found where they are, and missed in one sentence; nothing is built here.
"""

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from chain.binaries import (
    ENGINES,
    GETH,
    KUBO,
    MODULES,
    Engine,
    EngineMissing,
    EngineNotExecutable,
    built_path,
    find,
    find_geth,
    key_of,
)

SCRIPT = MODULES.parent / "engines"


def program(path: Path, text: str = "#!/bin/sh\n") -> Path:
    """Write a file that can be run."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)
    return path


def run(*arguments: str, environment: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """Run scripts/engines with a PATH and a cache of the test's own."""
    return subprocess.run(
        [sys.executable, SCRIPT, *arguments],
        env=dict(environment),
        capture_output=True,
        text=True,
        check=False,
    )


class TestFinding:
    def test_what_is_named_goes_before_what_was_built(self, tmp_path: Path) -> None:
        """Cites: issue 5, Engines on demand."""
        environment = {"XDG_CACHE_HOME": str(tmp_path), "PATH": ""}
        built = program(built_path(GETH, environment))
        assert find_geth(environment) == built
        named = program(tmp_path / "other")
        assert find_geth({**environment, GETH.variable: str(named)}) == named

    def test_what_was_built_goes_before_what_is_on_the_path(self, tmp_path: Path) -> None:
        on_path = program(tmp_path / "bin" / "geth")
        environment = {"XDG_CACHE_HOME": str(tmp_path), "PATH": str(on_path.parent)}
        assert find_geth(environment) == on_path
        built = program(built_path(GETH, environment))
        assert find_geth(environment) == built

    @pytest.mark.parametrize("engine", ENGINES.values(), ids=lambda one: one.name)
    def test_a_missing_engine_says_how_to_get_it(self, engine: Engine, tmp_path: Path) -> None:
        with pytest.raises(EngineMissing, match=r"scripts/engines") as raised:
            find(engine, {"XDG_CACHE_HOME": str(tmp_path), "PATH": ""})
        assert raised.value.variable == engine.variable

    def test_a_path_that_is_no_program_is_never_replaced_by_another(self, tmp_path: Path) -> None:
        environment = {"XDG_CACHE_HOME": str(tmp_path), "PATH": ""}
        program(built_path(GETH, environment))
        named = tmp_path / "a-text"
        named.write_text("text")
        with pytest.raises(EngineNotExecutable):
            find_geth({**environment, GETH.variable: str(named)})


class TestTheModules:
    @pytest.mark.parametrize("engine", ENGINES.values(), ids=lambda one: one.name)
    def test_pin_the_versions_that_are_told(self, engine: Engine) -> None:
        module = engine.package.removesuffix(f"/cmd/{engine.package.rpartition('/')[2]}")
        said = (engine.module / "go.mod").read_text("utf-8")
        assert re.search(rf"{re.escape(module)} v{re.escape(engine.version)}\b", said)
        assert f"tool {engine.package}" in said
        assert f"{module} v{engine.version} h1:" in (engine.module / "go.sum").read_text("utf-8")

    def test_have_one_key_each_that_changes_with_the_flags(self) -> None:
        assert key_of(GETH) == key_of(GETH)
        assert key_of(GETH) != key_of(KUBO)
        assert key_of(GETH) != key_of(replace(GETH, link_flags=""))


class TestTheScript:
    def test_without_go_it_says_so_once_and_how_to_get_it(self, tmp_path: Path) -> None:
        """Cites: issue 5, Engines on demand: says what is missing (Go) and how to get it."""
        found = run("geth", environment={"XDG_CACHE_HOME": str(tmp_path), "PATH": ""})
        assert found.returncode == 1
        (said,) = found.stderr.splitlines()
        assert "Go is needed to build geth" in said
        assert "https://go.dev/dl" in said
        assert not list(tmp_path.rglob("geth"))

    def test_with_an_old_go_it_names_both_versions(self, tmp_path: Path) -> None:
        program(tmp_path / "bin" / "go", "#!/bin/sh\necho go1.19.8\n")
        environment = {"XDG_CACHE_HOME": str(tmp_path), "PATH": f"{tmp_path}/bin:/bin:/usr/bin"}
        found = run("kubo", environment=environment)
        assert found.returncode == 1
        assert "found 1.19.8" in found.stderr

    def test_where_builds_nothing(self, tmp_path: Path) -> None:
        environment = {**os.environ, "XDG_CACHE_HOME": str(tmp_path)}
        found = run("--where", "--json", environment=environment)
        assert found.returncode == 1
        told = json.loads(found.stdout)
        assert {name: one["path"] for name, one in told["engines"].items()} == {
            "geth": None,
            "kubo": None,
        }
        assert len(told["problems"]) == 2
        assert not list(tmp_path.iterdir())

    def test_what_is_there_is_not_built_again(self, tmp_path: Path) -> None:
        environment = {"XDG_CACHE_HOME": str(tmp_path), "PATH": ""}
        built = program(built_path(GETH, environment))
        found = run("geth", environment=environment)
        assert (found.returncode, found.stdout.strip()) == (0, str(built))

    def test_an_unknown_engine_is_refused(self, tmp_path: Path) -> None:
        found = run("besu", environment={"XDG_CACHE_HOME": str(tmp_path), "PATH": ""})
        assert found.returncode == 2
        assert "there is no engine 'besu'" in found.stderr
