"""
Runs faults by their seeds and counts what came of them.

A run is told by fault, database and seed alone, so each can be run again. What a fault does is its
own module's affair; which there are, `battery`'s.
"""

import random
import tempfile
import time
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from tests.postgres import Databases

Numbers = Mapping[str, int | float]
"""What a run measured: added up over the runs, but the largest of those that end in `_max`."""

LARGEST: Final = "_max"
SAY_EVERY: Final = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """
    What one run of a fault has to work with.

    shape: `chance` follows from the fault's name and the seed; `folder` is empty and its own
    """

    seed: int
    database: str
    chance: random.Random
    folder: Path
    databases: Databases

    def mirror(self, name: str = "mirror.db") -> str:
        """Return the URL of a mirror that is empty when first asked for."""
        return self.databases.url(self.folder / name, self.database)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """
    One way in which things go wrong.

    shape: `nightly` says how many runs the whole battery has on each database; `battery` is the
           word after `scripts/simulate` that runs it, if there is one
    """

    name: str
    run: Callable[[Run], Numbers]
    nightly: Mapping[str, int]
    battery: str = ""


@dataclass(slots=True)
class Count:
    """How many runs there were of something, how many failed, and what they measured."""

    runs: int = 0
    failed: int = 0
    seconds: float = 0
    numbers: dict[str, int | float] = field(default_factory=dict)

    def add(self, numbers: Numbers, *, seconds: float, failed: bool = False) -> None:
        """Count a run."""
        self.runs += 1
        self.failed += failed
        self.seconds += seconds
        for name, value in numbers.items():
            before = self.numbers.get(name, 0)
            self.numbers[name] = max(before, value) if name.endswith(LARGEST) else before + value

    def told(self) -> dict[str, Any]:
        """Return the members of the JSON object."""
        numbers = {name: _short(value) for name, value in self.numbers.items()}
        return {
            "runs": self.runs,
            "failed": self.failed,
            "seconds": _short(self.seconds),
            **numbers,
        }


@contextmanager
def prepared(fault: Fault, *, database: str, seed: int, databases: Databases) -> Iterator[Run]:
    """Make room for a run, and clear it away afterwards."""
    with tempfile.TemporaryDirectory(prefix="shulian-simulate-") as folder:
        run = Run(
            seed=seed,
            database=database,
            chance=random.Random(f"{fault.name}/{seed}"),
            folder=Path(folder),
            databases=databases,
        )
        try:
            yield run
        finally:
            for name in ("mirror.db", "other.db"):
                databases.forget(run.folder / name, database)


def simulate(
    plan: Iterable[tuple[Fault, str, int]],
    *,
    seed: int,
    databases: Databases,
    say: Callable[[str], None],
) -> dict[str, Any]:
    """
    Carry out a plan and return its result.

    shape: a plan has faults, each with a database and a number of runs, whose seeds rise from
           `seed`; `say` gets what a person waiting wants to know
    """
    counts: dict[str, Count] = {}
    apart: dict[str, dict[str, Count]] = {}
    for fault, database, runs in plan:
        here = apart.setdefault(fault.name, {}).setdefault(database, Count())
        total = counts.setdefault(fault.name, Count())
        for one in range(seed, seed + runs):
            began = time.monotonic()
            numbers, failure = _run(fault, database, one, databases)
            seconds = time.monotonic() - began
            for count in (here, total):
                count.add(numbers, seconds=seconds, failed=failure is not None)
            if failure is not None:
                say(f"FAILED {fault.name} on {database}, seed {one}: {failure}")
                say(f"again: {again(fault, database, one)}")
            if here.runs % SAY_EVERY == 0:
                say(f"{fault.name} on {database} so far: {here.told()}")
        say(f"{fault.name} on {database}: {here.told()}")
    return {
        "runs": sum(one.runs for one in counts.values()),
        "failed": sum(one.failed for one in counts.values()),
        "by_fault": {
            name: {
                **count.told(),
                "by_database": {database: one.told() for database, one in apart[name].items()},
            }
            for name, count in counts.items()
        },
    }


def again(fault: Fault, database: str, seed: int) -> str:
    """Return the command that repeats one run."""
    command = f"scripts/simulate {fault.battery}".strip()
    return f"{command} --fault {fault.name} --database {database} --seed {seed} --runs 1 --json"


def _run(
    fault: Fault, database: str, seed: int, databases: Databases
) -> tuple[Numbers, str | None]:
    try:
        with prepared(fault, database=database, seed=seed, databases=databases) as run:
            return fault.run(run), None
    except AssertionError as error:
        return {}, f"{type(error).__name__}: {error}"
    except Exception:
        # Whatever a fault lets out is a failure of its run, and not the end of the battery.
        return {}, traceback.format_exc()


def _short(value: int | float) -> int | float:
    return round(value, 2) if isinstance(value, float) else value
