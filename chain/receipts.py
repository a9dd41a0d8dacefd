"""
Recomputes what a block's header commits to: its own hash, and the root of its receipts.

A node that serves a block's receipts can leave out, change or invent no log without changing that
root. Pure; what to do about a wrong one is decided by who asks (`chain.fetch`).

sources: receipts and header fields, Ethereum yellow paper 4.3-4.4 and appendix B (RLP), D (trie);
         typed receipts EIP-2718; base fee EIP-1559; withdrawals EIP-4895; blobs EIP-4844; parent
         beacon root EIP-4788; requests EIP-7685
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from chain.values import Bytes32, keccak

# The root of a trie that holds nothing, which is the hash of the empty string's RLP.
EMPTY_ROOT: Final = Bytes32("0x" + keccak(b"\x80").hex())

BLOOM_DIGITS: Final = 512
SHORT_MAX: Final = 55

# In the order in which they are hashed; every one after the fifteenth came by a fork, and is
# hashed if it is there.
HASHED_FIELDS: Final = ("parentHash", "sha3Uncles", "miner", "stateRoot", "transactionsRoot")
LATER_FIELDS: Final = (
    ("baseFeePerGas", True),
    ("withdrawalsRoot", False),
    ("blobGasUsed", True),
    ("excessBlobGas", True),
    ("parentBeaconBlockRoot", False),
    ("requestsHash", False),
)


def header_hash(header: Mapping[str, Any], *, extra_data: str = "") -> Bytes32:
    """
    Return the hash of a block's header.

    shape: the node's JSON; `extra_data` where not all of the header's is hashed (QBFT)
    :raises ValueError: LookupError: TypeError: if a field is missing or is not hexadecimal
    """
    parts = [_text(header[name]) for name in HASHED_FIELDS]
    parts += [_text(header["receiptsRoot"]), _text(header["logsBloom"])]
    parts += [
        _quantity(header[name])
        for name in ("difficulty", "number", "gasLimit", "gasUsed", "timestamp")
    ]
    parts += [_text(extra_data or header["extraData"])]
    parts += [_text(header[name]) for name in ("mixHash", "nonce")]
    parts += [
        _quantity(header[name]) if is_quantity else _text(header[name])
        for name, is_quantity in LATER_FIELDS
        if header.get(name) is not None
    ]
    return Bytes32("0x" + keccak(bytes.fromhex(_list("".join(parts)))).hex())


def receipts_root(receipts: Sequence[Mapping[str, Any]]) -> Bytes32:
    """
    Return the root that a block's header has for these receipts, in the order of the block.

    shape: the node's JSON
    :raises ValueError: LookupError: TypeError: if a field is missing or is not hexadecimal
    """
    if not receipts:
        return EMPTY_ROOT
    leaves = [
        (_key(place), bytes.fromhex(_receipt(receipt))) for place, receipt in enumerate(receipts)
    ]
    return Bytes32("0x" + trie_root(leaves).hex())


def bloom_of(receipts: Iterable[Mapping[str, Any]]) -> int:
    """Return all receipts' blooms in one, as the header has it."""
    bloom = 0
    for receipt in receipts:
        bloom |= int(receipt["logsBloom"], 16)
    return bloom


# --- RLP, as hexadecimal text: a receipt's fields come as that, and are joined more quickly than
# --- bytes


def _receipt(receipt: Mapping[str, Any]) -> str:
    bloom = receipt["logsBloom"]
    if len(bloom) != BLOOM_DIGITS + 2:
        raise ValueError(f"a bloom of {len(bloom) - 2} digits")
    status = receipt.get("status")
    began = _text(receipt["root"]) if status is None else _quantity(status)
    logs = _list("".join([_log(log) for log in receipt["logs"]]))
    body = _list(f"{began}{_quantity(receipt['cumulativeGasUsed'])}b90100{bloom[2:]}{logs}")
    kind = int(receipt.get("type") or "0x0", 16)
    return f"{kind:02x}{body}" if kind else body


