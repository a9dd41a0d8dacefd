"""
What nodes of each kind of chain answer, as their public documentation and sources have it.

Written by us: no Besu and no FISCO-BCOS runs here. Anvil, Hardhat and geth run in other tests, and
are here so that one table shows all five.
"""

from typing import Any, Final

from chain.consensus import BFT_MIX_HASH, NO_ROUND_NO_SEALS
from chain.receipts import EMPTY_ROOT, header_hash, packed, packed_list

ZERO: Final = "0x" + "00" * 32
NO_UNCLES: Final = "0x1dcc4de8dec75d7aab85b567b6ccd41ad312451b948a7413f0a142fd40d49347"
SIGNERS: Final = tuple("0x" + f"{number:02x}" * 20 for number in range(1, 5))
SEAL: Final = bytes([7]) * 65
SECONDS: Final = 1_796_000_000

CLIENTS: Final = {
    "anvil": "anvil/v1.7.1",
    "hardhat": "HardhatNetwork/2.29.1/@nomicfoundation/edr/0.12.0",
    "geth": "Geth/v1.13.15-stable/linux-amd64/go1.26.8",
    "besu": "besu/v25.7.0/linux-x86_64/openjdk-java-21",
    "fisco-bcos": "FISCO-BCOS-Web3RPC/3.16.4-Release/Linux/0123abcd",
}


def header(number: int, **changes: Any) -> dict[str, Any]:
    """Return a header as `eth_getBlockByNumber` has it, with the hash that Ethereum gives it."""
    made: dict[str, Any] = {
        "number": hex(number),
        "parentHash": ZERO,
        "sha3Uncles": NO_UNCLES,
        "miner": "0x" + "00" * 20,
        "stateRoot": EMPTY_ROOT,
        "transactionsRoot": EMPTY_ROOT,
        "receiptsRoot": EMPTY_ROOT,
        "logsBloom": "0x" + "00" * 256,
        "difficulty": "0x0",
        "gasLimit": hex(30_000_000),
        "gasUsed": "0x0",
        "timestamp": hex(SECONDS + number),
        "extraData": "0x",
        "mixHash": ZERO,
        "nonce": "0x0000000000000000",
        "baseFeePerGas": "0x0",
        "transactions": [],
        "uncles": [],
    }
    made |= changes
    return {"hash": header_hash(made), **made}


def clique_header(number: int) -> dict[str, Any]:
    """Return one of geth's headers: the signers in the first, a seal in each other (EIP-225)."""
    listed = b"".join(bytes.fromhex(one[2:]) for one in SIGNERS) if number == 0 else b""
    seal = bytes(65) if number == 0 else SEAL
    extra = "0x" + (bytes(32) + listed + seal).hex()
    return header(number, extraData=extra, difficulty="0x1" if number == 0 else "0x2")


def qbft_header(number: int, *, seals: int = 3, round_: int = 0) -> dict[str, Any]:
    """
    Return one of Besu's headers: all validators in each, and most of their seals.

    shape: its hash is made without round and seals, so that all nodes give it the same
    """
    validators = packed_list(b"".join(packed(bytes.fromhex(one[2:])) for one in SIGNERS))
    head = packed(bytes(32)) + validators + packed_list(b"")
    sealed = packed_list(packed(SEAL) * (seals if number else 0))
    written = packed_list(head + (packed(bytes([round_])) if round_ else b"\x80") + sealed)
    hashed = packed_list(head + NO_ROUND_NO_SEALS)
    made = header(number, extraData="0x" + written.hex(), mixHash=BFT_MIX_HASH, difficulty="0x1")
    return {**made, "hash": header_hash(made, extra_data="0x" + hashed.hex())}


def fisco_header(number: int, *, is_in_milliseconds: bool = False) -> dict[str, Any]:
    """Return one of FISCO-BCOS's: fields of many forks, all zero, and a hash of its own making."""
    time_ = (SECONDS + number) * (1000 if is_in_milliseconds else 1)
    return {
        **header(number, timestamp=hex(time_), receiptsRoot="0x" + "ab" * 32),
        "hash": "0x" + f"{number + 1:064x}",
        "totalDifficulty": "0x0",
        "size": "0x1ad",
        "withdrawals": [],
        "withdrawalsRoot": ZERO,
        "blobGasUsed": "0x0",
        "excessBlobGas": "0x0",
        "parentBeaconBlockRoot": ZERO,
    }


HEADERS: Final = {
    "anvil": header,
    "hardhat": header,
    "geth": clique_header,
    "besu": qbft_header,
    "fisco-bcos": fisco_header,
}


def answers(chain: str, *, client: str = "", **headers: Any) -> Any:
    """Return what asks a node of a chain: its client, its first block, and its newest."""

    def ask(method: str, *parameters: Any) -> Any:
        if method == "web3_clientVersion":
            return client or CLIENTS[chain]
        assert method == "eth_getBlockByNumber", method
        number = 0 if parameters[0] == "0x0" else 7
        return headers.get("genesis" if number == 0 else "head") or HEADERS[chain](number)

    return ask
