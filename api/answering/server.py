"""
The server process: ends what is endless when it is asked to stop, and runs beside the mirror's
writer what lives from it.

It opens nothing (`api.compose`) and knows no path.
"""

import socket
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from starlette.types import ASGIApp

from api.deps import Services
from api.streaming.streams import Streams
from api.webhooks.deliverer import Deliverer
from api.worker import Worker
from chain.indexer import Synced
from chain.resending import Resending

GRACE_SECONDS = 5


class Server(uvicorn.Server):
    """A server that tells its streams to end before it waits for them."""

    def __init__(self, app: ASGIApp, streams: Streams) -> None:
        config = uvicorn.Config(
            app, log_config=None, access_log=False, timeout_graceful_shutdown=GRACE_SECONDS
        )
        super().__init__(config)
        self._streams = streams

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop taking requests, and wait for those that are being answered."""
        self._streams.close()
        await super().shutdown(sockets)


@contextmanager
def accompanied(services: Services, worker: Worker) -> Iterator[Deliverer]:
    """
    Send webhooks, wake the streams as the mirror moves, and look after what was sent, while the
    block runs.
    """
    resending = Resending(services.ledger.sender) if services.ledger else None
    deliverer = Deliverer(services, services.webhooks)

    def moved(synced: Synced) -> None:
        services.metrics.apply(blocks=synced.blocks, events=synced.events)
        services.streams.notify()
        deliverer.notify()

    worker.listeners.append(moved)
    deliverer.start()
    if resending is not None:
        resending.start()
    try:
        yield deliverer
    finally:
        if resending is not None:
            resending.stop()
        worker.listeners.remove(moved)
        deliverer.stop()
