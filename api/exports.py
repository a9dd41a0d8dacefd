"""
Certificates leave the house: a co-signed checkpoint, one file per certificate, and a trust list.

It is not the verifying (`registry.bundles`). The exchanges' keys sign here, at the edge.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from eth_account.signers.local import LocalAccount
from eth_keys.datatypes import PrivateKey
from sqlmodel import Session

from chain.codec import from_json, to_json
from chain.content import ContentCorrupted, ContentMissing, ContentStore, ContentTooLarge
from chain.documents import Digest, NotCanonical, canonical, parse_canonical
from chain.durable import fresh_file, make_folder, publish
from chain.facts import Block
from chain.failure import Conflict
from chain.reads import as_of
from chain.values import ZERO_BYTES32, Address, Bytes32, HexBytes, ParticipantId, address, raw
from registry.bundles import Bundle, CheckpointSignature, Verification, verify, write_bundle
from registry.certificates import Certificate, code_text, fields_of
from registry.checkpoints import (
    Checkpoint,
    digest_of,
    map_of,
    signers_hash_of,
    status_of,
)
from registry.merkle import MerkleMap
from registry.store import list_certificates
from registry.trust import TrustedChain, TrustedExchange, TrustList, read_trust, write_trust

# A document that is not there, is another, or is none: too large, or no canonical JSON.
UNUSABLE: Final = (ContentMissing, ContentCorrupted, ContentTooLarge, NotCanonical)


class NothingMirrored(Conflict):
    """The mirror holds no block yet: wait for it, then export."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cosigner:
    """An exchange that signs checkpoints, with the key it signs with."""

    participant_id: ParticipantId
    name: str
    account: LocalAccount

    @property
    def address(self) -> Address:
        """Return the account's address as the ledger writes it."""
        return address(self.account.address)


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedCheckpoint:
    """A checkpoint with the signatures under it, in ascending order of account."""

    checkpoint: Checkpoint
    signatures: tuple[CheckpointSignature, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    """
    What an export wrote.

    shape: `missing` names the files that were not written, for want of their documents
    """

    signed: SignedCheckpoint
    missing: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Venue:
    """What a chain's trust list says beside its exchanges."""

    chain_id: int
    certificates: Address
    issuers: tuple[ParticipantId, ...]
    max_age_seconds: int


def export(
    session: Session,
    content: ContentStore,
    *,
    venue: Venue,
    cosigners: Sequence[Cosigner],
    folder: Path,
) -> Exported:
    """
    Write every certificate as one file, and the trust list that they are checked against.

    shape:   `certificates/<code>.json`, `checkpoint.json`, `trust.json` under the folder
    ensures: all files are of one checkpoint, also those left by an earlier export; only a file
             whose document is missing now stays as it was, for it may be the last copy
    :raises NothingMirrored: if there is no block to speak of
    """
    block = as_of(session)
    if block is None:
        raise NothingMirrored()
    certificates = list_certificates(session)
    tree = map_of(certificates)
    signed = cosign(tree, block, venue=venue, cosigners=cosigners, before=last_checkpoint(folder))
    make_folder(folder / "certificates")
    _write(folder / "checkpoint.json", canonical(to_json(SignedCheckpoint, signed)))
    _write(folder / "trust.json", write_trust(trust_of(venue, cosigners)))
    names = {f"{code_text(one.code)}.json": one for one in certificates}
    missing = []
    for name, certificate in names.items():
        try:
            data = bundle_of(certificate, tree, signed, content)
        except UNUSABLE:
            # Whoever records a digest need not hand over the document: others' files still count.
            missing.append(name)
        else:
            _write(folder / "certificates" / name, data)
    for stale in list((folder / "certificates").glob("*.json")):
        if stale.name not in names:
            stale.unlink()
    return Exported(signed=signed, missing=tuple(missing))


def cosign(
    tree: MerkleMap,
    block: Block,
    *,
    venue: Venue,
    cosigners: Sequence[Cosigner],
    before: SignedCheckpoint | None,
) -> SignedCheckpoint:
    """Return the checkpoint of a block signed by every exchange given, or the last if it is it."""
    if before is not None and before.checkpoint.block_hash == block.hash:
        return before
    checkpoint = Checkpoint(
        chain_id=venue.chain_id,
        certificates=venue.certificates,
        block_number=block.number,
        block_hash=block.hash,
        time=block.timestamp,
        root=Bytes32("0x" + tree.root.hex()),
        count=len(tree),
        previous=digest_of(before.checkpoint) if before else ZERO_BYTES32,
        signers_hash=signers_hash_of(one.address for one in cosigners),
    )
    digest = raw(digest_of(checkpoint))
    signatures = [
        CheckpointSignature(
            account=one.address,
            participant_id=one.participant_id,
            signature=_sign(one.account, digest),
        )
        for one in cosigners
    ]
    ordered = tuple(sorted(signatures, key=lambda one: one.account))
    return SignedCheckpoint(checkpoint=checkpoint, signatures=ordered)


def bundle_of(
    certificate: Certificate, tree: MerkleMap, signed: SignedCheckpoint, content: ContentStore
) -> bytes:
    """Return a certificate's file: document, fields, status, path, and the signed checkpoint."""
    document = content.get(
        Digest(value=certificate.document_digest, algorithm=certificate.digest_alg)
    )
    path = tree.prove(raw(certificate.certificate_id)).path
    return write_bundle(
        Bundle(
            document=parse_canonical(document),
            fields=fields_of(certificate),
            status=status_of(certificate),
            path=tuple(HexBytes("0x" + step.hex()) for step in path),
            checkpoint=signed.checkpoint,
            signatures=signed.signatures,
        )
    )


def trust_of(venue: Venue, cosigners: Sequence[Cosigner]) -> TrustList:
    """Return the trust list of a chain: all its co-signing exchanges must have signed."""
    exchanges = tuple(
        TrustedExchange(participant_id=one.participant_id, name=one.name, accounts=(one.address,))
        for one in cosigners
    )
    chain = TrustedChain(
        chain_id=venue.chain_id,
        certificates=venue.certificates,
        threshold=len(exchanges),
        max_age_seconds=venue.max_age_seconds,
        exchanges=exchanges,
        issuers=tuple(sorted(venue.issuers)),
    )
    return TrustList(chains=(chain,))


def last_checkpoint(folder: Path) -> SignedCheckpoint | None:
    """Return the checkpoint exported last, or None."""
    path = folder / "checkpoint.json"
    if not path.is_file():
        return None
    return from_json(SignedCheckpoint, parse_canonical(path.read_bytes()))


def verify_exports(folder: Path, *, now: int) -> dict[str, Verification]:
    """Check every exported file as a peer would: from the files and the trust list alone."""
    trust = read_trust((folder / "trust.json").read_bytes())
    return {
        path.name: verify(path.read_bytes(), trust=trust, now=now)
        for path in sorted((folder / "certificates").glob("*.json"))
    }


def _sign(account: LocalAccount, digest: bytes) -> HexBytes:
    signed = PrivateKey(bytes(account.key)).sign_msg_hash(digest).to_bytes()
    return HexBytes("0x" + signed[:64].hex() + f"{signed[64] + 27:02x}")


def _write(path: Path, data: bytes) -> None:
    with fresh_file(path.parent) as file:
        file.write(data)
        publish(file, path)
