"""
Signing an organisation in with one of its accounts (EIP-4361), and finding out who asks.

It holds no rights: who may see what is `api.access`. What a session knows is its account; the
organisation, its state and its roles are read from the mirror at every request, so a revoked key
loses access at once.
"""

import hashlib
import secrets
import string
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from eth_keys.exceptions import BadSignature
from eth_utils.exceptions import ValidationError
from siwe import (
    ExpiredMessage,
    NotYetValidMessage,
    SiweMessage,
    VerificationError,
)
from sqlalchemy import Engine, delete, insert, select, update

from api.deps import Reading, Services
from api.operational import NONCES, SESSIONS
from api.problems import SignInRequired
from api.statuses import is_active_participant
from chain.failure import Forbidden, Invalid
from chain.values import Address, HexBytes, ParticipantId, address, raw
from registry.participants import (
    ACT,
    ADMINISTER,
    Account,
    Participant,
    RoleGrant,
    is_active_account,
)
from registry.store import find_account, list_roles

NONCE_CHARACTERS: Final = 22
TOKEN_BYTES: Final = 32
# The parser's time grows with the square of a message's length: 6 s for 4 000 characters.
MESSAGE_CHARACTERS_MAX: Final = 1_000
# The first line of every EIP-4361 message, after the domain.
GREETING: Final = " wants you to sign in with your Ethereum account:"
# Clocks of browsers differ from ours by less than this.
SKEW_SECONDS: Final = 60
STATEMENT: Final = "Sign in to the ledger of data exchanges."


class SignInMessageMalformed(Invalid):
    """The message is not an EIP-4361 message."""


class SignInMessageWrong(Forbidden):
    """The message was not made for this server."""

    field: str


class SignInNonceUnknown(Forbidden):
    """The nonce was not given out here, was used before, or has expired."""


class SignInMessageExpired(Forbidden):
    """The message is not valid at this time."""


class SignInSignatureWrong(Forbidden):
    """The signature under the message is not the account's."""


class AccountNotServed(Forbidden):
    """The account is not an active account of an active participant."""

    account: Address


class SessionEnded(SignInRequired):
    """The session is not known, has expired, or was ended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Viewer:
    """
    Who asks: an organisation through one of its accounts, with the roles it holds as of a block.
    """

    account: Address
    participant_id: ParticipantId
    roles: tuple[RoleGrant, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Challenge:
    """What a message to be signed must contain."""

    nonce: str
    domain: str
    uri: str
    chain_id: int
    statement: str
    expires_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A session as its owner is told, once."""

    token: str
    expires_at: int
    viewer: Viewer


def challenge(services: Services) -> Challenge:
    """Give out a nonce that can be used once, for a short time."""
    alphabet = string.ascii_letters + string.digits
    nonce = "".join(secrets.choice(alphabet) for _ in range(NONCE_CHARACTERS))
    now = services.clock()
    expires_at = now + services.nonce_seconds
    with services.operational.begin() as connection:
        connection.execute(delete(NONCES).where(NONCES.c.expires_at <= now))
        connection.execute(insert(NONCES).values(nonce_hash=_hash(nonce), expires_at=expires_at))
    return Challenge(
        nonce=nonce,
        domain=domain_of(services.origin),
        uri=services.origin,
        chain_id=services.chain_id,
        statement=STATEMENT,
        expires_at=expires_at,
    )


def domain_of(origin: str) -> str:
    """Return the host and port of an origin, as EIP-4361 calls it: the domain."""
    return origin.partition("://")[2]


def sign_in(services: Services, reading: Reading, message: str, signature: HexBytes) -> Session:
    """
    Open a session for the account that signed the message.

    ensures: the nonce is used up by the first attempt that names it, whatever becomes of it
    :raises SignInMessageMalformed: SignInMessageWrong: SignInNonceUnknown: SignInMessageExpired:
            SignInSignatureWrong: AccountNotServed: in this order of checks
    """
    told = _parse(message, domain_of(services.origin))
    _check_addressee(services, told)
    now = services.clock()
    if not _take_nonce(services.operational, told.nonce, now):
        raise SignInNonceUnknown()
    _check_time(told, now, services.nonce_seconds)
    _check_signature(told, signature, now)
    viewer = viewer_of(reading, address(told.address))
    token = secrets.token_urlsafe(TOKEN_BYTES)
    expires_at = now + services.session_seconds
    with services.operational.begin() as connection:
        connection.execute(
            insert(SESSIONS).values(
                token_hash=_hash(token),
                chain_id=services.chain_id,
                account=viewer.account,
                created_at=now,
                expires_at=expires_at,
            )
        )
    return Session(token=token, expires_at=expires_at, viewer=viewer)


