"""
Cursors: where a page ended, and the block that it and the next ones are as of, as opaque text.

It is not the page (`api.paging`). A cursor holds no secret; one that was made up is refused because
it must be the only way to write what it holds, for this list and these filters.
"""

import base64
import re
from typing import Any, Final

import orjson

from api.asof import Pinned
from chain.abi import hints_of
from chain.codec import from_json, to_json
from chain.facts import Block
from chain.failure import Invalid
from chain.reads import Place
from chain.tables import key_names

HASH_CHARACTERS: Final = 18
HASH_START: Final = re.compile(f"0x[0-9a-f]{{{HASH_CHARACTERS - 2}}}")


class CursorInvalid(Invalid):
    """The cursor was not given out for this list, or not for these filters."""


def write_cursor(place: Place, record: type, check: str, block: Block) -> str:
    """Return a place as opaque text, with the block that its page was as of."""
    hints = hints_of(record)
    key = [
        to_json(hints[name], value)
        for name, value in zip(key_names(record), place.key, strict=True)
    ]
    return pack(check, block, place.from_block, place.from_log, *key)


def read_cursor(cursor: str, record: type, check: str) -> Place:
    """
    Return the place that opaque text stands for.

    :raises CursorInvalid: if it is of another list, other filters, or made up
    """
    names, hints = key_names(record), hints_of(record)
    try:
        from_block, from_log, *key = unpack(cursor, check)
        if not (_is_height(from_block) and _is_height(from_log)):
            raise CursorInvalid()
        values = [from_json(hints[name], one) for name, one in zip(names, key, strict=True)]
        if [to_json(hints[name], one) for name, one in zip(names, values, strict=True)] != key:
            raise CursorInvalid()
    except (ValueError, KeyError, TypeError) as error:
        raise CursorInvalid() from error
    return Place(from_block, from_log, tuple(values))


def pack(check: str, block: Block, *place: Any) -> str:
    """Return a place of any form as opaque text."""
    return _text([check, [block.number, block.hash[:HASH_CHARACTERS]], *place])


def unpack(cursor: str, check: str) -> list[Any]:
    """
    Return the place in a cursor.

    ensures: of all texts that hold the same only one is taken: the one given out
    :raises CursorInvalid: if it is of another list, other filters, or made up
    """
    held = _held(cursor)
    match held:
        case [found, pinned, *place] if (found, _text(held)) == (check, cursor) and _pinned(pinned):
            return place
    raise CursorInvalid()


def pinned_by(cursor: str | None) -> Pinned | None:
    """Return the block that a cursor's pages are as of; None for a text that is no cursor."""
    if cursor:
        match _held(cursor):
            case [str(), pinned, *_]:
                return _pinned(pinned)
    return None


def _held(cursor: str) -> Any:
    padded = cursor + "=" * (-len(cursor) % 4)
    try:
        return orjson.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
    except ValueError:
        return None


def _text(held: Any) -> str:
    return base64.urlsafe_b64encode(orjson.dumps(held)).decode("ascii").rstrip("=")


def _pinned(told: object) -> Pinned | None:
    match told:
        case [int() as number, str() as start] if _is_height(number) and _is_hash(start):
            return Pinned(number, start)
    return None


def _is_height(value: object) -> bool:
    return type(value) is int and 0 <= value < 2**63


def _is_hash(start: str) -> bool:
    return HASH_START.fullmatch(start) is not None
