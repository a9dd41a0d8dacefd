"""
How exchanges co-sign a checkpoint: made of one mirror, checked against another, signed in turn.

A checkpoint names all who sign it, so that no signature can be left out unnoticed. Its file is that
checkpoint with one place for each of them, empty until they signed; only a file without an empty
place is exported (`api.exports`). What a checkpoint is stands in `registry.checkpoints`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Final

from eth_abi.exceptions import EncodingError
from eth_account.signers.local import LocalAccount
from eth_keys.datatypes import PrivateKey
from sqlmodel import Session

from chain.codec import from_json, to_json
from chain.codes import ParticipantState, Role
from chain.documents import canonical, parse_canonical
from chain.facts import Block
from chain.failure import Conflict, Forbidden, Invalid
from chain.reads import find
from chain.store import block_at
from chain.values import ZERO_BYTES32, Address, Bytes32, HexBytes, ParticipantId, address, raw
from registry.bundles import CheckpointSignature, recover
from registry.checkpoints import Checkpoint, digest_of, map_of, signers_hash_of
from registry.merkle import MerkleMap
from registry.participants import COSIGN, Participant, is_active_account, is_active_grant
from registry.store import find_account, list_certificates, list_roles

UNSIGNED: Final = HexBytes("0x")
UNREADABLE: Final = (
    Invalid,
    EncodingError,
    ValueError,
    KeyError,
    TypeError,
    AttributeError,
    OverflowError,
)


class CheckpointInvalid(Invalid):
    """This is no checkpoint, or one of its signatures is not genuine."""

    reason: str


class CheckpointDiffers(Conflict):
    """The checkpoint is not what this mirror holds; nothing was signed."""

    differences: tuple[str, ...]


class CheckpointUnsigned(Conflict):
    """Not all exchanges that the checkpoint names have signed it."""

    missing: tuple[Address, ...]


class SignerRefused(Forbidden):
    """This account may not co-sign checkpoints."""

    account: Address
    reason: str


class SignerTwice(Conflict):
    """An exchange signs a checkpoint once, with one account."""

    participant_id: ParticipantId


class SignerNotNamed(Conflict):
    """The checkpoint does not name this account among those who sign it."""

    account: Address


@dataclass(frozen=True, slots=True, kw_only=True)
class Signer:
    """An exchange that co-signs, and the account it does so with."""

    account: Address
    participant_id: ParticipantId


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedCheckpoint:
    """
    A checkpoint with the signatures under it, in ascending order of account.

    shape: a signature is `UNSIGNED` until its exchange has given it
    """

    checkpoint: Checkpoint
    signatures: tuple[CheckpointSignature, ...]

    @property
    def missing(self) -> tuple[Address, ...]:
        """Return the accounts that have not signed yet."""
        return tuple(one.account for one in self.signatures if one.signature == UNSIGNED)


# --- the file -------------------------------------------------------------------------------------


def write_checkpoint(signed: SignedCheckpoint) -> bytes:
    """Return the canonical bytes of a checkpoint's file."""
    return canonical(to_json(SignedCheckpoint, signed))


def read_checkpoint(data: bytes) -> SignedCheckpoint:
    """
    Return the checkpoint of a file, with every signature in it genuine.

    :raises CheckpointInvalid: if it is none
    :raises SignerTwice: if one exchange has two places in it
    """
    try:
        signed = from_json(SignedCheckpoint, parse_canonical(data.rstrip(b"\n")))
        _require_once([one.participant_id for one in signed.signatures])
        reason = _flaw_of(signed)
    except UNREADABLE as error:
        raise CheckpointInvalid(reason=str(error)) from error
    if reason:
        raise CheckpointInvalid(reason=reason)
    return signed


def last_checkpoint(folder: Path) -> SignedCheckpoint | None:
    """Return the checkpoint exported last, or None."""
    path = folder / "checkpoint.json"
    if not path.is_file():
        return None
    return from_json(SignedCheckpoint, parse_canonical(path.read_bytes()))


def _flaw_of(signed: SignedCheckpoint) -> str:
    accounts = [one.account for one in signed.signatures]
    is_named = signers_hash_of(accounts) == signed.checkpoint.signers_hash
    if not accounts or accounts != sorted(set(accounts)) or not is_named:
        return "the signers are not those that it names"
    digest = raw(digest_of(signed.checkpoint))
    given = [one for one in signed.signatures if one.signature != UNSIGNED]
    false = [one.account for one in given if recover(digest, one.signature) != one.account]
    return f"{false[0]} did not sign it" if false else ""


# --- making and signing ---------------------------------------------------------------------------


