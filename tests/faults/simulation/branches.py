"""
A real chain written from a seed, and branches of it that are given up for others.

The same seed makes the same blocks, hash by hash. Who follows the chain is not its affair.
"""

import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from enum import Enum
from typing import Final

from chain.facts import Followed
from chain.values import Address, keccak
from tests.anvil import Anvil
from tests.chain.emitter import Log, calldata, deploy
from tests.chain.things import registered_log, used_log

GENESIS_AT: Final = 1_700_000_000
OPTIONS: Final = (
    *("--timestamp", str(GENESIS_AT)),
    *("--gas-price", "0"),
    *("--base-fee", "0"),
    *("--order", "fifo"),
)

# Few keys and many acts, so that most acts change what an earlier one made.
ASSETS: Final = 8
ACCOUNTS: Final = 4
SENDERS: Final = 3
ACTS_MAX: Final = 3
LOGS_MAX: Final = 3
GAS: Final = hex(1_000_000)


class Shape(Enum):
    """What becomes of the acts of a branch that is given up."""

    DROPPED = "dropped"
    MOVED = "moved"
    CONFLICTING = "conflicting"


@dataclass(frozen=True, slots=True)
class Act:
    """A transaction: who sends it, to which emitter, and the logs it makes."""

    sender: int
    emitter: int
    logs: tuple[Log, ...]


Plan = tuple[Act, ...]
"""The acts of one block."""


class Chain:
    """
    A chain and what is written on it.

    shape: `emitters` are two contracts of the same kind, from the first blocks on; which of them a
           mirror follows is for the mirror to say; `known` has the hash of every block there ever
           was, whatever became of it
    """

    def __init__(self, anvil: Anvil, chance: random.Random) -> None:
        self.anvil = anvil
        self.chance = chance
        anvil.rpc("anvil_setBlockTimestampInterval", 1)
        self.emitters = (deploy(anvil), deploy(anvil))
        anvil.rpc("evm_setAutomine", False)
        self._base = self.head()
        self.known = {self._hash(number) for number in range(self._base + 1)}
        self._plans: list[Plan] = []

    def head(self) -> int:
        """Return the chain's height."""
        return int(self.anvil.rpc("eth_blockNumber"), 16)

    def followed(self, *emitters: int) -> tuple[Followed, ...]:
        """Return what a mirror is told to follow."""
        return tuple(
            Followed(address=Address(self.emitters[one]), contract="Assets", from_block=1 + one)
            for one in emitters
        )

    def grow(self, blocks: int) -> None:
        """Add blocks with random acts, some of them empty."""
        for _ in range(blocks):
            self._mine(self._plan())

    def grow_busily(self, blocks: int) -> None:
        """Add blocks of which none is empty."""
        for _ in range(blocks):
            self._mine((self._act(), *self._plan()))

    def fork(self, depth: int, shape: Shape, *, growth: int) -> None:
        """
        Give up the last blocks, and put so many more of another kind in their place.

        ensures: no block above the ancestor is one that was there before
        """
        lost = self._plans[-depth:]
        self.lose(depth)
        self.jump(depth + 1)
        for plan in self._instead(lost, shape, max(1, depth + growth)):
            self._mine(plan)

    def lose(self, depth: int) -> None:
        """Give up the last blocks, and put nothing in their place."""
        assert depth <= len(self._plans), "a branch begins above the deployments"
        self.anvil.rpc("anvil_rollback", depth)
        del self._plans[len(self._plans) - depth :]

    def jump(self, seconds: int) -> None:
        """Let the next block be so much later than it would be."""
        latest = self.anvil.rpc("eth_getBlockByNumber", "latest", False)
        self.anvil.rpc("evm_setNextBlockTimestamp", int(latest["timestamp"], 16) + 1 + seconds)

    def resume(self, anvil: Anvil) -> None:
        """Go on with another node, which has this chain up to some height."""
        anvil.rpc("anvil_setBlockTimestampInterval", 1)
        anvil.rpc("evm_setAutomine", False)
        self.anvil = anvil
        del self._plans[self.head() - self._base :]

    def _hash(self, number: int | str) -> str:
        asked = number if isinstance(number, str) else hex(number)
        return str(self.anvil.rpc("eth_getBlockByNumber", asked, False)["hash"])

    def _instead(self, lost: Sequence[Plan], shape: Shape, blocks: int) -> list[Plan]:
        acts = [act for plan in lost for act in plan]
        if shape is Shape.DROPPED:
            return [()] * blocks
        if shape is Shape.CONFLICTING:
            acts = [replace(self._act(), sender=act.sender) for act in acts]
        # In their order, but each in any block: not one stays at its height for certain.
        places = sorted(self.chance.randrange(blocks) for _ in acts)
        plans: list[list[Act]] = [[] for _ in range(blocks)]
        for place, act in zip(places, acts, strict=True):
            plans[place].append(act)
        return [tuple(plan) for plan in plans]

    def _plan(self) -> Plan:
        return tuple(self._act() for _ in range(self.chance.randrange(ACTS_MAX + 1)))

    def _act(self) -> Act:
        return Act(
            sender=self.chance.randrange(SENDERS),
            emitter=int(self.chance.random() < 0.3),
            logs=tuple(self._log() for _ in range(self.chance.randrange(LOGS_MAX + 1))),
        )

    def _log(self) -> Log:
        kind = self.chance.random()
        if kind < 0.05:
            return [], "0x" + self.chance.randbytes(5).hex()
        if kind < 0.1:
            return ["0x" + keccak(b"Unheard(uint256)").hex()], f"0x{self.chance.randrange(9):064x}"
        if kind < 0.6:
            return registered_log(self.chance.randrange(ASSETS), self.chance.randrange(2**32))
        return used_log(self.chance.randrange(ACCOUNTS), self.chance.randrange(3))

    def _mine(self, plan: Plan) -> None:
        for act in plan:
            call = {
                "from": self.anvil.accounts[act.sender],
                "to": self.emitters[act.emitter],
                "data": calldata(act.logs),
                "gas": GAS,
                "gasPrice": "0x0",
            }
            self.anvil.rpc("eth_sendTransaction", call)
        self.anvil.rpc("evm_mine")
        self.known.add(self._hash("latest"))
        self._plans.append(plan)


@contextmanager
def open_chain(chance: random.Random, *options: str) -> Iterator[Chain]:
    """Start a node for a chain of its own, and end it afterwards."""
    anvil = Anvil(*OPTIONS, *options)
    try:
        chain = Chain(anvil, chance)
        yield chain
    except BaseException:
        anvil.kill()
        raise
    # The chain may be at another node by now, whose starter ends the ones before.
    chain.anvil.stop()
