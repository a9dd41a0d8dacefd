"""
Pages: how many at once, where to go on, and which exact matches narrow a list.

It is not the reading (`chain.reads`), whose `Place` and `where` it makes, nor what a cursor holds
(`api.cursors`).
"""

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from enum import Enum
from inspect import Parameter, Signature
from typing import Annotated, Any, Final, Literal

import orjson
from fastapi import Query, Request

from api.cursors import CursorInvalid, pack, read_cursor, unpack, write_cursor
from chain.abi import hints_of
from chain.codec import optional, plain
from chain.facts import Block
from chain.failure import Invalid
from chain.reads import Place
from chain.tables import key_names
from chain.values import HexInvalid, hex_bytes

LIMIT_DEFAULT: Final = 50
LIMIT_MAX: Final = 200
CURSOR_CHARACTERS_MAX: Final = 2_000
CHECK_CHARACTERS: Final = 16

Where = Mapping[str, Any]


class ParameterUnknown(Invalid):
    """This list takes no such parameter; its filters are exact matches on the fields it names."""

    parameter: str


class ParameterRepeated(Invalid):
    """A parameter is given once."""

    parameter: str


class FilterInvalid(Invalid):
    """A filter's value is not one that this field can have."""

    parameter: str
    value: str


@dataclass(frozen=True, slots=True)
class Paging:
    """
    What a request asks of a list: at most `limit` items, after `cursor` if there is one; or the
    evidence about all of it.
    """

    limit: int
    cursor: str | None
    check: str
    evidence: bool = False

    def after(self, record: type) -> Place | None:
        """
        Return where the page before ended.

        :raises CursorInvalid: if the cursor is of another list, other filters, or made up
        """
        return None if self.cursor is None else read_cursor(self.cursor, record, self.check)

    def next(self, record: type, place: Place | None, block: Block) -> str | None:
        """Return the cursor of the page after, as of the same block; None at the end."""
        return None if place is None else write_cursor(place, record, self.check, block)

    def after_numbers(self, count: int) -> tuple[int, ...] | None:
        """
        Return where the page before ended, in a list that is ordered by so many numbers.

        :raises CursorInvalid: as `after` does
        """
        if self.cursor is None:
            return None
        place = unpack(self.cursor, self.check)
        if len(place) != count or not all(type(one) is int and 0 <= one < 2**63 for one in place):
            raise CursorInvalid()
        return tuple(place)

    def next_numbers(self, place: Sequence[int] | None, block: Block) -> str | None:
        """Return the cursor of the page after in such a list."""
        return None if place is None else pack(self.check, block, *place)


LimitQuery = Annotated[int, Query(ge=1, le=LIMIT_MAX, description="At most this many items.")]
CursorQuery = Annotated[
    str | None,
    Query(
        max_length=CURSOR_CHARACTERS_MAX,
        description="`next` of the page before, with the same filters: as of the same block.",
    ),
]


def stepping(
    request: Request, limit: LimitQuery = LIMIT_DEFAULT, cursor: CursorQuery = None
) -> Paging:
    """Return what the request says about pages of a list that is no noun's."""
    return Paging(limit, cursor, check_of(request))


def paging(
    request: Request,
    limit: LimitQuery = LIMIT_DEFAULT,
    cursor: CursorQuery = None,
    evidence: Annotated[
        bool,
        Query(
            description="Instead of a page: how many items the whole list has, and the checksum"
            " of them all."
        ),
    ] = False,
) -> Paging:
    """Return what the request says about pages."""
    return Paging(limit, cursor, check_of(request), evidence)


def check_of(request: Request) -> str:
    """Return what ties a cursor to one list and its filters: a few characters of their hash."""
    asked = sorted(
        (name, value)
        for name, value in request.query_params.multi_items()
        if name not in ("limit", "cursor")
    )
    told = orjson.dumps([request.scope["path"], asked])
    return hashlib.sha256(told).hexdigest()[:CHECK_CHARACTERS]


# --- filters --------------------------------------------------------------------------------------


def filters(record: type, *names: str) -> Callable[..., Where]:
    """
    Return the dependency that reads exact matches on these fields of a record.

    shape:   hex in any case becomes lower case, codes are given by name
    :raises TypeError: if the table has no index for a name, so that no list is ever a scan
    """
    indexed = {one.name for one in fields(record) if one.metadata.get("index")}
    indexed.add(key_names(record)[0])
    missing = set(names) - indexed
    if missing:
        raise TypeError(f"{record.__name__} has no index on {sorted(missing)}")
    hints = hints_of(record)

    def read(**given: str | None) -> Where:
        return {
            name: _value(name, hints[name], text)
            for name, text in given.items()
            if text is not None
        }

    read.__signature__ = Signature(  # type: ignore[attr-defined]
        [_parameter(name, hints[name]) for name in names]
    )
    read.__name__ = f"{record.__name__}Filters"
    return read


def _parameter(name: str, hint: Any) -> Parameter:
    kind = plain(optional(plain(hint))[0])
    if isinstance(kind, type) and issubclass(kind, Enum):
        taken: Any = Literal[tuple(one.name for one in kind)]
        described = Query(description=f"Exactly this {name.replace('_', ' ')}, by name.")
    else:
        taken = str
        described = Query(max_length=200, description=f"Exactly this {name.replace('_', ' ')}.")
    return Parameter(
        name, Parameter.KEYWORD_ONLY, default=None, annotation=Annotated[taken | None, described]
    )


def _value(name: str, hint: Any, text: str) -> Any:
    kind = plain(optional(plain(hint))[0])
    if isinstance(kind, type) and issubclass(kind, Enum):
        return kind[text]
    if kind is int:
        if re.fullmatch(r"0|[1-9][0-9]{0,17}", text) is None:
            raise FilterInvalid(parameter=name, value=text)
        return int(text)
    # A NewType over text is hex; its length is its own business.
    if hint is str:
        return text
    try:
        return hex_bytes(text)
    except HexInvalid as error:
        raise FilterInvalid(parameter=name, value=text) from error


def known_parameters(request: Request) -> None:
    """
    Refuse what an operation does not take: a filter that is ignored would be a wrong answer.

    :raises ParameterUnknown: for the first parameter that the operation does not declare
    :raises ParameterRepeated: for a parameter given twice
    """
    given = [name for name, _ in request.query_params.multi_items()]
    if not given:
        return
    known = _declared(request.scope["route"].dependant)
    for place, name in enumerate(given):
        if name not in known:
            raise ParameterUnknown(parameter=name)
        if name in given[:place]:
            raise ParameterRepeated(parameter=name)


def _declared(dependant: Any) -> set[str]:
    names = {field.alias for field in dependant.query_params}
    return names.union(*map(_declared, dependant.dependencies))
