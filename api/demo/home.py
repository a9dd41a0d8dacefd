"""
A home opened for the demonstration: its chain running and replayed, its contracts deployed, its
keys.

It is not the command line (`api.commands`), which adds mirror, exports and audit to it.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from api.attaching import RELAYER
from api.content.stores import NotingStore
from api.demo.cast import CAST, EXCHANGE_A, EXCHANGE_B, GOVERNOR, Organisation
from api.demo.consortium import CHECKPOINT_MAX_AGE_SECONDS
from api.demo.stage import Progress, Stage
from api.exports import Cosigner, Venue
from api.migrations import open_operational
from chain.client import Ledger
from chain.connection import Connection
from chain.content import ContentStore, FileStore
from chain.deploy import deploy
from chain.deployments import Deployment
from chain.entries import Entry
from chain.fitness import require_fit, require_free
from chain.keys import Keyring, home_keyring
from chain.node import EmbeddedNode, require_embedded
from chain.outbox import Outbox
from chain.replay import replay
from chain.sender import Sender
from chain.values import participant_id

COSIGNERS: Final = (EXCHANGE_A, EXCHANGE_B)


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoHome:
    """Everything of a home that the demonstration acts with."""

    ledger: Ledger
    deployment: Deployment
    content: ContentStore
    keyring: Keyring
    rpc_url: str

    def stage(self, progress: Progress) -> Stage:
        """Return the stage on which the life is played."""
        return Stage(
            self.ledger,
            content=self.content,
            keyring=self.keyring,
            progress=progress,
            is_clock_movable=self.ledger.sender.connection.profile.is_instant,
        )

    def cosigners(self) -> tuple[Cosigner, ...]:
        """Return the exchanges that sign checkpoints, with their keys."""
        return tuple(self._cosigner(one) for one in COSIGNERS)

    def venue(self) -> Venue:
        """Return what the trust list says of this chain: its issuers, and how old proofs may be."""
        return Venue(
            chain_id=self.deployment.chain_id,
            certificates=self.deployment.address_of("Certificates"),
            issuers=tuple(participant_id(one.uscc) for one in CAST if one.issues),
            max_age_seconds=CHECKPOINT_MAX_AGE_SECONDS,
        )

    def gas_used(self) -> list[tuple[Entry, int]]:
        """Return every mined transaction of the outbox with the gas it used, in order."""
        connection = self.ledger.sender.connection
        entries = self.ledger.sender.outbox.unsettled(-1)
        hashes = [one.transaction_hash for one in entries if one.transaction_hash is not None]
        receipts = {one.transaction_hash: one for one in connection.receipts(hashes) if one}
        return [
            (entry, receipts[entry.transaction_hash].gas_used)
            for entry in entries
            if entry.transaction_hash in receipts
        ]

    def _cosigner(self, organisation: Organisation) -> Cosigner:
        return Cosigner(
            participant_id=participant_id(organisation.uscc),
            name=organisation.name_zh,
            account=self.keyring.account(organisation.slug),
        )


@contextmanager
def open_demo(
    home: Path,
    *,
    content: ContentStore | None = None,
    rpc_url: str = "",
    chain: str = "",
    key_password_file: str = "",
) -> Iterator[DemoHome]:
    """
    Open a home: start its chain or reach another, put back what it lost, deploy what is missing.

    shape:   without a content store, content is kept in the folder of that name in the home
    ensures: the embedded chain ends with the context; a chain elsewhere is left as it is
    """
    with ExitStack() as stack:
        url = rpc_url or stack.enter_context(_running(home))
        connection = stack.enter_context(Connection.to(url, chain=chain))
        require_fit(connection, home)
        require_free(connection)
        operational = open_operational(home / "operational.sqlite")
        outbox = Outbox(operational, chain_id=connection.chain_id)
        stack.callback(outbox.close)
        sender = Sender(connection, outbox)
        replay(sender)
        keyring = home_keyring(home, password_file=key_password_file)
        deployment = deploy(sender, home=home, deployer=keyring.account(GOVERNOR.slug))
        yield DemoHome(
            ledger=Ledger(sender, deployment, relayer=keyring.account(RELAYER)),
            deployment=deployment,
            content=NotingStore(content or FileStore(home / "content"), operational),
            keyring=keyring,
            rpc_url=url,
        )


@contextmanager
def _running(home: Path) -> Iterator[str]:
    require_embedded(home)
    with EmbeddedNode(home) as node:
        yield node.url()
