"""
Opens the mirror of a home in this version's layout, whatever layout it was left in.

It starts no worker and asks no node. The operational database is `api.migrations`'.
"""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from sqlalchemy import Engine, inspect

from chain.engines import WriterLock
from chain.failure import Conflict
from chain.layouts import (
    LAYOUT,
    Note,
    is_noted,
    layout_of,
    make_tables,
    require_known,
    upgrade_mirror,
)
from chain.process import AlreadyHeld, held
from chain.store import mirror_engine
from chain.tables import MIRROR
from registry import tables as registry_tables
from settlement import tables as settlement_tables
from settlement.projection import apply

LOG: Final = logging.getLogger(__name__)

# The mirror holds the tables of all records that are imported before it is opened.
TABLES: Final = (registry_tables, settlement_tables)

# How long somebody else may take to bring a mirror to this layout.
WAIT_SECONDS: Final = 600
PAUSE_SECONDS: Final = 0.2


class MirrorWritten(Conflict):
    """Another process writes this mirror."""

    lock: str


def open_current(url: str, lock: Path, note: Note = lambda _, __: None) -> Engine:
    """
    Open a mirror, bringing it to this version's layout first, alone, if it has an older one.

    :raises MirrorNewer: if a newer version wrote it
    :raises MirrorWritten: if a process of an older version is writing it
    """
    engine = mirror_engine(url)
    try:
        layout = _layout(engine)
        require_known(layout)
        if layout is not None and layout < LAYOUT:
            _upgrade(engine, lock, note)
        # Who only reads must not wait for a writer, such as a rebuild.
        if not _is_whole(engine):
            make_tables(engine)
    except BaseException:
        engine.dispose()
        raise
    return engine


@contextmanager
def alone(engine: Engine, lock: Path) -> Iterator[None]:
    """
    Be a mirror's only writer: on this machine, and on PostgreSQL of any.

    :raises AlreadyHeld: if another process is
    """
    writer = WriterLock(engine)
    with held(lock):
        try:
            writer.hold()
            yield
        finally:
            writer.release()


def _upgrade(engine: Engine, lock: Path, note: Note) -> None:
    end = time.monotonic() + WAIT_SECONDS
    while (found := _layout(engine)) is not None and found < LAYOUT:
        try:
            with alone(engine, lock):
                is_folded = upgrade_mirror(engine, apply, note)
                LOG.warning("mirror upgraded from=%s to=%s", found, LAYOUT)
                if is_folded:
                    LOG.warning("mirror folded anew from its stored events")
        except AlreadyHeld as error:
            if time.monotonic() > end:
                raise MirrorWritten(lock=str(lock)) from error
            time.sleep(PAUSE_SECONDS)


def _is_whole(engine: Engine) -> bool:
    with engine.connect() as connection:
        there = set(inspect(connection).get_table_names())
        return there >= set(MIRROR.metadata.tables) and is_noted(connection)


def _layout(engine: Engine) -> int | None:
    with engine.connect() as connection:
        return layout_of(connection)
