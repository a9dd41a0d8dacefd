"""
The mirror: its database, whether we may write there, its layout, and how far behind it is.

Nothing is made or upgraded.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, Engine, make_url, text
from sqlalchemy.exc import DBAPIError

from api.config import Settings
from api.doctor.findings import Finding, bad, good, odd
from api.doctor.home import may_write
from api.upkeep.mirror_state import state_of
from chain.engines import WRITABLE, mirror_engine
from chain.failure import LedgerError
from chain.layouts import LAYOUT, layout_of
from chain.nodes import open_nodes

# The oldest that its makers still mend.
POSTGRESQL_MIN: Final = 130_000
LAG_BLOCKS_MAX: Final = 10
SECONDS_MAX: Final = 5


def examine_mirror(settings: Settings) -> Iterator[Finding]:
    """Look at the database and at what the mirror says of itself."""
    path = make_url(settings.mirror_url).database or ""
    # Opening it would make the file.
    if settings.mirror_url.startswith("sqlite") and not Path(path).is_file():
        yield odd("mirror", "unmade")
        return
    engine = mirror_engine(settings.mirror_url, **_options(settings.mirror_url))
    try:
        yield from _database(engine)
        yield from _state(engine, settings)
    except DBAPIError as error:
        reason = " ".join(str(error.orig).split())
        if engine.dialect.name != "sqlite":
            yield bad("database", "silent", reason=reason)
        elif not may_write(Path(path)):
            yield bad("database", "readonly", path=path)
        else:
            yield bad("database", "broken", path=path, reason=reason)
    except LedgerError as error:
        yield bad("database", "silent", reason=error)
    finally:
        engine.dispose()


def _options(url: str) -> dict[str, Any]:
    if url.startswith("sqlite"):
        return {}
    return {"connect_args": {"connect_timeout": SECONDS_MAX}}


def _database(engine: Engine) -> Iterator[Finding]:
    with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            version = connection.execute(text("SELECT sqlite_version()")).scalar()
            yield good("database", name="SQLite", version=version)
            return
        number = int(str(connection.execute(text("SHOW server_version_num")).scalar()))
        version = connection.execute(text("SHOW server_version")).scalar()
        zone = connection.execute(text("SHOW timezone")).scalar()
        encoding = connection.execute(text("SHOW server_encoding")).scalar()
        if number < POSTGRESQL_MIN:
            yield bad("database", "old", version=version)
        elif encoding != "UTF8":
            yield bad("database", "encoding", encoding=encoding)
        else:
            yield good("database", "server", name="PostgreSQL", version=version, zone=zone)
        yield _role(connection)


def _role(connection: Connection) -> Finding:
    user = connection.execute(text("SELECT current_user")).scalar()
    if connection.execute(text("SELECT pg_is_in_recovery()")).scalar():
        return bad("role", "standby", user=user)
    makes = "SELECT has_schema_privilege(current_schema(), 'CREATE')"
    is_free = all(connection.execute(text(one)).scalar() for one in (WRITABLE, makes))
    return good("role", user=user) if is_free else bad("role", "readonly", user=user)


def _state(engine: Engine, settings: Settings) -> Iterator[Finding]:
    with engine.connect() as connection:
        layout = layout_of(connection)
    if layout is None:
        yield odd("mirror", "unmade")
        return
    if layout > LAYOUT:
        yield bad("layout", "newer", found=layout, known=LAYOUT)
        return
    if layout < LAYOUT:
        yield odd("layout", "older", found=layout, known=LAYOUT)
        return
    yield good("layout", found=layout)
    found = _told(engine, settings)
    values = {
        "block": "–" if found.tip is None else found.tip.number,
        "lag": "–" if found.lag_blocks is None else found.lag_blocks,
        "writer": found.writer.pid or "–",
    }
    letters = found.counts["dead_letters"]
    if found.alarm:
        yield bad("mirror", "alarm", alarm=found.alarm, **values)
    elif letters:
        yield odd("mirror", "letters", letters=letters, **values)
    elif found.tip is None:
        yield odd("mirror", "empty")
    elif not found.writer.is_writing:
        yield odd("mirror", "idle", **values)
    elif found.lag_blocks is not None and found.lag_blocks > LAG_BLOCKS_MAX:
        yield odd("mirror", "late", **values)
    else:
        yield good("mirror", **values)


def _told(engine: Engine, settings: Settings) -> Any:
    if not settings.rpc_url:
        return state_of(engine, settings.mirror_lock, None)
    with open_nodes(settings.rpc_url) as node:
        return state_of(engine, settings.mirror_lock, node)
