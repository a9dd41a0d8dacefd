"""
`shulian mirror status` and `verify`: how the mirror stands, and whether it is true.

Both read only. What changes the mirror is in `api.commands.mending`; the commands that list records
read it through `api.commands.mirrors`.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from random import Random
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from api.commands.failing import REFUSED, Misused, add
from api.commands.homes import HomeOption, JsonOption, require_home, settings_for
from api.commands.progress import Parts, parts
from api.commands.showing import print_json, print_pairs
from api.commands.signals import stoppable
from chain.failure import LedgerError

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from api.config import Settings
    from api.upkeep.mirror_state import MirrorState, Placed
    from api.upkeep.verification import Check
    from chain.fetch import Source
    from chain.rpc import Endpoint

HELP: Final = "The mirror of the chain: how it stands, whether it is true, and mending it."
EXAMPLE: Final = "\b\nExample:\n  shulian mirror status"
SAMPLED: Final = 200
KIB: Final = 1024


class ChoiceUnclear(Misused):
    """These options exclude each other."""

    options: str


def register(app: typer.Typer) -> None:
    """Add the group."""
    from api.commands import archiving, mending

    group = typer.Typer(help=HELP, epilog=EXAMPLE, rich_markup_mode=None, no_args_is_help=True)
    app.add_typer(group, name="mirror")
    add(group, status, name="status", example="shulian mirror status --json")
    add(group, verify, name="verify", example="shulian mirror verify --full")
    mending.register(group)
    archiving.register(group)


# --- status ---------------------------------------------------------------------------------------


def status(home: HomeOption = None, as_json: JsonOption = False) -> None:
    """Show tip, finality, node, counts, checksums, the writer and the database of the mirror."""
    from api.upkeep.mirror_state import state_of

    settings = settings_for(home)
    require_home(settings.home)
    with opened(settings) as mirror, node_of(settings) as node:
        found = state_of(mirror, settings.mirror_lock, node)
        rule = _rule(settings, node)
    told = {"home": str(settings.home), "finality": rule, "verified": settings.verify}
    if as_json:
        print_json({**told, **asdict(found)})
        return
    print_pairs([("home", told["home"]), *_pairs(found, rule, settings.verify)])


def _pairs(found: "MirrorState", rule: str, verified: str) -> list[tuple[str, str]]:
    counts = [(name.replace("_", " "), str(number)) for name, number in found.counts.items()]
    writer = "nobody"
    if found.writer.is_writing:
        writer = "a process" if found.writer.pid is None else f"process {found.writer.pid}"
    layout = f"{found.layout}" + ("" if found.layout == found.newest_layout else " (older)")
    return [
        ("tip", _block(found.tip)),
        ("final block", _block(found.final)),
        ("finality", rule),
        ("receipts recomputed", "yes" if verified == "receipts" else "no"),
        ("node's head", "–" if found.node_head is None else str(found.node_head)),
        ("lag", "–" if found.lag_blocks is None else f"{found.lag_blocks} blocks"),
        *counts,
        ("checksum at tip", found.tip.checksum if found.tip else "–"),
        ("checksum at final block", found.final.checksum if found.final else "–"),
        ("alarm", found.alarm or "none"),
        ("written by", writer),
        ("database", f"{found.database}, {found.size_bytes // KIB} KiB"),
        ("layout", layout),
    ]


def _block(placed: "Placed | None") -> str:
    return "–" if placed is None else f"{placed.number} {placed.hash}"


def _rule(settings: "Settings", node: "Endpoint | None") -> str:
    from chain.detection import detect
    from chain.finality import AUTO, finality_of

    if settings.finality != AUTO or node is None:
        return settings.finality
    try:
        profile = detect(node.call, chain=settings.chain).profile
        depth = finality_of(settings.finality, profile.finality).depth
    except LedgerError:
        return settings.finality
    return f"{AUTO}, {depth} blocks"


# --- verify ---------------------------------------------------------------------------------------


def verify(
    sample: Annotated[
        int | None,
        typer.Option(min=0, help=f"Compare so many records at random; by default {SAMPLED}."),
    ] = None,
    full: Annotated[
        bool,
        typer.Option("--full", help="Compare all records, and fold all events anew in a copy."),
    ] = False,
    offline: Annotated[
        bool, typer.Option("--offline", help="Ask no node: what is stored against itself only.")
    ] = False,
    against: Annotated[
        str | None,
        typer.Option(
            help="Compare with another exchange's mirror, and find the first block that differs.",
            metavar="URL",
        ),
    ] = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """
    Check that the mirror is true; exit 0 only if nothing differs.

    Stored blocks hang together and are the node's, with as many events; records equal what the
    contracts answer; with --full the stored events fold to the same records and checksums again.
    """
    if full and sample is not None:
        raise ChoiceUnclear(options="--full --sample")
    settings = settings_for(home)
    require_home(settings.home)
    number = None if full else SAMPLED if sample is None else sample
    with (
        stoppable(),
        _chain_of(settings, is_needed=not offline),
        opened(settings) as mirror,
        node_of(settings) as node,
        parts(is_quiet=as_json) as shown,
    ):
        checks = list(_checks(settings, mirror, None if offline else node, number, shown))
        if against is not None:
            shown.begin(f"compare with {against}")
            checks.append(_peer(mirror, against))
    is_equal = all(one.is_equal for one in checks)
    if as_json:
        print_json({"equal": is_equal, "checks": [_told(one) for one in checks]})
    else:
        print_pairs([("mirror", "equal" if is_equal else "different"), *_lines(checks)])
    if not is_equal:
        raise typer.Exit(REFUSED)


@contextmanager
def _chain_of(settings: "Settings", *, is_needed: bool) -> Iterator[None]:
    """Let the chain inside the home run meanwhile, if it is asked and nobody lets it run."""
    from chain.node import EmbeddedNode

    if not is_needed or settings.rpc_url or EmbeddedNode(settings.home).running() is not None:
        yield
        return
    from api.commands.ledgers import open_ledger, open_parts

    with open_ledger(settings) as ledger, open_parts(ledger):
        yield


def _checks(
    settings: "Settings",
    mirror: "Engine",
    node: "Endpoint | None",
    number: int | None,
    shown: Parts,
) -> "Iterator[Check]":
    from api.upkeep.verification import verify_blocks, verify_links, verify_rebuild, verify_records
    from settlement.projection import apply

    shown.begin("blocks and their parents")
    yield verify_links(mirror)
    if node is not None:
        shown.begin("blocks and events against the node")
        yield verify_blocks(mirror, source_for(settings, mirror, node), note=shown.count)
        shown.begin("records against the contracts")
        yield verify_records(mirror, node, number=number, random=Random(), note=shown.count)
    if number is None:
        shown.begin("stored events folded anew")
        yield verify_rebuild(mirror, apply, folder=settings.home, note=shown.count)


def _peer(mirror: "Engine", url: str) -> "Check":
    from api.upkeep.peers import Peer, compare_with
    from api.upkeep.verification import check_of

    peer = Peer(url)
    try:
        found = compare_with(mirror, peer)
    finally:
        peer.close()
    told = []
    if found.first_different is not None:
        why = "the same block made other records" if found.is_same_chain else "another block"
        told.append(f"first different at block {found.first_different}: {why}")
    return check_of(f"against {url}", found.block_number, told)


def _told(check: "Check") -> dict[str, Any]:
    return {**asdict(check), "equal": check.is_equal}


def _lines(checks: "list[Check]") -> list[tuple[str, str]]:
    lines = []
    for one in checks:
        verdict = "equal" if one.is_equal else f"{one.count} differ"
        lines.append((one.name, f"{verdict} ({one.checked} checked)"))
        lines += [("", text) for text in one.differences]
    return lines


# --- what both need -------------------------------------------------------------------------------


@contextmanager
def opened(settings: "Settings") -> "Iterator[Engine]":
    """Open the mirror of a home, in this version's layout."""
    from api.databases import open_current

    mirror = open_current(settings.mirror_url, settings.mirror_lock)
    try:
        yield mirror
    finally:
        mirror.dispose()


