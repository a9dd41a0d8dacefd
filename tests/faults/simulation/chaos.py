"""
The node answers badly: each of the twelve faults, at three rates.

What the faults are is `tests.chain.fault_proxy`'s; here it is what the mirror makes of them.
"""

import random
import time
from typing import Final

from sqlalchemy import Engine

from chain.failure import LedgerError
from chain.fetch import Source
from chain.indexer import sync_once
from chain.rpc import NodeUnavailable
from tests.chain.fault_proxy import FAULTS, fault_proxy
from tests.chain.things import project
from tests.faults.simulation.branches import Chain, Shape, open_chain
from tests.faults.simulation.mirrors import PASSES_MAX, Following, opened
from tests.faults.simulation.oracle import Violated, Witness, foreign, require_right
from tests.faults.simulation.running import Numbers, Run

NAMES: Final = tuple(FAULTS)
RATES: Final = (0.02, 0.10, 0.30)
FINALITY: Final = 12
BLOCKS: Final = 30
PASSES: Final = 10
STEP_BLOCKS_MAX: Final = 4
FORK_MAX: Final = 3
# A real node answers within milliseconds here; a hanging one is to cost no minutes.
TIMEOUT_SECONDS: Final = 0.4
RECOVERY_SECONDS_MAX: Final = 60
# In these only what a header commits to shows the lie: its receipts' root, or its own hash.
SILENT: Final = ("empty logs", "partial logs", "wrong block hash")


def proxied(run: Run) -> Numbers:
    """
    Follow through a node that fails, then through one that has stopped failing.

    shape:  of 36 seeds in a row each has another fault or another rate
    source: reliability §4.2: wrong data is never committed, and all is well within a minute
    """
    name, rate = NAMES[run.seed % len(NAMES)], RATES[run.seed // len(NAMES) % len(RATES)]
    numbers: dict[str, int | float] = {"passes": 0, "passes_failed": 0}
    with (
        open_chain(run.chance) as chain,
        fault_proxy(chain.anvil.url) as proxy,
        opened(run.mirror()) as engine,
    ):
        following = Following(
            url=proxy.url,
            contracts=chain.followed(0, 1),
            finality=FINALITY,
            timeout_seconds=TIMEOUT_SECONDS,
            options={"verify": name in SILENT or run.chance.random() < 0.5},
        )
        chain.grow(BLOCKS)
        chance = random.Random(run.chance.random())
        proxy.between = lambda: _move(chain, chance)
        proxy.plague(name, share=rate, seed=run.seed)
        witness = Witness(FINALITY)
        with following.source() as source:
            for _ in range(PASSES):
                numbers["passes"] += 1
                numbers["passes_failed"] += _fails(engine, source)
                _require_true(engine, chain, following)
                witness.look(engine)
                chain.grow(run.chance.randrange(STEP_BLOCKS_MAX))
            proxy.heal()
            chain.grow(FORK_MAX + 1)
            numbers["recovered_seconds_max"] = _recover(engine, source)
        witness.look(engine)
        require_right(engine, chain.anvil.node, following)
        return {**numbers, "answers_spoilt": sum(proxy.spoilt.values())}


def _move(chain: Chain, chance: random.Random) -> None:
    if chance.random() < 0.5:
        chain.grow(1)
    else:
        shape = chance.choice(tuple(Shape))
        chain.fork(chance.randrange(1, FORK_MAX), shape, growth=chance.choice((0, 1)))


def _fails(engine: Engine, source: Source) -> bool:
    try:
        sync_once(engine, source, project)
    except LedgerError:
        return True
    return False


def _require_true(engine: Engine, chain: Chain, following: Following) -> None:
    found = foreign(engine, chain, following)
    if found:
        raise Violated("; ".join(found))


def _recover(engine: Engine, source: Source) -> float:
    began = time.monotonic()
    for _ in range(PASSES_MAX):
        try:
            synced = sync_once(engine, source, project)
        except NodeUnavailable:
            # On a machine that is busy a well node may take longer than this way waits, too.
            synced = None
        seconds = time.monotonic() - began
        if seconds > RECOVERY_SECONDS_MAX:
            raise Violated(f"not recovered after {seconds:.0f} s")
        if synced is not None and synced.blocks == 0 and synced.rewound_to is None:
            return seconds
    raise Violated("no end of catching up after the faults stopped")
