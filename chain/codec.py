"""
From values to canonical JSON and back, driven by their types.

One form for acts that wait, and for lists and structs inside a table's column. It is not the wire
format of the API, which has its own rules for amounts and times.
"""

from collections.abc import Callable, Mapping
from dataclasses import is_dataclass
from enum import Enum
from functools import cache
from types import NoneType, UnionType
from typing import Any, Final, TypeVar, Union, get_args, get_origin

from chain.abi import hints_of

T = TypeVar("T")
Convert = Callable[[Any], Any]

# JSON numbers are exact up to here (RFC 8259 §6); larger integers travel as strings of digits.
EXACT_MAX: Final = 2**53 - 1


def to_json(hint: Any, value: Any) -> Any:
    """
    Return a value of a type as JSON.

    shape: enums by name, integers beyond 2^53 as digits, tuples and sets as lists
    """
    return writer(hint)(value)


def from_json(hint: type[T], raw: Any) -> T:
    """
    Return the value that `to_json` wrote.

    :raises ValueError: if the JSON is not of that type (KeyError for a missing field or member)
    """
    kind: Any = hint
    value: T = reader(kind)(raw)
    return value


def plain(hint: Any) -> Any:
    """Return a type without its NewType names."""
    while hasattr(hint, "__supertype__"):
        hint = hint.__supertype__
    return hint


def optional(hint: Any) -> tuple[Any, bool]:
    """Return the type without None, and whether None was allowed."""
    if get_origin(hint) in (Union, UnionType):
        rest = [one for one in get_args(hint) if one is not NoneType]
        if len(rest) == 1:
            return rest[0], len(rest) < len(get_args(hint))
    return hint, False


@cache
def writer(hint: Any) -> Convert:
    """
    Return the function that turns values of a type into JSON.

    :raises TypeError: if there is no form for the type
    """
    inner, nullable = optional(plain(hint))
    write = _write(plain(inner))
    return (lambda value: None if value is None else write(value)) if nullable else write


def _write(kind: Any) -> Convert:
    origin = get_origin(kind)
    if origin is tuple and get_args(kind)[-1] is not ...:
        each = [writer(one) for one in get_args(kind)]
        return lambda value: [one(part) for one, part in zip(each, value, strict=True)]
    if origin in (tuple, frozenset):
        item = writer(get_args(kind)[0])
        arrange = sorted if origin is frozenset else list
        return lambda value: arrange([item(one) for one in value])
    if origin in (dict, Mapping):
        entry = writer(get_args(kind)[1])
        return lambda value: {str(key): entry(one) for key, one in value.items()}
    if is_dataclass(kind):
        parts = [(name, writer(one)) for name, one in hints_of(kind).items()]  # type: ignore[arg-type]
        return lambda value: {name: part(getattr(value, name)) for name, part in parts}
    if isinstance(kind, type) and issubclass(kind, Enum):
        return lambda value: value.name
    if kind in (str, bool):
        return lambda value: value
    if kind is int:
        return lambda value: value if abs(value) <= EXACT_MAX else str(value)
    raise TypeError(f"no JSON form for {kind}")


@cache
def reader(hint: Any) -> Convert:
    """
    Return the function that turns JSON back into values of a type.

    :raises TypeError: if there is no form for the type
    """
    inner, nullable = optional(plain(hint))
    read = _read(plain(inner))
    return (lambda raw: None if raw is None else read(raw)) if nullable else read


def _read(kind: Any) -> Convert:
    origin = get_origin(kind)
    if origin is tuple and get_args(kind)[-1] is not ...:
        each = [reader(one) for one in get_args(kind)]
        return lambda raw: tuple(one(part) for one, part in zip(each, raw, strict=True))
    if origin in (tuple, frozenset):
        item = reader(get_args(kind)[0])
        make: Convert = origin
        return lambda raw: make([item(one) for one in raw])
    if origin in (dict, Mapping):
        entry = reader(get_args(kind)[1])
        return lambda raw: {key: entry(one) for key, one in raw.items()}
    if is_dataclass(kind):
        return _struct_reader(kind)  # type: ignore[arg-type]
    if isinstance(kind, type) and issubclass(kind, Enum):
        return lambda raw: kind[raw]
    if kind is int:
        return int
    if kind in (str, bool):
        return _exactly(kind)
    raise TypeError(f"no JSON form for {kind}")


def _struct_reader(kind: type) -> Convert:
    # Written out, because readers of the mirror do this for every record that holds one.
    parts = {f"read_{name}": reader(one) for name, one in hints_of(kind).items()}
    given = ", ".join(f"{name}=read_{name}(raw[{name!r}])" for name in hints_of(kind))
    made: Convert = eval(f"lambda raw: kind({given})", {"kind": kind, **parts})
    return made


def _exactly(kind: type) -> Convert:
    def read(raw: Any) -> Any:
        if not isinstance(raw, kind):
            raise ValueError(f"expected {kind.__name__}: {raw!r}")
        return raw

    return read
