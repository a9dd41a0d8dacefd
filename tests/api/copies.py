"""
Copies of a home with its mirror, on whatever database that is, and the mirror changed and asked
behind everybody's back.

It knows no test.
"""

import shutil
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, text

from tests.postgres import clone_mirror, mirror_of


def copy_home(home: Path, target: Path) -> Path:
    """Copy a home that nobody serves, with its mirror."""
    shutil.copytree(home, target)
    clone_mirror(home, target)
    return target


def change(home: Path, statement: str, **values: object) -> None:
    """Change a mirror: no reference between rows holds anybody back."""
    engine = create_engine(mirror_of(home))
    with engine.begin() as connection:
        # SQLite looks after references only where it is told to.
        if engine.dialect.name == "postgresql":
            connection.execute(text("SET LOCAL session_replication_role = replica"))
        connection.execute(text(statement), values)
    engine.dispose()


def ask(home: Path, query: str) -> list[tuple[Any, ...]]:
    """Return the rows that a mirror answers with."""
    engine = create_engine(mirror_of(home))
    with engine.connect() as connection:
        found = [tuple(row) for row in connection.execute(text(query))]
    engine.dispose()
    return found
