"""
The console's words in Chinese and English.

It is not a translation engine: one file per language, the same keys in each, checked by a test.
"""

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Final

from registry.bundles import Fragment

FOLDER: Final = Path(__file__).parent / "translations"
LANGUAGES: Final = ("zh", "en")


@cache
def words(language: str) -> Mapping[str, str]:
    """Return the words of a language."""
    found: Mapping[str, str] = json.loads((FOLDER / f"{language}.json").read_text("utf-8"))
    return found


def said(fragment: Fragment, known: Mapping[str, str]) -> str:
    """Return what a part of a check says, in the language of these words."""
    template = known.get(f"said.{fragment.name}.{fragment.code}")
    return fragment.message if template is None else template.format_map(fragment.values)


def other(language: str) -> str:
    """Return the language that a reader of this one may change to."""
    return next(one for one in LANGUAGES if one != language)


def choose(*, asked: str | None, remembered: str | None, accepted: str) -> str:
    """Return the language to answer in: asked for, remembered, the browser's first, Chinese."""
    for wish in (asked, remembered):
        if wish in LANGUAGES:
            return wish
    for part in accepted.split(","):
        language = part.split(";")[0].strip().lower()[:2]
        if language in LANGUAGES:
            return language
    return LANGUAGES[0]
