"""
Several workers are started at once on one mirror: one writes, the others are refused.
"""

import time
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Final

from tests.faults.simulation.branches import Chain, open_chain
from tests.faults.simulation.mirrors import Following, catch_up, opened
from tests.faults.simulation.oracle import Violated, require_right
from tests.faults.simulation.running import Numbers, Run
from tests.faults.simulation.victims import END_SECONDS, REFUSED, Post, keep, started

WORKERS_MAX: Final = 4
ROUNDS: Final = 3


def at_once(run: Run) -> Numbers:
    """
    Start workers at the same moment, end the one that writes, and do it again.

    shape: on PostgreSQL they may be on machines of their own, where no file's lock is shared
    """
    refused = 0
    with open_chain(run.chance) as chain:
        following = Following(url=chain.anvil.url, contracts=chain.followed(0, 1))
        with opened(run.mirror()):
            pass
        for turn in range(ROUNDS):
            chain.grow(run.chance.randrange(5, 30))
            refused += _round(run, chain, following, turn)
        with opened(run.mirror()) as engine:
            catch_up(engine, following)
            require_right(engine, chain.anvil.node, following)
    return {"rounds": ROUNDS, "refused": refused}


def _round(run: Run, chain: Chain, following: Following, turn: int) -> int:
    workers = run.chance.randrange(2, WORKERS_MAX + 1)
    post = Post(
        mirror=run.mirror(), following=following, lock=run.folder / "lock", is_patient=False
    )
    with ExitStack() as stack:
        processes = [
            stack.enter_context(started(keep, replace(post, lock=_lock(run, turn, number))))
            for number in range(workers)
        ]
        end = time.monotonic() + END_SECONDS
        while sum(one.is_alive() for one in processes) > 1 and time.monotonic() < end:
            time.sleep(0.01)
        chain.grow(2)
        codes = sorted((one.exitcode for one in processes), key=repr)
    if codes != sorted([*[REFUSED] * (workers - 1), None], key=repr):
        raise Violated(f"of {workers} workers started at once, these ended: {codes}")
    return workers - 1


def _lock(run: Run, turn: int, number: int) -> Path:
    if run.database == "sqlite":
        return run.folder / "lock"
    return run.folder / f"lock-{turn}-{number}"
