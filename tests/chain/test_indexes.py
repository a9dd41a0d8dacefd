"""
Tests of the indexes that only readers need: gone while an empty mirror is filled, there afterwards.
"""

import gc

import pytest
from sqlalchemy import Engine, inspect
from sqlmodel import Session

from chain.indexes import complete, drop_late, filling, make_late
from chain.store import rebuild
from chain.tables import LATE, MIRROR
from tests.chain.things import append, apply, dump, project, registered_log

ON_BOTH_DATABASES = True

LATE_NAMES = {
    str(index.name)
    for table in MIRROR.metadata.tables.values()
    for index in table.indexes
    if index.info.get(LATE)
}


def there(engine: Engine) -> set[str]:
    found = inspect(engine).get_multi_indexes()
    return LATE_NAMES & {str(one["name"]) for indexes in found.values() for one in indexes}


class TestFilling:
    def test_goes_without_them_in_an_empty_mirror(self, mirror: Engine) -> None:
        with filling(mirror):
            assert there(mirror) == set()
            apply(mirror, append(1, [registered_log(1, 5)]))

        assert there(mirror) == LATE_NAMES != set()

    def test_keeps_them_in_a_mirror_that_has_blocks(self, mirror: Engine) -> None:
        apply(mirror, append(1, []))

        with filling(mirror):
            assert there(mirror) == LATE_NAMES

    def test_makes_them_also_when_it_fails(self, mirror: Engine) -> None:
        with pytest.raises(RuntimeError), filling(mirror):
            raise RuntimeError("the node is gone")

        assert there(mirror) == LATE_NAMES
        assert gc.isenabled()


class TestComplete:
    def test_makes_what_a_killed_process_left_out(self, mirror: Engine) -> None:
        with mirror.begin() as connection:
            drop_late(connection)

        complete(mirror)

        assert there(mirror) == LATE_NAMES

    def test_may_be_asked_again(self, mirror: Engine) -> None:
        with mirror.begin() as connection:
            make_late(connection)
            make_late(connection)

        assert there(mirror) == LATE_NAMES


class TestRebuild:
    def test_leaves_all_indexes_and_rows(self, mirror: Engine) -> None:
        apply(mirror, *(append(n, [registered_log(n % 3, n)]) for n in range(1, 9)))
        before = dump(mirror)

        rebuild(mirror, project)

        assert there(mirror) == LATE_NAMES
        assert dump(mirror) == before

    def test_that_fails_leaves_them_as_they_were(self, mirror: Engine) -> None:
        apply(mirror, append(1, [registered_log(1, 5)]))
        before = dump(mirror)

        with Session(mirror), pytest.raises(KeyboardInterrupt):
            rebuild(mirror, interrupted)

        assert there(mirror) == LATE_NAMES
        assert dump(mirror) == before


def interrupted(*_: object) -> list[object]:
    """Stop as a person does in the middle of a projection."""
    raise KeyboardInterrupt
