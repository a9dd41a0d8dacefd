"""
From the fields of an act to the options of a command, and from their texts to the act.

It sends nothing and asks nothing: `api.commands.acting` does. Structs and lists are given as JSON;
a value that begins with @ is the name of a file that holds it.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from inspect import Parameter
from pathlib import Path
from typing import Annotated, Any, Final, get_args, get_origin

import typer

from api.commands.failing import FileNotTaken, Misused, ValueNotTaken
from api.commands.inputs import read_input
from api.commands.showing import parse_time
from api.wire import is_time, sentence
from chain.abi import Struct, hints_of
from chain.act import Act
from chain.codec import from_json, plain
from chain.codes import DigestAlg
from chain.event import describe
from chain.values import (
    Address,
    Bytes32,
    ChecksumInvalid,
    HexBytes,
    HexInvalid,
    address,
    bytes32,
    hex_bytes,
    salt_of,
)

SALT: Final = "salt"
NO_END: Final = "0"


class OptionMissing(Misused):
    """The act needs this option."""

    option: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Helpers:
    """What some values may be given as instead: a file for its digest, an id for its fields."""

    digest_of_file: Callable[[Path], Bytes32]
    fields_of_certificate: Callable[[str], Struct]


def options_of(act: type[Act]) -> Iterator[Parameter]:
    """Return the options of an act, in the order of its arguments."""
    prose = describe(act)
    for name, hint in hints_of(_kind(act)).items():
        option = typer.Option(
            flag_of(name),
            help=_said(name, hint, prose.get(name)),
            metavar=_metavar(name, hint),
            show_default=False,
        )
        yield Parameter(
            name, Parameter.KEYWORD_ONLY, default=None, annotation=Annotated[str | None, option]
        )


def read_act(
    act: type[Act],
    given: Mapping[str, str | None],
    *,
    known: Mapping[str, Any],
    key: str,
    helpers: Helpers,
) -> Act:
    """
    Return the act that these texts describe.

    shape: `given` by field, None where the option was left out; `known` are arguments from a file,
           as `Act.to_json` writes them; options win over the file
    :raises OptionMissing: ValueNotTaken: if an argument is missing, or is not one
    """
    values = {}
    for name, hint in hints_of(_kind(act)).items():
        text = given.get(name)
        if text is not None:
            values[name] = _value(name, hint, text, helpers)
        elif name in known:
            values[name] = _from_file(name, hint, known[name])
        else:
            values[name] = _default(name, hint, key)
    return act(**values)


def example_of(act: type[Act]) -> str:
    """Return the options of an act as a person would write them."""
    parts = [
        f"{flag_of(name)} {_example(name, hint)}"
        for name, hint in hints_of(_kind(act)).items()
        if not _is_optional(name)
    ]
    return " ".join(parts)


def flag_of(name: str) -> str:
    """Return the option of a field."""
    return f"--{name.replace('_', '-')}"


def read_json_file(path: Path) -> Any:
    """
    Return what a JSON file holds; `-` is the standard input.

    :raises FileNotTaken: if it cannot be read, or is no JSON
    """
    data = read_input(path)
    try:
        return json.loads(data)
    except (ValueError, RecursionError) as error:
        raise FileNotTaken(path=str(path), reason=f"it holds no JSON: {error}") from error


# --- values ---------------------------------------------------------------------------------------


def _value(name: str, hint: Any, text: str, helpers: Helpers) -> Any:
    kind = plain(hint)
    try:
        if _is_struct(kind) and kind.__name__ == "CertificateFields" and _is_hex(text):
            return helpers.fields_of_certificate(text)
        if _is_struct(kind) or get_origin(kind) is tuple:
            return from_json(hint, _json(text))
        if text.startswith("@") and name.endswith("_digest"):
            return helpers.digest_of_file(Path(text[1:]))
        if isinstance(kind, type) and issubclass(kind, Enum):
            return kind[text.upper()]
        if kind is bool:
            return {"true": True, "false": False}[text.lower()]
        return _leaf(name, hint, text)
    except (ValueError, KeyError, TypeError, RecursionError, HexInvalid, ChecksumInvalid) as error:
        raise _refused(name, hint, error) from error


def _leaf(name: str, hint: Any, text: str) -> Any:
    if hint is Address:
        return address(text)
    if hint is HexBytes:
        return hex_bytes(text)
    kind = plain(hint)
    if kind is int:
        return parse_time(text, option=flag_of(name)) if is_time(name) else int(text)
    # Every other name for text is 32 bytes: ids, digests, salts.
    return text if hint is str else bytes32(text)


def _from_file(name: str, hint: Any, value: Any) -> Any:
    try:
        return from_json(hint, value)
    except (ValueError, KeyError, TypeError) as error:
        raise _refused(name, hint, error) from error


def _default(name: str, hint: Any, key: str) -> Any:
    if hint is DigestAlg:
        return DigestAlg.SHA256
    if name == SALT and key:
        return salt_of(key)
    if _is_optional(name):
        return 0
    raise OptionMissing(option=flag_of(name))


def _is_optional(name: str) -> bool:
    return name in (SALT, "digest_alg", "expires_at") or name.endswith("_until")


def _refused(name: str, hint: Any, error: Exception) -> ValueNotTaken:
    kind = plain(hint)
    if isinstance(kind, type) and issubclass(kind, Enum):
        reason = f"one of {', '.join(kind.__members__)}"
    elif isinstance(error, KeyError):
        reason = f"{error} is missing or unknown; expected {_example(name, hint)}"
    else:
        reason = f"{error}; expected {_example(name, hint)}"
    return ValueNotTaken(option=flag_of(name), reason=reason)


def _json(text: str) -> Any:
    return read_json_file(Path(text[1:])) if text.startswith("@") else json.loads(text)


def _is_hex(text: str) -> bool:
    return bool(text) and not set(text.lower().removeprefix("0x")) - set("0123456789abcdef")


# --- words ----------------------------------------------------------------------------------------


def _said(name: str, hint: Any, prose: str | None) -> str:
    said = (prose or sentence(name)).replace("RFC 3339 in UTC, or null.", "").strip()
    kind = plain(hint)
    if isinstance(kind, type) and issubclass(kind, Enum):
        said = f"{said} One of {', '.join(kind.__members__)}."
    elif _is_struct(kind) or get_origin(kind) is tuple:
        said = f"{said} As JSON, for example {_example(name, hint)}"
    elif is_time(name):
        said = f"{said} RFC 3339 or seconds."
    elif name.endswith("_digest"):
        said = f"{said} @FILE keeps the file and takes its digest."
    if name == SALT:
        return f"{said} By default made from --key."
    if hint is DigestAlg:
        return f"{said} By default SHA256."
    return f"{said} By default {NO_END}." if _is_optional(name) else f"{said} Required."


def _metavar(name: str, hint: Any) -> str:
    kind = plain(hint)
    if isinstance(kind, type) and issubclass(kind, Enum):
        return "CODE"
    if _is_struct(kind) or get_origin(kind) is tuple:
        return "JSON"
    if kind is bool:
        return "true|false"
    if kind is int:
        return "TIME" if is_time(name) else "NUMBER"
    return "TEXT" if hint is str else "0x…"


def _example(name: str, hint: Any) -> str:
    kind = plain(hint)
    if _is_struct(kind) or get_origin(kind) is tuple:
        return f"'{json.dumps(_sample(name, hint), ensure_ascii=False)}'"
    return "true" if kind is bool else str(_sample(name, hint))


def _sample(name: str, hint: Any) -> Any:
    kind = plain(hint)
    if get_origin(kind) is tuple:
        return [_sample(name, get_args(kind)[0])]
    if _is_struct(kind):
        return {part: _sample(part, inner) for part, inner in hints_of(kind).items()}
    if isinstance(kind, type) and issubclass(kind, Enum):
        members = list(kind)
        return members[min(1, len(members) - 1)].name
    if kind is bool:
        return True
    if kind is int:
        return 0 if _is_optional(name) else 1
    return "text" if hint is str else "0x…"


def _is_struct(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, Struct)


def _kind(act: type[Act]) -> Any:
    return act
