"""
Fields is about the columns of a table: what type each has, and reading a cell by its type.

It is not about opening a file (`api.packages.delimited`) nor about judging the data
(`api.packages.quality`).

Types, formats and constraints are those of Frictionless Table Schema and are read by the
`frictionless` library. The library is used for this alone: its package loader refuses names in
Chinese, guesses encodings, and would follow a reference to a network.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Final

from frictionless import Detector, Schema
from frictionless.exception import FrictionlessException

from api.packages.descriptors import JsonObject

# Reading a cell gives its value, and what is wrong with it: "type" or the constraints it breaks.
CellReader = Callable[[str], tuple[Any, Mapping[str, str] | None]]

INFERENCE_ROWS: Final = 200
DEFAULT_MISSING: Final = ("",)
# Cells recur; reading one by its type is slow, and this many readings are remembered per column.
REMEMBERED_MAX: Final = 20_000

_READ_KEYS: Final = (
    "type",
    "format",
    "decimalChar",
    "groupChar",
    "bareNumber",
    "trueValues",
    "falseValues",
)
_LEADING_ZERO: Final = re.compile(r"^0\d+$")
_YEAR_NAME: Final = re.compile(r"^(?:.*[\s_\-])?year$|年份|年度|^年$", re.IGNORECASE)
_YEAR_VALUE: Final = re.compile(r"^(?:1[5-9]|20|21)\d\d$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """
    One column: its name, its type, and where the type is from.

    note: `is_described` is False where the declared description cannot be read as a type
    """

    name: str
    type: str
    described: JsonObject
    is_inferred: bool
    is_described: bool = True
    missing_values: tuple[str, ...] = field(default=DEFAULT_MISSING)

    def reader(self) -> CellReader:
        """Make the function that reads one cell of this column, remembering what it has read."""
        read: CellReader = _compiled(self.described, self.missing_values).create_cell_reader()
        known: dict[str, tuple[Any, Mapping[str, str] | None]] = {}

        def remembered(cell: str) -> tuple[Any, Mapping[str, str] | None]:
            found = known.get(cell)
            if found is None:
                found = read(cell)
                if len(known) < REMEMBERED_MAX:
                    known[cell] = found
            return found

        return remembered

    @property
    def is_time(self) -> bool:
        """Say whether the column tells when: a date, a month or a year."""
        return self.type in ("date", "datetime", "yearmonth", "year")

    @property
    def is_numeric(self) -> bool:
        """Say whether the column holds amounts."""
        return self.type in ("integer", "number")


def fields_of(
    *, header: Sequence[str], sample: Sequence[Sequence[str]], schema: JsonObject | None
) -> tuple[Field, ...]:
    """
    Name and type every column of a table.

    shape:   one field per column of the header; names are made unique
    note:    a declared field belongs to the column of its name, else to the column at its place;
             what is not declared is inferred from the sample
    """
    missing = _missing_values(schema)
    names = unique_names(header)
    inferred = _inferred(names, sample, missing)
    declared = _declared(names, schema)
    fields: list[Field] = []
    for name, guess in zip(names, inferred, strict=True):
        described = declared.get(name)
        is_typed = described is not None and "type" in described
        wanted = {**(described or {}), "name": name}
        if not is_typed:
            wanted["type"] = guess
        readable, is_described = _readable(wanted)
        fields.append(
            Field(
                name=name,
                type=_time_type(name, readable["type"], sample, names.index(name)),
                described=readable,
                is_inferred=not is_typed,
                is_described=is_described,
                missing_values=missing,
            )
        )
    return tuple(fields)


def unique_names(header: Sequence[str]) -> tuple[str, ...]:
    """Name every column, each differently: an empty name by its place, a repeated one by number."""
    names: list[str] = []
    for place, written in enumerate(header, start=1):
        name = base = written.strip() or f"field{place}"
        number = 2
        while name in names:
            name, number = f"{base}{number}", number + 1
        names.append(name)
    return tuple(names)


def schema_document(fields: Sequence[Field]) -> list[JsonObject]:
    """Write the fields as Table Schema field descriptors."""
    return [{**field.described, "name": field.name, "type": field.type} for field in fields]


def time_text(value: Any) -> str | None:
    """
    Write a point in time as the sortable beginning of an ISO date: 2024, 2024-03 or 2024-03-09.

    note: None where the value tells no time
    """
    if isinstance(value, datetime):
        return value.date().isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, tuple) and len(value) == 2:
        return f"{value[0]:04d}-{value[1]:02d}"
    if isinstance(value, int) and 0 < value <= 9999:
        return f"{value:04d}"
    return None


def _missing_values(schema: JsonObject | None) -> tuple[str, ...]:
    stated = (schema or {}).get("missingValues")
    if not isinstance(stated, list):
        return DEFAULT_MISSING
    values = [item.get("value") if isinstance(item, dict) else item for item in stated]
    return tuple(value for value in values if isinstance(value, str))


def _declared(names: Sequence[str], schema: JsonObject | None) -> Mapping[str, JsonObject]:
    """Assign the declared fields to columns: by name, and where no name fits, by place."""
    stated = (schema or {}).get("fields")
    fields = [item for item in stated if isinstance(item, dict)] if isinstance(stated, list) else []
    by_name = {str(item.get("name")): item for item in fields}
    taken = {name: by_name[name] for name in names if name in by_name}
    if taken or len(fields) != len(names):
        return taken
    return dict(zip(names, fields, strict=True))


def _inferred(
    names: Sequence[str], sample: Sequence[Sequence[str]], missing: tuple[str, ...]
) -> list[str]:
    """Infer one type per column from the sample; text where nothing fits."""
    if not sample:
        return ["string"] * len(names)
    rows = [list(row[: len(names)]) for row in sample[:INFERENCE_ROWS]]
    detector = Detector(field_missing_values=list(missing))
    types = [found.type for found in detector.detect_schema(rows, labels=list(names)).fields]
    for place, found in enumerate(types):
        codes = any(place < len(row) and _LEADING_ZERO.match(row[place]) for row in rows)
        if found == "any" or (found in ("integer", "number") and codes):
            types[place] = "string"
    return types


def _time_type(name: str, found: str, sample: Sequence[Sequence[str]], place: int) -> str:
    """Take a whole number for a year where its name and every value of the sample say so."""
    if found != "integer" or not _YEAR_NAME.search(name):
        return found
    values = [row[place] for row in sample if place < len(row) and row[place]]
    return "year" if values and all(_YEAR_VALUE.match(value) for value in values) else found


def _readable(described: JsonObject) -> tuple[JsonObject, bool]:
    """Keep of a field's description what can be read, and say whether that is all of it."""
    plain: JsonObject = {key: described[key] for key in _READ_KEYS if key in described}
    plain["name"] = described["name"]
    constraints = described.get("constraints")
    whole = {**plain, "constraints": constraints} if constraints else plain
    if _is_readable(whole):
        return whole, True
    if _is_readable(plain):
        return plain, False
    return {"name": described["name"], "type": "string"}, False


def _is_readable(described: JsonObject) -> bool:
    try:
        _compiled(described, DEFAULT_MISSING)
    except (FrictionlessException, re.error, TypeError, ValueError, AttributeError):
        return False
    return True


def _compiled(described: JsonObject, missing: tuple[str, ...]) -> Any:
    schema = Schema.from_descriptor({"fields": [described], "missingValues": list(missing)})
    compiled = schema.fields[0]
    compiled.create_cell_reader()
    return compiled
