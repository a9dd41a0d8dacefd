"""
What the map over certificates holds: the hash of a leaf and its status, encoded as by Solidity.
"""

from typing import Any

import pytest
from eth_abi.abi import encode
from hypothesis import given
from hypothesis import strategies as st

from chain.codes import CertificateBase
from chain.values import Bytes32, CertificateId, keccak
from registry.checkpoints import Status, entry_of

words = st.binary(min_size=32, max_size=32)


def status(**changed: Any) -> Status:
    fields = {
        "base": CertificateBase.VALID,
        "flags": 0,
        "status_sequence": 0,
        "superseded_by": CertificateId("0x" + "00" * 32),
        **changed,
    }
    return Status(**fields)


class TestEntryOf:
    @given(
        words,
        st.sampled_from(CertificateBase),
        st.integers(0, 255),
        st.integers(0, 2**32 - 1),
        words,
    )
    def test_hashes_what_eth_abi_encodes(
        self, leaf: bytes, base: CertificateBase, flags: int, sequence: int, other: bytes
    ) -> None:
        """K-01: whoever checks a certificate computes the same entry."""
        made = entry_of(
            Bytes32("0x" + leaf.hex()),
            status(
                base=base,
                flags=flags,
                status_sequence=sequence,
                superseded_by=CertificateId("0x" + other.hex()),
            ),
        )

        types = ("bytes32", "uint8", "uint8", "uint32", "bytes32")
        assert made == keccak(encode(types, (leaf, int(base), flags, sequence, other)))

    @pytest.mark.parametrize("changed", [{"flags": 256}, {"status_sequence": 2**32}])
    def test_refuses_what_does_not_fit(self, changed: dict[str, int]) -> None:
        with pytest.raises(ValueError, match="no uint"):
            entry_of(Bytes32("0x" + "ab" * 32), status(**changed))

    def test_refuses_a_short_leaf(self) -> None:
        with pytest.raises(ValueError, match="32 bytes"):
            entry_of(Bytes32("0xab"), status())
