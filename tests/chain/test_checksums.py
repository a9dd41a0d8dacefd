"""
Tests of the blocks' checksums: one number per block that two mirrors of one chain share, however
they came to it, and that nothing else has.
"""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, select
from sqlmodel import Session

from chain.events import Event
from chain.facts import Append
from chain.reads import block_checksum, checksum
from chain.records import Records
from chain.store import BLOCKS, apply_blocks, open_mirror, rebuild, rewind
from chain.tables import TABLES
from chain.versions import TableRecords
from tests.chain.things import Tally, Thing, append, apply, project, registered_log, used_log

ON_BOTH_DATABASES = True


def chain_of(blocks: int, branch: str = "a") -> list[Append]:
    """Return blocks of which every fourth is empty."""
    logs = [
        [registered_log(number % 5, number), used_log(number % 3, number % 2)]
        for number in range(blocks)
    ]
    return [append(n, logs[n] if n % 4 else [], branch=branch) for n in range(1, blocks)]


def sums(engine: Engine) -> list[str]:
    with Session(engine) as session:
        query = select(BLOCKS.c.checksum).order_by(BLOCKS.c.number)
        return list(session.connection().execute(query).scalars())


@pytest.fixture
def expected(tmp_path: Path) -> list[str]:
    """The checksums of a mirror that was filled block by block."""
    engine = open_mirror(f"sqlite:///{tmp_path}/expected.db")
    for one in chain_of(30):
        apply(engine, one)
    found = sums(engine)
    engine.dispose()
    return found


class TestChecksums:
    def test_differ_from_block_to_block(self, expected: list[str]) -> None:
        assert len(expected) == len(set(expected)) == 29

    def test_are_the_same_in_one_batch(self, mirror: Engine, expected: list[str]) -> None:
        apply(mirror, *chain_of(30))

        assert sums(mirror) == expected

    def test_are_the_same_when_records_are_kept_between_batches(
        self, mirror: Engine, expected: list[str]
    ) -> None:
        records, chain = TableRecords(), chain_of(30)
        for first in range(0, 30, 7):
            with Session(mirror) as session, session.begin():
                apply_blocks(session, chain[first : first + 7], project, records)

        assert sums(mirror) == expected

    def test_are_the_same_after_a_fork(self, mirror: Engine, expected: list[str]) -> None:
        chain = chain_of(30)
        apply(mirror, *chain[:20])
        with Session(mirror) as session, session.begin():
            rewind(session, 12)
        other = [append(13, [registered_log(1, 99)], branch="b", parent_branch="a")]
        apply(mirror, *other)
        with Session(mirror) as session, session.begin():
            rewind(session, 12)

        apply(mirror, *chain[12:])

        assert sums(mirror) == expected

    def test_are_the_same_when_rebuilt(self, mirror: Engine, expected: list[str]) -> None:
        apply(mirror, *chain_of(30))
        with Session(mirror) as session, session.begin():
            session.connection().execute(BLOCKS.update().values(checksum="0x" + "00" * 32))

        rebuild(mirror, project)

        assert sums(mirror) == expected

    def test_differ_from_the_first_block_of_another_branch_on(
        self, mirror: Engine, expected: list[str]
    ) -> None:
        apply(mirror, *chain_of(30)[:10])
        apply(mirror, append(11, [], branch="b", parent_branch="a"))

        assert sums(mirror)[:10] == expected[:10]
        assert sums(mirror)[10] != expected[10]

    def test_differ_from_the_first_other_version_on(
        self, mirror: Engine, expected: list[str]
    ) -> None:
        """The same events, another projection: what the checksum is there to show."""

        def other(records: Records, event: Event) -> Iterable[Any]:
            for version in project(records, event):
                is_thing = isinstance(version, Thing) and version.version == 17
                yield replace(version, note="another") if is_thing else version

        with Session(mirror) as session, session.begin():
            apply_blocks(session, chain_of(30), other)

        assert sums(mirror)[:16] == expected[:16]
        assert all(one != two for one, two in zip(sums(mirror)[16:], expected[16:], strict=True))

    def test_are_asked_for_by_height(self, mirror: Engine, expected: list[str]) -> None:
        apply(mirror, *chain_of(30))

        with Session(mirror) as session:
            assert block_checksum(session, 7) == expected[6]
            assert block_checksum(session, 30) is None


class TestChecksumOfTheState:
    def test_as_of_a_block_is_that_of_a_mirror_that_ends_there(
        self, mirror: Engine, tmp_path: Path
    ) -> None:
        chain = chain_of(30)
        apply(mirror, *chain)

        for number in (1, 4, 13, 29):
            short = open_mirror(f"sqlite:///{tmp_path}/short{number}.db")
            apply(short, *chain[:number])
            with Session(short) as one, Session(mirror) as session:
                assert checksum(session, number) == checksum(one)
            short.dispose()

    def test_is_the_same_for_a_program_that_knows_a_noun_less(
        self, mirror: Engine, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        apply(mirror, append(1, [registered_log(1, 5)]))
        with Session(mirror) as session:
            known = checksum(session)

            monkeypatch.delitem(TABLES, Tally)

            assert checksum(session) == known

            monkeypatch.delitem(TABLES, Thing)

            assert checksum(session) != known
