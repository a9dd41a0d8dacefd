"""
The writing lines: transactions through the outbox against pre-signed batches, and signatures.

Both sides declare resources on the same anvil, in turn, a hundred at once.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from eth_account.messages import _hash_eip191_message, encode_typed_data
from eth_keys.backends.native.main import NativeECCBackend
from eth_keys.main import KeyAPI
from web3 import HTTPProvider, Web3

from bench.ledger.cast import World
from bench.ledger.making import founded, signed_transaction
from bench.ledger.node import running_node
from bench.ledger.registry_acts import declaration
from bench.lines import Line, Verdict, against, alone, in_turn
from bench.sizes import Sizes
from bench.timing import rate
from chain.abi import bytes_of
from chain.acts import AssetsDeclare
from chain.client import Ledger, Request
from chain.codes import AssetKind
from chain.rpc import Call, Node
from chain.sender import Sender
from chain.signing import BY_SENDER
from chain.structs import Payee
from chain.values import HexBytes

BATCH: Final = 100
LOOK_SECONDS: Final = 0.001
WRITING_RATIO: Final = 0.6
ONE_BY_ONE: Final = 30
SIGNATURES: Final = 300
SLOW_SIGNATURES: Final = 20
NONCE_STEP: Final = 10
# Participants of the demonstration's cast that may declare: one for each way of sending.
OURS, CEILING, PEER = "supplier", "developer", "vendor"


def measure_writing(sizes: Sizes) -> Iterator[Line]:
    """Send signed acts through the outbox until blocks hold them, against the bare node."""
    with ExitStack() as stack:
        folder = stack.enter_context(TemporaryDirectory(prefix="shulian-bench-"))
        url = stack.enter_context(running_node("--prune-history", "2"))
        world = stack.enter_context(founded(url, seed=1, home=Path(folder)))
        node = stack.enter_context(Node(url))
        nonces = {one: _nonces(world, node, one) for one in (CEILING, PEER)}
        ledger = _bursting(world)
        turns = max(1, sizes.transactions // BATCH)
        found = in_turn(
            turns,
            ours=lambda: _through_outbox(world, ledger),
            ceiling=lambda: _bare(world, node, nonces[CEILING]),
        )
        yield against(
            "transactions, signed, sent, confirmed",
            ours=found["ours"],
            reference=found["ceiling"],
            unit="tx/s",
            of="pre-signed batches",
            at_least=WRITING_RATIO,
            note=f"{turns} batches of {BATCH} each",
        )
        peer = _one_by_one(world, url, nonces[PEER])
        yield alone(
            "transactions, web3.py one at a time",
            peer,
            unit="tx/s",
            note="a peer, shown for scale",
        )


def measure_signing(sizes: Sizes) -> Iterator[Line]:
    """Sign acts (EIP-712) as participants without a node do, with and without libsecp256k1."""
    del sizes
    with (
        TemporaryDirectory(prefix="shulian-bench-") as folder,
        running_node() as url,
        founded(url, seed=1, home=Path(folder)) as world,
    ):
        act, account, ledger = _declared(world, OURS), world.keys.account(OURS), world.ledger
        numbers = count(1)
        slow = KeyAPI(NativeECCBackend())
        key = slow.PrivateKey(bytes(account.key))
        signer = world.address(OURS)

        def ours() -> float:
            run = lambda: ledger.sign_act(act, account, nonce=next(numbers), deadline=2**40)  # noqa: E731
            return rate(SIGNATURES, lambda: _times(SIGNATURES, run))

        def without() -> float:
            def run() -> None:
                typed = ledger.act_typed_data(
                    act, account=signer, nonce=next(numbers), deadline=2**40
                )
                message = encode_typed_data(full_message=typed)
                slow.ecdsa_sign(_hash_eip191_message(message), key)

            return rate(SLOW_SIGNATURES, lambda: _times(SLOW_SIGNATURES, run))

        found = in_turn(3, ours=ours, without=without)
    line = against(
        "EIP-712 signatures",
        ours=found["ours"],
        reference=found["without"],
        unit="sig/s",
        of="without coincurve",
        at_least=3,
        note="coincurve is a dependency: its absence would show here as a ratio of 1",
    )
    assert line.verdict is not Verdict.NONE
    yield line


def _times(count_: int, run: Callable[[], object]) -> None:
    for _ in range(count_):
        run()


def _declared(world: World, owner: str) -> AssetsDeclare:
    payees = (Payee(participant_id=world.participant(owner), share_bps=10_000),)
    return declaration(world, AssetKind.RESOURCE, (), payees, ())


def _bursting(world: World) -> Ledger:
    """Return the ledger as an exchange has it: the world was founded act by act."""
    founding = world.ledger.sender
    return Ledger(Sender(founding.connection, founding.outbox), world.ledger.deployment)


def _through_outbox(world: World, ledger: Ledger) -> float:
    acts = [_declared(world, OURS) for _ in range(BATCH)]
    requests = [Request(act=one, key=f"bench/{one.content_digest}") for one in acts]
    account = world.keys.account(OURS)
    return rate(BATCH, lambda: ledger.act_many(requests, by=account))


def _bare(world: World, node: Node, nonces: Iterator[int]) -> float:
    raws = [_raw(world, CEILING, next(nonces)) for _ in range(BATCH)]

    def run() -> None:
        hashes = node.batch([("eth_sendRawTransaction", [raw]) for raw in raws])
        # As the sender does: or anvil breaks the burst into anything from 2 to 100 blocks.
        node.call("evm_mine")
        # Of the last one first: asking for all of them all the time would slow the node down.
        for some in (_receipts(hashes[-1:]), _receipts(hashes)):
            while None in node.batch(some):
                time.sleep(LOOK_SECONDS)

    return rate(BATCH, run)


def _receipts(hashes: Sequence[str]) -> list[Call]:
    return [("eth_getTransactionReceipt", [one]) for one in hashes]


def _one_by_one(world: World, url: str, nonces: Iterator[int]) -> float:
    web3 = Web3(HTTPProvider(url))
    raws = [_raw(world, PEER, next(nonces)) for _ in range(ONE_BY_ONE)]

    def run() -> None:
        for raw in raws:
            sent = web3.eth.send_raw_transaction(bytes_of(raw))
            web3.eth.wait_for_transaction_receipt(sent, poll_latency=0.001)

    return rate(ONE_BY_ONE, run)


def _raw(world: World, by: str, nonce: int) -> HexBytes:
    act = _declared(world, by)
    return signed_transaction(world, by, act.encode(BY_SENDER), act=act, nonce=nonce)


def _nonces(world: World, node: Node, by: str) -> Iterator[int]:
    return count(int(node.call("eth_getTransactionCount", world.address(by), "latest"), 16))
