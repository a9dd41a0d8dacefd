"""
Whether a node may be used by a home: ready to answer, and of the very chain that the home is on.

To be asked before anything is sent, so that a home which meets a foreign chain is left as it was.
What kind of chain it is `chain.detection` found out; whether its contracts are the right ones is
`chain.deployments`' to say.
"""

from collections.abc import Mapping
from pathlib import Path

from chain.connection import Connection
from chain.deployments import Deployment, chains_of, load_deployments
from chain.failure import Conflict, LedgerError
from chain.fetch import WrongChain
from chain.rpc import NodeContradicts, number_of
from chain.values import Bytes32


class NodeSyncing(LedgerError):
    """The node is still fetching its chain and does not know all of it yet."""

    current_block: int
    highest_block: int


class ChainReplaced(Conflict):
    """The node's chain has this ledger's id but another first block."""

    chain_id: int
    expected_genesis_hash: Bytes32
    found_genesis_hash: Bytes32


class GasNotFree(Conflict):
    """The chain asks a price for gas, and nobody on this ledger has coins."""

    base_fee_wei: int


def require_fit(connection: Connection, home: Path) -> None:
    """
    Check that a node is ready, and serves the chain that a home's contracts are on.

    :raises NodeSyncing: if it is behind what it knows of, or behind the contracts
    :raises WrongChain: ChainReplaced: if it is another chain than the home's
    """
    known = load_deployments(home, chain_id=connection.chain_id)
    others = [one for one in chains_of(home) if one != connection.chain_id]
    if others and not known:
        raise WrongChain(expected_chain_id=others[0], found_chain_id=connection.chain_id)
    for one in known:
        require_genesis(connection, one)
    _require_synced(connection, known)


def require_genesis(connection: Connection, deployment: Deployment) -> None:
    """
    Check that a node's chain begins as the one that contracts were deployed on.

    shape: a deployment noted by an older version does not say how its chain begins
    :raises WrongChain: ChainReplaced: if not
    """
    if deployment.chain_id != connection.chain_id:
        raise WrongChain(expected_chain_id=deployment.chain_id, found_chain_id=connection.chain_id)
    expected = deployment.genesis_hash
    if expected is not None and expected != connection.genesis_hash:
        raise ChainReplaced(
            chain_id=connection.chain_id,
            expected_genesis_hash=expected,
            found_genesis_hash=connection.genesis_hash,
        )


def _require_synced(connection: Connection, known: tuple[Deployment, ...]) -> None:
    told = connection.request("eth_syncing")
    head = connection.latest().number
    if isinstance(told, Mapping):
        raise NodeSyncing(
            current_block=number_of(told.get("currentBlock", hex(head))),
            highest_block=number_of(told.get("highestBlock", hex(head))),
        )
    # A node that has no peers yet says that it is not syncing. An embedded chain that lost blocks
    # gets them back out of the outbox.
    deployed = [one.block_number for each in known for one in each.contracts.values()]
    if deployed and max(deployed) > head and not connection.profile.is_remakable:
        raise NodeSyncing(current_block=head, highest_block=max(deployed))


def require_free(connection: Connection) -> None:
    """
    Check that a chain takes transactions that offer what its profile says: nothing.

    :raises GasNotFree: if it never would
    """
    head = connection.request("eth_getBlockByNumber", "latest", False)
    if not isinstance(head, Mapping):
        raise NodeContradicts(reason="a chain without a latest block")
    base_fee = number_of(head.get("baseFeePerGas") or "0x0")
    if base_fee > connection.profile.gas_price_wei:
        raise GasNotFree(base_fee_wei=base_fee)
