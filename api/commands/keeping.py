"""
`shulian content audit`, `repair` and `ls`: who keeps what the ledger names, and mending it.

The looking is `api.content`'s.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from api.commands.failing import REFUSED, Misused, add
from api.commands.homes import HomeOption, JsonOption, require_home, settings_for
from api.commands.progress import Parts, parts
from api.commands.showing import print_json, print_pairs
from api.commands.signals import stoppable

if TYPE_CHECKING:
    from api.content.rounds import Rounds
    from api.content.rows import Content, Round

HELP: Final = "The content that the ledger names by digest: who keeps it, and putting it back."
EXAMPLE: Final = "\b\nExample:\n  shulian content audit"
SAMPLED: Final = 200
SHOWN_MAX: Final = 20
LISTED_MAX: Final = 1_000


class SampleOrFull(Misused):
    """--sample and --full exclude each other."""

    sample: int


class StateUnknown(Misused):
    """There is no such state of content."""

    state: str
    known: str


def register(app: typer.Typer) -> None:
    """Add the group."""
    group = typer.Typer(help=HELP, epilog=EXAMPLE, rich_markup_mode=None, no_args_is_help=True)
    app.add_typer(group, name="content")
    add(group, audit, name="audit", example="shulian content audit --full")
    add(group, repair, name="repair", example="shulian content repair --json")
    add(group, ls, name="ls", example="shulian content ls --state LOST")


def audit(
    sample: Annotated[
        int | None,
        typer.Option(min=1, help=f"Read so many at random; by default {SAMPLED}."),
    ] = None,
    full: Annotated[
        bool,
        typer.Option("--full", help="Read everything; interrupted, the next run goes on."),
    ] = False,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """
    Read what the ledger names again, here and at every second copy; exit 0 only if all is whole.

    Content that was never kept here, being another's, is told apart from what was lost. Nothing is
    changed: `shulian content repair` mends.
    """
    if full and sample is not None:
        raise SampleOrFull(sample=sample)
    with _opened(home, as_json=as_json) as (rounds, shown):
        current = rounds.open()
        if full:
            found = _whole(rounds, current, shown, is_mending=False)
        else:
            found = _some(rounds, current, SAMPLED if sample is None else sample, shown)
    _tell(rounds, current, found, is_full=full, as_json=as_json)


def repair(home: HomeOption = None, as_json: JsonOption = False) -> None:
    """
    Read everything and put back what is not whole; exit 0 only if nothing is left to be done.

    Content comes from second copies, then from other exchanges' nodes, and is hashed before it is
    put and read back afterwards. What nobody has any more is named.
    """
    with _opened(home, as_json=as_json) as (rounds, shown):
        current = rounds.open()
        known = rounds.faulty()
        if known:
            shown.begin("what was not whole")
            _count(rounds.look(known, current, is_mending=True), len(known), shown)
        found = _whole(rounds, current, shown, is_mending=True)
    _tell(rounds, current, found, is_full=True, as_json=as_json)


def ls(
    state: Annotated[
        str | None, typer.Option(help="Only those in this state, such as LOST or ELSEWHERE.")
    ] = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the content that is named or kept, and how it was found last, here and elsewhere."""
    from api.content.rows import State, list_contents
    from api.migrations import open_operational

    wanted = (state or "").upper()
    if state is not None and wanted not in State.__members__:
        raise StateUnknown(state=state, known=", ".join(State.__members__))
    settings = settings_for(home)
    require_home(settings.home)
    operational = open_operational(settings.operational)
    try:
        states = [State[wanted]] if wanted else []
        listed = list_contents(operational, states=states, limit=LISTED_MAX)
    finally:
        operational.dispose()
    if as_json:
        print_json([told_content(one) for one in listed])
        return
    print_pairs([(one.digest.value, _line(one)) for one in listed] or [("content", "none")])


# --- looking --------------------------------------------------------------------------------------


