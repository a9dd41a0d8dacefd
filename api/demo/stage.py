"""
The stage on which the demonstration acts: keys, documents, sealed packages, the clock, and every act
sent at most once.

It knows no step of the life (`api.demo.life`). What an act needs that is random or timed is kept in
the outbox before anything is sent, so a repeat sends the very same act.
"""

import secrets
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Protocol, TypeVar

from eth_account.signers.local import LocalAccount

from api.demo.cast import BY_SLUG
from chain.act import Act
from chain.acts import ACTS
from chain.client import Ledger
from chain.content import ContentStore
from chain.documents import Digest, Json, canonical, parse_canonical
from chain.event import Event
from chain.keys import Keyring, encryption_private_key, encryption_public_key
from chain.readers import Sidecar
from chain.sealing import open_bytes, seal_bytes
from chain.structs import TradeTerms
from chain.values import (
    Address,
    AgreementId,
    Bytes32,
    HexBytes,
    ParticipantId,
    address,
    participant_id,
    raw,
)

NOTHING = "0x" + "00" * 32
NOBODY = ParticipantId(NOTHING)
SIGNED_FOR_SECONDS = 30 * 86_400

E = TypeVar("E", bound=Event)
V = TypeVar("V")


class Progress(Protocol):
    """Whoever shows how far the demonstration has come."""

    def begin(self, title: str, steps: int) -> None:
        """Begin a part of so many steps."""
        ...

    def step(self, done: str) -> None:
        """Note that a step is done."""
        ...


@dataclass(frozen=True, slots=True)
class Acted:
    """What an act did: the events of its transaction, in order."""

    events: tuple[Event, ...]

    def one(self, kind: type[E]) -> E:
        """Return the one event of a kind that the act made."""
        (found,) = (event for event in self.events if isinstance(event, kind))
        return found


class Stage:
    """One home's ledger, with the keys of everybody in the cast."""

    def __init__(
        self,
        ledger: Ledger,
        *,
        content: ContentStore,
        keyring: Keyring,
        progress: Progress,
        is_clock_movable: bool,
    ) -> None:
        self._ledger = ledger
        self._content = content
        self._keyring = keyring
        self._progress = progress
        self.is_clock_movable = is_clock_movable
        self.agreement_id = AgreementId(NOTHING)

    # --- who --------------------------------------------------------------------------------------

    def participant(self, slug: str) -> ParticipantId:
        """Return the id of an organisation of the cast."""
        return participant_id(BY_SLUG[slug].uscc)

    def profile(self, slug: str) -> dict[str, Json]:
        """Return what documents say of an organisation."""
        one = BY_SLUG[slug]
        return {"name": one.name_zh, "name_en": one.name_en, "id": self.participant(slug)}

    def account(self, slug: str) -> LocalAccount:
        """Return the key that an organisation acts with."""
        return self._keyring.account(slug)

    def address(self, slug: str) -> Address:
        """Return the account that an organisation acts with."""
        return address(self.account(slug).address)

    def encryption_key(self, slug: str) -> HexBytes:
        """Return the public key that packages are sealed for."""
        return HexBytes(encryption_public_key(self.account(slug)))

    # --- acts -------------------------------------------------------------------------------------

    def act(
        self, key: str, *, by: str, make: Callable[[], Act], relayed_by: str = ""
    ) -> Acted:
        """
        Carry out an act once: what was made the first time is what every repeat sends.

        shape: with `relayed_by`, the actor only signs, and another organisation's account sends
        """
        kept = self._ledger.outbox.remember(f"{key}#act", lambda: _written(make()))
        act = ACTS[kept["act"]].from_json(kept["arguments"])
        if relayed_by:
            authorization = self._ledger.sign_act(
                act,
                self.account(by),
                nonce=self.recall(f"{key}#nonce", lambda: secrets.randbits(63)),
                deadline=self.recall(
                    f"{key}#deadline", lambda: self.now() + SIGNED_FOR_SECONDS
                ),
            )
            sent = self._ledger.relay(
                act, authorization, by=self.account(relayed_by), key=key
            )
        else:
            sent = self._ledger.act(act, by=self.account(by), key=key)
        return Acted(tuple(self._ledger.events_of(sent)))

    def acted(self, key: str) -> Acted:
        """Return what an earlier act did."""
        return Acted(tuple(self._ledger.events_of_key(key)))

    def recall(self, key: str, make: Callable[[], int]) -> int:
        """Return a number that is made once and kept."""
        return int(self._ledger.outbox.remember(key, lambda: {"value": make()})["value"])

    def sign_terms(self, terms: TradeTerms, *, by: str) -> HexBytes:
        """Let an organisation sign a contract in the clear (EIP-712)."""
        return self._ledger.sign_terms(terms, self.account(by))

    # --- time -------------------------------------------------------------------------------------

    def now(self) -> int:
        """Return the chain's time in seconds since 1970 UTC."""
        return self._ledger.now()

    def wait_until(self, moment: int) -> None:
        """Let the chain's clock reach a moment: moved where it can be, else waited for."""
        self._ledger.reach(moment)

    def value_date(self) -> int:
        """Return the chain's day as yyyymmdd."""
        return int(datetime.fromtimestamp(self.now(), UTC).strftime("%Y%m%d"))

    # --- documents and packages -------------------------------------------------------------------

    def document(self, document: Json) -> Bytes32:
        """Keep a document and return its digest."""
        return self._content.put(canonical(document)).digest.value

    def content(self, data: bytes) -> Bytes32:
        """Keep bytes and return their digest."""
        return self._content.put(data).digest.value

    def content_chunks(self, chunks: Iterable[bytes], digest: Bytes32) -> None:
        """Keep a file that comes in pieces, and check that it has the digest it was read with."""
        found = self.content(b"".join(chunks))
        assert found == digest, f"{found=} {digest=}"

    def seal(self, package: bytes, *, readers: Sequence[str]) -> tuple[Bytes32, Bytes32]:
        """Keep a package sealed for these readers; return the digests of it and of its key wraps."""
        keys = [self.encryption_key(slug) for slug in readers]
        sealed, made = seal_bytes(package, readers=keys)
        return self.content(sealed), self.document(made.sidecar.to_document())

    def open_sealed(self, package: Bytes32, keys: Bytes32, *, by: str) -> Bytes32:
        """Open a sealed package as one of its readers; return the digest of what was inside."""
        sidecar = Sidecar.from_document(parse_canonical(self._content.get(Digest(keys))))
        private = raw(encryption_private_key(self.account(by)))
        plain = open_bytes(self._content.get(Digest(package)), sidecar=sidecar, private_key=private)
        return self.content(plain)

    # --- progress ---------------------------------------------------------------------------------

    def begin(self, title: str, steps: int) -> None:
        """Begin a part of so many steps."""
        self._progress.begin(title, steps)

    def step(self, done: str) -> None:
        """Note that a step is done."""
        self._progress.step(done)


@dataclass(slots=True)
class Silence:
    """Progress that nobody looks at."""

    titles: list[str] = field(default_factory=list)

    def begin(self, title: str, steps: int) -> None:  # noqa: ARG002
        """Note the title only."""
        self.titles.append(title)

    def step(self, done: str) -> None:
        """Show nothing."""


def _written(act: Act) -> dict[str, Any]:
    return {"act": type(act).__name__, "arguments": act.to_json()}
