"""
Readers of ABI words straight from hexadecimal text, for the generated decoders.

A position counts hex digits, not bytes, so nothing is converted before it is read. This is not a
general ABI codec: it reads what Solidity emits and refuses everything else with a ValueError.
"""

import re
from collections.abc import Callable
from enum import IntEnum
from typing import Final, TypeVar

T = TypeVar("T")
E = TypeVar("E", bound=IntEnum)
Reader = Callable[[str, int], T]

WORD: Final = 64
ADDRESS_PAD: Final = "0" * 24
# How a byte is written that no text can hold, and a backslash where one could be taken for it.
_ESCAPE: Final = re.compile(rb"\\x([0-9a-f]{2})")
_FALSE: Final = "0" * 64
_TRUE: Final = "0" * 63 + "1"
BOOLS: Final = {_FALSE: False, _TRUE: True}


class MalformedLog(ValueError):
    """A log whose topic is known and whose content is not what that event encodes."""


def require_end(data: str, end: int) -> None:
    """Refuse data that stops before `end`; a slice would silently be short."""
    if end > len(data):
        raise MalformedLog(f"data ends early: {len(data)=} {end=}")


def tail(data: str, at: int, base: int) -> int:
    """Follow the offset word at `at`, which counts bytes from `base`."""
    position = base + 2 * int(data[at : at + WORD], 16)
    require_end(data, position)
    return position


def text(data: str, at: int) -> str:
    """
    Read a string.

    ensures: any bytes give a text that every database can hold: what is no UTF-8, and NUL, appear
             as escapes, because whoever sends a bad string must not be able to stop the mirror; no
             two strings give the same text, or one could be taken for another
    """
    read = bytes.fromhex(blob(data, at)[2:])
    try:
        plain = read.decode("utf-8")
    except UnicodeDecodeError:
        plain = "\0"
    if "\0" not in plain and not _ESCAPE.search(read):
        return plain
    escaped = read.replace(b"\\", rb"\x5c").replace(b"\0", rb"\x00")
    return escaped.decode("utf-8", "backslashreplace")


def bytes_of_text(read: str) -> bytes:
    """Return the bytes of the string that `text` read as this."""
    return _ESCAPE.sub(lambda found: bytes([int(found[1], 16)]), read.encode("utf-8"))


def blob(data: str, at: int) -> str:
    """Read bytes of any length, with 0x."""
    require_end(data, at + WORD)
    start = at + WORD
    end = start + 2 * int(data[at:start], 16)
    require_end(data, end)
    return f"0x{data[start:end]}"


def items(data: str, at: int, size: int, read: Reader[T]) -> tuple[T, ...]:
    """Read a counted list whose elements each take `size` digits in place."""
    start = at + WORD
    require_end(data, start)
    end = start + size * int(data[at:start], 16)
    require_end(data, end)
    return tuple([read(data, position) for position in range(start, end, size)])


def fixed_items(data: str, at: int, count: int, size: int, read: Reader[T]) -> tuple[T, ...]:
    """Read exactly `count` elements of `size` digits each, in place."""
    end = at + size * count
    require_end(data, end)
    return tuple([read(data, position) for position in range(at, end, size)])


def loose_items(data: str, at: int, read: Reader[T]) -> tuple[T, ...]:
    """Read a counted list whose elements stand behind offsets."""
    start = at + WORD
    require_end(data, start)
    return fixed_loose_items(data, start, int(data[at:start], 16), read)


def fixed_loose_items(data: str, at: int, count: int, read: Reader[T]) -> tuple[T, ...]:
    """Read exactly `count` elements that stand behind offsets."""
    end = at + WORD * count
    require_end(data, end)
    return tuple([read(data, tail(data, head, at)) for head in range(at, end, WORD)])


def uint(bits: int) -> Reader[int]:
    """Make a reader of an unsigned integer of that width."""

    def read(data: str, at: int) -> int:
        value = int(data[at : at + WORD], 16)
        if value >> bits:
            raise MalformedLog(f"{value=} is wider than {bits=}")
        return value

    return read


def sint(bits: int) -> Reader[int]:
    """Make a reader of a signed integer of that width."""
    half = 1 << (bits - 1)

    def read(data: str, at: int) -> int:
        value = int(data[at : at + WORD], 16)
        value -= (value >> 255) << 256
        if not -half <= value < half:
            raise MalformedLog(f"{value=} is wider than {bits=}")
        return value

    return read


def fixed_bytes(size: int) -> Reader[str]:
    """Make a reader of `size` bytes, left-aligned in their word."""
    digits = 2 * size
    padding = "0" * (WORD - digits)

    def read(data: str, at: int) -> str:
        if data[at + digits : at + WORD] != padding:
            raise MalformedLog(f"bytes{size} is padded with something")
        return f"0x{data[at : at + digits]}"

    return read


def address(data: str, at: int) -> str:
    """Read an address, lower-case."""
    if data[at : at + 24] != ADDRESS_PAD:
        raise MalformedLog("an address is wider than 20 bytes")
    return f"0x{data[at + 24 : at + WORD]}"


def boolean(data: str, at: int) -> bool:
    """Read a truth value; anything but 0 and 1 is refused."""
    value = BOOLS.get(data[at : at + WORD])
    if value is None:
        raise MalformedLog("a bool is neither 0 nor 1")
    return value


def member(kind: type[E]) -> Reader[E]:
    """Make a reader of a member of an enum."""
    members = tuple(kind)

    def read(data: str, at: int) -> E:
        number = int(data[at : at + WORD], 16)
        if number >= len(members):
            raise MalformedLog(f"{number=} is no {kind.__name__}")
        return members[number]

    return read
