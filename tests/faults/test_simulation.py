"""
The mirror under fire, in small: a few runs of every fault, from seeds that are always the same.

`scripts/simulate` has the whole battery.
"""

from collections.abc import Iterator

import pytest

from tests.faults.simulation.battery import FAULTS
from tests.faults.simulation.running import simulate
from tests.postgres import Databases

# By fault: where it is tried, and from which seed on how often.
SEEDS = {
    "reorg": {"sqlite": (0, 4, 14, 34, 189, 190, 191), "postgresql": (5,)},
    "reorg-random": {"sqlite": (1, 2, 3), "postgresql": (4,)},
    "reorg-too-deep": {"sqlite": (0, 1), "postgresql": (2,)},
    "kill": {"sqlite": (0,), "postgresql": (1,)},
    "node-kill": {"sqlite": (0,)},
    "node-shorter": {"sqlite": (0, 1)},
    "chaos": {"sqlite": range(24, 36)},
    "disk-full": {"sqlite": (0, 2)},
    "database-gone": {"sqlite": (0,), "postgresql": (0,)},
    "clock-skew": {"sqlite": (0,)},
    "two-workers": {"sqlite": (0,), "postgresql": (0,)},
}
CASES = [
    (fault, database, seed)
    for fault, places in SEEDS.items()
    for database, seeds in places.items()
    for seed in seeds
]


@pytest.fixture(scope="module")
def databases() -> Iterator[Databases]:
    """A server of these tests' own, since it is stopped in the middle."""
    found = Databases()
    yield found
    found.stop()


class TestTheMirror:
    @pytest.mark.parametrize(("fault", "database", "seed"), CASES)
    def test_is_right_whatever_happens(
        self, databases: Databases, fault: str, database: str, seed: int
    ) -> None:
        """reliability §4.2: incremental = fresh = receipts, and nothing final is rewritten."""
        told: list[str] = []

        result = simulate(
            [(FAULTS[fault], database, 1)], seed=seed, databases=databases, say=told.append
        )

        assert result["failed"] == 0, "\n".join(told)
