"""
Certificates leave the house: a co-signed checkpoint, one file per certificate, and a trust list.

It is not the co-signing (`api.cosigning`), nor the verifying (`registry.bundles`). Where all keys
are in one house, as in the demonstration, they sign here at once.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from eth_account.signers.local import LocalAccount
from sqlmodel import Session

from api.cosigning import (
    CheckpointUnsigned,
    SignedCheckpoint,
    Signer,
    draft,
    last_checkpoint,
    sign,
    write_checkpoint,
)
from chain.content import ContentCorrupted, ContentMissing, ContentStore, ContentTooLarge
from chain.documents import Digest, NotCanonical, parse_canonical
from chain.durable import fresh_file, make_folder, publish
from chain.facts import Block
from chain.failure import Conflict
from chain.reads import as_of
from chain.store import block_at
from chain.values import Address, HexBytes, ParticipantId, address, raw
from registry.bundles import Bundle, Verification, verify, write_bundle
from registry.certificates import Certificate, code_text, fields_of
from registry.checkpoints import map_of, status_of
from registry.merkle import MerkleMap
from registry.store import list_certificates
from registry.trust import TrustedChain, TrustedExchange, TrustList, read_trust, write_trust

# A document that is not there, is another, or is none: too large, or no canonical JSON.
UNUSABLE: Final = (ContentMissing, ContentCorrupted, ContentTooLarge, NotCanonical)


class NothingMirrored(Conflict):
    """The mirror holds no block yet: wait for it, then export."""


class CheckpointOlder(Conflict):
    """Certificates were exported as of a newer checkpoint; they stay as they are."""

    block_number: int
    exported_block_number: int


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
    Sign for every exchange given, and write the files and the trust list of all of them.

    shape:   `certificates/<code>.json`, `checkpoint.json`, `trust.json` under the folder
    :raises NothingMirrored: if there is no block to speak of
    """
    block = as_of(session)
    if block is None:
        raise NothingMirrored()
    tree = map_of(list_certificates(session))
    signed = cosign(tree, block, venue=venue, cosigners=cosigners, before=last_checkpoint(folder))
    make_folder(folder)
    _write(folder / "trust.json", write_trust(trust_of(venue, cosigners)))
    return write_exports(session, content, signed=signed, tree=tree, folder=folder)


def write_exports(
    session: Session,
    content: ContentStore,
    *,
    signed: SignedCheckpoint,
    tree: MerkleMap,
    folder: Path,
) -> Exported:
    """
    Write every certificate as one file, as of a checkpoint that all its exchanges have signed.

    shape:   `certificates/<code>.json` and `checkpoint.json` under the folder; `tree` is the one
             whose root the checkpoint names
    ensures: all files are of one checkpoint, also those left by an earlier export; only a file
             whose document is missing now stays as it was, for it may be the last copy
    :raises CheckpointUnsigned: if one of its exchanges has not signed it
    :raises CheckpointOlder: if a newer one was exported here
    """
    number = signed.checkpoint.block_number
    if signed.missing:
        raise CheckpointUnsigned(missing=signed.missing)
    _require_newest(session, number, last_checkpoint(folder))
    make_folder(folder / "certificates")
    _write(folder / "checkpoint.json", write_checkpoint(signed))
    certificates = list_certificates(session, at_block=number)
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
    signed = draft(
        tree,
        block,
        chain_id=venue.chain_id,
        certificates=venue.certificates,
        signers=[
            Signer(account=one.address, participant_id=one.participant_id) for one in cosigners
        ],
        before=before,
    )
    for one in cosigners:
        signed = sign(signed, one.account)
    return signed


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


def verify_exports(folder: Path, *, now: int) -> dict[str, Verification]:
    """Check every exported file as a peer would: from the files and the trust list alone."""
    trust = read_trust((folder / "trust.json").read_bytes())
    return {
        path.name: verify(path.read_bytes(), trust=trust, now=now)
        for path in sorted((folder / "certificates").glob("*.json"))
    }


def _require_newest(session: Session, number: int, before: SignedCheckpoint | None) -> None:
    if before is None or before.checkpoint.block_number <= number:
        return
    exported = before.checkpoint
    block = block_at(session, exported.block_number)
    # One that a fork undid, or that an embedded chain forgot, stands in nobody's way.
    if block is not None and block.hash == exported.block_hash:
        raise CheckpointOlder(block_number=number, exported_block_number=exported.block_number)


def _write(path: Path, data: bytes) -> None:
    with fresh_file(path.parent) as file:
        file.write(data)
        publish(file, path)
