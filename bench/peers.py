"""
The peers of the mirror, where they can be had: web3.py always, Ponder if npm installs it.

They read the same chain from the same node as we do, in turn with us.
"""

import json
import os
import re
import shutil
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from bench.ledger.chain import CACHE, served_chain
from bench.ledger.recorded import Chain
from bench.lines import Line, Skip, against, in_turn
from bench.mirrors import fill, mirror, sqlite_url
from bench.references import web3_client
from bench.sizes import Sizes
from bench.timing import rate
from chain.artifacts import artifact

# performance.md: at least four times Ponder.
PONDER_RATIO: Final = 4
PONDER_EVENTS: Final = 20_000
PROJECT: Final = Path(__file__).resolve().parent / "references" / "ponder"
INSTALL_SECONDS: Final = 300
RUN_SECONDS: Final = 300
# Ponder asks an unknown node 20 times a second at first, and more as that goes well: lifted, since
# the node is on this machine and the wait would be all that is measured.
LIMITS: Final = re.compile(r"const (INITIAL_MAX_RPS|MAX_RPS) = \d+;")
LIMITED: Final = "node_modules/ponder/dist/esm/rpc/index.js"
# The token standards' events, which our fold ignores too.
IGNORED_NAMES: Final = ("Transfer", "Locked", "Unlocked", "Approval", "ApprovalForAll")


def measure_web3(sizes: Sizes) -> Iterator[Line]:
    """Fill a mirror, against web3.py that only reads and decodes a stretch of the same chain."""
    with (
        served_chain(events=sizes.events) as chain,
        TemporaryDirectory(prefix="shulian-bench-") as folder,
    ):
        names = count()
        last = chain.blocks - 1
        # From the end, where blocks are full.
        first = max(0, last - sizes.sample_events * chain.blocks // chain.events)

        def ours() -> float:
            with mirror(sqlite_url(Path(folder) / str(next(names)))) as engine:
                return rate(chain.events, lambda: fill(engine, chain))

        def theirs() -> float:
            began = time.perf_counter()
            found = web3_client.read(chain.url, chain.contracts, first=first, last=last)
            return found / (time.perf_counter() - began)

        found = in_turn(sizes.rounds, ours=ours, theirs=theirs)
    yield against(
        "backfill, SQLite",
        ours=found["ours"],
        reference=found["theirs"],
        unit="ev/s",
        of="web3.py get_logs + process_log",
        note=f"web3.py on {last - first + 1} blocks, and without a database",
    )


def measure_ponder(sizes: Sizes) -> Iterator[Line]:
    """Fill a mirror, against Ponder on the same chain, with a handler that inserts one row."""
    folder = _installed()
    events = min(sizes.events, PONDER_EVENTS)
    with (
        served_chain(events=events) as chain,
        TemporaryDirectory(prefix="shulian-bench-") as place,
    ):
        with mirror(sqlite_url(Path(place) / "ours")) as engine:
            ours = rate(chain.events, lambda: fill(engine, chain))
        theirs = _run(folder, chain)
    yield against(
        "backfill, SQLite",
        ours=[ours],
        reference=[theirs],
        unit="ev/s",
        of=f"Ponder {_version(folder)}",
        at_least=PONDER_RATIO,
        note=f"{chain.events} events; Ponder's start is left out, its limit of requests lifted",
    )


def _installed() -> Path:
    folder = CACHE / "ponder"
    if not (folder / "node_modules" / "ponder").is_dir():
        npm = shutil.which("npm")
        if npm is None:
            raise Skip("no npm here")
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copy(PROJECT / "package.json", folder)
        command = [npm, "install", "--no-audit", "--no-fund", "--loglevel=error"]
        try:
            subprocess.run(
                command, cwd=folder, check=True, capture_output=True, timeout=INSTALL_SECONDS
            )
        except (subprocess.SubprocessError, OSError) as error:
            shutil.rmtree(folder / "node_modules", ignore_errors=True)
            raise Skip(f"npm could not install ponder: {error}") from error
    limited = folder / LIMITED
    limited.write_text(LIMITS.sub(r"const \1 = 1000000;", limited.read_text("utf-8")), "utf-8")
    return folder


def _version(folder: Path) -> str:
    found = json.loads((folder / "node_modules/ponder/package.json").read_text("utf-8"))
    return str(found["version"])


def _run(folder: Path, chain: Chain) -> float:
    for name in ("ponder.config.ts", "ponder.schema.ts", "tsconfig.json"):
        shutil.copy(PROJECT / name, folder)
    (folder / "src").mkdir(exist_ok=True)
    shutil.copytree(PROJECT / "src", folder / "src", dirs_exist_ok=True)
    shutil.rmtree(folder / ".ponder", ignore_errors=True)
    (folder / "bench.json").write_text(json.dumps(_about(chain)), "utf-8")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {**os.environ, "PONDER_TELEMETRY_DISABLED": "true", "NO_COLOR": "1"}
    command = ["node_modules/.bin/ponder", "start", "--schema", f"bench{int(time.time())}"]
    with (folder / "ponder.log").open("wb") as log:
        process = subprocess.Popen(
            [*command, "--port", str(port)],
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    try:
        return chain.events / _seconds(process, port)
    finally:
        process.terminate()
        try:
            process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            process.kill()


def _seconds(process: subprocess.Popen[bytes], port: int) -> float:
    # From its first answer, when it has started and begins to index, until it is ready.
    end = time.monotonic() + RUN_SECONDS
    began = None
    while process.poll() is None and time.monotonic() < end:
        if began is None and _answers(port, "/health"):
            began = time.monotonic()
        if began is not None and _answers(port, "/ready"):
            return time.monotonic() - began
        time.sleep(0.02)
    raise Skip("Ponder did not become ready; see ponder.log in its folder")


def _answers(port: int, path: str) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=2) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def _about(chain: Chain) -> dict[str, object]:
    # One source for all contracts: fewer requests than one each, which is in Ponder's favour.
    found: dict[str, object] = {}
    for one in chain.contracts:
        for entry in artifact(one.contract).abi:
            if entry["type"] == "event" and entry["name"] not in IGNORED_NAMES:
                found[entry["name"]] = entry
    return {
        "url": chain.url,
        "chain_id": chain.chain_id,
        "first_block": min(one.from_block for one in chain.contracts),
        "last_block": chain.blocks - 1,
        "addresses": [one.address for one in chain.contracts],
        "abi": list(found.values()),
    }
