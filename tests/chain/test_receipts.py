"""
Tests of recomputing what a header commits to, against blocks that a real node made.
"""

from collections.abc import Iterator
from typing import Any

import pytest

from chain.receipts import EMPTY_ROOT, bloom_of, header_hash, receipts_root
from tests.anvil import Anvil
from tests.chain.emitter import calldata, deploy
from tests.chain.things import registered_log, used_log

# Ethereum's first block, whose hash everybody knows.
GENESIS = {
    "parentHash": "0x" + "00" * 32,
    "sha3Uncles": "0x1dcc4de8dec75d7aab85b567b6ccd41ad312451b948a7413f0a142fd40d49347",
    "miner": "0x" + "00" * 20,
    "stateRoot": "0xd7f8974fb5ac78d9ac099b9ad5018bedc2ce0a72dad1827a1709da30580f0544",
    "transactionsRoot": "0x56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421",
    "receiptsRoot": "0x56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421",
    "logsBloom": "0x" + "00" * 256,
    "difficulty": "0x400000000",
    "number": "0x0",
    "gasLimit": "0x1388",
    "gasUsed": "0x0",
    "timestamp": "0x0",
    "extraData": "0x11bbe8db4e347b4e8c937c1c8370e4b5ed33adb3db69cbdb7a38e1e50b1b82fa",
    "mixHash": "0x" + "00" * 32,
    "nonce": "0x0000000000000042",
}
GENESIS_HASH = "0xd4e56740f876aef8c010b86a40d5f56745a118d0906a34e69aec8c0db1cb8fa3"

# Around every change of a key's length, and of the tree's shape.
SIZES = (1, 2, 3, 16, 17, 127, 128, 129, 257, 300)
KINDS: tuple[dict[str, Any], ...] = (
    {"gasPrice": hex(3 * 10**9)},
    {"gasPrice": hex(3 * 10**9), "accessList": []},
    {"maxFeePerGas": hex(3 * 10**9), "maxPriorityFeePerGas": "0x0"},
)


@pytest.fixture(scope="module")
def node() -> Iterator[Anvil]:
    node = Anvil("--order", "fifo", "--gas-limit", "300000000", "--no-mining")
    yield node
    node.stop()


@pytest.fixture(scope="module")
def place(node: Anvil) -> str:
    node.rpc("evm_setAutomine", True)
    place = deploy(node)
    node.rpc("evm_setAutomine", False)
    return place


def block_of(node: Anvil, place: str, size: int) -> dict[str, Any]:
    """Mine a block of that many transactions: with and without logs, of every type, some failed."""
    for number in range(size):
        logs = [registered_log(number % 5, number), used_log(number, 1)] * (number % 4)
        data = "0xff" if number % 11 == 10 else calldata(logs)
        call = {"from": node.accounts[0], "to": place, "data": data, "gas": hex(200_000)}
        node.rpc("eth_sendTransaction", {**call, **KINDS[number % 3]})
    node.mine()
    block: dict[str, Any] = node.rpc("eth_getBlockByNumber", "latest", False)
    assert len(block["transactions"]) == size
    return block


class TestReceiptsRoot:
    @pytest.mark.parametrize("size", SIZES)
    def test_is_what_the_header_has(self, node: Anvil, place: str, size: int) -> None:
        block = block_of(node, place, size)

        receipts = node.rpc("eth_getBlockReceipts", block["hash"])

        assert receipts_root(receipts) == block["receiptsRoot"]
        assert bloom_of(receipts) == int(block["logsBloom"], 16)

    def test_of_nothing_is_that_of_an_empty_block(self, node: Anvil) -> None:
        node.mine()
        block = node.rpc("eth_getBlockByNumber", "latest", False)

        assert receipts_root([]) == EMPTY_ROOT == block["receiptsRoot"]

    @pytest.mark.parametrize("change", ["dropped", "altered", "moved", "invented", "failed"])
    def test_is_another_if_anything_is_changed(self, node: Anvil, place: str, change: str) -> None:
        block = block_of(node, place, 8)
        receipts = node.rpc("eth_getBlockReceipts", block["hash"])
        logs = receipts[3]["logs"]
        changes: dict[str, dict[str, Any]] = {
            "dropped": {"logs": logs[1:]},
            "altered": {"logs": [{**logs[0], "data": "0x" + "01" * 32}, *logs[1:]]},
            "moved": {"logs": logs[::-1]},
            "invented": {"logs": [*logs, logs[0]]},
            "failed": {"status": "0x0"},
        }
        receipts[3] = {**receipts[3], **changes[change]}

        assert receipts_root(receipts) != block["receiptsRoot"]


class TestHeaderHash:
    def test_is_the_known_one_of_a_known_block(self) -> None:
        assert header_hash(GENESIS) == GENESIS_HASH

    def test_is_what_the_node_says(self, node: Anvil, place: str) -> None:
        block = block_of(node, place, 5)

        assert header_hash(block) == block["hash"]
        assert (
            header_hash({**block, "timestamp": hex(int(block["timestamp"], 16) + 1)})
            != (block["hash"])
        )
