"""
The chain of a home and its contracts, reached as they are: nothing is deployed, nothing started.

Deploying is `api.commands.founding`'s and the demonstration's; the embedded chain `chain.node`'s.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Final

from api.config import Settings
from api.migrations import open_operational
from chain.client import Ledger
from chain.connection import Connection
from chain.deployments import load_deployment, verify_deployment
from chain.fitness import require_fit, require_free
from chain.keys import home_keyring
from chain.outbox import Outbox
from chain.replay import replay
from chain.sender import Sender

# Sends what others signed. Its account belongs to no participant, so that it can do nothing itself;
# gas is free, so it needs no funds.
RELAYER: Final = "relayer"


@dataclass(frozen=True, slots=True, kw_only=True)
class Attached:
    """
    A chain that is reached.

    shape: without a ledger nothing can be sent, and no key was opened
    """

    chain_id: int
    rpc_url: str
    ledger: Ledger | None


@contextmanager
def attach(settings: Settings) -> Iterator[Attached]:
    """
    Reach the chain that `rpc_url` names, as the one whose contracts this home follows.

    ensures: what the outbox holds and the chain lost is sent again, unless the home only reads
    :raises DeploymentNotFound: if the home follows no contracts of that chain
    :raises WrongChain: ChainReplaced: ContractMissing: CodeDiffers: if the chain has others
    :raises ChainUnknown: ChainDiffers: if it is of another kind than `chain` names
    :raises NodeSyncing: if the node does not know all of it yet
    :raises GasNotFree: if the home sends, and the chain would take nothing from it
    """
    with ExitStack() as stack:
        connection = stack.enter_context(Connection.to(settings.rpc_url, chain=settings.chain))
        require_fit(connection, settings.home)
        deployment = load_deployment(settings.home, chain_id=connection.chain_id)
        verify_deployment(connection, deployment)
        ledger = None
        if settings.relay:
            keyring = home_keyring(settings.home, password_file=settings.key_password_file)
            relayer = keyring.account(RELAYER)
            engine = open_operational(settings.operational)
            outbox = Outbox(engine, chain_id=connection.chain_id)
            stack.callback(outbox.close)
            require_free(connection)
            sender = Sender(connection, outbox)
            replay(sender)
            ledger = Ledger(sender, deployment, relayer=relayer)
        yield Attached(chain_id=connection.chain_id, rpc_url=settings.rpc_url, ledger=ledger)
