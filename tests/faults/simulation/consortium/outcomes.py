"""
What must hold after every fault: each accepted act is on the chain once, each mirror is what the
contracts say, and the mirrors of both exchanges have the same checksums.
"""

import json
from collections import defaultdict
from collections.abc import Sequence
from typing import Final

from chain.consortium.standing import look
from chain.rpc import Node as Rpc
from chain.rpc import number_of
from tests.faults.simulation.consortium.loads import Load, Write
from tests.faults.simulation.consortium.worlds import NAMES, Consortium, until
from tests.faults.simulation.oracle import Violated
from tests.faults.simulation.running import Numbers

CONTRACT_OF: Final = {"/v1/registrations": "Registrations", "/v1/trades": "Trades"}


def require_whole(consortium: Consortium, load: Load, *, from_block: int) -> Numbers:
    """
    Check all of it, and return how much was compared.

    :raises Violated: for what does not hold
    """
    consortium.wait_whole()
    for name in NAMES:
        _require_once(consortium, load.writes, name, from_block)
    height = look(consortium.nodes).head or 0
    _require_equal_mirrors(consortium, height)
    compared = sum(_audited(consortium, place) for place in range(len(consortium.exchanges)))
    return {"records_audited": compared}


def _require_once(
    consortium: Consortium, writes: Sequence[Write], name: str, from_block: int
) -> None:
    """Check on one node that every accepted act is in exactly one block, by one transaction."""
    ids = {path: {one.noun_id for one in writes if one.path == path} for path in CONTRACT_OF}
    with Rpc(consortium.node(name).rpc_url) as rpc:
        for path, contract in CONTRACT_OF.items():
            found = _told_of(rpc, consortium.demo.deployment.address_of(contract), from_block)
            for noun_id in ids[path]:
                if len(found[noun_id]) != 1:
                    told = sorted(found[noun_id])
                    raise Violated(f"{name}: {path} {noun_id} is in the transactions {told}")
        receipts = rpc.batch(
            [("eth_getTransactionReceipt", [one.transaction_hash]) for one in writes]
        )
    for write, receipt in zip(writes, receipts, strict=True):
        if receipt is None or number_of(receipt["status"]) != 1:
            raise Violated(f"{name}: {write} ended as {receipt and receipt['status']}")


def _told_of(rpc: Rpc, contract: str, from_block: int) -> dict[str, set[str]]:
    """Return the transactions that told of each id, since a block."""
    sought = {"address": contract, "fromBlock": hex(from_block), "toBlock": "latest"}
    found: dict[str, set[str]] = defaultdict(set)
    for log in rpc.call("eth_getLogs", sought):
        if len(log["topics"]) > 1:
            found[log["topics"][1]].add(log["transactionHash"])
    return found


def _require_equal_mirrors(consortium: Consortium, height: int) -> None:
    """Check that both exchanges have the same checksum over all up to a block."""
    for one in consortium.exchanges:
        until(lambda one=one: one.get("/v1/health")["indexed_block"] >= height, one.name)
    told = [one.get(f"/v1/blocks/{height}") for one in consortium.exchanges]
    checksums = {(one["hash"], one["checksum"]) for one in told}
    if len(checksums) != 1:
        raise Violated(f"mirrors differ at block {height}: {checksums}")


def _audited(consortium: Consortium, place: int) -> int:
    told = json.loads(consortium.exchanges[place].command("audit", "--json"))
    if not told["equal"]:
        raise Violated(f"{consortium.exchanges[place].name}: {told['differences'][:3]}")
    return int(told["compared"])
