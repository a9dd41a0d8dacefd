"""
A copy of the repository with one mistake in it, and whether the tests notice.

The checkout is never changed: packages and tests are copied, and the copy comes first on the path.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[3]
COPIED: Final = ("api", "chain", "registry", "settlement", "tests", "pyproject.toml")
LEFT_OUT: Final = shutil.ignore_patterns("__pycache__", "*.sol", "*.tree")
END_SECONDS: Final = 120

# What pytest ends with: all passed, some failed.
PASSED: Final = 0
FAILED: Final = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Planted:
    """
    A mistake that somebody could make.

    shape: in `file`, `old` is replaced by `new`; `tests` are what must notice, as pytest names them
    """

    name: str
    breaks: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...]


class NotPlantable(AssertionError):
    """A planted mistake no longer fits the code: give it the text that stands there now."""


class Copy:
    """A copy of the repository below a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in COPIED:
            if (ROOT / name).is_dir():
                shutil.copytree(ROOT / name, folder / name, ignore=LEFT_OUT)
            else:
                shutil.copy2(ROOT / name, folder / name)
        for path in ROOT.iterdir():
            if path.name not in COPIED and not path.name.startswith("."):
                (folder / path.name).symlink_to(path)

    def plant(self, fault: Planted) -> None:
        """
        Put a mistake into the copy.

        :raises NotPlantable: if its place is not there, or there more than once
        """
        path = self.folder / fault.file
        text = path.read_text("utf-8") if path.is_file() else ""
        if text.count(fault.old) != 1:
            raise NotPlantable(
                f"the planted fault '{fault.name}' needs this text once in {fault.file}, "
                f"where it is {text.count(fault.old)} times:\n{fault.old}"
            )
        path.write_text(text.replace(fault.old, fault.new), "utf-8")

    def mend(self, fault: Planted) -> None:
        """Take a mistake out again."""
        # With the time that it had, so that what Python compiled of it is good again.
        shutil.copy2(ROOT / fault.file, self.folder / fault.file)

    def run(self, tests: Sequence[str]) -> subprocess.CompletedProcess[str]:
        """Run tests of the copy against the packages of the copy."""
        command = [sys.executable, "-m", "pytest", "-q", "-x"]
        # What this run was started with is not for the one inside it.
        ours = {k: v for k, v in os.environ.items() if not k.startswith(("PYTEST", "COV_"))}
        return subprocess.run(
            [*command, "--rootdir", str(self.folder), *tests],
            cwd=self.folder,
            env={**ours, "PYTHONPATH": str(self.folder)},
            capture_output=True,
            text=True,
            timeout=END_SECONDS,
            check=False,
        )
