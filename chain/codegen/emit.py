"""
Texts of the plain generated modules: codes, structs, events, errors, acts.

The decoders, which are code and not declarations, are written by `chain.codegen.decoders`.
"""

from collections.abc import Sequence

from chain.codegen import text
from chain.codegen.model import Face, Write
from chain.codegen.types import Member, Type, upper
from chain.values import keccak

STRUCT = "@dataclass(frozen=True, slots=True, kw_only=True)"


def selector(signature: str) -> str:
    """Return the first four bytes of a signature's hash, as hex with 0x."""
    return "0x" + keccak(signature.encode())[:4].hex()


def topic(signature: str) -> str:
    """Return the whole hash of a signature: the first topic of that event's logs."""
    return "0x" + keccak(signature.encode()).hex()


def codes(face: Face) -> str:
    """Return `codes.py`."""
    parts = ["from enum import IntEnum"]
    for name, names in sorted(face.kinds.enums.items()):
        lines = "\n".join(f"    {member} = {number}" for number, member in enumerate(names))
        parts.append(f"class {name}(IntEnum):\n    {_quoted_notice(name)}\n\n{lines}")
    purpose = "The closed code lists of the contracts: same names, same members, same numbers."
    return text.module(purpose, "\n\n\n".join(parts))


def _quoted_notice(name: str) -> str:
    return f'"""Solidity\'s `{name}`."""'


def structs(face: Face, notices: dict[str, str], package: str) -> str:
    """Return `structs.py`."""
    inner = [member.type for kind in face.structs for member in kind.members]
    described = any(member.description for kind in face.structs for member in kind.members)
    head = text.imports(
        [
            ("dataclasses", ["dataclass", *(["field"] if described else [])]),
            ("typing", ["ClassVar"]),
            ("chain.abi", ["Struct"]),
            ("chain.values", text.values(inner)),
            (f"{package}.codes", text.named(inner, "enum")),
        ]
    )
    parts = [head]
    for kind in face.structs:
        notice = notices.get(kind.name) or f"Solidity's `{kind.name}`."
        lines = [
            f"{STRUCT}\nclass {kind.name}(Struct):",
            text.docstring(notice, 4),
            "",
            f"    ABI: ClassVar[str] = {text.literal(kind.abi)}",
            "",
            *_attributes(kind.members),
        ]
        parts.append("\n".join(lines))
    purpose = "The structs of the contracts, as they stand in events, calls and answers."
    return text.module(purpose, "\n\n\n".join(parts))


def events(face: Face, package: str) -> str:
    """Return `events.py`."""
    types = [topic_type(member) for event in face.events for member in event.members]
    described = any(member.description for event in face.events for member in event.members)
    names = [event.name for event in face.events]
    head = text.imports(
        [
            ("dataclasses", ["dataclass", *(["field"] if described else [])]),
            ("typing", ["Final"]),
            ("chain.event", ["Event", "EventMeta", "UnknownEvent"]),
            ("chain.values", text.values(types)),
            (f"{package}.codes", text.named(types, "enum")),
            (f"{package}.structs", text.named(types, "struct")),
        ]
    )
    exported = sorted([*names, "EVENTS", "Event", "EventMeta", "UnknownEvent"], key=_ruf022)
    parts = [head, "__all__ = [" + ", ".join(map(text.quoted, exported)) + "]"]
    for event in face.events:
        attributes = [
            text.attribute(member, topic_type(member).annotation) for member in event.members
        ]
        parts.append(
            "\n".join(
                [
                    f"{STRUCT}\nclass {event.name}(Event):",
                    text.docstring(event.notice or f"Solidity's `{event.name}`.", 4),
                    "",
                    *attributes,
                ]
            )
        )
    table = ", ".join(f"{text.quoted(name)}: {name}" for name in names)
    parts.append(f"EVENTS: Final[dict[str, type[Event]]] = {{{table}}}")
    purpose = "Every event of the contracts. Nothing here reads a log; `chain.decoder` does."
    return text.module(purpose, "\n\n\n".join(parts))


