"""
A real node for tests: anvil, on a port the kernel chooses, ended by its own process id.
"""

import re
import subprocess
import time
from pathlib import Path
from threading import Thread
from typing import Any

from chain.rpc import Node

ROOT = Path(__file__).resolve().parent.parent
BINARY = ROOT / "node_modules/@foundry-rs/anvil-linux-amd64/bin/anvil"
CHAIN_ID = 20261
MINED_SECONDS = 20


class Anvil:
    """A running anvil and what tests ask of it."""

    def __init__(self, *options: str, chain_id: int = CHAIN_ID, port: int = 0) -> None:
        # The native binary: the npm shim leaves it running when it is killed itself.
        self.process = subprocess.Popen(
            [
                BINARY,
                *("--port", str(port), "--hardfork", "london", "--chain-id", str(chain_id)),
                *options,
            ],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.url = self._listening()
        self.node = Node(self.url)
        self.accounts: list[str] = [one.lower() for one in self.rpc("eth_accounts")]

    def rpc(self, method: str, *parameters: Any) -> Any:
        """Ask the node."""
        return self.node.call(method, *parameters)

    def send(self, *, to: str | None = None, data: str = "0x", sender: int = 0) -> dict[str, Any]:
        """Send from one of the unlocked accounts, mine it, and return the receipt."""
        call = {"from": self.accounts[sender], "data": data, "gas": hex(25_000_000)}
        sent = self.rpc("eth_sendTransaction", call if to is None else {**call, "to": to})
        end = time.monotonic() + MINED_SECONDS
        while time.monotonic() < end:
            receipt: dict[str, Any] | None = self.rpc("eth_getTransactionReceipt", sent)
            if receipt is not None:
                assert receipt["status"] == "0x1", receipt
                return receipt
        raise AssertionError(f"{sent} was not mined")

    def mine(self, blocks: int = 1) -> None:
        """Add empty blocks."""
        self.rpc("anvil_mine", hex(blocks))

    def kill(self) -> None:
        """End the process without giving it time for anything."""
        self.node.close()
        self.process.kill()
        self._wait()

    def stop(self) -> None:
        """Ask the process to end, so that it writes its state."""
        self.node.close()
        self.process.terminate()
        self._wait()

    def _wait(self) -> None:
        self.process.wait(timeout=20)
        self._reader.join()
        assert self.process.stdout is not None
        self.process.stdout.close()

    def _listening(self) -> str:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            found = re.search(r"Listening on ([\d.]+:\d+)", line)
            if found:
                # It logs every request, and would wait for ever for somebody to read that.
                self._reader = Thread(target=self.process.stdout.read, daemon=True)
                self._reader.start()
                return f"http://{found[1]}"
        raise AssertionError("anvil ended before it listened")
