"""
`GET /metrics`: what Prometheus reads. The state of the ledger is read from the databases when it
asks, so it is the same whichever process answers; what a process counted itself says `process`.

It counts nothing (`api.observing.metrics`).
"""

import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
    Metric,
)
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from sqlalchemy import Engine, func, select, text
from sqlmodel import Session
from starlette.requests import Request
from starlette.responses import Response

from api.content.round_rows import last_round
from api.content.rows import copy_counts, counts
from api.deps import Services
from api.observing.metrics import resident_bytes
from api.operational import ALARMS, WEBHOOK_DELIVERIES, WEBHOOKS
from api.upkeep.retention import newest_at
from chain.heads import heads_of
from chain.letters import count_letters
from chain.rewinds import rewound
from chain.rows import BLOCKS
from chain.store import tip_of

PROCESS: Final = ["process"]


def metrics(request: Request) -> Response:
    """Tell all figures in Prometheus' text format."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(Collector(request.app.state.services))
    return Response(generate_latest(registry), media_type=CONTENT_TYPE_PLAIN_0_0_4)


class Collector:
    """The figures of a process and of the ledger it serves."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def describe(self) -> list[Metric]:
        """Say nothing before it is asked: registering must not read databases."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Read all figures."""
        with self._services.snapshots.open() as snapshot:
            yield from _of_mirror(self._services, snapshot.session)
        yield from _of_operations(self._services.operational)
        yield from _of_content(self._services.operational)
        yield _of_backups(self._services.backup_folder)
        yield from _of_databases(self._services)
        yield from _of_process(self._services)


def _of_mirror(services: Services, session: Session) -> Iterator[Metric]:
    tip, heads = tip_of(session), heads_of(session)
    indexed = -1 if tip is None else tip.number
    lag = max(0, heads.node_head - indexed)
    late = services.clock() - tip.timestamp if tip is not None and lag else 0
    tally = services.tallies.count(session, final_number=heads.final_number)
    undone = rewound(session)
    yield _gauge("head_block", "Height of the node's chain when last asked.", heads.node_head)
    yield _gauge("indexed_block", "Height of the mirror's newest block; -1 if none.", indexed)
    yield _gauge("final_block", "Height up to which no fork counts.", heads.final_number)
    yield _gauge("lag_blocks", "How many blocks the mirror is behind the node.", lag)
    yield _gauge("lag_seconds", "How old the newest block is, while there are newer.", late)
    yield _gauge("blocks", "Blocks in the mirror.", tally.blocks)
    yield _gauge("events", "Events in the mirror.", tally.events)
    yield _gauge("unknown_events", "Events that this version cannot read.", tally.unknown)
    yield _gauge("dead_letters", "Logs that made nothing, waiting.", count_letters(session))
    yield _gauge("alarm", "1 while a person must look.", int(bool(heads.alarm)))
    yield _counter("rewinds", "Rewinds that the mirror made.", undone.count)
    yield _counter("rewound_blocks", "Blocks that rewinds took back.", undone.blocks)
    yield _gauge("rewind_depth_max", "Blocks of the deepest rewind.", undone.deepest)
    yield from _checksum(session, indexed)


def _checksum(session: Session, indexed: int) -> Iterator[Metric]:
    column = BLOCKS.c.get("checksum")
    if column is None or indexed < 0:
        return
    found = session.connection().execute(select(column).where(BLOCKS.c.number == indexed)).scalar()
    told = InfoMetricFamily("shulian_mirror_checksum", "Checksum of the mirror's newest block.")
    told.add_metric([], {"block": str(indexed), "checksum": str(found)})
    yield told


def _of_operations(engine: Engine) -> Iterator[Metric]:
    with engine.connect() as connection:
        reading = connection.execution_options(reads=True)
        opened = select(func.count()).select_from(ALARMS).where(ALARMS.c.cleared_at.is_(None))
        differences = reading.execute(opened).scalar_one()
        states = _by(reading, WEBHOOKS.c.state)
        waiting = reading.execute(
            select(func.count())
            .select_from(WEBHOOK_DELIVERIES)
            .where(WEBHOOK_DELIVERIES.c.state != "DELIVERED")
        ).scalar_one()
    yield _gauge("audit_differences", "Differences that audits found.", differences)
    told = GaugeMetricFamily("shulian_webhooks", "Webhooks by state.", labels=["state"])
    for state, count in sorted(states.items()):
        told.add_metric([state], count)
    yield told
    yield GaugeMetricFamily(
        "shulian_webhook_deliveries_waiting", "Messages to webhooks not yet delivered.", waiting
    )


