"""
Files that a person names to a command: read whole, and no more of them than they may hold.

What they hold is the command's. Nothing heavy is imported: judging a certificate must start fast.
"""

import sys
from pathlib import Path
from typing import IO, Final

from api.commands.failing import FileNotTaken

FILE_BYTES_MAX: Final = 1 << 20
STANDARD: Final = Path("-")


def read_file(path: Path, *, bytes_max: int = FILE_BYTES_MAX) -> bytes:
    """
    Return what a file holds.

    :raises FileNotTaken: if it cannot be read, or holds more
    """
    try:
        with path.open("rb") as file:
            return _bounded(file, path, bytes_max)
    except OSError as error:
        raise FileNotTaken(path=str(path), reason=error.strerror or str(error)) from error


def read_input(path: Path, *, bytes_max: int = FILE_BYTES_MAX) -> bytes:
    """
    Return what a file holds, or the standard input for `-`.

    :raises FileNotTaken: as `read_file` does
    """
    if path != STANDARD:
        return read_file(path, bytes_max=bytes_max)
    try:
        return _bounded(sys.stdin.buffer, path, bytes_max)
    except OSError as error:
        raise FileNotTaken(path=str(path), reason=error.strerror or str(error)) from error


def _bounded(file: IO[bytes], path: Path, bytes_max: int) -> bytes:
    data = file.read(bytes_max + 1)
    if len(data) > bytes_max:
        raise FileNotTaken(path=str(path), reason=f"it is larger than {bytes_max} bytes")
    return data
