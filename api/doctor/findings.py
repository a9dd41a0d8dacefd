"""
What an examination finds: one line each, OK or not, with the next step, in two languages.

It examines nothing. The words are in `words/<language>.json`, the same keys in each.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from functools import cache
from pathlib import Path
from typing import Any, Final

FOLDER: Final = Path(__file__).parent / "words"
LANGUAGES: Final = ("en", "zh")


class Level(Enum):
    """How much a finding matters: whoever scripts this looks for FAIL."""

    OK = "OK"
    WARN = "WARN"
    FAIL = "FAIL"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """
    One line.

    shape: `check` names what was looked at, `case` what was found there; `values` fill the words
    """

    check: str
    case: str
    level: Level
    values: Mapping[str, Any] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """Return the name of its words."""
        return f"{self.check}.{self.case}"

    def said(self, language: str) -> str:
        """Return what was found."""
        return words(language)[self.key]["said"].format(**self.values)

    def next_step(self, language: str) -> str:
        """Return what to do about it; empty if nothing."""
        return words(language)[self.key].get("next", "").format(**self.values)


def good(check: str, case: str = "ok", **values: Any) -> Finding:
    """Return that all is well."""
    return Finding(check=check, case=case, level=Level.OK, values=values)


def odd(check: str, case: str, **values: Any) -> Finding:
    """Return that somebody should look."""
    return Finding(check=check, case=case, level=Level.WARN, values=values)


def bad(check: str, case: str, **values: Any) -> Finding:
    """Return that this must be mended."""
    return Finding(check=check, case=case, level=Level.FAIL, values=values)


@cache
def words(language: str) -> Mapping[str, Mapping[str, str]]:
    """Return the words of a language."""
    found: Mapping[str, Mapping[str, str]] = json.loads(
        (FOLDER / f"{language}.json").read_text("utf-8")
    )
    return found


def language_of(environment: Mapping[str, str]) -> str:
    """Return the language of a terminal, as POSIX says it: the first that is set counts."""
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        if environment.get(name):
            return "zh" if environment[name].lower().startswith("zh") else "en"
    return "en"
