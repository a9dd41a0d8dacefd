"""
The tracing lines: how far upstream a walk gets in the mirror, against a graph held in memory.

Assets and links are put straight into the mirror's tables by the store's own writer of versions: no
chain made them. rustworkx walks the same links level by level, and gives integers.
"""

import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random
from time import perf_counter
from typing import Any, Final

import rustworkx
from sqlmodel import Session

from bench.ledger.chain import CACHE
from bench.lines import Line, judge
from bench.mirrors import mirror, sqlite_url
from bench.rows import DONE, digest, schema_hash
from bench.sizes import Sizes
from bench.timing import percentile
from chain.codes import AssetKind, Category, DigestAlg, Grade, Relation
from chain.indexes import filling
from chain.reading import Snapshots
from chain.values import ZERO_BYTES32, AssetId, Bytes32, ParticipantId, RightId
from chain.versions import TableRecords
from registry.assets import Asset, AssetLink
from registry.lineage import Direction, asset_node, number_of
from settlement.store import Tracing

SHORT_STEPS, LONG_STEPS = 6, 12
SHORT_P50, SHORT_P99, LONG_RATIO = 2.5, 3, 2
LINKS_PER_BLOCK: Final = 20_000
LONG_TRACES: Final = 3
# Walks end when they took this long together: three show what a few hundred would.
PATIENCE_SECONDS: Final = 45
TRACES_MIN: Final = 3
NODES_MAX: Final = 10**9


@dataclass(frozen=True, slots=True)
class Graph:
    """Nodes 0, 1, 2 …; `parents` of each are lower, as the ledger's sequences are."""

    parents: Sequence[Sequence[int]]


@dataclass(frozen=True, slots=True)
class Walked:
    """
    How long one walk took in the mirror and in memory, and how many nodes it reached.

    units: milliseconds; `ours_ms` with ids, relations and order, as people get it; `walk_ms` until
           all numbers are there, which is all that `theirs_ms` gives
    """

    ours_ms: float
    walk_ms: float
    theirs_ms: float
    nodes: int


def measure_trace(sizes: Sizes) -> Iterator[Line]:
    """Walk upstream from the same starts in both, at most so many steps."""
    graph = _graph(sizes.nodes, sizes.edges)
    url = _made_links(graph, sizes)
    held = rustworkx.PyDiGraph(multigraph=False)
    held.add_nodes_from(range(len(graph.parents)))
    held.extend_from_edge_list(
        [(child, parent) for child, found in enumerate(graph.parents) for parent in found]
    )
    random = Random(2)
    snapshots = Snapshots(url)
    with snapshots.open() as snapshot:
        for steps, count in ((SHORT_STEPS, sizes.traces), (LONG_STEPS, LONG_TRACES)):
            starts = [random.randrange(sizes.nodes // 2, sizes.nodes) for _ in range(count)]
            yield from _lines(steps, _walked(snapshot.session, held, starts, steps))
    snapshots.dispose()


def _walked(session: Session, held: Any, starts: Sequence[int], steps: int) -> list[Walked]:
    found: list[Walked] = []
    ends_at = perf_counter() + PATIENCE_SECONDS
    for start in starts:
        if len(found) >= TRACES_MIN and perf_counter() > ends_at:
            break
        tracing = Tracing(session, Direction.UPSTREAM)
        node = asset_node(_asset(start), 1)
        times = [perf_counter()]
        walked = tracing.walk(node, steps_max=steps, nodes_max=NODES_MAX)
        times.append(perf_counter())
        told = tracing.told(node, walked)
        times.append(perf_counter())
        same = _walk_memory(held, start, steps)
        times.append(perf_counter())
        reached = len(told.nodes)
        assert reached == same, f"{reached=} {same=}"
        began, between, answered, ended = (1_000 * one for one in times)
        found.append(Walked(answered - began, between - began, ended - answered, reached))
    return found


def _lines(steps: int, found: Sequence[Walked]) -> Iterator[Line]:
    bounds = {50: SHORT_P50, 99: SHORT_P99} if steps == SHORT_STEPS else {50: LONG_RATIO}
    nodes = percentile([one.nodes for one in found], 50)
    note = f"{nodes:.0f} nodes reached, {len(found)} walks"
    for percent, bound in bounds.items():
        theirs = percentile([one.theirs_ms for one in found], percent)
        for name, ours, said in (
            ("walk", [one.walk_ms for one in found], "integers, as rustworkx gives them"),
            ("answer", [one.ours_ms for one in found], "with ids, relations and order"),
        ):
            ours_ms = percentile(ours, percent)
            yield Line(
                name=f"trace, at most {steps} steps, {name}, p{percent}",
                ours=ours_ms,
                unit="ms",
                reference=theirs,
                against="rustworkx",
                ratio=ours_ms / theirs,
                target=f"<= {bound} x rustworkx",
                verdict=judge(ours_ms / theirs, at_least=None, at_most=bound),
                note=f"{said}; {note}",
            )


def _walk_memory(graph: Any, start: int, steps: int) -> int:
    seen = {start}
    level = {start}
    for _ in range(steps):
        level = set().union(*map(graph.successor_indices, level)) - seen
        if not level:
            break
        seen |= level
    return len(seen)


def _graph(nodes: int, edges: int) -> Graph:
    # As many parents each on average as edges allow, among all that are older.
    random = Random(1)
    each = edges // nodes
    parents: list[Sequence[int]] = [()]
    for number in range(1, nodes):
        wanted = min(number, random.randrange(0, 2 * each + 1))
        parents.append(sorted({random.randrange(number) for _ in range(wanted)}))
    return Graph(parents)


def _made_links(graph: Graph, sizes: Sizes) -> str:
    folder = CACHE / f"links-{sizes.nodes}-{sizes.edges}-{schema_hash()[:16]}"
    url = sqlite_url(folder / "mirror.sqlite")
    if not (folder / DONE).is_file():
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        _fill(url, graph)
        (folder / DONE).touch()
    return url


def _fill(url: str, graph: Graph) -> None:
    with mirror(url) as engine, filling(engine):
        records = TableRecords()
        waiting: list[Asset | AssetLink] = []
        number = 0
        for child, found in enumerate(graph.parents):
            waiting.append(_version(child))
            waiting += [_link(child, parent) for parent in found]
            if len(waiting) >= LINKS_PER_BLOCK or child == len(graph.parents) - 1:
                number += 1
                with Session(engine) as session, session.begin():
                    records.use(session)
                    records.put(waiting, 0)
                    records.end_block(number)
                    records.flush()
                waiting = []


def _version(number: int) -> Asset:
    return Asset(
        asset_id=_asset(number),
        version=1,
        kind=AssetKind.RESOURCE,
        category=Category.PUBLIC,
        grade=Grade.GENERAL,
        digest_alg=DigestAlg.SHA256,
        sequence=number + 1,
        registrant=ParticipantId(digest("registrant")),
        content_digest=digest(f"content/{number}"),
        metadata_digest=Bytes32(ZERO_BYTES32),
        model_digest=Bytes32(ZERO_BYTES32),
        parents=(),
        revenue_table=(),
        links_hash=Bytes32(ZERO_BYTES32),
        declared_at=0,
    )


def _link(child: int, parent: int) -> AssetLink:
    return AssetLink(
        child=number_of(sequence=child + 1, version=1),
        parent=number_of(sequence=parent + 1, version=1),
        relation=Relation.DERIVED_FROM,
        consent_right_id=RightId(Bytes32(ZERO_BYTES32)),
    )


def _asset(number: int) -> AssetId:
    return AssetId(digest(f"asset/{number}"))
