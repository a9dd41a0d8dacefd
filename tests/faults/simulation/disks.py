"""
The disk is full in the middle of a transaction, and has room again later.

Three ways to fill it, by the seed: a small file system of its own (where a process may mount one),
a limit on the size of files, and SQLite's own limit on pages. The mirror is SQLite's.
"""

import ctypes
import os
import resource
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Engine, event

from api.worker import DATABASE_FAILED, Worker
from chain.store import open_mirror
from tests.chain.things import project
from tests.faults.simulation.branches import open_chain
from tests.faults.simulation.mirrors import FINALITY, Following, catch_up, opened
from tests.faults.simulation.oracle import Violated, Witness, intervals, require_right
from tests.faults.simulation.receipts import stored
from tests.faults.simulation.running import Numbers, Run
from tests.faults.simulation.victims import CONTEXT, END_SECONDS

BEFORE: Final = 20
AFTER: Final = 250
# Room that is left when the disk is about to be full: less than what comes, more than a page.
ROOM_MAX: Final = 120_000
PAGE: Final = 4096
# The file that SQLite's connections share has at once this size.
SHARED_BYTES: Final = 32_768

# <sched.h>, <sys/mount.h>
CLONE_NEWNS: Final = 0x00020000
MS_REC: Final = 0x4000
MS_PRIVATE: Final = 1 << 18
MS_REMOUNT: Final = 32

WAYS: Final = ("file system", "file size", "pages")


@dataclass(frozen=True, slots=True)
class _Disk:
    """A place for files, and what limits them."""

    folder: Path
    way: str

    @contextmanager
    def almost_full(self, room: int) -> Iterator[None]:
        """Leave so many bytes free while the block runs."""
        if self.way == "file system":
            _mount(self.folder, _used(self.folder) + room, MS_REMOUNT)
            yield
            _mount(self.folder, 1 << 28, MS_REMOUNT)
        elif self.way == "file size":
            # What is new goes into a log of its own first, which begins empty.
            hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
            resource.setrlimit(resource.RLIMIT_FSIZE, (SHARED_BYTES + room, hard))
            yield
            resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
        else:
            yield


def full(run: Run) -> Numbers:
    """Fill the disk under the mirror, make room, and let it go on without any repair."""
    way = WAYS[run.seed % len(WAYS)]
    with open_chain(run.chance) as chain:
        following = Following(url=chain.anvil.url, contracts=chain.followed(0, 1))
        ours, theirs = CONTEXT.Pipe()
        room = run.chance.randrange(2 * PAGE, ROOM_MAX)
        chain.grow(BEFORE)
        process = CONTEXT.Process(
            target=_suffer, args=(theirs, str(run.folder), following, way, room), daemon=True
        )
        process.start()
        try:
            used = _hear(ours)
            chain.grow_busily(AFTER)
            ours.send("grown")
            met = _hear(ours)
            copy = _hear(ours)
        finally:
            process.kill()
            process.join(END_SECONDS)
        with opened(f"sqlite:///{copy}") as engine:
            chain.grow(1)
            catch_up(engine, following)
            require_right(engine, chain.anvil.node, following)
    return {used.replace(" ", "_"): 1, "errors": met}


def _hear(pipe: Connection) -> Any:
    if not pipe.poll(END_SECONDS):
        raise Violated("the process whose disk is full says nothing")
    heard = pipe.recv()
    if isinstance(heard, Exception):
        raise heard
    return heard


def _suffer(pipe: Connection, folder: str, following: Following, way: str, room: int) -> None:
    try:
        _live(pipe, Path(folder), following, way, room)
    except Exception as error:
        pipe.send(Violated(f"{type(error).__name__}: {error}"))


def _live(pipe: Connection, folder: Path, following: Following, way: str, room: int) -> None:
    disk, way = _disk(folder, way)
    witness = Witness(FINALITY)
    path = disk.folder / "mirror.db"
    with opened(f"sqlite:///{path}") as engine:
        catch_up(engine, following)
        witness.look(engine)
    pipe.send(way)
    pipe.recv()
    with disk.almost_full(room):
        errors = sum(_stops(disk, path, room, following) for _ in range(2))
    if errors == 0:
        raise Violated(f"the disk was never full ({way})")
    pipe.send(errors)
    with opened(f"sqlite:///{path}") as engine:
        witness.look(engine)
        found = intervals(stored(engine))
        if found:
            raise Violated("; ".join(found))
        catch_up(engine, following)
        witness.look(engine)
    copy = folder / "after.db"
    with closing(sqlite3.connect(path)) as here, closing(sqlite3.connect(copy)) as there:
        here.backup(there)
    pipe.send(str(copy))


def _stops(disk: _Disk, path: Path, room: int, following: Following) -> bool:
    """Open the mirror and follow, and say whether a full disk stopped that."""
    try:
        with (
            _mirror(path, disk, room) as engine,
            following.source() as source,
            Worker(engine, lambda: source, lock=path.parent / "lock", project=project) as worker,
        ):
            worker.sync_once()
    except DATABASE_FAILED:
        return True
    return False


# --- ways to have no room -------------------------------------------------------------------------


def _disk(folder: Path, way: str) -> tuple[_Disk, str]:
    own = folder / "disk"
    own.mkdir()
    if way == "file system" and not _own_file_system(own):
        # Not everybody may mount; the limit on files is everybody's.
        way = "file size"
    return _Disk(own, way), way


def _own_file_system(folder: Path) -> bool:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWNS) != 0:
        return False
    if libc.mount(b"none", b"/", None, MS_REC | MS_PRIVATE, None) != 0:
        return False
    return _mount(folder, 1 << 28, 0)


def _mount(folder: Path, size: int, flags: int) -> bool:
    libc = ctypes.CDLL(None, use_errno=True)
    options = f"size={size}".encode()
    status: int = libc.mount(b"tmpfs", str(folder).encode(), b"tmpfs", flags, options)
    return status == 0


def _used(folder: Path) -> int:
    told = os.statvfs(folder)
    return (told.f_blocks - told.f_bfree) * told.f_frsize


@contextmanager
def _mirror(path: Path, disk: _Disk, room: int) -> Iterator[Engine]:
    engine = open_mirror(f"sqlite:///{path}")
    if disk.way == "pages":
        engine.dispose()
        event.listen(engine, "connect", lambda connection, _: _limit(connection, room // PAGE))
    try:
        yield engine
    finally:
        engine.dispose()


def _limit(connection: Any, pages: int) -> None:
    (count,) = connection.execute("PRAGMA page_count").fetchone()
    connection.execute(f"PRAGMA max_page_count={count + pages}")
