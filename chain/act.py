"""
What every write of the ledger has in common: its calldata, the hash that is signed, its JSON.

The writes themselves are generated (`chain.acts`); signing and sending are `chain.client`'s.
"""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any, ClassVar, Self

from chain.abi import Struct, hash_values
from chain.codec import from_json, to_json
from chain.encoding import encoded
from chain.values import Bytes32, HexBytes


class Act:
    """
    A call of one contract function, without the authorization it ends with.

    shape: the fields are the function's arguments; where its only argument is a struct, they are
           that struct's fields (`FLATTENED`)
    """

    __slots__ = ()

    CONTRACT: ClassVar[str]
    FUNCTION: ClassVar[str]
    SIGNATURE: ClassVar[str]
    SELECTOR: ClassVar[str]
    ABI: ClassVar[tuple[str, ...]]
    FLATTENED: ClassVar[bool] = False

    def encode(self, authorization: Struct) -> HexBytes:
        """Return the calldata: selector, arguments, authorization."""
        body = encoded([*self.ABI, authorization.ABI], [*self._values(), authorization])
        return HexBytes(self.SELECTOR + body.hex())

    def arguments_hash(self) -> Bytes32:
        """Return keccak256 of the ABI encoding of all arguments but the authorization."""
        return hash_values(self.ABI, self._values())

    def to_json(self) -> dict[str, Any]:
        """Return the arguments as canonical JSON can hold them."""
        written: dict[str, Any] = to_json(type(self), self)
        return written

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> Self:
        """Return the act that `to_json` wrote."""
        return from_json(cls, raw)

    def _values(self) -> list[Any]:
        if self.FLATTENED:
            return [self]
        return [getattr(self, field.name) for field in fields(self)]  # type: ignore[arg-type]
