"""
What exchanges co-sign: the root over the status of every certificate at one block.

It is not one certificate's proof (`registry.bundles`), and it signs nothing: keys are at the edge.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from chain.abi import hash_values
from chain.codes import CertificateBase
from chain.encoding import encoded
from chain.values import Address, Bytes32, CertificateId, bytes32, keccak, raw
from registry.certificates import Certificate
from registry.merkle import MerkleMap

STATUSES_MAX = 1_024

DOMAIN_NAME, DOMAIN_VERSION = "Shulian", "1"

# EIP-712 encodeType; every field of Checkpoint in this order.
CHECKPOINT_TYPE = (
    "Checkpoint(uint64 blockNumber,bytes32 blockHash,uint64 time,bytes32 root,"
    "uint64 count,bytes32 previous,bytes32 signersHash)"
)
DOMAIN_TYPE = "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """What changes about a certificate after its issue."""

    base: CertificateBase
    flags: int
    status_sequence: int
    superseded_by: CertificateId


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """
    The state of all certificates of one chain at one block.

    shape: `root` of the Merkle map CertificateId -> hash of (leaf, status); `previous` is the
           digest of the checkpoint before, zero for the first; `signers_hash` fixes who signs, so
           that no signature can be left out unnoticed
    units: `time` in seconds since 1970 UTC
    """

    chain_id: int
    certificates: Address
    block_number: int
    block_hash: Bytes32
    time: int
    root: Bytes32
    count: int
    previous: Bytes32
    signers_hash: Bytes32


def status_of(certificate: Certificate) -> Status:
    """Return the certificate's status as the map holds it."""
    return Status(
        base=certificate.base,
        flags=certificate.flags,
        status_sequence=certificate.status_sequence,
        superseded_by=certificate.superseded_by,
    )


def entry_of(leaf: Bytes32, status: Status) -> bytes:
    """Return the map's value for a certificate: the hash of its leaf and status."""
    words = _status_words(status.base, status.flags, status.status_sequence, status.superseded_by)
    return keccak(_word(leaf) + words)


@lru_cache(maxsize=STATUSES_MAX)
def _status_words(
    base: CertificateBase, flags: int, status_sequence: int, superseded_by: CertificateId
) -> bytes:
    # Of a million certificates nearly all have one of a few.
    return encoded(
        ("uint8", "uint8", "uint32", "bytes32"), (base, flags, status_sequence, superseded_by)
    )


def _word(value: str) -> bytes:
    if len(value) != 66:
        raise ValueError(f"not 32 bytes: {value=}")
    return bytes.fromhex(value[2:])


def map_of(certificates: Iterable[Certificate]) -> MerkleMap:
    """Return the Merkle map over the status of these certificates."""
    return MerkleMap(
        (
            _word(one.certificate_id),
            keccak(
                _word(one.leaf)
                + _status_words(one.base, one.flags, one.status_sequence, one.superseded_by)
            ),
        )
        for one in certificates
    )


def signers_hash_of(accounts: Iterable[Address]) -> Bytes32:
    """Return the hash that fixes who signs: the accounts in ascending order."""
    return hash_values(("address[]",), [sorted(accounts)])


def digest_of(checkpoint: Checkpoint) -> Bytes32:
    """Return the EIP-712 digest that each exchange signs."""
    domain = hash_values(
        ("bytes32", "bytes32", "bytes32", "uint256", "address"),
        (
            bytes32(keccak(DOMAIN_TYPE.encode())),
            bytes32(keccak(DOMAIN_NAME.encode())),
            bytes32(keccak(DOMAIN_VERSION.encode())),
            checkpoint.chain_id,
            checkpoint.certificates,
        ),
    )
    struct = hash_values(
        ("bytes32", "uint64", "bytes32", "uint64", "bytes32", "uint64", "bytes32", "bytes32"),
        (
            bytes32(keccak(CHECKPOINT_TYPE.encode())),
            checkpoint.block_number,
            checkpoint.block_hash,
            checkpoint.time,
            checkpoint.root,
            checkpoint.count,
            checkpoint.previous,
            checkpoint.signers_hash,
        ),
    )
    return bytes32(keccak(b"\x19\x01" + raw(domain) + raw(struct)))


def typed_data_of(checkpoint: Checkpoint) -> Mapping[str, Any]:
    """Return the same as a wallet shows it (EIP-712 JSON)."""
    names = CHECKPOINT_TYPE.removeprefix("Checkpoint(").removesuffix(")").split(",")
    fields = [dict(zip(("type", "name"), one.split(" "), strict=True)) for one in names]
    return {
        "types": {
            "EIP712Domain": [
                {"name": "name", "type": "string"},
                {"name": "version", "type": "string"},
                {"name": "chainId", "type": "uint256"},
                {"name": "verifyingContract", "type": "address"},
            ],
            "Checkpoint": fields,
        },
        "primaryType": "Checkpoint",
        "domain": {
            "name": DOMAIN_NAME,
            "version": DOMAIN_VERSION,
            "chainId": checkpoint.chain_id,
            "verifyingContract": checkpoint.certificates,
        },
        "message": {
            "blockNumber": checkpoint.block_number,
            "blockHash": checkpoint.block_hash,
            "time": checkpoint.time,
            "root": checkpoint.root,
            "count": checkpoint.count,
            "previous": checkpoint.previous,
            "signersHash": checkpoint.signers_hash,
        },
    }
