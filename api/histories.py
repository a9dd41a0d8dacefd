"""
What the API tells of a record's history: each version with its time, and what made it.

It is not the list of events about a thing (`api.routes.events`): of several in one block only the
last made the version.
"""

from typing import Any, TypeVar

from api.deps import Reading
from api.models import Answer, Json
from api.paging import Paging
from api.wire import time_text
from chain.failure import LedgerError
from chain.histories import Version, versions

R = TypeVar("R")


def tell_history(
    reading: Reading, answer: Answer[R], *key: Any, pages: Paging, missing: LedgerError
) -> Json:
    """
    Return a page of a record's versions, oldest first.

    :raises LedgerError: `missing`, if there is none as of the reading's block
    """
    reading.require(answer.record, *key, missing=missing)
    start = pages.after_numbers(1)
    found, after = versions(
        reading.session,
        answer.record,
        *key,
        after=-1 if start is None else start[0],
        limit=pages.limit,
        at_block=reading.at_block,
    )
    return {
        "items": [_told(reading, answer, one) for one in found],
        "next": pages.next_numbers(None if after is None else (after,), reading.block),
        "as_of": reading.as_of(),
    }


def version_json(version: Version[Any], *, record: Json, final_number: int) -> Json:
    """Return how a version is told, with its record as whoever asks is shown it."""
    recorded = version.recorded
    return {
        "from_block": recorded.from_block,
        "from_time": time_text(version.from_time),
        "to_block": recorded.to_block,
        "to_time": None if version.to_time is None else time_text(version.to_time),
        "event": version.made.name,
        "contract": version.made.contract,
        "transaction_hash": version.made.transaction_hash,
        "log_index": recorded.from_log,
        "is_final": recorded.from_block <= final_number,
        "record": record,
    }


def _told(reading: Reading, answer: Answer[Any], version: Version[Any]) -> Json:
    record = answer.fields(version.recorded.record, version.from_time)
    return version_json(version, record=record, final_number=reading.final_number)
