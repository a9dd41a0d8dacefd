"""
Who acts on the chain that is measured, with keys and digests that a seed decides.

The consortium itself is the demonstration's (`api.demo.consortium`); this adds what many lives
need: pools of what exists by now, and a clock of its own.
"""

import hashlib
from dataclasses import dataclass, field
from random import Random
from typing import Any, Final

from eth_account import Account
from eth_account.signers.local import LocalAccount

from api.demo.cast import CAST
from chain.client import Ledger
from chain.codes import AuthorityClass, DigestAlg
from chain.events import AssetDeclared, CertificateIssued, ListingSubmitted
from chain.structs import Cause
from chain.values import (
    Address,
    AgreementId,
    Bytes32,
    ParticipantId,
    ProfileId,
    RightId,
    address,
    bytes32,
    participant_id,
)

VENUE_A: Final = "exchange-a"
VENUE_B: Final = "exchange-b"


class Keys:
    """Accounts whose keys come from a seed: never for anything of value."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._accounts: dict[str, LocalAccount] = {}

    def account(self, name: str) -> LocalAccount:
        """Return the account of a name."""
        found = self._accounts.get(name)
        if found is None:
            key = hashlib.sha256(f"{self._seed}/{name}".encode()).digest()
            found = self._accounts[name] = Account.from_key(key)
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A registered asset, with what its descendants and its offer must bring along."""

    owner: str
    asset: AssetDeclared
    certificate: CertificateIssued
    right_id: RightId


@dataclass(slots=True, kw_only=True)
class Offered:
    """A listing that both venues show, and its price at the version that counts."""

    listing: ListingSubmitted
    held: Held
    price_fen: int
    version: int = 1


@dataclass(slots=True, kw_only=True)
class World:
    """
    Everything that exists on the chain by now, as far as later acts need it.

    shape: pools of slugs and of things; makers take from them and put back
    units: `now` in seconds since 1970 UTC, the time of the block that comes next
    """

    ledger: Ledger
    keys: Keys
    random: Random
    profile_id: ProfileId
    agreement_id: AgreementId
    now: int = 0
    sellers: list[str] = field(default_factory=list)
    buyers: list[str] = field(default_factory=list)
    balances_fen: dict[str, int] = field(default_factory=dict)
    declared: list[tuple[str, AssetDeclared]] = field(default_factory=list)
    resources: list[Held] = field(default_factory=list)
    unreviewed: list[Held] = field(default_factory=list)
    elements: list[Held] = field(default_factory=list)
    products: list[Held] = field(default_factory=list)
    offers: list[Offered] = field(default_factory=list)
    made: dict[str, int] = field(default_factory=dict)
    _ids: dict[str, ParticipantId] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._ids.update({one.slug: participant_id(one.uscc) for one in CAST})

    def participant(self, slug: str) -> ParticipantId:
        """Return an organisation's id."""
        return self._ids[slug]

    def join(self, slug: str, found: ParticipantId) -> None:
        """Note an organisation's id."""
        self._ids[slug] = found

    def address(self, slug: str) -> Address:
        """Return the account that an organisation acts with."""
        return address(self.keys.account(slug).address)

    def number(self, noun: str) -> int:
        """Return how many of a noun were begun, this one included."""
        self.made[noun] = self.made.get(noun, 0) + 1
        return self.made[noun]

    def digest(self) -> Bytes32:
        """Return the digest of a document that nobody reads."""
        return bytes32(self.random.randbytes(32))

    def chance(self, percent: int) -> bool:
        """Say whether this time it happens."""
        return self.random.randrange(100) < percent

    def one(self, pool: list[Any]) -> Any:
        """Return one of a pool, which keeps it."""
        return pool[self.random.randrange(len(pool))]

    def taken(self, pool: list[Any]) -> Any:
        """Return one of a pool, which loses it."""
        place = self.random.randrange(len(pool))
        pool[place], pool[-1] = pool[-1], pool[place]
        return pool.pop()

    def cause(self, authority: AuthorityClass) -> Cause:
        """Return why an adverse act is done."""
        return Cause(
            reason_code=1 + self.random.randrange(200),
            document_digest=self.digest(),
            digest_alg=DigestAlg.SHA256,
            authority=authority,
            until=0,
        )
