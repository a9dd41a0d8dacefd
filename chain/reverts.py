"""
From the bytes a contract reverted with to the named error.

It reads revert data; how a node or web3 hands that data over is `chain.client`'s concern.
"""

from typing import Any, ClassVar, Final, get_type_hints

from eth_abi.exceptions import DecodingError

from chain.abi import bytes_of, decode_values, hex_of
from chain.errors import SELECTORS
from chain.failure import Conflict, LedgerError
from chain.values import HexBytes


class RevertedWithReason(Conflict):
    """A contract refused the call with a sentence."""

    ABI: ClassVar[tuple[str, ...]] = ("string",)
    reason: str


class Panicked(LedgerError):
    """A contract failed one of its own assertions."""

    ABI: ClassVar[tuple[str, ...]] = ("uint256",)
    code: int


class RevertUnknown(LedgerError):
    """A contract refused the call with an error that this version does not know."""

    data: HexBytes


# Solidity's two built-in errors: Error(string) and Panic(uint256).
BUILT_IN: Final[dict[str, type[LedgerError]]] = {
    "0x08c379a0": RevertedWithReason,
    "0x4e487b71": Panicked,
}


def decode_revert_data(data: str | bytes) -> LedgerError:
    """
    Return the named error that revert data stands for.

    ensures: never fails; what cannot be read comes back whole in `RevertUnknown`
    """
    raw = bytes_of(data) if isinstance(data, str) else data
    found = hex_of(raw[:4])
    kind = SELECTORS.get(found) or BUILT_IN.get(found)
    if kind is None:
        return RevertUnknown(data=hex_of(raw))
    types: tuple[str, ...] = kind.ABI  # type: ignore[attr-defined]
    hints: dict[str, Any] = get_type_hints(kind)
    names = [name for name in kind.__annotations__ if name != "ABI"]
    try:
        values = decode_values(types, [hints[name] for name in names], raw[4:])
    except (DecodingError, ValueError):
        return RevertUnknown(data=hex_of(raw))
    return kind.of(dict(zip(names, values, strict=True)))
