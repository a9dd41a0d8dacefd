"""
Real Kubo nodes for a test run: each with a repository of its own, on loopback, knowing nobody.

The binary is the one that `scripts/engines` built (`chain.binaries`). No test data here.
"""

import json
import os
import secrets
import signal
import subprocess
import time
from base64 import b32decode, b32encode
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import ipfshttpclient

from chain.binaries import find_kubo

START_SECONDS: Final = 60
STOP_SECONDS: Final = 20
PAUSE_SECONDS: Final = 0.05

# What `docs/operate.md` tells people to set, which a test compares: nothing is asked of the world,
# nobody is told that we are here, and damage is written over.
QUIET: Final = {
    "Datastore.BlockKeyCacheSize": 0,
    "Bootstrap": [],
    "AutoConf.Enabled": False,
    "AutoTLS.Enabled": False,
    "Discovery.MDNS.Enabled": False,
    "DNS.Resolvers": {},
    "Ipns.DelegatedPublishers": [],
    "Routing": {"Type": "none", "DelegatedRouters": []},
    "Swarm.DisableNatPortMap": True,
    "Swarm.Transports.Network.Websocket": False,
    "Addresses.Gateway": [],
}


class Kubo:
    """
    One node; `stop` ends it, and its repository is the caller's folder.

    shape: the kernel chooses its ports, anew at each start; `swarm_key` closes its network to all
           who do not have it, without one it is offline
    """

    def __init__(self, folder: Path, *, swarm_key: str = "", **settings: Any) -> None:
        self.folder = folder
        self._is_online = bool(swarm_key)
        self._process: subprocess.Popen[bytes] | None = None
        self._run("init", "--profile=test")
        if swarm_key:
            (folder / "swarm.key").write_text(swarm_key, "ascii")
        for name, value in {**QUIET, **settings}.items():
            self._run("config", "--json", name, json.dumps(value))
        self.start()

    @property
    def address(self) -> str:
        """Return the multiaddress of its RPC."""
        return (self.folder / "api").read_text("ascii").strip()

    @property
    def client(self) -> Any:
        """Return a plain client of its RPC, as an administrator has."""
        return ipfshttpclient.Client(self.address)

    def ask(self, path: str, *arguments: str, **options: str) -> Any:
        """Return the objects that a command answers."""
        names = {name.replace("_", "-"): value for name, value in options.items()}
        return self.client._client.request(path, arguments, opts=names, decoder="json")

    def peer(self) -> str:
        """Return the address under which other nodes of its network find it."""
        told = self.ask("/id")[0]
        found = [one for one in told["Addresses"] if one.startswith("/ip4/127.0.0.1/tcp/")]
        return str(found[0])

    def start(self) -> None:
        """Start the node with what its repository holds."""
        (self.folder / "api").unlink(missing_ok=True)
        command = [str(find_kubo()), "daemon", *([] if self._is_online else ["--offline"])]
        with (self.folder / "daemon.log").open("ab") as log:
            self._process = subprocess.Popen(
                command, env=self._environment(), stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        end = time.monotonic() + START_SECONDS
        while not self._is_ready():
            if self._process.poll() is not None or time.monotonic() > end:
                self.kill()
                raise RuntimeError((self.folder / "daemon.log").read_text("utf-8")[-2000:])
            time.sleep(PAUSE_SECONDS)

    def stop(self) -> None:
        """End the node in order."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End the node as a power cut does."""
        self._end(signal.SIGKILL)

    def block_file(self, cid: str) -> Path:
        """
        Return the file in which the node keeps a block.

        source: flatfs names it by the block's multihash in upper-case base32, as all CIDs of it do
        """
        body = cid[1:].upper()
        multihash = b32decode(body + "=" * (-len(body) % 8))[2:]
        name = b32encode(multihash).decode("ascii").rstrip("=")
        return next((self.folder / "blocks").glob(f"*/{name}.data"))

    def _is_ready(self) -> bool:
        if not (self.folder / "api").exists():
            return False
        try:
            self.ask("/version")
        except ipfshttpclient.exceptions.Error:
            return False
        return True

    def _end(self, sign: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.send_signal(sign)
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def _run(self, *arguments: str) -> None:
        subprocess.run(
            [str(find_kubo()), *arguments],
            env=self._environment(),
            check=True,
            capture_output=True,
            timeout=START_SECONDS,
        )

    def _environment(self) -> dict[str, str]:
        return {**os.environ, "IPFS_PATH": str(self.folder), "IPFS_TELEMETRY": "off"}


def new_swarm_key() -> str:
    """Return the key of a private network that nobody else is in."""
    return f"/key/swarm/psk/1.0.0/\n/base16/\n{secrets.token_hex(32)}\n"


@contextmanager
def running(folder: Path, **settings: Any) -> Iterator[Kubo]:
    """Run a node while the block runs."""
    node = Kubo(folder, **settings)
    try:
        yield node
    finally:
        node.stop()
