"""
Descriptors is about opening a `datapackage.json` and refusing what may not be read from it.

It is not about the data: no resource file is opened here, only looked for. Nothing is ever fetched
from a network: a reference to one is refused before any file is touched.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeAlias

from chain.documents import DOCUMENT_DEPTH_MAX
from chain.failure import JSON_INTEGER_MAX, Invalid, NotFound

JsonObject: TypeAlias = dict[str, Any]

DESCRIPTOR_NAME: Final = "datapackage.json"
# A descriptor may carry inline data, but it is held in memory whole.
DESCRIPTOR_BYTES_MAX: Final = 64 * 2**20
RESOURCES_MAX: Final = 1_000
# The metadata document wraps the descriptor in a few levels of its own.
DEPTH_MAX: Final = DOCUMENT_DEPTH_MAX - 8

# A scheme has at least two letters here: one letter and a colon is a drive.
_URL: Final = re.compile(r"^(?:[A-Za-z][A-Za-z0-9+.\-]+:|//|\\\\)")
_SEPARATORS: Final = re.compile(r"[/\\]")
# Profiles known by their name; a package may point to them, and nothing needs to be fetched.
_KNOWN_PROFILE: Final = re.compile(
    r"^(?:[a-z\-]+|https?://(?:datapackage\.org|specs\.frictionlessdata\.io)/.*)$"
)


class DataPackageMissing(NotFound):
    """There is no data package at this path."""

    path: str


class NotADataPackage(Invalid):
    """The file is not the descriptor of a data package."""

    path: str
    reason: str


class DescriptorMalformed(Invalid):
    """The descriptor is not well-formed JSON."""

    path: str
    reason: str


class ResourceInvalid(Invalid):
    """A resource of the package is described in a way that cannot be read."""

    resource: str
    reason: str


class ResourceNameDuplicate(Invalid):
    """Two resources of the package have the same name."""

    resource: str


class ResourceFileMissing(NotFound):
    """The package names a file that is not in its folder."""

    path: str


class UnsafePath(Invalid):
    """The package names a path outside its own folder."""

    path: str
    reason: str


class RemoteResourceRefused(Invalid):
    """The package refers to something on a network, which is never fetched."""

    url: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceEntry:
    """One resource as described: its files inside the folder, or its inline data, and its words."""

    name: str
    paths: tuple[str, ...]
    files: tuple[Path, ...]
    data: Any
    schema: JsonObject | None
    dialect: JsonObject
    described: JsonObject


@dataclass(frozen=True, slots=True, kw_only=True)
class Descriptor:
    """A descriptor whose references are all inside its folder, and whose files all exist."""

    root: Path
    raw: bytes
    described: JsonObject
    resources: tuple[ResourceEntry, ...]


def open_descriptor(path: Path) -> Descriptor:
    """
    Read a descriptor and check every reference in it before looking at any data.

    shape:   a folder that holds `datapackage.json`, or the descriptor file itself
    ensures: nothing outside the folder is opened, and nothing is fetched
    :raises DataPackageMissing: if there is no such file
    :raises ResourceFileMissing: if a file it names is not there
    :raises RemoteResourceRefused, UnsafePath: if it refers to a network or outside its folder
    """
    file = path / DESCRIPTOR_NAME if path.is_dir() else path
    if not file.is_file():
        raise DataPackageMissing(path=str(path))
    raw = _read(file)
    described = _parsed(file.name, raw)
    entries = described.get("resources")
    if not isinstance(entries, list) or not entries:
        raise NotADataPackage(path=file.name, reason="it lists no resources")
    if len(entries) > RESOURCES_MAX:
        raise NotADataPackage(path=file.name, reason=f"it lists over {RESOURCES_MAX} resources")
    _check_profile(described)
    root = file.parent.resolve()
    named = list(_named(file.name, entries))
    checked = [_references(entry) for entry in named]
    files = [tuple(_inside(root, path) for path in paths) for paths, _ in checked]
    return Descriptor(
        root=root,
        raw=raw,
        described=described,
        resources=tuple(
            ResourceEntry(
                name=entry["name"],
                paths=paths,
                files=parts,
                data=data,
                schema=_dereferenced(root, entry, "schema"),
                dialect=_dereferenced(root, entry, "dialect") or {},
                described=entry,
            )
            for entry, (paths, data), parts in zip(named, checked, files, strict=True)
        ),
    )


def is_remote(reference: str) -> bool:
    """Say whether a reference names something on a network rather than a file."""
    return bool(_URL.match(reference))


def carried(value: Any) -> Any:
    """
    Write a JSON value so that canonical JSON carries it exactly.

    note: whole numbers beyond 2^53 become text; every other number, text and key stays as it is
    """
    if isinstance(value, Mapping):
        return {key: carried(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [carried(item) for item in value]
    if isinstance(value, bool) or not isinstance(value, int | float):
        return value
    if abs(value) > JSON_INTEGER_MAX and (isinstance(value, int) or abs(value) < 1e21):
        return str(int(value))
    return value


def _read(file: Path) -> bytes:
    if file.stat().st_size > DESCRIPTOR_BYTES_MAX:
        raise DescriptorMalformed(path=file.name, reason="it is too large")
    return file.read_bytes()


def _parsed(file_name: str, raw: bytes) -> JsonObject:
    try:
        content = json.loads(
            raw.decode(json.detect_encoding(raw)),
            object_pairs_hook=_distinct,
            parse_constant=_no_constant,
            parse_float=_finite,
        )
        _check_depth(content, DEPTH_MAX)
        json.dumps(content, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        raise DescriptorMalformed(path=file_name, reason=str(error)) from error
    if not isinstance(content, dict):
        raise NotADataPackage(path=file_name, reason="it is not a JSON object")
    return content


def _distinct(pairs: list[tuple[str, Any]]) -> JsonObject:
    content = dict(pairs)
    if len(content) != len(pairs):
        raise ValueError("an object has the same key twice")
    return content


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _finite(text: str) -> float:
    number = float(text)
    if number in (float("inf"), float("-inf")):
        raise ValueError(f"the number {text} is too large")
    return number


def _check_depth(content: Any, left: int) -> None:
    if left < 0:
        raise ValueError(f"it is nested deeper than {DEPTH_MAX} levels")
    items = content.values() if isinstance(content, dict) else content
    if isinstance(content, dict | list):
        for item in items:
            _check_depth(item, left - 1)


def _check_profile(described: JsonObject) -> None:
    for key in ("profile", "$schema"):
        profile = described.get(key)
        if isinstance(profile, str) and is_remote(profile) and not _KNOWN_PROFILE.match(profile):
            raise RemoteResourceRefused(url=profile, reason=f"a {key} is not fetched")


def _named(file_name: str, entries: list[Any]) -> Iterator[JsonObject]:
    """Check that every entry is an object with a name of its own."""
    seen: set[str] = set()
    for place, entry in enumerate(entries):
        if not isinstance(entry, dict):
            raise NotADataPackage(path=file_name, reason=f"resource {place} is not an object")
        name = entry.get("name")
        if not isinstance(name, str) or not name.strip():
            raise ResourceInvalid(resource=f"resource {place}", reason="it has no name")
        if name in seen:
            raise ResourceNameDuplicate(resource=name)
        seen.add(name)
        _check_profile(entry)
        yield entry


def _references(entry: JsonObject) -> tuple[tuple[str, ...], Any]:
    """Return the entry's paths or its inline data, all references checked but none followed."""
    name = entry["name"]
    for key in ("url", "schema", "dialect"):
        reference = entry.get(key)
        if isinstance(reference, str):
            _check_reference(reference, f"the {key} of resource {name} is not fetched")
        elif reference is not None and (key == "url" or not isinstance(reference, dict)):
            raise ResourceInvalid(resource=name, reason=f"its {key} is not an object or a path")
    if "url" in entry:
        raise ResourceInvalid(resource=name, reason="it names a url where a path is due")
    if ("path" in entry) == ("data" in entry):
        raise ResourceInvalid(resource=name, reason="it must have either a path or data")
    if "data" in entry:
        return (), entry["data"]
    path = entry["path"]
    paths = tuple(path) if isinstance(path, list) else (path,)
    if not paths or not all(isinstance(part, str) and part for part in paths):
        raise ResourceInvalid(resource=name, reason="its path is not text or a list of texts")
    for part in paths:
        _check_reference(part, f"resource {name} is not fetched")
    return paths, None


def _check_reference(reference: str, reason: str) -> None:
    """Refuse what is not a plain relative path."""
    if is_remote(reference):
        raise RemoteResourceRefused(url=reference, reason=reason)
    if "\x00" in reference or reference.startswith("~"):
        raise UnsafePath(path=reference, reason="it is not a plain path")
    if reference.startswith(("/", "\\")) or re.match(r"^[A-Za-z]:", reference):
        raise UnsafePath(path=reference, reason="it is absolute")
    if ".." in _SEPARATORS.split(reference):
        raise UnsafePath(path=reference, reason="it climbs out of the folder")
    if "\\" in reference:
        raise UnsafePath(path=reference, reason="its separator is not a slash")


def _inside(root: Path, reference: str) -> Path:
    """Return the file a reference names, which must be inside the folder, links followed."""
    file = (root / reference).resolve()
    if not file.is_relative_to(root):
        raise UnsafePath(path=reference, reason="it links out of the folder")
    if not file.is_file():
        raise ResourceFileMissing(path=reference)
    return file


def _dereferenced(root: Path, entry: JsonObject, key: str) -> JsonObject | None:
    reference = entry.get(key)
    if isinstance(reference, str):
        file = _inside(root, reference)
        return _parsed(reference, _read(file))
    return reference
