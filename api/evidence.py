"""
Evidence that a list is complete: how many items it has, and one checksum over all of them.

    checksum = SHA-256( canonical JSON (RFC 8785) of the array of all items, in the list's order,
                        each without the members that `excluded` names )

Whoever holds the pages computes it from the JSON they were sent. Left out is what no chain says:
words that documents give to things, which one server can read and another cannot. So two exchanges
compare their lists by one line.
"""

import hashlib
from collections.abc import Iterable, Sequence
from typing import Any, Final

import orjson

from api.models import Answer, Json
from chain.failure import Invalid

ITEMS_MAX: Final = 200_000


class EvidenceTooLarge(Invalid):
    """The list is too long to vouch for at once: narrow it with filters."""

    items_max: int


def tell_evidence(items: Iterable[Json], answer: Answer[Any]) -> Json:
    """
    Return count and checksum of a whole list.

    :raises EvidenceTooLarge: if it has more than ITEMS_MAX items
    """
    count, checksum = checksum_of(items, answer.excluded)
    return {"count": count, "checksum": checksum, "excluded": list(answer.excluded)}


def checksum_of(items: Iterable[Json], excluded: Sequence[str]) -> tuple[int, str]:
    """
    Return how many items there are, and the checksum over them.

    shape: canonical for what the API writes: text, booleans, null, integers within 2^53
    :raises EvidenceTooLarge: if there are more than ITEMS_MAX
    """
    total = hashlib.sha256(b"[")
    count = 0
    for count, item in enumerate(items, start=1):  # noqa: B007
        if count > ITEMS_MAX:
            raise EvidenceTooLarge(items_max=ITEMS_MAX)
        kept = {name: value for name, value in item.items() if name not in excluded}
        told = orjson.dumps(kept, option=orjson.OPT_SORT_KEYS)
        total.update(told if count == 1 else b"," + told)
    total.update(b"]")
    return count, f"0x{total.hexdigest()}"
