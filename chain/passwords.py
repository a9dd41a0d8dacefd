"""
Passwords that stand in files: read when they are needed, told to nobody.

Not here: what they open (`chain.keys`, `chain.engines`).
"""

from pathlib import Path
from typing import Final

from chain.failure import Forbidden, LedgerError

BYTES_MAX: Final = 4096
# A service manager may hand a file to one process through its group or an access list.
EVERYBODY: Final = 0o007
ANYBODY_ELSE: Final = 0o077


class FileOpenToOthers(Forbidden):
    """The file may be read by others than its owner: set its mode to 600."""

    path: str


class PasswordFileUnreadable(LedgerError):
    """The file of a password cannot be read."""

    path: str
    reason: str


def read_password(path: Path) -> str:
    """
    Return the password that a file holds, without the end of its line.

    :raises PasswordFileUnreadable: if it cannot be read, or holds none
    :raises FileOpenToOthers: if everybody may read it
    """
    require_private(path, open_to=EVERYBODY)
    try:
        with path.open("rb") as file:
            found = file.read(BYTES_MAX).decode("utf-8").strip()
    except OSError as error:
        raise PasswordFileUnreadable(path=str(path), reason=_reason(error)) from error
    except UnicodeDecodeError as error:
        raise PasswordFileUnreadable(path=str(path), reason="it is not text") from error
    if not found:
        raise PasswordFileUnreadable(path=str(path), reason="it is empty")
    return found


def require_private(path: Path, *, open_to: int = ANYBODY_ELSE) -> None:
    """
    Check that a secret's file is not open to others.

    :raises PasswordFileUnreadable: if it cannot be looked at
    :raises FileOpenToOthers: if its mode gives any of the rights in `open_to`
    """
    try:
        mode = path.stat().st_mode
    except OSError as error:
        raise PasswordFileUnreadable(path=str(path), reason=_reason(error)) from error
    if mode & open_to:
        raise FileOpenToOthers(path=str(path))


def _reason(error: OSError) -> str:
    return error.strerror or str(error)
