"""
What is known of a recorded chain: apart from its making, whose libraries a mirror does not need.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from chain.facts import Followed
from chain.values import Address


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """A recorded chain, and the node that serves it."""

    url: str
    chain_id: int
    contracts: tuple[Followed, ...]
    events: int
    blocks: int
    logs: int


def chain_of(url: str, told: Mapping[str, Any]) -> Chain:
    """Return the chain that a node serves, of what was noted when it was recorded."""
    contracts = tuple(
        Followed(
            address=Address(one["address"]),
            contract=one["contract"],
            from_block=one["from_block"],
        )
        for one in told["contracts"]
    )
    return Chain(
        url=url,
        chain_id=told["chain_id"],
        contracts=contracts,
        events=told["events"],
        blocks=told["blocks"],
        logs=told["logs"],
    )
