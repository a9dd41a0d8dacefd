"""
What a search in the catalogue asks of the mirror: by name, by id, by registrant.

Names stand in documents (`api.catalogue`), ids and registrants in the mirror: whichever holds.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from api.catalogue import MATCHES_MAX
from api.catalogue import search as search_documents
from api.deps import Reading, Services
from chain.reads import Span, page
from registry.participants import Participant

ID_DIGITS: Final = 64
# Without 0x a short one is more likely a year or a word.
ID_PREFIX: Final = re.compile(r"0x([0-9a-f]{1,64})|([0-9a-f]{4,64})", re.ASCII)


def matching(
    reading: Reading, services: Services, search: str
) -> Sequence[Mapping[str, Any]] | None:
    """
    Return what of an asset may hold so that a search finds it: any of these; None for no words.

    ensures: at most MATCHES_MAX documents and as many registrants are looked for
    :raises SearchTooBroad: if more documents hold these words
    """
    text = search.strip().casefold()
    if not text:
        return None
    # The same documents describe assets and organisations.
    documents = search_documents(services.operational, text)
    named = page(
        reading.session,
        Participant,
        where={"profile_digest": documents},
        limit=MATCHES_MAX,
        at_block=reading.at_block,
    )
    registrants = tuple(one.record.participant_id for one in named.items)
    possible = {"metadata_digest": documents, "registrant": registrants, "asset_id": _ids(text)}
    # What nothing can hold is left out, so that an index alone finds an id or a registrant.
    return [{name: value} for name, value in possible.items() if value]


def _ids(text: str) -> Span | None:
    """Return all ids that begin so, or None if no id does."""
    prefix = ID_PREFIX.fullmatch(text)
    if prefix is None:
        return None
    digits = prefix[1] or prefix[2]
    lowest, highest = (f"0x{digits.ljust(ID_DIGITS, fill)}" for fill in "0f")
    return Span(lowest, highest)
