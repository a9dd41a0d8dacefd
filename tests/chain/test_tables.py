"""
Tests of the tables derived from records: types of columns, constraints, databases.
"""

from dataclasses import make_dataclass

import pytest
from sqlalchemy import Engine, insert, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import IntegrityError
from sqlalchemy.schema import CreateIndex, CreateTable
from sqlmodel import Session

from chain.columns import Uint256
from chain.reads import find
from chain.store import (
    EVENTS,
    apply_block,
)
from chain.tables import MIRROR, table_of, versioned_table
from chain.values import Address
from tests.chain.things import (
    Tally,
    Thing,
    append,
    apply,
    registered_log,
    used_log,
)

ON_BOTH_DATABASES = True


class TestTables:
    def test_order_uint256_by_value(self, mirror: Engine) -> None:
        apply(mirror, append(1, [registered_log(n, n) for n in (3, 20, 100)]))
        table = table_of(Thing).table

        with Session(mirror) as session:
            rows = session.connection().execute(select(table.c.large).order_by(table.c.large))
            assert [one.large >> 200 for one in rows] == [3, 20, 100]

    @pytest.mark.parametrize("nonce", [0, 2**63 - 1, 2**63, 2**64 - 1])
    def test_hold_every_uint64(self, mirror: Engine, nonce: int) -> None:
        tally = Tally(account=Address("0x" + "01" * 20), nonce=nonce, times=1)

        with Session(mirror) as session, session.begin():
            apply_block(session, append(1, [used_log(1, 1)]), lambda _, __: [tally])

        with Session(mirror) as session:
            found = find(session, Tally, tally.account, nonce)
        assert found is not None
        assert found.record == tally

    @pytest.mark.parametrize("nonce", [-1, 2**64])
    def test_refuse_what_is_no_uint64(self, mirror: Engine, nonce: int) -> None:
        tally = Tally(account=Address("0x" + "01" * 20), nonce=nonce, times=1)

        with Session(mirror) as session, pytest.raises(ValueError, match="no uint64"):
            apply_block(session, append(1, [used_log(1, 1)]), lambda _, __: [tally])

    @pytest.mark.parametrize("number", [-1, 2**256])
    def test_refuse_what_is_no_uint256(self, number: int) -> None:
        with pytest.raises(ValueError, match="no uint256"):
            Uint256().process_bind_param(number, sqlite.dialect())

    def test_hold_no_event_without_its_block(self, mirror: Engine) -> None:
        with Session(mirror) as session:
            orphan = {**dict.fromkeys(EVENTS.c.keys(), "0"), "block_number": 9}
            with pytest.raises(IntegrityError):
                session.connection().execute(insert(EVENTS), [orphan])

    def test_can_be_made_in_postgresql(self) -> None:
        dialect = postgresql.dialect()
        made = [
            str(CreateTable(table).compile(dialect=dialect))
            for table in MIRROR.metadata.sorted_tables
        ]
        indexes = [
            str(CreateIndex(index).compile(dialect=dialect))
            for index in table_of(Thing).table.indexes
        ]

        assert any("row_id BIGSERIAL" in one for one in made)
        assert any("UNIQUE" in one and "WHERE to_block IS NULL" in one for one in indexes)

    def test_refuse_a_field_without_a_column_type(self) -> None:
        odd = make_dataclass("Odd", [("id", str), ("what", object)], namespace={"KEY": ("id",)})

        with pytest.raises(TypeError, match="no JSON form"):
            versioned_table(odd, name="test_odd")
