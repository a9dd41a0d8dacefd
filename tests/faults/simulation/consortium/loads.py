"""
A steady load of signed registrations and trades, brought to the exchanges' APIs by their clients,
and a witness who looks at the chain itself for what became of each.

A client that is refused because the exchange cannot reach the chain brings the same act again, as
anybody would. What an exchange accepted is never brought again, and must come.
"""

import itertools
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, Final

import httpx

from api.demo.trading import plan, terms_of
from chain.acts import AssetsDeclare, RegistrationsSubmit, TradesConclude
from chain.client import Request
from chain.codec import to_json
from chain.codes import (
    ActType,
    AssetKind,
    Category,
    DigestAlg,
    Grade,
    ProcessingRole,
    RightBasis,
    RightRestriction,
    SourceKind,
)
from chain.events import ListingSubmitted, ProfilePublished
from chain.failure import LedgerError
from chain.sender import PIPELINE_MAX
from chain.structs import Authorization, Payee, RightTerms
from chain.values import Bytes32, HexBytes, asset_id, raw, salt_of, text_of
from registry.profiles import VENUE_SECONDS
from tests.faults.simulation.consortium.worlds import Consortium, Exchange, until
from tests.faults.simulation.oracle import Violated

NOTHING: Final = Bytes32("0x" + "00" * 32)
SIGNED_FOR_SECONDS: Final = 6 * 3_600
PER_SECOND: Final = 4
# So many assets are declared before, to be registered under load.
REGISTRATIONS: Final = 60
LOOK_SECONDS: Final = 0.5
AGAIN_SECONDS: Final = 0.5
CLIENT_SECONDS: Final = 60
SETTLED_SECONDS: Final = 120
ACCEPTED: Final = (200, 202)
# The exchange is well and says that the chain is not: nothing is kept for certain.
PASSING: Final = (502, 503, 504)


@dataclass(frozen=True, slots=True)
class Item:
    """One signed act, as a client brings it."""

    path: str
    body: Mapping[str, Any]


@dataclass(slots=True)
class Write:
    """An act that an exchange accepted: when, and when a block was seen to hold it."""

    exchange: str
    path: str
    noun_id: str
    transaction_hash: Bytes32
    accepted_at: float
    confirmed_at: float | None = None


@dataclass(slots=True)
class Load:
    """What clients brought so far."""

    writes: list[Write] = field(default_factory=list)
    deferred: int = 0
    wrong: list[str] = field(default_factory=list)
    began_at: float = field(default_factory=time.monotonic)
    ended_at: float | None = None

    def confirmed(self, *, since: float = 0, exchange: str = "") -> list[float]:
        """Return when writes that were accepted since a moment were seen in blocks, in order."""
        return sorted(
            one.confirmed_at
            for one in list(self.writes)
            if one.confirmed_at is not None
            and one.accepted_at >= since
            and exchange in ("", one.exchange)
        )

    def pause_seconds(self, *, since: float, exchange: str = "") -> float:
        """Return the longest time without a confirmation since a moment."""
        moments = [since, *(one for one in self.confirmed(exchange=exchange) if one > since)]
        return max((b - a for a, b in zip(moments, moments[1:], strict=False)), default=0.0)

    def wait_confirmed(self, *, since: float, count: int = 1, exchange: str = "") -> float:
        """Wait until writes accepted since a moment are in blocks; return how long after it."""
        until(
            lambda: len(self.confirmed(since=since, exchange=exchange)) >= count,
            f"{count} writes of {exchange or 'anybody'} in blocks",
            seconds=SETTLED_SECONDS,
        )
        return self.confirmed(since=since, exchange=exchange)[count - 1] - since


