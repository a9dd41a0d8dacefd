"""
Whether the record that is there already was made by this very act.

"Already exists" is success only for the same act again; with other content it stays a conflict.
Views show much of a record by its hash only, so what is compared is what was sent: the calldata of
the transaction that made the record.
"""

from collections.abc import Mapping
from typing import Any, Final

from eth_abi.abi import decode, encode
from eth_abi.exceptions import DecodingError

from chain.abi import bytes_of
from chain.act import Act
from chain.failure import LedgerError
from chain.structs import Authorization
from chain.values import Address, Bytes32, address, bytes32, keccak

SUFFIX: Final = "AlreadyExists"
ID_CHARACTERS: Final = 66


def topic_of_repeat(error: LedgerError) -> Bytes32 | None:
    """
    Return the id of the record that an error says is there; None if it says no such thing.

    shape: the id stands first in every such error, and in every event about the record
    """
    named = next(iter(error.fields.values()), None)
    if not type(error).__name__.endswith(SUFFIX) or not isinstance(named, str):
        return None
    return Bytes32(named) if len(named) == ID_CHARACTERS else None


def is_call(act: Act, transaction: Mapping[str, Any], contract: Address) -> bool:
    """Say whether a transaction calls the function that an act calls, with whatever arguments."""
    called = str(transaction.get("to") or "").lower()
    function = str(transaction["input"])[: len(act.SELECTOR)]
    return called == contract and function == act.SELECTOR


def actor_of_same(act: Act, transaction: Mapping[str, Any]) -> Address | None:
    """Return who did exactly this act by a call of its function; None if it was another act."""
    types = [*act.ABI, Authorization.ABI]
    try:
        *arguments, authorization = decode(types, bytes_of(str(transaction["input"]))[4:])
    except DecodingError:
        return None
    if bytes32(keccak(encode(act.ABI, arguments))) != act.arguments_hash():
        return None
    account, _, _, signature = authorization
    return address(account if signature else transaction["from"])
