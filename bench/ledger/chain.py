"""
The chain that is measured, made once and kept: from a seed, a size and the contracts' bytecode.

What happens on it is `bench.ledger.makers`'. Kept below `.build/bench/`, outside the repository.
"""

import hashlib
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Final

from bench.ledger.node import CHAIN_ID, running_node
from bench.ledger.recorded import Chain, chain_of
from bench.ledger.recording import INDEX, Recorder, about
from chain.artifacts import artifact
from chain.deploy import ORDER
from chain.rpc import Node

ROOT: Final = Path(__file__).resolve().parent.parent.parent
CACHE: Final = ROOT / ".build" / "bench"
SEED: Final = 20_260
EVENTS: Final = 200_000
PROGRESS_SECONDS: Final = 10
# Raised when the acts change, so that an old chain is not measured for a new one.
FORMAT: Final = 1

# The node keeps the transactions of so many blocks only: the rest is in the copy by then.
NODE_OPTIONS: Final = ("--prune-history", "2", "--transaction-block-keeper", "512")


@contextmanager
def served_chain(*, events: int = EVENTS, seed: int = SEED) -> Iterator[Chain]:
    """Serve the chain of so many events, making it first if it is not there."""
    folder = made_chain(events=events, seed=seed)
    told = about(folder)
    process = subprocess.Popen(
        [sys.executable, "-m", "bench.ledger.serving", str(folder)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        yield chain_of(process.stdout.readline().strip(), told)
    finally:
        process.terminate()
        process.wait(timeout=30)
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()


def made_chain(*, events: int, seed: int) -> Path:
    """Return the folder of the chain, which is made now if it was not before."""
    folder = CACHE / f"chain-{events}-{seed}-{_code_hash()[:16]}"
    if not (folder / INDEX).is_file():
        shutil.rmtree(folder, ignore_errors=True)
        make_chain(folder, events=events, seed=seed)
    return folder


def make_chain(folder: Path, *, events: int, seed: int) -> None:
    """Make a chain of so many events, and its copy in a folder."""
    # The makers import half of the ledger; a chain that is there already needs none of them.
    from bench.ledger.making import Miner, founded, mine_events

    recorder = Recorder(folder)
    with (
        tempfile.TemporaryDirectory(prefix="shulian-bench-") as home,
        running_node(*NODE_OPTIONS) as url,
        founded(url, seed=seed, home=Path(home)) as world,
        Node(url, timeout_seconds=120) as node,
    ):
        _record(recorder, node)
        with closing(Miner(world, url, after=lambda: _record(recorder, node))) as miner:
            made = mine_events(world, miner, events=events, progress=_Progress(events))
        recorder.finish(_about(world.ledger.deployment, recorder, seed=seed, mined=made))


def _record(recorder: Recorder, node: Node) -> None:
    head = int(node.call("eth_blockNumber"), 16)
    for number in range(recorder.next_number, head + 1):
        block, receipts = node.batch(
            [
                ("eth_getBlockByNumber", [hex(number), True]),
                ("eth_getBlockReceipts", [hex(number)]),
            ]
        )
        recorder.add(block, receipts)


def _about(deployment: Any, recorder: Recorder, *, seed: int, mined: int) -> dict[str, Any]:
    contracts = [
        {"address": one.address, "contract": one.contract, "from_block": one.from_block}
        for one in deployment.followed()
    ]
    return {
        "chain_id": CHAIN_ID,
        "seed": seed,
        "contracts": contracts,
        "addresses": [one["address"] for one in contracts],
        "events": mined,
        "blocks": recorder.next_number,
        "logs": recorder.logs,
    }


def _code_hash() -> str:
    digest = hashlib.sha256(f"{FORMAT}".encode())
    for name in ORDER:
        digest.update(artifact(name).bytecode.encode())
    return digest.hexdigest()


class _Progress:
    """Says from time to time how far the making has come."""

    def __init__(self, events: int) -> None:
        self._events = events
        self._began = self._said = time.monotonic()

    def __call__(self, done: int) -> None:
        now = time.monotonic()
        if now - self._said < PROGRESS_SECONDS and done < self._events:
            return
        self._said = now
        rate = done / (now - self._began)
        sys.stderr.write(f"making the chain: {done} of {self._events} events, {rate:.0f}/s\n")
