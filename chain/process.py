"""
Other processes of this machine: whether the one that was meant still runs, and who may start it.

A number alone names no process, since numbers are used again; with the moment it began it does.
"""

import fcntl
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final

from chain.durable import make_folder
from chain.failure import Conflict

PROC: Final = Path("/proc")

# proc(5): after the name in brackets, the state is the first field and the start the twentieth.
STATE_FIELD: Final = 0
START_FIELD: Final = 19
ZOMBIE: Final = "Z"


class AlreadyHeld(Conflict):
    """Another process holds what only one may hold."""

    path: str


def start_mark(pid: int) -> str | None:
    """
    Return what tells a running process from every other that had its number; None if none runs.

    shape: opaque text, equal for the same process as long as the machine is up
    """
    if PROC.is_dir():
        return _mark_of_proc(pid)
    listed = subprocess.run(
        ["ps", "-o", "stat=,lstart=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    state, _, started = listed.stdout.strip().partition(" ")
    return started.strip() if started and not state.startswith(ZOMBIE) else None


def _mark_of_proc(pid: int) -> str | None:
    try:
        text = (PROC / str(pid) / "stat").read_text()
        boot = (PROC / "sys/kernel/random/boot_id").read_text().strip()
    except (FileNotFoundError, ProcessLookupError):
        return None
    fields = text.rpartition(")")[2].split()
    return None if fields[STATE_FIELD] == ZOMBIE else f"{boot}:{fields[START_FIELD]}"


def is_running(pid: int, mark: str) -> bool:
    """Say whether the process of that number is still the one that had this mark."""
    return start_mark(pid) == mark


@contextmanager
def held(path: Path) -> Iterator[None]:
    """
    Hold a lock while the block runs; it ends with the process, however that ends.

    :raises AlreadyHeld: if another holds it
    """
    lock = take_lock(path)
    try:
        yield
    finally:
        lock.close()


def take_lock(path: Path) -> IO[bytes]:
    """
    Return an open file that holds a lock until it is closed, or the process ends.

    :raises AlreadyHeld: if another holds it
    """
    make_folder(path.parent)
    lock = path.open("ab")
    os.set_inheritable(lock.fileno(), False)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        lock.close()
        raise AlreadyHeld(path=str(path)) from error
    return lock
