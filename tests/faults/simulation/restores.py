"""
Backups made while the mirror is written, each restored and then followed on.
"""

import random
from pathlib import Path
from typing import Final

from api.config import Settings, read_settings
from api.upkeep.backups import What, back_up
from api.upkeep.restores import restore
from tests.faults.simulation.branches import Chain, open_chain
from tests.faults.simulation.kills import FINALITY, writing
from tests.faults.simulation.mirrors import Following, catch_up, opened
from tests.faults.simulation.oracle import Violated, Witness, foreign, intervals, require_right
from tests.faults.simulation.receipts import stored
from tests.faults.simulation.running import Numbers, Run
from tests.faults.simulation.victims import CONTEXT, END_SECONDS, Post, keep, started

BACKLOG: Final = 60
BACKUPS: Final = 2


def under_load(run: Run) -> Numbers:
    """Back a home up while its mirror is written, restore that, and let it catch up."""
    with open_chain(run.chance) as chain:
        following = Following(
            url=chain.anvil.url, contracts=chain.followed(0, 1), finality=FINALITY
        )
        home = run.folder / "home"
        home.mkdir()
        settings = read_settings({}, home=home, mirror_url=run.mirror())
        post = Post(
            mirror=settings.mirror_url,
            following=following,
            lock=home / "mirror.lock",
            batch_blocks=run.chance.choice((1, 5, 40)),
        )
        chain.grow(BACKLOG)
        ready = CONTEXT.Event()
        with started(keep, post, ready), writing(chain, random.Random(run.chance.random())):
            ready.wait(END_SECONDS)
            made = [_back_up(run, settings, number) for number in range(BACKUPS)]
        chain.grow(FINALITY)
        for path in made:
            _require_restored(run, path, chain, following)
    return {"backups": BACKUPS, "restored": len(made)}


def _back_up(run: Run, settings: Settings, number: int) -> Path:
    with opened(settings.mirror_url) as engine:
        target = run.folder / f"backup-{number}.tar.gz"
        return back_up(settings, engine, target, what=What(has_keys=False)).path


def _require_restored(run: Run, path: Path, chain: Chain, following: Following) -> None:
    home = run.folder / f"{path.name}.home"
    restored = read_settings({}, home=home)
    restore(path, restored)
    witness = Witness(FINALITY)
    with opened(restored.mirror_url) as engine:
        found = intervals(stored(engine)) + foreign(engine, chain, following)
        if found:
            raise Violated(f"restored: {'; '.join(found)}")
        witness.look(engine)
        catch_up(engine, following)
        witness.look(engine)
        require_right(engine, chain.anvil.node, following)
