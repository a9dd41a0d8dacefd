"""
Tests of finding what a mirror lacks or has wrong, and of mending it; and of dead letters.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, delete, update
from sqlmodel import Session

from chain.comparison import Difference, DifferenceKind
from chain.event import Event
from chain.events import AssetRegistered
from chain.gaps import RepairNotPermitted, find_gaps, repair, replay_dead_letters
from chain.heads import ForkBeyondFinality
from chain.indexer import StoredBlocks, sync_once
from chain.letters import Stage, dead_letters
from chain.reads import count, final_number, find
from chain.records import Records
from chain.store import BLOCKS, EVENTS, rebuild
from tests.anvil import Anvil
from tests.chain.emitter import calldata
from tests.chain.following import emit, fresh, source_of
from tests.chain.things import Tally, Thing, asset, dump, project, registered_log, used_log


def gaps(mirror: Engine, anvil: Anvil, emitter: str) -> list[Difference]:
    with Session(mirror) as session:
        return list(find_gaps(session, source_of(anvil, emitter)))


def tip_number(mirror: Engine) -> int:
    tip = StoredBlocks(mirror).tip()
    assert tip is not None
    return tip.number


class TestFindGaps:
    """What a trusting indexer never noticed for months (reliability §3.1)."""

    @pytest.fixture(autouse=True)
    def followed(self, anvil: Anvil, emitter: str, mirror: Engine) -> None:
        emit(anvil, emitter, *range(6))
        sync_once(mirror, source_of(anvil, emitter), project)

    def test_finds_nothing_where_nothing_is_wrong(
        self, anvil: Anvil, emitter: str, mirror: Engine
    ) -> None:
        assert gaps(mirror, anvil, emitter) == []

    def test_finds_a_missing_event(self, anvil: Anvil, emitter: str, mirror: Engine) -> None:
        number = tip_number(mirror) - 2
        with Session(mirror) as session, session.begin():
            session.connection().execute(
                delete(EVENTS).where(EVENTS.c.block_number == number, EVENTS.c.log_index == 1)
            )

        found = gaps(mirror, anvil, emitter)

        assert found == [
            Difference(block_number=number, kind=DifferenceKind.OTHER_LOGS, stored="1", found="2")
        ]

    def test_finds_a_missing_block(self, anvil: Anvil, emitter: str, mirror: Engine) -> None:
        number = tip_number(mirror) - 2
        with Session(mirror) as session, session.begin():
            connection = session.connection()
            connection.execute(delete(EVENTS).where(EVENTS.c.block_number == number))
            connection.execute(delete(BLOCKS).where(BLOCKS.c.number == number))

        found = gaps(mirror, anvil, emitter)

        assert {(one.block_number, one.kind) for one in found} == {(number, DifferenceKind.MISSING)}

    def test_finds_another_block(self, anvil: Anvil, emitter: str, mirror: Engine) -> None:
        number = tip_number(mirror) - 2
        with Session(mirror) as session, session.begin():
            other = update(BLOCKS).where(BLOCKS.c.number == number).values(hash="0x" + "ab" * 32)
            session.connection().execute(other)

        found = gaps(mirror, anvil, emitter)

        assert [(one.block_number, one.kind) for one in found] == [
            (number + 1, DifferenceKind.UNLINKED),
            (number, DifferenceKind.OTHER_BLOCK),
        ]


class TestRepair:
    def test_fetches_anew_what_was_missing(
        self, anvil: Anvil, emitter: str, mirror: Engine, tmp_path: Path
    ) -> None:
        emit(anvil, emitter, *range(6))
        source = source_of(anvil, emitter)
        sync_once(mirror, source, project)
        number = tip_number(mirror) - 2
        with Session(mirror) as session, session.begin():
            session.connection().execute(delete(EVENTS).where(EVENTS.c.block_number == number))

        repair(mirror, source, project, from_block=number)

        assert dump(mirror) == fresh(tmp_path, source)
        assert gaps(mirror, anvil, emitter) == []

    def test_leaves_what_is_final_unless_a_person_says_so(
        self, anvil: Anvil, emitter: str, mirror: Engine, tmp_path: Path
    ) -> None:
        emit(anvil, emitter, *range(6))
        source = source_of(anvil, emitter, depth=1)
        sync_once(mirror, source, project)
        number = tip_number(mirror) - 3
        with Session(mirror) as session, session.begin():
            session.connection().execute(delete(EVENTS).where(EVENTS.c.block_number == number))
        before = dump(mirror)

        with pytest.raises(RepairNotPermitted):
            repair(mirror, source, project, from_block=number)

        assert dump(mirror) == before
        repair(mirror, source, project, from_block=number, is_final_permitted=True)
        assert dump(mirror) == fresh(tmp_path, source)
        with Session(mirror) as session:
            assert final_number(session) == tip_number(mirror) - 1

    def test_takes_a_fork_beyond_finality_where_a_person_says_so(
        self, anvil: Anvil, emitter: str, mirror: Engine, tmp_path: Path
    ) -> None:
        emit(anvil, emitter, 1)
        ancestor = int(anvil.rpc("eth_blockNumber"), 16)
        snapshot = anvil.rpc("evm_snapshot")
        emit(anvil, emitter, *range(10, 16))
        source = source_of(anvil, emitter, depth=2)
        sync_once(mirror, source, project)
        anvil.rpc("evm_revert", snapshot)
        emit(anvil, emitter, *range(20, 28))
        with pytest.raises(ForkBeyondFinality):
            sync_once(mirror, source, project)

        repair(mirror, source, project, from_block=ancestor + 1, is_final_permitted=True)

        assert dump(mirror) == fresh(tmp_path, source)


BAD = 13


def failing(records: Records, event: Event) -> Iterable[Any]:
    """Project as always, but break half way through one event."""
    yield from project(records, event)
    if isinstance(event, AssetRegistered) and event.version == BAD:
        raise LookupError("no such version")


class TestDeadLetters:
    """A log that cannot be read or folded neither stops nor hides (reliability §3.6)."""

    def test_hold_an_event_whose_projection_raised(
        self, anvil: Anvil, emitter: str, mirror: Engine
    ) -> None:
        emit(anvil, emitter, BAD, 14)

        sync_once(mirror, source_of(anvil, emitter), failing)

        with Session(mirror) as session:
            (letter,) = dead_letters(session)
            assert (letter.block_number, letter.log_index) == (tip_number(mirror) - 1, 0)
            assert letter.stage is Stage.PROJECTION
            assert "no such version" in letter.reason
            # Not even what came before the failure; everything else as always.
            assert find(session, Thing, asset(BAD % 5)) is None
            assert find(session, Thing, asset(14 % 5)) is not None
            assert count(session, Tally) == 2

    def test_hold_a_log_that_its_event_cannot_have(
        self, anvil: Anvil, emitter: str, mirror: Engine
    ) -> None:
        topics, _ = registered_log(1, 1)
        anvil.send(to=emitter, data=calldata([(topics, "0xff"), used_log(1, 1)]))

        synced = sync_once(mirror, source_of(anvil, emitter), project)

        assert synced.events == 2
        with Session(mirror) as session:
            (letter,) = dead_letters(session)
            assert letter.stage is Stage.DECODING
            assert count(session, Tally) == 1

    def test_are_forgotten_with_their_block(
        self, anvil: Anvil, emitter: str, mirror: Engine
    ) -> None:
        snapshot = anvil.rpc("evm_snapshot")
        emit(anvil, emitter, BAD)
        source = source_of(anvil, emitter)
        sync_once(mirror, source, failing)
        anvil.rpc("evm_revert", snapshot)
        emit(anvil, emitter, 1, 2)

        sync_once(mirror, source, failing)

        with Session(mirror) as session:
            assert dead_letters(session) == ()

    def test_are_the_same_after_a_rebuild(self, anvil: Anvil, emitter: str, mirror: Engine) -> None:
        topics, _ = registered_log(1, 1)
        anvil.send(to=emitter, data=calldata([(topics, "0xff")]))
        emit(anvil, emitter, BAD, 14)
        sync_once(mirror, source_of(anvil, emitter), failing)
        before = dump(mirror)
        with Session(mirror) as session:
            letters = dead_letters(session)

        rebuild(mirror, failing)

        assert dump(mirror) == before
        with Session(mirror) as session:
            assert dead_letters(session) == letters
            assert len(letters) == 2

    def test_are_replayed_once_the_code_is_mended(
        self, anvil: Anvil, emitter: str, mirror: Engine, tmp_path: Path
    ) -> None:
        emit(anvil, emitter, BAD, 14, BAD + 5)
        source = source_of(anvil, emitter)
        sync_once(mirror, source, failing)

        replayed = replay_dead_letters(mirror, project)

        assert (replayed.before, replayed.after) == (1, 0)
        assert dump(mirror) == fresh(tmp_path, source)

    def test_stay_while_the_code_is_not_mended(
        self, anvil: Anvil, emitter: str, mirror: Engine
    ) -> None:
        emit(anvil, emitter, BAD)
        sync_once(mirror, source_of(anvil, emitter), failing)

        replayed = replay_dead_letters(mirror, failing)

        assert (replayed.before, replayed.after) == (1, 1)

    def test_are_not_what_a_failing_database_makes(
        self, anvil: Anvil, emitter: str, mirror: Engine
    ) -> None:
        def breaking(_: Records, __: Event) -> Iterable[Any]:
            raise OSError("no space left on device")
            yield

        emit(anvil, emitter, 1)

        with pytest.raises(OSError, match="no space"):
            sync_once(mirror, source_of(anvil, emitter), breaking)

        assert StoredBlocks(mirror).tip() is None or dump(mirror)["events"] == []
