"""
The blocks that a file is made of in a Kubo node, each hashed here: which are damaged or missing.

Not here: what is done about it (`chain/kubo.py`).
"""

from __future__ import annotations

from base64 import b32decode
from collections.abc import Iterator
from hashlib import sha256
from typing import Any

from ipfshttpclient import exceptions

from chain.documents import Cid
from chain.kubo_node import KuboNode, says_absent, says_damaged

# CIDv1 with a multihash sha2-256 of 32 bytes (multiformats multicodec table).
_RAW, _DAG_PB = 0x55, 0x70
_SHA256 = bytes((0x12, 0x20))
_CID_BYTES = 36
_BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"


def faulty_blocks(
    node: KuboNode, root: Cid, *, are_leaves_read: bool = True
) -> Iterator[tuple[Cid, bool]]:
    """
    Yield the blocks of a tree that are not what their CID says, and whether they are there at all.

    shape: what lies below such a block is not known, and not looked at; without `are_leaves_read`
           only the nodes above the file's pieces are hashed
    """
    waiting, seen = [root], {root}
    while waiting:
        cid = waiting.pop()
        codec, digest = _parts(cid)
        if codec == _RAW and not are_leaves_read and cid != root:
            continue
        block = _block(node, cid)
        if block is None or sha256(block).digest() != digest:
            yield cid, block is not None
        elif codec == _DAG_PB:
            below = [one for one in _links(node, cid) if one not in seen]
            seen.update(below)
            waiting.extend(below)


def is_damaged(node: KuboNode, cid: Cid) -> bool:
    """Return whether the node holds other bytes under a CID than those that it names."""
    block = _block(node, cid)
    return block is not None and sha256(block).digest() != _parts(cid)[1]


def _block(node: KuboNode, cid: Cid) -> bytes | None:
    try:
        return node.block(cid)
    except exceptions.ErrorResponse as error:
        if says_absent(error):
            return None
        if says_damaged(error):
            # With `Datastore.HashOnRead` the node itself looks, and refuses.
            return b""
        raise


def _links(node: KuboNode, cid: Cid) -> list[Cid]:
    told: Any = node.ask("/dag/get", cid, output_codec="dag-json")
    return [Cid(link["Hash"]["/"]) for link in told["Links"]]


def _parts(cid: Cid) -> tuple[int, bytes]:
    """Return the codec of a block and the SHA-256 that its CID states; none for other CIDs."""
    if cid.startswith("Qm"):
        # The older form, which the folders of a node's own files have.
        name = bytes((1, _DAG_PB)) + _of_base58(cid)
    else:
        body = cid[1:].upper()
        try:
            name = b32decode(body + "=" * (-len(body) % 8))
        except ValueError:
            return 0, b""
    is_ours = len(name) == _CID_BYTES and name[0] == 1 and name[2:4] == _SHA256
    return (name[1], name[4:]) if is_ours else (0, b"")


def _of_base58(text: str) -> bytes:
    number = 0
    for character in text:
        number = number * len(_BASE58) + _BASE58.find(character)
    return number.to_bytes(_CID_BYTES - 2, "big") if number > 0 else b""
