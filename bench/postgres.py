"""
A PostgreSQL server for one run, as durable as the SQLite mirrors beside it.

The server is the tests' own (`tests.postgres`), with its safety put back: SQLite's WAL in mode
NORMAL loses the last commits in a power cut and nothing else, and so does this.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count

import psycopg
from psycopg.sql import SQL, Identifier

from bench.lines import Skip

SETTINGS = {"fsync": "on", "full_page_writes": "on", "synchronous_commit": "off"}


class Server:
    """A running server, which makes empty databases."""

    def __init__(self, server: "Postgres") -> None:  # type: ignore[name-defined]  # noqa: F821
        self._server = server
        self._numbers = count()

    def fresh(self) -> str:
        """Make an empty database and return its URL."""
        name = f"bench_{next(self._numbers)}"
        self._server.create(name)
        return str(self._server.url(name))


@contextmanager
def running() -> Iterator[Server]:
    """
    Run a server.

    :raises Skip: if there is none to be started here
    """
    try:
        from tests.postgres import Postgres

        server = Postgres()
    except (ImportError, OSError, RuntimeError) as error:
        raise Skip(f"no PostgreSQL server: {error}") from error
    try:
        url = server.url("postgres").replace("postgresql+psycopg", "postgresql")
        with psycopg.connect(url, autocommit=True) as connection:
            for name, value in SETTINGS.items():
                connection.execute(SQL("ALTER SYSTEM SET {} = {}").format(Identifier(name), value))
            connection.execute("SELECT pg_reload_conf()")
        yield Server(server)
    finally:
        server.stop()
