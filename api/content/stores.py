"""
The stores that the settings name: the own one, which notes what this home puts, second copies, and
other exchanges' nodes.

Not here: how a store keeps content (`chain.content`, `chain.kubo`), or who looks (`keeper`).
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

from sqlalchemy import Engine

from api.config import Settings
from api.content.keeper import Keeper, Places
from api.content.rows import find_content, note_kept
from chain.codes import DigestAlg
from chain.content import (
    Condition,
    ContentStore,
    FileStore,
    Name,
    Source,
    Stored,
    content_store,
)
from chain.documents import Digest
from chain.failure import Invalid, LedgerError

# What distinguishes the address of a node in a swarm from one of an RPC.
NODE_ID: Final = "/p2p/"
KEEP_NAMED: Final = "named"


class SwarmNeedsKubo(Invalid):
    """Only a content store that is a Kubo node can fetch from other exchanges' nodes."""

    content_url: str
    peer: str


class CopyAway(LedgerError):
    """The folder of a second copy is not there; it is made by a person, never by us."""

    folder: str


@dataclass(slots=True)
class NotingStore(ContentStore):
    """
    A store that notes what is put, so that what is lost later is told from what never was.

    ensures: content is found by the names in the notes, even where the store's own list lost it
    """

    inner: ContentStore
    operational: Engine
    clock: Callable[[], int] = lambda: int(time.time())

    def put(self, source: Source, *, algorithm: DigestAlg = DigestAlg.SHA256) -> Stored:
        stored = self.inner.put(source, algorithm=algorithm)
        note_kept(self.operational, stored, now=self.clock())
        return stored

    def open(self, name: Name) -> IO[bytes]:
        return self.inner.open(self._known(name))

    def condition(self, name: Name) -> Condition:
        return self.inner.condition(self._known(name))

    def _known(self, name: Name) -> Name:
        if not isinstance(name, Digest):
            return name
        noted = find_content(self.operational, name.value)
        return name if noted is None or noted.digest != name else noted.name


@dataclass(slots=True)
class CopyFolder(ContentStore):
    """A second copy in a folder, which may be a disk that is not mounted now."""

    folder: Path

    def put(self, source: Source, *, algorithm: DigestAlg = DigestAlg.SHA256) -> Stored:
        return self._there().put(source, algorithm=algorithm)

    def open(self, name: Name) -> IO[bytes]:
        return self._there().open(name)

    def condition(self, name: Name) -> Condition:
        return self._there().condition(name)

    def _there(self) -> FileStore:
        if not self.folder.is_dir():
            raise CopyAway(folder=str(self.folder))
        return FileStore(self.folder)


def open_content(settings: Settings, operational: Engine) -> NotingStore:
    """Return the own store of a home, with its database open."""
    return NotingStore(own_store(settings), operational)


def own_store(settings: Settings) -> ContentStore:
    """
    Return the own store itself.

    :raises StoreUrlInvalid: ContentStoreExposed: if the setting names none that may be used
    """
    return content_store(
        settings.content_url, spool=settings.spool, is_remote_allowed=bool(settings.content_remote)
    )


def keeper_of(settings: Settings) -> Keeper:
    """
    Return who looks after the content of a home.

    :raises SwarmNeedsKubo: if nodes of a swarm are named and the own store is none
    """
    own = own_store(settings)
    named = _peers(settings)
    swarm = tuple(one for one in named if NODE_ID in one)
    if swarm and isinstance(own, FileStore):
        raise SwarmNeedsKubo(content_url=settings.content_url, peer=swarm[0])
    copies = {one: _copy(settings, one) for one in copy_names(settings)}
    places = Places(own=own, copies=copies, swarm=swarm)
    return Keeper(places, keeps_named=settings.content_keep == KEEP_NAMED)


def copy_names(settings: Settings) -> list[str]:
    """Return the names of the second copies, in the order of the setting."""
    return [one for one in _peers(settings) if NODE_ID not in one]


def _peers(settings: Settings) -> list[str]:
    return [one.strip() for one in settings.content_peers.split(",") if one.strip()]


def _copy(settings: Settings, url: str) -> ContentStore:
    store = content_store(
        url, spool=settings.spool, is_remote_allowed=bool(settings.content_remote)
    )
    return CopyFolder(store.folder) if isinstance(store, FileStore) else store
