"""
Tests of reading the mirror: as of a block, in pages, by value, by history.
"""

import pytest
from sqlalchemy import Engine
from sqlmodel import Session

from chain.codes import AssetKind
from chain.reads import Place, Span, as_of, count, events_about, find, page
from chain.records import MemoryRecords
from tests.chain.things import (
    Tally,
    Thing,
    append,
    apply,
    asset,
    project,
    registered_log,
    used_log,
)

ON_BOTH_DATABASES = True


class TestReads:
    @pytest.fixture
    def filled(self, mirror: Engine) -> Engine:
        for number in range(1, 21):
            logs = [registered_log(number, number), registered_log(1 + number % 3, number)]
            apply(mirror, append(number, logs))
        return mirror

    def test_finds_what_held_at_every_block(self, filled: Engine) -> None:
        for number in range(1, 21):
            records = MemoryRecords()
            for block in range(1, number + 1):
                logs = [registered_log(block, block), registered_log(1 + block % 3, block)]
                for event in append(block, logs).events:
                    records.put(list(project(records, event)))
            with Session(filled) as session:
                for wanted in range(1, 22):
                    found = find(session, Thing, asset(wanted), at_block=number)
                    assert (found and found.record) == records.get(Thing, asset(wanted))
                assert count(session, Thing, at_block=number) == len(records.current)

    @pytest.mark.parametrize("newest_first", [False, True])
    def test_pages_hold_every_record_once_and_in_order(
        self, filled: Engine, newest_first: bool
    ) -> None:
        places: list[tuple[int, int]] = []
        after: Place | None = None
        with Session(filled) as session:
            while True:
                found = page(session, Thing, limit=3, after=after, newest_first=newest_first)
                places += [(one.from_block, one.from_log) for one in found.items]
                after = found.next
                if after is None:
                    break
            assert len(places) == count(session, Thing) == 20
        assert places == sorted(places, reverse=newest_first)
        assert len(set(places)) == 20

    def test_matches_exact_values_of_fields(self, filled: Engine) -> None:
        with Session(filled) as session:
            one = page(session, Thing, where={"kind": AssetKind.PRODUCT}).items
            either = count(session, Thing, where={"kind": (AssetKind.PRODUCT, AssetKind.NONE)})

        assert one
        assert all(row.record.kind is AssetKind.PRODUCT for row in one)
        assert either == sum(
            1 for row in page_all(filled) if row.kind in (AssetKind.PRODUCT, AssetKind.NONE)
        )

    def test_matches_spans_of_values_and_any_of_several_conditions(self, filled: Engine) -> None:
        ids = [one.asset_id for one in page_all(filled)]
        low = Span("0x" + "00" * 32, ids[0])
        with Session(filled) as session:
            spanned = page(session, Thing, where={"asset_id": low}).items
            either = page(
                session, Thing, any_of=[{"asset_id": ids[3]}, {"asset_id": (ids[5], ids[7])}]
            ).items
            both = page(
                session,
                Thing,
                where={"asset_id": (ids[3], ids[4])},
                any_of=[{"asset_id": ids[3]}, {"asset_id": ids[5]}],
            ).items
            none = page(session, Thing, any_of=[]).items

        assert {one.record.asset_id for one in spanned} == {one for one in ids if one <= ids[0]}
        assert {one.record.asset_id for one in either} == {ids[3], ids[5], ids[7]}
        assert [one.record.asset_id for one in both] == [ids[3]]
        assert none == ()

    def test_finds_a_key_of_two_columns(self, mirror: Engine) -> None:
        apply(mirror, append(1, [used_log(1, 1), used_log(1, 2), used_log(1, 2)]))

        with Session(mirror) as session:
            found = find(session, Tally, "0x" + f"{1:040x}", 2)
            missing = find(session, Tally, "0x" + f"{1:040x}", 3)

        assert found is not None
        assert found.record.times == 2
        assert missing is None

    def test_say_as_of_when(self, filled: Engine) -> None:
        with Session(filled) as session:
            assert as_of(session) == append(20, []).block
            assert as_of(session, 7) == append(7, []).block
            assert as_of(session, 21) is None

    def test_finds_the_events_about_an_id_in_steps(self, filled: Engine) -> None:
        seen: list[tuple[int, int]] = []
        with Session(filled) as session:
            while True:
                after = seen[-1] if seen else (-1, -1)
                found = events_about(session, asset(1), after=after, limit=2, at_block=18)
                if not found:
                    break
                metas = [entry.event.meta for entry in found]
                seen += [(meta.block_number, meta.log_index) for meta in metas]

        assert seen == [(1, 0), *((number, 1) for number in range(3, 19, 3))]


def page_all(engine: Engine) -> list[Thing]:
    with Session(engine) as session:
        return [one.record for one in page(session, Thing, limit=200).items]
