"""
The wheel of this checkout, installed beside nothing else: no checkout, no Node, no compiler.

It knows no test. Dependencies are those that the wheel itself asks for, and theirs, taken from the
packages installed here, since a test may not reach the world's.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import Distribution, PathDistribution, distribution
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement

from tests.api.shell import Told

ROOT = Path(__file__).resolve().parents[1]
PARTS = ("api", "settlement", "registry", "chain")
FILES = ("pyproject.toml", "README.md", "LICENSE")
SECONDS_MAX = 180

# Notes every file below the checkout that is opened, but those of the environment it lends from.
WATCHING = """
import os, sys

def _note(event, arguments):
    if event == "open" and isinstance(arguments[0], str):
        path = os.path.abspath(arguments[0])
        if path.startswith({root!r}) and not path.startswith({lent!r}):
            with os.fdopen(os.open({noted!r}, os.O_WRONLY | os.O_APPEND | os.O_CREAT), "w") as file:
                file.write(path + "\\n")

sys.addaudithook(_note)
"""


@dataclass(frozen=True)
class Installed:
    """An environment with the wheel in it, and the file that notes what is read of the checkout."""

    folder: Path
    noted: Path

    @property
    def bin(self) -> Path:
        return self.folder / "bin"

    def read_of_checkout(self) -> list[str]:
        """Return the files of the checkout that were opened."""
        return self.noted.read_text().splitlines() if self.noted.exists() else []

    def run(self, *arguments: object, cwd: Path, environment: dict[str, str] | None = None) -> Told:
        """Run the command as a person would who has nothing but this environment."""
        done = subprocess.run(
            [str(self.bin / "shulian"), *(str(one) for one in arguments)],
            cwd=cwd,
            env={"PATH": str(self.bin), "HOME": str(cwd), **(environment or {})},
            capture_output=True,
            text=True,
            timeout=SECONDS_MAX,
            check=False,
        )
        return Told(done.returncode, done.stdout, done.stderr)


def build_wheel(folder: Path) -> Path:
    """Build the wheel from a copy of what it is made of, and nothing else."""
    source = folder / "source"
    source.mkdir()
    for name in PARTS:
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / name, source / name, ignore=ignored)
    for name in FILES:
        shutil.copy(ROOT / name, source / name)
    _pip("wheel", "--no-deps", "--no-index", "--no-build-isolation", "-w", folder, source)
    (wheel,) = folder.glob("*.whl")
    return wheel


def install(wheel: Path, folder: Path) -> Installed:
    """Make an environment that holds the wheel and what it asks for."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    _pip("--python", folder / "bin/python", "install", "--no-deps", "--no-index", wheel)
    (packages,) = folder.glob("lib/python3.*/site-packages")
    (metadata,) = packages.glob("shulian-*.dist-info")
    for one in closure(PathDistribution(metadata)):
        _lend(one, packages)
    lent = Path(str(distribution("web3").locate_file(""))).resolve()
    noted = folder / "read-of-checkout"
    watching = WATCHING.format(root=f"{ROOT}/", lent=f"{lent}/", noted=str(noted))
    (packages / "sitecustomize.py").write_text(watching)
    return Installed(folder, noted)


def closure(wheel: Distribution) -> Iterator[Distribution]:
    """Yield what a distribution asks for, and what that asks for, each once."""
    waiting = [(one, "") for one in wheel.requires or ()]
    seen: set[tuple[str, str]] = set()
    while waiting:
        text, extra = waiting.pop()
        wanted = Requirement(text)
        if wanted.marker is not None and not wanted.marker.evaluate({"extra": extra}):
            continue
        for name in ("", *wanted.extras):
            if (wanted.name, name) not in seen:
                seen.add((wanted.name, name))
                found = distribution(wanted.name)
                waiting += [(one, name) for one in found.requires or ()]
                yield found


def _lend(one: Distribution, packages: Path) -> None:
    files: Any = one.files
    for top in {file.parts[0] for file in files if file.parts[0] not in ("..", "__pycache__")}:
        target = packages / top
        if not target.exists() and not top.endswith(".pth"):
            os.symlink(Path(str(one.locate_file(top))).resolve(), target)


def _pip(*arguments: object) -> None:
    command = [sys.executable, "-m", "pip", "--quiet", *(str(one) for one in arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
