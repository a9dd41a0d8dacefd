"""
One measured line: what we did, what the ceiling or the peer did in the same run, and the judgement.

A line that misses its target is told so and fails nothing: a benchmark is not a test.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from statistics import median
from typing import Any, Final


class Verdict(Enum):
    """How a line stands to its target."""

    PASS = "PASS"
    FAIL = "FAIL"
    SKIP = "SKIP"
    NONE = "-"


class Skip(Exception):
    """An optional peer is not to be had here; the reason is the message."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """
    A line of the report.

    shape: `ratio` is ours over the reference's, None without one; `target` says what is asked for,
           empty where nothing is; `note` what one must know to read the figures
    """

    name: str
    ours: float | None
    unit: str
    reference: float | None = None
    against: str = ""
    ratio: float | None = None
    target: str = ""
    verdict: Verdict = Verdict.NONE
    note: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return the line as bench/results.json keeps it."""
        return {
            "name": self.name,
            "ours": _rounded(self.ours),
            "unit": self.unit,
            "reference": _rounded(self.reference),
            "against": self.against,
            "ratio": _rounded(self.ratio),
            "target": self.target,
            "verdict": self.verdict.value,
            "note": self.note,
        }

    def to_text(self) -> str:
        """Return the line as it is printed: name, ours, reference, ratio, target, verdict."""
        ours = "-" if self.ours is None else f"{told(self.ours)} {self.unit}"
        reference = "-"
        if self.reference is not None:
            reference = f"{told(self.reference)} {self.unit} ({self.against})"
        ratio = "-" if self.ratio is None else f"{self.ratio:.2f}"
        note = f"  {self.note}" if self.note else ""
        return (
            f"{self.name:<44}  {ours:>16}  {reference:>44}  {ratio:>6}  "
            f"{self.target or '-':<28}  {self.verdict.value}{note}"
        )


def against(
    name: str,
    *,
    ours: Sequence[float],
    reference: Sequence[float],
    unit: str,
    of: str,
    at_least: float | None = None,
    at_most: float | None = None,
    note: str = "",
) -> Line:
    """
    Return the line of figures measured in turn: the median of each, and of the ratios of each turn.

    shape: `ours` and `reference` have one figure per turn, in the same order
    """
    ratio = median(one / other for one, other in zip(ours, reference, strict=True))
    return Line(
        name=name,
        ours=median(ours),
        unit=unit,
        reference=median(reference),
        against=of,
        ratio=ratio,
        target=_bounds(at_least, at_most, f" x {of}"),
        verdict=judge(ratio, at_least=at_least, at_most=at_most),
        note=note,
    )


def alone(
    name: str,
    ours: float,
    *,
    unit: str,
    at_least: float | None = None,
    at_most: float | None = None,
    reference: float | None = None,
    of: str = "",
    note: str = "",
) -> Line:
    """Return a line whose target is a figure of its own; a reference is shown beside it."""
    return Line(
        name=name,
        ours=ours,
        unit=unit,
        reference=reference,
        against=of,
        ratio=None if not reference else ours / reference,
        target=_bounds(at_least, at_most, f" {unit}"),
        verdict=judge(ours, at_least=at_least, at_most=at_most),
        note=note,
    )


def skipped(name: str, reason: str) -> Line:
    """Return the line of an optional peer that could not run."""
    return Line(name=name, ours=None, unit="", verdict=Verdict.SKIP, note=reason)


def judge(value: float, *, at_least: float | None, at_most: float | None) -> Verdict:
    """Return whether a value is within its bounds; without any it is not judged."""
    if at_least is None and at_most is None:
        return Verdict.NONE
    is_low = at_least is not None and value < at_least
    is_high = at_most is not None and value > at_most
    return Verdict.FAIL if is_low or is_high else Verdict.PASS


def in_turn(rounds: int, **runs: Callable[[], float]) -> Mapping[str, list[float]]:
    """
    Return what each run measured in each round.

    ensures: the runs alternate, so that a load from elsewhere falls on all of them, and the one
             that begins changes from round to round
    """
    found: dict[str, list[float]] = {name: [] for name in runs}
    order: Final = list(runs.items())
    for round_ in range(rounds):
        turn = round_ % len(order)
        for name, run in (*order[turn:], *order[:turn]):
            found[name].append(run())
    return found


def _bounds(at_least: float | None, at_most: float | None, suffix: str) -> str:
    parts = []
    if at_least is not None:
        parts.append(f">= {told(at_least)}{suffix}")
    if at_most is not None:
        parts.append(f"<= {told(at_most)}{suffix}")
    return ", ".join(parts)


def told(value: float) -> str:
    """Return a figure with as many digits as a reader needs."""
    if value == int(value) and abs(value) >= 1:
        return f"{int(value):,}".replace(",", " ")
    if abs(value) >= 100:
        return f"{value:,.0f}".replace(",", " ")
    return f"{value:.2f}" if abs(value) >= 1 else f"{value:.3g}"


def _rounded(value: float | None) -> float | None:
    if value is None or value == int(value):
        return value
    return float(f"{value:.5g}")
