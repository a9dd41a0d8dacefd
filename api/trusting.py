"""
A trust list made of the ledger's own exchanges, for a verifier who decides to trust them.

It is a proposal and nothing more: what the list means, and that it is each verifier's own, stands
in `registry.trust`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sqlmodel import Session

from api.cosigning import exchange_flaw
from chain.codes import Role
from chain.failure import NotFound
from chain.values import Address, ParticipantId
from registry.participants import COSIGN, Account, IssuerCode, RoleGrant, is_active_account
from registry.store import every
from registry.trust import (
    TrustedChain,
    TrustedExchange,
    TrustList,
    TrustListInvalid,
    flaw_of,
)


class ExchangeUnknown(NotFound):
    """The ledger has no exchange of this id whose accounts may co-sign now."""

    participant_id: ParticipantId


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """
    Whom a verifier decides to trust, and how far.

    shape: no exchanges, or no issuers, means all that the ledger has now
    units: `max_age_seconds` is how old a checkpoint may be; 0 means any age
    """

    threshold: int
    max_age_seconds: int
    exchanges: tuple[ParticipantId, ...] = ()
    issuers: tuple[ParticipantId, ...] = ()


def exchanges_of(session: Session, *, now: int) -> dict[ParticipantId, tuple[Address, ...]]:
    """Return the ledger's admitted exchanges, with the accounts that may co-sign for them now."""
    grants = every(session, RoleGrant, where={"role": Role.EXCHANGE_OPERATOR})
    found = {}
    for participant_id in sorted({one.participant_id for one in grants}):
        held = every(session, Account, where={"participant_id": participant_id})
        accounts = sorted(
            one.account for one in held if is_active_account(one, purpose=COSIGN, now=now)
        )
        if accounts and not exchange_flaw(session, participant_id, now=now):
            found[participant_id] = tuple(accounts)
    return found


def issuers_of(session: Session) -> tuple[ParticipantId, ...]:
    """Return all whose certificates carry a code of their own."""
    return tuple(sorted(one.participant_id for one in every(session, IssuerCode)))


def trust_list(
    session: Session,
    *,
    chain_id: int,
    certificates: Address,
    wanted: Wanted,
    names: Mapping[str, str],
    now: int,
) -> TrustList:
    """
    Return the trust list of a chain as its ledger stands.

    shape: `names` are what their documents call the exchanges; without one the id stands for it
    :raises ExchangeUnknown: if one that is wanted is none
    :raises TrustListInvalid: if it would be refused whole, as one that asks for more than there are
    """
    known = exchanges_of(session, now=now)
    chosen = tuple(sorted(set(wanted.exchanges))) or tuple(known)
    _require_known(chosen, known)
    exchanges = tuple(
        TrustedExchange(participant_id=one, name=names.get(one, one), accounts=known[one])
        for one in chosen
    )
    chain = TrustedChain(
        chain_id=chain_id,
        certificates=certificates,
        threshold=wanted.threshold,
        max_age_seconds=wanted.max_age_seconds,
        exchanges=exchanges,
        issuers=tuple(sorted(set(wanted.issuers))) or issuers_of(session),
    )
    trust = TrustList(chains=(chain,))
    flaw = flaw_of(trust)
    if flaw is not None:
        raise TrustListInvalid(reason=flaw)
    return trust


def _require_known(
    chosen: Iterable[ParticipantId], known: Mapping[ParticipantId, tuple[Address, ...]]
) -> None:
    for one in chosen:
        if one not in known:
            raise ExchangeUnknown(participant_id=one)
