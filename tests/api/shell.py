"""
The command line as tests use it: in this process, or as one of its own where processes matter.

It knows no test.
"""

import ast
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import typer
from typer.testing import CliRunner

from api.cli import build
from tests.postgres import environment_of

ROOT = Path(__file__).resolve().parent.parent.parent
START = f"import sys; sys.path.insert(0, {str(ROOT)!r}); from api.cli import main; main()"


@dataclass(frozen=True, slots=True)
class Told:
    """What a command wrote, and how it ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Return the one JSON value on the output."""
        return json.loads(self.out)

    @property
    def problem(self) -> Any:
        """Return the problem object on the error output."""
        return json.loads(self.err)


@cache
def application() -> typer.Typer:
    """Return the whole application."""
    return build()


def shulian(*arguments: object) -> Told:
    """Run a command in this process."""
    given = [str(one) for one in arguments]
    result = CliRunner().invoke(application(), given, env=_environment(given))
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return Told(result.exit_code, result.stdout, result.stderr)


def _environment(arguments: Sequence[object]) -> dict[str, str]:
    # Where a home's mirror is, if the tests run on another database.
    given = [str(one) for one in arguments]
    return environment_of(Path(given[given.index("--home") + 1])) if "--home" in given else {}


def command(*arguments: object) -> list[str]:
    """Return the command as a process of its own is started with."""
    return [sys.executable, "-c", START, *(str(one) for one in arguments)]


def run(
    *arguments: object, cwd: Path | None = None, environment: dict[str, str] | None = None
) -> Told:
    """Run a command as a process of its own."""
    done = subprocess.run(
        command(*arguments),
        cwd=cwd or ROOT,
        env={**(os.environ if environment is None else environment), **_environment(arguments)},
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    return Told(done.returncode, done.stdout, done.stderr)


def modules_after(*arguments: object) -> frozenset[str]:
    """Return the modules that a process has loaded when it has run a command."""
    last = "atexit.register(lambda: sys.stderr.write(repr(list(sys.modules))))"
    code = f"import atexit, sys; {last}; {START}"
    interpreter, flag, _, *given = command(*arguments)
    done = subprocess.run(
        [interpreter, flag, code, *given], capture_output=True, text=True, timeout=180, check=True
    )
    return frozenset(ast.literal_eval(done.stderr))
