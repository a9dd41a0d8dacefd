"""
Files that are there whole or not at all, whatever happens to the process or the power meanwhile.

Not here: what the files hold or how they are named.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import IO


@contextmanager
def fresh_file(folder: Path) -> Iterator[IO[bytes]]:
    """
    Open a new file, readable by its owner only, that is gone afterwards unless `publish` named it.

    shape: made in `folder`, so that publishing within the same file system is one rename
    """
    make_folder(folder)
    with NamedTemporaryFile(dir=folder, prefix=".fresh-", delete=False) as file:
        try:
            yield file
        finally:
            Path(file.name).unlink(missing_ok=True)


def publish(file: IO[bytes], path: Path) -> None:
    """
    Give a fresh file its name, replacing what had it, once its bytes are on the disk.

    ensures: after a crash at any point `path` is the old file or the whole new one
    """
    file.flush()
    os.fsync(file.fileno())
    make_folder(path.parent)
    os.replace(file.name, path)
    _sync_folder(path.parent)


def make_folder(folder: Path, *, mode: int = 0o777) -> None:
    """
    Make a folder and what is above it, each on the disk before the next is made in it.

    shape: the mode is that of the last one, where it is not there yet; the umask may close it more
    """
    if folder.is_dir():
        return
    make_folder(folder.parent)
    folder.mkdir(mode=mode, exist_ok=True)
    _sync_folder(folder.parent)


def _sync_folder(folder: Path) -> None:
    """Put a folder's entries on the disk; without this a power cut may undo a rename."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
