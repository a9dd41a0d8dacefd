"""
What a Solidity type is in Python: its annotation, its size, its parts.

It knows types only; which types belong to which event or function is `chain.codegen.model`.
"""

import keyword
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Family = Literal[
    "uint", "int", "bool", "address", "bytes", "blob", "text", "enum", "struct", "list"
]


class CannotGenerate(Exception):
    """The artifacts hold something that has no unambiguous Python form."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Type:
    """
    One Solidity type.

    shape: `abi` is canonical, `annotation` the Python one; `bits` is the width of a number and
           the number of bytes of a bytesN; `count` is None for a list of any length
    """

    abi: str
    annotation: str
    family: Family
    bits: int = 0
    name: str = ""
    element: "Type | None" = None
    count: int | None = None
    members: tuple["Member", ...] = ()

    @property
    def item(self) -> "Type":
        """Return the element type of a list."""
        if self.element is None:
            raise CannotGenerate(f"{self.abi} is no list")
        return self.element

    @property
    def dynamic(self) -> bool:
        """Say whether its place in the head is an offset."""
        if self.family in ("blob", "text"):
            return True
        if self.family == "list":
            return self.count is None or self.item.dynamic
        return any(member.type.dynamic for member in self.members)

    @property
    def words(self) -> int:
        """Return how many words it takes in the head."""
        if self.dynamic:
            return 1
        if self.family == "list":
            return (self.count or 0) * self.item.words
        if self.family == "struct":
            return sum(member.type.words for member in self.members)
        return 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A named value of a type: a parameter of an event, error or function, or a struct's field."""

    solidity: str
    python: str
    type: Type
    indexed: bool = False
    description: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Kinds:
    """The names that may stand for a type: user-defined values, and enums with their members."""

    aliases: Mapping[str, str]
    enums: Mapping[str, tuple[str, ...]]


def snake(name: str) -> str:
    """Return a Solidity name the Python way, so that `priceFen` becomes `price_fen`."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name.strip("_"))
    lowered = words.lower()
    return f"{lowered}_" if keyword.iskeyword(lowered) else lowered


def upper(name: str) -> str:
    """Return a function's name as the second half of an act's: `setAlias` becomes `SetAlias`."""
    return name[:1].upper() + name[1:]


def parse(entry: Mapping[str, Any], kinds: Kinds) -> Type:
    """Return the type of one ABI parameter."""
    abi: str = entry["type"]
    internal: str = entry.get("internalType", abi)
    outer = re.fullmatch(r"(.*)\[(\d*)\]", abi)
    if outer is None:
        return _single(entry, internal, kinds)
    inner = {**entry, "type": outer[1], "internalType": internal[: internal.rindex("[")]}
    element = parse(inner, kinds)
    return Type(
        abi=f"{element.abi}[{outer[2]}]",
        annotation=f"tuple[{element.annotation}, ...]",
        family="list",
        element=element,
        count=int(outer[2]) if outer[2] else None,
    )


def members(
    entries: list[Mapping[str, Any]], kinds: Kinds, prose: Mapping[str, str] | None = None
) -> tuple[Member, ...]:
    """Return the named values of a list of ABI parameters."""
    found = tuple(
        Member(
            solidity=entry["name"],
            python=snake(entry["name"]) or f"value{position}",
            type=parse(entry, kinds),
            indexed=bool(entry.get("indexed")),
            description=(prose or {}).get(entry["name"], ""),
        )
        for position, entry in enumerate(entries)
    )
    names = [member.python for member in found]
    if len(set(names)) != len(names):
        raise CannotGenerate(f"two values are called the same: {names}")
    return found


def _single(entry: Mapping[str, Any], internal: str, kinds: Kinds) -> Type:
    abi: str = entry["type"]
    if abi == "tuple":
        return _struct(entry, internal.removeprefix("struct ").rpartition(".")[2], kinds)
    if internal.startswith("enum "):
        name = internal.removeprefix("enum ").rpartition(".")[2]
        if name not in kinds.enums:
            raise CannotGenerate(f"enum {name} has no members in the index")
        return Type(abi=abi, annotation=name, family="enum", name=name)
    alias = internal.rpartition(".")[2]
    known = alias if alias in kinds.aliases else ""
    return _value(abi, known)


def _value(abi: str, alias: str) -> Type:
    number = re.fullmatch(r"(u?int)(\d+)", abi)
    if number:
        family: Family = "uint" if number[1] == "uint" else "int"
        return Type(abi=abi, annotation=alias or "int", family=family, bits=int(number[2]))
    fixed = re.fullmatch(r"bytes(\d+)", abi)
    if fixed:
        size = int(fixed[1])
        plain = "Bytes32" if size == 32 else "HexBytes"
        return Type(abi=abi, annotation=alias or plain, family="bytes", bits=size)
    simple: dict[str, tuple[str, Family]] = {
        "bool": ("bool", "bool"),
        "address": ("Address", "address"),
        "bytes": ("HexBytes", "blob"),
        "string": ("str", "text"),
    }
    if abi not in simple:
        raise CannotGenerate(f"no Python form for {abi}")
    annotation, kind = simple[abi]
    return Type(abi=abi, annotation=alias or annotation, family=kind)


def _struct(entry: Mapping[str, Any], name: str, kinds: Kinds) -> Type:
    inside = members(entry["components"], kinds)
    return Type(
        abi=f"({','.join(member.type.abi for member in inside)})",
        annotation=name,
        family="struct",
        name=name,
        members=inside,
    )
