"""
Whether the mirror keeps up with the node, whether the books close, and what a person must look at.

It repairs nothing and compares no views: `api.auditing.audit` does that. Nothing here takes longer
the more there is, but the books' sums, which are made once per block.
"""

from dataclasses import dataclass
from enum import Enum, auto
from functools import lru_cache
from typing import Any, Final

from sqlalchemy import Engine
from sqlmodel import Session

from api.auditing.alarms import open_alarms
from api.content.alarms import content_alarms
from api.deps import Reading, Services, open_reading
from api.models import AsOf, Json, described, names_of
from api.problems import MirrorEmpty, NotReady
from api.webhooks.endpoints import WebhookState
from api.wire import make_model
from chain.detection import profile_of_client
from chain.failure import LedgerError
from chain.heads import heads_of
from chain.letters import count_letters
from chain.rpc import Call, number_of, seconds_of
from settlement.store import violations

# A mirror further behind than this answers questions about the past.
LAG_BLOCKS_MAX: Final = 2
BLOCKS_REMEMBERED: Final = 4
STOPPED_ALARM: Final = "the mirror stopped"


class HealthStatus(Enum):
    """What the figures amount to, worst last."""

    OK = auto()
    DEGRADED = auto()
    LAGGING = auto()
    CHAIN_STALLED = auto()
    NODE_UNREACHABLE = auto()
    EMPTY = auto()
    STOPPED = auto()
    BROKEN = auto()


