"""
How long after a block is mined its rows can be read, with the real worker on a real anvil.

The worker is a process of its own, as in a running ledger; this one mines, and looks into the file.
"""

import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from itertools import repeat
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from bench.ledger.making import BLOCK_SECONDS, Miner, founded
from bench.ledger.market_acts import funds
from bench.ledger.node import CHAIN_ID, running_node
from bench.lines import Line, alone
from bench.sizes import Sizes
from bench.timing import percentile

P50_MS: Final = 20
P95_MS: Final = 60
ACTS_PER_BLOCK: Final = 10
WARM_BLOCKS: Final = 5
# Where a home's mirror is by default.
MIRROR: Final = "mirror.sqlite"
LOOK_SECONDS: Final = 0.0005
PATIENCE_SECONDS: Final = 30
ROOT: Final = Path(__file__).resolve().parent.parent


def measure_live(sizes: Sizes) -> Iterator[Line]:
    """Mine block after block, and wait each time until its rows are there."""
    with (
        TemporaryDirectory(prefix="shulian-bench-") as folder,
        running_node("--prune-history", "2") as url,
        founded(url, seed=1, home=Path(folder)) as world,
        _follower(Path(folder), url),
        closing(Miner(world, url, after=lambda: None)) as miner,
        closing(sqlite3.connect(Path(folder) / MIRROR, isolation_level=None)) as mirror,
    ):
        world.buyers.append("buyer-one")
        delays_ms: list[float] = []
        for turn in range(WARM_BLOCKS + sizes.live_blocks):
            world.now += BLOCK_SECONDS
            deeds = [next(steps) for steps in (funds(world) for _ in repeat(None, ACTS_PER_BLOCK))]
            number, mined_at = miner.mine_fast([one for one in deeds if not isinstance(one, int)])
            delay = _until_readable(mirror, number) - mined_at
            if turn >= WARM_BLOCKS:
                delays_ms.append(1_000 * delay)
    note = f"{sizes.live_blocks} blocks of {ACTS_PER_BLOCK} acts"
    yield alone("live, p50", percentile(delays_ms, 50), unit="ms", at_most=P50_MS, note=note)
    yield alone("live, p95", percentile(delays_ms, 95), unit="ms", at_most=P95_MS, note=note)


@contextmanager
def _follower(home: Path, url: str) -> Iterator[None]:
    process = subprocess.Popen(
        [sys.executable, "-m", "bench.following", str(home), url, str(CHAIN_ID)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        if process.stdout.readline().strip() != "following":
            raise RuntimeError("the worker ended before it followed")
        yield
    finally:
        process.terminate()
        process.wait(timeout=30)
        if process.stdout is not None:
            process.stdout.close()


def _until_readable(mirror: sqlite3.Connection, number: int) -> float:
    query = "SELECT count(*) FROM events WHERE block_number = ?"
    end = time.perf_counter() + PATIENCE_SECONDS
    while time.perf_counter() < end:
        if mirror.execute(query, (number,)).fetchone()[0]:
            return time.perf_counter()
        time.sleep(LOOK_SECONDS)
    raise RuntimeError(f"block {number} was not mirrored within {PATIENCE_SECONDS} seconds")
