"""
A compact sparse Merkle map: 32-byte keys to 32-byte values, one root, short proofs of presence
and absence.

It is not a Merkle list: the root depends on the set of entries only, never on their order, so any
mirror that folded the same events has the same root (joints 18). A subtree of one entry is that
entry's leaf, so a proof has about log2(n) steps.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256

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


@dataclass(slots=True)
class _Entry:
    key: bytes
    value: bytes
    hash: bytes


@dataclass(slots=True)
class _Node:
    left: "_Entry | _Node | None"
    right: "_Entry | _Node | None"
    hash: bytes


def _hash(tree: "_Entry | _Node | None") -> bytes:
    return EMPTY if tree is None else tree.hash


class MerkleMap:
    """The map itself; setting one entry costs about log2(n) hashes."""

    def __init__(self, entries: Iterable[tuple[bytes, bytes]] = ()) -> None:
        self._root: _Entry | _Node | None = None
        self._values: dict[bytes, bytes] = {}
        for key, value in entries:
            self.set(key, value)

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
        if len(key) != 32 or len(value) != 32:
            raise ValueError(f"key and value have 32 bytes: {len(key)=} {len(value)=}")
        self._values[key] = value
        self._root = _set(self._root, _Entry(key, value, leaf_hash(key, value)), 0)

    def prove(self, key: bytes) -> Proof:
        """Return the proof that the key has its value, or that it is absent."""
        path: list[bytes] = []
        tree, depth = self._root, 0
        while isinstance(tree, _Node):
            right = _bit(key, depth)
            path.append(_hash(tree.left if right else tree.right))
            tree = tree.right if right else tree.left
            depth += 1
        if tree is None or tree.key == key:
            return Proof(tuple(path))
        return Proof(tuple(path), (tree.key, tree.value))


def _set(tree: _Entry | _Node | None, entry: _Entry, depth: int) -> _Entry | _Node:
    if tree is None:
        return entry
    if isinstance(tree, _Entry):
        if tree.key == entry.key:
            return entry
        return _fork(tree, entry, depth)
    if _bit(entry.key, depth):
        tree.right = _set(tree.right, entry, depth + 1)
    else:
        tree.left = _set(tree.left, entry, depth + 1)
    tree.hash = node_hash(_hash(tree.left), _hash(tree.right))
    return tree


def _fork(old: _Entry, new: _Entry, depth: int) -> _Node:
    """Return the chain of nodes down to the first bit in which the two keys differ."""
    split = depth
    while _bit(old.key, split) == _bit(new.key, split):
        split += 1
    left, right = (old, new) if _bit(new.key, split) else (new, old)
    node = _Node(left, right, node_hash(left.hash, right.hash))
    for level in range(split - 1, depth - 1, -1):
        if _bit(new.key, level):
            node = _Node(None, node, node_hash(EMPTY, node.hash))
        else:
            node = _Node(node, None, node_hash(node.hash, EMPTY))
    return node


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
