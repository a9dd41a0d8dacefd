"""
How a record's field becomes a column: its type in the database, exact and in the right order.

Both databases keep the same values; which tables there are is `chain.tables`'s affair.
"""

from enum import Enum
from typing import Any, Final

import orjson
from sqlalchemy import BigInteger, Boolean, Dialect, LargeBinary, String, Text, TypeDecorator
from sqlalchemy.sql.operators import ColumnOperators
from sqlalchemy.types import TypeEngine

from chain import values
from chain.codec import plain, reader, writer

# Our names for text are all bytes as hex, but for the credit code.
HEX: Final = frozenset(
    one for one in vars(values).values() if getattr(one, "__supertype__", None) is str
) - {values.Uscc}

# "0x" and the digits of the longest id.
ID_DIGITS: Final = 66
UINT256_DIGITS: Final = 78
SIGNED_MAX: Final = 2**63


class Hex(TypeDecorator[str]):
    """
    Bytes, which everywhere else are lower-case hex after "0x": half as long, and in the same order.

    What is no such text was never stored, so to ask for it finds nothing. Of strings' operators
    there is one: the beginning of an id, which an index finds.
    """

    impl = LargeBinary
    cache_ok = True

    class Comparator(TypeDecorator.Comparator[str]):
        """What can be asked of such a column."""

        def startswith(
            self,
            other: Any,
            escape: str | None = None,  # noqa: ARG002
            autoescape: bool = False,  # noqa: ARG002
        ) -> ColumnOperators:
            """Ask for values whose hex begins with this."""
            digits = str(other).lower()
            lowest = digits + "0" * (len(digits) % 2)
            return self.between(lowest, digits.ljust(ID_DIGITS, "f"))

    comparator_factory: Any = Comparator

    def process_bind_param(self, value: str | None, dialect: Dialect) -> bytes | None:  # noqa: ARG002
        if value is None:
            return None
        try:
            return bytes_of(value)
        except ValueError:
            return NO_BYTES + value.encode(errors="surrogatepass")

    def process_result_value(self, value: bytes | None, dialect: Dialect) -> str | None:  # noqa: ARG002
        return None if value is None else "0x" + value.hex()


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
        self.read = reader(hint)

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:  # noqa: ARG002
        return None if value is None else canonical(self._write(value))

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:  # noqa: ARG002
        return None if value is None else self.read(orjson.loads(value))


# Longer than any id, so that it equals none.
NO_BYTES: Final = b"no bytes: " + bytes(64)


def bytes_of(value: str) -> bytes:
    """
    Return the bytes that "0x" and hex digits stand for.

    :raises ValueError: if it is not that
    """
    if value[:2] != "0x":
        raise ValueError(f"no bytes: {value=}")
    return bytes.fromhex(value[2:])


def canonical(value: Any) -> str:
    """Return JSON with sorted keys and no spaces."""
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()


def column_type(hint: Any, *, wide: bool = False) -> TypeEngine[Any]:
    """
    Return the type of a column for values of a type.

    shape: `wide` gives an int 256 bits instead of 64
    :raises TypeError: if there is none
    """
    kind = plain(hint)
    if hint in HEX:
        return Hex()
    if kind is str:
        return Text()
    if kind is bool:
        return Boolean(create_constraint=False)
    if kind is int:
        return Uint256() if wide else Uint64()
    if isinstance(kind, type) and issubclass(kind, Enum):
        return CodeName(kind)
    return JsonText(hint)
