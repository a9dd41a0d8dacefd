"""
A consortium that lives: four geth validators, our contracts with a product on sale, and two
exchanges, each a `shulian up` of its own with its own mirror, outbox and nodes.

Made once and used by every fault; each leaves it whole. Nothing is imitated: exchanges are started
and stopped by the commands that an operator types.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Final

import httpx

from api.demo.consortium import CURRENCY
from api.demo.home import DemoHome, open_demo
from api.demo.life import Lived, live
from api.demo.stage import Silence, Stage
from api.packages.packages import read_package
from api.samples import PORT_THROUGHPUT
from chain.acts import FundsAttestDeposit
from chain.codes import DigestAlg
from chain.consortium.folders import Node, read_consortium
from chain.consortium.nodes import Nodes
from chain.consortium.running import introduce
from chain.consortium.standing import look
from chain.deployments import save_deployment
from chain.nodes import Nodes as Endpoints
from chain.rpc import Node as Rpc
from tests.consortium import running
from tests.faults.simulation.oracle import Violated

NAMES: Final = ("east", "south", "west", "north")
# The nodes of each exchange, in the order of its preference.
NODES_OF: Final[Mapping[str, tuple[str, ...]]] = {
    "exchange-a": ("east", "south"),
    "exchange-b": ("west", "north"),
}
# Sooner than an operator would want it, so that a run need not wait for long.
STALL_SECONDS: Final = 8
WHOLE_SECONDS: Final = 120
COMMAND_SECONDS: Final = 300
FUNDS_FEN: Final = 10**15
PAUSE_SECONDS: Final = 0.25


@dataclass(slots=True, kw_only=True)
class Exchange:
    """One exchange: its home, and the process that serves it."""

    name: str
    home: Path
    rpc_urls: tuple[str, ...]
    content_url: str
    url: str = ""
    client: httpx.Client = field(default_factory=lambda: httpx.Client(timeout=20, trust_env=False))

    def start(self) -> None:
        """Serve, in a process of its own."""
        told = self.command("up", "--detach", "--port", "0", "--json")
        self.url = json.loads(told)["url"]

    def stop(self) -> None:
        """Stop that process."""
        self.client.close()
        self.command("down", "--json")

    def command(self, *arguments: str) -> str:
        """Run a command on the exchange's home, and return what it printed."""
        environment = {
            **os.environ,
            "SHULIAN_RPC_URL": ",".join(self.rpc_urls),
            "SHULIAN_STALL_SECONDS": str(STALL_SECONDS),
            "SHULIAN_CONTENT_URL": self.content_url,
        }
        done = subprocess.run(
            [sys.executable, "-m", "api.cli", *arguments, "--home", str(self.home)],
            env=environment,
            capture_output=True,
            text=True,
            timeout=COMMAND_SECONDS,
            check=False,
        )
        if done.returncode:
            raise Violated(
                f"{self.name}: {arguments[0]} ends with {done.returncode}: {done.stderr}"
            )
        return done.stdout

    def get(self, path: str) -> Any:
        """Ask its API."""
        answer = self.client.get(self.url + path)
        if answer.status_code != 200:
            raise Violated(f"{self.name}: {path} answers {answer.status_code}: {answer.text}")
        return answer.json()

    def health(self) -> str:
        """Return how it says it is."""
        return str(self.get("/v1/health")["status"])