def _log(log: Mapping[str, Any]) -> str:
    topics = log["topics"]
    found = "".join(["a0" + topic[2:] for topic in topics])
    if len(found) != 66 * len(topics):
        raise ValueError("a topic that is no word")
    return _list(f"94{log['address'][2:]}{_list(found)}{_text(log['data'])}")


def _quantity(value: str) -> str:
    number = int(value, 16)
    if number == 0:
        return "80"
    digits = f"{number:x}"
    if len(digits) % 2:
        digits = "0" + digits
    return digits if number < 0x80 else _prefix(0x80, len(digits) // 2) + digits


def _text(value: str) -> str:
    digits = value[2:]
    if len(digits) == 2 and int(digits, 16) < 0x80:
        return digits
    return _prefix(0x80, len(digits) // 2) + digits


def _list(payload: str) -> str:
    return _prefix(0xC0, len(payload) // 2) + payload


def _prefix(start: int, length: int) -> str:
    if length <= SHORT_MAX:
        return f"{start + length:02x}"
    size = f"{length:x}"
    if len(size) % 2:
        size = "0" + size
    return f"{start + SHORT_MAX + len(size) // 2:02x}{size}"


# --- the Merkle-Patricia trie, of bytes -----------------------------------------------------------

Leaves = Sequence[tuple[bytes, bytes]]


def trie_root(leaves: Leaves) -> bytes:
    """
    Return the root of the trie that holds these values.

    shape: not empty; keys are nibbles, one per byte, and none begins another
    """
    return keccak(_node(sorted(leaves), 0))


def _key(place: int) -> bytes:
    # One nibble each, so that two keys are compared by position.
    return bytes(int(digit, 16) for digit in _quantity(hex(place)))


def _node(leaves: Leaves, depth: int) -> bytes:
    first, value = leaves[0]
    if len(leaves) == 1:
        return packed_list(_path(first[depth:], is_leaf=True) + packed(value))
    shared = _shared(first, leaves[-1][0], depth)
    if shared > depth:
        below = _reference(_node(leaves, shared))
        return packed_list(_path(first[depth:shared], is_leaf=False) + below)
    # No key goes on from where another ends, so a branch has no value of its own.
    return packed_list(b"".join(_slots(leaves, depth)) + b"\x80")


def _slots(leaves: Leaves, depth: int) -> list[bytes]:
    slots = [b"\x80"] * 16
    start = 0
    while start < len(leaves):
        nibble = leaves[start][0][depth]
        end = start + 1
        while end < len(leaves) and leaves[end][0][depth] == nibble:
            end += 1
        slots[nibble] = _reference(_node(leaves[start:end], depth + 1))
        start = end
    return slots


def _shared(first: bytes, last: bytes, depth: int) -> int:
    while first[depth] == last[depth]:
        depth += 1
    return depth


def _reference(node: bytes) -> bytes:
    # What is shorter than a hash stands for itself.
    return node if len(node) < 32 else b"\xa0" + keccak(node)


def _path(nibbles: bytes, *, is_leaf: bool) -> bytes:
    is_odd = len(nibbles) % 2
    flag = (2 if is_leaf else 0) + is_odd
    whole = (flag, *nibbles) if is_odd else (flag, 0, *nibbles)
    return packed(bytes(16 * high + low for high, low in zip(whole[::2], whole[1::2], strict=True)))


def packed(value: bytes) -> bytes:
    """Return the RLP of bytes."""
    if len(value) == 1 and value[0] < 0x80:
        return value
    return bytes.fromhex(_prefix(0x80, len(value))) + value


def packed_list(payload: bytes) -> bytes:
    """Return the RLP of a list, given that of its items one behind the other."""
    return bytes.fromhex(_prefix(0xC0, len(payload))) + payload