def source_for(settings: "Settings", mirror: "Engine", node: "Endpoint") -> "Source":
    """Return what the mirror follows, as its worker would."""
    from sqlmodel import Session

    from api.config import VERIFIED
    from chain.deployments import load_deployments
    from chain.detection import detect
    from chain.fetch import Source
    from chain.finality import finality_of
    from chain.nodes import Nodes
    from chain.rpc import number_of
    from chain.store import followed

    with Session(mirror) as session:
        chain_id, known = followed(session)
    chain_id = number_of(node.call("eth_chainId")) if chain_id is None else chain_id
    deployed = load_deployments(settings.home, chain_id=chain_id)
    profile = detect(node.call, chain=settings.chain).profile
    return Source(
        node=node,
        chain_id=chain_id,
        contracts=tuple(one for each in deployed for one in each.followed()) or known,
        finality=finality_of(settings.finality, profile.finality),
        verify=settings.verify == VERIFIED and profile.commits_to_receipts,
        has_blooms=profile.has_blooms,
        has_block_receipts=profile.has_block_receipts,
        witnesses=node.each if isinstance(node, Nodes) else (),
    )


@contextmanager
def node_of(settings: "Settings") -> "Iterator[Endpoint | None]":
    """Open the node of a home's chain if it runs, and start none."""
    from chain.node import EmbeddedNode
    from chain.nodes import open_nodes

    running = EmbeddedNode(settings.home).running() if not settings.rpc_url else None
    url = settings.rpc_url or (running.url if running else "")
    if not url:
        yield None
        return
    with open_nodes(url) as node:
        yield node
