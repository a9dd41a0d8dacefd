"""
How an event looks in JSON: the same in lists, in the stream and in what webhooks are sent.

Not which events there are to be told (`api.streaming.feed`), nor who may see them
(`api.streaming.audience`).
"""

from collections.abc import Callable
from functools import cache
from typing import Any, Final

from api.models import Json, described
from api.wire import form_of, make_model, time_text
from chain.abi import hints_of
from chain.event import Event, UnknownEvent
from chain.facts import Entry
from chain.values import checksum_address

# Fields of 256 bits, whose values a JSON number would round.
WIDE: Final = frozenset({"nonce"})
# What a log that no version can read is called.
UNKNOWN: Final = UnknownEvent.__name__

EVENT: Final = make_model(
    "EventItem",
    described(
        {
            "name": (str, "What happened; UnknownEvent if this version cannot read it."),
            "contract": (str, "The name of the contract that emitted it."),
            "address": (str, "That contract's address."),
            "block_number": (int, "Height of its block."),
            "block_hash": (str, "Hash of its block."),
            "log_index": (int, "Its place among the logs of the block."),
            "transaction_hash": (str, "The transaction."),
            "transaction_index": (int, "The transaction's place in the block."),
            "time": (str | None, "The block's time, RFC 3339 in UTC."),
            "is_final": (bool, "Whether a fork can no longer undo it."),
            "fields": (
                dict[str, Any],
                "What it says, by the names of its fields; topics and data of an UnknownEvent.",
            ),
        }
    ),
    doc="Something that happened on the chain.",
)


def tell_event(entry: Entry, *, final_number: int) -> Json:
    """Return an event as JSON, when no block above `final_number` is final."""
    event, meta = entry.event, entry.event.meta
    return {
        "name": type(event).__name__,
        "contract": meta.contract,
        "address": checksum_address(meta.address),
        "block_number": meta.block_number,
        "block_hash": meta.block_hash,
        "log_index": meta.log_index,
        "transaction_hash": meta.transaction_hash,
        "transaction_index": meta.transaction_index,
        "time": time_text(meta.timestamp),
        "is_final": meta.block_number <= final_number,
        "fields": _fields(event),
    }


def _fields(event: Event) -> Json:
    if isinstance(event, UnknownEvent):
        return {"topics": list(event.topics), "data": event.data}
    kind: Any = type(event)
    return {name: convert(getattr(event, name)) for name, convert in _converters(kind)}


@cache
def _converters(kind: Any) -> tuple[tuple[str, Callable[[Any], Any]], ...]:
    return tuple(
        (name, form_of(hint, name, name in WIDE).convert)
        for name, hint in hints_of(kind).items()
        if name != "meta"
    )
