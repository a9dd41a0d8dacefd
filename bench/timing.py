"""
Small measures that several lines share: percentiles, rates, and what a process holds resident.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from time import perf_counter


def percentile(values: Sequence[float], percent: int) -> float:
    """Return the smallest value that so many percent of the values do not exceed."""
    ordered = sorted(values)
    place = -(-len(ordered) * percent // 100)
    return ordered[max(0, place - 1)]


def rate(count: int, run: Callable[[], object]) -> float:
    """Return how many of something a run that does `count` of them does in a second."""
    began = perf_counter()
    run()
    return count / (perf_counter() - began)


def seconds(run: Callable[[], object]) -> float:
    """Return how long a run takes."""
    began = perf_counter()
    run()
    return perf_counter() - began


def peak_resident_mb(pid: int | str = "self") -> float:
    """Return the most memory that a process ever held resident, in megabytes of 2^20."""
    for line in Path(f"/proc/{pid}/status").read_text("ascii").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1_024
    raise RuntimeError("this system does not say what is resident")
