"""
The ledger's own API as one worker on a mirror that is there already: no chain, nothing followed.

`python -m bench.api_server HOME PORT`; the application and its server as `shulian serve` runs them.
"""

import sys
from pathlib import Path

import uvicorn

from api.app import create_app
from api.compose import open_services
from api.config import read_settings
from bench.rows import CHAIN_ID, MIRROR

# Nothing that is asked here needs a node.
NO_NODE = "http://127.0.0.1:9"


def main(home: str, port: str) -> None:
    """Serve until ended."""
    settings = read_settings(
        {}, home=Path(home), mirror_url=f"sqlite:///{Path(home) / MIRROR}", rpc_url=NO_NODE
    )
    with open_services(settings, chain_id=CHAIN_ID, rpc_url=NO_NODE) as services:
        uvicorn.run(create_app(services), port=int(port), log_config=None, access_log=False)


if __name__ == "__main__":
    main(*sys.argv[1:])
