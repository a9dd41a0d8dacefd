"""
The nodes of a consortium that run on this machine: started by their scripts, found again, stopped.

They outlive whoever starts them. A number and a start mark in `running.json` say which process is
meant, and only that one is ever touched.
"""

import errno
import json
import os
import re
import signal
import socket
import subprocess
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from chain.binaries import GETH, find_geth
from chain.consortium.admin import Admin
from chain.consortium.folders import Consortium, Node, node_folder
from chain.durable import fresh_file, publish
from chain.failure import Conflict, LedgerError, NotFound
from chain.process import held, is_running, start_mark
from chain.rpc import NodeRefused, NodeUnavailable, number_of

LOG_FILE: Final = "geth.log"
RUNNING_FILE: Final = "running.json"
# The script's own; without it, what runs beside the node ends.
PID_FILE: Final = "pid"
START_SECONDS: Final = 60
STOP_SECONDS: Final = 60
PAUSE_SECONDS: Final = 0.05
SAID_BYTES: Final = 8192


class NodeElsewhere(NotFound):
    """The node's folder is not here: run this on the node's own machine."""

    name: str


class NodePortTaken(Conflict):
    """Another process listens where the node should."""

    name: str
    address: str


class NodeAddressElsewhere(Conflict):
    """The node's address is not this machine's: run its start script on the machine that has it."""

    name: str
    address: str


class SignerPasswordWrong(Conflict):
    """The password file does not open the node's signing key."""

    name: str


class GenesisDiffers(Conflict):
    """The node's data folder holds the blocks of another chain."""

    name: str


class NodeFailed(LedgerError):
    """The node did not start."""

    name: str
    log: str
    said: str


# How geth complains, in its log, of what we can name.
COMPLAINTS: Final = (
    (re.compile(r"could not decrypt key|Failed to unlock"), SignerPasswordWrong),
    (re.compile(r"incompatible genesis"), GenesisDiffers),
)
PORT_COMPLAINT: Final = "address already in use"


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """The process of a node."""

    pid: int
    mark: str


