"""
Tests of the mirror's writing: versions by block, rewinding, rebuilding, one transaction.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, ClassVar

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, insert, select
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session

from chain import versions
from chain.codes import AssetKind
from chain.events import Event
from chain.facts import Append
from chain.letters import dead_letters
from chain.reads import checksum, events_about, find, history, page
from chain.records import MemoryRecords, RecordMissing, Records
from chain.store import (
    EVENTS,
    BlockOutOfOrder,
    apply_block,
    apply_blocks,
    open_mirror,
    rebuild,
    rewind,
    tip_of,
)
from chain.tables import TableMissing, table_of
from chain.values import Address, Bytes32
from tests.chain.things import (
    Tally,
    Thing,
    append,
    apply,
    asset,
    block_hash,
    dump,
    project,
    registered_log,
    used_log,
)

ON_BOTH_DATABASES = True

Logs = list[tuple[list[str], str]]


def undo(engine: Engine, to_block: int) -> int:
    with Session(engine) as session, session.begin():
        return rewind(session, to_block)


def refuse(_: Records, event: Event) -> Iterable[Any]:
    """Project nothing: fail on the event that a test marks with version 666."""
    if getattr(event, "version", 0) == 666:
        raise RuntimeError("refused")
    return ()


@dataclass(frozen=True, slots=True)
class Untabled:
    """A record for which nobody derived a table."""

    KEY: ClassVar[str] = "asset_id"

    asset_id: Bytes32


class TestApplyBlock:
    def test_makes_the_record_current_from_its_block_on(self, mirror: Engine) -> None:
        apply(mirror, append(7, [registered_log(1, 5)]))

        with Session(mirror) as session:
            found = find(session, Thing, asset(1))

        assert found is not None
        assert (found.from_block, found.from_log, found.to_block) == (7, 0, None)
        assert found.record.version == 5
        assert found.record.large == 5 << 200
        assert found.record.kind is AssetKind.RESOURCE

    def test_keeps_only_the_last_version_within_a_block(self, mirror: Engine) -> None:
        apply(mirror, append(1, [registered_log(1, 5), registered_log(1, 6)]))

        with Session(mirror) as session:
            versions = history(session, Thing, asset(1))

        assert [(one.record.version, one.from_log) for one in versions] == [(6, 1)]
        assert len(versions[0].record.payees) == 2, "the second event saw the first one's version"

    def test_closes_the_version_before(self, mirror: Engine) -> None:
        apply(mirror, append(1, [registered_log(1, 5)]))
        apply(mirror, append(2, []), append(3, [registered_log(1, 6)]))

        with Session(mirror) as session:
            versions = history(session, Thing, asset(1))

        assert [(one.from_block, one.to_block) for one in versions] == [(1, 3), (3, None)]

    def test_makes_no_version_of_a_record_that_did_not_change(self, mirror: Engine) -> None:
        def same(_: Records, __: Event) -> Iterable[Any]:
            yield Tally(account=Address("0x" + "01" * 20), nonce=1, times=1)

        with Session(mirror) as session, session.begin():
            apply_block(session, append(1, [used_log(1, 1)]), same)
            apply_block(session, append(2, [used_log(1, 1)]), same)

        with Session(mirror) as session:
            rows = session.connection().execute(select(table_of(Tally).table)).all()
        assert [row.from_block for row in rows] == [1]

    def test_keeps_the_logs_as_they_came(self, mirror: Engine) -> None:
        topics, data = used_log(3, 2**255)
        apply(mirror, append(1, [(topics, data)]))

        with Session(mirror) as session:
            rows = session.connection().execute(select(EVENTS)).all()
            entries = events_about(session, topics[1])

        assert [(row.name, row.topic1, row.topic3, row.data) for row in rows] == [
            ("AuthorizationUsed", topics[1], None, "0x")
        ]
        assert [getattr(entry.event, "nonce", None) for entry in entries] == [2**255]

    def test_sets_an_event_aside_whose_record_is_missing(self, mirror: Engine) -> None:
        def demanding(records: Records, _: Event) -> Iterable[Any]:
            yield records.require(Thing, asset(9))

        with Session(mirror) as session, session.begin():
            apply_block(session, append(1, [used_log(1, 1)]), demanding)
            (letter,) = dead_letters(session)

        assert RecordMissing.__name__ in letter.reason

    def test_stops_where_the_process_lacks_the_table_of_a_record(self, mirror: Engine) -> None:
        def unprepared(records: Records, _: Event) -> Iterable[Any]:
            yield records.get(Untabled, asset(1))

        with (
            pytest.raises(TableMissing, match="Untabled"),
            Session(mirror) as session,
            session.begin(),
        ):
            apply_block(session, append(1, [used_log(1, 1)]), unprepared)

        with Session(mirror) as session:
            assert tip_of(session) is None
            assert dead_letters(session) == ()

    def test_shows_an_event_what_the_one_before_it_made(self, mirror: Engine) -> None:
        seen: list[int | None] = []

        def watching(records: Records, event: Event) -> Iterable[Any]:
            before = records.get(Thing, asset(1))
            seen.append(before and records.require(Thing, asset(1)).version)
            yield from project(records, event)

        with Session(mirror) as session, session.begin():
            apply_block(session, append(1, [registered_log(1, 5), registered_log(1, 6)]), watching)
            apply_block(session, append(2, [registered_log(1, 7)]), watching)

        assert seen == [None, 5, 6]

    def test_forgets_what_it_remembered_when_that_is_too_much(
        self, mirror: Engine, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(versions, "REMEMBERED_MAX", 2)
        records = versions.TableRecords()
        appends = [append(n, [registered_log(n % 4, n)]) for n in range(1, 13)]
        for one in appends:
            with Session(mirror) as session, session.begin():
                apply_blocks(session, [one], project, records)
        clean = open_mirror("sqlite://")

        apply(clean, *appends)

        assert dump(mirror) == dump(clean)
        clean.dispose()

    def test_refuses_a_block_that_does_not_follow(self, mirror: Engine) -> None:
        apply(mirror, append(1, []))

        for wrong in (append(3, []), append(1, []), append(2, [], parent_branch="b")):
            with pytest.raises(BlockOutOfOrder):
                apply(mirror, wrong)
        with pytest.raises(BlockOutOfOrder):
            apply(mirror, append(2, []), append(2, []))

    def test_leaves_nothing_of_a_block_that_fails(self, mirror: Engine) -> None:
        apply(mirror, append(1, [registered_log(1, 5)]))
        before = dump(mirror)

        with (
            pytest.raises(RuntimeError, match="refused"),
            Session(mirror) as session,
            session.begin(),
        ):
            apply_block(session, append(2, [registered_log(1, 6), registered_log(2, 666)]), refuse)

        assert dump(mirror) == before

    def test_lets_no_key_have_two_current_versions(self, mirror: Engine) -> None:
        apply(mirror, append(1, [registered_log(1, 5)]))
        table = table_of(Thing).table

        with Session(mirror) as session:
            row = dict(session.connection().execute(select(table)).mappings().one())
            row |= {"row_id": 99, "from_block": 2}
            with pytest.raises(IntegrityError):
                session.connection().execute(insert(table), [row])


class TestRewind:
    def test_reopens_what_the_undone_blocks_had_closed(self, mirror: Engine) -> None:
        apply(mirror, append(1, [registered_log(1, 5)]), append(2, [registered_log(2, 1)]))
        before = dump(mirror)
        apply(mirror, append(3, [registered_log(1, 6)]), append(4, [registered_log(1, 7)]))

        undone = undo(mirror, 2)

        assert undone == 2
        assert dump(mirror) == before

    def test_can_undo_everything(self, mirror: Engine) -> None:
        apply(mirror, append(1, [registered_log(1, 5)]))

        undo(mirror, 0)

        assert all(rows == [] for rows in dump(mirror).values())
        with Session(mirror) as session:
            assert tip_of(session) is None

    # A step is a block's logs, or how many blocks to undo before the next ones.
    @settings(
        max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
    )
    @given(
        steps=st.lists(
            st.one_of(
                st.integers(1, 4),
                st.lists(
                    st.one_of(
                        st.builds(registered_log, st.integers(1, 4), st.integers(0, 50)),
                        st.builds(used_log, st.integers(1, 2), st.integers(1, 2)),
                    ),
                    max_size=4,
                ),
            ),
            max_size=14,
        ),
        batch=st.integers(1, 4),
    )
    def test_then_going_on_equals_a_clean_fold(self, steps: list[int | Logs], batch: int) -> None:
        forked, clean = open_mirror("sqlite://"), open_mirror("sqlite://")
        chain: list[Append] = []
        waiting: list[Append] = []
        for turn, step in enumerate(steps):
            if isinstance(step, int):
                apply(forked, *waiting)
                waiting = []
                chain = chain[: max(0, len(chain) - step)]
                undo(forked, len(chain))
                continue
            block = append(len(chain) + 1, step, branch=str(turn))
            parent = chain[-1].block.hash if chain else block_hash(0, "a")
            block = Append(
                type(block.block)(
                    number=block.block.number,
                    hash=block.block.hash,
                    parent_hash=parent,
                    timestamp=block.block.timestamp,
                ),
                block.entries,
            )
            chain.append(block)
            waiting.append(block)
            if len(waiting) >= batch:
                apply(forked, *waiting)
                waiting = []
        apply(forked, *waiting)
        apply(clean, *chain)

        assert dump(forked) == dump(clean)
        forked.dispose()
        clean.dispose()


class TestRebuild:
    def test_makes_the_same_rows_from_the_stored_events(self, mirror: Engine) -> None:
        for number in range(1, 30):
            logs = [registered_log(number % 5, number), used_log(number % 3, number % 2)]
            apply(mirror, append(number, logs if number % 4 else []))
        before = dump(mirror)
        with Session(mirror) as session:
            known = checksum(session)

        events = rebuild(mirror, project)

        assert events == 2 * 22
        assert dump(mirror) == before
        with Session(mirror) as session:
            assert checksum(session) == known

    def test_names_what_an_older_version_could_not_read(self, mirror: Engine) -> None:
        unreadable = (["0x" + "ab" * 32], "0x")
        apply(mirror, append(1, [registered_log(1, 5), unreadable, used_log(1, 1)]))
        before = dump(mirror)
        with Session(mirror) as session, session.begin():
            older = EVENTS.update().where(EVENTS.c.log_index < 2).values(name="UnknownEvent")
            session.connection().execute(older)

        rebuild(mirror, project)

        assert dump(mirror) == before

    def test_changes_the_checksum_when_a_version_differs(self, mirror: Engine) -> None:
        apply(mirror, append(1, [registered_log(1, 5)]))
        with Session(mirror) as session:
            before = checksum(session)

        with Session(mirror) as session, session.begin():
            session.connection().execute(table_of(Thing).table.update().values(version=6))

        with Session(mirror) as session:
            assert checksum(session) != before

    def test_equals_the_fold_in_memory(self, mirror: Engine) -> None:
        appends = [
            append(n, [registered_log(n % 3, n), registered_log(n % 2, n)]) for n in range(1, 20)
        ]
        records = MemoryRecords()
        for one in appends:
            for event in one.events:
                records.put(list(project(records, event)))

        apply(mirror, *appends)

        with Session(mirror) as session:
            rows = page(session, Thing, limit=100).items
            assert {row.record for row in rows} == set(records.current.values())
