"""The compact sparse Merkle map: its root depends on its entries, its proofs on nothing else."""

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.merkle import EMPTY, MerkleMap, Proof, leaf_hash, node_hash, root_from

words = st.binary(min_size=32, max_size=32)
entries = st.dictionaries(words, words, max_size=24)


# Keys of which many share their first bits, or nearly all of them.
crowded = st.one_of(
    words,
    st.tuples(st.sampled_from([1, 16, 31]), words).map(
        lambda one: bytes(one[0]) + one[1][one[0] :]
    ),
)


def close(key: bytes, bit: int) -> bytes:
    """Return a key that differs in one bit only, so that the two share a long way."""
    return bytes(
        byte ^ (1 << (7 - bit % 8) if at == bit // 8 else 0) for at, byte in enumerate(key)
    )


class TestRoot:
    def test_is_zero_for_an_empty_map(self) -> None:
        assert MerkleMap().root == EMPTY

    def test_is_the_leaf_of_a_single_entry(self) -> None:
        assert MerkleMap([(b"k" * 32, b"v" * 32)]).root == leaf_hash(b"k" * 32, b"v" * 32)

    def test_is_computed_as_documented_for_two_entries(self) -> None:
        left, right = b"\x00" * 32, b"\xff" * 32

        root = MerkleMap([(left, b"a" * 32), (right, b"b" * 32)]).root

        by_hand = sha256(
            b"\x01"
            + sha256(b"\x00" + left + b"a" * 32).digest()
            + sha256(b"\x00" + right + b"b" * 32).digest()
        ).digest()
        assert root == by_hand

    @given(entries, st.randoms())
    def test_does_not_depend_on_the_order(self, held: dict[bytes, bytes], random) -> None:  # type: ignore[no-untyped-def]
        shuffled = list(held.items())
        random.shuffle(shuffled)

        assert MerkleMap(shuffled).root == MerkleMap(held.items()).root

    @given(entries, words, words)
    def test_is_the_same_incrementally(
        self, held: dict[bytes, bytes], key: bytes, value: bytes
    ) -> None:
        grown = MerkleMap(held.items())
        grown.set(key, b"\x01" * 32)
        grown.set(key, value)

        assert grown.root == MerkleMap({**held, key: value}.items()).root

    @given(st.dictionaries(crowded, words, max_size=24), crowded, words)
    def test_is_the_same_built_at_once_or_one_by_one(
        self, held: dict[bytes, bytes], key: bytes, value: bytes
    ) -> None:
        """Joints 18: whoever folded the same events has the same root, and the same proofs."""
        grown = MerkleMap()
        for one, its in held.items():
            grown.set(one, its)

        built = MerkleMap(held.items())

        assert built.root == grown.root
        assert all(built.prove(one) == grown.prove(one) for one in (*held, key))
        built.set(key, value)
        grown.set(key, value)
        assert built.root == grown.root

    def test_refuses_a_short_value_among_many(self) -> None:
        with pytest.raises(ValueError, match="32 bytes"):
            MerkleMap([(b"k" * 32, b"v" * 32), (b"l" * 32, b"v")])

    def test_refuses_a_short_value(self) -> None:
        with pytest.raises(ValueError, match="32 bytes"):
            MerkleMap().set(b"k" * 32, b"v")


class TestProof:
    @given(entries, words, words)
    def test_proves_presence(self, held: dict[bytes, bytes], key: bytes, value: bytes) -> None:
        """K-01: a certificate proves that it is in the checkpoint."""
        tree = MerkleMap({**held, key: value}.items())

        assert root_from(key=key, value=value, proof=tree.prove(key)) == tree.root

    @given(entries, words)
    def test_proves_absence(self, held: dict[bytes, bytes], key: bytes) -> None:
        held.pop(key, None)
        tree = MerkleMap(held.items())

        assert root_from(key=key, value=None, proof=tree.prove(key)) == tree.root

    @given(entries, words, words, words)
    def test_proves_no_other_value(
        self, held: dict[bytes, bytes], key: bytes, value: bytes, other: bytes
    ) -> None:
        tree = MerkleMap({**held, key: value}.items())

        root = root_from(key=key, value=other, proof=tree.prove(key))

        assert (root == tree.root) == (other == value)

    @given(words, words, st.integers(0, 255))
    def test_never_proves_a_present_key_absent(self, key: bytes, value: bytes, bit: int) -> None:
        tree = MerkleMap([(key, value), (close(key, bit), value)])

        for proof in (tree.prove(key), Proof(tree.prove(key).path, (key, value))):
            assert root_from(key=key, value=None, proof=proof) != tree.root

    @given(words, st.integers(0, 255))
    def test_holds_for_keys_that_differ_in_one_bit(self, key: bytes, bit: int) -> None:
        twin = close(key, bit)
        tree = MerkleMap([(key, b"a" * 32), (twin, b"b" * 32)])

        assert len(tree.prove(key).path) == bit + 1
        assert root_from(key=twin, value=b"b" * 32, proof=tree.prove(twin)) == tree.root

    def test_is_refused_when_malformed(self) -> None:
        too_long = Proof((b"\x00" * 32,) * 257)

        assert root_from(key=b"k" * 32, value=b"v" * 32, proof=too_long) is None
        assert root_from(key=b"k" * 32, value=b"v" * 32, proof=Proof((b"short",))) is None
        assert root_from(key=b"k", value=b"v" * 32, proof=Proof(())) is None

    def test_keeps_leaves_and_nodes_apart(self) -> None:
        assert leaf_hash(b"a" * 32, b"b" * 32) != node_hash(b"a" * 32, b"b" * 32)
