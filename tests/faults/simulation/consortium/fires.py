"""
The faults of a consortium: validators killed, cut off, wiped, restarted, let in and voted out.

Each runs under a steady load, from a seed that says who is hit; then all must be as if nothing had
been (`outcomes`). Times are measured from the moment at which the fault was over.
"""

import shutil
import time
from collections.abc import Callable, Mapping
from typing import Final

from chain.consortium.folders import read_consortium
from chain.consortium.joining import admit, dismiss
from chain.consortium.seals import signer_of
from chain.consortium.standing import look
from tests.faults.simulation.consortium.loads import Load, under_load
from tests.faults.simulation.consortium.outcomes import require_whole
from tests.faults.simulation.consortium.worlds import (
    NAMES,
    NODES_OF,
    Consortium,
    the_consortium,
    until,
)
from tests.faults.simulation.oracle import Violated
from tests.faults.simulation.running import Fault, Numbers, Run

STEADY_WRITES: Final = 4
HOLD_SECONDS: Final = 6
STILL_SECONDS: Final = 5
VOTE_SECONDS: Final = 90

Fire = Callable[[Run, Consortium, Load], Numbers]


def _burning(fire: Fire) -> Callable[[Run], Numbers]:
    """Return a fault that sets a fire under load and then requires that all is whole."""

    def run(run_: Run) -> Numbers:
        consortium = the_consortium()
        consortium.wait_whole()
        from_block = look(consortium.nodes).head or 0
        label = f"{fire.__name__}/{run_.seed}/{time.time_ns()}"
        try:
            with under_load(consortium, label) as load:
                load.wait_confirmed(since=load.began_at, count=STEADY_WRITES)
                numbers = dict(fire(run_, consortium, load))
                load.wait_confirmed(since=time.monotonic(), count=STEADY_WRITES)
        finally:
            _mend(consortium)
        numbers.update(require_whole(consortium, load, from_block=from_block))
        seconds = (load.ended_at or time.monotonic()) - load.began_at
        return {
            **numbers,
            "writes": len(load.confirmed()),
            "load_seconds": seconds,
            "deferred": load.deferred,
            "pause_seconds_max": load.pause_seconds(since=load.began_at),
        }

    return run


def _mend(consortium: Consortium) -> None:
    """Start whoever is down and join whoever is apart, also after a run that failed."""
    for name in NAMES:
        consortium.start(name)


def one_killed(run: Run, consortium: Consortium, load: Load) -> Numbers:
    """Three of four go on; the fourth comes back and seals again."""
    victim = run.chance.choice(NAMES)
    killed_at = time.monotonic()
    consortium.nodes.kill(consortium.node(victim))
    load.wait_confirmed(since=killed_at, count=STEADY_WRITES)
    time.sleep(HOLD_SECONDS)
    restarted_at = time.monotonic()
    consortium.start(victim)
    _wait_level(consortium, victim)
    return {
        "recover_seconds_max": load.wait_confirmed(since=killed_at),
        "rejoin_seconds_max": time.monotonic() - restarted_at,
    }


def two_killed(run: Run, consortium: Consortium, load: Load) -> Numbers:
    """Two of four stop: the API says so, reads go on, nothing is lost, writes resume alone."""
    victims = run.chance.sample(NAMES, 2)
    for one in victims:
        consortium.nodes.kill(consortium.node(one))
    _require_standstill(consortium, alive=[one for one in NAMES if one not in victims])
    waiting = sum(one.confirmed_at is None for one in load.writes)
    over_at = time.monotonic()
    consortium.start(victims[0])
    numbers = {
        "recover_seconds_max": load.wait_confirmed(since=over_at),
        "accepted_while_still": waiting,
    }
    consortium.start(victims[1])
    return numbers


def cut_three_one(run: Run, consortium: Consortium, load: Load) -> Numbers:
    """The three go on; whoever is alone stands still, and follows when it is back."""
    alone = run.chance.choice(NAMES)
    others = [one for one in NAMES if one != alone]
    cut_at = time.monotonic()
    consortium.cut([alone], others)
    load.wait_confirmed(since=cut_at, count=STEADY_WRITES)
    time.sleep(HOLD_SECONDS)
    over_at = time.monotonic()
    consortium.heal([alone], others)
    _wait_level(consortium, alone)
    return {
        "recover_seconds_max": load.wait_confirmed(since=cut_at),
        "rejoin_seconds_max": time.monotonic() - over_at,
    }


def cut_two_two(run: Run, consortium: Consortium, load: Load) -> Numbers:
    """Neither half goes on, and both say so; healed, they are one chain again."""
    one_side = run.chance.sample(NAMES, 2)
    other = [one for one in NAMES if one not in one_side]
    consortium.cut(one_side, other)
    _require_standstill(consortium, alive=NAMES)
    over_at = time.monotonic()
    consortium.heal(one_side, other)
    return {"recover_seconds_max": load.wait_confirmed(since=over_at)}


def wiped(run: Run, consortium: Consortium, load: Load) -> Numbers:
    """A validator loses its disk, all but its keys, and has the chain again from the others."""
    victim = run.chance.choice(NAMES)
    hit_at = time.monotonic()
    consortium.nodes.kill(consortium.node(victim))
    shutil.rmtree(consortium.nodes.path(consortium.node(victim)) / "data")
    consortium.start(victim)
    _wait_level(consortium, victim)
    resynced = time.monotonic() - hit_at
    signer = consortium.node(victim).signer
    until(lambda: _seals_since(consortium, signer, hit_at), f"{victim} seals again", seconds=120)
    return {
        "recover_seconds_max": load.wait_confirmed(since=hit_at),
        "rejoin_seconds_max": resynced,
    }


