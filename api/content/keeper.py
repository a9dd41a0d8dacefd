"""
Looks at one content in every place that is to have it, and puts it back where it is not whole.

Nothing is believed: what comes from a second copy or from another exchange's node is hashed before
it is put, and read back afterwards. What was found is kept by `api.content.rounds`.
"""

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from typing import IO, Final

from api.content.rows import AWAY, Content, State
from chain.codes import DigestAlg
from chain.content import Condition, ContentCorrupted, ContentMissing, ContentStore, Name, verify
from chain.documents import Digest
from chain.failure import Invalid, LedgerError
from chain.kubo_node import ContentStoreUnreachable

LOG: Final = logging.getLogger(__name__)

# What a store that is away, or whose disk is full or broken, does.
STORE_FAILED: Final = (LedgerError, OSError)


@dataclass(frozen=True, slots=True)
class Places:
    """
    Where content is: the own store, second copies by their names, other exchanges' nodes.

    shape: `swarm` holds multiaddresses of nodes; only a store that is a Kubo node can ask them, and
           waits so long for each content
    """

    own: ContentStore
    copies: Mapping[str, ContentStore]
    swarm: Sequence[str] = ()
    wait_seconds: float = 30


@dataclass(slots=True)
class Keeper:
    """
    Looks and mends.

    shape: `keeps_named` also fetches what the ledger names and this home never had
    """

    places: Places
    keeps_named: bool = False

    def look(self, content: Content, *, now: int) -> Content:
        """
        Read a content everywhere, and return how it was found.

        :raises ContentStoreUnreachable: if the own store does not answer: then nothing is known
        """
        found = self._condition(self.places.own, content)
        if not content.is_kept and found is Condition.MISSING:
            return replace(content, state=State.ELSEWHERE, copies={})
        copies = {name: self._told(store, content) for name, store in self.places.copies.items()}
        state = State[found.name]
        is_gone = found in (Condition.CORRUPTED, Condition.MISSING)
        if is_gone and not self.places.swarm and not _anybody(copies):
            state = State.LOST
        # Whatever is here was put here: by an older version, or into a store that is shared.
        return replace(content, state=state, copies=copies, kept_at=content.kept_at or now)

    def mend(self, content: Content, *, now: int) -> Content:
        """
        Put a content back wherever it is not whole, and return how it is afterwards.

        shape:   takes what `look` returned; one that was LOST may come back
        ensures: what cannot be mended is LOST if this home kept it
        :raises ContentStoreUnreachable: if the own store does not answer
        """
        if content.state is State.ELSEWHERE and not self.keeps_named:
            return content
        if content.state is not State.HELD:
            content = self._restore(content, now=now)
        if content.state is State.HELD:
            content = replace(content, copies=self._copied(content))
        return content

    # --- the own store ----------------------------------------------------------------------------

    def _restore(self, content: Content, *, now: int) -> Content:
        for source in self._sources(content):
            with source as stream:
                if stream is None:
                    continue
                try:
                    stored = self.places.own.put(stream, algorithm=content.digest.algorithm)
                except ContentStoreUnreachable:
                    raise
                except STORE_FAILED as error:
                    # One that resists must not keep us from the others.
                    LOG.error("content not mended named_by=%s reason=%s", content.named_by, error)
                    return content
            LOG.warning(
                "content mended digest=%s named_by=%s", content.digest.value, content.named_by
            )
            return replace(
                content,
                sha256=stored.sha256,
                cid=stored.cid,
                size_bytes=stored.size_bytes,
                kept_at=content.kept_at or now,
                state=State.HELD,
            )
        if self._fetched(content):
            LOG.warning(
                "content fetched digest=%s named_by=%s", content.digest.value, content.named_by
            )
            return replace(content, state=State.HELD, kept_at=content.kept_at or now)
        return replace(content, state=State.LOST if content.is_kept else State.ELSEWHERE)

    def _sources(self, content: Content) -> Iterator[AbstractContextManager[IO[bytes] | None]]:
        """Yield the places that may give the content, the nearest first."""
        own = self.places.own
        if content.state is State.LOOSE:
            yield _opened(own, content.name)
        if content.sha256 is not None and content.digest.algorithm is not DigestAlg.SHA256:
            # Only the second name is lost.
            yield _opened(own, Digest(content.sha256), content.digest)
        for store in self.places.copies.values():
            yield _opened(store, content.name)
            if content.sha256 is not None and content.digest.algorithm is not DigestAlg.SHA256:
                yield _opened(store, Digest(content.sha256), content.digest)

    def _fetched(self, content: Content) -> bool:
        from chain.kubo import KuboStore

        own = self.places.own
        if not self.places.swarm or not isinstance(own, KuboStore):
            return False
        try:
            own.fetch(
                content.name,
                peers=self.places.swarm,
                size_bytes=content.size_bytes or 0,
                wait_seconds=self.places.wait_seconds,
            )
        except (ContentMissing, ContentCorrupted):
            return False
        return own.condition(content.name) is Condition.HELD

    # --- second copies ----------------------------------------------------------------------------

    def _copied(self, content: Content) -> dict[str, str]:
        """Put a content that is whole here wherever it is not, and return how the copies are."""
        told = {}
        for name, store in self.places.copies.items():
            told[name] = content.copies.get(name) or self._told(store, content)
            if told[name] in (Condition.HELD.name, AWAY):
                continue
            try:
                with self.places.own.open(content.name) as stream:
                    store.put(stream, algorithm=content.digest.algorithm)
            except STORE_FAILED as error:
                LOG.warning("content not copied to=%s reason=%s", name, error)
                told[name] = self._told(store, content)
            else:
                told[name] = Condition.HELD.name
        return told

    def _told(self, store: ContentStore, content: Content) -> str:
        try:
            return self._condition(store, content).name
        except STORE_FAILED:
            return AWAY

    def _condition(self, store: ContentStore, content: Content) -> Condition:
        try:
            return store.condition(content.name)
        except Invalid as error:
            # A name that the store cannot take is one that it does not have.
            LOG.warning("content not named digest=%s reason=%s", content.digest.value, error)
            return Condition.MISSING
        except OSError as error:
            reason = f"{error.filename or ''} {error.strerror or error}".strip()
            raise ContentStoreUnreachable(address="files", reason=reason) from error


@contextmanager
def _opened(
    store: ContentStore, name: Name, wanted: Digest | None = None
) -> Iterator[IO[bytes] | None]:
    """Open a content if the store has it whole, and it is what is wanted."""
    try:
        stream = store.open(name)
    except STORE_FAILED:
        yield None
        return
    with stream:
        yield stream if wanted is None or _is(stream, wanted) else None


def _is(stream: IO[bytes], wanted: Digest) -> bool:
    try:
        verify(stream, wanted)
    except ContentCorrupted:
        return False
    return True


def _tell(what: str, content: Content) -> None:
    LOG.warning("%s digest=%s named_by=%s", what, content.digest.value, content.named_by)


def _anybody(copies: Mapping[str, str]) -> bool:
    # One that is away may have it.
    return any(one in (Condition.HELD.name, Condition.LOOSE.name, AWAY) for one in copies.values())
