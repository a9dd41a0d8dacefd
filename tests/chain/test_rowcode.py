"""
Tests of rows written for records: the same values as the columns' types give, and the record back.
"""

from dataclasses import fields, is_dataclass
from enum import Enum
from typing import Any, get_args, get_origin

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, delete, select
from sqlalchemy.dialects import sqlite
from sqlmodel import Session

from chain.abi import hints_of
from chain.bulk import insert_rows
from chain.codec import optional, plain
from chain.columns import HEX, Hex, Uint256
from chain.prepared import cursor_of
from chain.tables import TABLES, VersionedTable
from registry import tables as registry_tables
from settlement import tables as settlement_tables
from tests.chain.things import Thing

ON_BOTH_DATABASES = True
TABLES_USED = (registry_tables, settlement_tables)
WORDS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)


def values_of(hint: Any, *, wide: bool = False) -> st.SearchStrategy[Any]:
    """Return a strategy of values of a type."""
    if hint in HEX:
        return st.binary(max_size=40).map(lambda one: "0x" + one.hex())
    inner, nullable = optional(plain(hint))
    if nullable:
        return st.none() | values_of(inner)
    kind = plain(inner)
    if get_origin(kind) is tuple:
        parts = get_args(kind)
        if parts[-1] is ...:
            return st.lists(values_of(parts[0]), max_size=3).map(tuple)
        return st.tuples(*map(values_of, parts))
    if is_dataclass(kind):
        made = {name: values_of(one) for name, one in hints_of(kind).items()}  # type: ignore[arg-type]
        return st.builds(kind, **made)
    if isinstance(kind, type) and issubclass(kind, Enum):
        return st.sampled_from(kind)
    most = 2**256 - 1 if wide else 2**64 - 1
    simple = {
        bool: st.booleans(),
        int: st.integers(0, most) | st.sampled_from([2**53 - 1, 2**53, 2**63 - 1, 2**63]),
        str: WORDS | st.sampled_from(["\\", "\t", "\n", "\r", "\\N", "\\.", '"', "数链"]),
    }
    return simple[kind]


def records_of(versioned: VersionedTable) -> st.SearchStrategy[Any]:
    hints = hints_of(versioned.record)
    wide = {one.name for one in fields(versioned.record) if one.metadata.get("uint256")}
    made = {name: values_of(hint, wide=name in wide) for name, hint in hints.items()}
    return st.builds(versioned.record, **made)


EVERY = sorted(TABLES.values(), key=lambda one: one.table.name)


def name_of(versioned: VersionedTable) -> str:
    return versioned.table.name


class TestRow:
    @pytest.mark.parametrize("versioned", EVERY, ids=name_of)
    @settings(max_examples=10, deadline=None)
    @given(data=st.data())
    def test_holds_what_the_columns_would_bind(
        self, versioned: VersionedTable, data: st.DataObject
    ) -> None:
        record = data.draw(records_of(versioned))

        row = versioned.row(record)

        for name, value in zip(versioned.names, row, strict=True):
            kind: Any = versioned.table.c[name].type
            given_value = getattr(record, name)
            bound = kind.bind_processor(sqlite.dialect()) if not isinstance(kind, Hex) else None
            assert value == (bound(given_value) if bound else given_value)

    @settings(
        max_examples=15,
        deadline=None,
        suppress_health_check=[
            HealthCheck.function_scoped_fixture,
            HealthCheck.differing_executors,
        ],
    )
    @given(data=st.data())
    def test_comes_back_as_the_record(self, mirror: Engine, data: st.DataObject) -> None:
        with Session(mirror) as session:
            connection = session.connection()
            for versioned in EVERY:
                record = data.draw(records_of(versioned))
                names = (*versioned.names, "from_block", "to_block", "from_log")
                connection.execute(delete(versioned.table))
                rows = [[*versioned.row(record), 2**62, None, 7]]
                insert_rows(connection, versioned.table, names, rows)

                found = connection.execute(select(*versioned.columns())).one()

                cursor = cursor_of(connection)
                cursor.execute(str(select(*versioned.columns())))
                raw = cursor.fetchone()
                cursor.close()
                assert versioned.make(found) == record
                assert versioned.read(raw) == record

    def test_refuses_a_number_beyond_its_column(self) -> None:
        versioned = TABLES[Thing]
        thing = Thing(
            asset_id="0x",
            version=2**64,
            kind=1,
            is_even=True,
            large=0,
            payees=(),
            note=None,
            seen_at=(),
        )

        with pytest.raises(ValueError, match="no uint64"):
            versioned.row(thing)


class TestHex:
    @pytest.mark.parametrize("value", ["", "0x0", "ab", "0xzz", "certificate", "\ud800"])
    def test_finds_nothing_that_is_no_hex(self, mirror: Engine, value: str) -> None:
        table = TABLES[Thing].table

        with Session(mirror) as session:
            found = session.connection().execute(select(table).where(table.c.asset_id == value))
            assert found.all() == []

    def test_finds_ids_by_their_beginning(self, mirror: Engine) -> None:
        versioned = TABLES[Thing]
        ids = ["0xab" + "00" * 31, "0xab" + "ff" * 31, "0xac" + "00" * 31, "0xaa" + "ff" * 31]
        names = (*versioned.names, "from_block", "to_block", "from_log")
        column = versioned.table.c.asset_id
        with Session(mirror) as session:
            connection = session.connection()
            rows = [[one, 1, "NONE", True, "0", "[]", None, "[]", 1, None, 1] for one in ids]
            insert_rows(connection, versioned.table, names, rows)

            for start, expected in (("0xab", ids[:2]), ("0xabf", ids[1:2]), ("0xa", ids)):
                found = connection.execute(select(column).where(column.startswith(start)))
                assert sorted(found.scalars()) == sorted(expected)

    def test_refuses_to_store_what_is_no_hex(self, mirror: Engine) -> None:
        versioned = TABLES[Thing]
        names = (*versioned.names, "from_block", "to_block", "from_log")
        row = ["0xzz", 1, "NONE", True, "0", "[]", None, "[]", 1, None, 1]

        with Session(mirror) as session, pytest.raises(ValueError, match="hex"):
            insert_rows(session.connection(), versioned.table, names, [row])


class TestUint256:
    def test_is_ordered_by_value_whatever_the_collation(self, mirror: Engine) -> None:
        """In text of equal length every collation puts digits in the order of numbers."""
        numbers = [0, 9, 10, 2**64, 10**77, 2**256 - 1]
        kind = Uint256()
        texts = [kind.process_bind_param(one, mirror.dialect) for one in numbers]

        assert texts == sorted(texts, key=str)
        assert {len(one or "") for one in texts} == {78}
