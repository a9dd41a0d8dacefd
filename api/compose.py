"""
Opens what the API needs, and closes it: databases, node, content store; and makes its worker.

The one place where the parts meet. It reads no environment (`api.config`) and starts no chain and
no server: those are the command line's.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from time import time

from api.catalogue import Catalogue
from api.config import Settings
from api.deps import Services
from api.operational import create_tables
from api.worker import Worker
from chain.client import Ledger
from chain.content import content_store
from chain.deployments import load_deployments
from chain.durable import make_folder
from chain.facts import Followed
from chain.fetch import Source
from chain.outbox import Outbox, operational_engine
from chain.rpc import Node
from chain.store import open_mirror
from registry import tables as registry_tables
from settlement import tables as settlement_tables

# The mirror holds the tables of all records that are imported before it is opened.
TABLES = (registry_tables, settlement_tables)


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
        mirror = open_mirror(settings.mirror_url)
        stack.callback(mirror.dispose)
        operational = operational_engine(settings.operational)
        stack.callback(operational.dispose)
        create_tables(operational)
        yield Services(
            mirror=mirror,
            operational=operational,
            outbox=ledger.sender.outbox if ledger else Outbox(operational, chain_id=chain_id),
            content=content_store(settings.content_url),
            exports=settings.exports,
            node=stack.enter_context(Node(rpc_url)),
            chain_id=chain_id,
            finality_depth=settings.finality_depth,
            origin=settings.origin,
            nonce_seconds=settings.nonce_seconds,
            session_seconds=settings.session_seconds,
            clock=lambda: int(time()),
            ledger=ledger,
        )


def worker_of(services: Services, settings: Settings) -> Worker:
    """Return the worker that keeps the services' mirror, to be used in a `with`."""
    return Worker(
        services.mirror,
        _Sources(services, settings.home),
        lock=settings.mirror_lock,
        catalogue=Catalogue(services.mirror, services.operational, services.content),
        poll_seconds=settings.poll_seconds,
    )


class _Sources:
    """The source of all deployments of a home: made anew only when one was added."""

    def __init__(self, services: Services, home: Path) -> None:
        self._services = services
        self._home = home
        self._source: Source | None = None

    def __call__(self) -> Source:
        followed = self._followed()
        if self._source is None or self._source.contracts != followed:
            self._source = Source(
                node=self._services.node,
                chain_id=self._services.chain_id,
                contracts=followed,
                finality_depth=self._services.finality_depth,
            )
        return self._source

    def _followed(self) -> tuple[Followed, ...]:
        found = load_deployments(self._home, chain_id=self._services.chain_id)
        return tuple(one for deployment in found for one in deployment.followed())
