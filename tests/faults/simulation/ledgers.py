"""
The real contracts' life, forked, and followed by processes that are killed for it.

Here the contracts themselves say what the mirror must hold: every record is compared with its view.
The world is made once; every run acts on a snapshot of it.
"""

import atexit
import tempfile
import time
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from typing import Final

from sqlalchemy import Engine
from sqlmodel import Session

from api.auditing.audit import audit
from api.packages.packages import read_package
from api.samples import PORT_THROUGHPUT
from chain.letters import dead_letters
from chain.rpc import Node
from settlement.projection import apply
from tests.faults.simulation.mirrors import Following, catch_up, opened
from tests.faults.simulation.oracle import Violated, Witness, require_right
from tests.faults.simulation.running import Numbers, Run
from tests.faults.simulation.victims import CONTEXT, END_SECONDS, Post, keep, started
from tests.invariants.playing import Player
from tests.stories.world import Scene, World, open_scene, open_world

FORKS: Final = 3
KILLS_PER_BRANCH: Final = 3
TURNS_MAX: Final = 8
LIFE_SECONDS_MAX: Final = 0.1
# Branches of the life are as deep as they come.
FINALITY: Final = 10_000


def forked(run: Run) -> Numbers:
    """Live on branches that are given up."""
    return in_world(run, _world())


def in_world(run: Run, world: World) -> Numbers:
    """Play, give branches up, kill those who follow; then ask the contracts."""
    numbers: dict[str, int | float] = {"forks": FORKS, "kills": 0, "acts": 0}
    witness = Witness(FINALITY)
    with open_scene(world, run.folder) as scene:
        following = _following(scene)
        post = Post(
            mirror=run.mirror(), following=following, lock=run.folder / "lock", is_ledger=True
        )
        player = Player(scene, run.chance)
        for fork in range(FORKS):
            folder = run.folder / f"branch-{fork}"
            folder.mkdir()
            with open_scene(world, folder) as branch:
                lost = Player(branch, run.chance)
                numbers["kills"] += _play_and_kill(run, post, lost)
                numbers["acts"] += sum(lost.done.values())
            # Sometimes nothing takes the branch's place: the chain went backwards.
            if run.chance.random() < 0.7:
                numbers["kills"] += _play_and_kill(run, post, player)
            with opened(post.mirror) as engine:
                witness.look(engine)
        with opened(post.mirror) as engine, Node(world.demo.rpc_url) as node:
            catch_up(engine, following, apply)
            witness.look(engine)
            numbers["records_audited"] = _require_views(engine, node)
            require_right(engine, node, following, apply)
    numbers["acts"] += sum(player.done.values())
    return numbers


def _play_and_kill(run: Run, post: Post, player: Player) -> int:
    for _ in range(KILLS_PER_BRANCH):
        ready = CONTEXT.Event()
        with started(keep, post, ready):
            player.play(run.chance.randrange(1, TURNS_MAX))
            ready.wait(END_SECONDS)
            time.sleep(run.chance.uniform(0, LIFE_SECONDS_MAX))
    return KILLS_PER_BRANCH


def _require_views(engine: Engine, node: Node) -> int:
    with Session(engine) as session:
        letters = dead_letters(session)
    if letters:
        raise Violated(f"set aside: {letters[:3]}")
    found = audit(engine, node)
    if not found.equal:
        raise Violated(f"not as the contracts say: {found.differences[:3]}")
    return found.compared


def _following(scene: Scene) -> Following:
    deployment = scene.world.demo.deployment
    return Following(
        url=scene.world.demo.rpc_url,
        contracts=tuple(deployment.followed()),
        chain_id=deployment.chain_id,
        finality=FINALITY,
    )


@cache
def _world() -> World:
    stack = ExitStack()
    atexit.register(stack.close)
    folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="shulian-simulate-world-"))
    return stack.enter_context(open_world(Path(folder) / "home", [read_package(PORT_THROUGHPUT)]))
