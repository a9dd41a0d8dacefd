"""
The home: whose it is, who may read it, its keys, its operational database, its disk, its backups.
"""

import os
import shutil
import sqlite3
import stat
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Final

from api.commands.homes import is_home
from api.config import Settings
from api.doctor.findings import Finding, bad, good, odd
from api.migrations import NEWEST
from api.upkeep.retention import archives_in
from chain.failure import LedgerError
from chain.keys import PASSWORD_FILE, home_keyring
from chain.passwords import ANYBODY_ELSE, read_password

MIB: Final = 1 << 20
SPACE_LOW: Final = 2 << 30
SPACE_NONE: Final = 128 << 20
DAY_SECONDS: Final = 86_400
BACKUP_LATE_SECONDS: Final = 36 * 3600


def examine_home(settings: Settings) -> Iterator[Finding]:
    """Look at the folder and what lies in it."""
    home = settings.home
    if not home.is_dir():
        yield bad("home", "missing", path=home)
        return
    owner = _owner(home)
    yield owner
    if owner.case == "foreign":
        return
    yield _disk(home)
    if not is_home(home):
        yield bad("home", "empty", path=home)
        return
    yield from _keys(settings)
    yield _operational(settings.operational)


def examine_backups(settings: Settings) -> Iterator[Finding]:
    """Look at how old the newest backup is."""
    yield _newest_backup(settings)


def _newest_backup(settings: Settings) -> Finding:
    if not settings.backup_folder:
        return odd("backup", "unnamed")
    folder = Path(settings.backup_folder)
    try:
        made = [one.path.stat().st_mtime for one in archives_in(folder)]
    except OSError as error:
        return odd("backup", "unreadable", path=folder, reason=error.strerror)
    if not made:
        return odd("backup", "none", path=folder)
    age = max(0, int(time.time() - max(made)))
    hours = age // 3600
    if age > BACKUP_LATE_SECONDS:
        return odd("backup", "late", path=folder, hours=hours)
    return good("backup", path=folder, hours=hours, count=len(made))


def _owner(home: Path) -> Finding:
    told = home.stat()
    if told.st_uid != os.geteuid():
        return bad("home", "foreign", path=home, owner=told.st_uid, user=os.geteuid())
    if not os.access(home, os.W_OK | os.X_OK):
        return bad("home", "readonly", path=home)
    if told.st_mode & ANYBODY_ELSE:
        return odd("home", "open", path=home, mode=f"{stat.S_IMODE(told.st_mode):03o}")
    return good("home", path=home)


def _disk(home: Path) -> Finding:
    free = shutil.disk_usage(home).free
    if free < SPACE_NONE:
        return bad("disk", "full", path=home, free=free // MIB)
    if free < SPACE_LOW:
        return odd("disk", "low", path=home, free=free // MIB)
    return good("disk", path=home, free=free // MIB)


def _keys(settings: Settings) -> Iterator[Finding]:
    names = home_keyring(settings.home).names() if settings.keys.is_dir() else []
    secret = settings.keys / PASSWORD_FILE
    files = [settings.keys / f"{name}.json" for name in names]
    files += [secret] if secret.is_file() else []
    open_ones = [one.name for one in files if one.stat().st_mode & ANYBODY_ELSE]
    if open_ones:
        yield bad("keys", "open", names=", ".join(open_ones), path=settings.keys)
        return
    try:
        if settings.key_password_file:
            read_password(Path(settings.key_password_file))
        keyring = home_keyring(settings.home, password_file=settings.key_password_file)
        for name in names:
            keyring.existing(name)
    except LedgerError as error:
        yield bad("keys", "closed", reason=error)
        return
    yield good("keys", "ok" if names else "none", count=len(names), names=", ".join(names))


def may_write(path: Path) -> bool:
    """Say whether this user may write a database: its file, and files beside it."""
    return os.access(path, os.W_OK) and os.access(path.parent, os.W_OK | os.X_OK)


def _operational(path: Path) -> Finding:
    if not path.is_file():
        return odd("operational", "missing", path=path)
    # SQLite cannot even read it then: it would make files beside it that tell of its log.
    if not may_write(path):
        return bad("operational", "readonly", path=path)
    try:
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
            database.execute("PRAGMA query_only=ON")
            (checked,) = database.execute("PRAGMA quick_check(1)").fetchone()
            (revision,) = database.execute("SELECT version_num FROM alembic_version").fetchone()
    except (sqlite3.Error, TypeError) as error:
        return bad("operational", "broken", path=path, reason=error)
    if checked != "ok":
        return bad("operational", "broken", path=path, reason=checked)
    if revision > NEWEST:
        return bad("operational", "newer", path=path, found=revision, known=NEWEST)
    if revision < NEWEST:
        return odd("operational", "older", path=path, found=revision, known=NEWEST)
    return good("operational", path=path, found=revision)
