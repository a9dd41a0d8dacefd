"""
Grouping is about which columns divide the rows of a table into groups that are large enough.

It is not about what is computed of a group: that is `api.packages.aggregates`.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import Any, Final

from api.packages.columns import Column, Use
from api.packages.fields import CellReader, time_text
from api.packages.table_source import TableSource

# Each candidate costs a count per row; these bound the work on a wide table.
CATEGORIES_TRIED_MAX: Final = 4
GROUPS_COUNTED_MAX: Final = 5_000
MISSING_LABEL: Final = "(missing)"
# Characters of an ISO date that remain at each level; a decade keeps three and a zero.
_LEVELS: Final = {"month": 7, "year": 4, "decade": 3}

Labels = tuple[str, ...]
Labeller = Callable[[Sequence[str]], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Dimension:
    """One column by which rows are grouped, and how far its values are generalised."""

    column: Column
    level: str = ""

    @property
    def name(self) -> str:
        """Name the dimension as the element's file does: the column, and the level of time."""
        return f"{self.column.field.name}:{self.level}" if self.level else self.column.field.name

    def labeller(self) -> Labeller:
        """Make the function that gives a row its group."""
        place, item = self.column.place, self.column.field
        read: CellReader = item.reader()
        missing = frozenset(item.missing_values)

        def label(row: Sequence[str]) -> str:
            cell = row[place] if place < len(row) else ""
            if cell in missing or not cell.strip():
                return MISSING_LABEL
            return self._generalised(read(cell)[0]) if self.level else cell.strip()

        return label

    def _generalised(self, value: Any) -> str:
        moment = time_text(value)
        if moment is None:
            return MISSING_LABEL
        kept = moment[: _LEVELS[self.level]]
        return f"{kept}0s" if self.level == "decade" else kept


@dataclass(frozen=True, slots=True, kw_only=True)
class Grouping:
    """The dimensions chosen for a table; none at all means the whole table is one group."""

    dimensions: tuple[Dimension, ...]
    entity: Column | None

    def labellers(self) -> tuple[Labeller, ...]:
        """Make the functions that give a row its group."""
        return tuple(dimension.labeller() for dimension in self.dimensions)


@dataclass(slots=True)
class _Group:
    rows: int = 0
    entities: set[str] = field(default_factory=set)


def choose_grouping(
    source: TableSource,
    columns: Sequence[Column],
    *,
    k: int,
    groups_max: int,
    retained_percent: int,
) -> Grouping:
    """
    Choose the dimensions that keep most rows in groups of k or more, and then give most groups.

    shape:   a category, a time, or one of each; no dimension if nothing keeps a group
    ensures: the same table and parameters always give the same choice
    """
    entity = entity_of(columns, k=k)
    candidates = _candidates(columns)
    every = [one for item in candidates for one in item.dimensions]
    tried = list({(one.column.place, one.level): one for one in every}.values())
    labellers = [one.labeller() for one in tried]
    places = [tuple(tried.index(one) for one in item.dimensions) for item in candidates]
    groups: list[dict[Labels, _Group]] = [{} for _ in candidates]
    total = 0
    for row in source.table.rows():
        total += 1
        who = cell_of(row, entity)
        labels = [label(row) for label in labellers]
        for wanted, found in zip(places, groups, strict=True):
            if len(found) <= GROUPS_COUNTED_MAX:
                _count(found, tuple(labels[place] for place in wanted), who, k)
    best, best_rank = Grouping(dimensions=(), entity=entity), (0, 0, 0)
    for candidate, found in zip(candidates, groups, strict=True):
        kept = [group.rows for group in found.values() if is_released(group, k, entity)]
        if not 0 < len(kept) <= groups_max or len(found) > GROUPS_COUNTED_MAX:
            continue
        is_enough = sum(kept) * 100 >= retained_percent * total
        rank = (1, len(kept), sum(kept)) if is_enough else (0, sum(kept), len(kept))
        if rank > best_rank:
            best, best_rank = Grouping(dimensions=candidate.dimensions, entity=entity), rank
    return best


def entity_of(columns: Sequence[Column], *, k: int) -> Column | None:
    """
    Choose the identifier by which a group's members are told apart.

    note: the one with the fewest different values, but at least k: then k rows of one member are
          not taken for k members; PROPOSED
    """
    fit = [item for item in columns if item.use is Use.IDENTIFIER and item.distinct >= k]
    return min(fit, key=lambda item: (item.distinct, item.place), default=None)


def cell_of(row: Sequence[str], column: Column | None) -> str:
    """Give a row's cell in a column, empty where there is none."""
    return row[column.place].strip() if column and column.place < len(row) else ""


def is_released(group: Any, k: int, entity: Column | None) -> bool:
    """Say whether a group has k rows, and k members where members can be told apart."""
    return group.rows >= k and (entity is None or len(group.entities) >= k)


def _count(found: dict[Labels, _Group], labels: Labels, who: str, k: int) -> None:
    group = found.get(labels)
    if group is None:
        group = found[labels] = _Group()
    group.rows += 1
    if who and len(group.entities) < k:
        group.entities.add(who)


def _candidates(columns: Sequence[Column]) -> tuple[Grouping, ...]:
    """List the groupings to try, coarse and simple ones last, so that a tie goes to the finer."""
    categories = [item for item in columns if item.use is Use.CATEGORY and item.distinct > 1]
    categories.sort(key=lambda item: (item.distinct, item.place))
    tried = [Dimension(column=item) for item in categories[:CATEGORIES_TRIED_MAX]]
    times = [item for item in columns if item.use is Use.TIME][:1]
    levels = [Dimension(column=item, level=level) for item in times for level in _levels(item)]
    sets: Iterator[tuple[Dimension, ...]] = iter(
        [*product(tried, levels), *((one,) for one in levels), *((one,) for one in tried)]
    )
    return tuple(Grouping(dimensions=dimensions, entity=None) for dimensions in sets)


def _levels(column: Column) -> tuple[str, ...]:
    return ("year", "decade") if column.field.type == "year" else ("month", "year", "decade")
