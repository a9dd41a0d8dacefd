"""
How one value looks in JSON that leaves the API, and how the schema describes it.

It is not the mirror's own JSON (`chain.codec`): here amounts are digits, times RFC 3339, addresses
checksummed.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, is_dataclass
from datetime import UTC, datetime
from enum import Enum
from functools import cache
from typing import Any, Final, Literal, get_args, get_origin

from eth_abi.grammar import TupleType, parse
from pydantic import BaseModel, ConfigDict, Field, create_model

from chain import structs
from chain.abi import Struct, hints_of
from chain.codec import optional, plain
from chain.event import describe
from chain.values import Address, checksum_address

Convert = Callable[[Any], Any]

# Names of points in time beside those that end in `_at` or `_until`.
TIMES: Final = frozenset({"until", "valid_from", "deliver_by", "deadline"})

# What a field of this ending or name means where no contract's prose says more.
GLOSSARY: Final[Sequence[tuple[str, str]]] = (
    ("_digest", "Digest of a document or content; zero if there is none."),
    ("digest_alg", "How the digests were made."),
    ("_hash", "keccak256 of the ABI encoding of the list it covers."),
    ("_bps", "Share in basis points: 10 000 is the whole."),
    ("_seconds", "A duration in seconds."),
    ("_fen", "An amount of money."),
    ("_id", "Id; zero if there is none."),
    ("is_", "Whether this holds."),
    ("_count", "How many."),
    ("version", "Version, from 1; it stands in every reference."),
    ("sequence", "Number among those of its noun, from 1."),
)


@dataclass(frozen=True, slots=True)
class Form:
    """A field's type in the schema, and how its value gets there."""

    kind: Any
    convert: Convert


def time_text(seconds: int) -> str | None:
    """Return a point in time as RFC 3339 in UTC; None for 0, digits beyond the year 9999."""
    if seconds == 0:
        return None
    try:
        return datetime.fromtimestamp(seconds, tz=UTC).isoformat().replace("+00:00", "Z")
    except (ValueError, OverflowError):
        return str(seconds)


def is_time(name: str) -> bool:
    """Return whether a field of this name holds a point in time."""
    return name.endswith(("_at", "_until")) or name in TIMES


@cache
def form_of(hint: Any, name: str, is_wide: bool = False) -> Form:
    """
    Return how a field is written.

    shape: `is_wide` for integers that may exceed 2^53: they become digits, as amounts do
    :raises TypeError: if there is no form for the type
    """
    inner, nullable = optional(_named(hint))
    form = _form(inner, name, is_wide)
    if not nullable:
        return form
    return Form(form.kind | None, lambda value: None if value is None else form.convert(value))


def _form(hint: Any, name: str, is_wide: bool) -> Form:
    if hint is Address:
        return Form(str, checksum_address)
    kind = plain(hint)
    if get_origin(kind) is tuple:
        inner = form_of(get_args(kind)[0], name, is_wide or plain(get_args(kind)[0]) is int)
        return Form(list[inner.kind], lambda value: [inner.convert(one) for one in value])  # type: ignore[name-defined]
    if is_dataclass(kind) and isinstance(kind, type):
        return Form(struct_model(kind), _struct_converter(kind))
    if isinstance(kind, type) and issubclass(kind, Enum):
        names = {one: one.name for one in kind}
        return Form(Literal[tuple(names.values())], names.__getitem__)
    if kind in (bool, str):
        return Form(kind, _same)
    if kind is int:
        return _integer_form(name, is_wide)
    raise TypeError(f"no form in the API for {hint}")


def _integer_form(name: str, is_wide: bool) -> Form:
    if is_time(name):
        return Form(str | None, time_text)
    if is_wide or name.endswith("_fen"):
        return Form(str, str)
    return Form(int, int)


def _named(hint: Any) -> Any:
    # Only Address keeps its name: every other NewType is its plain type on the wire.
    return hint if hint is Address else plain(hint)


# --- nested structs -------------------------------------------------------------------------------


@cache
def struct_model(kind: type) -> type[BaseModel]:
    """Return the schema of a struct that stands inside a record."""
    prose = describe(kind)
    members = {
        name: (form.kind, Field(description=sentence(name, prose.get(name))))
        for name, form in _struct_forms(kind).items()
    }
    return make_model(f"{kind.__name__}Part", members, doc=str(kind.__doc__))


def make_model(name: str, members: dict[str, Any], *, doc: str) -> type[BaseModel]:
    """Return a model of these members; none has a default."""
    made: type[BaseModel] = create_model(
        name,
        __config__=ConfigDict(protected_namespaces=(), extra="forbid"),
        __doc__=" ".join(doc.split()),
        **members,
    )
    return made


@cache
def _struct_forms(kind: type) -> dict[str, Form]:
    wide = _wide_names(kind)
    return {name: form_of(hint, name, name in wide) for name, hint in hints_of(kind).items()}


def _struct_converter(kind: type) -> Convert:
    return converter(_struct_forms(kind))


def converter(forms: Mapping[str, Form]) -> Convert:
    """Return the function that makes a JSON object of what has these fields, written out."""
    scope = {f"to_{name}": form.convert for name, form in forms.items()}
    members = [
        f"{name!r}: one.{name}" if form.convert is _same else f"{name!r}: to_{name}(one.{name})"
        for name, form in forms.items()
    ]
    made: Convert = eval(f"lambda one: {{{', '.join(members)}}}", scope)
    return made


def _same(value: Any) -> Any:
    return value


def _hints(kind: Any) -> dict[str, Any]:
    return hints_of(kind)


def _wide_names(kind: type) -> frozenset[str]:
    if not issubclass(kind, Struct):
        return frozenset()
    node, names = parse(kind.ABI), list(_hints(kind))
    assert isinstance(node, TupleType)
    return frozenset(
        name
        for name, part in zip(names, node.components, strict=True)
        if not isinstance(part, TupleType) and part.base == "uint" and int(part.sub) >= 64
    )


# --- words ----------------------------------------------------------------------------------------


def sentence(name: str, prose: str | None = None) -> str:
    """Return what a field means: the contracts' prose or the glossary's, and its unit."""
    said = prose or _from_glossary(name)
    return f"{_without_seconds(said) if is_time(name) else said} {_unit(name)}".strip()


def _without_seconds(said: str) -> str:
    # The contracts speak of seconds and zero where the wire has RFC 3339 and null.
    plain_ = re.sub(r"[Ss]econds(?: since 1970 UTC)?(?: when)?(?=[,;.: ])[,;:]?\s*", "", said)
    told = re.sub(r"\b0\b", "null", plain_).strip(" .")
    return f"{told[0].upper()}{told[1:]}." if told else ""


def prose_of(record: type) -> dict[str, str]:
    """Return what the contracts say about the fields of a record's namesakes."""
    found: dict[str, str] = {}
    for name in NAMESAKES.get(record.__name__, (record.__name__,)):
        namesake = getattr(structs, name, None)
        if namesake is not None:
            found |= describe(namesake)
    return found


NAMESAKES: Final = {
    "RuleProfile": ("Profile",),
    "Certificate": ("CertificateFields", "CertificateStatus"),
    "AssetReview": ("Review",),
}


def _from_glossary(name: str) -> str:
    for part, said in GLOSSARY:
        if name.endswith(part) or (part.endswith("_") and name.startswith(part)) or name == part:
            return said
    words = name.replace("_", " ").removesuffix(" at")
    return f"{words.capitalize()}."


def _unit(name: str) -> str:
    if is_time(name):
        return "RFC 3339 in UTC, or null."
    return "In fen, as digits." if name.endswith("_fen") else ""
