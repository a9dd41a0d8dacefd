"""
Elements is about computing a data element X = f(d1 ... dn) from registered tables, and its record.

It is not about registering it. The element is a file of groups, never of rows (E-01); the model
document beside it holds everything needed to compute the same bytes again.
"""

import csv
import hashlib
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from api.packages.aggregates import Aggregation, aggregate
from api.packages.columns import Column, Use, columns_of
from api.packages.element_parameters import (
    ElementModelMalformed,
    ElementParameters,
    parameters_document,
    parameters_of,
)
from api.packages.grouping import Grouping, choose_grouping
from api.packages.table_source import TableSource
from chain.failure import Conflict, Invalid
from chain.values import Bytes32

# Version of the code that computes an element: it changes when the same inputs give other bytes.
CODE_VERSION: Final = "k-groups/1"
DOCUMENT_TYPE: Final = "shulian/element-model/1"
HEADER: Final = (
    "resource",
    "dimension_1",
    "group_1",
    "dimension_2",
    "group_2",
    "row_count",
    "field",
    "value_count",
    "sum",
    "mean",
    "deviation",
)
ALL: Final = "ALL"
_STEPS: Final = (
    "read every row of the source tables by their registered layout and schema",
    "drop every column whose name, values or near-uniqueness identify someone or something",
    "generalise time to months, years or decades",
    "group by a category, a time, or one of each, so that most rows stand in groups of k members",
    "leave out groups below k members, and groups whose label is an identifier's value",
    "count, sum, average and spread every amount of a group; leave out an amount with under k"
    " values, one that a single row dominates, and one that is the same in every row",
    "round to significant digits and write the groups in order",
)


class NothingToCompute(Invalid):
    """An element needs at least one delimited table."""


class ElementNotReproduced(Conflict):
    """The sources and the model give another element than the one on record."""

    recorded_sha256: str
    computed_sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Element:
    """
    A computed element: the bytes of its file, its model document, and what its value rests on.

    units: `volume_n` in source rows; `outcome_weights` are the rows of each released group
    """

    content: bytes
    content_sha256: Bytes32
    rows: int
    model: Mapping[str, Any]
    volume_n: int
    outcome_weights: tuple[int, ...]
    fields_used: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    """What one source gives to the element."""

    source: TableSource
    columns: tuple[Column, ...]
    grouping: Grouping
    aggregation: Aggregation


def build_element(
    sources: Sequence[TableSource], parameters: ElementParameters | None = None
) -> Element:
    """
    Compute an element from tables.

    shape:   a CSV in UTF-8 with line feeds: one line per group and amount, long form; a table with
             no group that may be released gives one line that says only "fewer than k"
    ensures: the same tables and parameters give the same bytes, in whatever order the tables come
    :raises NothingToCompute: if there is no table
    :raises ContentChanged: if a table's bytes are not the registered ones
    """
    chosen = parameters or ElementParameters()
    if not sources:
        raise NothingToCompute()
    ordered = sorted(sources, key=lambda source: (source.name, source.table.content_sha256))
    parts = [_computed(source, chosen) for source in ordered]
    lines = [line for part in parts for line in _lines(part, chosen.k)]
    content = _written(lines)
    sha256 = Bytes32("0x" + hashlib.sha256(content).hexdigest())
    weights = [release.rows for part in parts for release in part.aggregation.releases]
    return Element(
        content=content,
        content_sha256=sha256,
        rows=len(lines),
        model={
            "type": DOCUMENT_TYPE,
            "formula": "X = f(d1, ..., dn)",
            "code_version": CODE_VERSION,
            "parameters": parameters_document(chosen),
            "steps": list(_STEPS),
            "sources": [_source_document(part) for part in parts],
            "element": {
                "sha256": sha256,
                "bytes": len(content),
                "rows": len(lines),
                "columns": list(HEADER),
                "media_type": "text/csv",
            },
        },
        volume_n=sum(part.aggregation.rows for part in parts),
        outcome_weights=tuple(weights) or (1,),
        fields_used=sum(len(_used(part)) for part in parts),
    )


