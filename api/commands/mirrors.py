"""
The mirror as the command line reads it: directly, as the machine of the operator or regulator.

Nothing here writes, and nothing is redacted: whoever can read the home's files can read it all.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from functools import cache
from typing import Any, Final, TypeVar

from sqlalchemy import Engine, select
from sqlmodel import Session

from api import statuses
from api.asof import NotThereYet
from api.catalogue import titles
from api.commands.nouns import NOUNS, Noun, load
from api.config import Settings
from api.databases import open_current
from api.operational import create_tables
from api.statuses import RightKindBit
from api.wire import Form, form_of
from chain.abi import hints_of
from chain.facts import Block
from chain.failure import Invalid, LedgerError, NotFound
from chain.outbox import operational_engine
from chain.reads import Recorded, as_of, final_number, find
from chain.tables import key_names, table_of
from registry.assets import Asset
from registry.certificates import Certificate, code_text
from registry.participants import Participant
from registry.profiles import RuleProfile
from registry.rights import Right
from registry.store import every, registered_version

R = TypeVar("R")

Json = dict[str, Any]

PREFIX_DIGITS_MIN: Final = 8
BY_RECORD: Final[Mapping[str, Noun]] = {noun.record: noun for noun in NOUNS}


class MirrorUnfilled(LedgerError):
    """The mirror of this home holds no block yet: start the ledger and let it catch up."""


class IdUnknown(NotFound):
    """No record has an id that begins so."""

    noun: str
    id: str


class VersionUnknown(NotFound):
    """There is no such version of it."""

    noun: str
    id: str
    version: str
    known: tuple[str, ...]


class IdAmbiguous(Invalid):
    """Several ids begin so; give more digits."""

    noun: str
    id: str


class IdTooShort(Invalid):
    """An id, or at least its first eight hexadecimal digits, is needed."""

    noun: str
    id: str


@dataclass(frozen=True, slots=True)
class Mirror:
    """
    The mirror in one transaction, and the words that documents give to things.

    shape: `at_block` is None when the block is the newest, which reads current rows
    """

    session: Session
    operational: Engine | None
    block: Block
    final_number: int
    at_block: int | None = None

    @property
    def now(self) -> int:
        """Return the time that statuses are computed with."""
        return self.block.timestamp

    def as_of(self) -> Json:
        """Return the block as every answer names it."""
        return {
            "block_number": self.block.number,
            "block_hash": self.block.hash,
            "is_final": self.block.number <= self.final_number,
        }

    def items(self, record: type, found: Iterable[Recorded[Any]]) -> list[Json]:
        """Return records as the API tells them, with status and name where they have any."""
        held = list(found)
        noun = BY_RECORD.get(f"{record.__module__}:{record.__name__}")
        said = self.words(noun, (one.record for one in held))
        return [
            {
                **{name: form.convert(getattr(one.record, name)) for name, form in forms(record)},
                **self._derived(noun, one.record, said),
                "recorded_at_block": one.from_block,
            }
            for one in held
        ]

    def _derived(self, noun: Noun | None, record: Any, said: Mapping[str, str]) -> Json:
        told: Json = {}
        if noun is not None and noun.status:
            told["status"] = getattr(statuses, noun.status)(record, self.now).name
        if noun is not None and noun.named_by:
            told[noun.named_as] = said.get(getattr(record, noun.named_by), "")
        return {**told, **self._special(record)}

    def _special(self, record: Any) -> Json:
        if isinstance(record, RuleProfile):
            return {"name_text": code_text(record.name)}
        if isinstance(record, Certificate):
            return {"code_text": code_text(record.code)}
        if isinstance(record, Right):
            return {"kind_names": [bit.name for bit in RightKindBit if record.kinds & bit]}
        if isinstance(record, Asset):
            return {"status": self._standing(record)}
        return {}

    def _standing(self, asset: Asset) -> str:
        registered = registered_version(self.session, asset.asset_id, at_block=self.at_block)
        if asset.version == registered:
            return "REGISTERED"
        return "SUPERSEDED" if asset.version < registered else "DECLARED"

    def words(self, noun: Noun | None, records: Iterable[Any]) -> dict[str, str]:
        """Return what documents call these records, by the documents' digests."""
        if noun is None or not noun.named_by:
            return {}
        return self.titles(getattr(one, noun.named_by) for one in records)

    def titles(self, digests: Iterable[str]) -> dict[str, str]:
        """Return the titles of documents, by digest."""
        if self.operational is None:
            return {}
        return {key: one.title for key, one in titles(self.operational, digests).items()}

    def participants(self, ids: Iterable[str]) -> dict[str, str]:
        """Return what organisations are called, by id; those without a readable name are absent."""
        wanted = tuple(sorted(set(ids)))
        found = list(self._every(Participant, {"participant_id": wanted}))
        said = self.titles(one.profile_digest for one in found)
        return {
            one.participant_id: said[one.profile_digest]
            for one in found
            if said.get(one.profile_digest)
        }

    def assets(self, ids: Iterable[str]) -> dict[str, str]:
        """Return what assets are called, by id; of several versions the last."""
        wanted = tuple(sorted(set(ids)))
        found = list(self._every(Asset, {"asset_id": wanted}))
        said = self.titles(one.metadata_digest for one in found)
        return {
            one.asset_id: said[one.metadata_digest]
            for one in found
            if said.get(one.metadata_digest)
        }

    def require(self, record: type[R], *key: Any) -> R:
        """
        Return a record as it is now.

        :raises IdUnknown: if there is none
        """
        found = find(self.session, record, *key, at_block=self.at_block)
        if found is None:
            raise self.missing(record.__name__.lower(), record, str(key[0]), *key[1:])
        return found.record

    def missing(self, noun: str, record: type, first: str, *rest: Any) -> LedgerError:
        """Return why a record is not told whose id, or its beginning, is there: `rest` narrows."""
        names = key_names(record)
        where = {names[0]: first}
        known: list[Any] = list(every(self.session, record, where=where, at_block=self.at_block))
        if known and rest:
            versions = tuple(sorted({str(getattr(one, names[1])) for one in known}))
            said = ", ".join(str(one) for one in rest if one is not None)
            return VersionUnknown(noun=noun, id=first, version=said, known=versions)
        if not known and next(every(self.session, record, where=where), None) is not None:
            return NotThereYet(noun=noun, id=first, block_number=self.block.number)
        return IdUnknown(noun=noun, id=first)

    def _every(self, record: type[R], where: Mapping[str, Any]) -> Iterator[R]:
        return every(self.session, record, where=where, at_block=self.at_block)

    def resolve(self, noun: str, record: type, text: str) -> str:
        """
        Return the id that a text begins.

        :raises IdTooShort: for fewer than eight hexadecimal digits
        :raises IdUnknown: IdAmbiguous: if none or several ids begin so
        """
        digits = digits_of(noun, text)
        table = table_of(record).table
        column = table.c[key_names(record)[0]]
        query = select(column).where(column.startswith(f"0x{digits}"), table.c.to_block.is_(None))
        found = self.session.connection().execute(query.distinct().limit(2)).scalars().all()
        if not found:
            raise IdUnknown(noun=noun, id=text)
        if len(found) > 1:
            raise IdAmbiguous(noun=noun, id=text)
        return str(found[0])