@contextmanager
def under_load(consortium: Consortium, label: str) -> Iterator[Load]:
    """
    Let both exchanges' clients bring acts while the block runs, then wait until all are in blocks.

    shape: `label` makes the acts unlike all others; in turns a registration and a trade, and only
           trades once what was declared before is registered
    """
    sides = {one.name: _items(consortium, f"{label}/{one.name}") for one in consortium.exchanges}
    load, stopping = Load(), threading.Event()
    clients = [
        threading.Thread(target=_bring, args=(one, sides[one.name], load, stopping), daemon=True)
        for one in consortium.exchanges
    ]
    watching = threading.Event()
    witness = threading.Thread(target=_watch, args=(consortium, load, watching), daemon=True)
    for thread in (*clients, witness):
        thread.start()
    try:
        yield load
    finally:
        stopping.set()
        for thread in clients:
            thread.join()
        load.ended_at = time.monotonic()
        try:
            until(
                lambda: all(one.confirmed_at is not None for one in load.writes),
                "every accepted act is in a block",
                seconds=SETTLED_SECONDS,
            )
        finally:
            watching.set()
            witness.join()
    if load.wrong:
        raise Violated(f"refused for no reason: {load.wrong[:3]}")


def _bring(
    exchange: Exchange, items: Iterator[Item], load: Load, stopping: threading.Event
) -> None:
    try:
        with httpx.Client(timeout=CLIENT_SECONDS, trust_env=False) as client:
            for item in items:
                if not _bring_one(client, exchange, item, load, stopping):
                    return
                stopping.wait(1 / PER_SECOND)
    except BaseException as error:  # a client that dies in silence would look like a slow one
        load.wrong.append(f"{exchange.name}: the client ended: {error!r}")
        raise


def _bring_one(
    client: httpx.Client, exchange: Exchange, item: Item, load: Load, stopping: threading.Event
) -> bool:
    while not stopping.is_set():
        try:
            answer = client.post(exchange.url + item.path, json=item.body)
        except httpx.HTTPError as error:
            load.wrong.append(f"{exchange.name}: {error!r}")
            return True
        if answer.status_code in PASSING:
            load.deferred += 1
            stopping.wait(AGAIN_SECONDS)
            continue
        told = answer.json()
        if answer.status_code not in ACCEPTED:
            load.wrong.append(f"{exchange.name}: {item.path} {answer.status_code} {answer.text}")
            return True
        sent = told["transaction_hash"]
        if sent is not None:
            made = Write(exchange.name, item.path, told["id"], sent, time.monotonic())
            load.writes.append(made)
        return True
    return False


def _watch(consortium: Consortium, load: Load, stopping: threading.Event) -> None:
    with consortium.endpoints() as endpoints:
        while not stopping.wait(LOOK_SECONDS):
            waiting = [one for one in list(load.writes) if one.confirmed_at is None]
            if not waiting:
                continue
            calls = [("eth_getTransactionReceipt", [one.transaction_hash]) for one in waiting]
            try:
                receipts = endpoints.batch(calls)
            except LedgerError:
                continue
            now = time.monotonic()
            for one, receipt in zip(waiting, receipts, strict=True):
                if receipt is not None:
                    one.confirmed_at = now


# --- what is brought ------------------------------------------------------------------------------


def _items(consortium: Consortium, label: str) -> Iterator[Item]:
    """Return acts without end; those that need something of the chain before are signed now."""
    registrations = _registrations(consortium, label, REGISTRATIONS)
    first = _contract(consortium, label)

    def each() -> Iterator[Item]:
        for number in itertools.count():
            if number < len(registrations):
                yield registrations[number]
            yield _trade(consortium, first, f"{label}/trade/{number}")

    return each()


def _registrations(consortium: Consortium, label: str, count: int) -> list[Item]:
    declarations = [_declaration(consortium, f"{label}/{number}") for number in range(count)]
    supplier = consortium.stage.account("supplier")
    for start in range(0, count, PIPELINE_MAX):
        requests = [
            Request(act=act, key=f"{label}/declare/{start + place}")
            for place, act in enumerate(declarations[start : start + PIPELINE_MAX])
        ]
        consortium.demo.ledger.act_many(requests, by=supplier)
    return [_registration(consortium, act) for act in declarations]


