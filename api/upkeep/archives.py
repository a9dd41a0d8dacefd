"""
The one file of a backup: a tar whose first member says what else is in it, with digests.

It knows no database; what goes in is `api.upkeep.backups`', what comes out `api.upkeep.restores`'.
"""

import hashlib
import io
import json
import tarfile
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Any, Final

from chain.durable import fresh_file, make_folder, publish
from chain.failure import Conflict, Invalid

FORMAT: Final = 1
MANIFEST: Final = "manifest.json"
MANIFEST_BYTES_MAX: Final = 64 << 20
READ_BYTES: Final = 1 << 20

# Nobody but the owner of a backup may read it, as nobody else may read the home.
PRIVATE: Final = 0o600
TOP: Final = frozenset({"chain", "content", "deployments", "exports", "keys"})
FILES: Final = frozenset({"mirror.sqlite", "operational.sqlite"})


class ArchiveUnreadable(Invalid):
    """The file is no backup of a ledger."""

    file: str
    reason: str


class ArchiveNewer(Conflict):
    """The backup was made by a newer version of this program."""

    format: int
    newest_known: int


class ArchiveDamaged(Conflict):
    """A member of the backup is not what its manifest says."""

    member: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One file of a backup, by its path in the home."""

    path: str
    size_bytes: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Mirrored:
    """
    What the mirror was when it was copied.

    shape: `checksum` is that of `chain.reads`, over all records; empty fields if no block was there
    """

    database: str
    layout: int
    blocks: int
    events: int
    block_number: int | None
    block_hash: str
    checksum: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """
    What a backup holds.

    shape: `settings` has no secrets; `content` names what the content store held, which is in the
           archive only if `has_content`
    """

    made_at: str
    program: str
    chain_id: int | None
    operational_revision: str
    mirror: Mirrored
    settings: Mapping[str, Any]
    has_keys: bool
    has_password: bool
    has_content: bool
    content: tuple[Member, ...]
    members: tuple[Member, ...]


def member_of(root: Path, path: Path) -> Member:
    """Return a file's member, read whole."""
    total = hashlib.sha256()
    size = 0
    with path.open("rb") as file:
        while piece := file.read(READ_BYTES):
            total.update(piece)
            size += len(piece)
    name = path.relative_to(root).as_posix()
    return Member(path=name, size_bytes=size, sha256=total.hexdigest())


def write_archive(path: Path, root: Path, manifest: Manifest) -> None:
    """
    Write a backup from the files below a folder.

    ensures: `path` is the whole backup, on the disk and readable by its owner only, or not there
    """
    make_folder(path.parent)
    with fresh_file(path.parent) as file:
        with tarfile.open(fileobj=file, mode="w:gz", compresslevel=1) as tar:
            told = json.dumps({"format": FORMAT, **asdict(manifest)}, ensure_ascii=False, indent=1)
            content = told.encode("utf-8")
            _add(tar, MANIFEST, io.BytesIO(content), len(content))
            for one in manifest.members:
                with (root / one.path).open("rb") as source:
                    _add(tar, one.path, source, one.size_bytes)
        publish(file, path)


def read_manifest(path: Path) -> Manifest:
    """
    Return what a backup says that it holds.

    :raises ArchiveUnreadable: if it is none
    :raises ArchiveNewer: if a newer version made it
    """
    try:
        with tarfile.open(path, mode="r:gz") as tar:
            return _manifest(path, tar)
    except (tarfile.TarError, EOFError, OSError) as error:
        raise ArchiveUnreadable(file=str(path), reason=str(error)) from error


def unpack(path: Path, folder: Path) -> Manifest:
    """
    Write a backup's files below a folder, each compared with its digest.

    ensures: nothing is written that the manifest does not name, and nothing outside the folder
    :raises ArchiveUnreadable: ArchiveNewer: as `read_manifest`
    :raises ArchiveDamaged: if a file is missing or differs
    """
    try:
        with tarfile.open(path, mode="r:gz") as tar:
            manifest = _manifest(path, tar)
            waiting = {one.path: one for one in manifest.members}
            for info in tar:
                if info.name == MANIFEST:
                    continue
                expected = waiting.pop(info.name, None)
                if expected is None or not info.isreg():
                    raise ArchiveDamaged(member=info.name, reason="it is not in the manifest")
                if info.size != expected.size_bytes:
                    # Before it is written: it could fill the disk.
                    raise ArchiveDamaged(member=info.name, reason="its size differs")
                source = tar.extractfile(info)
                if source is not None:
                    _unpack(source, expected, folder)
    except (tarfile.TarError, EOFError, OSError) as error:
        raise ArchiveUnreadable(file=str(path), reason=str(error)) from error
    for name in waiting:
        raise ArchiveDamaged(member=name, reason="it is missing")
    return manifest


def _add(tar: tarfile.TarFile, name: str, source: IO[bytes], size: int) -> None:
    info = tarfile.TarInfo(name)
    info.size, info.mode = size, PRIVATE
    tar.addfile(info, source)


def _manifest(path: Path, tar: tarfile.TarFile) -> Manifest:
    info = tar.next()
    source = tar.extractfile(info) if info is not None and info.isreg() else None
    if info is None or info.name != MANIFEST or source is None or info.size > MANIFEST_BYTES_MAX:
        raise ArchiveUnreadable(file=str(path), reason="its first member is no manifest")
    try:
        told = json.loads(source.read())
        number = int(told.pop("format"))
        if number > FORMAT:
            raise ArchiveNewer(format=number, newest_known=FORMAT)
        told["mirror"] = Mirrored(**told["mirror"])
        for name in ("content", "members"):
            told[name] = tuple(Member(**one) for one in told[name])
        manifest = Manifest(**told)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ArchiveUnreadable(file=str(path), reason=f"its manifest: {error}") from error
    _require_ours(one.path for one in manifest.members)
    return manifest


def _require_ours(names: Iterable[str]) -> None:
    for name in names:
        parts = PurePosixPath(name).parts
        if not parts or ".." in parts or name.startswith("/") or "\\" in name:
            raise ArchiveDamaged(member=name, reason="it would be written outside the home")
        if name not in FILES and (parts[0] not in TOP or len(parts) < 2):
            raise ArchiveDamaged(member=name, reason="no ledger has such a file")


def _unpack(source: IO[bytes], expected: Member, folder: Path) -> None:
    path = folder / expected.path
    path.parent.mkdir(parents=True, exist_ok=True)
    total = hashlib.sha256()
    with path.open("xb") as file:
        path.chmod(PRIVATE)
        while piece := source.read(READ_BYTES):
            total.update(piece)
            file.write(piece)
    if total.hexdigest() != expected.sha256:
        raise ArchiveDamaged(member=expected.path, reason="its digest differs")
