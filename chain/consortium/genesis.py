"""
The first block of a consortium chain, which fixes its rules and its first signers for ever.

Pure. The hash is computed here, so that a genesis can be agreed on without starting anything.

sources: Clique, EIP-225; fields of the file, geth 1.13; accounts, Ethereum yellow paper 4.1
"""

from collections.abc import Sequence
from typing import Any, Final

from chain.receipts import EMPTY_ROOT, header_hash, packed, packed_list, trie_root
from chain.values import Address, Bytes32, keccak, raw

# Clique refuses Shanghai and whatever comes after it, and our contracts need London.
FORKS: Final = (
    "homesteadBlock",
    "eip150Block",
    "eip155Block",
    "eip158Block",
    "byzantiumBlock",
    "constantinopleBlock",
    "petersburgBlock",
    "istanbulBlock",
    "berlinBlock",
    "londonBlock",
)
# After so many blocks the set of signers is written into a header again.
EPOCH_BLOCKS: Final = 30_000
# A block more than half full raises the base fee, from 0 to 1, and nothing lowers a base fee of 1
# again (EIP-1559 rounds down). So a block must be larger than a second can fill.
GAS_LIMIT: Final = 1_000_000_000
# Should the base fee ever rise, somebody must have coins to hand out: the signers.
SIGNER_WEI: Final = 10**27

VANITY_BYTES: Final = 32
SEAL_BYTES: Final = 65
ADDRESS_BYTES: Final = 20
NO_UNCLES: Final = "0x" + keccak(b"\xc0").hex()
NO_CODE: Final = keccak(b"")


def genesis_of(
    *, chain_id: int, period_seconds: int, signers: Sequence[Address], timestamp: int
) -> dict[str, Any]:
    """
    Return the genesis as geth reads it.

    shape: the order of the signers does not matter; each may seal from the first block on
    units: `timestamp` in seconds since 1970 UTC
    """
    config: dict[str, Any] = {"chainId": chain_id, **dict.fromkeys(FORKS, 0)}
    return {
        "config": {**config, "clique": {"period": period_seconds, "epoch": EPOCH_BLOCKS}},
        "nonce": "0x0",
        "timestamp": hex(timestamp),
        "extraData": extra_data(signers),
        "gasLimit": hex(GAS_LIMIT),
        "difficulty": "0x1",
        "baseFeePerGas": "0x0",
        "alloc": {one.removeprefix("0x"): {"balance": str(SIGNER_WEI)} for one in sorted(signers)},
    }


def extra_data(signers: Sequence[Address]) -> str:
    """Return the field that names the signers, in ascending order, and leaves room for a seal."""
    named = b"".join(raw(one) for one in sorted(signers))
    return "0x" + (bytes(VANITY_BYTES) + named + bytes(SEAL_BYTES)).hex()


def genesis_hash(genesis: dict[str, Any]) -> Bytes32:
    """Return the hash of the block that geth makes of a genesis."""
    balances = {Address(f"0x{one}"): int(held["balance"]) for one, held in genesis["alloc"].items()}
    zero = "0x" + "00" * 32
    return header_hash(
        {
            "parentHash": zero,
            "sha3Uncles": NO_UNCLES,
            "miner": "0x" + "00" * ADDRESS_BYTES,
            "stateRoot": state_root(balances),
            "transactionsRoot": EMPTY_ROOT,
            "receiptsRoot": EMPTY_ROOT,
            "logsBloom": "0x" + "00" * 256,
            "number": "0x0",
            "gasUsed": "0x0",
            "mixHash": zero,
            **{name: genesis[name] for name in ("difficulty", "gasLimit", "timestamp")},
            **{name: genesis[name] for name in ("extraData", "baseFeePerGas")},
            "nonce": "0x" + "00" * 8,
        }
    )


def state_root(balances: dict[Address, int]) -> Bytes32:
    """Return the root of a state in which accounts have coins and nothing else."""
    leaves = [
        (bytes(int(digit, 16) for digit in keccak(raw(one)).hex()), _account(balance))
        for one, balance in balances.items()
    ]
    return Bytes32("0x" + trie_root(leaves).hex())


def _account(balance: int) -> bytes:
    number = balance.to_bytes((balance.bit_length() + 7) // 8, "big")
    parts = (b"", number, raw(EMPTY_ROOT), NO_CODE)
    return packed_list(b"".join(packed(one) for one in parts))
