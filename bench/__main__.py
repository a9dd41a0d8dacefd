"""
Runs the lines of performance.md and prints one line each; see bench/README.md.

A missed target is told and ends with 0 all the same; a line that cannot run ends with 1.
"""

import argparse
import json
import sys
import traceback
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from bench import (
    backfill,
    clearing,
    gas_lines,
    live,
    peers,
    proofs,
    reading,
    tracing,
    upkeep,
    writing,
)
from bench.lines import Line, Skip, skipped
from bench.machine import machine
from bench.sizes import QUICK, Sizes

RESULTS: Final = Path(__file__).resolve().parent / "results.json"

Measure = Callable[[Sizes], Iterable[Line]]

# In the order of performance.md.
BENCHES: Final[dict[str, Measure]] = {
    "gas": gas_lines.measure_gas,
    "backfill": backfill.measure_backfill,
    "rebuild": backfill.measure_rebuild,
    "web3": peers.measure_web3,
    "ponder": peers.measure_ponder,
    "live": live.measure_live,
    "verified": upkeep.measure_verified,
    "memory": upkeep.measure_memory,
    "writing": writing.measure_writing,
    "signing": writing.measure_signing,
    "reading": reading.measure_reading,
    "trace": tracing.measure_trace,
    "verify": proofs.measure_verify,
    "checkpoint": proofs.measure_checkpoint,
    "clearing": clearing.measure_clearing,
}


def main(arguments: Sequence[str]) -> int:
    """Run the named benches, or all, and return the exit code."""
    chosen = _parse(arguments)
    if chosen.list:
        sys.stdout.write("".join(f"{name}\n" for name in BENCHES))
        return 0
    sizes = QUICK if chosen.quick else Sizes()
    if chosen.events:
        sizes = replace(sizes, events=chosen.events)
    lines: list[Line] = []
    failed: list[str] = []
    for name in chosen.names or BENCHES:
        try:
            for line in BENCHES[name](sizes):
                lines.append(line)
                _say(line, to_stderr=chosen.json)
        except Skip as reason:
            lines.append(skipped(name, str(reason)))
            _say(lines[-1], to_stderr=chosen.json)
        except Exception:
            failed.append(name)
            sys.stderr.write(f"{name} could not run\n{traceback.format_exc()}")
    report = {
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": machine(),
        "is_quick": sizes.is_quick,
        "could_not_run": failed,
        "lines": [one.to_json() for one in lines],
    }
    text = json.dumps(report, indent=2, ensure_ascii=False) + "\n"
    if chosen.output:
        chosen.output.write_text(text, "utf-8")
    if chosen.json:
        sys.stdout.write(text)
    return 1 if failed else 0


def _parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="which lines; all by default")
    parser.add_argument("--json", action="store_true", help="print the results as JSON")
    parser.add_argument("--quick", action="store_true", help="tiny sizes: shows that it runs")
    parser.add_argument("--list", action="store_true", help="print the names and end")
    parser.add_argument("--events", type=int, default=0, help="size of the measured chain")
    parser.add_argument(
        "--output",
        type=Path,
        help="file for the results; by default bench/results.json if all lines run in full",
    )
    chosen = parser.parse_args(arguments)
    for name in chosen.names:
        if name not in BENCHES:
            parser.error(f"no line is called {name}: {', '.join(BENCHES)}")
    if chosen.output is None and not chosen.quick and not chosen.names:
        chosen.output = RESULTS
    return chosen


def _say(line: Line, *, to_stderr: bool) -> None:
    stream = sys.stderr if to_stderr else sys.stdout
    stream.write(line.to_text() + "\n")
    stream.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
