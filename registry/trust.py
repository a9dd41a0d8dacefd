"""
The trust list: which chains, exchanges and issuers a verifier accepts, and nothing else.

It is not the verifying (`registry.bundles`). The list is the verifier's own file.
"""

from dataclasses import dataclass
from typing import Final

from chain.codec import from_json, to_json
from chain.documents import NotCanonical, canonical, parse_canonical
from chain.failure import Invalid
from chain.values import Address, ParticipantId

TRUST_FORMAT: Final = "shulian-trust/1"


class TrustListInvalid(Invalid):
    """The trust list cannot be read."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustedExchange:
    """An exchange whose signatures count, with the accounts that may co-sign."""

    participant_id: ParticipantId
    name: str
    accounts: tuple[Address, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustedChain:
    """
    A chain whose certificates are accepted.

    shape: at least `threshold` different exchanges must have signed
    units: `max_age_seconds` is how old a checkpoint may be, from the agreement; 0 means any age
    """

    chain_id: int
    certificates: Address
    threshold: int
    max_age_seconds: int
    exchanges: tuple[TrustedExchange, ...]
    issuers: tuple[ParticipantId, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustList:
    """What a verifier trusts, and nothing else."""

    chains: tuple[TrustedChain, ...]


def write_trust(trust: TrustList) -> bytes:
    """Return the canonical bytes of a trust list."""
    return canonical({"format": TRUST_FORMAT, **to_json(TrustList, trust)})


def read_trust(data: bytes) -> TrustList:
    """
    Return the trust list of a file.

    :raises TrustListInvalid: if it is not one, or asks for what no file can or any file could meet
    """
    try:
        raw_trust = parse_canonical(data.rstrip(b"\n"))
        if not isinstance(raw_trust, dict) or raw_trust.pop("format", None) != TRUST_FORMAT:
            raise TrustListInvalid(reason=f"the file is not of format {TRUST_FORMAT}")
        trust = from_json(TrustList, raw_trust)
    except (NotCanonical, ValueError, KeyError, TypeError, AttributeError) as failure:
        raise TrustListInvalid(reason=str(failure)) from failure
    reason = flaw_of(trust)
    if reason is not None:
        raise TrustListInvalid(reason=reason)
    return trust


def flaw_of(trust: TrustList) -> str | None:
    """Return why nothing may be trusted by this list, or None."""
    # Otherwise "enough different exchanges" could mean none, or one counted twice.
    chains = [(one.chain_id, one.certificates.lower()) for one in trust.chains]
    if len(set(chains)) < len(chains):
        return "it names a chain twice"
    flaws = (_flaw_of_chain(one) for one in trust.chains)
    return next((flaw for flaw in flaws if flaw is not None), None)


def _flaw_of_chain(chain: TrustedChain) -> str | None:
    participants = [one.participant_id.lower() for one in chain.exchanges]
    accounts = [account.lower() for one in chain.exchanges for account in one.accounts]
    if not 1 <= chain.threshold <= len(participants):
        return f"{chain.threshold} of {len(participants)} exchanges cannot be asked to sign"
    if chain.max_age_seconds < 0:
        return f"a checkpoint cannot be {chain.max_age_seconds} s old"
    if len(set(participants)) < len(participants):
        return "it names an exchange twice"
    if len(set(accounts)) < len(accounts):
        return "it names an account twice"
    return None
