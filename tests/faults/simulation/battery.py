"""
Which faults there are, and how often the whole battery tries each.

source: reliability §4.2, the column of the night
"""

from collections.abc import Mapping, Sequence
from typing import Final

from tests.faults.simulation import (
    chaos,
    clocks,
    databases,
    disks,
    kills,
    ledgers,
    nodes,
    reorgs,
    restores,
    writers,
)
from tests.faults.simulation.running import Fault

FAULTS: Final[Mapping[str, Fault]] = {
    one.name: one
    for one in (
        Fault(name="reorg", run=reorgs.every_depth, nightly={"sqlite": 192, "postgresql": 192}),
        Fault(
            name="reorg-random", run=reorgs.at_random, nightly={"sqlite": 500, "postgresql": 100}
        ),
        Fault(name="reorg-too-deep", run=reorgs.too_deep, nightly={"sqlite": 20, "postgresql": 20}),
        Fault(name="kill", run=kills.mirror, nightly={"sqlite": 40, "postgresql": 12}),
        Fault(name="ledger", run=ledgers.forked, nightly={"sqlite": 20, "postgresql": 5}),
        Fault(name="node-kill", run=nodes.killed, nightly={"sqlite": 25, "postgresql": 5}),
        Fault(name="node-shorter", run=nodes.shorter, nightly={"sqlite": 20, "postgresql": 20}),
        Fault(name="chaos", run=chaos.proxied, nightly={"sqlite": 720, "postgresql": 36}),
        Fault(name="disk-full", run=disks.full, nightly={"sqlite": 20}),
        Fault(name="database-gone", run=databases.gone, nightly={"sqlite": 20, "postgresql": 20}),
        Fault(name="backup", run=restores.under_load, nightly={"sqlite": 40, "postgresql": 10}),
        Fault(name="clock-skew", run=clocks.skewed, nightly={"sqlite": 20, "postgresql": 20}),
        Fault(name="two-workers", run=writers.at_once, nightly={"sqlite": 20, "postgresql": 20}),
    )
}


def plan(
    names: Sequence[str],
    *,
    runs: int | None,
    database: str | None,
    faults: Mapping[str, Fault] = FAULTS,
) -> list[tuple[Fault, str, int]]:
    """
    Return what is to be run: by default everything, as often as in the night.

    shape: `runs` replaces the number of runs of each fault on each database
    """
    return [
        (faults[name], where, count if runs is None else runs)
        for name in names or faults
        for where, count in faults[name].nightly.items()
        if database in (None, where)
    ]
