"""
The chain changes its mind: branches of every depth and shape, between two passes and in one.

What is deeper than finality is here too, and must stop the mirror.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from sqlalchemy import Engine
from sqlmodel import Session

from api.worker import Worker
from chain.heads import ForkBeyondFinality, heads_of
from chain.store import tip_of
from tests.chain.fault_proxy import FaultProxy, fault_proxy
from tests.chain.things import dump, project
from tests.faults.simulation.branches import Chain, Shape, open_chain
from tests.faults.simulation.mirrors import FINALITY, Following, catch_up, opened, try_once
from tests.faults.simulation.oracle import Violated, Witness, require_right
from tests.faults.simulation.running import Numbers, Run

SHAPES: Final = tuple(Shape)
GROWTHS: Final = (-1, 0, 1, 3)
# Small enough that a run gets there, and that a fork too deep is soon made.
SHALLOW: Final = 8
STEPS_MAX: Final = 14
STEP_BLOCKS_MAX: Final = 12
REQUESTS_MAX: Final = 5
STOP_SECONDS: Final = 20


def every_depth(run: Run) -> Numbers:
    """
    Fork once: of 192 seeds in a row each has another depth from 1 to 64 or another shape.

    source: reliability §4.2
    """
    depth, shape = 1 + run.seed // len(SHAPES) % FINALITY, SHAPES[run.seed % len(SHAPES)]
    with open_chain(run.chance) as chain, opened(run.mirror()) as engine:
        following = Following(url=chain.anvil.url, contracts=chain.followed(0, 1))
        witness = Witness(FINALITY)
        chain.grow(run.chance.randrange(1, 10))
        chain.grow_busily(depth)
        catch_up(engine, following)
        witness.look(engine)
        chain.fork(depth, shape, growth=run.chance.choice(GROWTHS))
        try_once(engine, following)
        witness.look(engine)
        # In the end the branch that counts is the longer one.
        chain.grow(2)
        catch_up(engine, following)
        witness.look(engine)
        require_right(engine, chain.anvil.node, following)
    return {"forks": 1, "depth_max": depth, shape.value: 1}


def at_random(run: Run) -> Numbers:
    """Let the chain grow and fork at random, between passes and within them."""
    finality = run.chance.choice((SHALLOW, 20, FINALITY))
    with (
        open_chain(run.chance) as chain,
        fault_proxy(chain.anvil.url) as proxy,
        opened(run.mirror()) as engine,
    ):
        walk = _Walk(run, chain, proxy, engine, finality)
        for _ in range(run.chance.randrange(4, STEPS_MAX)):
            walk.step()
        walk.arrive()
        return walk.numbers


def too_deep(run: Run) -> Numbers:
    """Fork below what was served as final: the worker stops, says so, and rewrites nothing."""
    depth = SHALLOW + 1 + run.chance.randrange(SHALLOW)
    with open_chain(run.chance) as chain, opened(run.mirror()) as engine:
        following = Following(url=chain.anvil.url, contracts=chain.followed(0, 1), finality=SHALLOW)
        witness = Witness(SHALLOW)
        chain.grow_busily(depth + run.chance.randrange(SHALLOW))
        catch_up(engine, following)
        witness.look(engine)
        before = dump(engine)
        chain.fork(depth, run.chance.choice(SHAPES), growth=run.chance.choice((0, 1, 3)))
        for _ in range(2):
            _require_stopped(run, engine, following)
            chain.grow(1)
        if dump(engine) != before:
            raise Violated("the mirror was changed after a fork deeper than finality")
        witness.look(engine)
    return {"stopped": 1, "depth_max": depth}


@dataclass(slots=True)
class _Walk:
    """A chain that does what it likes, and a mirror that follows it as it can."""

    run: Run
    chain: Chain
    proxy: FaultProxy
    engine: Engine
    finality: int
    numbers: dict[str, int | float] = field(
        default_factory=lambda: {"forks": 0, "forks_within_a_pass": 0, "depth_max": 0, "passes": 0}
    )
    _witness: Witness = field(init=False)
    _following: Following = field(init=False)
    _highest: int = 0
    _base: int = 0

    def __post_init__(self) -> None:
        self._witness = Witness(self.finality)
        self._following = Following(
            url=self.proxy.url, contracts=self.chain.followed(0), finality=self.finality
        )
        self._base = self._highest = self.chain.head()

    def step(self) -> None:
        """Do one thing."""
        acts: tuple[Callable[[], None], ...] = (
            self._grow, self._fork, self._pass, self._pass_with_a_fork, self._join,
        )  # fmt: skip
        self.run.chance.choices(acts, (4, 3, 3, 3, 1))[0]()

    def arrive(self) -> None:
        """Let the chain grow beyond where it ever was, and the mirror come there."""
        self.proxy.heal()
        self.chain.grow(self._highest - self.chain.head() + 1)
        catch_up(self.engine, self._following)
        self._witness.look(self.engine)
        require_right(self.engine, self.chain.anvil.node, self._following)

    def _grow(self) -> None:
        self.chain.grow(self.run.chance.randrange(1, STEP_BLOCKS_MAX))
        self._highest = max(self._highest, self.chain.head())

    def _fork(self) -> None:
        # Never below what was final at the chain's highest: that is `too_deep`'s.
        head = self.chain.head()
        lowest = max(self._base, self._highest - self.finality)
        if head <= lowest:
            self._grow()
            return
        depth = self.run.chance.randrange(1, head - lowest + 1)
        self.chain.fork(depth, self.run.chance.choice(SHAPES), growth=self._growth())
        self._highest = max(self._highest, self.chain.head())
        self.numbers["forks"] += 1
        self.numbers["depth_max"] = max(depth, self.numbers["depth_max"])

    def _growth(self) -> int:
        return self.run.chance.choice(GROWTHS)

    def _pass(self) -> None:
        try_once(self.engine, self._following)
        self._witness.look(self.engine)
        self.numbers["passes"] += 1

    def _pass_with_a_fork(self) -> None:
        waiting = self.run.chance.randrange(REQUESTS_MAX)
        left = [waiting]

        def before(_: list[str]) -> None:
            left[0] -= 1
            if left[0] == -1:
                self._fork()
                self.numbers["forks_within_a_pass"] += 1

        self.chain.grow(self.run.chance.randrange(1, STEP_BLOCKS_MAX))
        self._highest = max(self._highest, self.chain.head())
        self.proxy.before = before
        self._pass()
        self.proxy.heal()

    def _join(self) -> None:
        if len(self._following.contracts) == 1:
            self._witness.expect_more()
        self._following.contracts = self.chain.followed(0, 1)


def _require_stopped(run: Run, engine: Engine, following: Following) -> None:
    with (
        following.source() as source,
        Worker(
            engine, lambda: source, lock=run.folder / "lock", project=project, poll_seconds=0.01
        ) as worker,
    ):
        worker.start()
        end = time.monotonic() + STOP_SECONDS
        while worker.failure is None and time.monotonic() < end:
            time.sleep(0.005)
        if not isinstance(worker.failure, ForkBeyondFinality):
            raise Violated(f"a fork deeper than finality ended the worker by {worker.failure!r}")
    with Session(engine) as session:
        if not heads_of(session).alarm:
            raise Violated(f"no alarm is told at {tip_of(session)}")
