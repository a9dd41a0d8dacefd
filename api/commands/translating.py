"""
What the operating system and databases refuse, told as our own errors: one sentence, no secret.

Which step helps is `api.commands.failing`'s.
"""

import errno
import sqlite3
import sys
from typing import Any, Final

from chain.failure import LedgerError

# PostgreSQL's codes: what the role may not do, where nobody may write, and no room.
NOT_ALLOWED: Final = frozenset({"42501", "25006"})
NO_ROOM: Final = frozenset({"53100", "53200"})
FULL: Final = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class SystemRefused(LedgerError):
    """The operating system refused."""

    reason: str


class DiskFull(LedgerError):
    """There is no room left to write."""

    reason: str


class DatabaseNotWritable(LedgerError):
    """The database may be read, but not written."""

    reason: str


class DatabaseUnreachable(LedgerError):
    """The database does not answer, or does not let us in."""

    reason: str


class DatabaseRefused(LedgerError):
    """The database refused."""

    reason: str


def translated(error: BaseException) -> LedgerError | None:
    """Return an error of the system or of a database as ours; None if it is neither."""
    if isinstance(error, OSError):
        place = f"{error.filename}: " if error.filename else ""
        reason = f"{place}{error.strerror or error}"
        return DiskFull(reason=reason) if error.errno in FULL else SystemRefused(reason=reason)
    found = _of_driver(error)
    return None if found is None else _of_database(found)


def _of_driver(error: BaseException) -> BaseException | None:
    """Return the driver's own error, whoever wrapped it; nothing is loaded to find out."""
    wrapping: Any = sys.modules.get("sqlalchemy.exc")
    if wrapping is not None and isinstance(error, wrapping.DBAPIError):
        original: BaseException = error.orig or error
        return original
    driver: Any = sys.modules.get("psycopg")
    is_drivers = driver is not None and isinstance(error, driver.Error)
    return error if is_drivers or isinstance(error, sqlite3.Error) else None


def _of_database(error: BaseException) -> LedgerError:
    # The sentence of the server alone: what follows quotes the statement.
    reason = (str(error).strip() or type(error).__name__).splitlines()[0]
    code = getattr(error, "sqlstate", None)
    if code in NO_ROOM or "disk is full" in reason:
        return DiskFull(reason=reason)
    if code in NOT_ALLOWED or "readonly database" in reason:
        return DatabaseNotWritable(reason=reason)
    if "unable to open database" in reason or (_is_operational(error) and code is None):
        return DatabaseUnreachable(reason=reason)
    return DatabaseRefused(reason=reason)


def _is_operational(error: BaseException) -> bool:
    # Of SQLite it says anything; of PostgreSQL without a code that there was no connection.
    return type(error).__module__.startswith("psycopg") and type(error).__name__ in (
        "OperationalError",
        "ConnectionTimeout",
    )
