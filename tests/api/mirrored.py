"""
A mirror filled by folding events, and services around it: real databases in a folder of the test.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from enum import Enum
from pathlib import Path
from typing import Any, TypeVar, get_origin

from eth_account import Account
from eth_account.messages import encode_defunct
from eth_account.signers.local import LocalAccount
from sqlmodel import Session
from starlette.testclient import TestClient

from api.app import create_app
from api.catalogue import Catalogue
from api.compose import open_services
from api.config import read_settings
from api.deps import Services
from chain import events as e
from chain.abi import hints_of
from chain.codec import plain
from chain.codes import ParticipantType, Role
from chain.documents import Json, canonical, digest_of_document
from chain.event import Event, EventMeta
from chain.facts import Append, Block, Entry
from chain.heads import note_final
from chain.store import apply_blocks, block_at, rewind, tip_of
from chain.values import (
    ZERO_ADDRESS,
    Address,
    Bytes32,
    HexBytes,
    ParticipantId,
    address,
    bytes32,
    keccak,
)
from settlement.projection import apply
from tests.postgres import mirror_of

E = TypeVar("E", bound=Event)

CHAIN_ID = 20261
GENESIS = 1_760_000_000
ORIGIN = "http://127.0.0.1:8300"
NOWHERE = ParticipantId("0x" + "00" * 32)
NO_NODE = "http://127.0.0.1:9"


def named(name: str) -> Bytes32:
    """Return the id that a name stands for in these tests."""
    return bytes32(keccak(name.encode()))


def account_of(name: str) -> LocalAccount:
    """Return the key that a name stands for in these tests."""
    made: LocalAccount = Account.from_key(keccak(f"key of {name}".encode()))
    return made


def address_of(name: str) -> Address:
    """Return the address of that key."""
    return address(account_of(name).address)


def zero(hint: Any) -> Any:
    """Return the value of a type that says nothing."""
    if hint is Address:
        return ZERO_ADDRESS
    if hint is HexBytes:
        return HexBytes("0x")
    kind = plain(hint)
    if get_origin(kind) is tuple:
        return ()
    if kind is str:
        return "0x" + "00" * 32 if hasattr(hint, "__supertype__") else ""
    if isinstance(kind, type) and issubclass(kind, Enum):
        return kind(0)
    if kind in (int, bool):
        return kind(0)
    return filled(kind)


def filled(kind: type[Any], /, **given: Any) -> Any:
    """Return a struct or event with these fields, the others saying nothing."""
    empty = {name: zero(hint) for name, hint in hints_of(kind).items() if name != "meta"}
    return kind(**{**empty, **given})


@dataclass
class Mirrored:
    """A home with a mirror that grows by the events it is given, and a client of its API."""

    services: Services
    home: Path
    now: int
    client: TestClient = field(init=False)

    def __post_init__(self) -> None:
        app = create_app(self.services)
        self.client = TestClient(app, base_url=ORIGIN, raise_server_exceptions=False)

    def append(
        self, *made: Callable[[EventMeta], Event], seconds: int = 12, branch: str = ""
    ) -> Block:
        """Add a block with these events."""
        with Session(self.services.mirror) as session, session.begin():
            tip = tip_of(session)
            number = tip.number + 1 if tip else 1
            block = Block(
                number=number,
                hash=named(f"block {number}{branch}"),
                parent_hash=tip.hash if tip else named("block 0"),
                timestamp=(tip.timestamp if tip else GENESIS) + seconds,
            )
            entries = tuple(_entry(block, place, make) for place, make in enumerate(made))
            apply_blocks(session, [Append(block, entries)], apply)
        return block

    def rewind(self, to_block: int) -> None:
        """Undo the blocks above a height, as a fork does."""
        with Session(self.services.mirror) as session, session.begin():
            rewind(session, to_block)

    def finalize(self, number: int) -> None:
        """Note that the blocks up to a height are final."""
        with Session(self.services.mirror) as session, session.begin():
            block = block_at(session, number)
            assert block is not None
            note_final(session, block)

    def admit(self, *names: str, roles: tuple[tuple[Role, ParticipantId], ...] = ()) -> None:
        """Admit organisations, each with one account of the same name."""
        for name in names:
            self.append(
                event(
                    e.ParticipantApplied,
                    participant_id=named(name),
                    participant_type=ParticipantType.LEGAL_PERSON,
                    uscc_digest=named(f"uscc {name}"),
                    account=address_of(name),
                    purposes=7,
                    profile_digest=self.document({"legal_name": f"{name} Ltd"}),
                    digest_alg=1,
                ),
                event(e.ParticipantAdmitted, participant_id=named(name), admitted_at=GENESIS),
                *(
                    event(e.RoleGranted, participant_id=named(name), role=role, venue=venue)
                    for role, venue in roles
                ),
            )

    def document(self, document: Json) -> Bytes32:
        """Keep a document and return its digest."""
        self.services.content.put(canonical(document))
        return digest_of_document(document).value

    def catalogue(self) -> int:
        """Read the documents that the ledger names."""
        services = self.services
        return Catalogue(services.mirror, services.operational, services.content).fill()

    def get(self, path: str, *, token: str | None = None, **query: Any) -> Any:
        """Ask the API."""
        return self.client.get(path, params=query, headers=bearer(token))

    def sign_in(self, name: str) -> str:
        """Sign in and return the token."""
        given = self.client.post("/v1/nonces").json()
        answer = self.post_session(message_of(given, name), name)
        assert answer.status_code == 201, answer.text
        token: str = answer.json()["token"]
        return token

    def post_session(self, message: str, name: str) -> Any:
        """Bring a message, signed by this account, to be signed in."""
        signed = account_of(name).sign_message(encode_defunct(text=message))
        body = {"message": message, "signature": "0x" + signed.signature.hex()}
        return self.client.post("/v1/sessions", json=body)


def bearer(token: str | None) -> dict[str, str]:
    """Return the headers that carry a session."""
    return {} if token is None else {"Authorization": f"Bearer {token}"}


def message_of(given: Any, name: str, **changed: str) -> str:
    """Return the message that signs an account in, with these parts changed."""
    parts = {
        "domain": given["domain"],
        "address": account_of(name).address,
        "statement": given["statement"],
        "uri": given["uri"],
        "chain_id": str(given["chain_id"]),
        "nonce": given["nonce"],
        "issued_at": "2025-10-09T08:53:20Z",
        "more": "",
        **changed,
    }
    return (
        f"{parts['domain']} wants you to sign in with your Ethereum account:\n"
        f"{parts['address']}\n\n{parts['statement']}\n\nURI: {parts['uri']}\nVersion: 1\n"
        f"Chain ID: {parts['chain_id']}\nNonce: {parts['nonce']}\n"
        f"Issued At: {parts['issued_at']}{parts['more']}"
    )


def event(kind: type[E], /, **given: Any) -> Callable[[EventMeta], E]:
    """Return what makes an event once its place is known."""
    hints = hints_of(kind)
    typed = {
        name: hints[name](value) if isinstance(value, int) and _is_enum(hints[name]) else value
        for name, value in given.items()
    }

    def make(meta: EventMeta) -> E:
        made: E = filled(kind, meta=meta, **typed)
        return made

    return make


def _is_enum(hint: Any) -> bool:
    return isinstance(hint, type) and issubclass(hint, Enum)


def _entry(block: Block, place: int, make: Callable[[EventMeta], Event]) -> Entry:
    meta = block.place(place, named(f"{block.number}/{place}"), contract="Test")
    return Entry(make(meta), (), HexBytes("0x"))


def open_mirrored(home: Path, **settings: Any) -> Any:
    """Return a context that opens a home without a node, whose wall clock the test sets."""
    from contextlib import contextmanager

    @contextmanager
    def opened() -> Any:
        given = {"mirror_url": mirror_of(home), **settings}
        read = read_settings({}, home=home, origin=ORIGIN, **given)
        with open_services(read, chain_id=CHAIN_ID, rpc_url=NO_NODE) as services:
            mirrored: Mirrored

            def clock() -> int:
                return mirrored.now

            mirrored = Mirrored(replace(services, clock=clock), home, GENESIS)
            yield mirrored

    return opened()
