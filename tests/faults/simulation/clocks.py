"""
Clocks that are wrong: the node's jumps or stands still, the worker's is another year's, and a
worker sleeps while the chain goes on.
"""

import os
import signal
import time
from typing import Final

from tests.faults.simulation.branches import Chain, Shape, open_chain
from tests.faults.simulation.mirrors import Following, catch_up, opened
from tests.faults.simulation.oracle import Witness, require_right
from tests.faults.simulation.running import Numbers, Run
from tests.faults.simulation.victims import CONTEXT, END_SECONDS, Post, keep, started

FINALITY: Final = 20
YEAR: Final = 365 * 86_400
NODE_JUMPS: Final = (0, 3_600, YEAR, 30 * YEAR)
WORKER_JUMPS: Final = (-30 * YEAR, -3_600, 3_600, YEAR, 300 * YEAR)
ROUNDS: Final = 4
SLEEP_SECONDS_MAX: Final = 0.2


def skewed(run: Run) -> Numbers:
    """Let every clock be wrong in turn while the chain grows and forks."""
    numbers = {"node_jumps": 0, "workers_elsewhen": 0, "workers_suspended": 0}
    with open_chain(run.chance) as chain:
        following = Following(
            url=chain.anvil.url, contracts=chain.followed(0, 1), finality=FINALITY
        )
        witness = Witness(FINALITY)
        for _ in range(ROUNDS):
            post = Post(
                mirror=run.mirror(),
                following=following,
                lock=run.folder / "lock",
                clock_seconds=run.chance.choice(WORKER_JUMPS),
            )
            ready = CONTEXT.Event()
            with started(keep, post, ready) as process:
                ready.wait(END_SECONDS)
                _go_on(run, chain)
                assert process.pid is not None
                os.kill(process.pid, signal.SIGSTOP)
                _go_on(run, chain)
                time.sleep(run.chance.uniform(0, SLEEP_SECONDS_MAX))
                os.kill(process.pid, signal.SIGCONT)
                time.sleep(run.chance.uniform(0, SLEEP_SECONDS_MAX))
            with opened(post.mirror) as engine:
                witness.look(engine)
            numbers["node_jumps"] += 2
            numbers["workers_elsewhen"] += 1
            numbers["workers_suspended"] += 1
        with opened(run.mirror()) as engine:
            catch_up(engine, following)
            witness.look(engine)
            require_right(engine, chain.anvil.node, following)
    return numbers


def _go_on(run: Run, chain: Chain) -> None:
    chain.grow_busily(run.chance.randrange(2, 10))
    chain.jump(run.chance.choice(NODE_JUMPS))
    chain.grow(run.chance.randrange(1, 10))
    # Blocks of one and the same second are as good as any.
    chain.anvil.rpc("anvil_setBlockTimestampInterval", run.chance.choice((0, 1, 12)))
    chain.grow(3)
    chain.fork(run.chance.randrange(1, 3), run.chance.choice(tuple(Shape)), growth=1)
