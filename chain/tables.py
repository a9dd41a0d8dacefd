"""
From a record's dataclass to its versioned table, so that no field is written by hand a third time.

Columns and constraints only; rows are written by `chain.store` and read by `chain.reads`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from enum import Enum
from typing import Any, ClassVar, Final, TypeVar

import orjson
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Dialect,
    Index,
    Integer,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import registry
from sqlalchemy.types import TypeEngine
from sqlmodel import Field, SQLModel

from chain.abi import hints_of
from chain.codec import optional, plain, reader, writer

# The mirror's tables are apart from every other SQLModel table: another database may hold those.
MIRROR: Final = registry()

UINT256_DIGITS: Final = 78
SIGNED_MAX: Final = 2**63

# SQLite fills only a column declared INTEGER by itself.
ROW_ID: Final = BigInteger().with_variant(Integer, "sqlite")

R = TypeVar("R")


class Uint256(TypeDecorator[int]):
    """An unsigned 256-bit number as 78 digits: exact in every database, in the right order."""

    impl = String(UINT256_DIGITS)
    cache_ok = True

    def process_bind_param(self, value: int | None, dialect: Dialect) -> str | None:  # noqa: ARG002
        if value is None:
            return None
        if not 0 <= value < 2**256:
            raise ValueError(f"no uint256: {value=}")
        return f"{value:0{UINT256_DIGITS}d}"

    def process_result_value(self, value: str | None, dialect: Dialect) -> int | None:  # noqa: ARG002
        return None if value is None else int(value)


class Uint64(TypeDecorator[int]):
    """
    An unsigned 64-bit number in a signed column, wrapped as two's complement.

    Money stays below 2^63, but anyone may give a time of 2^64 - 1, and must not stop the mirror by
    it. In SQL such a value compares as negative; in Python it is itself again.
    """

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: int | None, dialect: Dialect) -> int | None:  # noqa: ARG002
        if value is None or 0 <= value < SIGNED_MAX:
            return value
        if not 0 <= value < 2 * SIGNED_MAX:
            raise ValueError(f"no uint64: {value=}")
        return value - 2 * SIGNED_MAX

    def process_result_value(self, value: int | None, dialect: Dialect) -> int | None:  # noqa: ARG002
        return value if value is None or value >= 0 else value + 2 * SIGNED_MAX


class CodeName(TypeDecorator[Enum]):
    """A member of an enum, by name."""

    impl = Text
    cache_ok = True

    def __init__(self, kind: type[Enum]) -> None:
        super().__init__()
        self.kind = kind

    def process_bind_param(self, value: Enum | None, dialect: Dialect) -> str | None:  # noqa: ARG002
        return None if value is None else self.kind(value).name

    def process_result_value(self, value: str | None, dialect: Dialect) -> Enum | None:  # noqa: ARG002
        return None if value is None else self.kind[value]


class JsonText(TypeDecorator[Any]):
    """A list or struct as canonical JSON text."""

    impl = Text
    cache_ok = True

    def __init__(self, hint: Any) -> None:
        super().__init__()
        self.hint = hint
        self._write = writer(hint)
        self._read = reader(hint)

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:  # noqa: ARG002
        return None if value is None else canonical(self._write(value))

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:  # noqa: ARG002
        return None if value is None else self._read(orjson.loads(value))


def canonical(value: Any) -> str:
    """Return JSON with sorted keys and no spaces."""
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()


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
    """What the store must know of a record's table."""

    record: type
    model: type[Versioned]
    table: Table
    names: tuple[str, ...]
    key: tuple[str, ...]

    def values(self, record: Any) -> list[Any]:
        """Return the values of a record's fields, in the order of `names`."""
        return [getattr(record, name) for name in self.names]

    def make(self, values: Sequence[Any]) -> Any:
        """Return the record whose fields have these values, in the order of `names`."""
        return self.record(**dict(zip(self.names, values, strict=True)))

    def columns(self) -> list[Column[Any]]:
        """Return the columns of the record's own fields, in the order of `names`."""
        return [self.table.c[name] for name in self.names]


TABLES: Final[dict[type, VersionedTable]] = {}


def versioned_table(record: type, *, name: str) -> type[Versioned]:
    """
    Derive the table of a record's versions.

    shape:   text for str, BIGINT for int (unsigned, 64 bits), a name for an enum, JSON text for
             anything with parts; field metadata `index` adds an index, `uint256` widens an int
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
    namespace: dict[str, Any] = {
        "__module__": __name__,
        "__tablename__": name,
        "__table_args__": _constraints(name, key, indexed),
        "__annotations__": dict.fromkeys((*names, *_OWN), Any),
        "model_config": {"protected_namespaces": ()},
        **{one: Field(sa_column=column) for one, column in columns.items()},
        **{one: Field(sa_column=make()) for one, make in _OWN.items()},
        "RECORD": record,
    }
    maker: Any = type(Versioned)
    model: type[Versioned] = maker(f"{record.__name__}Version", (Versioned,), namespace, table=True)
    table: Table = model.__table__  # type: ignore[attr-defined]
    TABLES[record] = VersionedTable(record=record, model=model, table=table, names=names, key=key)
    return model


def table_of(record: type) -> VersionedTable:
    """
    Return the table of a record.

    :raises LookupError: if none was derived, which is a mistake in the code
    """
    if record not in TABLES:
        raise LookupError(f"{record.__name__} has no versioned table")
    return TABLES[record]


def key_names(record: type) -> tuple[str, ...]:
    """Return the names of the fields that identify a record."""
    key: str | tuple[str, ...] = record.KEY  # type: ignore[attr-defined]
    return (key,) if isinstance(key, str) else key


_OWN: Final[dict[str, Callable[[], Column[Any]]]] = {
    "row_id": lambda: Column("row_id", ROW_ID, primary_key=True),
    "from_block": lambda: Column("from_block", BigInteger, nullable=False),
    "to_block": lambda: Column("to_block", BigInteger, nullable=True),
    "from_log": lambda: Column("from_log", BigInteger, nullable=False),
}


def _column(name: str, hint: Any, *, wide: bool) -> Column[Any]:
    inner, nullable = optional(plain(hint))
    return Column(name, _type(plain(inner), inner, wide=wide), nullable=nullable)


def _type(kind: Any, hint: Any, *, wide: bool) -> TypeEngine[Any]:
    if kind is str:
        return Text()
    if kind is bool:
        return Boolean(create_constraint=False)
    if kind is int:
        return Uint256() if wide else Uint64()
    if isinstance(kind, type) and issubclass(kind, Enum):
        return CodeName(kind)
    return JsonText(hint)


def _constraints(name: str, key: Sequence[str], indexed: Sequence[str]) -> tuple[Any, ...]:
    # `to_block` before the order, so that current rows of a value are one stretch of the index.
    order = ("to_block", "from_block", "from_log")
    current = text("to_block IS NULL")
    return (
        UniqueConstraint(*key, "from_block", name=f"{name}_version"),
        Index(f"{name}_current", *key, unique=True, sqlite_where=current, postgresql_where=current),
        Index(f"{name}_from", "from_block"),
        Index(f"{name}_order", *order),
        *(Index(f"{name}_by_{one}", one, *order) for one in indexed),
    )
