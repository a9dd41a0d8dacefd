"""
From our values to what `eth_abi` encodes, and back from what it decodes.

Inside the ledger bytes are lower-case hex text; here, and only here, they become bytes. Nothing
here knows a contract.
"""

from collections.abc import Callable, Sequence
from dataclasses import fields, is_dataclass
from enum import IntEnum
from functools import cache
from typing import Any, ClassVar, Self, get_args, get_origin, get_type_hints

from eth_abi.abi import decode, encode
from eth_abi.grammar import TupleType, parse

from chain.encoding import encoded
from chain.values import Bytes32, HexBytes, bytes32, keccak


class Struct:
    """A Solidity struct: a dataclass whose fields stand in the order of its ABI type."""

    __slots__ = ()

    ABI: ClassVar[str]

    def to_abi(self) -> tuple[Any, ...]:
        """Return the values as `eth_abi` and web3 take them."""
        converted: tuple[Any, ...] = converter(self.ABI)(self)
        return converted

    @classmethod
    def from_abi(cls, values: Sequence[Any]) -> Self:
        """Return the struct that a decoded tuple stands for."""
        made: Self = from_abi(cls, values)
        return made


def encode_values(types: Sequence[str], values: Sequence[Any]) -> bytes:
    """Return the ABI encoding of our values."""
    return encode(
        types, [converter(kind)(value) for kind, value in zip(types, values, strict=True)]
    )


def hash_values(types: Sequence[str], values: Sequence[Any]) -> Bytes32:
    """Return keccak256 of the ABI encoding, as the contracts hash what they store only by hash."""
    return bytes32(keccak(encoded(types, values)))


def decode_values(types: Sequence[str], hints: Sequence[Any], data: bytes) -> list[Any]:
    """Return our values from an ABI encoding."""
    return [from_abi(hint, value) for hint, value in zip(hints, decode(types, data), strict=True)]


def hex_of(data: bytes) -> HexBytes:
    """Return bytes as lower-case hex with 0x."""
    return HexBytes(f"0x{data.hex()}")


def bytes_of(text: str) -> bytes:
    """Return the bytes that hex with 0x stands for."""
    return bytes.fromhex(text.removeprefix("0x"))


@cache
def converter(kind: str) -> Callable[[Any], Any]:
    """Return the function that turns our value of an ABI type into `eth_abi`'s."""
    node = parse(kind)
    if node.is_array:
        item = converter(node.item_type.to_type_str())
        return lambda value: [item(one) for one in value]
    if isinstance(node, TupleType):
        parts = [converter(part.to_type_str()) for part in node.components]
        return lambda value: tuple(
            part(one) for part, one in zip(parts, _parts(value), strict=True)
        )
    simple: dict[str, Callable[[Any], Any]] = {
        "bytes": bytes_of,
        "uint": int,
        "int": int,
        "bool": bool,
        "address": str,
        "string": str,
    }
    return simple[node.base]


def from_abi(hint: Any, value: Any) -> Any:
    """Return our value of a Python type from what `eth_abi` or web3 decoded."""
    origin = get_origin(hint)
    if origin is tuple:
        return tuple(from_abi(get_args(hint)[0], one) for one in value)
    if isinstance(hint, type) and is_dataclass(hint):
        hints = hints_of(hint)
        return hint(
            **{
                name: from_abi(kind, one)
                for (name, kind), one in zip(hints.items(), _parts(value), strict=True)
            }
        )
    if isinstance(hint, type) and issubclass(hint, IntEnum):
        return hint(value)
    if isinstance(value, bytes):
        return hex_of(value)
    # A NewType over text is hex, which web3 returns checksummed; plain text stays as it is.
    return value.lower() if hasattr(hint, "__supertype__") and isinstance(value, str) else value


@cache
def hints_of(kind: type) -> dict[str, Any]:
    """Return the types of a dataclass's fields, in order, without class variables."""
    hints = get_type_hints(kind)
    return {field.name: hints[field.name] for field in fields(kind)}


def _parts(value: Any) -> Sequence[Any]:
    if is_dataclass(value):
        return [getattr(value, field.name) for field in fields(value)]
    parts: Sequence[Any] = value
    return parts
