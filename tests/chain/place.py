"""
A home with the real contracts deployed, for tests of whatever stands on them.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from eth_account import Account
from eth_account.signers.local import LocalAccount

from chain.acts import ParticipantsApplyForAdmission
from chain.client import Ledger
from chain.codes import DigestAlg, ParticipantType
from chain.connection import Connection
from chain.deploy import deploy
from chain.keys import encryption_public_key
from chain.node import EmbeddedNode
from chain.outbox import Outbox
from chain.sender import Sender
from chain.values import (
    ZERO_BYTES32,
    Bytes32,
    HexBytes,
    ParticipantId,
    bytes32,
    make_uscc,
    participant_id,
    uscc_digest,
)

PROFILE = bytes32("0x" + "ab" * 32)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """What runs in a home, and who governs it."""

    home: Path
    sender: Sender
    ledger: Ledger
    governor: LocalAccount
    relayer: LocalAccount


@contextmanager
def open_place(home: Path) -> Iterator[Place]:
    """Start a chain, deploy everything, end it all afterwards."""
    with ExitStack() as stack:
        node = stack.enter_context(EmbeddedNode(home))
        connection = stack.enter_context(Connection.to(node.url()))
        outbox = Outbox.open(home / "operational.db", chain_id=connection.chain_id)
        stack.callback(outbox.close)
        sender = Sender(connection, outbox, timeout_seconds=20)
        governor, relayer = Account.create(), Account.create()
        deployment = deploy(sender, home=home, deployer=governor)
        yield Place(
            home=home,
            sender=sender,
            ledger=Ledger(sender, deployment, relayer=relayer),
            governor=governor,
            relayer=relayer,
        )


def uscc(number: int) -> str:
    """Return a credit code with a valid check character."""
    return make_uscc(f"9144030{number:010d}")


def application(
    account: LocalAccount, number: int, *, profile_digest: Bytes32 = PROFILE
) -> ParticipantsApplyForAdmission:
    """Return an organisation's application to be admitted by the governor."""
    code = uscc(number)
    return ParticipantsApplyForAdmission(
        uscc_digest=uscc_digest(code),
        uscc_last4=HexBytes("0x" + code[-4:].encode("ascii").hex()),
        participant_type=ParticipantType.LEGAL_PERSON,
        home_venue=ParticipantId(ZERO_BYTES32),
        profile_digest=profile_digest,
        digest_alg=DigestAlg.SHA256,
        encryption_key=HexBytes(encryption_public_key(account)),
    )


def applicant_id(number: int) -> ParticipantId:
    """Return the id that an application's organisation has."""
    return participant_id(uscc(number))
