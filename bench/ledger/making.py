"""
Makes the chain that is measured: founds the consortium, then mines real acts, block by block.

What the acts are is `bench.ledger.makers`'; keeping the chain for later runs is
`bench.ledger.chain`'s.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from random import Random
from time import perf_counter
from typing import Any, Final, cast

from api.demo.consortium import found_consortium
from api.demo.stage import Acted, Silence, Stage
from bench.ledger import market_acts, party_acts, registry_acts
from bench.ledger.cast import Keys, World
from bench.ledger.makers import MAKERS, Deed, Maker, Steps
from chain.act import Act
from chain.client import Ledger
from chain.connection import Connection
from chain.content import content_store
from chain.decoder import decode_log
from chain.deploy import deploy
from chain.deployments import Deployment
from chain.entries import Entry
from chain.event import Event, EventMeta
from chain.events import ProfilePublished
from chain.keys import Keyring
from chain.outbox import Outbox
from chain.rpc import Node
from chain.sender import Order, Sender
from chain.signing import BY_SENDER
from chain.structs import Profile
from chain.values import (
    ZERO_BYTES32,
    Address,
    Bytes32,
    HexBytes,
    checksum_address,
    hex_bytes,
    text_of,
    word_of,
)
from registry.profiles import VENUE_SECONDS

# Importing them is what lets the nouns join.
NOUNS: Final = (party_acts, registry_acts, market_acts)

RELAYER: Final = "relayer"
EVENTS_PER_BLOCK: Final = 100
BLOCK_SECONDS: Final = 1_800
GAS: Final = 8_000_000
SIGNED_FOR_SECONDS: Final = 30 * 86_400
# How many events an act makes until one was seen.
EVENTS_GUESSED: Final = 2.0

# A venue's own rules in hours, so that a registration takes a few blocks and not a few hundred.
PROFILE: Final[Profile] = replace(
    VENUE_SECONDS,
    name=word_of("BENCH_HOURS"),
    acceptance=replace(VENUE_SECONDS.acceptance, amount=86_400),
    supplement=replace(VENUE_SECONDS.supplement, amount=3 * 86_400),
    decision=replace(VENUE_SECONDS.decision, amount=5 * 86_400),
    notice=replace(VENUE_SECONDS.notice, amount=7_200),
    objection=replace(VENUE_SECONDS.objection, amount=86_400),
)

Progress = Callable[[int], None]


@dataclass(slots=True)
class Life:
    """A noun's steps, and the one that comes next."""

    steps: Steps
    next: Deed | int


class OneByOne(Sender):
    """Sends an act when a block holds the last: a burst falls into other blocks every time."""

    def carry_out(self, orders: Sequence[Order]) -> list[Entry]:
        """Submit and settle, one after the other."""
        return [entry for order in orders for entry in super(OneByOne, self).carry_out([order])]


@contextmanager
def founded(url: str, *, seed: int, home: Path) -> Iterator[World]:
    """Deploy the contracts, found the consortium, and yield the world that goes on from there."""
    keys = Keys(seed)
    with Connection.to(url) as connection:
        # Otherwise the blocks of the founding would have the times of this machine's clock.
        connection.request("anvil_setBlockTimestampInterval", 1)
        outbox = Outbox.open(home / "operational.sqlite", chain_id=connection.chain_id)
        try:
            sender = OneByOne(connection, outbox)
            deployment = deploy(sender, home=home, deployer=keys.account("governor"))
            ledger = Ledger(sender, deployment)
            stage = Stage(
                ledger,
                content=content_store((home / "content").absolute().as_uri()),
                keyring=cast(Keyring, keys),
                progress=Silence(),
                is_clock_movable=True,
            )
            found_consortium(stage, PROFILE)
            published = stage.acted(f"profile/{text_of(PROFILE.name)}/publish")
            yield World(
                ledger=ledger,
                keys=keys,
                random=Random(seed),
                profile_id=published.one(ProfilePublished).profile_id,
                agreement_id=stage.agreement_id,
                now=connection.latest().timestamp,
            )
        finally:
            outbox.close()


