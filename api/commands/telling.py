"""
`shulian status`: what of a home runs, how far its mirror is, and what it holds.
"""

import contextlib
import logging
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import typer

from api.commands.failing import add
from api.commands.homes import (
    HomeOption,
    JsonOption,
    chain_ids_of,
    require_home,
    serving,
    settings_for,
)
from api.commands.showing import print_json, print_pairs
from chain.failure import LedgerError

if TYPE_CHECKING:
    from api.config import Settings


def register(app: typer.Typer) -> None:
    """Add the command."""
    add(app, status, name="status", example="shulian status --json")


def status(home: HomeOption = None, as_json: JsonOption = False) -> None:
    """Show chain, head, how far the mirror is behind, where the API is, and the counts."""
    settings = settings_for(home)
    require_home(settings.home)
    told = _state(settings)
    if as_json:
        print_json(told)
        return
    from api.commands.counting import rows_of

    chain, mirror, served = told["chain"], told["mirror"], told["api"]
    pairs = [
        ("home", told["home"]),
        ("chain", _chain_line(chain)),
        ("head", str(chain["head"]) if chain["head"] is not None else "–"),
        ("mirror", f"block {mirror['block_number']}" if mirror else "empty"),
        ("lag", "–" if not mirror or mirror["lag_blocks"] is None else str(mirror["lag_blocks"])),
        (
            "API",
            f"{served['url']} (process {served['pid']})" if served["running"] else "not running",
        ),
    ]
    print_pairs([*pairs, *rows_of(told["counts"])] if told["counts"] else pairs)


def _chain_line(chain: dict[str, Any]) -> str:
    if chain["running"] and chain["is_ours"]:
        return f"{chain['chain_id']} at {chain['url']}"
    if chain["running"]:
        ours = ", ".join(str(one) for one in chain["home_chain_ids"])
        served = f"{chain['url']} serves another chain ({chain['chain_id']})"
        return f"the node at {served}, this home is on {ours}: name a node of that in rpc_url"
    return f"no node answers at {chain['url']}" if chain["url"] else "not running"


def _state(settings: "Settings") -> dict[str, Any]:
    from api.commands.counting import counts_of
    from api.commands.mirrors import MirrorUnfilled, open_reading

    found = serving(settings.home)
    chain = _chain(settings)
    mirror, counts = None, None
    with contextlib.suppress(MirrorUnfilled), open_reading(settings) as reading:
        number = reading.block.number
        # How high another chain is says nothing of ours.
        is_known = chain["head"] is not None and chain["is_ours"]
        lag = max(0, chain["head"] - number) if is_known else None
        mirror = {"block_number": number, "block_hash": reading.block.hash, "lag_blocks": lag}
        counts = counts_of(reading.session)
    return {
        "home": str(settings.home),
        "chain": chain,
        "mirror": mirror,
        "api": {
            "running": found is not None and bool(found.url),
            "url": found.url if found else "",
            "pid": found.pid if found else None,
        },
        "counts": counts,
    }


def _chain(settings: "Settings") -> dict[str, Any]:
    from api.config import shown
    from chain.node import EmbeddedNode
    from chain.nodes import open_nodes
    from chain.rpc import number_of

    embedded = EmbeddedNode(settings.home)
    running = embedded.running()
    served = serving(settings.home)
    url = settings.rpc_url or (running.url if running else "") or (served.rpc_url if served else "")
    # Providers of nodes put their keys into the address.
    told = shown(replace(settings, rpc_url=url), "rpc_url")
    is_made = (settings.home / "chain" / "chain.json").is_file()
    chain_id = embedded.identity().chain_id if is_made and not settings.rpc_url else None
    ours = chain_ids_of(settings.home)
    silent = {
        "running": False,
        "chain_id": chain_id,
        "url": told,
        "head": None,
        "home_chain_ids": ours,
        "is_ours": True,
    }
    if not url:
        return silent
    try:
        with _hushed(), open_nodes(url) as node:
            found, head = node.batch([("eth_chainId", []), ("eth_blockNumber", [])])
    except LedgerError:
        return silent
    return {
        **silent,
        "running": True,
        "chain_id": number_of(found),
        "head": number_of(head),
        "is_ours": not ours or number_of(found) in ours,
    }


@contextlib.contextmanager
def _hushed() -> Iterator[None]:
    """Log no node that rests meanwhile: what is said of the chain says it."""
    log = logging.getLogger("chain.nodes")
    before, log.disabled = log.disabled, True
    try:
        yield
    finally:
        log.disabled = before
