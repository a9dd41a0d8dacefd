"""
A consortium of real validators for tests: geth nodes that seal with Clique, on ports that the
kernel chooses, each ended by its own process id.
"""

import json
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from eth_account import Account

from chain.binaries import find_geth
from chain.rpc import Node, NodeUnavailable

CHAIN_ID: Final = 20_262
PERIOD_SECONDS: Final = 1
START_SECONDS: Final = 60
AGREED_BLOCK: Final = 3
PASSWORD: Final = "for tests only"
# Gas is free as long as no block uses half of its limit: beyond that the base fee rises to one wei,
# and never falls to nothing again.
GAS_LIMIT: Final = 1_000_000_000
FORKS: Final = (
    "homestead",
    "eip150",
    "eip155",
    "eip158",
    "byzantium",
    "constantinople",
    "petersburg",
    "istanbul",
    "berlin",
    "london",
)


class Validator:
    """One geth node, which may stop and start again."""

    def __init__(self, folder: Path, genesis: Path, *, number: int) -> None:
        self.folder = folder
        self.account = _account(number)
        self.http_port, self.peer_port, self.engine_port = _free_ports(3)
        self.url = f"http://127.0.0.1:{self.http_port}"
        self.node = Node(self.url)
        self.process: subprocess.Popen[bytes] | None = None
        folder.mkdir(parents=True)
        (folder / "password").write_text(PASSWORD)
        keys = folder / "data" / "keystore"
        keys.mkdir(parents=True)
        encrypted = Account.encrypt(self.account.key, PASSWORD, kdf="pbkdf2", iterations=1)
        (keys / "validator.json").write_text(json.dumps(encrypted))
        self._geth("init", str(genesis))

    def start(self) -> None:
        """Start the node, and wait until it answers."""
        with (self.folder / "geth.log").open("ab") as log:
            self.process = subprocess.Popen(
                [find_geth(), *self._options()],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        end = time.monotonic() + START_SECONDS
        while True:
            try:
                self.rpc("eth_chainId")
            except NodeUnavailable:
                assert self.process.poll() is None, (self.folder / "geth.log").read_text()
                assert time.monotonic() < end, "geth does not answer"
                time.sleep(0.05)
            else:
                break
        # The option takes no zero for a price, and puts a gwei in its place: other validators'
        # transactions would be refused.
        self.rpc("miner_setGasPrice", "0x0")

    def rpc(self, method: str, *parameters: Any) -> Any:
        """Ask the node."""
        return self.node.call(method, *parameters)

    def height(self) -> int:
        """Return its newest block's number."""
        return int(self.rpc("eth_blockNumber"), 16)

    def block(self, number: int) -> str | None:
        """Return the hash of its block at a height, if it is there yet."""
        found = self.rpc("eth_getBlockByNumber", hex(number), False)
        return None if found is None else str(found["hash"])

    def meet(self, other: "Validator") -> None:
        """Become the other's peer."""
        address = self.rpc("admin_nodeInfo")["enode"].split("@")[0]
        other.rpc("admin_addPeer", f"{address}@127.0.0.1:{self.peer_port}")

    def kill(self) -> None:
        """End the process without giving it time for anything."""
        self._end(hard=True)

    def stop(self) -> None:
        """Ask the process to end."""
        self._end(hard=False)

    def close(self) -> None:
        """End the process, and give up asking it."""
        self.kill()
        self.node.close()

    def _end(self, *, hard: bool) -> None:
        if self.process is not None:
            (self.process.kill if hard else self.process.terminate)()
            self.process.wait(timeout=30)
            self.process = None

    def _geth(self, *arguments: str) -> None:
        command = [find_geth(), "--datadir", str(self.folder / "data"), *arguments]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr

    def _options(self) -> list[str]:
        options = {
            "--datadir": self.folder / "data",
            "--networkid": CHAIN_ID,
            "--port": self.peer_port,
            "--http.port": self.http_port,
            "--http.addr": "127.0.0.1",
            "--http.api": "eth,net,web3,clique,admin,miner",
            "--authrpc.port": self.engine_port,
            "--nat": "none",
            "--miner.etherbase": self.account.address,
            "--miner.gaslimit": GAS_LIMIT,
            "--unlock": self.account.address,
            "--password": self.folder / "password",
            "--gcmode": "archive",
            "--syncmode": "full",
            "--verbosity": 2,
            # Neither memory nor journal of a node that serves the world.
            "--cache": 64,
        }
        pairs = [str(part) for pair in options.items() for part in pair]
        flags = ("--http", "--nodiscover", "--ipcdisable", "--mine", "--allow-insecure-unlock")
        return [*pairs, *flags]


class Clique:
    """Validators of one chain, each the peer of every other."""

    def __init__(self, folder: Path, *, validators: int = 4, chain_id: int = CHAIN_ID) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        genesis = folder / "genesis.json"
        genesis.write_text(json.dumps(genesis_of(validators, chain_id=chain_id)))
        self.validators = tuple(
            Validator(folder / f"validator-{number}", genesis, number=number)
            for number in range(validators)
        )

    @property
    def urls(self) -> str:
        """Return the addresses of all nodes as the setting `rpc_url` has them."""
        return ",".join(one.url for one in self.validators)

    def start(self) -> None:
        """Start all nodes, and wait until they agree: the first to start has blocks of its own."""
        for one in self.validators:
            one.start()
        self.join(self.validators)
        self.wait_for(AGREED_BLOCK)

    def join(self, validators: Sequence[Validator]) -> None:
        """Make nodes each other's peers."""
        for place, one in enumerate(validators):
            for other in validators[:place]:
                one.meet(other)

    def wait_for(self, number: int) -> None:
        """Wait until all running nodes have one and the same block at a height."""
        end = time.monotonic() + START_SECONDS
        running = [one for one in self.validators if one.process is not None]
        while None in (found := {one.block(number) for one in running}) or len(found) > 1:
            assert time.monotonic() < end, f"no agreement on block {number}: {found}"
            time.sleep(0.1)

    def close(self) -> None:
        """End all processes."""
        for one in self.validators:
            one.close()


@contextmanager
def clique(folder: Path, *, validators: int = 4, chain_id: int = CHAIN_ID) -> Iterator[Clique]:
    """Run a consortium while the block runs."""
    found = Clique(folder, validators=validators, chain_id=chain_id)
    try:
        found.start()
        yield found
    finally:
        found.close()


def genesis_of(validators: int, *, chain_id: int) -> dict[str, Any]:
    """Return the first block of a consortium: every fork up to London at once, gas free."""
    signers = sorted(_account(number).address[2:].lower() for number in range(validators))
    return {
        "config": {
            "chainId": chain_id,
            **{f"{fork}Block": 0 for fork in FORKS},
            "clique": {"period": PERIOD_SECONDS, "epoch": 30_000},
        },
        "difficulty": "0x1",
        "gasLimit": hex(GAS_LIMIT),
        "baseFeePerGas": "0x0",
        "extraData": "0x" + "00" * 32 + "".join(signers) + "00" * 65,
        "alloc": {},
    }


def _account(number: int) -> Any:
    return Account.from_key((1_000 + number).to_bytes(32, "big"))


def _free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    try:
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]
    finally:
        for one in sockets:
            one.close()