class Nodes:
    """The nodes of one consortium whose folders are on this machine."""

    def __init__(
        self, folder: Path, consortium: Consortium, *, environment: Mapping[str, str] = os.environ
    ) -> None:
        self._folder = folder
        self._environment = environment
        self.consortium = consortium

    def of(self, consortium: Consortium) -> "Nodes":
        """Return the nodes of the same folder after the consortium changed."""
        return Nodes(self._folder, consortium, environment=self._environment)

    def here(self) -> tuple[Node, ...]:
        """Return the nodes whose keys are here."""
        return tuple(one for one in self.consortium.nodes if self.path(one).is_dir())

    def path(self, node: Node) -> Path:
        """Name the folder of a node."""
        return node_folder(self._folder, node.name)

    def admin(self, node: Node) -> Admin:
        """Return the way to a node's own socket."""
        return Admin(self.path(node))

    def running(self, node: Node) -> Running | None:
        """Return the process of a node, if it lives and is the one that was noted."""
        try:
            noted = Running(**json.loads((self.path(node) / RUNNING_FILE).read_text("utf-8")))
        except (FileNotFoundError, ValueError, TypeError):
            return None
        return noted if is_running(noted.pid, noted.mark) else None

    # --- start ------------------------------------------------------------------------------------

    def start(self, node: Node) -> Running:
        """
        Start a node unless it runs, and wait until it answers.

        :raises NodeElsewhere: if its folder is not here
        :raises EngineMissing: if there is no geth
        :raises NodeAddressElsewhere: NodePortTaken: if it cannot listen where it should
        :raises SignerPasswordWrong: GenesisDiffers: NodeFailed: if it does not start
        """
        if not self.path(node).is_dir():
            raise NodeElsewhere(name=node.name)
        with held(self.path(node) / "lock"):
            running = self.running(node)
            if running is not None:
                return running
            self._require_ports(node)
            (self.path(node) / LOG_FILE).touch(mode=0o600)
            log_bytes = (self.path(node) / LOG_FILE).stat().st_size
            running = self._spawn(node)
            try:
                self._wait(node, running, log_bytes)
            except BaseException:
                self._end(running, signal.SIGKILL)
                raise
            return running

    def _require_ports(self, node: Node) -> None:
        for port in (node.p2p_port, node.rpc_port):
            family = socket.AF_INET6 if ":" in node.listen_host else socket.AF_INET
            try:
                socket.create_server((node.listen_host, port), family=family).close()
            except OSError as error:
                if error.errno == errno.EADDRNOTAVAIL:
                    elsewhere = node.listen_host
                    raise NodeAddressElsewhere(name=node.name, address=elsewhere) from error
                where = f"{node.listen_host}:{port} ({error.strerror or error})"
                raise NodePortTaken(name=node.name, address=where) from error

    def _spawn(self, node: Node) -> Running:
        # A shell starts it and is gone, so that it is nobody's child, and no zombie when it ends.
        command = f"./start >>{LOG_FILE} 2>&1 </dev/null & echo $!"
        environment = {**self._environment, GETH.variable: str(find_geth(self._environment))}
        said = subprocess.run(
            ["/bin/sh", "-c", command],
            cwd=self.path(node),
            env=environment,
            stdout=subprocess.PIPE,
            check=True,
            start_new_session=True,
        )
        pid = int(said.stdout)
        running = Running(pid=pid, mark=start_mark(pid) or "")
        with fresh_file(self.path(node)) as file:
            file.write(json.dumps(asdict(running)).encode("utf-8") + b"\n")
            publish(file, self.path(node) / RUNNING_FILE)
        return running

    def _wait(self, node: Node, running: Running, log_bytes: int) -> None:
        end = time.monotonic() + START_SECONDS
        while is_running(running.pid, running.mark):
            try:
                # The script says so too, for nodes that it starts alone; here nobody waits for it.
                self.admin(node).call("miner_setGasPrice", "0x0")
                return
            except (NodeUnavailable, NodeRefused):
                if time.monotonic() > end:
                    break
                time.sleep(PAUSE_SECONDS)
        raise self._reason(node, log_bytes)

    def _reason(self, node: Node, log_bytes: int) -> LedgerError:
        path = self.path(node) / LOG_FILE
        with path.open("rb") as file:
            file.seek(log_bytes)
            said = file.read()[-SAID_BYTES:].decode("utf-8", "replace")
        if PORT_COMPLAINT in said:
            return NodePortTaken(name=node.name, address=node.listen_host)
        for complaint, kind in COMPLAINTS:
            if complaint.search(said):
                return kind(name=node.name)
        lines = [one for one in said.splitlines() if one.strip()]
        told = [one for one in lines if one.startswith(("Fatal", "start:"))] or lines[-1:]
        return NodeFailed(name=node.name, log=str(path), said=" ".join(told[-1:]))

    # --- stop -------------------------------------------------------------------------------------

    def stop(self, node: Node) -> bool:
        """Ask a node to write what it holds and end; say whether it ran."""
        return self._stop(node, signal.SIGTERM)

    def kill(self, node: Node) -> bool:
        """End a node without giving it time for anything; say whether it ran."""
        return self._stop(node, signal.SIGKILL)

    def _stop(self, node: Node, sign: signal.Signals) -> bool:
        running = self.running(node)
        if running is not None:
            self._end(running, sign)
        for name in (RUNNING_FILE, PID_FILE):
            (self.path(node) / name).unlink(missing_ok=True)
        return running is not None

    def _end(self, running: Running, sign: signal.Signals) -> None:
        for one in (sign, signal.SIGKILL):
            if not is_running(running.pid, running.mark):
                return
            os.kill(running.pid, one)
            end = time.monotonic() + STOP_SECONDS
            while is_running(running.pid, running.mark) and time.monotonic() < end:
                time.sleep(PAUSE_SECONDS)

    # --- peers ------------------------------------------------------------------------------------

    def height(self, node: Node) -> int:
        """
        Return how high a node's chain is.

        :raises NodeUnavailable: if it does not answer
        """
        return number_of(self.admin(node).call("eth_blockNumber"))

    def named(self, name: str) -> Node:
        """
        Return a node whose folder is here.

        :raises NodeUnknown: NodeElsewhere: if there is none
        """
        node = self.consortium.node(name)
        if not self.path(node).is_dir():
            raise NodeElsewhere(name=name)
        return node
