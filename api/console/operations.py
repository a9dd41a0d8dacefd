"""
What the API offers, for the page that lists it: taken from its OpenAPI document.

English stands in the document itself, Chinese in `translations/operations.zh.json`.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from api.console.words import FOLDER

METHODS: Final = ("get", "post", "put", "delete")


@dataclass(frozen=True, slots=True)
class Operation:
    """One way to ask the API something, and what it does."""

    method: str
    path: str
    text: str


def operations_of(document: Mapping[str, Any], language: str) -> dict[str, list[Operation]]:
    """Return the operations of an OpenAPI document by noun, in the document's order."""
    known = translated() if language == "zh" else {}
    found: dict[str, list[Operation]] = {}
    for path, methods in document["paths"].items():
        for method in METHODS:
            if method in methods:
                told = methods[method]
                (tag,) = told["tags"]
                text = known.get(told["operationId"]) or told["description"]
                noun = known.get(tag, tag)
                found.setdefault(noun, []).append(Operation(method.upper(), path, text))
    return found


@cache
def translated() -> Mapping[str, str]:
    """Return the Chinese words of nouns and operations, by tag and operation id."""
    found: Mapping[str, str] = json.loads((FOLDER / "operations.zh.json").read_text("utf-8"))
    return found
