"""
The chain: each of its nodes, whether they are of one chain, and whether our contracts are there.
"""

import time
from collections.abc import Iterator
from typing import Any, Final

from api.config import Settings
from api.doctor.findings import Finding, bad, good, odd
from chain.binaries import ENGINES, find
from chain.connection import Connection
from chain.deployments import load_deployments, verify_deployment
from chain.detection import detect
from chain.failure import LedgerError
from chain.node import AnvilMissing, EmbeddedNode, find_anvil
from chain.nodes import urls_of
from chain.rpc import Node, host_of, number_of

TIMEOUT_SECONDS: Final = 5
# Blocks of a consortium come each second or few; a minute without one is no delay any more.
OLD_SECONDS: Final = 60
SKEW_SECONDS: Final = 5


def examine_chain(settings: Settings) -> Iterator[Finding]:
    """Look at every node, and at the contracts through the first that answers."""
    urls = urls_of(settings.rpc_url) if settings.rpc_url else ()
    if not urls:
        yield _embedded(settings)
        running = EmbeddedNode(settings.home).running()
        urls = (running.url,) if running else ()
    chains: set[int] = set()
    for url in urls:
        for one in _node(url, settings):
            yield one
            if "chain_id" in one.values:
                chains.add(one.values["chain_id"])
    if len(chains) > 1:
        yield bad("nodes", "differ", chains=", ".join(map(str, sorted(chains))))
    if len(urls) == 1 and settings.rpc_url:
        yield odd("nodes", "single")
    yield from _contracts(settings, urls, chains)


def examine_engines(environment: dict[str, str]) -> Iterator[Finding]:
    """Look for geth and Kubo, which only a machine that runs them needs."""
    for engine in ENGINES.values():
        try:
            path = find(engine, environment)
        except LedgerError:
            yield good("engine", "none", name=engine.name, variable=engine.variable)
        else:
            yield good("engine", name=engine.name, path=path)


def _embedded(settings: Settings) -> Finding:
    if EmbeddedNode(settings.home).running() is not None:
        return good("embedded", "running")
    try:
        find_anvil()
    except AnvilMissing:
        return bad("embedded", "missing")
    return odd("embedded", "stopped")


def _node(url: str, settings: Settings) -> Iterator[Finding]:
    place = host_of(url)
    with Node(url, timeout_seconds=TIMEOUT_SECONDS) as node:
        try:
            chain_id = number_of(node.call("eth_chainId"))
            found = detect(node.call, chain=settings.chain)
            head = node.call("eth_getBlockByNumber", "latest", False)
            number, stamp = number_of(head["number"]), number_of(head["timestamp"])
            syncing = node.call("eth_syncing")
            peers = _peers(node)
        except LedgerError as error:
            yield bad("node", "silent", node=place, reason=error)
            return
    profile = found.profile
    values: dict[str, Any] = {
        "node": place,
        "chain_id": chain_id,
        "profile": profile.name,
        "client": found.client.split("/")[0] + "/" + found.client.partition("/")[2].split("-")[0],
        "head": number,
        "peers": "–" if peers is None else peers,
    }
    if syncing:
        yield bad("node", "syncing", **values)
    elif peers == 0 and not profile.is_instant:
        yield odd("node", "alone", **values)
    else:
        yield good("node", **values)
    seconds = stamp // 1000 if profile.counts_milliseconds else stamp
    # The clock of an instant chain is moved on purpose, and its blocks come when acts do.
    if not profile.is_instant:
        yield _clock(place, seconds)


def _peers(node: Node) -> int | None:
    try:
        return number_of(node.call("net_peerCount"))
    except LedgerError:
        return None


def _clock(place: str, seconds: int) -> Finding:
    ahead = seconds - int(time.time())
    if ahead > SKEW_SECONDS:
        return bad("clock", "behind", node=place, seconds=ahead)
    if -ahead > OLD_SECONDS:
        return bad("clock", "stalled", node=place, seconds=-ahead)
    return good("clock", node=place, seconds=max(0, -ahead))


def _contracts(settings: Settings, urls: tuple[str, ...], chains: set[int]) -> Iterator[Finding]:
    held = sorted(int(one.stem) for one in settings.deployments.glob("*.json"))
    if not held:
        yield bad("contracts", "none")
        return
    if chains and not chains & set(held):
        yield bad(
            "contracts",
            "elsewhere",
            ours=", ".join(map(str, held)),
            theirs=", ".join(map(str, sorted(chains))),
        )
        return
    for url in urls if chains else ():
        try:
            with Connection.to(url, timeout_seconds=TIMEOUT_SECONDS) as connection:
                found = load_deployments(settings.home, chain_id=connection.chain_id)
                for one in found:
                    verify_deployment(connection, one)
        except LedgerError as error:
            yield bad("contracts", "other", reason=error)
        else:
            yield good("contracts", versions=", ".join(str(one.version) for one in found))
        return
    yield odd("contracts", "unasked")
