"""
The web3.py way to read events: `eth_getLogs` through its formatters, then `process_log` per event.

No database at all: this is only the reading, which is where its time goes.
"""

from collections.abc import Sequence
from typing import Any

from web3 import HTTPProvider, Web3
from web3.contract.base_contract import BaseContractEvent

from chain.artifacts import artifact
from chain.facts import Followed
from chain.values import checksum_address


def read(url: str, contracts: Sequence[Followed], *, first: int, last: int) -> int:
    """Read and decode every event between two blocks, and return how many there were."""
    web3 = Web3(HTTPProvider(url))
    events = _events(web3, contracts)
    logs = web3.eth.get_logs(
        {
            "fromBlock": first,
            "toBlock": last,
            "address": [checksum_address(one.address) for one in contracts],  # type: ignore[typeddict-item]
        }
    )
    count = 0
    for log in logs:
        event = events.get((log["address"].lower(), bytes(log["topics"][0])))
        if event is not None:
            event.process_log(log)
            count += 1
    return count


def _events(
    web3: Web3, contracts: Sequence[Followed]
) -> dict[tuple[str, bytes], BaseContractEvent]:
    found: dict[tuple[str, bytes], Any] = {}
    for one in contracts:
        contract = web3.eth.contract(
            address=checksum_address(one.address),  # type: ignore[call-overload]
            abi=artifact(one.contract).abi,
        )
        for event in contract.all_events():
            found[one.address, bytes.fromhex(event.topic[2:])] = event
    return found
