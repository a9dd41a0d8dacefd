"""
The stage on which the demonstration acts: keys, documents, sealed packages, the clock, and every
act sent at most once.

It knows no step of the life (`api.demo.life`). What an act needs that is random or timed is kept in
the outbox before anything is sent, so a repeat sends the very same act.
"""

import secrets
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any, Protocol, TypeVar

from eth_account.signers.local import LocalAccount

from api.demo.cast import BY_SLUG
from chain.act import Act
from chain.acts import ACTS
from chain.client import Ledger, Request, Signing
from chain.content import ContentStore
from chain.decoder import decode_receipt
from chain.documents import Digest, Json, canonical, parse_canonical
from chain.errors import DeadlineNotReached
from chain.event import Event
from chain.keys import Keyring, encryption_private_key, encryption_public_key
from chain.readers import Sidecar
from chain.sealing import open_bytes, seal_bytes
from chain.sender import PIPELINE_MAX
from chain.structs import Authorization, TradeTerms
from chain.values import (
    ZERO_BYTES32,
    Address,
    AgreementId,
    Bytes32,
    HexBytes,
    ParticipantId,
    PublicKey,
    address,
    participant_id,
    raw,
)

NOTHING = ZERO_BYTES32
NOBODY = ParticipantId(NOTHING)
SIGNED_FOR_SECONDS = 30 * 86_400
POLL_SECONDS_MAX = 5
DEADLINE_TRIES = 3

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """
    An act that is to be done once.

    shape: `make` makes it the first time; if `is_relayed`, the actor only signs
    """

    key: str
    by: str
    make: Callable[[], Act]
    is_relayed: bool = False


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
        self._outbox = ledger.sender.outbox
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

    def encryption_key(self, slug: str) -> PublicKey:
        """Return the public key that packages are sealed for."""
        return encryption_public_key(self.account(slug))

    # --- acts -------------------------------------------------------------------------------------

    def act(self, key: str, *, by: str, make: Callable[[], Act], is_relayed: bool = False) -> Acted:
        """
        Carry out an act once: what was made the first time is what every repeat sends.

        shape: if `is_relayed`, the actor only signs, and the relayer's account sends
        """
        (acted,) = self.act_together([Step(key=key, by=by, make=make, is_relayed=is_relayed)])
        return acted

    def act_together(self, steps: Sequence[Step]) -> list[Acted]:
        """Carry out acts that do not need one another, all at once; each as `act` does."""
        for start in range(0, len(steps), PIPELINE_MAX):
            part = steps[start : start + PIPELINE_MAX]
            self._act(part)
        return [self.acted(step.key) for step in steps]

    def _act(self, steps: Sequence[Step]) -> None:
        for _ in range(DEADLINE_TRIES):
            try:
                self._ledger.act_together([self._signing(step) for step in steps])
            except DeadlineNotReached as early:
                # A fork moved what the deadline was counted from; on a clock of ours none does.
                if self.is_clock_movable:
                    raise
                self.wait_until(early.deadline)
            else:
                return
        self._ledger.act_together([self._signing(step) for step in steps])

    def _signing(self, step: Step) -> Signing:
        kept = self._outbox.remember(f"{step.key}#act", lambda: _written(step.make()))
        act = ACTS[kept["act"]].from_json(kept["arguments"])
        return Signing(
            request=Request(act=act, key=step.key),
            by=self.account(step.by),
            authorization=(
                self._authorization(act, step.key, step.by) if step.is_relayed else None
            ),
        )

    def acted(self, key: str) -> Acted:
        """Return what an earlier act did."""
        entry = self._outbox.find(key)
        assert entry is not None, f"{key} was never done"
        assert entry.transaction_hash is not None, f"{key} was never sent"
        return self._acted(entry.transaction_hash)

    def _authorization(self, act: Act, key: str, by: str) -> Authorization:
        return self._ledger.sign_act(
            act,
            self.account(by),
            nonce=self.recall(f"{key}#nonce", lambda: secrets.randbits(48)),
            deadline=self.recall(f"{key}#deadline", lambda: self.now() + SIGNED_FOR_SECONDS),
        )

    def _acted(self, transaction_hash: Bytes32) -> Acted:
        receipt = self._ledger.sender.connection.whole_receipt(transaction_hash)
        return Acted(decode_receipt(receipt))

    def recall(self, key: str, make: Callable[[], int]) -> int:
        """Return a number that is made once and kept."""
        return int(self._outbox.remember(key, lambda: {"value": make()})["value"])

    def sign_terms(self, terms: TradeTerms, *, by: str) -> HexBytes:
        """Let an organisation sign a contract in the clear (EIP-712)."""
        return self._ledger.sign_terms(terms, self.account(by))

    # --- time -------------------------------------------------------------------------------------

    def now(self) -> int:
        """Return the chain's time in seconds since 1970 UTC."""
        return self._ledger.now()

    def wait_until(self, moment: int) -> None:
        """Let the chain's clock reach a moment: moved where it can be, else waited for."""
        if self.is_clock_movable:
            self._ledger.clock(moment)
            return
        while (now := self.now()) < moment:
            time.sleep(min(POLL_SECONDS_MAX, moment - now))

    def value_date(self) -> int:
        """Return the chain's day as yyyymmdd."""
        return int(datetime.fromtimestamp(self.now(), UTC).strftime("%Y%m%d"))

    # --- documents and packages -------------------------------------------------------------------

    def document(self, document: Mapping[str, Any]) -> Bytes32:
        """Keep a document and return its digest."""
        return self._content.put(canonical(dict(document))).digest.value

    def content(self, data: bytes) -> Bytes32:
        """Keep bytes and return their digest."""
        return self._content.put(data).digest.value

    def content_chunks(self, chunks: Iterable[bytes], digest: Bytes32) -> None:
        """Keep a file that comes in pieces, and check that it has the digest it was read with."""
        with NamedTemporaryFile() as file:
            for chunk in chunks:
                file.write(chunk)
            file.flush()
            found = self._content.put(Path(file.name)).digest.value
        assert found == digest, f"{found=} {digest=}"

    def seal(self, package: bytes, *, readers: Sequence[str]) -> tuple[Bytes32, Bytes32]:
        """Keep a package sealed for readers; return the digests of it and of its key wraps."""
        keys = [self.encryption_key(slug) for slug in readers]
        sealed, made = seal_bytes(package, readers=keys)
        sidecar = canonical(made.sidecar.to_document())
        return self.content(sealed), self.content(sidecar)

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
