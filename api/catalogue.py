"""
What documents call the things that the chain knows by digest only: titles, and a search over them.

A cache in the operational database, filled by the worker and never trusted for anything but words:
each entry was read from the content store under its digest. Without it the catalogue still lists
everything, untitled.
"""

import logging
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from itertools import islice
from typing import Any, Final

from sqlalchemy import Engine, delete, insert, select
from sqlmodel import Session

from api.operational import DOCUMENTS
from chain.codes import DigestAlg
from chain.content import ContentCorrupted, ContentMissing, ContentStore, ContentTooLarge
from chain.documents import Digest, NotCanonical, parse_canonical
from chain.failure import Invalid, LedgerError
from chain.reads import Place, page
from chain.values import ZERO_BYTES32, Bytes32
from registry.assets import Asset
from registry.participants import Participant

LOG: Final = logging.getLogger(__name__)

PAGE: Final = 500
MATCHES_MAX: Final = 1_000
IN_MAX: Final = 500
# Of what is not kept here, as most of what other exchanges name, so much is asked for at each pass.
AGAIN_MAX: Final = 20
OVERVIEW_CHARACTERS: Final = 400
SEARCHED_CHARACTERS: Final = 20_000

# Where the documents that name assets and organisations say how they are called.
TITLES: Final = ("name_full", "name", "title", "legal_name")
OVERVIEWS: Final = ("overview", "description")
WORDS: Final = ("name", "name_full", "legal_name", "legal_name_en", "title", "overview", "industry")

# A digest, and how it was made.
Named = tuple[str, DigestAlg]


class SearchTooBroad(Invalid):
    """Too many documents hold these words; say more of them."""

    matches_max: int


@dataclass(frozen=True, slots=True)
class Title:
    """What a document says of the thing it describes."""

    title: str
    overview: str


class Read(Enum):
    """What became of a document that was to be read."""

    KEPT = auto()
    MISSING = auto()
    AWAY = auto()


@dataclass(slots=True)
class Catalogue:
    """Fills the cache from the mirror, a little at each pass."""

    mirror: Engine
    operational: Engine
    content: ContentStore
    _after: dict[type, Place | None] = field(default_factory=dict, init=False)
    # What is to be read, and of that what was not there: the longest ago first.
    _new: dict[Named, None] = field(default_factory=dict, init=False)
    _missing: dict[Named, None] = field(default_factory=dict, init=False)

    def fill(self) -> int:
        """
        Read what was named since the last pass, and some of what was missing; return how many.

        ensures: what could not be read is come back for, whatever failed; a store that is away is
                 asked once
        """
        for one in self._named():
            if one not in self._missing:
                self._new[one] = None
        wanted = {**self._new, **dict.fromkeys(islice(self._missing, AGAIN_MAX))}
        known = titles(self.operational, (digest for digest, _ in wanted))
        count = 0
        for one in wanted:
            read = None if one[0] in known else self._read(*one)
            self._new.pop(one, None)
            self._missing.pop(one, None)
            if read is Read.KEPT:
                count += 1
            elif read is not None:
                self._missing[one] = None
            if read is Read.AWAY:
                break
        return count

    def forget(self) -> None:
        """Look at everything again at the next pass, as after a fork."""
        self._after.clear()

    def _named(self) -> Iterator[Named]:
        named: tuple[tuple[type[Any], str], ...] = (
            (Asset, "metadata_digest"),
            (Participant, "profile_digest"),
        )
        for record, name in named:
            with Session(self.mirror) as session:
                while True:
                    found = page(session, record, after=self._after.get(record), limit=PAGE)
                    for one in found.items:
                        digest = getattr(one.record, name)
                        if digest != ZERO_BYTES32:
                            yield digest, one.record.digest_alg
                    if found.items:
                        self._after[record] = _place(record, found.items[-1])
                    if found.next is None:
                        break

    def _read(self, digest: str, algorithm: DigestAlg) -> Read:
        try:
            document = parse_canonical(self.content.get(Digest(Bytes32(digest), algorithm)))
        except ContentMissing:
            return Read.MISSING
        except (NotCanonical, ContentTooLarge):
            document = None  # sealed, or no document: it stays untitled
        except ContentCorrupted as error:
            LOG.warning("document unreadable digest=%s reason=%s", digest, error)
            return Read.MISSING
        except (LedgerError, OSError) as error:
            LOG.warning("store unreadable digest=%s reason=%s", digest, error)
            return Read.AWAY
        _keep(self.operational, digest, document if isinstance(document, dict) else {})
        return Read.KEPT


def titles(operational: Engine, digests: Iterable[str]) -> dict[str, Title]:
    """Return what the cached ones of these documents say, by digest."""
    wanted = sorted(set(digests))
    found = {}
    with operational.connect() as connection:
        reading = connection.execution_options(reads=True)
        for start in range(0, len(wanted), IN_MAX):
            part = DOCUMENTS.c.digest.in_(wanted[start : start + IN_MAX])
            for row in reading.execute(select(DOCUMENTS).where(part)):
                found[row.digest] = Title(row.title, row.overview)
    return found


def search(operational: Engine, words: str) -> tuple[str, ...]:
    """
    Return the digests of the documents that hold every word, in any case.

    :raises SearchTooBroad: if there are more than MATCHES_MAX
    """
    held = [
        DOCUMENTS.c.searched.contains(word, autoescape=True) for word in words.casefold().split()
    ]
    query = select(DOCUMENTS.c.digest).where(*held).order_by(DOCUMENTS.c.digest)
    with operational.connect() as connection:
        reading = connection.execution_options(reads=True)
        found = reading.execute(query.limit(MATCHES_MAX + 1)).scalars().all()
    if len(found) > MATCHES_MAX:
        raise SearchTooBroad(matches_max=MATCHES_MAX)
    return tuple(found)


def _keep(operational: Engine, digest: str, document: Mapping[str, Any]) -> None:
    words = [text for name in WORDS if isinstance(text := document.get(name), str)]
    keywords = document.get("keywords")
    if isinstance(keywords, list):
        words += [word for word in keywords if isinstance(word, str)]
    row = {
        "digest": digest,
        "title": _first(document, TITLES),
        "overview": _first(document, OVERVIEWS)[:OVERVIEW_CHARACTERS],
        "searched": "\n".join(words).casefold()[:SEARCHED_CHARACTERS],
    }
    with operational.begin() as connection:
        connection.execute(delete(DOCUMENTS).where(DOCUMENTS.c.digest == digest))
        connection.execute(insert(DOCUMENTS).values(row))


def _first(document: Mapping[str, Any], names: Iterable[str]) -> str:
    return next((text for name in names if isinstance(text := document.get(name), str)), "")


def _place(record: type, last: Any) -> Place:
    key = tuple(getattr(last.record, name) for name in record.KEY)  # type: ignore[attr-defined]
    return Place(last.from_block, last.from_log, key)
