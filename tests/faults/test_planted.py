"""
Whether the tests would notice: each mistake of `planted` is made in a copy, and must be caught.
"""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from tests.faults.planted.copies import FAILED, PASSED, Copy, NotPlantable, Planted
from tests.faults.planted.mistakes import MISTAKES


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Copy]:
    """A copy of the repository whose tests pass."""
    found = Copy(tmp_path_factory.mktemp("planted"))
    tests = dict.fromkeys(test for fault in MISTAKES for test in fault.tests)
    control = found.run(tuple(tests))
    assert control.returncode == PASSED, control.stdout[-4_000:] + control.stderr[-2_000:]
    return found


class TestThePlantedMistakes:
    @pytest.mark.parametrize("fault", MISTAKES, ids=lambda one: one.name)
    def test_are_caught_by_a_test(self, copy: Copy, fault: Planted) -> None:
        """reliability §4.2: all must be caught, or the suite fails."""
        copy.plant(fault)

        found = copy.run(fault.tests)

        copy.mend(fault)
        assert found.returncode == FAILED, f"{fault.breaks}\n{found.stdout[-3_000:]}{found.stderr}"

    def test_are_twenty_at_least_and_of_one_name_each(self) -> None:
        assert len({one.name for one in MISTAKES}) == len(MISTAKES) >= 20

    def test_that_no_longer_fit_the_code_fail_the_suite(self, copy: Copy) -> None:
        gone = replace(MISTAKES[0], old="what stood here once")

        with pytest.raises(NotPlantable, match="needs this text once in chain/indexer.py"):
            copy.plant(gone)
