"""
The ledger of a home, opened by a command that acts on it.

While another process serves the home, its chain and outbox are shared; otherwise the chain is
started for as long as the command runs, and the mirror brought up to date at the end.
"""

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Final

from eth_account.signers.local import LocalAccount

from api.commands.homes import HomeInUse, require_home, serving, taken
from api.commands.signals import stoppable
from api.compose import open_services, worker_of
from api.config import Settings
from api.content.stores import open_content
from api.deps import Services
from api.migrations import open_operational
from chain.client import Ledger
from chain.connection import Connection
from chain.content import ContentStore
from chain.deployments import load_deployment
from chain.fitness import require_fit, require_free
from chain.keys import Keyring, home_keyring
from chain.node import EmbeddedNode, require_embedded
from chain.outbox import Outbox
from chain.replay import replay
from chain.sender import Sender

COMMAND: Final = "act"
# Another command may be at work, or a server just starting.
WAIT_SECONDS: Final = 30
PAUSE_SECONDS: Final = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """
    A ledger that can be written to.

    shape: `is_ours` if no other process keeps the mirror meanwhile
    """

    ledger: Ledger
    keyring: Keyring
    content: ContentStore
    settings: Settings
    rpc_url: str
    is_ours: bool


@contextmanager
def open_ledger(settings: Settings, *, relayer: str = "") -> Iterator[Opened]:
    """
    Open the ledger of a home, starting its chain if nobody has.

    shape: `relayer` names the key that sends what others signed
    :raises HomeNotFound: if there is no home
    :raises KeyNotFound: if there is no such key
    :raises HomeInUse: if another process works on the home and its chain does not answer
    """
    require_home(settings.home)
    keyring = home_keyring(settings.home, password_file=settings.key_password_file)
    account = keyring.existing(relayer) if relayer else None
    with ExitStack() as stack:
        stack.enter_context(stoppable())
        url, is_ours = stack.enter_context(_chain(settings))
        connection = stack.enter_context(Connection.to(url, chain=settings.chain))
        require_fit(connection, settings.home)
        require_free(connection)
        operational = open_operational(settings.operational)
        outbox = Outbox(operational, chain_id=connection.chain_id)
        stack.callback(outbox.close)
        sender = Sender(connection, outbox)
        if is_ours:
            replay(sender)
        opened = Opened(
            ledger=_ledger(settings, sender, account),
            keyring=keyring,
            content=open_content(settings, operational),
            settings=settings,
            rpc_url=url,
            is_ours=is_ours,
        )
        yield opened
        if is_ours:
            with open_parts(opened):
                pass


def _ledger(settings: Settings, sender: Sender, relayer: LocalAccount | None) -> Ledger:
    deployment = load_deployment(settings.home, chain_id=sender.connection.chain_id)
    return Ledger(sender, deployment, relayer=relayer)


@contextmanager
def open_parts(opened: Opened) -> Iterator[Services]:
    """Open the mirror of an opened ledger, and what belongs to it, up to date if it is ours."""
    chain_id = opened.ledger.chain_id
    with open_services(opened.settings, chain_id=chain_id, rpc_url=opened.rpc_url) as services:
        if opened.is_ours:
            with worker_of(services, opened.settings) as worker:
                worker.sync_once()
        yield services


@contextmanager
def _chain(settings: Settings) -> Iterator[tuple[str, bool]]:
    with ExitStack() as stack:
        shared = _taken_or_shared(settings, stack)
        if settings.rpc_url or shared:
            yield settings.rpc_url or shared, not shared
        else:
            require_embedded(settings.home)
            yield stack.enter_context(EmbeddedNode(settings.home)).url(), True


def _taken_or_shared(settings: Settings, stack: ExitStack) -> str:
    """Take the home and return nothing, or return the chain of the process that serves it."""
    end = time.monotonic() + WAIT_SECONDS
    while True:
        try:
            stack.enter_context(taken(settings.home, command=COMMAND))
        except HomeInUse:
            found, node = serving(settings.home), EmbeddedNode(settings.home).running()
            reached = settings.rpc_url or (found.rpc_url if found else "")
            if found is not None and found.url and (reached or node is not None):
                return reached or (node.url if node else "")
            if time.monotonic() > end:
                raise
            time.sleep(PAUSE_SECONDS)
        else:
            return ""