def errors(face: Face, package: str) -> str:
    """Return `errors.py`."""
    inner = [member.type for error in face.errors for member in error.members]
    bases = ["Conflict", "Forbidden", "Invalid", "LedgerError", "NotFound"]
    names = [error.name for error in face.errors]
    head = text.imports(
        [
            ("typing", ["ClassVar", "Final"]),
            ("chain.failure", bases),
            ("chain.values", text.values(inner)),
            (f"{package}.codes", text.named(inner, "enum")),
            (f"{package}.structs", text.named(inner, "struct")),
        ]
    )
    exported = sorted([*names, *bases, "ERRORS", "SELECTORS"], key=_ruf022)
    parts = [head, "__all__ = [" + ", ".join(map(text.quoted, exported)) + "]"]
    for error in face.errors:
        types = [kind.abi for kind in text.of(error.members)]
        parts.append(
            "\n".join(
                [
                    f"class {error.name}({error.family}):",
                    text.docstring(error.notice or _spaced(error.name), 4),
                    "",
                    f"    ABI: ClassVar[tuple[str, ...]] = {_tuple(types)}",
                    *(f"    {one.python}: {one.type.annotation}" for one in error.members),
                ]
            )
        )
    known = ", ".join(f"{text.quoted(name)}: {name}" for name in names)
    parts.append(f"ERRORS: Final[dict[str, type[LedgerError]]] = {{{known}}}")
    table = ", ".join(
        f"{text.quoted(selector(error.signature))}: {error.name}" for error in face.errors
    )
    parts.append(f"SELECTORS: Final[dict[str, type[LedgerError]]] = {{{table}}}")
    purpose = "Every error of the contracts by the same name. `chain.reverts` reads them."
    return text.module(purpose, "\n\n\n".join(parts))


def acts(face: Face, package: str) -> str:
    """Return `acts.py`."""
    inner = [member.type for write in face.writes for member in write.arguments]
    described = any(member.description for write in face.writes for member in write.arguments)
    names = [_act_name(write) for write in face.writes]
    head = text.imports(
        [
            ("dataclasses", ["dataclass", *(["field"] if described else [])]),
            ("typing", ["ClassVar", "Final"]),
            ("chain.act", ["Act"]),
            ("chain.values", text.values(inner)),
            (f"{package}.codes", text.named(inner, "enum")),
            (f"{package}.structs", text.named(inner, "struct")),
        ]
    )
    parts = [head, *(_act(write) for write in face.writes)]
    table = ", ".join(f"{text.quoted(name)}: {name}" for name in names)
    parts.append(f"ACTS: Final[dict[str, type[Act]]] = {{{table}}}")
    purpose = (
        "Every write of the contracts as a value that can be kept, signed and encoded. "
        "Nothing here sends."
    )
    return text.module(purpose, "\n\n\n".join(parts))


def _act(write: Write) -> str:
    types = [kind.abi for kind in text.of(write.arguments)]
    if write.flattened:
        types = [f"({','.join(types)})"]
    notice = write.notice or f"Call `{write.contract}.{write.function}`."
    lines = [
        f"{STRUCT}\nclass {_act_name(write)}(Act):",
        text.docstring(notice, 4),
        "",
        f"    CONTRACT: ClassVar[str] = {text.quoted(write.contract)}",
        f"    FUNCTION: ClassVar[str] = {text.quoted(write.function)}",
        f"    SIGNATURE: ClassVar[str] = {text.literal(write.signature)}",
        f"    SELECTOR: ClassVar[str] = {text.quoted(selector(write.signature))}",
        f"    ABI: ClassVar[tuple[str, ...]] = {_tuple(types)}",
    ]
    if write.flattened:
        lines.append("    FLATTENED: ClassVar[bool] = True")
    return "\n".join([*lines, "", *_attributes(write.arguments)])


def _act_name(write: Write) -> str:
    return f"{write.contract}{upper(write.function)}"


def _attributes(members: Sequence[Member]) -> list[str]:
    return [text.attribute(member, member.type.annotation) for member in members]


def topic_type(member: Member) -> Type:
    # An indexed value of any length is on the chain as its hash only.
    if member.indexed and (member.type.dynamic or member.type.family in ("list", "struct")):
        return Type(abi="bytes32", annotation="Bytes32", family="bytes", bits=32)
    return member.type


def _tuple(types: Sequence[str]) -> str:
    parts = [text.literal(one) for one in types]
    return f"({parts[0]},)" if len(parts) == 1 else f"({', '.join(parts)})"


def _spaced(name: str) -> str:
    return "".join(f" {one.lower()}" if one.isupper() else one for one in name).strip() + "."


def _ruf022(name: str) -> tuple[bool, bool, str]:
    # The order that ruff's RUF022 wants in __all__: constants, classes, the rest.
    return (not name.isupper(), not name[:1].isupper(), name)
