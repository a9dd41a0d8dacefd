"""
A second implementation of the EVM for tests: Hardhat's node, on a port that the kernel chooses,
ended by its own process id.
"""

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from chain.rpc import Node, NodeUnavailable
from tests.consortium import free_ports

ROOT: Final = Path(__file__).resolve().parent.parent
COMMAND: Final = ROOT / "node_modules/hardhat/internal/cli/cli.js"
START_SECONDS: Final = 60


@contextmanager
def hardhat(log: Path, *, chain_id: int, begins_at: int) -> Iterator[str]:
    """
    Run a node while the block runs, and give its address.

    units: `begins_at` in seconds since 1970 UTC: the time of its first block
    """
    (port,) = free_ports(1)
    begins = datetime.fromtimestamp(begins_at, UTC).isoformat()
    ours = {
        "HARDHAT_CHAIN_ID": str(chain_id),
        "HARDHAT_BEGINS_AT": begins,
        "HARDHAT_DISABLE_TELEMETRY_PROMPT": "true",
    }
    with log.open("wb") as file:
        process = subprocess.Popen(
            ["node", COMMAND, "node", "--hostname", "127.0.0.1", "--port", str(port)],
            cwd=ROOT,  # where its settings are: hardhat.config.js
            env={**os.environ, **ours},
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=file,
        )
    url = f"http://127.0.0.1:{port}"
    try:
        _wait(url, process, log)
        yield url
    finally:
        process.terminate()
        process.wait(timeout=30)


def _wait(url: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
    end = time.monotonic() + START_SECONDS
    with Node(url) as node:
        while True:
            try:
                node.call("eth_chainId")
            except NodeUnavailable:
                assert process.poll() is None, log.read_text("utf-8")
                assert time.monotonic() < end, "Hardhat does not answer"
                time.sleep(0.1)
            else:
                return
