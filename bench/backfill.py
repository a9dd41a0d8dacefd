"""
The mirror's bulk lines: cold backfill and rebuild against the fused floor, on both databases.

Every turn fills an empty mirror from the same node. Its live lines are `bench.live`'s.
"""

import gc
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Final

from bench import postgres
from bench.ledger.chain import served_chain
from bench.ledger.recorded import Chain
from bench.lines import Line, Skip, against, in_turn, skipped
from bench.mirrors import fill, mirror, sqlite_url
from bench.references import floor
from bench.sizes import Sizes
from chain.store import rebuild
from settlement.projection import apply

BACKFILL_RATIO: Final = 0.5
REBUILD_RATIO: Final = 0.7
FLOOR: Final = "floor"
UNIT: Final = "ev/s"


def measure_backfill(sizes: Sizes) -> Iterator[Line]:
    """Fill empty mirrors, against the floor on the same node in turn."""
    with served_chain(events=sizes.events) as chain, ExitStack() as stack:
        place = Path(stack.enter_context(TemporaryDirectory(prefix="shulian-bench-")))
        note = f"{chain.events} events, {chain.blocks} blocks"
        found = in_turn(
            sizes.rounds,
            ours=lambda: _rate(chain, lambda: _filled(chain, sqlite_url(_new(place)))),
            floor=lambda: _rate(chain, lambda: _floored(chain, _new(place))),
        )
        yield against(
            "backfill, SQLite",
            ours=found["ours"],
            reference=found["floor"],
            unit=UNIT,
            of=FLOOR,
            at_least=BACKFILL_RATIO,
            note=note,
        )
        try:
            server = stack.enter_context(postgres.running())
        except Skip as reason:
            yield skipped("backfill, PostgreSQL", str(reason))
            return
        found = in_turn(
            sizes.rounds,
            ours=lambda: _rate(chain, lambda: _filled(chain, server.fresh())),
            floor=lambda: _rate(chain, lambda: _floored(chain, _new(place))),
        )
        yield against(
            "backfill, PostgreSQL",
            ours=found["ours"],
            reference=found["floor"],
            unit=UNIT,
            of="SQLite floor",
            at_least=BACKFILL_RATIO,
            note=note,
        )


def measure_rebuild(sizes: Sizes) -> Iterator[Line]:
    """Make every version anew from the stored events, against the floor in turn."""
    with served_chain(events=sizes.events) as chain, ExitStack() as stack:
        place = Path(stack.enter_context(TemporaryDirectory(prefix="shulian-bench-")))
        url = sqlite_url(_new(place))
        _filled(chain, url)
        yield _rebuilt(sizes, chain, place, url, "rebuild, SQLite")
        try:
            server = stack.enter_context(postgres.running())
        except Skip as reason:
            yield skipped("rebuild, PostgreSQL", str(reason))
            return
        url = server.fresh()
        _filled(chain, url)
        yield _rebuilt(sizes, chain, place, url, "rebuild, PostgreSQL")


def _rebuilt(sizes: Sizes, chain: Chain, place: Path, url: str, name: str) -> Line:
    def run() -> None:
        with mirror(url) as engine:
            rebuild(engine, apply)

    found = in_turn(
        sizes.rounds,
        ours=lambda: _rate(chain, run),
        floor=lambda: _rate(chain, lambda: _floored(chain, _new(place))),
    )
    return against(
        name,
        ours=found["ours"],
        reference=found["floor"],
        unit=UNIT,
        of=FLOOR,
        at_least=REBUILD_RATIO,
    )


def _filled(chain: Chain, url: str) -> None:
    with mirror(url) as engine:
        events = fill(engine, chain)
    # The consortium was founded by events that the making did not count.
    assert events >= chain.events, f"{events=} {chain.events=}"


def _floored(chain: Chain, path: Path) -> None:
    events = floor.backfill(chain.url, chain.contracts, path, last=chain.blocks - 1)
    assert events >= chain.events, f"{events=} {chain.events=}"
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT count(*) FROM event").fetchone()[0] == events


def _rate(chain: Chain, run: Callable[[], None]) -> float:
    gc.collect()
    began = perf_counter()
    run()
    return chain.events / (perf_counter() - began)


_names = count()


def _new(place: Path) -> Path:
    for old in place.iterdir():
        if old.suffix == ".floor":
            old.unlink()
    return place / f"{next(_names)}"
