"""
The embedded chain of one home: an anvil that is started, found again, and stopped.

What it loses when it is killed is not put back here but by `chain.replay`, out of the outbox; so a
state file that cannot be read is no loss, only more to replay.

    <home>/chain/chain.json        chain id and time of the first block, made once
    <home>/chain/state.json        anvil's, written while it runs: may be behind, or cut off
    <home>/chain/state.good.json   the last that was loaded, whole;  state.older.json the one before
    <home>/chain/node.json         the running process: number, start mark, port
    <home>/chain/lock              held by whoever runs the chain
"""

import json
import logging
import os
import secrets
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Final, Self

from chain.connection import Connection
from chain.deployments import chains_of
from chain.durable import fresh_file, publish
from chain.failure import Conflict, LedgerError, NotFound
from chain.process import is_running, start_mark, take_lock
from chain.rpc import NodeUnavailable
from chain.snapshots import Snapshots
from chain.values import hex_bytes, keccak, raw

LOG: Final = logging.getLogger(__name__)

ROOT: Final = Path(__file__).resolve().parent.parent
# The native binary: the npm shim is another process, and leaves anvil running when it is killed.
BINARIES: Final = "node_modules/@foundry-rs/anvil-*/bin/anvil"
BINARY_VARIABLE: Final = "SHULIAN_ANVIL"

HOST: Final = "127.0.0.1"
CHAIN_ID_MAX: Final = 2**31 - 1
START_SECONDS: Final = 60
STOP_SECONDS: Final = 30
PORT_TRIES: Final = 5

# Writing the state stops the chain for about 3.5 ms per megabyte (measured, anvil 1.7.1), so a
# larger state is written less often; what is lost in between is in the outbox.
STATE_BYTES_PER_SECOND: Final = 1 << 20
# anvil keeps every block's whole state on the disk unless it is told how many.
STATES_KEPT: Final = 32

# How anvil complains of a state file that it cannot read, and of a port that is taken.
STATE_COMPLAINT: Final = "--state"
PORT_COMPLAINT: Final = "in use"

# Whose proof is asked for when only its root matters.
ANYBODY: Final = "0x" + "00" * 20


class AnvilMissing(NotFound):
    """There is no native anvil here: install the node packages, or name its path."""


class NodeNotRunning(NotFound):
    """The embedded chain of this home is not running."""

    home: str


class ChainElsewhere(Conflict):
    """This ledger is on a chain of other machines; name its nodes in rpc_url."""

    home: str
    chain_id: int


class NodeDidNotStart(LedgerError):
    """The embedded chain did not start."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """What makes a home's chain this one: signatures for one home mean nothing in another."""

    chain_id: int
    genesis_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """The process that serves the chain."""

    pid: int
    mark: str
    port: int

    @property
    def url(self) -> str:
        """Return where it listens."""
        return f"http://{HOST}:{self.port}"


