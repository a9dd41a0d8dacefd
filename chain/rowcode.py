"""
Functions written for each record when its table is derived: from a record to a row, and back.

Straight-line code, because these run for every version that is written. The values are those of
`chain.columns` before a driver sees them: bytes are hex, so the same row feeds every database and
the checksum.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from enum import Enum
from typing import Any, Final, get_args, get_origin

import orjson
from sqlalchemy import Boolean
from sqlalchemy.types import TypeEngine

from chain.abi import hints_of
from chain.codec import EXACT_MAX, optional, plain, writer
from chain.columns import SIGNED_MAX, CodeName, Hex, JsonText, Uint64, Uint256, canonical

Row = tuple[Any, ...]


def row_of(record: type, types: Mapping[str, TypeEngine[Any]]) -> Callable[[Any], Row]:
    """
    Return the function that makes rows of records.

    shape: values in the order of `types`, each as its column keeps it, but bytes as hex
    :raises ValueError: from the function, if a number does not fit its column
    """
    scope: dict[str, Any] = dict(_SCOPE)
    hints = hints_of(record)
    values = []
    for name, kind in types.items():
        inner, nullable = optional(hints[name])
        value = _stored(f"r.{name}", inner, kind, scope)
        values.append(f"None if r.{name} is None else {value}" if nullable else value)
    return _compiled(f"lambda r: ({', '.join(values)},)", record, scope)


def maker(record: type) -> Callable[[Sequence[Any]], Any]:
    """Return the function that makes a record of its fields' values, in their order."""
    given = ", ".join(f"{one.name}=v[{place}]" for place, one in enumerate(fields(record)))
    return _compiled(f"lambda v: kind({given})", record, {"kind": record})


def reader(record: type, types: Mapping[str, TypeEngine[Any]]) -> Callable[[Sequence[Any]], Any]:
    """
    Return the function that makes a record of a row as the driver gives it.

    shape: values in the order of `types`, bytes as bytes; it makes what the columns' types make one
           by one, in every database
    """
    scope: dict[str, Any] = {"kind": record, "loads": orjson.loads}
    hints = hints_of(record)
    given = []
    for place, (name, kind) in enumerate(types.items()):
        value = _read(f"v[{place}]", kind, scope)
        nullable = optional(hints[name])[1]
        given.append(
            f"{name}=None if v[{place}] is None else {value}" if nullable else f"{name}={value}"
        )
    return _compiled(f"lambda v: kind({', '.join(given)})", record, scope)


def _read(value: str, kind: TypeEngine[Any], scope: dict[str, Any]) -> str:
    if isinstance(kind, Hex):
        return f"'0x' + {value}.hex()"
    if isinstance(kind, Uint64):
        return f"({value} if {value} >= 0 else {value} + {2 * SIGNED_MAX})"
    if isinstance(kind, Uint256):
        return f"int({value})"
    if isinstance(kind, Boolean):
        return f"({value} == 1)"
    name = f"part{len(scope)}"
    if isinstance(kind, CodeName):
        scope[name] = kind.kind.__members__
        return f"{name}[{value}]"
    if isinstance(kind, JsonText):
        scope[name] = kind.read
        return f"{name}(loads({value}))"
    return value


def _compiled(source: str, record: type, scope: dict[str, Any]) -> Callable[[Any], Any]:
    made: Callable[[Any], Any] = eval(compile(source, f"<row of {record.__name__}>", "eval"), scope)
    return made


def _wrapped(value: int) -> int:
    stored = Uint64().process_bind_param(value, None)  # type: ignore[arg-type]
    assert stored is not None
    return stored


def _wide(value: int) -> str:
    stored = Uint256().process_bind_param(value, None)  # type: ignore[arg-type]
    assert stored is not None
    return stored


_SCOPE: Final = {"wrapped": _wrapped, "wide": _wide, "canonical": canonical}


def _stored(value: str, hint: Any, kind: TypeEngine[Any], scope: dict[str, Any]) -> str:
    if isinstance(kind, Uint64):
        return f"({value} if 0 <= {value} < {SIGNED_MAX} else wrapped({value}))"
    if isinstance(kind, Uint256):
        return f"wide({value})"
    if isinstance(kind, CodeName):
        return f"{value}._name_"
    if isinstance(kind, JsonText):
        return f"canonical({_json(value, hint, scope)})"
    return value


def _json(value: str, hint: Any, scope: dict[str, Any], depth: int = 0) -> str:
    # The same as `chain.codec.writer` gives, written out.
    inner, nullable = optional(plain(hint))
    kind, origin = plain(inner), get_origin(plain(inner))
    if nullable:
        some = _json(value, inner, scope, depth)
        return f"(None if {value} is None else {some})"
    if origin is tuple and get_args(kind)[-1] is ...:
        one = f"x{depth}"
        item = _json(one, get_args(kind)[0], scope, depth + 1)
        return f"{value}" if item == one else f"[{item} for {one} in {value}]"
    if is_dataclass(kind):
        parts = [
            f"{name!r}: {_json(f'{value}.{name}', part, scope, depth)}"
            for name, part in hints_of(kind).items()  # type: ignore[arg-type]
        ]
        return "{" + ", ".join(parts) + "}"
    if isinstance(kind, type) and issubclass(kind, Enum):
        return f"{value}._name_"
    if kind in (str, bool):
        return value
    if kind is int:
        return f"({value} if -{EXACT_MAX} <= {value} <= {EXACT_MAX} else str({value}))"
    name = f"write{len(scope)}"
    scope[name] = writer(hint)
    return f"{name}({value})"
