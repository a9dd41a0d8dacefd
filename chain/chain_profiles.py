"""
What differs between the chains that this ledger runs on, in one place: a profile for each.

A chain profile says how a *chain* behaves. It is no rule profile (`registry.profiles`), which says
how long a registration takes. Which profile a node's chain has is found out by `chain.detection`.

    anvil        the embedded chain: mines when told, its clock moves, its blocks can be made again
    hardhat      another chain of one process, for a second opinion on the contracts
    geth         a consortium of geth nodes, Clique: one block per period, final at a depth
    besu         a consortium of Besu nodes, QBFT: a block is final when it is there
    fisco-bcos   a consortium of FISCO-BCOS 3 nodes with their Web3 RPC: likewise

sources: Besu's and FISCO-BCOS's public documentation and sources; `docs/engines.md` says what of
         this was run and what was only written
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Final

from chain.finality import EMBEDDED_DEPTH, Finality


class Consensus(Enum):
    """How a chain agrees on its blocks."""

    ALONE = "one process makes them"
    CLIQUE = "Clique"
    QBFT = "QBFT"
    PBFT = "PBFT"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainProfile:
    """
    How one kind of chain behaves.

    shape: `clients` are beginnings of what `web3_clientVersion` answers, in lower case;
           `finality` is what the setting `auto` means;
           `is_instant` if it mines when told and its clock moves, `is_remakable` if it also makes a
           block at any moment since the last, so that lost blocks get the same hashes again;
           `takes_batches` if several requests may come as one, `sends_in_order` if transactions
           that do are taken in their order;
           `has_block_receipts` and `has_proofs` if it has `eth_getBlockReceipts`, `eth_getProof`;
           `commits_to_receipts` if a header's hash and receipts root are made as on Ethereum, so
           that a node which hides a log is found out; `has_blooms` if headers tell of addresses
    units: `gas_price_wei` is what a transaction must offer, as a legacy one (EIP-155);
           `counts_milliseconds` if contracts, and older nodes' headers, see time in milliseconds;
           `poll_seconds` between looks for a new block where none is announced
    """

    name: str
    clients: tuple[str, ...]
    consensus: Consensus
    finality: Finality
    poll_seconds: float
    gas_price_wei: int = 0
    is_instant: bool = False
    is_remakable: bool = False
    takes_batches: bool = True
    sends_in_order: bool = True
    has_block_receipts: bool = True
    has_proofs: bool = True
    commits_to_receipts: bool = True
    has_blooms: bool = True
    counts_milliseconds: bool = False


# In a partition at most one side has more than half of the signers, and only that side goes on: the
# other adds at most one block for every two signers, since each has to wait for that many others.
# Sixteen is beyond that for 31 signers; more of them want a deeper setting.
CLIQUE_DEPTH: Final = 16

ANVIL: Final = ChainProfile(
    name="anvil",
    clients=("anvil/",),
    consensus=Consensus.ALONE,
    finality=Finality(EMBEDDED_DEPTH, forgets=True),
    poll_seconds=1,
    is_instant=True,
    is_remakable=True,
)
HARDHAT: Final = ChainProfile(
    name="hardhat",
    clients=("hardhatnetwork/",),
    consensus=Consensus.ALONE,
    finality=Finality(EMBEDDED_DEPTH, forgets=True),
    poll_seconds=1,
    is_instant=True,
    sends_in_order=False,
    has_block_receipts=False,
    has_proofs=False,
)
GETH: Final = ChainProfile(
    name="geth",
    clients=("geth/",),
    consensus=Consensus.CLIQUE,
    finality=Finality(CLIQUE_DEPTH),
    poll_seconds=1,
)
BESU: Final = ChainProfile(
    name="besu",
    clients=("besu/",),
    consensus=Consensus.QBFT,
    finality=Finality(0),
    poll_seconds=1,
)
# Its headers hash and its receipts are rooted in a way of its own; `eth_getBlockReceipts` and
# `eth_getProof` are not there for its PBFT chains; and its RPC takes requests one by one.
FISCO_BCOS: Final = ChainProfile(
    name="fisco-bcos",
    clients=("fisco-bcos",),
    consensus=Consensus.PBFT,
    finality=Finality(0),
    poll_seconds=1,
    takes_batches=False,
    has_block_receipts=False,
    has_proofs=False,
    commits_to_receipts=False,
    has_blooms=False,
    counts_milliseconds=True,
)

CHAIN_PROFILES: Final[Mapping[str, ChainProfile]] = {
    one.name: one for one in (ANVIL, HARDHAT, GETH, BESU, FISCO_BCOS)
}
