"""
A compact sparse Merkle map: 32-byte keys to 32-byte values, one root, short proofs of presence
and absence.

It is not a Merkle list: the root depends on the set of entries only, never on their order, so any
mirror that folded the same events has the same root (joints 18). A subtree of one entry is that
entry's leaf, so a proof has about log2(n) steps.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from itertools import chain, pairwise
from typing import Any, Final

from chain.pauses import without_pauses

EMPTY = b"\x00" * 32
LEAF, NODE = b"\x00", b"\x01"
DEPTH_MAX = 256


def leaf_hash(key: bytes, value: bytes) -> bytes:
    """Return the hash of an entry; the prefix keeps leaves and nodes apart (domain 8.2)."""
    return sha256(LEAF + key + value).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash of two subtrees."""
    return sha256(NODE + left + right).digest()


def _bit(key: bytes, depth: int) -> int:
    return key[depth >> 3] >> (7 - (depth & 7)) & 1


@dataclass(frozen=True, slots=True)
class Proof:
    """
    What leads from an entry to the root.

    shape: `path` holds the sibling hashes from the root downwards, at most 256; `other` is the
           entry that stands in the key's place when the key is absent and its place is not empty
    """

    path: tuple[bytes, ...]
    other: tuple[bytes, bytes] | None = None


# The tree of a million entries is built in seconds only of the smallest parts that Python has:
# an entry is its key, value and hash; a node its left and right subtree (None if empty) and hash.
_Entry = tuple[bytes, bytes, bytes]
_Node = list[Any]
_Tree = _Entry | _Node
HASH: Final = 2


def _hash(tree: _Tree | None) -> bytes:
    return EMPTY if tree is None else tree[HASH]


class MerkleMap:
    """The map itself; setting one entry costs about log2(n) hashes."""

    def __init__(self, entries: Iterable[tuple[bytes, bytes]] = ()) -> None:
        """Build it at once, a hash for each entry and node; the last of equal keys counts."""
        with without_pauses():
            self._values = dict(entries)
            if not {32}.issuperset(map(len, chain(self._values, self._values.values()))):
                raise ValueError("keys and values have 32 bytes")
            self._root = _built(self._values)

    def __len__(self) -> int:
        return len(self._values)

    @property
    def root(self) -> bytes:
        """Return the root hash; 32 zero bytes for an empty map."""
        return _hash(self._root)

    def get(self, key: bytes) -> bytes | None:
        """Return the value at a key, or None."""
        return self._values.get(key)

    def set(self, key: bytes, value: bytes) -> None:
        """Put or replace the value at a key."""
        _require_words(key, value)
        self._values[key] = value
        self._root = _set(self._root, (key, value, leaf_hash(key, value)), 0)

    def prove(self, key: bytes) -> Proof:
        """Return the proof that the key has its value, or that it is absent."""
        path: list[bytes] = []
        tree, depth = self._root, 0
        while isinstance(tree, list):
            right = _bit(key, depth)
            path.append(_hash(tree[1 - right]))
            tree = tree[right]
            depth += 1
        if tree is None or tree[0] == key:
            return Proof(tuple(path))
        return Proof(tuple(path), tree[:2])


def _require_words(key: bytes, value: bytes) -> None:
    if len(key) != 32 or len(value) != 32:
        raise ValueError(f"key and value have 32 bytes: {len(key)=} {len(value)=}")


def _built(values: Mapping[bytes, bytes]) -> _Tree | None:
    """
    Return the tree over entries: what `_set` makes of them one by one.

    shape: neighbours in order part at the bit where a node of both is, so a stack holds every
           left subtree whose right one is not whole yet, with the depth it begins at (0 for an
           entry, which may stand at any) and that bit
    """
    if not values:
        return None
    keys = sorted(values)
    waiting: list[tuple[_Tree, bytes, int, int]] = []
    tree: _Tree | None = None
    depth, last = 0, b""
    pairs = pairwise(map(int.from_bytes, keys))
    splits = [DEPTH_MAX - (one ^ other).bit_length() for one, other in pairs]
    for key, split in zip(keys, chain(splits, (-1,)), strict=True):
        value = values[key]
        tree, depth, last = (key, value, sha256(LEAF + key + value).digest()), 0, key
        while waiting and waiting[-1][3] > split:
            left, left_key, left_depth, bit = waiting.pop()
            if left_depth > bit + 1:
                left = _lifted(left, left_key, left_depth, bit + 1)
            if depth > bit + 1:
                tree = _lifted(tree, key, depth, bit + 1)
            tree = [left, tree, sha256(NODE + left[HASH] + tree[HASH]).digest()]
            depth = bit
        waiting.append((tree, key, depth, split))
    return None if tree is None else _lifted(tree, last, depth, 0)


def _lifted(tree: _Tree, key: bytes, depth: int, to: int) -> _Tree:
    """Return a tree that begins at `depth` as one that begins at `to`, above it."""
    for level in range(depth - 1, to - 1, -1):
        if _bit(key, level):
            tree = [None, tree, node_hash(EMPTY, tree[HASH])]
        else:
            tree = [tree, None, node_hash(tree[HASH], EMPTY)]
    return tree


def _set(tree: _Tree | None, entry: _Entry, depth: int) -> _Tree:
    if tree is None:
        return entry
    if isinstance(tree, tuple):
        return entry if tree[0] == entry[0] else _fork(tree, entry, depth)
    side = _bit(entry[0], depth)
    tree[side] = _set(tree[side], entry, depth + 1)
    tree[HASH] = node_hash(_hash(tree[0]), _hash(tree[1]))
    return tree


def _fork(old: _Entry, new: _Entry, depth: int) -> _Tree:
    """Return the chain of nodes down to the first bit in which the two keys differ."""
    difference = int.from_bytes(old[0]) ^ int.from_bytes(new[0])
    split = DEPTH_MAX - difference.bit_length()
    left, right = (old, new) if _bit(new[0], split) else (new, old)
    node: _Node = [left, right, node_hash(left[HASH], right[HASH])]
    return _lifted(node, new[0], split, depth)


def root_from(*, key: bytes, value: bytes | None, proof: Proof) -> bytes | None:
    """
    Return the root that a proof leads to, or None if the proof is malformed.

    shape: value None asks for absence
    """
    if len(key) != 32 or len(proof.path) > DEPTH_MAX or any(len(step) != 32 for step in proof.path):
        return None
    if value is not None:
        if proof.other is not None or len(value) != 32:
            return None
        hash_ = leaf_hash(key, value)
    elif proof.other is None:
        hash_ = EMPTY
    else:
        other_key, other_value = proof.other
        depth = len(proof.path)
        if other_key == key or any(_bit(other_key, d) != _bit(key, d) for d in range(depth)):
            return None
        hash_ = leaf_hash(other_key, other_value)
    for depth in range(len(proof.path) - 1, -1, -1):
        sibling = proof.path[depth]
        hash_ = node_hash(sibling, hash_) if _bit(key, depth) else node_hash(hash_, sibling)
    return hash_
