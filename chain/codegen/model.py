"""
The contracts' whole public face, read from the artifacts: enums, structs, events, errors, acts.

It reads and checks; the texts are written by the other modules of this package.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from chain.codegen.types import CannotGenerate, Kinds, Member, Type, members

# Events of the token standards: for wallets, not for the fold (joints 5).
STANDARD_EVENTS: Final = frozenset(
    {
        "Approval(address,address,uint256)",
        "ApprovalForAll(address,address,bool)",
        "EIP712DomainChanged()",
        "Locked(uint256)",
        "Transfer(address,address,uint256)",
        "Unlocked(uint256)",
    }
)
# Errors of OpenZeppelin's contracts carry no family; these are theirs, by the start of the name.
LIBRARY_ERRORS: Final = {
    "ECDSA": "Invalid",
    "ERC721Incorrect": "Forbidden",
    "ERC721Insufficient": "Forbidden",
    "ERC721Invalid": "Invalid",
    "ERC721Nonexistent": "NotFound",
    "InvalidShortString": "Invalid",
    "ReentrancyGuard": "Conflict",
    "SafeCast": "Invalid",
    "StringTooLong": "Invalid",
    "StringsInsufficient": "Invalid",
}
FAMILIES: Final = ("NotFound", "Conflict", "Forbidden", "Invalid")


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    """An event or error: its name, signature, values and prose."""

    name: str
    signature: str
    members: tuple[Member, ...]
    notice: str
    family: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Write:
    """A state-changing function that takes an authorization last."""

    contract: str
    function: str
    signature: str
    arguments: tuple[Member, ...]
    flattened: str
    notice: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Face:
    """Everything that is generated from."""

    kinds: Kinds
    structs: tuple[Type, ...]
    events: tuple[Declared, ...]
    errors: tuple[Declared, ...]
    writes: tuple[Write, ...]


def read_artifacts(folder: Path) -> tuple[Mapping[str, Any], list[Mapping[str, Any]]]:
    """Return the index and every artifact below a folder, in order of name."""
    index = json.loads((folder / "index.json").read_text("utf-8"))
    paths = sorted(path for path in folder.glob("*.json") if path.name != "index.json")
    return index, [json.loads(path.read_text("utf-8")) for path in paths]


def face_of(index: Mapping[str, Any], artifacts: Sequence[Mapping[str, Any]]) -> Face:
    """
    Return the union of what all contracts and interfaces show.

    :raises CannotGenerate: if one name means two things, or an error has no family
    """
    kinds = Kinds(index["aliases"], {name: tuple(all_) for name, all_ in index["enums"].items()})
    prose = {name: _struct_prose(one["documentation"]) for name, one in index["structs"].items()}
    events = _union(_events(artifacts, kinds))
    errors = _union(_errors(artifacts, kinds))
    structs: dict[str, Type] = {}
    for seen in _seen(artifacts, kinds):
        _collect(seen, structs, prose)
    writes = sorted(
        _writes(artifacts, kinds, structs), key=lambda one: (one.contract, one.function)
    )
    return Face(
        kinds=kinds,
        structs=tuple(structs.values()),
        events=events,
        errors=errors,
        writes=tuple(_distinct(writes)),
    )


def _noun(artifact: Mapping[str, Any]) -> str:
    name: str = artifact["contractName"]
    return name[1:] if artifact["kind"] == "interface" else name


def _entries(
    artifacts: Sequence[Mapping[str, Any]], kind: str
) -> Iterator[tuple[Mapping[str, Any], Mapping[str, Any]]]:
    for artifact in artifacts:
        for entry in artifact["abi"]:
            if entry["type"] == kind:
                yield artifact, entry


def _signature(name: str, parts: Sequence[Member]) -> str:
    return f"{name}({','.join(member.type.abi for member in parts)})"


def _events(artifacts: Sequence[Mapping[str, Any]], kinds: Kinds) -> Iterator[Declared]:
    for artifact, entry in _entries(artifacts, "event"):
        plain = members(entry["inputs"], kinds)
        signature = _signature(entry["name"], plain)
        if signature in STANDARD_EVENTS:
            continue
        said = artifact["devdoc"].get("events", {}).get(signature, {}).get("params", {})
        notice = artifact["userdoc"].get("events", {}).get(signature, {}).get("notice", "")
        yield Declared(
            name=entry["name"],
            signature=signature,
            members=members(entry["inputs"], kinds, said),
            notice=notice,
        )


def _errors(artifacts: Sequence[Mapping[str, Any]], kinds: Kinds) -> Iterator[Declared]:
    for artifact, entry in _entries(artifacts, "error"):
        parts = members(entry["inputs"], kinds)
        signature = _signature(entry["name"], parts)
        said = (artifact["devdoc"].get("errors", {}).get(signature) or [{}])[0]
        notices = artifact["userdoc"].get("errors", {}).get(signature) or [{}]
        library = next(
            (kind for start, kind in LIBRARY_ERRORS.items() if entry["name"].startswith(start)), ""
        )
        yield Declared(
            name=entry["name"],
            signature=signature,
            members=members(entry["inputs"], kinds, said.get("params", {})),
            notice=notices[0].get("notice", ""),
            family=said.get("custom:family", library).strip(),
        )


def _union(found: Iterator[Declared]) -> tuple[Declared, ...]:
    union: dict[str, Declared] = {}
    for one in found:
        union[one.name] = _merge(union.get(one.name, one), one)
    return tuple(union[name] for name in sorted(union))


def _merge(first: Declared, other: Declared) -> Declared:
    # Prose often stands in the interface alone, so of two equal declarations the telling one stays.
    if (first.signature, first.members) != (other.signature, other.members):
        raise CannotGenerate(f"{first.name} means {first.signature} and {other.signature}")
    if first.family and other.family and first.family != other.family:
        raise CannotGenerate(f"{first.name} is {first.family} and {other.family}")
    telling = first if first.notice else other
    return replace(telling, family=first.family or other.family)


def check_errors(errors: Sequence[Declared]) -> None:
    """
    Refuse errors that the API could not answer with.

    :raises CannotGenerate: if one has no known family
    """
    lost = [f"{one.signature}: {one.family!r}" for one in errors if one.family not in FAMILIES]
    if lost:
        raise CannotGenerate(f"errors without @custom:family {FAMILIES}: {lost}")


def _writes(
    artifacts: Sequence[Mapping[str, Any]], kinds: Kinds, structs: Mapping[str, Type]
) -> Iterator[Write]:
    for artifact, entry in _entries(artifacts, "function"):
        if entry["stateMutability"] != "nonpayable" or not entry["inputs"]:
            continue
        *arguments, last = members(entry["inputs"], kinds)
        if last.type.name != "Authorization":
            continue
        signature = _signature(entry["name"], (*arguments, last))
        method = artifact["userdoc"].get("methods", {}).get(signature, {})
        said = artifact["devdoc"].get("methods", {}).get(signature, {}).get("params", {})
        flat = arguments[0].type.name if len(arguments) == 1 else ""
        yield Write(
            contract=_noun(artifact),
            function=entry["name"],
            signature=signature,
            arguments=structs[flat].members
            if flat in structs
            else members(entry["inputs"][:-1], kinds, said),
            flattened=flat if flat in structs else "",
            notice=method.get("notice", ""),
        )


def _distinct(writes: Sequence[Write]) -> Iterator[Write]:
    # A contract and its interface show the same writes; an overload would need another name.
    kept: dict[tuple[str, str], Write] = {}
    for write in writes:
        key = (write.contract, write.function)
        other = kept.setdefault(key, write)
        if other.signature != write.signature:
            raise CannotGenerate(f"{write.contract}.{write.function} is overloaded")
        if write.notice:
            kept[key] = write
    yield from kept.values()


def _seen(artifacts: Sequence[Mapping[str, Any]], kinds: Kinds) -> Iterator[Type]:
    for artifact in artifacts:
        for entry in artifact["abi"]:
            if entry["type"] in ("event", "error", "function"):
                for parameter in (*entry["inputs"], *entry.get("outputs", ())):
                    yield members([parameter], kinds)[0].type


def _collect(kind: Type, structs: dict[str, Type], prose: Mapping[str, Mapping[str, str]]) -> None:
    # Parts before wholes, so that a generated class only names classes above it.
    if kind.element is not None:
        _collect(kind.element, structs, prose)
    for member in kind.members:
        _collect(member.type, structs, prose)
    if kind.family != "struct":
        return
    known = structs.get(kind.name)
    if known is not None and known != kind:
        raise CannotGenerate(f"struct {kind.name} means {known.abi} and {kind.abi}")
    said = prose.get(kind.name, {})
    told = tuple(
        replace(member, description=said.get(member.solidity, "")) for member in kind.members
    )
    structs[kind.name] = replace(kind, members=told)


def _struct_prose(documentation: str) -> dict[str, str]:
    # The compiler hands a struct's comment over as written: lines, of which `@param name words`.
    found: dict[str, str] = {"": ""}
    current = ""
    for line in documentation.splitlines():
        tag = re.match(r"\s*@(\w+)\s*(.*)", line)
        if tag is None:
            found[current] = f"{found[current]} {line.strip()}".strip()
        elif tag[1] == "param":
            current, _, said = tag[2].partition(" ")
            found[current] = said.strip()
        else:
            current = "" if tag[1] in ("notice", "dev") else "?"
            found.setdefault(current, "")
            found[current] = f"{found[current]} {tag[2]}".strip()
    return found


def struct_notice(index: Mapping[str, Any], name: str) -> str:
    """Return the first paragraph of a struct's comment."""
    entry = index["structs"].get(name, {"documentation": ""})
    return _struct_prose(entry["documentation"])[""]