@contextmanager
def open_reading(
    settings: Settings, *, as_of_block: int | None = None, as_of_time: str | None = None
) -> Iterator[Mirror]:
    """
    Open the mirror of a home for reading, as of a block or a time if one is given.

    :raises MirrorUnfilled: if no block was applied yet
    :raises LedgerError: as `api.asof.block_of` does
    """
    mirror = open_current(settings.mirror_url, settings.mirror_lock)
    operational = None
    if settings.operational.is_file():
        operational = operational_engine(settings.operational)
        create_tables(operational)
    try:
        with Session(mirror) as session:
            tip = as_of(session)
            if tip is None:
                raise MirrorUnfilled()
            newest = Mirror(session, operational, tip, final_number(session))
            if as_of_block is None and as_of_time is None:
                yield newest
            else:
                yield _earlier(newest, as_of_block, as_of_time)
    finally:
        mirror.dispose()
        if operational is not None:
            operational.dispose()


def _earlier(newest: Mirror, as_of_block: int | None, as_of_time: str | None) -> Mirror:
    from api.asof import Asked, block_of
    from chain.reading import Snapshot

    snapshot = Snapshot(newest.session.connection())
    found = block_of(snapshot, Asked(as_of_block, as_of_time))
    return replace(newest, block=found.block, at_block=found.at_block)


@cache
def forms(record: type) -> tuple[tuple[str, Form], ...]:
    """Return how each field of a record is written."""
    hints = hints_of(record)
    return tuple(
        (one.name, form_of(hints[one.name], one.name, bool(one.metadata.get("uint256"))))
        for one in fields(record)
    )


def digits_of(noun: str, text: str) -> str:
    """
    Return the hexadecimal digits of an id or of its beginning, in lower case.

    :raises IdTooShort: for fewer than eight
    """
    digits = text.lower().removeprefix("0x")
    if len(digits) < PREFIX_DIGITS_MIN or set(digits) - set("0123456789abcdef"):
        raise IdTooShort(noun=noun, id=text)
    return digits


def record_of(noun: Noun) -> type:
    """Return the record of a noun."""
    found: type = load(noun.record)
    return found
