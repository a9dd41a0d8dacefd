"""
The mirror's process is killed at random moments while the chain grows and forks.
"""

import random
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Final

from sqlmodel import Session

from chain.store import tip_of
from tests.faults.simulation.branches import Chain, Shape, open_chain
from tests.faults.simulation.mirrors import Following, catch_up, opened
from tests.faults.simulation.oracle import Violated, Witness, intervals, require_right
from tests.faults.simulation.receipts import stored
from tests.faults.simulation.running import Numbers, Run
from tests.faults.simulation.victims import CONTEXT, END_SECONDS, Post, keep, started

KILLS_PER_RUN: Final = 25
FINALITY: Final = 20
BACKLOG: Final = 150
BLOCKS_MAX: Final = 500
# How long a process lives: from its start, or from when it holds the lock.
LIFE_SECONDS_MAX: Final = 0.12
WRITING: Final = 0.8
BATCHES: Final = (1, 5, 40)
LOOK_EVERY: Final = 5
PAUSE_SECONDS: Final = 0.004


def mirror(run: Run) -> Numbers:
    """Kill the process that keeps the mirror again and again, then let one live."""
    with open_chain(run.chance) as chain:
        following = Following(
            url=chain.anvil.url, contracts=chain.followed(0, 1), finality=FINALITY
        )
        post = Post(mirror=run.mirror(), following=following, lock=run.folder / "lock")
        chain.grow(BACKLOG)
        witness = Witness(FINALITY)
        heights = []
        with writing(chain, random.Random(run.chance.random())):
            for kill in range(KILLS_PER_RUN):
                ready = CONTEXT.Event()
                post = replace(post, batch_blocks=run.chance.choice(BATCHES))
                with started(keep, post, ready) as process:
                    # Some are killed while they open the mirror, most while they write it.
                    if run.chance.random() < WRITING:
                        ready.wait(END_SECONDS)
                    time.sleep(run.chance.uniform(0, LIFE_SECONDS_MAX))
                    if not process.is_alive():
                        raise Violated(f"the process ended by itself: {process.exitcode}")
                if kill % LOOK_EVERY == 0:
                    heights.append(_look(post.mirror, witness))
        chain.grow(FINALITY)
        blocks = chain.head()
        with opened(post.mirror) as engine:
            catch_up(engine, following)
            witness.look(engine)
            require_right(engine, chain.anvil.node, following)
    return {"kills": KILLS_PER_RUN, "heights_seen": len(set(heights)), "blocks": blocks}


def _look(mirror_url: str, witness: Witness) -> int:
    with opened(mirror_url) as engine:
        witness.look(engine)
        found = intervals(stored(engine))
        if found:
            raise Violated("; ".join(found))
        with Session(engine) as session:
            tip = tip_of(session)
    return -1 if tip is None else tip.number


@contextmanager
def writing(chain: Chain, chance: random.Random) -> Iterator[None]:
    """Let the chain grow and fork all the while, in acts that follow from the seed."""
    ending = threading.Event()
    failures: list[BaseException] = []

    def write() -> None:
        highest = chain.head()
        try:
            while not ending.is_set() and chain.head() < BLOCKS_MAX + BACKLOG:
                chain.grow(chance.randrange(1, 6))
                highest = max(highest, chain.head())
                room = chain.head() - (highest - FINALITY)
                if chance.random() < 0.2:
                    depth = chance.randrange(1, room + 1)
                    chain.fork(depth, chance.choice(tuple(Shape)), growth=chance.choice((0, 1, 3)))
                highest = max(highest, chain.head())
                ending.wait(PAUSE_SECONDS)
        except BaseException as error:
            failures.append(error)
            raise

    writer = threading.Thread(target=write)
    writer.start()
    try:
        yield
    finally:
        ending.set()
        writer.join()
    if failures:
        raise failures[0]
