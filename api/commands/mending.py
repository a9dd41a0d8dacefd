"""
`shulian mirror rebuild` and `repair`: what changes a mirror, as its only writer.

The work is `chain.store`'s and `api.upkeep.repairs`'.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from api.commands.failing import REFUSED, add
from api.commands.homes import HomeOption, JsonOption, require_home, settings_for
from api.commands.progress import parts
from api.commands.showing import print_json, print_pairs
from api.commands.signals import stoppable

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from api.config import Settings
    from chain.rpc import Endpoint


def register(group: typer.Typer) -> None:
    """Add the commands."""
    add(group, rebuild, name="rebuild", example="shulian mirror rebuild --json")
    add(group, repair, name="repair", example="shulian mirror repair --accept-fork-below-final")


def rebuild(home: HomeOption = None, as_json: JsonOption = False) -> None:
    """
    Make all records anew from the stored events; no node is asked.

    It is one transaction: readers see the old records until all new ones are there, and a rebuild
    that is stopped changes nothing and is simply begun again.
    """
    from api.upkeep.verification import count_events, mirror_checksum
    from chain.store import rebuild as fold_anew
    from settlement.projection import apply

    settings = settings_for(home)
    require_home(settings.home)
    with stoppable(), writing(settings) as mirror, parts(is_quiet=as_json) as shown:
        before = mirror_checksum(mirror)
        shown.begin("fold all stored events")
        total = count_events(mirror)
        events = fold_anew(mirror, apply, lambda done: shown.count(done, total))
        after = mirror_checksum(mirror)
    told = {"events": events, "checksum": after, "changed": before != after}
    if as_json:
        print_json(told)
        return
    changed = "other records than before" if before != after else "the same records as before"
    print_pairs([("events", str(events)), ("made", changed), ("checksum", after)])


def repair(
    accept_fork_below_final: Annotated[
        bool,
        typer.Option(
            "--accept-fork-below-final",
            help="Also give up blocks that were served as final, where the node has others. The"
            " mirror as it is now is kept as a file beside.",
        ),
    ] = False,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """
    Fetch anew what is missing or differs from the node, and try unreadable logs again.

    Nothing is given up that was served as final, unless you say so: then it tells how many blocks,
    from which on, and where the old mirror is. Exit 0 only if no unreadable log is left.
    """
    from api.commands.mirroring import source_for
    from api.upkeep.repairs import mend
    from settlement.projection import apply

    settings = settings_for(home)
    require_home(settings.home)
    with (
        stoppable(),
        _chain(settings) as node,
        writing(settings) as mirror,
        parts(is_quiet=as_json) as shown,
    ):
        done = mend(
            mirror,
            source_for(settings, mirror, node),
            apply,
            keep_in=settings.home,
            is_final_permitted=accept_fork_below_final,
            begin=shown.begin,
        )
    told: dict[str, Any] = asdict(done)
    if as_json:
        print_json(told)
    else:
        letters = f"{done.letters.before} before, {done.letters.after} left"
        pairs = [("differences", str(len(done.differences)))]
        if done.from_block is not None:
            pairs += [
                ("fetched anew from block", str(done.from_block)),
                ("blocks", str(done.blocks)),
                ("events", str(done.events)),
                ("final blocks given up", str(done.given_up)),
            ]
        pairs += [("the mirror before", done.kept)] if done.kept else []
        print_pairs([*pairs, ("unreadable logs", letters)])
    if done.letters.after:
        raise typer.Exit(REFUSED)


@contextmanager
def writing(settings: "Settings") -> "Iterator[Engine]":
    """
    Open the mirror of a home as its only writer.

    :raises MirrorWritten: if another process writes it
    """
    from api.commands.mirroring import opened
    from api.databases import MirrorWritten, alone
    from chain.process import AlreadyHeld

    with opened(settings) as mirror, ExitStack() as stack:
        try:
            stack.enter_context(alone(mirror, settings.mirror_lock))
        except AlreadyHeld as error:
            raise MirrorWritten(lock=str(settings.mirror_lock)) from error
        yield mirror


@contextmanager
def _chain(settings: "Settings") -> "Iterator[Endpoint]":
    """Open the node of a home's chain, starting the embedded one if nobody has."""
    from api.commands.ledgers import open_ledger
    from api.commands.mirroring import node_of
    from chain.nodes import open_nodes

    with node_of(settings) as running:
        if running is not None:
            yield running
            return
    with open_ledger(settings) as opened, open_nodes(opened.rpc_url) as node:
        yield node