@contextmanager
def _opened(home: Any, *, as_json: bool) -> "Iterator[tuple[Rounds, Parts]]":
    from api.commands.mirroring import opened
    from api.content.rounds import Rounds
    from api.content.stores import keeper_of
    from api.migrations import open_operational

    settings = settings_for(home)
    require_home(settings.home)
    with stoppable(), opened(settings) as mirror, parts(is_quiet=as_json) as shown:
        operational = open_operational(settings.operational)
        try:
            rounds = Rounds(mirror, operational, keeper_of(settings))
            shown.begin("what the ledger names")
            while rounds.read_names():
                pass
            yield rounds, shown
        finally:
            operational.dispose()


def _whole(
    rounds: "Rounds", current: "Round", shown: Parts, *, is_mending: bool
) -> "tuple[Content, ...] | None":
    from api.content.rounds import Bounds
    from api.content.rows import count_left

    left = count_left(rounds.operational, current.round_id)
    shown.begin("reading and mending" if is_mending else "reading")
    _count(rounds.step(current, Bounds(), is_mending=is_mending), left, shown)
    return None


def _some(rounds: "Rounds", current: "Round", number: int, shown: Parts) -> "tuple[Content, ...]":
    from api.content.rows import sampled

    drawn = sampled(rounds.operational, number)
    shown.begin("reading some at random")
    return _count(rounds.look(drawn, current, is_mending=False), len(drawn), shown)


def _count(
    batches: "Iterator[tuple[Content, ...]]", total: int, shown: Parts
) -> "tuple[Content, ...]":
    found: list[Content] = []
    for batch in batches:
        found += batch
        shown.count(len(found), total)
    return tuple(found)


# --- telling --------------------------------------------------------------------------------------


def _tell(
    rounds: "Rounds",
    current: "Round",
    found: "tuple[Content, ...] | None",
    *,
    is_full: bool,
    as_json: bool,
) -> None:
    from api.content.rows import copy_counts, counts, unwell

    faults = unwell(rounds.operational) if found is None else _unwell(found)
    here, copies = counts(rounds.operational), copy_counts(rounds.operational)
    told = {
        "whole": not faults,
        "full": is_full,
        "began_at": current.began_at,
        "looked_at": sum(here.values()) if found is None else len(found),
        "here": here,
        "copies": copies,
        "swarm": list(rounds.keeper.places.swarm),
        "faults": [told_content(one) for one in faults],
    }
    if as_json:
        print_json(told)
    else:
        print_pairs(
            [
                ("content", "whole" if not faults else f"not whole in {len(faults)} places"),
                ("looked at", str(told["looked_at"])),
                *((f"here, {state.lower()}", str(number)) for state, number in here.items()),
                *((f"copy {name}", _numbers(one)) for name, one in copies.items()),
                *((one.digest.value, _line(one)) for one in faults[:SHOWN_MAX]),
            ]
        )
    if faults:
        raise typer.Exit(REFUSED)


def _unwell(found: "Sequence[Content]") -> "tuple[Content, ...]":
    return tuple(one for one in found if not one.is_well)


def told_content(one: "Content") -> dict[str, Any]:
    """Return what is known of a content as JSON."""
    return {
        "digest": one.digest.value,
        "algorithm": one.digest.algorithm.name,
        "cid": one.cid,
        "size_bytes": one.size_bytes,
        "named_by": one.named_by,
        "named_block": one.named_block,
        "kept": one.is_kept,
        "state": one.state.name,
        "copies": dict(one.copies),
    }


def _numbers(counts: dict[str, int]) -> str:
    return ", ".join(f"{number} {state.lower()}" for state, number in sorted(counts.items()))


def _line(one: "Content") -> str:
    copies = [f"{condition.lower()} at {name}" for name, condition in sorted(one.copies.items())]
    block = "" if one.named_block is None else f" (block {one.named_block})"
    said = f"{one.named_by or 'put here'}{block}: {one.state.name.lower()} here"
    return "; ".join([said, *copies])
