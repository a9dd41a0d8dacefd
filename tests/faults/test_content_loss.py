"""
Content that is lost in every way there is, in small: twenty contents in each kind of store.

`scripts/simulate content` has two hundred.
"""

from collections.abc import Iterator

import pytest

from tests.faults.simulation.contents import LOSSES
from tests.faults.simulation.running import simulate
from tests.postgres import Databases


@pytest.fixture(scope="module")
def databases() -> Iterator[Databases]:
    found = Databases()
    yield found
    found.stop()


class TestContent:
    @pytest.mark.parametrize(
        ("fault", "seed"),
        [
            ("content-files", 0),
            # With a second copy at another exchange's node; even seeds have it in a folder.
            pytest.param("content-kubo", 1, marks=[pytest.mark.engines, pytest.mark.slow]),
        ],
    )
    def test_is_found_and_restored_or_named_as_lost(
        self, databases: Databases, fault: str, seed: int
    ) -> None:
        """reliability §4.2, IPFS loss: all detected, all restored from a second copy."""
        told: list[str] = []

        result = simulate(
            [(LOSSES[fault], "sqlite", 1)], seed=seed, databases=databases, say=told.append
        )

        assert result["failed"] == 0, "\n".join(told)
        found = result["by_fault"][fault]
        assert found["found"] == found["harmed"] > 90
        assert found["restored"] + found["lost"] == found["harmed"]
