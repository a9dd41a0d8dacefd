"""
Quality is about scoring a resource on the six dimensions, from its data and its description.

It is not about pricing: the scores are inputs of `registry.valuation`.

The dimensions and their order are those of GB/T 36344-2018 (domain.md 5.14). No source says how to
compute them, so every definition here is PROPOSED, and its counts stand beside the score.

    normativity    cells that read as their column's type, times rows of full width
    completeness   cells that are not missing
    accuracy       typed cells that keep their constraints and are plausible: no replacement
                   or control character, no moment after the day of measuring
    consistency    rows that are not a repetition of an earlier row
    timeliness     one while the latest moment is no older than one period of update, then falling
                   to zero over four more periods; a yearly period where none is stated
    accessibility  share of: an open table format, UTF-8, a declared schema, named columns,
                   a licence, a description
"""

import re
from calendar import monthrange
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from hashlib import blake2b
from typing import Any, Final

from api.packages.fields import CellReader, Field, time_text
from api.packages.table_source import TableSource
from registry.formulas import EXACT, ONE, ZERO, total_of

METHOD: Final = "quality-six/1"
DIMENSIONS: Final = (
    "normativity",
    "completeness",
    "accuracy",
    "consistency",
    "timeliness",
    "accessibility",
)
# PROPOSED: the weights of the worked example of domain.md 5.
QUALITY_WEIGHTS: Final = tuple(map(Decimal, ("0.2", "0.2", "0.2", "0.1", "0.1", "0.2")))
# PROPOSED: what cannot be measured on this resource counts half.
UNMEASURED: Final = Decimal("0.5")
# Repetitions are looked for among this many different rows, which bounds memory.
DISTINCT_ROWS_MAX: Final = 1_000_000

