"""
Engines of the mirror's database, SQLite or PostgreSQL: opened, its tables made, its one writer.

What is in the tables is others' affair; the operational database is `chain.outbox`'s.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.exc import DBAPIError

from chain.failure import Forbidden
from chain.passwords import read_password
from chain.process import AlreadyHeld
from chain.tables import MIRROR

# The part of a URL that is ours, not the driver's.
PASSWORD_FILE: Final = "password_file"

BUSY_TIMEOUT_MS: Final = 10_000

# Of each connection to SQLite: what it may keep in memory, and after how much the log is emptied.
CACHE_KIB: Final = 16_384
CHECKPOINT_PAGES: Final = 8_000

# Advisory locks of PostgreSQL, by number: "shulian" and what it is for.
WRITER_LOCK: Final = 0x7368_756C_6961_0001
# What a connection is told whose transactions begin on the driver already (`chain.reading`).
BEGUN: Final = "BEGUN"
TABLES_LOCK: Final = 0x7368_756C_6961_0002


# Whether a role may fill all tables there are, in a transaction that may write at all.
WRITABLE: Final = (
    "SELECT current_setting('transaction_read_only') = 'off' AND coalesce(bool_and("
    "has_table_privilege(format('%I.%I', schemaname, tablename), 'INSERT')), true)"
    " FROM pg_tables WHERE schemaname = current_schema()"
)


class MirrorNotWritable(Forbidden):
    """The role may read the mirror's database, but not write it."""

    role: str


class WriterLock:
    """
    Keeps a second writer of a PostgreSQL mirror out, from whatever machine it comes.

    SQLite needs none: its writers are on one machine, where `chain.process` locks a file.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._connection: Connection | None = None

    def hold(self) -> None:
        """
        Take the lock, or make sure that it is still held: it ends with the connection that took it.

        shape: to be asked before every pass; after the database was away, it is taken anew
        :raises AlreadyHeld: if another holds it
        """
        if self._engine.dialect.name != "postgresql" or self._is_held():
            return
        connection = self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        taken = text("SELECT pg_try_advisory_lock(:number)")
        if not connection.execute(taken, {"number": WRITER_LOCK}).scalar_one():
            connection.close()
            raise AlreadyHeld(path=self._engine.url.render_as_string())
        self._connection = connection

    def release(self) -> None:
        """Let go of the lock, if it is held."""
        if self._connection is not None:
            # Not back into the pool: when the connection ends, the server lets go of the lock.
            self._connection.invalidate()
            self._connection.close()
            self._connection = None

    def _is_held(self) -> bool:
        if self._connection is None:
            return False
        try:
            self._connection.execute(text("SELECT 1"))
        except DBAPIError:
            self.release()
            return False
        return True


def require_writable(engine: Engine) -> None:
    """
    Check that who opened a mirror may also write it, before anything relies on that.

    shape: of PostgreSQL, by the role's rights; SQLite says so itself when a transaction begins
    :raises MirrorNotWritable: if not
    """
    if engine.dialect.name != "postgresql":
        return
    with engine.connect() as connection:
        if not connection.execute(text(WRITABLE)).scalar():
            user = str(connection.execute(text("SELECT current_user")).scalar())
            raise MirrorNotWritable(role=user)


def open_mirror(url: str) -> Engine:
    """Return an engine of the mirror's database with all tables that are imported by now."""
    engine = mirror_engine(url)
    create_tables(engine)
    return engine


def create_tables(engine: Engine) -> None:
    """Make the tables that are not there yet; two processes may do so at once."""
    with engine.connect() as connection, _alone(connection):
        MIRROR.metadata.create_all(connection)


def mirror_engine(url: str, **options: Any) -> Engine:
    """
    Return an engine of the mirror's database as it is.

    shape: SQLite gets WAL, foreign keys and a busy timeout; PostgreSQL is spoken to by psycopg 3,
           with the password of the file that `?password_file=` names, if it does
    """
    parsed = make_url(url)
    password_file = parsed.query.get(PASSWORD_FILE)
    parsed = parsed.difference_update_query([PASSWORD_FILE])
    if parsed.drivername in ("postgresql", "postgres"):
        parsed = parsed.set(drivername="postgresql+psycopg")
    if parsed.get_backend_name() == "postgresql":
        # A connection that the server dropped while it was idle is not given out.
        options = {"pool_pre_ping": True, **options}
    engine = create_engine(parsed, **options)
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    if password_file:
        event.listen(engine, "do_connect", _password_of(Path(str(password_file))))
    return engine


def _password_of(path: Path) -> Callable[..., None]:
    # At every connection, so that a password that was changed needs no restart.
    def give(_: object, __: object, ___: object, parameters: dict[str, Any]) -> None:
        parameters["password"] = read_password(path)

    return give


@contextmanager
def _alone(connection: Connection) -> Iterator[None]:
    if connection.dialect.name == "postgresql":
        with connection.begin():
            lock = text("SELECT pg_advisory_xact_lock(:number)")
            connection.execute(lock, {"number": TABLES_LOCK})
            yield
        return
    # Looking first, and then writing, must be one transaction that began as a writer.
    with connection.execution_options(begin="IMMEDIATE").begin():
        yield


def _prepare_sqlite(connection: Any, _: object) -> None:
    # The driver's own transactions begin too late for a read that decides a write.
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=NORMAL")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.execute(f"PRAGMA cache_size=-{CACHE_KIB}")
    cursor.execute(f"PRAGMA wal_autocheckpoint={CHECKPOINT_PAGES}")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    kind = connection.get_execution_options().get("begin", "DEFERRED")
    if kind != BEGUN:
        connection.exec_driver_sql(f"BEGIN {kind}")
