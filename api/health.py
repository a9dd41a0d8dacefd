"""
Whether the mirror keeps up with the node, and whether the books close.

It repairs nothing and compares no views: `api.audit` does that.
"""

from enum import Enum, auto
from functools import lru_cache
from typing import Final

from sqlalchemy import Engine
from sqlmodel import Session

from api.deps import Services, open_reading
from api.models import AsOf, Json, described, names_of
from api.problems import MirrorEmpty
from api.wire import make_model
from chain.failure import LedgerError
from chain.rpc import number_of
from settlement.store import violations

# A mirror further behind than this answers questions about the past.
LAG_BLOCKS_MAX: Final = 2
BLOCKS_REMEMBERED: Final = 4


class HealthStatus(Enum):
    """What the figures amount to, worst last."""

    OK = auto()
    LAGGING = auto()
    NODE_UNREACHABLE = auto()
    EMPTY = auto()
    BROKEN = auto()


HEALTH: Final = make_model(
    "HealthOut",
    described(
        {
            "status": (
                names_of(HealthStatus),
                "OK; LAGGING behind the node by more than two blocks; NODE_UNREACHABLE: reads are"
                " served from the mirror; EMPTY: no block is mirrored; BROKEN: an invariant fails.",
            ),
            "chain_id": (int, "The chain."),
            "indexed_block": (int | None, "Height of the mirror's newest block."),
            "node_block": (int | None, "Height of the node's newest block; null if it is silent."),
            "lag_blocks": (int | None, "How far the mirror is behind."),
            "invariants": (
                list[str],
                "What does not close, one sentence each; empty when all is well.",
            ),
            "as_of": (AsOf | None, "The block that the invariants were checked at."),
        }
    ),
    doc="Whether answers can be relied on now.",
)


def tell_health(services: Services) -> Json:
    """Return the figures; a silent node or an empty mirror is told, not raised."""
    node_block = _node_block(services)
    with Session(services.mirror) as session:
        try:
            reading = open_reading(session, services.finality_depth)
        except MirrorEmpty:
            return _told(services, HealthStatus.EMPTY, None, node_block, [], None)
        broken = list(_violations_at(services.mirror, reading.block.hash))
        indexed = reading.block.number
        status = _status(broken, node_block, indexed)
        return _told(services, status, indexed, node_block, broken, reading.as_of())


def _status(broken: list[str], node_block: int | None, indexed: int) -> HealthStatus:
    if broken:
        return HealthStatus.BROKEN
    if node_block is None:
        return HealthStatus.NODE_UNREACHABLE
    return HealthStatus.LAGGING if node_block - indexed > LAG_BLOCKS_MAX else HealthStatus.OK


@lru_cache(maxsize=BLOCKS_REMEMBERED)
def _violations_at(mirror: Engine, block_hash: str) -> tuple[str, ...]:  # noqa: ARG001
    # Sums over all rows: once per block, however often somebody asks how we are.
    with Session(mirror) as session:
        return violations(session)


def _node_block(services: Services) -> int | None:
    try:
        return number_of(services.node.call("eth_blockNumber"))
    except LedgerError:
        return None


def _told(
    services: Services,
    status: HealthStatus,
    indexed: int | None,
    node_block: int | None,
    broken: list[str],
    as_of: Json | None,
) -> Json:
    is_known = indexed is not None and node_block is not None
    return {
        "status": status.name,
        "chain_id": services.chain_id,
        "indexed_block": indexed,
        "node_block": node_block,
        "lag_blocks": max(0, (node_block or 0) - (indexed or 0)) if is_known else None,
        "invariants": broken,
        "as_of": as_of,
    }