def rebuild_element(model: Mapping[str, Any], sources: Sequence[TableSource]) -> Element:
    """
    Compute an element again from its model document and its sources, and compare.

    :raises ElementModelMalformed: if the document is not of this code's version, or names others
    :raises ElementNotReproduced: if the bytes or the document come out differently
    """
    if model.get("type") != DOCUMENT_TYPE or model.get("code_version") != CODE_VERSION:
        raise ElementModelMalformed(reason=f"it is not of {DOCUMENT_TYPE}, {CODE_VERSION}")
    element = build_element(sources, parameters_of(model.get("parameters")))
    if element.model != model:
        recorded = model.get("element")
        raise ElementNotReproduced(
            recorded_sha256=str(recorded.get("sha256")) if isinstance(recorded, dict) else "",
            computed_sha256=element.content_sha256,
        )
    return element


def _computed(source: TableSource, parameters: ElementParameters) -> _Part:
    columns = columns_of(
        source,
        identifiers=parameters.declared_identifiers,
        categories=parameters.declared_categories,
    )
    grouping = choose_grouping(
        source,
        columns,
        k=parameters.k,
        groups_max=parameters.groups_max,
        retained_percent=parameters.retained_percent,
    )
    aggregation = aggregate(
        source,
        columns,
        grouping,
        k=parameters.k,
        dominance_percent=parameters.dominance_percent,
        digits=parameters.digits,
    )
    return _Part(source=source, columns=columns, grouping=grouping, aggregation=aggregation)


def _lines(part: _Part, k: int) -> list[list[str]]:
    """Write one table's groups, or the one line that tells nothing but that there are too few."""
    name = part.source.name
    names = [dimension.name for dimension in part.grouping.dimensions]
    if not part.aggregation.releases:
        return [[name, ALL, ALL, "", "", f"<{k}", "", "", "", "", ""]]
    lines: list[list[str]] = []
    for release in part.aggregation.releases:
        pairs = list(zip(names, release.labels, strict=True)) or [(ALL, ALL)]
        start = [name, *pairs[0], *(pairs[1] if len(pairs) > 1 else ("", "")), str(release.rows)]
        for amount in release.amounts:
            numbers = (amount.total, amount.mean, amount.deviation)
            counted = "" if amount.values is None else str(amount.values)
            lines.append([*start, amount.field, counted, *map(_number_text, numbers)])
        if not release.amounts:
            lines.append([*start, "", "", "", "", ""])
    return lines


def _written(lines: Sequence[Sequence[str]]) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(HEADER)
    writer.writerows(lines)
    return text.getvalue().encode()


def _number_text(number: Decimal | None) -> str:
    """Write a number without exponent and without zeros that say nothing."""
    if number is None:
        return ""
    plain = f"{number:f}"
    return plain.rstrip("0").rstrip(".") if "." in plain else plain


def _used(part: _Part) -> list[Column]:
    dimensions = [dimension.column for dimension in part.grouping.dimensions]
    amounts = [item for item in part.columns if item.use is Use.AMOUNT]
    return dimensions + amounts


def _source_document(part: _Part) -> dict[str, Any]:
    return {
        "resource": part.source.name,
        "sha256": part.source.table.content_sha256,
        "rows": part.aggregation.rows,
        "fields": [
            {
                "name": column.field.name,
                "type": column.field.type,
                "use": column.use.value,
                "reason": column.reason,
            }
            for column in part.columns
        ],
        "source_fields": [column.field.name for column in _used(part)],
        "dimensions": [dimension.name for dimension in part.grouping.dimensions],
        "member": part.grouping.entity.field.name if part.grouping.entity else None,
        "groups": len(part.aggregation.releases),
        "groups_left_out": part.aggregation.groups_suppressed,
        "rows_left_out": part.aggregation.rows_suppressed,
        "amounts_left_out": part.aggregation.amounts_suppressed,
    }
