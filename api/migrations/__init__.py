"""
Brings a home's operational database to the layout that this version writes, keeping every row.

The mirror is no business of this: its layouts are `api.layouts`', since it can be made anew.
"""

from pathlib import Path
from typing import Final

from sqlalchemy import Connection, Engine, inspect, text

from api.operational import KEPT
from chain.entries import OPERATIONAL
from chain.failure import Conflict
from chain.outbox import operational_engine

SCRIPTS: Final = Path(__file__).resolve().parent

# The last of the scripts in `versions`; a test keeps it so.
NEWEST: Final = "0005"

VERSION_TABLE: Final = "alembic_version"


class DatabaseNewer(Conflict):
    """The operational database was written by a newer version of this program."""

    revision: str
    newest_known: str


def open_operational(path: Path) -> Engine:
    """
    Open the operational database of a home, upgraded.

    :raises DatabaseNewer: if a newer version of this program wrote it
    """
    engine = operational_engine(path)
    try:
        upgrade(engine)
    except BaseException:
        engine.dispose()
        raise
    return engine


def upgrade(engine: Engine) -> bool:
    """
    Bring the database to the newest layout, in one transaction, and say whether that was needed.

    ensures: of several processes one does it and the others wait; a failure changes nothing
    :raises DatabaseNewer: if a newer version of this program wrote it
    """
    with engine.connect() as reading:
        if revision_of(reading.execution_options(reads=True)) == NEWEST:
            return False
    with engine.begin() as connection:
        # Another process may have been first.
        found = revision_of(connection)
        if found == NEWEST:
            return False
        if found is None and not inspect(connection).get_table_names():
            _make(connection)
        else:
            _run(connection, found)
    return True


def revision_of(connection: Connection) -> str | None:
    """Return the layout of a database; None before the first that was numbered."""
    if not inspect(connection).has_table(VERSION_TABLE):
        return None
    query = text(f"SELECT version_num FROM {VERSION_TABLE}")
    found: str | None = connection.execute(query).scalar()
    return found


def _make(connection: Connection) -> None:
    # Nothing to keep: the newest layout at once. A test holds both ways equal.
    OPERATIONAL.create_all(connection)
    KEPT.create_all(connection)
    connection.execute(
        text(
            f"CREATE TABLE {VERSION_TABLE} (version_num VARCHAR(32) NOT NULL,"
            f" CONSTRAINT {VERSION_TABLE}_pkc PRIMARY KEY (version_num))"
        )
    )
    connection.execute(
        text(f"INSERT INTO {VERSION_TABLE} VALUES (:revision)"), {"revision": NEWEST}
    )


def _run(connection: Connection, found: str | None) -> None:
    # Only those who have something to upgrade load it.
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(SCRIPTS).replace("%", "%%"))
    config.attributes["connection"] = connection
    known = {one.revision for one in ScriptDirectory.from_config(config).walk_revisions()}
    if found is not None and found not in known:
        raise DatabaseNewer(revision=found, newest_known=NEWEST)
    command.upgrade(config, "head")
