"""
What a header tells of how its block was agreed on: Clique's signers and seal, QBFT's validators.

Pure: it reads `extraData` and recognises shapes. Which chain is expected to have which is said in
`chain.chain_profiles`.

sources: EIP-225 (Clique); QBFT as Besu encodes it: RLP of vanity, validators, vote, round, seals,
         of which round and seals are left out where the block's own hash is made
"""

from collections.abc import Mapping
from typing import Any, Final

from chain.receipts import packed_list
from chain.values import Address

VANITY_BYTES: Final = 32
SEAL_BYTES: Final = 65
ADDRESS_BYTES: Final = 20

# What stands in `mixHash` of every Istanbul-like block, QBFT's among them.
BFT_MIX_HASH: Final = "0x63746963616c2062797a616e74696e65206661756c7420746f6c6572616e6365"
# Out of turn and in turn.
CLIQUE_DIFFICULTIES: Final = (1, 2)
# RLP of round zero and of no seals.
NO_ROUND_NO_SEALS: Final = b"\x80\xc0"
QBFT_ITEMS: Final = 5


def clique_signers(genesis: Mapping[str, Any]) -> tuple[Address, ...]:
    """Return who may sign from the start, as Clique writes it into the genesis; else nobody."""
    extra = _bytes(genesis.get("extraData"))
    listed = extra[VANITY_BYTES:-SEAL_BYTES]
    if len(extra) < VANITY_BYTES + SEAL_BYTES or len(listed) % ADDRESS_BYTES:
        return ()
    starts = range(0, len(listed), ADDRESS_BYTES)
    return tuple(Address("0x" + listed[at : at + ADDRESS_BYTES].hex()) for at in starts)


def is_clique_block(header: Mapping[str, Any]) -> bool:
    """Say whether a block above the genesis has the form that Clique gives it."""
    extra = _bytes(header.get("extraData"))
    return (
        len(extra) >= VANITY_BYTES + SEAL_BYTES
        and (len(extra) - VANITY_BYTES - SEAL_BYTES) % ADDRESS_BYTES == 0
        and _number(header.get("difficulty")) in CLIQUE_DIFFICULTIES
    )


def qbft_validators(header: Mapping[str, Any]) -> tuple[Address, ...]:
    """Return the validators that a QBFT header names; nobody if it is no QBFT header."""
    if str(header.get("mixHash")).lower() != BFT_MIX_HASH:
        return ()
    try:
        vanity, validators, *_ = _qbft_items(_bytes(header.get("extraData")))
        found = [_payload(one) for one in _items(_payload(validators))]
    except ValueError:
        return ()
    if len(_payload(vanity)) != VANITY_BYTES or any(len(one) != ADDRESS_BYTES for one in found):
        return ()
    return tuple(Address("0x" + one.hex()) for one in found)


def hashed_extra_data(header: Mapping[str, Any]) -> str:
    """Return a header's `extraData` as its hash is made of it: QBFT's without round and seals."""
    written = str(header["extraData"])
    if not qbft_validators(header):
        return written
    vanity, validators, vote, *_ = _qbft_items(_bytes(written))
    return "0x" + packed_list(vanity + validators + vote + NO_ROUND_NO_SEALS).hex()


# --- RLP, read -----------------------------------------------------------------------------------


def _qbft_items(extra: bytes) -> list[bytes]:
    outer = _items(extra)
    items = _items(_payload(outer[0])) if len(outer) == 1 and extra[0] >= 0xC0 else []
    if len(items) != QBFT_ITEMS:
        raise ValueError("no extra data of QBFT")
    return items


def _items(payload: bytes) -> list[bytes]:
    """
    Return the items that stand one behind the other, each with its prefix.

    :raises ValueError: if the last does not end where the bytes do
    """
    items = []
    while payload:
        start, length = _extent(payload)
        if start + length > len(payload):
            raise ValueError("an item longer than what holds it")
        items.append(payload[: start + length])
        payload = payload[start + length :]
    return items


def _payload(item: bytes) -> bytes:
    start, length = _extent(item)
    return item[start : start + length]


def _extent(item: bytes) -> tuple[int, int]:
    """Return where the payload of the first item begins, and how long it is."""
    kind = item[0]
    if kind < 0x80:
        return 0, 1
    base = 0x80 if kind < 0xC0 else 0xC0
    if kind - base <= 55:
        return 1, kind - base
    size = kind - base - 55
    return 1 + size, int.from_bytes(item[1 : 1 + size], "big")


def _bytes(value: Any) -> bytes:
    try:
        return bytes.fromhex(str(value)[2:])
    except ValueError:
        return b""


def _number(value: Any) -> int:
    try:
        return int(str(value), 16)
    except ValueError:
        return -1
