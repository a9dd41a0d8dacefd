"""
Who sealed a block: recovered from its header, believing no node.

Pure. One seal proves one signer; that a majority stands behind a block is proved by as many headers
in a row, by as many different signers (`majority_of`).

source: Clique, EIP-225
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import coincurve

from chain.consortium.genesis import SEAL_BYTES, VANITY_BYTES
from chain.failure import Invalid
from chain.receipts import header_hash
from chain.values import Address, keccak, raw

V_BYTE: Final = 64


class SealInvalid(Invalid):
    """A header carries no seal that can be read."""

    block_number: int


def signer_of(header: Mapping[str, Any]) -> Address:
    """
    Return the account that sealed a block.

    shape: the node's JSON
    :raises SealInvalid: if nobody can have
    """
    extra = raw(header["extraData"])
    number = int(header["number"], 16)
    seal = extra[-SEAL_BYTES:]
    if len(extra) < VANITY_BYTES + SEAL_BYTES or seal[V_BYTE] > 1:
        raise SealInvalid(block_number=number)
    unsealed = {**header, "extraData": "0x" + extra[:-SEAL_BYTES].hex()}
    digest = raw(header_hash(unsealed))
    try:
        key = coincurve.PublicKey.from_signature_and_message(seal, digest, hasher=None)
    except ValueError as error:
        raise SealInvalid(block_number=number) from error
    return Address("0x" + keccak(key.format(compressed=False)[1:])[-20:].hex())


def majority_of(signers: int) -> int:
    """Return how many of so many signers decide: whom they let in, and whether blocks go on."""
    return signers // 2 + 1


def sealed_by(headers: Sequence[Mapping[str, Any]]) -> dict[Address, int]:
    """Return how many of these blocks each signer sealed."""
    counts: dict[Address, int] = {}
    for header in headers:
        signer = signer_of(header)
        counts[signer] = counts.get(signer, 0) + 1
    return counts
