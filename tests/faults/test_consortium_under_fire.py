"""
A consortium under fire, in small: one fault from a seed that is always the same.

`scripts/simulate consortium` has the whole battery.
"""

from collections.abc import Iterator

import pytest

from tests.faults.simulation.consortium.fires import FIRES
from tests.faults.simulation.consortium.worlds import leave
from tests.faults.simulation.running import simulate
from tests.postgres import Databases

pytestmark = [pytest.mark.engines, pytest.mark.slow]


@pytest.fixture(scope="module")
def databases() -> Iterator[Databases]:
    """Hand out mirrors; these faults keep theirs in the exchanges' homes."""
    found = Databases()
    yield found
    leave()
    found.stop()


class TestAConsortium:
    @pytest.mark.parametrize(("fault", "seed"), [("two-killed", 0)])
    def test_loses_nothing_whatever_happens(
        self, databases: Databases, fault: str, seed: int
    ) -> None:
        """Issue 5: each accepted write once, mirrors equal to views and to each other."""
        told: list[str] = []
        result = simulate(
            [(FIRES[fault], "sqlite", 1)], seed=seed, databases=databases, say=told.append
        )
        assert result["failed"] == 0, "\n".join(told)
        assert result["by_fault"][fault]["writes"] > 0