class Miner:
    """Signs deeds, hands them over a block at a time, and tells what each did."""

    def __init__(self, world: World, url: str, *, after: Callable[[], None]) -> None:
        """Take over the mining of a node; `after` is called after every block."""
        self._world = world
        self._after = after
        self._node = Node(url, timeout_seconds=120)
        self._nonces: dict[str, int] = {}
        self._names = _names(world.ledger.deployment)
        self._node.call("evm_setAutomine", False)

    def close(self) -> None:
        """Close the connection to the node."""
        self._node.close()

    def mine(self, deeds: Sequence[Deed]) -> list[Acted]:
        """
        Mine one block of these deeds at the world's time, and return what each did.

        :raises RuntimeError: if a contract refused one of them, which is a mistake of its maker
        """
        hashes = self._sent(deeds)
        self._node.call("evm_mine", self._world.now)
        receipts = self._node.call("eth_getBlockReceipts", "latest")
        if len(receipts) != len(deeds):
            raise RuntimeError(f"{len(deeds)} deeds were sent, {len(receipts)} are in the block")
        self._after()
        found = {one["transactionHash"]: one for one in receipts}
        return [self._acted(deed, found[one]) for deed, one in zip(deeds, hashes, strict=True)]

    def mine_fast(self, deeds: Sequence[Deed]) -> tuple[int, float]:
        """Mine one block of these deeds; return its height, and when the node had mined it."""
        self._sent(deeds)
        self._node.call("evm_mine", self._world.now)
        mined_at = perf_counter()
        return int(self._node.call("eth_blockNumber"), 16), mined_at

    def _sent(self, deeds: Sequence[Deed]) -> list[str]:
        # One by one: anvil handles a batch in any order, and the seed shall decide every block.
        raws = [self._signed(deed) for deed in deeds]
        return [self._node.call("eth_sendRawTransaction", raw) for raw in raws]

    def _signed(self, deed: Deed) -> HexBytes:
        world, act = self._world, deed.act
        sender, authorization = deed.by, BY_SENDER
        if deed.is_relayed:
            sender = RELAYER
            authorization = world.ledger.sign_act(
                act,
                world.keys.account(deed.by),
                nonce=world.random.getrandbits(48),
                deadline=world.now + SIGNED_FOR_SECONDS,
            )
        return signed_transaction(
            world, sender, act.encode(authorization), act=act, nonce=self._nonce(sender)
        )

    def _nonce(self, sender: str) -> int:
        if sender not in self._nonces:
            account = self._world.address(sender)
            told = self._node.call("eth_getTransactionCount", account, "latest")
            self._nonces[sender] = int(told, 16)
        nonce = self._nonces[sender]
        self._nonces[sender] = nonce + 1
        return nonce

    def _acted(self, deed: Deed, receipt: Any) -> Acted:
        if receipt["status"] != "0x1":
            raise RuntimeError(f"refused: {deed.by} {deed.act!r}: {self._reason(deed)}")
        events = (_event(one, self._names) for one in receipt["logs"])
        return Acted(tuple(event for event in events if event is not None))

    def _reason(self, deed: Deed) -> str:
        call = {
            "from": self._world.address(deed.by),
            "to": self._world.ledger.address_of(deed.act.CONTRACT),
            "data": deed.act.encode(BY_SENDER),
        }
        try:
            self._world.ledger.sender.connection.call(call)
        except Exception as error:
            return repr(error)
        return "succeeds after its block"


def signed_transaction(
    world: World, sender: str, data: HexBytes, *, act: Act, nonce: int
) -> HexBytes:
    """Return a transaction of an organisation's account that carries this call of an act."""
    fields: dict[str, Any] = {
        "chainId": world.ledger.chain_id,
        "data": data,
        "gas": GAS,
        "gasPrice": 0,
        "nonce": nonce,
        "to": checksum_address(world.ledger.address_of(act.CONTRACT)),
        "value": 0,
    }
    signed = world.keys.account(sender).sign_transaction(fields)
    return hex_bytes(bytes(signed.raw_transaction))


def mine_events(world: World, miner: Miner, *, events: int, progress: Progress) -> int:
    """
    Mine blocks until they hold this many events, and return how many that is.

    shape: about EVENTS_PER_BLOCK a block, from lives of all nouns at their different steps
    """
    lives: list[Life] = []
    means: dict[type, float] = {}
    done = 0
    while done < events:
        world.now += BLOCK_SECONDS
        chosen = _choose(world, lives, means)
        for life, acted in zip(chosen, miner.mine([_deed(one) for one in chosen]), strict=True):
            kind = type(_deed(life).act)
            mean = means.get(kind, float(len(acted.events)))
            means[kind] = 0.9 * mean + 0.1 * len(acted.events)
            done += len(acted.events)
            if not _go_on(life, acted):
                lives.remove(life)
        progress(done)
    return done


def _choose(world: World, lives: list[Life], means: dict[type, float]) -> list[Life]:
    # The lives whose next deed is mined in this block: the oldest first, then new ones.
    chosen: list[Life] = []
    load = 0.0
    for life in list(lives):
        if load >= EVENTS_PER_BLOCK:
            return chosen
        if isinstance(life.next, int) and life.next <= world.now and not _go_on(life, Acted(())):
            lives.remove(life)
        elif isinstance(life.next, Deed):
            chosen.append(life)
            load += means.get(type(life.next.act), EVENTS_GUESSED)
    for _ in count():
        if load >= EVENTS_PER_BLOCK:
            return chosen
        steps = _any_ready(world).make(world)
        life = Life(steps, next(steps))
        lives.append(life)
        chosen.append(life)
        load += means.get(type(_deed(life).act), EVENTS_GUESSED)
    raise AssertionError("unreachable")


def _any_ready(world: World) -> Maker:
    ready = [one for one in MAKERS if one.is_ready(world)]
    return world.random.choices(ready, [one.weight for one in ready])[0]


def _go_on(life: Life, acted: Acted) -> bool:
    try:
        life.next = life.steps.send(acted)
    except StopIteration:
        return False
    return True


def _deed(life: Life) -> Deed:
    assert isinstance(life.next, Deed), "a life begins with a deed and is chosen at one"
    return life.next


def _names(deployment: Deployment) -> dict[str, str]:
    return {one.address: name for name, one in deployment.contracts.items()}


def _event(log: dict[str, Any], names: dict[str, str]) -> Event | None:
    meta = EventMeta(
        contract=names[log["address"]],
        address=Address(log["address"]),
        block_number=0,
        block_hash=Bytes32(ZERO_BYTES32),
        timestamp=0,
        transaction_hash=Bytes32(log["transactionHash"]),
        transaction_index=0,
        log_index=0,
    )
    return decode_log(log["topics"], log["data"], meta)
