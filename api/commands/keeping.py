"""
`shulian content audit`, `repair` and `ls`: who keeps what the ledger names, and mending it.

The looking is `api.content`'s.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from api.commands.failing import REFUSED, Misused, add
from api.commands.homes import HomeOption, JsonOption, require_home, settings_for
from api.commands.progress import Parts, parts
from api.commands.showing import print_json, print_pairs
from api.commands.signals import stoppable

if TYPE_CHECKING:
    from api.content.round_rows import Purpose
    from api.content.rounds import Rounds
    from api.content.rows import Content

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
        typer.Option(
            "--full", help="Read everything; interrupted, the next run goes on for a day."
        ),
    ] = False,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """
    Read what the ledger names again, here and at every second copy; exit 0 only if all is whole.

    Content that was never kept here, being another's, is told apart from what was lost. Nothing is
    changed: `shulian content repair` mends.
    """
    from api.content.round_rows import Purpose

    if full and sample is not None:
        raise SampleOrFull(sample=sample)
    with _opened(home, as_json=as_json) as (rounds, shown):
        if full:
            read = _whole(rounds, Purpose.AUDIT, shown)
        else:
            read = _some(rounds, SAMPLED if sample is None else sample, shown)
    _tell(rounds, read, as_json=as_json)


def repair(home: HomeOption = None, as_json: JsonOption = False) -> None:
    """
    Read everything and put back what is not whole; exit 0 only if nothing is left to be done.

    Content comes from second copies, then from other exchanges' nodes, and is hashed before it is
    put and read back afterwards. What nobody has any more is named. Interrupted, the next run goes
    on for a day.
    """
    from api.content.round_rows import Purpose

    with _opened(home, as_json=as_json) as (rounds, shown):
        read = _whole(rounds, Purpose.REPAIR, shown)
    _tell(rounds, read, as_json=as_json)


def ls(
    state: Annotated[
        str | None, typer.Option(help="Only those in this state, such as LOST or ELSEWHERE.")
    ] = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the content that is named or kept, and how it was found last, here and elsewhere."""
    from api.content.rows import State, list_contents
    from api.content.stores import copy_names
    from api.migrations import open_operational

    wanted = (state or "").upper()
    if state is not None and wanted not in State.__members__:
        raise StateUnknown(state=state, known=", ".join(State.__members__))
    settings = settings_for(home)
    require_home(settings.home)
    operational = open_operational(settings.operational)
    try:
        states = [State[wanted]] if wanted else []
        found = list_contents(operational, states=states, limit=LISTED_MAX)
    finally:
        operational.dispose()
    listed = [one.only_at(copy_names(settings)) for one in found]
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """
    What one run of the command read.

    shape: `since` is when a full run began that this one went on with, None if it began itself;
           `before` is how much that had read; `found` holds each once, as found last
    """

    is_full: bool
    found: "Mapping[str, Content]"
    began_at: int
    since: int | None = None
    before: int = 0


def _whole(rounds: "Rounds", purpose: "Purpose", shown: Parts) -> Read:
    from api.content.round_rows import Purpose
    from api.content.rounds import Bounds
    from api.content.rows import count_left, counts

    began_at = rounds.clock()
    current = rounds.open(purpose)
    left = count_left(rounds.operational, current)
    before = sum(counts(rounds.operational).values()) - left
    is_mending = purpose is Purpose.REPAIR
    found: dict[str, Content] = {}
    known = rounds.faulty() if is_mending else ()
    if known:
        shown.begin("what was not whole")
        _count(rounds.look(known, current, is_mending=True), found, len(known), shown)
    shown.begin("reading and mending" if is_mending else "reading")
    _count(rounds.step(current, Bounds(), is_mending=is_mending), found, left, shown)
    return Read(
        is_full=True,
        found=found,
        began_at=began_at,
        since=current.began_at if before else None,
        before=before,
    )


def _some(rounds: "Rounds", number: int, shown: Parts) -> Read:
    from api.content.rows import sampled

    began_at = rounds.clock()
    drawn = sampled(rounds.operational, number)
    shown.begin("reading some at random")
    found: dict[str, Content] = {}
    _count(rounds.look(drawn, None, is_mending=False), found, len(drawn), shown)
    return Read(is_full=False, found=found, began_at=began_at)


def _count(
    batches: "Iterator[tuple[Content, ...]]",
    found: "dict[str, Content]",
    total: int,
    shown: Parts,
) -> None:
    for batch in batches:
        found.update({one.digest.value: one for one in batch})
        shown.count(len(found), total)


# --- telling --------------------------------------------------------------------------------------


def _tell(rounds: "Rounds", read: Read, *, as_json: bool) -> None:
    from api.content.rows import unwell

    places = rounds.keeper.places
    # What a run that was interrupted has read is known from its notes only.
    faults = (
        unwell(rounds.operational, places.copies)
        if read.is_full
        else tuple(one for one in read.found.values() if not one.is_well)
    )
    here, copies = _figures(rounds, read)
    told = {
        "whole": not faults,
        "full": read.is_full,
        "began_at": read.began_at,
        "looked_at": len(read.found),
        "continued_since": read.since,
        "looked_at_before": read.before,
        "here": here,
        "copies": copies,
        "swarm": list(places.swarm),
        "faults": [told_content(one) for one in faults],
    }
    if as_json:
        print_json(told)
    else:
        print_pairs(
            [
                ("content", "whole" if not faults else f"not whole in {len(faults)} places"),
                ("looked at", _looked_at(read)),
                *((f"here, {state.lower()}", str(number)) for state, number in here.items()),
                *((f"copy {name}", _numbers(one)) for name, one in copies.items()),
                *((one.digest.value, _line(one)) for one in faults[:SHOWN_MAX]),
            ]
        )
    if faults:
        raise typer.Exit(REFUSED)


def _looked_at(read: Read) -> str:
    if read.since is None:
        return str(len(read.found))
    began = datetime.fromtimestamp(read.since, UTC).isoformat().replace("+00:00", "Z")
    return f"{len(read.found)}, going on with a run of {began} that had read {read.before}"


def _figures(rounds: "Rounds", read: Read) -> "tuple[dict[str, int], dict[str, dict[str, int]]]":
    """Return how many of what was read are in each state here, and at each second copy."""
    from api.content.rows import copy_counts, counts

    if read.is_full:
        told = copy_counts(rounds.operational)
        places = rounds.keeper.places.copies
        return counts(rounds.operational), {name: told[name] for name in places if name in told}
    here = Counter(one.state.name for one in read.found.values())
    copies: dict[str, dict[str, int]] = {}
    for one in read.found.values():
        for name, condition in one.copies.items():
            there = copies.setdefault(name, {})
            there[condition] = there.get(condition, 0) + 1
    return dict(here), copies


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