_PLACES: Final = Decimal("0.000001")
_IMPLAUSIBLE: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffd]")
_PERIOD_DAYS: Final = {"REAL_TIME": 1, "DAILY": 1, "WEEKLY": 7, "MONTHLY": 31, "YEARLY": 366}
_PERIOD_DAYS_DEFAULT: Final = 366
_CHANGED_KEYS: Final = ("last_updated", "modified", "updated", "last_modified")
_ISO_TIME: Final = re.compile(r"^(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class QualityReport:
    """
    Six scores from 0 to 1 with six places, in the order of DIMENSIONS, and what was counted.

    note: `unmeasured` names the dimensions that the resource gave no way to measure
    """

    scores: tuple[Decimal, ...]
    unmeasured: tuple[str, ...]
    counts: Mapping[str, int]
    weight: int


@dataclass(slots=True)
class _Tally:
    """What was counted in one table."""

    rows: int = 0
    rows_ragged: int = 0
    rows_repeated: int = 0
    cells: int = 0
    cells_missing: int = 0
    cells_mistyped: int = 0
    cells_inaccurate: int = 0
    latest: str = ""

    @property
    def cells_present(self) -> int:
        return self.cells - self.cells_missing

    @property
    def cells_typed(self) -> int:
        return self.cells_present - self.cells_mistyped


def measure(
    metadata: Mapping[str, Any], source: TableSource | None, *, as_of: date
) -> QualityReport:
    """
    Score one resource from its metadata document and, where it is a table, all of its rows.

    units: scores from 0 to 1; `as_of` is the day of measuring, from the caller
    """
    tally = _counted(source, as_of) if source else None
    moment = tally.latest if tally else ""
    timeliness = _timeliness(metadata, moment or _changed_at(metadata), as_of)
    parts: dict[str, Decimal | None] = {
        "normativity": _normativity(tally) if tally else None,
        "completeness": _share(tally.cells_present, tally.cells) if tally else None,
        "accuracy": _share(tally.cells_typed - tally.cells_inaccurate, tally.cells_typed)
        if tally
        else None,
        "consistency": _share(tally.rows - tally.rows_repeated, tally.rows) if tally else None,
        "timeliness": timeliness,
        "accessibility": _accessibility(metadata, source),
    }
    scores = [parts[name] for name in DIMENSIONS]
    return QualityReport(
        scores=tuple(_rounded(UNMEASURED if part is None else part) for part in scores),
        unmeasured=tuple(name for name in DIMENSIONS if parts[name] is None),
        counts=_counts(tally) if tally else {},
        weight=tally.cells if tally else 0,
    )


def combine(reports: Sequence[QualityReport]) -> QualityReport:
    """
    Score several resources as one: each dimension is the mean, weighted by cells.

    shape: at least one report; where no report has cells, all weigh the same
    """
    weights = [report.weight for report in reports]
    total = sum(weights)
    if not total:
        weights, total = [1] * len(reports), len(reports)
    scores: list[Decimal] = []
    for place in range(len(DIMENSIONS)):
        parts = [
            EXACT.multiply(report.scores[place], Decimal(weight))
            for report, weight in zip(reports, weights, strict=True)
        ]
        scores.append(_rounded(EXACT.divide(total_of(parts), Decimal(total))))
    names = {name for report in reports for name in report.unmeasured}
    counts: dict[str, int] = {}
    for report in reports:
        for name, count in report.counts.items():
            counts[name] = counts.get(name, 0) + count
    return QualityReport(
        scores=tuple(scores),
        unmeasured=tuple(name for name in DIMENSIONS if name in names),
        counts=counts,
        weight=sum(report.weight for report in reports),
    )


def report_document(report: QualityReport, *, as_of: date) -> dict[str, Any]:
    """Write a report as a document ready for canonical JSON."""
    return {
        "type": "shulian/quality-report/1",
        "method": f"{METHOD} PROPOSED",
        "measured_on": as_of.isoformat(),
        "scores": dict(zip(DIMENSIONS, map(str, report.scores), strict=True)),
        "unmeasured": list(report.unmeasured),
        "counts": dict(report.counts),
    }


def _counted(source: TableSource, as_of: date) -> _Tally:
    tally = _Tally()
    readers = [(item, item.reader(), frozenset(item.missing_values)) for item in source.fields]
    today = as_of.isoformat()
    seen: set[bytes] = set()
    for row in source.table.rows():
        tally.rows += 1
        tally.rows_ragged += len(row) != len(readers)
        mark = blake2b("\x1f".join(row).encode("utf-8", "replace"), digest_size=12).digest()
        tally.rows_repeated += mark in seen
        if len(seen) < DISTINCT_ROWS_MAX:
            seen.add(mark)
        for (item, read, missing), cell in zip(readers, row, strict=False):
            tally.cells_missing += cell in missing
            if cell not in missing:
                _count_cell(tally, item, read, cell, today)
        tally.cells_missing += max(0, len(readers) - len(row))
        tally.cells += len(readers)
    return tally


def _count_cell(tally: _Tally, item: Field, read: CellReader, cell: str, today: str) -> None:
    value, notes = read(cell)
    if notes and "type" in notes:
        tally.cells_mistyped += 1
        return
    moment = time_text(value) if item.is_time else None
    is_future = moment is not None and moment > today
    if notes or is_future or _IMPLAUSIBLE.search(cell):
        tally.cells_inaccurate += 1
    elif moment and _last_day(moment) > _last_day(tally.latest):
        tally.latest = moment


def _counts(tally: _Tally) -> dict[str, int]:
    return {
        "rows": tally.rows,
        "rows_ragged": tally.rows_ragged,
        "rows_repeated": tally.rows_repeated,
        "cells": tally.cells,
        "cells_missing": tally.cells_missing,
        "cells_mistyped": tally.cells_mistyped,
        "cells_inaccurate": tally.cells_inaccurate,
    }


def _normativity(tally: _Tally) -> Decimal:
    typed = _share(tally.cells_typed, tally.cells_present)
    return EXACT.multiply(typed, _share(tally.rows - tally.rows_ragged, tally.rows))


def _timeliness(metadata: Mapping[str, Any], moment: str, as_of: date) -> Decimal | None:
    latest = _last_day(moment)
    if latest == date.min:
        return None
    period = _PERIOD_DAYS.get(str(metadata.get("update")), _PERIOD_DAYS_DEFAULT)
    late_days = max(0, (as_of - latest).days - period)
    lateness = EXACT.divide(Decimal(late_days), Decimal(4 * period))
    return max(ZERO, EXACT.subtract(ONE, lateness))


def _changed_at(metadata: Mapping[str, Any]) -> str:
    described = metadata.get("descriptor", {})
    for part in (described.get("resource", {}), described.get("package", {})):
        for key in _CHANGED_KEYS:
            if isinstance(part.get(key), str):
                return str(part[key])
    return ""


def _last_day(moment: str) -> date:
    """Give the last day of a year, month or day written as ISO; the first of all days if none."""
    found = _ISO_TIME.match(moment)
    if not found:
        return date.min
    year, month, day = (int(part) if part else 0 for part in found.groups())
    try:
        return date(year, month or 12, day or monthrange(year, month or 12)[1])
    except ValueError:
        return date.min


def _accessibility(metadata: Mapping[str, Any], source: TableSource | None) -> Decimal:
    fields = source.fields if source else ()
    met = (
        source is not None,
        source is not None and source.table.layout.encoding == "utf-8",
        bool(fields) and not any(item.is_inferred for item in fields),
        bool(fields) and source is not None and source.table.layout.has_header,
        bool(metadata.get("licences")),
        metadata.get("overview_full") not in ("", metadata.get("name_full"), None),
    )
    return _share(sum(met), len(met))


def _share(part: int, whole: int) -> Decimal:
    """Divide two counts; of nothing, nothing is good."""
    return EXACT.divide(Decimal(part), Decimal(whole)) if whole else ZERO


def _rounded(score: Decimal) -> Decimal:
    return score.quantize(_PLACES, context=EXACT)
