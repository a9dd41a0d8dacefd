"""
Opens what the API needs, and closes it: databases, node, content store; and makes its worker.

The one place where the parts meet. It reads no environment (`api.config`) and starts no chain and
no server: those are the command line's.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from time import time
from typing import Final

from sqlalchemy import Engine

from api.auditing.watch import Watch
from api.catalogue import Catalogue
from api.config import NOT_VERIFIED, VERIFIED, Settings
from api.content.rounds import Rounds
from api.content.stores import keeper_of, open_content
from api.content.watch import ContentWatch
from api.databases import open_current
from api.deps import Services
from api.operational import create_tables
from api.streaming.streams import Streams
from api.webhooks.calls import Reach, networks_of
from api.webhooks.endpoints import Webhooks
from api.webhooks.signing import SecretKey
from api.worker import Worker
from chain.client import Ledger
from chain.deployments import load_deployments
from chain.detection import detect
from chain.durable import make_folder
from chain.facts import Followed
from chain.fetch import Source
from chain.finality import finality_of
from chain.newheads import announcements_url
from chain.nodes import Nodes, open_nodes
from chain.outbox import Outbox, operational_engine
from chain.reading import Snapshots
from chain.rpc import Node

# How long the nodes of somebody else may be behind the mirror without having lost blocks.
PATIENCE_SECONDS: Final = 60

# From it all secrets of webhooks are made; it goes with the home's other keys.
WEBHOOK_KEY: Final = "webhooks.key"

# The setting of a node that is only ever polled.
NO_ANNOUNCER: Final = "off"


@contextmanager
def open_services(
    settings: Settings, *, chain_id: int, rpc_url: str, ledger: Ledger | None = None
) -> Iterator[Services]:
    """
    Open everything that answering requests needs, and close it afterwards.

    shape: with a ledger that has a relayer, signed acts are relayed; the caller closes the ledger
    """
    with ExitStack() as stack:
        make_folder(settings.home)
        mirror = open_current(settings.mirror_url, settings.mirror_lock)
        stack.callback(mirror.dispose)
        snapshots = Snapshots(settings.mirror_url)
        stack.callback(snapshots.dispose)
        operational = operational_engine(settings.operational)
        stack.callback(operational.dispose)
        create_tables(operational)
        yield Services(
            mirror=mirror,
            snapshots=snapshots,
            operational=operational,
            outbox=ledger.sender.outbox if ledger else Outbox(operational, chain_id=chain_id),
            content=open_content(settings, operational),
            exports=settings.exports,
            node=stack.enter_context(open_nodes(rpc_url)),
            chain_id=chain_id,
            origin=settings.origin,
            nonce_seconds=settings.nonce_seconds,
            session_seconds=settings.session_seconds,
            clock=lambda: int(time()),
            finality=settings.finality,
            stall_seconds=settings.stall_seconds,
            backup_folder=settings.backup_folder,
            verify=_verify(settings, ledger),
            webhooks=webhooks_of(settings, operational, chain_id=chain_id),
            ledger=ledger,
            rpc_url=rpc_url,
            streams=Streams(settings.streams_max),
        )


def _verify(settings: Settings, ledger: Ledger | None) -> str:
    # What is not possible on a chain is not said to be done.
    if ledger is not None and not ledger.sender.connection.profile.commits_to_receipts:
        return NOT_VERIFIED
    return settings.verify


def webhooks_of(settings: Settings, operational: Engine, *, chain_id: int) -> Webhooks:
    """Return the webhooks of a chain, with the key that their secrets are made from."""
    return Webhooks(
        engine=operational,
        chain_id=chain_id,
        key=SecretKey(settings.keys / WEBHOOK_KEY),
        reach=Reach(
            is_http_allowed=bool(settings.webhook_http),
            networks=networks_of(settings.webhook_networks),
        ),
    )


def worker_of(services: Services, settings: Settings) -> Worker:
    """Return the worker that keeps the services' mirror, to be used in a `with`."""
    return Worker(
        services.mirror,
        _Sources(services, settings),
        lock=settings.mirror_lock,
        catalogue=Catalogue(services.mirror, services.operational, services.content),
        poll_seconds=settings.poll_seconds,
        announcer=_announcer(services, settings),
        watches=_watches(services, settings),
    )


def _watches(services: Services, settings: Settings) -> tuple[Watch | ContentWatch, ...]:
    if settings.audit_seconds == 0:
        return ()
    mirror = Watch(
        services.mirror,
        services.operational,
        services.node,
        every_seconds=settings.audit_seconds,
        clock=services.clock,
    )
    return (mirror, content_watch_of(services, settings))


def content_watch_of(services: Services, settings: Settings) -> ContentWatch:
    """Return who looks after the content of a home while it serves."""
    return ContentWatch(
        Rounds(services.mirror, services.operational, keeper_of(settings), clock=services.clock),
        every_seconds=settings.audit_seconds,
        clock=services.clock,
    )


def _announcer(services: Services, settings: Settings) -> str:
    if settings.ws_url:
        return "" if settings.ws_url == NO_ANNOUNCER else settings.ws_url
    node = services.node
    first = node.each[0] if isinstance(node, Nodes) else node
    return announcements_url(first.url) if isinstance(first, Node) else ""


class _Sources:
    """The source of all deployments of a home: made anew only when one was added."""

    def __init__(self, services: Services, settings: Settings) -> None:
        self._services = services
        self._settings = settings
        self._source: Source | None = None

    def __call__(self) -> Source:
        followed = self._followed()
        node = self._services.node
        if self._source is None or self._source.contracts != followed:
            profile = detect(node.call, chain=self._settings.chain).profile
            self._source = Source(
                node=node,
                chain_id=self._services.chain_id,
                contracts=followed,
                finality=finality_of(self._settings.finality, profile.finality),
                verify=self._settings.verify == VERIFIED and profile.commits_to_receipts,
                has_blooms=profile.has_blooms,
                has_block_receipts=profile.has_block_receipts,
                poll_seconds=profile.poll_seconds,
                witnesses=node.each if isinstance(node, Nodes) else (),
                # The embedded chain is one process of this machine, which cannot be late.
                patience_seconds=PATIENCE_SECONDS if self._settings.rpc_url else 0,
            )
        return self._source

    def _followed(self) -> tuple[Followed, ...]:
        found = load_deployments(self._settings.home, chain_id=self._services.chain_id)
        return tuple(one for deployment in found for one in deployment.followed())
