"""
Tests of looking rows up by many values: what pages find, in every size of statement, by an index.
"""

import pytest
from sqlalchemy import Engine
from sqlmodel import Session

from chain.abi import bytes_of
from chain.lookups import SIZES, rows_by, statement
from chain.prepared import cursor_of
from chain.reads import page
from chain.tables import table_of
from registry import tables as tables
from registry.assets import AssetLink
from tests.chain.things import Thing, append, apply, asset, registered_log

ON_BOTH_DATABASES = True

THINGS = 20


@pytest.fixture
def filled(mirror: Engine) -> Engine:
    for number in range(1, THINGS + 1):
        logs = [registered_log(number, number), registered_log(1 + number % 3, number)]
        apply(mirror, append(number, logs))
    return mirror


class TestRowsBy:
    @pytest.mark.parametrize("count", [0, SIZES[0], SIZES[-1] + 1])
    @pytest.mark.parametrize("at_block", [None, 7])
    def test_finds_what_held_at_the_block(
        self, filled: Engine, count: int, at_block: int | None
    ) -> None:
        wanted = [asset(number) for number in range(2, 2 + count)]

        with Session(filled) as session:
            found = rows_by(
                session,
                Thing,
                ("asset_id", "version", "kind"),
                by="asset_id",
                values=[bytes_of(one) for one in wanted],
                at_block=at_block,
            )
            known = page(
                session, Thing, where={"asset_id": tuple(wanted)}, limit=99, at_block=at_block
            )

        held = [one.record for one in known.items]
        assert sorted(found) == sorted(
            (bytes_of(one.asset_id), one.version, one.kind.name) for one in held
        )

    @pytest.mark.parametrize("side", ["child", "parent"])
    @pytest.mark.parametrize("size", SIZES)
    def test_reads_no_table(self, mirror: Engine, side: str, size: int) -> None:
        names = ("child", "parent", "relation")
        with Session(mirror) as session:
            connection = session.connection()
            prepared = statement(
                connection.dialect, table_of(AssetLink), names, side, size, has_block=False
            )
            is_sqlite = connection.dialect.name == "sqlite"
            cursor = cursor_of(connection)
            if not is_sqlite:
                # Of an empty table every plan is cheap.
                cursor.execute("SET LOCAL enable_seqscan = off")
            explain = "EXPLAIN QUERY PLAN " if is_sqlite else "EXPLAIN "
            cursor.execute(explain + prepared.sql, prepared.bound([1] * size))
            plan = " ".join(str(row) for row in cursor.fetchall())

        assert "SCAN " not in plan
        assert "Seq Scan" not in plan
        assert "asset_links" in plan
