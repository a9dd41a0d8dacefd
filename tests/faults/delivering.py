"""
A process that sends webhooks of a home until somebody kills it.
"""

import os
import sys
import threading
from pathlib import Path

from api.compose import open_services
from api.config import read_settings
from api.webhooks.deliverer import Backoff, Deliverer
from tests.api.mirrored import CHAIN_ID, NO_NODE


def deliver(home: Path) -> None:
    """Send, until killed."""
    settings = read_settings(os.environ, home=home, webhook_http=1, webhook_networks="127.0.0.0/8")
    with open_services(settings, chain_id=CHAIN_ID, rpc_url=NO_NODE) as services:
        backoff = Backoff(first_seconds=0, longest_seconds=0, attempts_max=1_000)
        Deliverer(services, services.webhooks, backoff=backoff).start()
        threading.Event().wait()


if __name__ == "__main__":
    deliver(Path(sys.argv[1]))
