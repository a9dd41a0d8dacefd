"""
From a record's dataclass to its versioned table, so that no field is written by hand a third time.

Columns and constraints only; rows are written by `chain.store` and read by `chain.reads`.
"""

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, fields
from operator import attrgetter
from typing import Any, ClassVar, Final

from sqlalchemy import BigInteger, Column, Index, Integer, Table, UniqueConstraint, text
from sqlalchemy.orm import registry
from sqlmodel import Field, SQLModel

from chain.abi import hints_of
from chain.codec import optional
from chain.columns import column_type
from chain.rowcode import maker, reader, row_of

# The mirror's tables are apart from every other SQLModel table: another database may hold those.
MIRROR: Final = registry()

# SQLite fills only a column declared INTEGER by itself.
ROW_ID: Final = BigInteger().with_variant(Integer, "sqlite")

# What the information of an index says that only readers need (`chain.indexes`).
LATE: Final = "late"


class Mirrored(SQLModel, registry=MIRROR):
    """A table of the mirror."""


class Versioned(Mirrored):
    """
    A version of a record: what held from the block `from_block` until before `to_block`.

    shape: `to_block` is None while the version is current; `from_log` is the log that made it
    """

    RECORD: ClassVar[type]

    row_id: int
    from_block: int
    to_block: int | None
    from_log: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class VersionedTable:
    """
    What the store must know of a record's table.

    shape: `key_of` gives a record's key, `row` its values as they are stored but for bytes, which
           are still hex; `make` gives the record back from the values of its fields, `read` from
           those of its columns as the driver gives them
    """

    record: type
    model: type[Versioned]
    table: Table
    names: tuple[str, ...]
    key: tuple[str, ...]
    key_of: Callable[[Any], tuple[Hashable, ...]]
    row: Callable[[Any], tuple[Any, ...]]
    make: Callable[[Sequence[Any]], Any]
    read: Callable[[Sequence[Any]], Any]

    def columns(self) -> list[Column[Any]]:
        """Return the columns of the record's own fields, in the order of `names`."""
        return [self.table.c[name] for name in self.names]


TABLES: Final[dict[type, VersionedTable]] = {}


class TableMissing(RuntimeError):
    """
    A record has no table: the process has not imported the module that derives it.

    It is no log's fault, so no log is set aside for it (`chain.letters`): the writer stops.
    """


def versioned_table(record: type, *, name: str) -> type[Versioned]:
    """
    Derive the table of a record's versions.

    shape:   text for str, BIGINT for int (unsigned, 64 bits), a name for an enum, JSON text for
             anything with parts; field metadata `index` adds an index, `walk` one to other
             fields, `uint256` widens an int
    ensures: at most one current version per key, at most one version per key and block
    :raises TypeError: if a field has no column type
    """
    hints = hints_of(record)
    names = tuple(hints)
    key = key_names(record)
    columns = {
        one.name: _column(one.name, hints[one.name], wide=bool(one.metadata.get("uint256")))
        for one in fields(record)
    }
    indexed = [one.name for one in fields(record) if one.metadata.get("index")]
    walked = {one.name: one.metadata["walk"] for one in fields(record) if "walk" in one.metadata}
    namespace: dict[str, Any] = {
        "__module__": __name__,
        "__tablename__": name,
        "__table_args__": _constraints(name, key, indexed, walked),
        "__annotations__": dict.fromkeys((*names, *_OWN), Any),
        "model_config": {"protected_namespaces": ()},
        **{one: Field(sa_column=column) for one, column in columns.items()},
        **{one: Field(sa_column=make()) for one, make in _OWN.items()},
        "RECORD": record,
    }
    metaclass: Any = type(Versioned)
    model: type[Versioned] = metaclass(
        f"{record.__name__}Version", (Versioned,), namespace, table=True
    )
    table: Table = model.__table__  # type: ignore[attr-defined]
    types = {one: columns[one].type for one in names}
    TABLES[record] = VersionedTable(
        record=record,
        model=model,
        table=table,
        names=names,
        key=key,
        key_of=_key_getter(key),
        row=row_of(record, types),
        make=maker(record),
        read=reader(record, types),
    )
    return model


def table_of(record: type) -> VersionedTable:
    """
    Return the table of a record.

    :raises TableMissing: if none was derived, which is a mistake in the code
    """
    try:
        return TABLES[record]
    except KeyError as error:
        raise TableMissing(f"{record.__name__} has no versioned table") from error


def key_names(record: type) -> tuple[str, ...]:
    """Return the names of the fields that identify a record."""
    key: str | tuple[str, ...] = record.KEY  # type: ignore[attr-defined]
    return (key,) if isinstance(key, str) else key


def _key_getter(key: tuple[str, ...]) -> Callable[[Any], tuple[Hashable, ...]]:
    get = attrgetter(*key)
    return get if len(key) > 1 else lambda record: (get(record),)


_OWN: Final[dict[str, Callable[[], Column[Any]]]] = {
    "row_id": lambda: Column("row_id", ROW_ID, primary_key=True),
    "from_block": lambda: Column("from_block", BigInteger, nullable=False),
    "to_block": lambda: Column("to_block", BigInteger, nullable=True),
    "from_log": lambda: Column("from_log", BigInteger, nullable=False),
}


def _column(name: str, hint: Any, *, wide: bool) -> Column[Any]:
    inner, nullable = optional(hint)
    return Column(name, column_type(inner, wide=wide), nullable=nullable)


def _constraints(
    name: str, key: Sequence[str], indexed: Sequence[str], walked: Mapping[str, Sequence[str]]
) -> tuple[Any, ...]:
    # `to_block` before the order, so that current rows of a value are one stretch of the index.
    order = ("to_block", "from_block", "from_log")
    current = text("to_block IS NULL")
    return (
        UniqueConstraint(*key, "from_block", name=f"{name}_version"),
        Index(f"{name}_current", *key, unique=True, sqlite_where=current, postgresql_where=current),
        Index(f"{name}_from", "from_block"),
        Index(f"{name}_order", *order, info={LATE: True}),
        *(Index(f"{name}_by_{one}", one, *order, info={LATE: True}) for one in indexed),
        *(
            Index(f"{name}_from_{one}", one, "to_block", *to, "from_block", info={LATE: True})
            for one, to in walked.items()
        ),
    )