def rolling(run: Run, consortium: Consortium, load: Load) -> Numbers:
    """Everybody is restarted, one after another, as an upgrade does."""
    order = run.chance.sample(NAMES, len(NAMES))
    began_at = time.monotonic()
    for name in order:
        consortium.nodes.stop(consortium.node(name))
        consortium.start(name)
        _wait_level(consortium, name)
    took = time.monotonic() - began_at
    return {
        "recover_seconds_max": load.pause_seconds(since=began_at),
        "rolling_seconds_max": took,
    }


def rpc_lost(run: Run, consortium: Consortium, load: Load) -> Numbers:
    """An exchange's node is gone, and whoever writes through that exchange notices little."""
    exchange = run.chance.choice(list(NODES_OF))
    victim = NODES_OF[exchange][0]
    lost_at = time.monotonic()
    consortium.nodes.kill(consortium.node(victim))
    recovered = load.wait_confirmed(since=lost_at, exchange=exchange)
    time.sleep(HOLD_SECONDS)
    (ours,) = (one for one in consortium.exchanges if one.name == exchange)
    until(lambda: ours.health() == "OK", f"{exchange} is well on its other node")
    consortium.start(victim)
    return {"recover_seconds_max": recovered}


def voted(run: Run, consortium: Consortium, load: Load) -> Numbers:
    """A fifth validator is let in, seals, and is voted out again."""
    folder = consortium.folder / "consortium"
    name = f"guest-{run.seed}-{int(time.time())}"
    values = {"zh": "客座", "en": "Guest", "host": "127.0.0.1"}
    began_at = time.monotonic()

    def quiet(_: str) -> None:
        """Tell nobody."""

    entered = admit(
        folder, read_consortium(folder), name, values, wait_seconds=VOTE_SECONDS, say=quiet
    )
    in_seconds = time.monotonic() - began_at
    consortium.reread()
    guest = consortium.node(name)
    try:
        if not entered.is_in_force:
            raise Violated(f"{name} was not let in: {entered}")
        until(lambda: _seals(consortium, guest.signer), f"{name} seals")
        out_at = time.monotonic()
        left = dismiss(
            folder, consortium.nodes.consortium, name, wait_seconds=VOTE_SECONDS, say=quiet
        )
        if not left.is_in_force:
            raise Violated(f"{name} was not voted out: {left}")
        out_seconds = time.monotonic() - out_at
    finally:
        consortium.nodes.stop(guest)
        shutil.rmtree(consortium.nodes.path(guest))
        consortium.reread()
    return {
        "recover_seconds_max": load.pause_seconds(since=began_at),
        "voted_in_seconds_max": in_seconds,
        "voted_out_seconds_max": out_seconds,
    }


# --- what is looked at meanwhile ------------------------------------------------------------------


def _require_standstill(consortium: Consortium, *, alive: tuple[str, ...] | list[str]) -> None:
    """Check that no block is made, that every API says so, and that reads go on all the same."""
    expected = {
        one.name: "CHAIN_STALLED" if set(NODES_OF[one.name]) & set(alive) else "NODE_UNREACHABLE"
        for one in consortium.exchanges
    }
    for one in consortium.exchanges:
        until(
            lambda one=one: one.health() == expected[one.name],
            f"{one.name} says {expected[one.name]}, not {one.health()}",
        )
    # Within two blocks of each half they stop; from then on nothing may move.
    before = {name: consortium.nodes.height(consortium.node(name)) for name in alive}
    time.sleep(STILL_SECONDS)
    after = {name: consortium.nodes.height(consortium.node(name)) for name in alive}
    if before != after:
        raise Violated(f"blocks without a majority: {before} became {after}")
    for one in consortium.exchanges:
        one.get("/v1/assets?limit=5")
        one.get("/v1/statistics")


def _wait_level(consortium: Consortium, name: str) -> None:
    """Wait until a node is as high as the highest."""

    def is_level() -> bool:
        heights = {one: consortium.nodes.height(consortium.node(one)) for one in NAMES}
        return heights[name] >= max(heights.values()) - 1

    until(is_level, f"{name} is level", seconds=120)


def _seals(consortium: Consortium, signer: str) -> bool:
    return any(
        one.signer == signer and (one.share or 0) > 0 for one in look(consortium.nodes).nodes
    )


def _seals_since(consortium: Consortium, signer: str, moment: float) -> bool:
    ask = consortium.nodes.admin(consortium.node(NAMES[0])).call
    head = ask("eth_getBlockByNumber", "latest", False)
    since = time.time() - (time.monotonic() - moment)
    for number in range(int(head["number"], 16), 0, -1):
        header = ask("eth_getBlockByNumber", hex(number), False)
        if int(header["timestamp"], 16) <= since:
            return False
        if signer_of(header) == signer:
            return True
    return False


# By fault: what happens, and how often in a night.
NIGHT: Final[Mapping[str, tuple[Fire, int]]] = {
    "validator-killed": (one_killed, 3),
    "two-killed": (two_killed, 3),
    "cut-3-1": (cut_three_one, 3),
    "cut-2-2": (cut_two_two, 3),
    "wiped": (wiped, 2),
    "rolling-restart": (rolling, 2),
    "rpc-lost": (rpc_lost, 2),
    "voted": (voted, 2),
}
FIRES: Final[Mapping[str, Fault]] = {
    name: Fault(name=name, run=_burning(fire), nightly={"sqlite": count}, battery="consortium")
    for name, (fire, count) in NIGHT.items()
}
