"""
Tests of readings of the mirror: each is one moment, none can write, and both databases agree.
"""

from collections import deque
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session

from chain import reads
from chain.heads import note_final
from chain.histories import versions
from chain.reading import Snapshots
from chain.store import block_at
from tests.chain.things import (
    Tally,
    Thing,
    append,
    apply,
    asset,
    registered_log,
    used_log,
)

ON_BOTH_DATABASES = True
ACCOUNT = "0x" + f"{1:040x}"


@pytest.fixture
def snapshots(mirror: Engine, mirror_url: str) -> Iterator[Snapshots]:
    """Give readings of a mirror with blocks 1 to 9."""
    for number in range(1, 10):
        logs = [registered_log(1, number), registered_log(number, 1), used_log(1, number % 2)]
        apply(mirror, append(number, logs))
    opened = Snapshots(mirror_url)
    yield opened
    opened.dispose()


class TestSnapshot:
    def test_is_one_moment_whatever_is_written_meanwhile(
        self, mirror: Engine, snapshots: Snapshots
    ) -> None:
        with snapshots.open() as before:
            first = before.tip()
            apply(mirror, append(10, [registered_log(1, 77)]))
            assert before.tip() == first
            found = before.find(Thing, asset(1))
            assert found is not None
            assert found.record.version == 9

        with snapshots.open() as after:
            tip = after.tip()
            assert tip is not None
            assert tip[0].number == 10

    def test_cannot_write(self, snapshots: Snapshots) -> None:
        with pytest.raises(DBAPIError), snapshots.open() as snapshot:
            snapshot.connection.execute(text("DELETE FROM blocks"))

        with snapshots.open() as snapshot:
            assert snapshot.block(9) is not None

    def test_tells_the_newest_block_with_the_final_height(
        self, mirror: Engine, snapshots: Snapshots
    ) -> None:
        with Session(mirror) as session, session.begin():
            block = block_at(session, 4)
            assert block is not None
            note_final(session, block)

        with snapshots.open() as snapshot:
            assert snapshot.tip() == (append(9, []).block, 4)

    @pytest.mark.parametrize("at_block", [None, 1, 2, 5, 9])
    def test_finds_what_reads_find(self, snapshots: Snapshots, at_block: int | None) -> None:
        with snapshots.open() as snapshot:
            for key in (asset(1), asset(5), asset(99)):
                found = snapshot.find(Thing, key, at_block=at_block)
                assert found == reads.find(snapshot.session, Thing, key, at_block=at_block)
            tally = snapshot.find(Tally, ACCOUNT, 1, at_block=at_block)
            assert tally == reads.find(snapshot.session, Tally, ACCOUNT, 1, at_block=at_block)
            assert tally is not None

    def test_finds_the_last_block_at_or_before_a_time(self, snapshots: Snapshots) -> None:
        with snapshots.open() as snapshot:
            found = [snapshot.block_before(1_700_000_000 + seconds) for seconds in (0, 1, 4, 9, 99)]

        assert [one and one.number for one in found] == [None, 1, 4, 9, 9]

    def test_leaves_the_next_one_whole_when_it_fails(self, snapshots: Snapshots) -> None:
        def fail() -> None:
            with snapshots.open() as snapshot:
                snapshot.session.connection()
                raise KeyError

        with pytest.raises(KeyError):
            fail()

        with snapshots.open() as snapshot:
            assert snapshot.tip() is not None

    def test_fail_once_when_the_server_dropped_all_that_were_idle(
        self, mirror: Engine, snapshots: Snapshots
    ) -> None:
        if mirror.dialect.name == "sqlite":
            return  # nobody drops those
        with ExitStack() as stack:
            for _ in range(3):
                stack.enter_context(snapshots.open()).tip()
        others = "datname = current_database() AND pid <> pg_backend_pid()"
        with mirror.connect() as connection:
            connection.execute(
                text(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {others}")
            )

        with pytest.raises(DBAPIError), snapshots.open() as snapshot:
            snapshot.tip()

        for _ in range(4):
            with snapshots.open() as snapshot:
                assert snapshot.tip() is not None

    def test_take_no_connection_that_another_thread_took(self, snapshots: Snapshots) -> None:
        class Emptied(deque[Any]):
            """Empty as soon as somebody knows that it is not."""

            def __bool__(self) -> bool:
                was_filled = len(self) > 0
                self.clear()
                return was_filled

        with snapshots.open():
            pass
        idle = list(snapshots._idle)
        snapshots._idle = Emptied(idle)

        with snapshots.open() as snapshot:
            assert snapshot.tip() is not None
        for one in idle:
            one.close()


class TestVersions:
    def test_are_all_told_in_steps(self, snapshots: Snapshots) -> None:
        told: list[tuple[int, int | None]] = []
        after: int | None = -1
        with snapshots.open() as snapshot:
            while after is not None:
                found, after = versions(
                    snapshot.session, Thing, asset(1), after=after, limit=4, at_block=8
                )
                told += [(one.recorded.from_block, one.recorded.to_block) for one in found]
                assert {one.made.name for one in found} == {"AssetRegistered"}
                assert all(
                    one.from_time - 1_700_000_000 == one.recorded.from_block for one in found
                )

        assert told == [*((number, number + 1) for number in range(1, 8)), (8, None)]
