"""
Values as people read them: organisations and assets by name, amounts in yuan, moments in UTC.

It is not the JSON of the same values (`api.wire`).
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import is_dataclass
from enum import Enum
from typing import Any, Final, get_args, get_origin

from api.commands.mirrors import Mirror
from api.commands.showing import short
from api.moments import moment_text
from api.wire import is_time
from chain.abi import hints_of
from chain.codec import optional, plain
from chain.structs import Duration
from chain.values import ZERO_BYTES32, AssetId, ParticipantId, yuan_from_fen

Names = Mapping[str, str]
NOTHING: Final = "–"


def names_for(mirror: Mirror, record: type, found: Iterable[Any]) -> dict[str, str]:
    """Return what the organisations and assets in these records are called."""
    hints = hints_of(record)
    leaves = {
        (hint, value)
        for one in found
        for name, hint in hints.items()
        for hint, value in _leaves(hint, getattr(one, name))
        if value != ZERO_BYTES32
    }
    return {
        **mirror.participants(value for hint, value in leaves if hint is ParticipantId),
        **mirror.assets(value for hint, value in leaves if hint is AssetId),
    }


def plain_text(name: str, hint: Any, value: Any, names: Names, *, is_whole: bool = False) -> str:
    """Return a value for people; ids cut short, unless the whole is asked for."""
    hint, _ = optional(hint)
    if value is None or value == ZERO_BYTES32:
        return NOTHING
    kind = plain(hint)
    if get_origin(kind) is tuple:
        inner = get_args(kind)[0]
        told = [plain_text(name, inner, one, names, is_whole=is_whole) for one in value]
        return "; ".join(told) or NOTHING
    if isinstance(value, Duration):
        return f"{value.amount} {value.unit.name}"
    if is_dataclass(kind) and isinstance(kind, type):
        parts = (
            (part, plain_text(part, inner, getattr(value, part), names, is_whole=is_whole))
            for part, inner in hints_of(kind).items()
        )
        return ", ".join(f"{title_of(part)} {text}" for part, text in parts)
    return _leaf_text(name, value, names, is_whole=is_whole)


def pairs_of(name: str, hint: Any, value: Any, names: Names) -> Iterator[tuple[str, str]]:
    """Return a value as lines: one for itself, or one for each of its parts."""
    hint, _ = optional(hint)
    kind = plain(hint)
    if get_origin(kind) is tuple and is_dataclass(get_args(kind)[0]) and value:
        for number, one in enumerate(value, start=1):
            text = plain_text(name, get_args(kind)[0], one, names)
            yield f"{title_of(name)} {number}", text
    elif is_dataclass(kind) and isinstance(kind, type) and kind is not Duration:
        for part, inner in hints_of(kind).items():
            for title, text in pairs_of(part, inner, getattr(value, part), names):
                yield f"{title_of(name)}: {title}", text
    else:
        yield title_of(name), plain_text(name, hint, value, names, is_whole=True)


def title_of(name: str) -> str:
    """Return a column's heading."""
    words = name.removesuffix("_fen") + "_yuan" if name.endswith("_fen") else name
    return words.replace("_", " ")


def _leaf_text(name: str, value: Any, names: Names, *, is_whole: bool) -> str:
    if isinstance(value, Enum):
        return value.name
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        if is_time(name):
            return moment_text(value) or NOTHING
        return yuan_from_fen(value) if name.endswith("_fen") else str(value)
    if value in names:
        return f"{names[value]} ({value})" if is_whole else names[value]
    return str(value) if is_whole or not str(value).startswith("0x") else short(str(value))


def _leaves(hint: Any, value: Any) -> Iterator[tuple[Any, Any]]:
    hint, _ = optional(hint)
    kind = plain(hint)
    if value is None:
        return
    if get_origin(kind) is tuple:
        for one in value:
            yield from _leaves(get_args(kind)[0], one)
    elif is_dataclass(kind) and isinstance(kind, type):
        for name, inner in hints_of(kind).items():
            yield from _leaves(inner, getattr(value, name))
    elif hint in (ParticipantId, AssetId):
        yield hint, value