def resume(services: Services, reading: Reading, token: str) -> Viewer:
    """
    Return who holds a session.

    :raises SessionEnded: if it is not known, expired or ended
    :raises AccountNotServed: if the key or its organisation has meanwhile lost its standing
    """
    query = select(SESSIONS.c.account).where(
        SESSIONS.c.token_hash == _hash(token),
        SESSIONS.c.chain_id == services.chain_id,
        SESSIONS.c.expires_at > services.clock(),
        SESSIONS.c.ended_at.is_(None),
    )
    with services.operational.connect() as connection:
        found = connection.execution_options(reads=True).execute(query).scalar()
    if found is None:
        raise SessionEnded()
    return viewer_of(reading, Address(found))


def end(services: Services, token: str) -> None:
    """End a session; ending it twice changes nothing."""
    with services.operational.begin() as connection:
        connection.execute(
            update(SESSIONS)
            .where(SESSIONS.c.token_hash == _hash(token), SESSIONS.c.ended_at.is_(None))
            .values(ended_at=services.clock())
        )


def viewer_of(reading: Reading, account: Address) -> Viewer:
    """
    Return the organisation of an account, with its roles, as of the reading's block.

    :raises AccountNotServed: unless both are active then
    """
    held = find_account(reading.session, account, at_block=reading.at_block)
    if held is None or not _may_sign_in(held, reading.now):
        raise AccountNotServed(account=account)
    participant = reading.find(Participant, held.participant_id)
    if participant is None or not is_active_participant(participant, reading.now):
        raise AccountNotServed(account=account)
    roles = list_roles(reading.session, held.participant_id, at_block=reading.at_block)
    return Viewer(account=account, participant_id=held.participant_id, roles=roles)


def _may_sign_in(account: Account, now: int) -> bool:
    return any(is_active_account(account, purpose=one, now=now) for one in (ACT, ADMINISTER))


def _parse(message: str, domain: str) -> SiweMessage:
    addressed, greeting, _ = message.partition(GREETING + "\n")
    if not greeting or len(message) > MESSAGE_CHARACTERS_MAX or "\n" in addressed:
        raise SignInMessageMalformed()
    if addressed != domain:
        raise SignInMessageWrong(field="domain")
    try:
        told: SiweMessage = SiweMessage.from_message(message)
    except (ValueError, TypeError) as error:
        raise SignInMessageMalformed() from error
    # What is signed are the bytes that came, so they must be the only way to write what they say.
    if told.prepare_message() != message:
        raise SignInMessageMalformed()
    return told


def _check_addressee(services: Services, told: SiweMessage) -> None:
    expected = (
        ("uri", told.uri.rstrip("/"), services.origin),
        ("chain_id", told.chain_id, services.chain_id),
    )
    for name, found, wanted in expected:
        if found != wanted:
            raise SignInMessageWrong(field=name)


def _check_time(told: SiweMessage, now: int, nonce_seconds: int) -> None:
    issued_at = told.issued_at._datetime.timestamp()
    if not now - nonce_seconds - SKEW_SECONDS <= issued_at <= now + SKEW_SECONDS:
        raise SignInMessageExpired()


def _check_signature(told: SiweMessage, signature: HexBytes, now: int) -> None:
    # Exactly 65 bytes: the library would also take other forms of the same signature.
    if len(raw(signature)) != 65:
        raise SignInSignatureWrong()
    try:
        told.verify(signature, timestamp=datetime.fromtimestamp(now, tz=UTC))
    except (ExpiredMessage, NotYetValidMessage) as error:
        raise SignInMessageExpired() from error
    except (VerificationError, BadSignature, ValidationError, ValueError) as error:
        raise SignInSignatureWrong() from error


def _take_nonce(engine: Engine, nonce: str, now: int) -> bool:
    # The whole nonce by its hash: no prefix or substring of one counts.
    taken = delete(NONCES).where(NONCES.c.nonce_hash == _hash(nonce), NONCES.c.expires_at > now)
    with engine.begin() as connection:
        return connection.execute(taken).rowcount == 1


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8")).hexdigest()
