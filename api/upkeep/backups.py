"""
Makes a backup of a home while it is written to, and proves it by restoring it.

Nothing of the home is changed or held up. Putting a backup back is `api.upkeep.restores`'.
"""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Engine, func, select
from sqlmodel import Session

from api.config import PATHS, Settings, is_secret
from api.migrations import open_operational, revision_of
from api.upkeep.archives import Manifest, Member, Mirrored, member_of, write_archive
from api.upkeep.restores import prove
from api.upkeep.retention import archive_name
from chain.copies import copy_mirror, copy_sqlite
from chain.durable import make_folder
from chain.failure import Conflict
from chain.keys import PASSWORD_FILE
from chain.layouts import layout_of
from chain.reads import checksum
from chain.store import BLOCKS, EVENTS, followed, tip_of

PROGRAM: Final = "shulian"
KEY_FILES: Final = ".json"
SUFFIX: Final = ".tar.gz"

# What names a place: it is not the same where the backup is restored.
PLACES: Final = ("home", "content_url", "content_peers", "origin")

Step = Callable[[str], object]


class TargetTaken(Conflict):
    """Something else is there already; it stays as it is, and no backup was made."""

    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class What:
    """What goes into a backup beside the two databases and the deployments."""

    has_keys: bool = True
    has_password: bool = True
    has_content: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Backup:
    """A backup that was made and proven."""

    path: Path
    manifest: Manifest
    size_bytes: int


def back_up(
    settings: Settings,
    mirror: Engine,
    target: Path,
    *,
    what: What,
    is_deep: bool = False,
    step: Step = lambda _: None,
) -> Backup:
    """
    Write a backup of a home, restore it into a scratch folder, and compare.

    shape:   `target` is the file if it ends in .tar.gz; else a folder, made if it is missing, in
             which the file is named by chain, block and time
    ensures: the operational database is no older than the mirror, and the content no older than
             what the outbox refers to; a backup that cannot be restored is not left behind;
             nothing that is there is replaced
    :raises TargetTaken: if the file is there, or the folder is something else
    :raises BackupNotEqual: if what was restored is not what was copied
    """
    parent = _folder_of(target)
    make_folder(parent)
    with _scratch(parent) as folder:
        copied = folder / "home"
        copied.mkdir(mode=0o700)
        step("mirror")
        chain_id, mirrored = copy_mirror(mirror, copied / "mirror.sqlite", describe)
        step("operational database")
        _copy_operational(settings, copied / "operational.sqlite")
        step("files")
        _copy_files(settings.home, copied, what)
        content = _content(settings, copied, is_copied=what.has_content)
        manifest = _manifest(settings, copied, what, content, chain_id, mirrored)
        path = _named(target, manifest)
        step("archive")
        write_archive(folder / path.name, copied, manifest)
        shutil.rmtree(copied)
        step("restored to prove it")
        prove(folder / path.name, folder / "proof", is_deep=is_deep)
        _publish(folder / path.name, path)
    return Backup(path=path, manifest=manifest, size_bytes=path.stat().st_size)


def describe(session: Session) -> tuple[int | None, Mirrored]:
    """Return the chain's id and what the mirror holds, as one reading sees it."""
    chain_id, _ = followed(session)
    tip = tip_of(session)
    connection = session.connection()
    counts = [
        int(connection.execute(select(func.count()).select_from(table)).scalar_one())
        for table in (BLOCKS, EVENTS)
    ]
    return chain_id, Mirrored(
        database=connection.dialect.name,
        layout=layout_of(connection) or 0,
        blocks=counts[0],
        events=counts[1],
        block_number=None if tip is None else tip.number,
        block_hash="" if tip is None else tip.hash,
        checksum=checksum(session),
    )


def _copy_operational(settings: Settings, path: Path) -> None:
    engine = open_operational(settings.operational)
    try:
        connection = engine.raw_connection()
        try:
            copy_sqlite(connection.driver_connection, path)
        finally:
            connection.close()
    finally:
        engine.dispose()


def _copy_files(home: Path, copied: Path, what: What) -> None:
    # Of the embedded chain only who it is: its blocks are made again from the outbox.
    wanted = [home / "chain" / "chain.json"]
    wanted += _below(home / "deployments") + _below(home / "exports")
    if what.has_keys:
        wanted += _below(home / "keys")
    for path in wanted:
        # Beside the encrypted key files lies what opens them, and what signs webhooks.
        is_open = path.parent == home / "keys" and path.suffix != KEY_FILES
        if path.is_file() and (what.has_password or not is_open):
            to = copied / path.relative_to(home)
            to.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, to)


def _content(settings: Settings, copied: Path, *, is_copied: bool) -> tuple[Member, ...]:
    """Return what the content store holds, where it is a folder of this home."""
    folder = settings.home / "content"
    if settings.content_url != folder.as_uri():
        return ()
    found = []
    for path in _below(folder):
        found.append(member_of(settings.home, path))
        if is_copied:
            to = copied / path.relative_to(settings.home)
            to.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, to)
    return tuple(found)


def _manifest(
    settings: Settings,
    copied: Path,
    what: What,
    content: tuple[Member, ...],
    chain_id: int | None,
    mirrored: Mirrored,
) -> Manifest:
    operational = open_operational(copied / "operational.sqlite")
    try:
        with operational.connect() as connection:
            revision = revision_of(connection.execution_options(reads=True)) or ""
    finally:
        operational.dispose()
    for journal in copied.glob("*.sqlite-*"):
        journal.unlink()
    password = copied / "keys" / PASSWORD_FILE
    return Manifest(
        made_at=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        program=f"{PROGRAM} {version(PROGRAM)}",
        chain_id=chain_id,
        operational_revision=revision,
        mirror=mirrored,
        settings=_told(settings),
        has_keys=what.has_keys and (copied / "keys").is_dir(),
        has_password=password.is_file(),
        has_content=what.has_content,
        content=content,
        members=tuple(member_of(copied, path) for path in _below(copied)),
    )


def _told(settings: Settings) -> dict[str, Any]:
    return {
        one.name: getattr(settings, one.name)
        for one in fields(Settings)
        if not (is_secret(one.name) or one.name in PLACES or one.name.endswith(PATHS))
    }


def _folder_of(target: Path) -> Path:
    is_file = target.name.endswith(SUFFIX)
    # A link that leads nowhere is there too.
    if os.path.lexists(target) and (is_file or not target.is_dir()):
        raise TargetTaken(path=str(target))
    return target.parent if is_file else target


def _publish(made: Path, path: Path) -> None:
    """Give a backup its name, unless somebody took that meanwhile."""
    try:
        # A rename would replace what is there.
        os.link(made, path)
    except FileExistsError as error:
        raise TargetTaken(path=str(path)) from error
    except OSError:
        # Not every file system has links.
        made.rename(path)


def _named(target: Path, manifest: Manifest) -> Path:
    if target.name.endswith(SUFFIX):
        return target
    return target / archive_name(
        chain_id=manifest.chain_id,
        block_number=manifest.mirror.block_number,
        made_at=manifest.made_at,
    )


def _below(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    found = folder.rglob("*")
    # A file that is being written has no name yet that anybody refers to.
    return sorted(
        one
        for one in found
        if one.is_file() and not one.is_symlink() and not one.name.startswith(".fresh-")
    )


@contextmanager
def _scratch(parent: Path) -> Iterator[Path]:
    # Beside the backup, where there is room for it, and where it gets its name at once.
    folder = Path(tempfile.mkdtemp(prefix=".fresh-backup-", dir=parent))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
