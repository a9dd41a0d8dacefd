"""
Lists of what is no noun: blocks, and the events in them.

Not how an event looks (`api.events`), nor who may see it (`api.streaming.audience`).
"""

from typing import Any, Final

from sqlalchemy import func, select, tuple_

from api.access import Looker
from api.deps import Reading
from api.events import tell_event
from api.models import AsOf, Json, described, page_model
from api.paging import Paging
from api.streaming.audience import RESERVED, Audience
from api.streaming.feed import narrowed, require_known
from api.streaming.wanted import Wanted
from api.wire import make_model, time_text
from chain.store import BLOCKS, EVENTS, stored_entries

_BLOCK: Final[dict[str, tuple[Any, str]]] = {
    "number": (int, "Its height."),
    "hash": (str, "Its hash."),
    "parent_hash": (str, "Hash of the block before."),
    "timestamp": (str | None, "Its time, RFC 3339 in UTC."),
    "event_count": (int, "How many events of the ledger it holds."),
    "checksum": (
        str,
        "SHA-256 over the checksum of the block before, this block's hash and every version of a"
        " record that it made: equal here and at another exchange means that all up to here is.",
    ),
    "is_final": (bool, "Whether a fork can no longer undo it."),
}
BLOCK_ITEM: Final = make_model("BlockItem", described(_BLOCK), doc="A block of the chain.")
BLOCK: Final = make_model(
    "BlockOut",
    described({**_BLOCK, "as_of": (AsOf, "The block it is as of.")}),
    doc="A block of the chain.",
)
BLOCK_PAGE: Final = page_model("BlockPage", BLOCK_ITEM)


def tell_events(looker: Looker, wanted: Wanted, pages: Paging) -> Json:
    """Return a page of the events that the caller may see, oldest first; log who is signed in."""
    looker.log()
    reading, viewer = looker.reading, looker.look.viewer if looker.look else None
    require_known(reading.session, wanted)
    place = (EVENTS.c.block_number, EVENTS.c.log_index)
    conditions = [EVENTS.c.block_number <= reading.block.number, *narrowed(wanted)]
    after = pages.after_numbers(2)
    if after is not None:
        conditions.append(tuple_(*place) > tuple_(*after, types=[one.type for one in place]))
    if viewer is None:
        # Read and thrown away otherwise: the public sees none of them.
        conditions.append(EVENTS.c.contract.not_in(RESERVED))
    found = list(stored_entries(reading.session, *conditions, limit=pages.limit + 1))
    kept = found[: pages.limit]
    audience = Audience.at(reading.session, viewer, reading.newest().now)
    last = None
    if len(found) > pages.limit:
        meta = kept[-1].event.meta
        last = (meta.block_number, meta.log_index)
    return {
        "items": [
            tell_event(one, final_number=reading.final_number)
            for one in kept
            if audience.sees(one.event)
        ],
        "next": pages.next_numbers(last, reading.block),
        "as_of": reading.as_of(),
    }


def tell_blocks(reading: Reading, pages: Paging) -> Json:
    """Return a page of blocks, the newest first."""
    after = pages.after_numbers(1)
    top = reading.block.number if after is None else after[0] - 1
    rows = _rows(reading, BLOCKS.c.number <= top, limit=pages.limit + 1)
    kept = rows[: pages.limit]
    last = (kept[-1]["number"],) if len(rows) > pages.limit else None
    return {
        "items": kept,
        "next": pages.next_numbers(last, reading.block),
        "as_of": reading.as_of(),
    }


def tell_block(reading: Reading, number: int) -> Json | None:
    """Return one block, or None if as of the reading's block there is none of that height."""
    if number > reading.block.number:
        return None
    rows = _rows(reading, BLOCKS.c.number == number, limit=1)
    return {**rows[0], "as_of": reading.as_of()} if rows else None


def _rows(reading: Reading, which: Any, *, limit: int) -> list[Json]:
    connection = reading.session.connection()
    query = select(BLOCKS).where(which).order_by(BLOCKS.c.number.desc()).limit(limit)
    rows = connection.execute(query).all()
    of_each = select(EVENTS.c.block_number, func.count()).group_by(EVENTS.c.block_number)
    numbers = [row.number for row in rows]
    counted = connection.execute(of_each.where(EVENTS.c.block_number.in_(numbers)))
    counts = {row[0]: row[1] for row in counted}
    return [
        {
            "number": row.number,
            "hash": row.hash,
            "parent_hash": row.parent_hash,
            "timestamp": time_text(row.timestamp),
            "event_count": counts.get(row.number, 0),
            "checksum": row.checksum,
            "is_final": row.number <= reading.final_number,
        }
        for row in rows
    ]