def draft(
    tree: MerkleMap,
    block: Block,
    *,
    chain_id: int,
    certificates: Address,
    signers: Sequence[Signer],
    before: SignedCheckpoint | None,
) -> SignedCheckpoint:
    """
    Return the checkpoint of a block, with an empty place for everyone who is to sign it.

    :raises SignerTwice: if two of the signers are one exchange
    """
    _require_once([one.participant_id for one in signers])
    checkpoint = Checkpoint(
        chain_id=chain_id,
        certificates=certificates,
        block_number=block.number,
        block_hash=block.hash,
        time=block.timestamp,
        root=_root_of(tree),
        count=len(tree),
        previous=digest_of(before.checkpoint) if before else ZERO_BYTES32,
        signers_hash=signers_hash_of(one.account for one in signers),
    )
    places = [
        CheckpointSignature(
            account=one.account, participant_id=one.participant_id, signature=UNSIGNED
        )
        for one in sorted(signers, key=lambda one: one.account)
    ]
    return SignedCheckpoint(checkpoint=checkpoint, signatures=tuple(places))


def sign(signed: SignedCheckpoint, key: LocalAccount) -> SignedCheckpoint:
    """
    Return the checkpoint with the signature of one of those whom it names.

    :raises SignerNotNamed: if it does not name this key's account
    """
    account = address(key.address)
    if account not in [one.account for one in signed.signatures]:
        raise SignerNotNamed(account=account)
    given = _signature(key, raw(digest_of(signed.checkpoint)))
    signatures = tuple(
        replace(one, signature=given) if one.account == account else one
        for one in signed.signatures
    )
    return replace(signed, signatures=signatures)


def signer_of(session: Session, account: Address, *, now: int) -> Signer:
    """
    Return whom an account co-signs for.

    :raises SignerRefused: unless it is an account, active and for this purpose, of an exchange that
        is admitted
    """
    found = find_account(session, account)
    if found is None:
        raise SignerRefused(account=account, reason="it belongs to nobody")
    if not is_active_account(found, purpose=COSIGN, now=now):
        raise SignerRefused(account=account, reason="it is not active, or not for co-signing")
    reason = exchange_flaw(session, found.participant_id, now=now)
    if reason:
        raise SignerRefused(account=account, reason=reason)
    return Signer(account=account, participant_id=found.participant_id)


def require_same(
    session: Session, signed: SignedCheckpoint, *, chain_id: int, certificates: Address, now: int
) -> MerkleMap:
    """
    Check that a checkpoint is what this mirror holds, and that those it names may sign it.

    ensures: the tree that is returned is the one whose root the checkpoint names
    :raises CheckpointDiffers: with every difference, if it is not
    :raises SignerRefused: if one of them may not
    """
    theirs = signed.checkpoint
    block = block_at(session, theirs.block_number)
    if block is None:
        said = f"block_number: {theirs.block_number}, which this mirror does not hold"
        raise CheckpointDiffers(differences=(said,))
    tree = map_of(list_certificates(session, at_block=block.number))
    ours = replace(
        theirs,
        chain_id=chain_id,
        certificates=certificates,
        block_hash=block.hash,
        time=block.timestamp,
        root=_root_of(tree),
        count=len(tree),
    )
    names = [one.name for one in fields(Checkpoint)]
    differences = tuple(
        f"{name}: {getattr(theirs, name)}, here {getattr(ours, name)}"
        for name in names
        if getattr(theirs, name) != getattr(ours, name)
    )
    if differences:
        raise CheckpointDiffers(differences=differences)
    for one in signed.signatures:
        if signer_of(session, one.account, now=now).participant_id != one.participant_id:
            raise SignerRefused(account=one.account, reason="it is another exchange's")
    return tree


def exchange_flaw(session: Session, participant_id: ParticipantId, *, now: int) -> str:
    """Return why a participant is no exchange whose word counts now; empty if it is one."""
    found = find(session, Participant, participant_id)
    if found is None or found.record.state is not ParticipantState.ADMITTED:
        state = "unknown" if found is None else found.record.state.name.lower()
        return f"its organisation is {state}"
    if found.record.valid_until and found.record.valid_until <= now:
        return "the admission of its organisation has ended"
    is_exchange = any(
        one.role is Role.EXCHANGE_OPERATOR and is_active_grant(one, now=now)
        for one in list_roles(session, participant_id)
    )
    return "" if is_exchange else "its organisation is no exchange"


def _require_once(participants: Sequence[ParticipantId]) -> None:
    twice = [one for one in participants if participants.count(one) > 1]
    if twice:
        raise SignerTwice(participant_id=twice[0])


def _root_of(tree: MerkleMap) -> Bytes32:
    return Bytes32("0x" + tree.root.hex())


def _signature(account: LocalAccount, digest: bytes) -> HexBytes:
    signed = PrivateKey(bytes(account.key)).sign_msg_hash(digest).to_bytes()
    return HexBytes("0x" + signed[:64].hex() + f"{signed[64] + 27:02x}")