def _of_content(engine: Engine) -> Iterator[Metric]:
    told = GaugeMetricFamily(
        "shulian_contents", "Contents that are named or kept, as last found.", labels=["state"]
    )
    for state, number in sorted(counts(engine).items()):
        told.add_metric([state], number)
    copies = GaugeMetricFamily(
        "shulian_content_copies",
        "Kept contents at the second copies, by place in the setting.",
        labels=["copy", "condition"],
    )
    for place, (_, found) in enumerate(sorted(copy_counts(engine).items())):
        for condition, number in sorted(found.items()):
            copies.add_metric([str(place), condition], number)
    newest = last_round(engine)
    alarm = int(newest is not None and bool(newest.trouble))
    yield from (told, copies)
    yield GaugeMetricFamily("shulian_content_store_away", "1 while it does not answer.", alarm)


def _of_backups(folder: str) -> Metric:
    told = GaugeMetricFamily(
        "shulian_backup_made_timestamp_seconds",
        "When the newest backup in backup_folder was made, 0 if there is none.",
    )
    if folder:
        try:
            told.add_metric([], newest_at(Path(folder)) or 0)
        except OSError:
            # What cannot be read protects nobody.
            told.add_metric([], 0)
    return told


def _of_databases(services: Services) -> Iterator[Metric]:
    told = GaugeMetricFamily(
        "shulian_database_bytes", "How large a database is.", labels=["database"]
    )
    told.add_metric(["mirror"], _size(services.mirror))
    told.add_metric(["operational"], _size(services.operational))
    yield told


def _of_process(services: Services) -> Iterator[Metric]:
    process = [str(os.getpid())]
    resident = GaugeMetricFamily(
        "shulian_process_resident_bytes", "Memory that the process holds.", labels=PROCESS
    )
    resident.add_metric(process, resident_bytes())
    streams = GaugeMetricFamily(
        "shulian_stream_clients", "Streams that are being told.", labels=PROCESS
    )
    streams.add_metric(process, len(services.streams))
    yield from (resident, streams, _requests(services, process))
    yield _counted(
        "shulian_webhook_attempts",
        "Attempts to send to webhooks.",
        "outcome",
        services.metrics.webhooks,
        process,
    )
    yield _counted(
        "shulian_applied", "What the worker applied.", "what", services.metrics.applied, process
    )
    errors = CounterMetricFamily(
        "shulian_node_errors", "Requests that a node failed.", labels=["node", "kind", *PROCESS]
    )
    for (node, kind), count in sorted(_node_errors(services).items()):
        errors.add_metric([node, kind, *process], count)
    yield errors


def _requests(services: Services, process: list[str]) -> Metric:
    told = HistogramMetricFamily(
        "shulian_http_request_seconds",
        "Requests by route, and how long they took.",
        labels=["method", "route", "status", *PROCESS],
    )
    for (method, route, status), found in sorted(services.metrics.requests.copy().items()):
        labels = [method, route, str(status), *process]
        told.add_metric(labels, list(found.cumulative()), found.seconds)
    return told


def _node_errors(services: Services) -> Counter[tuple[str, str]]:
    found: Counter[tuple[str, str]] = Counter()
    nodes = getattr(services.node, "each", (services.node,))
    for place, node in enumerate(nodes):
        for kind, count in getattr(node, "failed", {}).items():
            # By its place: an address may hold a provider's key.
            found[str(place), kind] += count
    return found


def _counted(
    name: str, said: str, label: str, counts: Counter[str], process: list[str]
) -> CounterMetricFamily:
    told = CounterMetricFamily(name, said, labels=[label, *PROCESS])
    for value, count in sorted(counts.copy().items()):
        told.add_metric([value, *process], count)
    return told


def _by(connection: Any, column: Any) -> dict[str, int]:
    query = select(column, func.count()).group_by(column)
    return {value: int(count) for value, count in connection.execute(query)}


def _size(engine: Engine) -> int:
    with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            # What the operational database takes for a question, the mirror's ignores.
            reading = connection.execution_options(reads=True)
            pages = reading.exec_driver_sql("PRAGMA page_count").scalar_one()
            return int(pages) * int(reading.exec_driver_sql("PRAGMA page_size").scalar_one())
        size = text("SELECT pg_database_size(current_database())")
        return int(connection.execute(size).scalar_one())


def _gauge(name: str, said: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"shulian_mirror_{name}", said, value)


def _counter(name: str, said: str, value: float) -> CounterMetricFamily:
    return CounterMetricFamily(f"shulian_mirror_{name}", said, value)
