"""
Puts a backup back into a new home, or proves that it could be.

A home that holds anything is never touched. What a backup holds is `api.upkeep.backups`' affair.
"""

import os
import shutil
import tempfile
from pathlib import Path
from typing import Final

from sqlalchemy import Engine, func, select
from sqlmodel import Session

from api.config import Settings
from api.databases import open_current
from api.migrations import open_operational
from api.upkeep.archives import Manifest, read_manifest, unpack
from chain.copies import check_file, load_mirror
from chain.durable import make_folder
from chain.failure import Conflict
from chain.layouts import LAYOUT, require_known
from chain.reads import checksum
from chain.store import BLOCKS, EVENTS, mirror_engine, rebuild, tip_of
from settlement.projection import apply

PRIVATE_FOLDER: Final = 0o700


class HomeNotEmpty(Conflict):
    """A backup is restored into a new home only."""

    home: str


class BackupNotEqual(Conflict):
    """What was restored is not what was backed up."""

    what: str
    expected: str
    found: str


def restore(path: Path, settings: Settings, *, is_deep: bool = False) -> Manifest:
    """
    Make a home out of a backup.

    shape:   what is proven is made beside the home, or inside where nothing can be beside it
    ensures: the home is whole and proven equal to what was backed up, or not there; inside, the
             operational database comes last, without which it is no home
    :raises HomeNotEmpty: if there is anything in the folder
    :raises MirrorNotEmpty: if the mirror's database is elsewhere and holds a mirror
    :raises BackupNotEqual: CopyDamaged: ArchiveDamaged: if the backup is not what it says
    """
    home = settings.home
    if home.exists() and (not home.is_dir() or any(home.iterdir())):
        raise HomeNotEmpty(home=str(home))
    read_manifest(path)
    is_inside = home.exists() and (home.is_mount() or not os.access(home.parent, os.W_OK))
    place = home if is_inside else home.parent
    make_folder(place)
    folder = Path(tempfile.mkdtemp(prefix=".fresh-restore-", dir=place))
    try:
        manifest = prove(path, folder / "home", is_deep=is_deep)
        copy = folder / "home" / "mirror.sqlite"
        if settings.mirror_url != f"sqlite:///{home}/mirror.sqlite":
            _load(copy, settings, manifest)
            copy.unlink()
        if is_inside:
            _move_up(folder / "home", home)
        else:
            if home.exists():
                home.rmdir()
            os.rename(folder / "home", home)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return manifest


def _move_up(proven: Path, home: Path) -> None:
    home.chmod(PRIVATE_FOLDER)
    for one in sorted(proven.iterdir(), key=lambda one: one.name == "operational.sqlite"):
        os.rename(one, home / one.name)


def prove(path: Path, home: Path, *, is_deep: bool = False) -> Manifest:
    """
    Restore a backup into a folder that is not there yet, and compare everything.

    shape:   `is_deep` also folds all events anew, and compares the records that this makes
    ensures: every digest agrees, both databases are whole, and the mirror's records have the
             checksum that they had when they were copied
    :raises BackupNotEqual: CopyDamaged: ArchiveDamaged: if not
    """
    home.mkdir(mode=PRIVATE_FOLDER)
    manifest = unpack(path, home)
    if (home / "keys").is_dir():
        (home / "keys").chmod(PRIVATE_FOLDER)
    for name in ("mirror.sqlite", "operational.sqlite"):
        check_file(home / name)
    open_operational(home / "operational.sqlite").dispose()
    require_known(manifest.mirror.layout)
    mirror = _opened(home, manifest)
    try:
        _compare(mirror, manifest)
        if is_deep:
            rebuild(mirror, apply)
            _compare(mirror, manifest)
    finally:
        mirror.dispose()
    return manifest


def _opened(home: Path, manifest: Manifest) -> Engine:
    url = f"sqlite:///{home / 'mirror.sqlite'}"
    if manifest.mirror.layout == LAYOUT:
        return mirror_engine(url)
    return open_current(url, home / "mirror.lock")


def _compare(mirror: Engine, manifest: Manifest) -> None:
    expected = manifest.mirror
    with Session(mirror) as session:
        connection = session.connection()
        tip = tip_of(session)
        found = {
            "blocks": connection.execute(select(func.count()).select_from(BLOCKS)).scalar_one(),
            "events": connection.execute(select(func.count()).select_from(EVENTS)).scalar_one(),
            "block_number": None if tip is None else tip.number,
            "block_hash": "" if tip is None else tip.hash,
            "checksum": checksum(session),
        }
    for name, value in found.items():
        if name == "checksum" and expected.layout != LAYOUT:
            continue
        if value != getattr(expected, name):
            raise BackupNotEqual(what=name, expected=str(getattr(expected, name)), found=str(value))


def _load(copy: Path, settings: Settings, manifest: Manifest) -> None:
    engine = mirror_engine(settings.mirror_url)
    try:
        load_mirror(copy, engine)
        _compare(engine, manifest)
    finally:
        engine.dispose()
