"""
Aggregates is about computing what is released of each group: counts, sums, means and spreads.

It is not about choosing the groups. What is released of a group does not lead back to a row:
a group or an amount below k members is left out, and so is an amount that one row dominates or that
is the same in every row (E-01).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import ROUND_HALF_EVEN, Context, Decimal, InvalidOperation
from typing import Any, Final

from api.packages.columns import Column, Use, is_contact
from api.packages.grouping import Grouping, Labels, cell_of, is_released
from api.packages.table_source import TableSource
from registry.formulas import EXACT, ONE, ZERO

# Beyond this a number is an error of measurement, and its square leaves the exact range.
MAGNITUDE_MAX: Final = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class Amount:
    """What is released of one amount in one group; None where it would lead back to a row."""

    field: str
    values: int | None
    total: Decimal | None
    mean: Decimal | None
    deviation: Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """What is released of one group."""

    labels: Labels
    rows: int
    amounts: tuple[Amount, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Aggregation:
    """What is released of a table, and how much was left out."""

    releases: tuple[Release, ...]
    rows: int
    rows_suppressed: int
    groups_suppressed: int
    amounts_suppressed: int


@dataclass(slots=True)
class _Sum:
    values: int = 0
    total: Decimal = ZERO
    squares: Decimal = ZERO
    size: Decimal = ZERO
    largest: Decimal = ZERO
    entities: set[str] = field(default_factory=set)

    def add(self, number: Decimal, who: str, k: int) -> None:
        self.values += 1
        self.total = EXACT.add(self.total, number)
        self.squares = EXACT.add(self.squares, EXACT.multiply(number, number))
        size = EXACT.abs(number)
        self.size = EXACT.add(self.size, size)
        self.largest = max(self.largest, size)
        if who and len(self.entities) < k:
            self.entities.add(who)


@dataclass(slots=True)
class _Group:
    rows: int
    entities: set[str]
    sums: tuple[_Sum, ...]


def aggregate(
    source: TableSource,
    columns: Sequence[Column],
    grouping: Grouping,
    *,
    k: int,
    dominance_percent: int,
    digits: int,
) -> Aggregation:
    """
    Compute every group of a table in one reading, and keep what may be released.

    shape:   groups in ascending order of their labels; amounts in the order of the columns
    units:   numbers rounded half-even to `digits` significant digits
    """
    amounts = [item for item in columns if item.use is Use.AMOUNT]
    groups, identifying = _grouped(source, columns, amounts, grouping, k)
    kept: list[Release] = []
    for labels, group in sorted(groups.items()):
        is_named = any(is_contact(label) or label in identifying for label in labels)
        if is_released(group, k, grouping.entity) and not is_named:
            parts = tuple(
                _released(item.field.name, part, grouping, k, dominance_percent, digits)
                for item, part in zip(amounts, group.sums, strict=True)
            )
            kept.append(Release(labels=labels, rows=group.rows, amounts=parts))
    rows = sum(group.rows for group in groups.values())
    return Aggregation(
        releases=tuple(kept),
        rows=rows,
        rows_suppressed=rows - sum(release.rows for release in kept),
        groups_suppressed=len(groups) - len(kept),
        amounts_suppressed=sum(
            amount.values is None for release in kept for amount in release.amounts
        ),
    )


def _grouped(
    source: TableSource,
    columns: Sequence[Column],
    amounts: Sequence[Column],
    grouping: Grouping,
    k: int,
) -> tuple[dict[Labels, _Group], set[str]]:
    """Sum every group, and collect the identifiers' values that are also labels of groups."""
    labellers = grouping.labellers()
    readers = [item.field.reader() for item in amounts]
    identifiers = [item for item in columns if item.use is Use.IDENTIFIER]
    groups: dict[Labels, _Group] = {}
    labels_seen = _labels(source, grouping)
    identifying: set[str] = set()
    for row in source.table.rows():
        who = cell_of(row, grouping.entity)
        labels = tuple(label(row) for label in labellers)
        group = groups.setdefault(labels, _Group(0, set(), tuple(_Sum() for _ in amounts)))
        group.rows += 1
        if who and len(group.entities) < k:
            group.entities.add(who)
        for item, read, part in zip(amounts, readers, group.sums, strict=True):
            number = _number(read(cell_of(row, item))[0])
            if number is not None:
                part.add(number, who, k)
        identifying.update({cell_of(row, item) for item in identifiers} & labels_seen)
    return groups, identifying


def _labels(source: TableSource, grouping: Grouping) -> set[str]:
    """Collect the labels of a category: there an identifier's value might stand as a group."""
    plain = [item.labeller() for item in grouping.dimensions if not item.level]
    if not plain:
        return set()
    return {label(row) for row in source.table.rows() for label in plain}


def _released(
    name: str, part: _Sum, grouping: Grouping, k: int, dominance_percent: int, digits: int
) -> Amount:
    is_few = part.values < k or (grouping.entity is not None and len(part.entities) < k)
    is_dominated = part.largest * 100 > part.size * dominance_percent
    variance = _variance(part)
    if is_few or is_dominated or variance == ZERO:
        return Amount(field=name, values=None, total=None, mean=None, deviation=None)
    return Amount(
        field=name,
        values=part.values,
        total=significant(part.total, digits),
        mean=significant(EXACT.divide(part.total, Decimal(part.values)), digits),
        deviation=significant(EXACT.sqrt(variance), digits),
    )


def _variance(part: _Sum) -> Decimal:
    """Take the mean squared distance from the mean; never below zero by rounding."""
    if not part.values:
        return ZERO
    count = Decimal(part.values)
    mean = EXACT.divide(part.total, count)
    spread = EXACT.subtract(EXACT.divide(part.squares, count), EXACT.multiply(mean, mean))
    return spread if spread > EXACT.multiply(part.squares, Decimal("1E-40")) else ZERO


def significant(number: Decimal, digits: int) -> Decimal:
    """Round a number half-even to significant digits."""
    return Context(prec=digits, rounding=ROUND_HALF_EVEN).plus(number)


def _number(value: Any) -> Decimal | None:
    """Take the exact number a cell holds, if it holds one within range."""
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        return None
    try:
        number = EXACT.plus(Decimal(value))
    except InvalidOperation:
        return None
    is_measured = number.is_finite() and abs(number.adjusted()) <= MAGNITUDE_MAX
    return EXACT.multiply(number, ONE) if is_measured or number == ZERO else None