def _declaration(consortium: Consortium, key: str) -> AssetsDeclare:
    stage = consortium.stage
    return AssetsDeclare(
        kind=AssetKind.RESOURCE,
        category=Category.ENTERPRISE,
        grade=Grade.GENERAL,
        content_digest=stage.content(key.encode()),
        metadata_digest=stage.document({"name": key}),
        model_digest=NOTHING,
        digest_alg=DigestAlg.SHA256,
        parents=(),
        revenue_table=(Payee(participant_id=stage.participant("supplier"), share_bps=10_000),),
        parent_tables=(),
        parent_links=(),
    )


def _registration(consortium: Consortium, declared: AssetsDeclare) -> Item:
    stage = consortium.stage
    supplier = stage.participant("supplier")
    published = stage.acted(f"profile/{text_of(VENUE_SECONDS.name)}/publish").one(ProfilePublished)
    form = stage.document({"format": "registration-form/1", "of": declared.content_digest})
    act = RegistrationsSubmit(
        asset_id=asset_id(
            kind=AssetKind.RESOURCE, registrant=supplier, content_digest=declared.content_digest
        ),
        asset_version=1,
        act_type=ActType.INITIAL,
        profile_id=published.profile_id,
        registrar=stage.participant("registrar"),
        prior_certificate_id=NOTHING,
        source_kind=SourceKind.COLLECTED,
        processing_role=ProcessingRole.OWN,
        document_digest=form,
        digest_alg=DigestAlg.SHA256,
        rights=(
            RightTerms(
                holder=supplier,
                kinds=7,
                basis=RightBasis.LAW,
                evidence_digest=form,
                scope_digest=form,
                digest_alg=DigestAlg.SHA256,
                purposes=0,
                region=0,
                valid_from=0,
                valid_until=0,
                exclusive=False,
                may_sub_grant=True,
                restriction=RightRestriction.NONE,
                share_bps=0,
            ),
        ),
        salt=salt_of(declared.content_digest),
    )
    return _signed(consortium, "/v1/registrations", act, by="supplier")


def _contract(consortium: Consortium, label: str) -> TradesConclude:
    """Return a contract that nobody signed yet; each trade has its own salt and signatures."""
    stage, product = consortium.stage, consortium.lived.product
    assert product is not None
    listing = stage.acted(f"{product.key}/list").one(ListingSubmitted)
    return TradesConclude(
        terms=terms_of(stage, product, listing, buyer="buyer-one", key=label),
        legs=plan(stage, product),
        buyer_account=stage.address("buyer-one"),
        buyer_signature=HexBytes("0x"),
        seller_account=stage.address("vendor"),
        seller_signature=HexBytes("0x"),
        parents=product.parents,
        revenue_table=product.revenue_table,
        document_digest=stage.document({"format": "trade-certificate/1", "key": label}),
        digest_alg=DigestAlg.SHA256,
    )


def _trade(consortium: Consortium, first: TradesConclude, key: str) -> Item:
    stage = consortium.stage
    terms = replace(first.terms, salt=salt_of(key))
    act = replace(
        first,
        terms=terms,
        buyer_signature=stage.sign_terms(terms, by="buyer-one"),
        seller_signature=stage.sign_terms(terms, by="vendor"),
    )
    return _signed(consortium, "/v1/trades", act, by="exchange-b")


def _signed(consortium: Consortium, path: str, act: Any, *, by: str) -> Item:
    salt = act.salt if isinstance(act, RegistrationsSubmit) else act.terms.salt
    stage = consortium.stage
    authorization = consortium.demo.ledger.sign_act(
        act,
        stage.account(by),
        nonce=int.from_bytes(raw(salt)[:6], "big"),
        deadline=int(time.time()) + SIGNED_FOR_SECONDS,
    )
    body = {"act": act.to_json(), "authorization": to_json(Authorization, authorization)}
    return Item(path, body)
