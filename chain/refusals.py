"""
What nodes say when they refuse, in their several dialects, and which named error it stands for.

Not here: reading the revert data itself (`chain.reverts`), or asking a node (`chain.connection`).
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from chain.failure import LedgerError
from chain.reverts import RevertUnknown, decode_revert_data
from chain.rpc import NodeRefused
from chain.values import HexBytes

# What nodes say to a transaction they already hold or have mined. geth says `already known`, anvil
# `transaction already imported`, Hardhat `Known transaction`, FISCO-BCOS `TxPoolAlreadyKnown`;
# after mining it is the nonce that is too low.
HELD_WORDS: Final = ("already known", "already imported", "known transaction", "alreadyknown")
MINED_WORDS: Final = ("nonce too low", "nonce is too low", "noncecheckfail")
# What geth says of every transaction for a while after it started.
INDEXING_WORDS: Final = "indexing is in progress"


class CallRefused(Exception):
    """An error that a node answered; `decode_revert` turns it into a named one."""

    def __init__(self, method: str, error: Mapping[str, Any]) -> None:
        super().__init__(str(error.get("message", error)))
        self.method = method
        self.error = error

    def named(self) -> NodeRefused:
        """Return it as an error of the ledger."""
        code = self.error.get("code", 0)
        return NodeRefused(
            method=self.method, code=code if isinstance(code, int) else 0, message=str(self)
        )


def is_held(refused: CallRefused) -> bool:
    """Say whether a node refused a transaction only because it has it, or its nonce is mined."""
    said = str(refused).lower()
    return any(words in said for words in (*HELD_WORDS, *MINED_WORDS))


def is_indexing(refused: CallRefused) -> bool:
    """Say whether a node that just started does not know yet which transactions it has."""
    return INDEXING_WORDS in str(refused).lower()


def decode_revert(failure: BaseException | Mapping[str, Any]) -> LedgerError:
    """
    Return the named error behind what a node, or web3 in its name, said about a failed call.

    shape: revert data as bare hex in `data` (geth, anvil), in a mapping that holds `data`
           (Hardhat), or as bytes only in the text (Besu and others)
    ensures: never fails; without revert data it is a `NodeRefused`
    """
    error, text = _told(failure)
    for candidate in (*_nested(error.get("data")), *_nested(getattr(failure, "data", None)), text):
        data = _revert_bytes(candidate)
        if data is not None:
            return decode_revert_data(data)
    # A bare revert, `require(false)`, carries no bytes at all.
    if "revert" in text.lower():
        return RevertUnknown(data=HexBytes("0x"))
    if isinstance(failure, CallRefused):
        return failure.named()
    code = error.get("code", 0)
    return NodeRefused(method="", code=code if isinstance(code, int) else 0, message=text)


def _told(failure: BaseException | Mapping[str, Any]) -> tuple[Mapping[str, Any], str]:
    if isinstance(failure, Mapping):
        return failure, str(failure.get("message", ""))
    answer = getattr(failure, "rpc_response", None)
    if isinstance(failure, CallRefused):
        return failure.error, str(failure)
    if isinstance(answer, Mapping) and isinstance(answer.get("error"), Mapping):
        return answer["error"], str(answer["error"].get("message", failure))
    return {}, str(failure)


def _nested(data: Any) -> Iterator[str]:
    if isinstance(data, str):
        yield data
    elif isinstance(data, Mapping):
        for name in ("data", "result", "return", "message"):
            yield from _nested(data.get(name))


def _revert_bytes(text: str) -> str | None:
    # Four bytes of selector and whole words; a transaction hash or an address is neither.
    found = re.findall(r"0x(?:[0-9a-fA-F]{8})(?:[0-9a-fA-F]{64})*(?![0-9a-fA-F])", text)
    return max(found, key=len) if found else None
