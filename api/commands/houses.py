"""
What a home is when it co-signs: its mirror, its contracts, the keys named, and a checkpoint's file.

It signs nothing: `api.commands.cosigning` and `api.commands.exporting` do.
"""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from api.commands.failing import Misused
from api.commands.homes import chain_id_of, require_home
from api.commands.inputs import STANDARD, read_input

if TYPE_CHECKING:
    from eth_account.signers.local import LocalAccount

    from api.commands.mirrors import Mirror
    from api.config import Settings
    from api.cosigning import SignedCheckpoint, Signer
    from chain.deployments import Deployment
    from chain.values import Address
    from registry.merkle import MerkleMap

ADDRESS_CHARACTERS: Final = 42


class AccountUnclear(Misused):
    """This exchange has several accounts that may co-sign, or none: name one by its address."""

    participant_id: str
    accounts: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """What a home knows when it signs: its mirror, its contracts, and how far it is final."""

    settings: "Settings"
    mirror: "Mirror"
    deployment: "Deployment"

    @property
    def newest(self) -> int:
        """Return the newest block that may be signed: nobody may take it back."""
        # A chain inside this home cannot fork, and only this home is on it.
        return self.mirror.final_number if self.settings.rpc_url else self.mirror.block.number

    def signer(self, account: "Address") -> "Signer":
        """Return whom an account co-signs for, as of now."""
        from api.cosigning import signer_of

        return signer_of(self.mirror.session, account, now=self.mirror.now)

    def tree(self, signed: "SignedCheckpoint") -> "MerkleMap":
        """Return the tree of a checkpoint, if it is what this home holds and nobody undoes."""
        from api.cosigning import require_same

        tree = require_same(
            self.mirror.session,
            signed,
            chain_id=self.deployment.chain_id,
            certificates=self.deployment.address_of("Certificates"),
            now=self.mirror.now,
        )
        self.require_final(signed.checkpoint.block_number)
        return tree

    def require_final(self, number: int) -> None:
        """Check that nobody may take a block back any more."""
        from chain.archive import NotFinalYet

        if not 0 <= number <= self.newest:
            raise NotFinalYet(block_number=max(0, number), final_number=self.newest)

    def draft(self, signers: "Sequence[Signer]", number: int | None) -> "SignedCheckpoint":
        """Return the checkpoint of a block, by default the newest, that these are to sign."""
        from api.asof import BlockNotMirrored
        from api.cosigning import draft, last_checkpoint
        from chain.store import block_at
        from registry.checkpoints import map_of
        from registry.store import list_certificates

        wanted = self.newest if number is None else number
        block = block_at(self.mirror.session, wanted)
        if block is None and wanted >= 0:
            raise BlockNotMirrored(block_number=wanted)
        self.require_final(wanted)
        assert block is not None, "a final block is in the mirror"
        return draft(
            map_of(list_certificates(self.mirror.session, at_block=wanted)),
            block,
            chain_id=self.deployment.chain_id,
            certificates=self.deployment.address_of("Certificates"),
            signers=signers,
            before=last_checkpoint(self.settings.exports),
        )

    def account(self, text: str) -> "Address":
        """Return the account that an address, or the beginning of an exchange's id, names."""
        from api.trusting import exchanges_of
        from chain.values import ParticipantId, address
        from registry.participants import Participant

        if len(text) == ADDRESS_CHARACTERS:
            return address(text)
        found = ParticipantId(self.mirror.resolve("participant", Participant, text))
        known = exchanges_of(self.mirror.session, now=self.mirror.now).get(found, ())
        if len(known) != 1:
            raise AccountUnclear(participant_id=found, accounts=known)
        return known[0]


@contextmanager
def open_house(settings: "Settings") -> Iterator[House]:
    """Open a home's mirror for signing; no chain is asked."""
    from api.commands.mirrors import open_reading
    from chain.deployments import load_deployment

    require_home(settings.home)
    deployment = load_deployment(settings.home, chain_id=chain_id_of(settings.home))
    with open_reading(settings) as mirror:
        yield House(settings=settings, mirror=mirror, deployment=deployment)


def key_of(settings: "Settings", name: str) -> "LocalAccount":
    """Return a key that is there; none is made."""
    from chain.keys import home_keyring

    require_home(settings.home)
    return home_keyring(settings.home, password_file=settings.key_password_file).existing(name)


# --- files ----------------------------------------------------------------------------------------


def read_signed(path: Path) -> "SignedCheckpoint":
    """
    Return the checkpoint of a file, or of the standard input.

    :raises FileNotTaken: CheckpointInvalid: if there is none
    """
    from api.cosigning import read_checkpoint

    return read_checkpoint(read_input(path))


def put(path: Path, data: bytes) -> None:
    """Write a file whole, or to the standard output."""
    from chain.durable import fresh_file, publish

    if path == STANDARD:
        sys.stdout.buffer.write(data + b"\n")
        sys.stdout.flush()
        return
    place = path.expanduser().absolute()
    with fresh_file(place.parent) as file:
        file.write(data)
        publish(file, place)


def told_of(house: House, signed: "SignedCheckpoint") -> dict[str, Any]:
    """Return what a checkpoint says, and who is to sign it, as JSON."""
    checkpoint = signed.checkpoint
    names = house.mirror.participants(one.participant_id for one in signed.signatures)
    return {
        "certificates": checkpoint.count,
        "as_of": {"block_number": checkpoint.block_number, "block_hash": checkpoint.block_hash},
        "root": checkpoint.root,
        "signers": [
            {
                "participant_id": one.participant_id,
                "name": names.get(one.participant_id, ""),
                "account": one.account,
                "has_signed": one.account not in signed.missing,
            }
            for one in signed.signatures
        ],
    }


def pairs_of(told: dict[str, Any]) -> list[tuple[str, str]]:
    """Return the same for people."""
    return [
        ("certificates", str(told["certificates"])),
        ("as of block", str(told["as_of"]["block_number"])),
        ("root", told["root"]),
        *(
            (
                "signed by" if one["has_signed"] else "to be signed by",
                f"{one['name'] or one['participant_id']} ({one['account']})",
            )
            for one in told["signers"]
        ),
    ]
