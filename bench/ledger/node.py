"""
A node to measure on: anvil on a port the kernel chooses, ended by its own process id.

It is not a home's chain (`chain.node`), which keeps its state and is replayed.
"""

import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread
from typing import IO, Final

from chain.node import find_anvil

CHAIN_ID: Final = 20_261
# 1 March 2026 in UTC+8: a month begins, and the working days of two years are loaded from here.
GENESIS_AT: Final = 1_772_294_400
GAS_LIMIT: Final = 10_000_000_000
STOP_SECONDS: Final = 60

_OPTIONS: Final = {
    "--port": 0,
    "--hardfork": "london",
    "--chain-id": CHAIN_ID,
    "--timestamp": GENESIS_AT,
    "--gas-limit": GAS_LIMIT,
    "--gas-price": 0,
    "--base-fee": 0,
    "--order": "fifo",
    "--accounts": 0,
}


@contextmanager
def running_node(*options: str) -> Iterator[str]:
    """Run an anvil and yield where it listens."""
    pairs = [str(part) for pair in _OPTIONS.items() for part in pair]
    process = subprocess.Popen(
        [str(find_anvil()), *pairs, "--no-cors", *options],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout is not None
    # It logs every request, and would wait for ever for somebody to read that.
    reader = Thread(target=process.stdout.read, daemon=True)
    try:
        url = _listening(process.stdout)
        reader.start()
        yield url
    finally:
        process.terminate()
        process.wait(timeout=STOP_SECONDS)
        if reader.ident is not None:
            reader.join()
        process.stdout.close()


def _listening(stream: IO[str]) -> str:
    said = []
    for line in stream:
        said.append(line)
        found = re.search(r"Listening on ([\d.]+:\d+)", line)
        if found:
            return f"http://{found[1]}"
    raise RuntimeError("anvil ended before it listened: " + "".join(said)[-500:])
