"""
The same life on every engine: what plays it, once per chain and content store, and what it left.

The lives run beside each other, because a consortium spends its time waiting for blocks. It knows
no test; which mirrors are compared, `test_engines.py` says.
"""

import random
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from sqlmodel import Session

from api.packages.packages import DataPackage, read_package
from api.samples import PORT_THROUGHPUT
from chain.answers import Receipt
from chain.connection import Connection
from chain.content import ContentStore, content_store
from chain.entries import Entry
from chain.outbox import Outbox
from chain.reads import checksum
from chain.values import Bytes32, HexBytes
from tests.invariants.playing import Player
from tests.stories.world import Scene, World, open_world

CHAINS: Final = ("anvil", "hardhat", "geth")
STORES: Final = ("files", "kubo")
# What runs without anything that has to be built.
USUAL: Final = ("anvil", "files")
SEED: Final = 5
# A turn takes a block, or two; where a block takes its time there are fewer.
TURNS: Final = {"anvil": 60, "hardhat": 60, "geth": 20}

# Four validators never part for longer: who is alone waits for two others after each block.
FORK_MAX: Final = 6

Place = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Sent:
    """A transaction of a life: its bytes, when its block was made, and what it did."""

    key: str
    raw: HexBytes
    timestamp: int
    gas_used: int
    logs: tuple[tuple[str, tuple[str, ...], str], ...]


@dataclass(frozen=True, slots=True)
class Lived:
    """
    What a life left behind.

    shape: `checksum` is that of the life's own mirror at `block_number`; `done` and `refused` count
           what a player tried afterwards, by its name
    """

    home: Path
    chain_id: int
    rpc_url: str
    content_url: str
    block_number: int
    checksum: str
    sent: tuple[Sent, ...]
    done: Mapping[str, int]
    refused: Mapping[str, int]
    seconds: float


class Lives:
    """Every life that was begun, each played by a thread of its own."""

    def __init__(self, folder: Path, urls: Mapping[Place, str], content: Mapping[str, str]) -> None:
        self._pool = ThreadPoolExecutor(max_workers=len(urls))
        package = read_package(PORT_THROUGHPUT)
        self._found: dict[Place, Future[Lived]] = {
            place: self._pool.submit(
                play,
                folder / "-".join(place),
                package,
                rpc_url=url,
                content_url=content[place[1]],
                turns=TURNS[place[0]],
            )
            for place, url in urls.items()
        }

    def of(self, chain: str, store: str) -> Lived:
        """Return what a life left, once it is over."""
        return self._found[chain, store].result()

    def close(self) -> None:
        """Wait until all are over."""
        self._pool.shutdown()


def play(home: Path, package: DataPackage, *, rpc_url: str, content_url: str, turns: int) -> Lived:
    """Let a package live, then let a player do whatever comes to its mind."""
    began = time.monotonic()
    url = content_url or (home / "content").as_uri()
    store: ContentStore = content_store(url)
    mirror_url = f"sqlite:///{home}/own.sqlite"
    with open_world(
        home, [package], content=store, rpc_url=rpc_url, mirror_url=mirror_url
    ) as world:
        player = _player(world, home, turns)
        number = _settled(world.connection)
        sent = _sent(world)
        world.worker.sync_until(number)
        with Session(world.services.mirror) as session:
            found = checksum(session, number)
        return Lived(
            home=home,
            chain_id=world.demo.deployment.chain_id,
            rpc_url=world.demo.rpc_url,
            content_url=url,
            block_number=number,
            checksum=found,
            sent=sent,
            done=Counter(player.done),
            refused=Counter(player.refused),
            seconds=time.monotonic() - began,
        )


def _player(world: World, home: Path, turns: int) -> Player:
    outbox = Outbox.open(home / "player.sqlite", chain_id=world.connection.chain_id)
    try:
        player = Player(Scene(world, outbox), random.Random(SEED))
        player.play(turns)
    finally:
        outbox.close()
    return player


def _settled(connection: Connection) -> int:
    """Return the height of the chain, once no fork will give that block up."""
    number = connection.latest().number
    while not connection.profile.is_instant and connection.latest().number < number + FORK_MAX:
        time.sleep(0.5)
    return number


def _sent(world: World) -> tuple[Sent, ...]:
    # Where they are now: a fork may have moved the newest since the outbox noted them.
    connection = world.connection
    entries = [one for one in world.demo.ledger.sender.outbox.unsettled(-1) if one.raw is not None]
    receipts = connection.receipts([Bytes32(one.transaction_hash or "") for one in entries])
    found = [(one, entry) for entry, one in zip(entries, receipts, strict=True) if one is not None]
    assert len(found) == len(entries)
    found.sort(key=lambda one: (one[0].block_number, one[0].transaction_index))
    return tuple(_told(connection, entry, receipt) for receipt, entry in found)


def _told(connection: Connection, entry: Entry, receipt: Receipt) -> Sent:
    head = connection.head(receipt.block_number)
    assert head is not None
    return Sent(
        key=entry.key,
        raw=HexBytes(entry.raw or ""),
        timestamp=head.timestamp,
        gas_used=receipt.gas_used,
        logs=logs_of(connection, receipt.transaction_hash),
    )


def logs_of(
    connection: Connection, transaction_hash: Bytes32
) -> tuple[tuple[str, tuple[str, ...], str], ...]:
    """Return what a transaction told: address, topics and data of each log."""
    receipt = connection.whole_receipt(transaction_hash)
    return tuple(
        (one["address"].lower(), tuple(one["topics"]), one["data"]) for one in receipt["logs"]
    )


def send_again(connection: Connection, sent: Sent) -> tuple[int, Any]:
    """Put a transaction of another chain with this id into a block of that time; return its end."""
    connection.request("evm_setNextBlockTimestamp", sent.timestamp)
    (refused,) = connection.send([sent.raw])
    assert refused is None, f"{sent.key}: {refused}"
    hash_ = Bytes32(connection.request("web3_sha3", sent.raw))
    (receipt,) = connection.wait([hash_], timeout_seconds=20)
    assert receipt.succeeded, sent.key
    return receipt.gas_used, logs_of(connection, hash_)


@contextmanager
def lives_on(
    folder: Path, urls: Mapping[Place, str], content: Mapping[str, str]
) -> Iterator[Lives]:
    """Begin lives, and let them end."""
    with ExitStack() as stack:
        found = Lives(folder, urls, content)
        stack.callback(found.close)
        yield found
