"""
`shulian status`: what of a home runs, how far its mirror is, and what it holds.
"""

import contextlib
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import typer

from api.commands.failing import add
from api.commands.homes import HomeOption, JsonOption, require_home, serving, settings_for
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
        ("chain", f"{chain['chain_id']} at {chain['url']}" if chain["running"] else "not running"),
        ("head", str(chain["head"]) if chain["head"] is not None else "–"),
        ("mirror", f"block {mirror['block_number']}" if mirror else "empty"),
        ("lag", str(mirror["lag_blocks"]) if mirror and chain["running"] else "–"),
        (
            "API",
            f"{served['url']} (process {served['pid']})" if served["running"] else "not running",
        ),
    ]
    print_pairs([*pairs, *rows_of(told["counts"])] if told["counts"] else pairs)


def _state(settings: "Settings") -> dict[str, Any]:
    from api.commands.counting import counts_of
    from api.commands.mirrors import MirrorUnfilled, open_reading

    found = serving(settings.home)
    chain = _chain(settings)
    mirror, counts = None, None
    with contextlib.suppress(MirrorUnfilled), open_reading(settings) as reading:
        number = reading.block.number
        lag = None if chain["head"] is None else max(0, chain["head"] - number)
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
    silent = {"running": False, "chain_id": chain_id, "url": told, "head": None}
    if not url:
        return silent
    try:
        with open_nodes(url) as node:
            found, head = node.batch([("eth_chainId", []), ("eth_blockNumber", [])])
    except LedgerError:
        return silent
    return {"running": True, "chain_id": number_of(found), "url": told, "head": number_of(head)}
