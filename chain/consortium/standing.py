"""
How a consortium stands: per node its head, peers and share of the seals, and whether they agree.

Nodes of this machine are asked through their sockets, the others through HTTP; a node that does not
answer is told as such, never raised.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from typing import Any, Final

from chain.consortium.folders import Node
from chain.consortium.nodes import Nodes
from chain.consortium.scripts import stalled_after_seconds
from chain.consortium.seals import majority_of, sealed_by
from chain.failure import LedgerError
from chain.rpc import Call, number_of
from chain.rpc import Node as Rpc
from chain.values import Address, Bytes32

# Over so many blocks the shares are counted.
SHARE_BLOCKS: Final = 64
HTTP_SECONDS: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """
    One node as it is now.

    shape: `head` is None if it does not answer; `agrees` says whether its block at the highest
           height that all have is the others'; `share` is of the last 64 blocks, None if it may
           not seal
    units: `lag_blocks` behind the highest node
    """

    name: str
    zh: str
    en: str
    host: str
    rpc_url: str
    signer: Address
    is_here: bool
    pid: int | None
    head: int | None = None
    head_hash: Bytes32 | None = None
    peers: int | None = None
    is_syncing: bool = False
    may_seal: bool = False
    share: float | None = None
    lag_blocks: int | None = None
    agrees: bool | None = None
    trouble: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Whole:
    """
    All nodes, and the chain that they make.

    shape: `is_sealing` if the newest block is young enough; `needed` signers must be up for that
    units: `head_age_seconds` since the newest block's time
    """

    chain_id: int
    genesis_hash: Bytes32
    period_seconds: int
    head: int | None
    head_age_seconds: int | None
    is_sealing: bool
    is_agreed: bool
    signers: tuple[Address, ...]
    needed: int
    nodes: tuple[Standing, ...]

    def to_json(self) -> dict[str, Any]:
        """Return it as the command prints it."""
        return asdict(self)


def look(nodes: Nodes, *, now: Callable[[], float] = time.time) -> Whole:
    """Return how the consortium stands."""
    consortium = nodes.consortium
    with ThreadPoolExecutor(max_workers=max(1, len(consortium.nodes))) as pool:
        found = list(pool.map(lambda node: _look_at(nodes, node), consortium.nodes))
    best = max((one for one in found if one.standing.head is not None), key=_height, default=None)
    headers = _headers(nodes, best.standing) if best else []
    shares = sealed_by(headers)
    # Strangers are told nothing of votes; whoever sealed lately may seal.
    signers = (best.signers if best else ()) or tuple(sorted(shares)) or consortium.genesis_signers
    heads = [one.standing.head for one in found if one.standing.head is not None]
    common = _common(nodes, found, min(heads)) if heads else {}
    told = tuple(
        replace(
            one.standing,
            may_seal=one.standing.signer in signers,
            share=_share(shares, len(headers), one.standing.signer, signers),
            lag_blocks=None if one.standing.head is None else max(heads) - one.standing.head,
            agrees=_agrees(common, one.standing.name),
        )
        for one in found
    )
    age = None if best is None else max(0, int(now()) - best.timestamp)
    return Whole(
        chain_id=consortium.chain_id,
        genesis_hash=consortium.genesis_hash,
        period_seconds=consortium.period_seconds,
        head=max(heads, default=None),
        head_age_seconds=age,
        is_sealing=age is not None and age <= stalled_after_seconds(consortium.period_seconds),
        is_agreed=bool(common) and len(set(common.values())) == 1,
        signers=tuple(signers),
        needed=majority_of(len(signers)),
        nodes=told,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    standing: Standing
    timestamp: int = 0
    signers: tuple[Address, ...] = ()


def _height(found: _Found) -> int:
    return -1 if found.standing.head is None else found.standing.head


def _look_at(nodes: Nodes, node: Node) -> _Found:
    is_here = nodes.path(node).is_dir()
    running = nodes.running(node) if is_here else None
    standing = Standing(
        name=node.name,
        zh=node.zh,
        en=node.en,
        host=node.host,
        rpc_url=node.rpc_url,
        signer=node.signer,
        is_here=is_here,
        pid=running.pid if running else None,
    )
    calls: list[Call] = [
        ("eth_getBlockByNumber", ["latest", False]),
        ("net_peerCount", []),
        ("eth_syncing", []),
    ]
    try:
        head, peers, syncing = _ask(nodes, standing, calls)
        signers = nodes.admin(node).call("clique_getSigners") if running is not None else ()
    except LedgerError as error:
        return _Found(standing=replace(standing, trouble=str(error)))
    return _Found(
        standing=replace(
            standing,
            head=number_of(head["number"]),
            head_hash=Bytes32(head["hash"]),
            peers=number_of(peers),
            is_syncing=syncing is not False,
        ),
        timestamp=number_of(head["timestamp"]),
        signers=tuple(signers),
    )


def _ask(nodes: Nodes, standing: Standing, calls: Sequence[Call]) -> list[Any]:
    """Ask a node through its socket if it runs here, else through HTTP."""
    if standing.pid is not None:
        return nodes.admin(nodes.consortium.node(standing.name)).batch(calls)
    with Rpc(standing.rpc_url, timeout_seconds=HTTP_SECONDS) as rpc:
        return rpc.batch(calls)


def _headers(nodes: Nodes, standing: Standing) -> list[Mapping[str, Any]]:
    """Return the newest headers that somebody sealed, as far as the node has them still."""
    head = standing.head or 0
    numbers = range(max(1, head - SHARE_BLOCKS + 1), head + 1)
    calls: list[Call] = [("eth_getBlockByNumber", [hex(one), False]) for one in numbers]
    try:
        return [one for one in _ask(nodes, standing, calls) if one is not None] if calls else []
    except LedgerError:
        return []


def _common(nodes: Nodes, found: Sequence[_Found], number: int) -> dict[str, Bytes32]:
    """Return the block that each node has at a height, by the node's name."""
    hashes = {}
    for one in found:
        if one.standing.head is None:
            continue
        block = _block(nodes, one.standing, number)
        if block is not None:
            hashes[one.standing.name] = block
    return hashes


def _block(nodes: Nodes, standing: Standing, number: int) -> Bytes32 | None:
    try:
        (found,) = _ask(nodes, standing, [("eth_getBlockByNumber", [hex(number), False])])
    except LedgerError:
        return None
    return None if found is None else Bytes32(found["hash"])


def _agrees(common: Mapping[str, Bytes32], name: str) -> bool | None:
    if name not in common:
        return None
    hashes = list(common.values())
    return hashes.count(common[name]) * 2 > len(hashes)


def _share(
    shares: Mapping[Address, int], count: int, signer: Address, signers: Sequence[Address]
) -> float | None:
    if signer not in signers:
        return None
    return round(shares.get(signer, 0) / count, 3) if count else 0.0
