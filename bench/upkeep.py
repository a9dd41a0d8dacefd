"""
What a mirror costs beyond its speed: memory while it fills, and what verifying receipts costs.
"""

import subprocess
import sys
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import orjson

from bench.ledger.chain import SEED, made_chain, served_chain
from bench.ledger.recording import about
from bench.lines import Line, against, alone, in_turn
from bench.mirrors import fill, mirror, sqlite_url
from bench.sizes import Sizes
from bench.timing import rate

VERIFIED_RATIO: Final = 0.25
RESIDENT_MB: Final = 250
# Verifying is slow enough that a tenth of the chain says the same.
VERIFIED_EVENTS: Final = 20_000
ROOT: Final = Path(__file__).resolve().parent.parent


def measure_verified(sizes: Sizes) -> Iterator[Line]:
    """Fill a mirror whose blocks' receipts are checked against their headers, and a plain one."""
    events = min(sizes.events, VERIFIED_EVENTS)
    with (
        served_chain(events=events) as chain,
        TemporaryDirectory(prefix="shulian-bench-") as folder,
    ):
        names = count()

        def run(*, verify: bool) -> float:
            with mirror(sqlite_url(Path(folder) / str(next(names)))) as engine:
                return rate(chain.events, lambda: fill(engine, chain, verify=verify))

        found = in_turn(
            sizes.rounds, ours=lambda: run(verify=True), plain=lambda: run(verify=False)
        )
    yield against(
        "verified backfill",
        ours=found["ours"],
        reference=found["plain"],
        unit="ev/s",
        of="plain",
        at_least=VERIFIED_RATIO,
        note=f"{chain.events} events",
    )


def measure_memory(sizes: Sizes) -> Iterator[Line]:
    """Fill a mirror in a process of its own, and ask the system what that held."""
    told = orjson.dumps(about(made_chain(events=sizes.events, seed=SEED))).decode()
    with (
        served_chain(events=sizes.events) as chain,
        TemporaryDirectory(prefix="shulian-bench-") as folder,
    ):
        url = sqlite_url(Path(folder) / "mirror")
        said = subprocess.run(
            [sys.executable, "-m", "bench.resident", chain.url, url],
            cwd=ROOT,
            input=told,
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
    before, peak = map(float, said.stdout.split())
    yield alone(
        f"memory, {sizes.events} events",
        peak,
        unit="MB",
        at_most=RESIDENT_MB,
        note=f"peak, {before:.0f} MB of it before the first block; the target is for 1 000 000",
    )
