"""
The real worker as a process of its own, on a home whose chain is a node somewhere.

`python -m bench.following HOME RPC_URL CHAIN_ID`; it follows until it is ended.
"""

import signal
import sys
from pathlib import Path

from api.compose import open_services, worker_of
from api.config import read_settings


def main(home: str, rpc_url: str, chain_id: str) -> None:
    """Follow, as `shulian serve` does beside its API."""
    settings = read_settings({}, home=Path(home), rpc_url=rpc_url)
    with (
        open_services(settings, chain_id=int(chain_id), rpc_url=rpc_url) as services,
        worker_of(services, settings) as worker,
    ):
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
        worker.sync_once()
        sys.stdout.write("following\n")
        sys.stdout.flush()
        worker.run()


if __name__ == "__main__":
    main(*sys.argv[1:])
