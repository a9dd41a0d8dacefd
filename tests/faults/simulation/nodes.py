"""
The node dies and comes back with fewer blocks than the mirror has seen.
"""

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from sqlalchemy import Engine

from tests.anvil import Anvil
from tests.faults.simulation.branches import OPTIONS, Chain
from tests.faults.simulation.mirrors import Following, catch_up, opened, try_once
from tests.faults.simulation.oracle import Witness, require_right
from tests.faults.simulation.running import Numbers, Run

KILLS_PER_RUN: Final = 2
# anvil writes its state once a second: so much of it is lost at a kill.
WRITE_SECONDS: Final = 1
STEP_SECONDS: Final = 0.08
STEPS: Final = 16
# More than a node writes between two of its states.
FINALITY: Final = 200
SHALLOW: Final = 30


def killed(run: Run) -> Numbers:
    """Kill the node while it writes its state now and then; the mirror has seen what it forgot."""
    state = run.folder / "state.json"
    lost = []
    with _living(state, "--state-interval", str(WRITE_SECONDS)) as nodes:
        chain = Chain(nodes.start(), run.chance)
        following = Following(
            url=chain.anvil.url, contracts=chain.followed(0, 1), finality=FINALITY
        )
        witness = Witness(FINALITY)
        with opened(run.mirror()) as engine:
            for _ in range(KILLS_PER_RUN):
                _write_for_a_while(run, chain, nodes, engine, following)
                highest = chain.head()
                witness.look(engine)
                chain.resume(nodes.restart())
                following.url = chain.anvil.url
                lost.append(highest - chain.head())
                try_once(engine, following)
                chain.grow(highest - chain.head() + 1)
                catch_up(engine, following)
                witness.look(engine)
            require_right(engine, chain.anvil.node, following)
    return {
        "kills": KILLS_PER_RUN,
        "heads_went_back": sum(one > 0 for one in lost),
        "blocks_lost_max": max(lost),
    }


def shorter(run: Run) -> Numbers:
    """Start the node again with an older copy of its chain, as from a back-up."""
    state, copy = run.folder / "state.json", run.folder / "copy.json"
    with _living(state) as nodes:
        chain = Chain(nodes.start(), run.chance)
        chain.grow(run.chance.randrange(1, 40))
        nodes.current.stop()
        shutil.copy(state, copy)
        chain.resume(nodes.start())
        following = Following(url=chain.anvil.url, contracts=chain.followed(0, 1), finality=SHALLOW)
        witness = Witness(SHALLOW)
        kept = chain.head()
        with opened(run.mirror()) as engine:
            chain.grow(run.chance.randrange(1, SHALLOW))
            highest = chain.head()
            catch_up(engine, following)
            witness.look(engine)
            nodes.current.kill()
            shutil.copy(copy, state)
            chain.resume(nodes.start())
            following.url = chain.anvil.url
            assert chain.head() == kept
            for _ in range(run.chance.randrange(3)):
                try_once(engine, following)
                chain.grow(1)
            chain.grow(max(0, highest - chain.head()) + 1)
            catch_up(engine, following)
            witness.look(engine)
            require_right(engine, chain.anvil.node, following)
    return {"restarts": 1, "blocks_lost_max": highest - kept}


class _Nodes:
    """One chain's node after another, each from the state that the one before left."""

    def __init__(self, state: Path, options: tuple[str, ...]) -> None:
        self._state = state
        self._options = (*OPTIONS, "--state", str(state), *options)
        self._good = state.with_suffix(".good")
        self.current: Anvil

    def start(self) -> Anvil:
        """Start a node."""
        self.current = Anvil(*self._options)
        return self.current

    def wait_for_state(self) -> None:
        """Wait until the node has written its state once more, and keep that."""
        before = self._state.stat().st_mtime_ns if self._state.is_file() else 0
        end = time.monotonic() + 10 * WRITE_SECONDS
        while not self._state.is_file() or self._state.stat().st_mtime_ns == before:
            assert time.monotonic() < end, "the node writes no state"
            time.sleep(0.01)
        # It is written in place: what can be read is whole by then.
        time.sleep(0.05)
        shutil.copy(self._state, self._good)

    def restart(self) -> Anvil:
        """Kill the node and start another; a state that was cut off is replaced by an older one."""
        self.current.kill()
        try:
            return self.start()
        except AssertionError:
            shutil.copy(self._good, self._state)
            return self.start()


@contextmanager
def _living(state: Path, *options: str) -> Iterator[_Nodes]:
    nodes = _Nodes(state, options)
    try:
        yield nodes
    finally:
        if nodes.current.process.poll() is None:
            nodes.current.kill()


def _write_for_a_while(
    run: Run, chain: Chain, nodes: _Nodes, engine: Engine, following: Following
) -> None:
    chain.grow_busily(2)
    nodes.wait_for_state()
    for _ in range(run.chance.randrange(2, STEPS)):
        chain.grow(run.chance.randrange(1, 4))
        catch_up(engine, following)
        time.sleep(STEP_SECONDS)
