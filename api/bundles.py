"""
The file of one certificate, made on request from the mirror and the last co-signed checkpoint.

It signs nothing: how exchanges co-sign is `api.cosigning`.
"""

from functools import lru_cache
from typing import Final

from sqlalchemy import Engine
from sqlmodel import Session

from api.cosigning import SignedCheckpoint, last_checkpoint
from api.deps import Reading, Services
from api.exports import bundle_of
from chain.failure import Conflict, NotFound
from chain.reads import find
from chain.store import block_at
from chain.values import CertificateId
from registry.certificates import Certificate
from registry.checkpoints import map_of
from registry.merkle import MerkleMap
from registry.store import list_certificates

# Maps of the last checkpoints stay in memory: making one reads every certificate.
MAPS_MAX: Final = 2


class CheckpointMissing(NotFound):
    """No checkpoint has been co-signed here yet."""


class CheckpointOfAnotherFork(Conflict):
    """The co-signed checkpoint is not of the chain that the mirror holds."""

    block_number: int


class BundleNotReady(NotFound):
    """The certificate is younger than the last co-signed checkpoint."""

    certificate_id: CertificateId
    block_number: int


def bundle_bytes(services: Services, reading: Reading, certificate_id: CertificateId) -> bytes:
    """
    Return a certificate's file as of the last checkpoint.

    :raises CheckpointMissing: BundleNotReady: CheckpointOfAnotherFork: if there is none of it
    """
    signed = last_checkpoint(services.exports)
    if signed is None:
        raise CheckpointMissing()
    number = signed.checkpoint.block_number
    found = find(reading.session, Certificate, certificate_id, at_block=number)
    if found is None:
        raise BundleNotReady(certificate_id=certificate_id, block_number=number)
    tree = _tree(reading.session, services.mirror, signed)
    return bundle_of(found.record, tree, signed, services.content)


def _tree(session: Session, mirror: Engine, signed: SignedCheckpoint) -> MerkleMap:
    checkpoint = signed.checkpoint
    block = block_at(session, checkpoint.block_number)
    tree = _map_at(mirror, checkpoint.block_number, checkpoint.block_hash)
    if (
        block is None
        or block.hash != checkpoint.block_hash
        or tree.root.hex() != checkpoint.root[2:]
    ):
        raise CheckpointOfAnotherFork(block_number=checkpoint.block_number)
    return tree


@lru_cache(maxsize=MAPS_MAX)
def _map_at(mirror: Engine, block_number: int, block_hash: str) -> MerkleMap:  # noqa: ARG001
    with Session(mirror) as session:
        return map_of(list_certificates(session, at_block=block_number))