@dataclass(slots=True, kw_only=True)
class Consortium:
    """Everything that lives, and how a fault reaches it."""

    folder: Path
    nodes: Nodes
    demo: DemoHome
    stage: Stage
    lived: Lived
    exchanges: tuple[Exchange, ...]

    def node(self, name: str) -> Node:
        """Return a node of this machine by its name."""
        return self.nodes.named(name)

    def reread(self) -> None:
        """Take up who joined or left."""
        self.nodes = self.nodes.of(read_consortium(self.folder / "consortium"))

    @contextmanager
    def endpoints(self) -> Iterator[Endpoints]:
        """Open all nodes as one, to look at the chain past the exchanges."""
        urls = [self.node(name).rpc_url for name in NAMES]
        opened = [Rpc(one, timeout_seconds=5) for one in urls]
        try:
            yield Endpoints(opened)
        finally:
            for one in opened:
                one.close()

    # --- faults -----------------------------------------------------------------------------------

    def cut(self, one_side: Sequence[str], other: Sequence[str]) -> None:
        """Let the nodes of one side no longer reach those of the other."""
        pairs = [(left, right) for left in one_side for right in other]

        def is_cut() -> bool:
            # One that was just told may still be called by the other: then both are told again.
            joined = [pair for pair in pairs if self._is_peer(*pair) or self._is_peer(*pair[::-1])]
            for pair in joined:
                self._pair("admin_removePeer", *pair)
            return not joined

        until(is_cut, f"{one_side} apart from {other}")

    def heal(self, one_side: Sequence[str], other: Sequence[str]) -> None:
        """Let them reach each other again."""
        for left in one_side:
            for right in other:
                self._pair("admin_addPeer", left, right)

    def _pair(self, method: str, left: str, right: str) -> None:
        self.nodes.admin(self.node(left)).call(method, self.node(right).enode)
        self.nodes.admin(self.node(right)).call(method, self.node(left).enode)

    def _is_peer(self, left: str, right: str) -> bool:
        key = self.node(right).key
        return any(
            key in str(one.get("enode"))
            for one in self.nodes.admin(self.node(left)).call("admin_peers")
        )

    def start(self, name: str) -> None:
        """Start a node again, and let the others know."""
        self.nodes.start(self.node(name))
        introduce(self.nodes, self.node(name))

    def wait_whole(self) -> None:
        """Wait until all validators agree and seal, and both exchanges say that all is well."""

        def is_whole() -> bool:
            found = look(self.nodes)
            ours = [one for one in found.nodes if one.name in NAMES]
            return (
                found.is_sealing
                and found.is_agreed
                and all(one.head is not None and (one.lag_blocks or 0) <= 2 for one in ours)
                and all(one.health() == "OK" for one in self.exchanges)
            )

        until(is_whole, "the consortium is whole", seconds=WHOLE_SECONDS)


def until(reached: Callable[[], bool], what: str, *, seconds: float = 60) -> float:
    """Wait for something that must come, and return how long it took."""
    began = time.monotonic()
    while not reached():
        if time.monotonic() - began > seconds:
            raise Violated(f"not within {seconds} s: {what}")
        time.sleep(PAUSE_SECONDS)
    return time.monotonic() - began


_OPEN: Final = ExitStack()


@cache
def the_consortium() -> Consortium:
    """Return the one consortium of this process, founded when first asked for."""
    folder = Path(_OPEN.enter_context(tempfile.TemporaryDirectory(prefix="shulian-consortium-")))
    return _OPEN.enter_context(open_consortium(folder))


def leave() -> None:
    """Stop that consortium; to be called before the process ends."""
    the_consortium.cache_clear()
    _OPEN.close()


@contextmanager
def open_consortium(folder: Path) -> Iterator[Consortium]:
    """Found a consortium, let a product come on sale, and start both exchanges."""
    with ExitStack() as stack:
        nodes = stack.enter_context(running(folder / "consortium", names=NAMES))
        urls = ",".join(nodes.named(name).rpc_url for name in NAMES)
        demo = stack.enter_context(open_demo(folder / "founder", rpc_url=urls))
        stage = demo.stage(Silence())
        (lived,) = live(stage, [read_package(PORT_THROUGHPUT)])
        _fund(stage)
        content = (folder / "founder" / "content").absolute().as_uri()
        exchanges = tuple(
            Exchange(
                name=name,
                home=folder / name,
                rpc_urls=tuple(nodes.named(one).rpc_url for one in its),
                content_url=content,
            )
            for name, its in NODES_OF.items()
        )
        for one in exchanges:
            save_deployment(one.home, demo.deployment)
            one.start()
            stack.callback(one.stop)
        consortium = Consortium(
            folder=folder, nodes=nodes, demo=demo, stage=stage, lived=lived, exchanges=exchanges
        )
        consortium.wait_whole()
        yield consortium


def _fund(stage: Stage) -> None:
    """Let the bank attest more money than any load spends."""

    def deposit() -> FundsAttestDeposit:
        return FundsAttestDeposit(
            participant_id=stage.participant("buyer-one"),
            amount_fen=FUNDS_FEN,
            currency=CURRENCY,
            bank_reference_digest=stage.document({"format": "bank-entry/1", "of": "a load"}),
            digest_alg=DigestAlg.SHA256,
            value_date=stage.value_date(),
        )

    stage.act("load/funds", by="bank", make=deposit)