class EmbeddedNode:
    """The chain below one home folder."""

    def __init__(self, home: Path, *, binary: Path | None = None) -> None:
        self._folder = home / "chain"
        self._snapshots = Snapshots(self._folder)
        self._binary = binary
        self._lock: IO[bytes] | None = None
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    # --- what others ask --------------------------------------------------------------------------

    def identity(self) -> Identity:
        """Return the home's chain id and first moment, choosing them the first time."""
        path = self._folder / "chain.json"
        if not path.is_file():
            made = Identity(
                chain_id=1 + secrets.randbelow(CHAIN_ID_MAX), genesis_at=int(time.time())
            )
            _write_json(path, asdict(made))
        return Identity(**json.loads(path.read_text("utf-8")))

    def running(self) -> Running | None:
        """Return the process that serves this chain, if it lives and is the one that was noted."""
        try:
            noted = Running(**json.loads((self._folder / "node.json").read_text("utf-8")))
        except (FileNotFoundError, ValueError, TypeError):
            return None
        return noted if is_running(noted.pid, noted.mark) else None

    def url(self) -> str:
        """
        Return where the running chain listens, whoever started it.

        :raises NodeNotRunning: if it does not run
        """
        running = self.running()
        if running is None:
            raise NodeNotRunning(home=str(self._folder.parent))
        return running.url

    # --- start ------------------------------------------------------------------------------------

    def start(self) -> Running:
        """
        Start the chain, or take over one whose starter is gone; call `chain.replay` next.

        ensures: it answers, it is this home's chain, its clock is not behind its last block
        :raises AlreadyHeld: if another process runs this home's chain
        :raises AnvilMissing: if there is no binary
        """
        if self.running() is None:
            # Before anything is written.
            self._binary = self._binary or find_anvil()
        identity = self.identity()
        if self._lock is None:
            self._lock = take_lock(self._folder / "lock")
        try:
            running = self.running() or self._launch(identity)
            with Connection.to(running.url) as connection:
                if connection.chain_id != identity.chain_id:
                    raise NodeDidNotStart(reason=f"{running.url} serves another chain")
                connection.set_time(max(int(time.time()), connection.latest().timestamp))
        except BaseException:
            self._unlock()
            raise
        LOG.info("chain started pid=%d url=%s", running.pid, running.url)
        return running

    def _launch(self, identity: Identity) -> Running:
        self._reap()
        for choice in self._snapshots.choices():
            started = self._run(identity)
            if started is not None and (choice is None or _is_of_one_moment(started)):
                self._snapshots.keep(choice)
                return started
            if started is not None:
                self._end(started.pid, started.mark)
                self._reap()
            elif STATE_COMPLAINT not in self._said():
                break
            LOG.warning("state not loaded path=%s", choice)
        raise NodeDidNotStart(reason=self._said())

    def _run(self, identity: Identity) -> Running | None:
        for _ in range(PORT_TRIES):
            running = self._spawn(identity, _free_port())
            if running is not None or PORT_COMPLAINT not in self._said():
                return running
        return None

    def _spawn(self, identity: Identity, port: int) -> Running | None:
        shutil.rmtree(self._folder / "cache", ignore_errors=True)
        with (self._folder / "anvil.log").open("wb") as log:
            self._process = subprocess.Popen(
                self._command(identity, port),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # ^C is for us; we then stop it in order
            )
        mark = start_mark(self._process.pid)
        if mark is None or not self._answers(port):
            self._end(self._process.pid, mark)
            self._reap()
            return None
        running = Running(pid=self._process.pid, mark=mark, port=port)
        _write_json(self._folder / "node.json", asdict(running))
        return running

    def _command(self, identity: Identity, port: int) -> list[str]:
        options: Mapping[str, str | int] = {
            "--host": HOST,
            "--port": port,
            "--hardfork": "london",
            "--chain-id": identity.chain_id,
            "--timestamp": identity.genesis_at,
            "--state": str(self._snapshots.current),
            "--state-interval": 1 + self._snapshots.size_bytes() // STATE_BYTES_PER_SECOND,
            "--prune-history": STATES_KEPT,
            "--cache-path": str(self._folder / "cache"),
            "--order": "fifo",
            "--accounts": 0,
            "--gas-price": 0,
            "--base-fee": 0,
        }
        pairs = [str(part) for pair in options.items() for part in pair]
        return [str(self._binary or find_anvil()), *pairs, "--no-cors", "--silent"]

    def _answers(self, port: int) -> bool:
        end = time.monotonic() + START_SECONDS
        while self._process is not None and self._process.poll() is None:
            try:
                Connection.to(f"http://{HOST}:{port}").close()
            except NodeUnavailable:
                if time.monotonic() > end:
                    return False
                time.sleep(0.01)
            else:
                # Not another process on the port while ours dies.
                return self._process.poll() is None
        return False

    def _said(self) -> str:
        path = self._folder / "anvil.log"
        return path.read_text("utf-8", "replace").strip() if path.is_file() else ""

    # --- stop -------------------------------------------------------------------------------------

    def stop(self) -> None:
        """
        Ask the chain to write its state and end; after a while end it.

        ensures: only the process that was noted is touched, never another with its number
        """
        running = self.running()
        if running is not None:
            self._end(running.pid, running.mark)
        self._reap()
        (self._folder / "node.json").unlink(missing_ok=True)
        self._unlock()

    def _end(self, pid: int, mark: str | None) -> None:
        for sign, seconds in ((signal.SIGTERM, STOP_SECONDS), (signal.SIGKILL, STOP_SECONDS)):
            if mark is None or not is_running(pid, mark):
                break
            os.kill(pid, sign)
            _wait_end(pid, mark, seconds)

    def _reap(self) -> None:
        # Only ever of a process that has ended, or was told to.
        if self._process is not None:
            self._process.wait()
            self._process = None

    def _unlock(self) -> None:
        if self._lock is not None:
            self._lock.close()
            self._lock = None


def _is_of_one_moment(running: Running) -> bool:
    # anvil writes its blocks first and its accounts last, and a transaction may come in between;
    # such a file knows an act in no block. A proof's first node has the hash of all accounts.
    with Connection.to(running.url) as connection:
        proof = connection.request("eth_getProof", ANYBODY, [], "latest")
        head = connection.request("eth_getBlockByNumber", "latest", False)
    root = proof["accountProof"][0]
    return bool(head["stateRoot"] == hex_bytes(keccak(raw(root))))


def require_embedded(home: Path) -> None:
    """
    Check that a home's chain is the embedded one, before one is made in vain.

    :raises ChainElsewhere: if its contracts are on another
    """
    elsewhere = chains_of(home)
    if elsewhere and not (home / "chain" / "chain.json").is_file():
        raise ChainElsewhere(home=str(home), chain_id=elsewhere[0])


def find_anvil(environment: Mapping[str, str] = os.environ) -> Path:
    """
    Return the native anvil: the one named by SHULIAN_ANVIL, the checkout's, or the one on PATH.

    :raises AnvilMissing: if there is none, or only the npm shim
    """
    named = environment.get(BINARY_VARIABLE)
    on_path = shutil.which("anvil", path=environment.get("PATH"))
    choices = [Path(named)] if named else [*sorted(ROOT.glob(BINARIES)), Path(on_path or "")]
    for path in choices:
        if path.is_file() and os.access(path, os.X_OK) and not _is_script(path):
            return path
    raise AnvilMissing()


def _is_script(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(2) == b"#!"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def _wait_end(pid: int, mark: str, seconds: int) -> None:
    end = time.monotonic() + seconds
    while is_running(pid, mark) and time.monotonic() < end:
        time.sleep(0.005)


def _write_json(path: Path, value: Mapping[str, object]) -> None:
    with fresh_file(path.parent) as file:
        file.write(json.dumps(value, indent=2, sort_keys=True).encode("utf-8") + b"\n")
        publish(file, path)
