"""
Opens what the mirror's lines need: a source on the measured chain, and empty mirrors to fill.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Engine

from bench.ledger.recorded import Chain
from chain.chain_profiles import ANVIL
from chain.fetch import Source
from chain.indexer import sync_once
from chain.rpc import Node
from chain.store import open_mirror
from registry import tables as registry_tables
from settlement import tables as settlement_tables
from settlement.projection import apply

# A mirror has the tables of all records that are imported before it is opened.
TABLES = (registry_tables, settlement_tables)


def source_of(chain: Chain, node: Node, **options: Any) -> Source:
    """Return the source that a worker follows the chain by."""
    return Source(
        node=node,
        chain_id=chain.chain_id,
        contracts=chain.contracts,
        finality=ANVIL.finality,
        **options,
    )


@contextmanager
def mirror(url: str) -> Iterator[Engine]:
    """Open a mirror, and close it."""
    engine = open_mirror(url)
    try:
        yield engine
    finally:
        engine.dispose()


def fill(engine: Engine, chain: Chain, **options: Any) -> int:
    """Follow the chain up to its head, as the worker does, and return the number of events."""
    with Node(chain.url, timeout_seconds=120) as node:
        return sync_once(engine, source_of(chain, node, **options), apply).events


def sqlite_url(path: Path) -> str:
    """Return the URL of a mirror in a file."""
    return f"sqlite:///{path}"
