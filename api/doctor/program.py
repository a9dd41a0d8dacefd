"""
The program itself: Python, packages, and the settings that it was started with.
"""

import sys
from collections.abc import Iterator, Mapping
from dataclasses import fields
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from typing import Final

from api.config import CONFIG_VARIABLE, PREFIX, Settings, Told, is_secret, shown
from api.doctor.findings import Finding, bad, good, odd

PROGRAM: Final = "shulian"
PYTHON: Final = (3, 11)
EVERYBODY: Final = 0o007
# Variables that are no settings.
OTHERS: Final = frozenset(
    {CONFIG_VARIABLE, f"{PREFIX}ANVIL", f"{PREFIX}GETH", f"{PREFIX}KUBO_BINARY"}
)


def examine_program() -> Iterator[Finding]:
    """Look at Python and the packages."""
    found = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info[:2] < PYTHON:
        yield bad("python", "old", found=found, wanted=".".join(map(str, PYTHON)))
    else:
        yield good("python", found=found, path=sys.executable)
    missing = sorted(_missing())
    if missing:
        yield bad("packages", "missing", names=", ".join(missing))
    else:
        yield good("packages", version=version(PROGRAM))


def examine_settings(told: Told, environment: Mapping[str, str]) -> Iterator[Finding]:
    """Look at where the settings came from, and who may read them."""
    known = {PREFIX + one.name.upper() for one in fields(Settings)} | OTHERS
    strange = sorted(name for name in environment if name.startswith(PREFIX) and name not in known)
    if strange:
        yield odd("settings", "unknown", names=", ".join(strange))
    if told.config is None:
        yield good("settings", "none")
    elif _holds_secret(told) and told.config.stat().st_mode & EVERYBODY:
        yield bad("settings", "open", path=told.config)
    else:
        yield good("settings", path=told.config)


def _missing() -> Iterator[str]:
    for one in requires(PROGRAM) or ():
        requirement, _, marker = one.partition(";")
        if "extra" in marker:
            continue
        name = requirement.split("[")[0].split("<")[0].split(">")[0].split("=")[0].split("!")[0]
        try:
            version(name.strip())
        except PackageNotFoundError:
            yield name.strip()


def _holds_secret(told: Told) -> bool:
    written = Path(str(told.config)).read_text("utf-8")
    for one in fields(Settings):
        value = str(getattr(told.settings, one.name))
        if is_secret(one.name) and shown(told.settings, one.name) != value and value in written:
            return True
    return False