HEALTH: Final = make_model(
    "HealthOut",
    described(
        {
            "status": (
                names_of(HealthStatus),
                "OK; DEGRADED: something waits for a person, answers hold; LAGGING behind the node"
                " by more than two blocks; CHAIN_STALLED: nodes answer but make no blocks, so what"
                " is sent waits; NODE_UNREACHABLE: reads are served from the mirror; EMPTY: no"
                " block is mirrored; STOPPED: the mirror's writer ended; BROKEN: an invariant"
                " fails, or an audit found a difference.",
            ),
            "chain_id": (int, "The chain."),
            "indexed_block": (int | None, "Height of the mirror's newest block."),
            "final_block": (int | None, "Height up to which no fork can change anything."),
            "node_block": (int | None, "Height of the node's newest block; null if it is silent."),
            "node_block_age_seconds": (
                int | None,
                "How long ago that block was made; null if the node is silent.",
            ),
            "lag_blocks": (int | None, "How far the mirror is behind."),
            "finality": (str, "The rule: `auto`, `finalized`, or a number of blocks."),
            "verify": (str, "`receipts` where every block's receipts are checked, else `off`."),
            "dead_letters": (int, "Logs that could not be read or folded, waiting for repair."),
            "unknown_events": (int, "Events that this version cannot read, kept as they came."),
            "alarm": (str, "What the mirror's writer needs a person for; empty if nothing."),
            "audit": (list[str], "Differences that audits found, one sentence each."),
            "content": (
                list[str],
                "What is wrong with the content that is kept here, one sentence each.",
            ),
            "streams": (int, "Streams that this process is telling."),
            "webhooks_paused": (int, "Webhooks that are paused."),
            "invariants": (
                list[str],
                "What does not close, one sentence each; empty when all is well.",
            ),
            "as_of": (AsOf | None, "The block that the invariants were checked at."),
        }
    ),
    doc="Whether answers can be relied on now.",
)
STANDING: Final = make_model(
    "HealthStanding",
    described({"status": (str, "OK.")}),
    doc="What an orchestrator asks.",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeTip:
    """The node's newest block, and whether its chain has made no other for too long."""

    number: int
    age_seconds: int
    is_stalled: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """What was found: figures by name, and what is wrong."""

    tip: "NodeTip | None"
    dead_letters: int = 0
    unknown_events: int = 0
    alarm: str = ""
    audit: tuple[str, ...] = ()
    content: tuple[str, ...] = ()
    paused: int = 0
    broken: tuple[str, ...] = ()


def tell_health(services: Services) -> Json:
    """Return the figures; a silent node or an empty mirror is told, not raised."""
    tip = _node_tip(services)
    audit, paused = open_alarms(services.operational), _paused(services)
    content = content_alarms(services.operational)
    with services.snapshots.open() as snapshot:
        heads = heads_of(snapshot.session)
        found = Findings(tip=tip, alarm=heads.alarm, audit=audit, content=content, paused=paused)
        try:
            reading = open_reading(snapshot)
        except MirrorEmpty:
            status = HealthStatus.STOPPED if _is_stopped(heads.alarm) else HealthStatus.EMPTY
            return _told(services, status, found, None)
        tally = services.tallies.count(snapshot.session, final_number=heads.final_number)
        found = Findings(
            tip=tip,
            dead_letters=count_letters(snapshot.session),
            unknown_events=tally.unknown,
            alarm=heads.alarm,
            audit=audit,
            content=content,
            paused=paused,
            broken=_violations_at(services.mirror, reading.block.hash),
        )
        return _told(services, _status(found, reading.block.number), found, reading)


def require_ready(services: Services) -> Json:
    """
    Return that this process can answer questions about the present.

    :raises NotReady: while there is no block, or the writer ended
    """
    with services.snapshots.open() as snapshot:
        alarm = heads_of(snapshot.session).alarm
        if snapshot.tip() is None:
            raise NotReady(status=HealthStatus.EMPTY.name)
    if _is_stopped(alarm):
        raise NotReady(status=HealthStatus.STOPPED.name)
    if services.streams.is_closing:
        raise NotReady(status="CLOSING")
    return {"status": HealthStatus.OK.name}


def _status(found: Findings, indexed: int) -> HealthStatus:
    if found.broken or found.audit:
        return HealthStatus.BROKEN
    if _is_stopped(found.alarm):
        return HealthStatus.STOPPED
    if found.tip is None:
        return HealthStatus.NODE_UNREACHABLE
    if found.tip.is_stalled:
        return HealthStatus.CHAIN_STALLED
    if found.tip.number - indexed > LAG_BLOCKS_MAX:
        return HealthStatus.LAGGING
    if found.alarm or found.dead_letters or found.unknown_events or found.content:
        return HealthStatus.DEGRADED
    return HealthStatus.OK


def _is_stopped(alarm: str) -> bool:
    return alarm.startswith(STOPPED_ALARM)


@lru_cache(maxsize=BLOCKS_REMEMBERED)
def _violations_at(mirror: Engine, block_hash: str) -> tuple[str, ...]:  # noqa: ARG001
    # Sums over all rows: once per block, however often somebody asks how we are.
    with Session(mirror) as session:
        return violations(session)


def _node_tip(services: Services) -> NodeTip | None:
    calls: list[Call] = [
        ("eth_getBlockByNumber", ["latest", False]),
        ("web3_clientVersion", []),
    ]
    try:
        block, client = services.node.batch(calls)
        number, timestamp = number_of(block["number"]), seconds_of(block["timestamp"])
    except (LedgerError, TypeError, KeyError):  # a node without a newest block is none
        return None
    age = max(0, services.clock() - timestamp)
    profile = profile_of_client(str(client))
    # An instant chain rests while nobody sends anything, and its clock may be anywhere.
    is_resting = profile is not None and profile.is_instant
    is_stalled = not is_resting and 0 < services.stall_seconds < age
    return NodeTip(number=number, age_seconds=age, is_stalled=is_stalled)


def _paused(services: Services) -> int:
    return sum(one.state is WebhookState.PAUSED for one in services.webhooks.browse())


def _told(
    services: Services, status: HealthStatus, found: Findings, reading: Reading | None
) -> Json:
    indexed = None if reading is None else reading.block.number
    final = None if reading is None or reading.final_number < 0 else reading.final_number
    lag: Any = None
    if indexed is not None and found.tip is not None:
        lag = max(0, found.tip.number - indexed)
    return {
        "status": status.name,
        "chain_id": services.chain_id,
        "indexed_block": indexed,
        "final_block": final,
        "node_block": found.tip.number if found.tip else None,
        "node_block_age_seconds": found.tip.age_seconds if found.tip else None,
        "lag_blocks": lag,
        "finality": services.finality,
        "verify": services.verify,
        "dead_letters": found.dead_letters,
        "unknown_events": found.unknown_events,
        "alarm": found.alarm,
        "audit": list(found.audit),
        "content": list(found.content),
        "streams": len(services.streams),
        "webhooks_paused": found.paused,
        "invariants": list(found.broken),
        "as_of": None if reading is None else reading.as_of(),
    }
