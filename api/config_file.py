"""
The file of settings: read with the line of each, and written with a comment for each.

It knows no setting: `api.config` does.
"""

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from textwrap import wrap
from typing import Any, Final

from chain.failure import Invalid, LedgerError

BYTES_MAX: Final = 1 << 20
COLUMNS: Final = 98


class ConfigUnreadable(LedgerError):
    """The file of settings cannot be read."""

    path: str
    reason: str


class ConfigMalformed(Invalid):
    """The file of settings is no TOML."""

    path: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigFile:
    """What a file says, and where each value stands in it."""

    path: Path
    values: Mapping[str, Any]
    lines: Mapping[str, int]

    def place(self, name: str) -> str:
        """Return where a value stands."""
        line = self.lines.get(name)
        return str(self.path) if line is None else f"{self.path} line {line}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """
    One setting of a file that is to be written.

    shape: a value that is None is left to its default, which the comment shows
    """

    name: str
    said: str
    default: str | int
    value: str | int | None = None


def read_config_file(path: Path) -> ConfigFile:
    """
    Read a file of settings.

    :raises ConfigUnreadable: if it is not there, or not for us
    :raises ConfigMalformed: if it is no TOML
    """
    try:
        with path.open("rb") as file:
            data = file.read(BYTES_MAX)
    except OSError as error:
        raise ConfigUnreadable(path=str(path), reason=error.strerror or str(error)) from error
    try:
        text = data.decode("utf-8")
        values = tomllib.loads(text)
    except ValueError as error:
        raise ConfigMalformed(path=str(path), reason=str(error)) from error
    return ConfigFile(path=path.absolute(), values=values, lines=_lines(text))


def config_text(title: str, lines: Iterable[Line]) -> str:
    """Return the text of a file: every setting with its comment, those without a value as one."""
    parts = [_comment(title)]
    for one in lines:
        shown = one.default if one.value is None else one.value
        setting = f"{one.name} = {_toml(shown)}"
        parts.append(f"{_comment(one.said)}\n{'# ' if one.value is None else ''}{setting}")
    return "\n\n".join(parts) + "\n"


def _comment(text: str) -> str:
    return "\n".join(f"# {line}" for line in wrap(text, COLUMNS))


def _toml(value: str | int) -> str:
    if isinstance(value, int):
        return str(value)
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _lines(text: str) -> dict[str, int]:
    found: dict[str, int] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        named = re.match(r"\s*[\[\"']?([A-Za-z0-9_-]+)[\]\"']?\s*(?:=|$)", line)
        if named:
            found.setdefault(named[1], number)
    return found
