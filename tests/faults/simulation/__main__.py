"""
`scripts/simulate`: reads its arguments, runs the battery, prints one object.
"""

import argparse
import json
import logging
import signal
import sys
from collections.abc import Mapping, Sequence
from typing import Any, Final

from tests.faults.simulation.battery import FAULTS, plan
from tests.faults.simulation.running import Fault, simulate
from tests.postgres import DATABASES, Databases

# What else than the mirror is put under fire.
CONSORTIUM: Final = "consortium"
CONTENT: Final = "content"


def main(arguments: Sequence[str] | None = None) -> int:
    """Simulate, and return the status to end with."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    faults = _faults(given[0]) if given else FAULTS
    asked = _parser(faults).parse_args(given[1:] if faults is not FAULTS else given)
    # What the packages log of faults is as expected; what is wrong, the runs say.
    logging.disable(logging.CRITICAL)
    databases = Databases()
    try:
        result = simulate(
            plan(asked.fault, runs=asked.runs, database=asked.database, faults=faults),
            seed=asked.seed,
            databases=databases,
            say=lambda line: print(f"simulate: {line}", file=sys.stderr, flush=True),  # noqa: T201
        )
    finally:
        if faults is not FAULTS:
            _leave()
        logging.disable(logging.NOTSET)
        databases.stop()
    for one in result["by_fault"].values():
        _rate(one)
    text = json.dumps(result, indent=None if asked.json else 2)
    print(text)  # noqa: T201
    return 1 if result["failed"] else 0


def _faults(word: str) -> Mapping[str, Fault]:
    # They need geth or Kubo, which the mirror's own faults do not.
    if word == CONSORTIUM:
        from tests.faults.simulation.consortium.fires import FIRES

        return FIRES
    if word == CONTENT:
        from tests.faults.simulation.contents import LOSSES

        return LOSSES
    return FAULTS


def _leave() -> None:
    from tests.faults.simulation.consortium.worlds import leave

    leave()


def _rate(told: dict[str, Any]) -> None:
    """Add how many writes were confirmed per second, where there were any."""
    if told.get("load_seconds"):
        told["writes_per_second"] = round(told["writes"] / told["load_seconds"], 2)


def _parser(faults: Mapping[str, Fault]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="scripts/simulate",
        description="Puts the mirror under every fault there is and compares what is left;"
        " `scripts/simulate consortium` does so to a whole consortium of geth validators,"
        " `scripts/simulate content` to what the ledger names and stores keep.",
    )
    parser.add_argument("--seed", type=int, default=0, help="the first run's seed (default 0)")
    parser.add_argument("--runs", type=int, help="of each fault (default: as in the night)")
    parser.add_argument("--fault", nargs="+", action="extend", default=[], choices=list(faults))
    parser.add_argument("--database", choices=DATABASES, help="default: both")
    parser.add_argument("--json", action="store_true", help="print the result on one line")
    return parser


if __name__ == "__main__":
    # Asked to end, it ends what it started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    sys.exit(main())
