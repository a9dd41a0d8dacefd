"""
A small contract whose state depends on the order, senders and times of everything sent to it.
"""

import os
import signal
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import solcx
from eth_account import Account
from eth_account.signers.local import LocalAccount
from eth_utils.abi import function_signature_to_4byte_selector

from chain.connection import Connection
from chain.entries import Entry, Kind
from chain.node import EmbeddedNode
from chain.outbox import Outbox
from chain.replay import Replayed, replay
from chain.sender import Order, Sender
from chain.values import Address, HexBytes, address

ROOT = Path(__file__).resolve().parents[2]

SOURCE = """
// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

contract Journal {
    error LineTaken(uint256 line);
    error TooLate(uint256 deadline, uint256 time);

    uint256 public lines;
    bytes32 public digest;
    mapping(uint256 line => uint256 time) public timeOf;

    event Written(uint256 indexed line, uint256 time, address by);

    function write(uint256 line) public {
        require(timeOf[line] == 0, LineTaken(line));
        timeOf[line] = block.timestamp;
        lines++;
        digest = keccak256(abi.encode(digest, line, block.number, block.timestamp, msg.sender));
        emit Written(line, block.timestamp, msg.sender);
    }

    function writeBefore(uint256 line, uint256 deadline) external {
        require(block.timestamp < deadline, TooLate(deadline, block.timestamp));
        write(line);
    }
}
"""


@lru_cache(maxsize=1)
def bytecode() -> HexBytes:
    """Compile the contract, once."""
    request = {
        "language": "Solidity",
        "sources": {"Journal.sol": {"content": SOURCE}},
        "settings": {
            "evmVersion": "london",
            "outputSelection": {"*": {"*": ["evm.bytecode.object"]}},
        },
    }
    output = solcx.compile_standard(request, solc_binary=ROOT / "scripts/solc")
    found = output["contracts"]["Journal.sol"]["Journal"]["evm"]["bytecode"]["object"]
    return HexBytes(f"0x{found}")


def _call(signature: str, *words: int) -> HexBytes:
    selector: bytes = function_signature_to_4byte_selector(signature)
    return HexBytes("0x" + selector.hex() + "".join(f"{word:064x}" for word in words))


@dataclass
class Desk:
    """A home with its chain, outbox and one journal; what a test kills and starts again."""

    home: Path
    node: EmbeddedNode
    connection: Connection
    outbox: Outbox
    sender: Sender
    replayed: Replayed
    writer: LocalAccount
    journal: Address

    @classmethod
    def open(cls, home: Path, *, writer: LocalAccount | None = None) -> "Desk":
        """Start or resume the home."""
        node = EmbeddedNode(home)
        connection = Connection.to(node.start().url)
        outbox = Outbox.open(home / "operational.db", chain_id=connection.chain_id)
        sender = Sender(connection, outbox, timeout_seconds=20)
        desk = cls(
            home=home,
            node=node,
            connection=connection,
            outbox=outbox,
            sender=sender,
            replayed=replay(sender),
            writer=writer or Account.create(),
            journal=Address("0x"),
        )
        desk.journal = desk._journal()
        return desk

    def reopen(self) -> None:
        """Start the home again after its chain, or everything, ended."""
        self.close()
        self.__dict__.update(vars(Desk.open(self.home, writer=self.writer)))

    def close(self) -> None:
        """End everything in order."""
        self.node.stop()
        self.connection.close()
        self.outbox.close()

    def kill(self) -> None:
        """End the chain's process without giving it time for anything."""
        running = self.node.running()
        assert running is not None
        os.kill(running.pid, signal.SIGKILL)
        while self.node.running() is not None:
            pass

    def order(self, line: int, *, key: str = "", deadline: int | None = None) -> Order:
        """Return an order for one line."""
        data = (
            _call("write(uint256)", line)
            if deadline is None
            else _call("writeBefore(uint256,uint256)", line, deadline)
        )
        return self._order(key or f"line/{line}", {"line": line}, to=self.journal, data=data)

    def write(self, line: int, **options: Any) -> Entry:
        """Write one line and wait for its block."""
        return self.sender.carry_out([self.order(line, **options)])[0]

    def digest(self) -> str:
        """Return the journal's digest of everything that ever happened to it."""
        return self.connection.call({"to": self.journal, "data": _call("digest()")})

    def lines(self) -> int:
        """Return how many lines there are."""
        return int(self.connection.call({"to": self.journal, "data": _call("lines()")}), 16)

    def head_hash(self) -> str:
        """Return the hash of the newest block, which stands for the whole history."""
        return self.connection.latest().hash

    def _journal(self) -> Address:
        (made,) = self.sender.carry_out([self._order("journal", {}, to=None, data=bytecode())])
        assert made.transaction_hash is not None
        receipt = self.connection.receipt(made.transaction_hash)
        assert receipt is not None
        assert receipt.contract_address is not None
        return receipt.contract_address

    def _order(self, key: str, act: dict[str, Any], *, to: Address | None, data: HexBytes) -> Order:
        return Order(
            kind=Kind.DEPLOY if to is None else Kind.ACT,
            key=key,
            contract="Journal",
            function="write",
            act=act,
            actor=address(self.writer.address),
            account=self.writer,
            to=to,
            data=data,
        )
