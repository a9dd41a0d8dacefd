"""
A home on which products have lived, and scenes in which a test acts on it without leaving a trace.

Nothing is imitated: the chain is anvil with our contracts, the keys are the home's, the mirror is
filled by the worker. It knows no test.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, fields, replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from eth_utils.crypto import keccak
from sqlmodel import Session

from api.attaching import RELAYER
from api.compose import open_services, worker_of
from api.config import Settings, read_settings
from api.demo.home import DemoHome, open_demo
from api.demo.life import Lived, live
from api.demo.registering import Registered
from api.demo.stage import Acted, Silence, Stage
from api.demo.trading import Deal, accept, deliver, plan, terms_of
from api.deps import Services
from api.packages.packages import DataPackage
from api.worker import Worker
from chain.act import Act
from chain.acts import (
    AssetsDeclare,
    ListingsApprove,
    ListingsMirror,
    ListingsSubmit,
    TradesConclude,
)
from chain.artifacts import FOLDER, artifact
from chain.client import Ledger
from chain.codes import AssetKind, AuthorityClass, Category, DigestAlg, Grade
from chain.connection import Connection
from chain.content import ContentStore
from chain.events import ListingSubmitted, TradeConcluded
from chain.failure import LedgerError
from chain.outbox import Outbox
from chain.reads import checksum
from chain.refusals import CallRefused
from chain.sender import Sender
from chain.signing import BY_SENDER
from chain.structs import Authorization, Cause, Leg, Payee
from chain.values import Bytes32, salt_of
from tests.postgres import mirror_of

EMPTY = "0x"
NOTHING = Bytes32("0x" + "00" * 32)


@dataclass(frozen=True, slots=True)
class World:
    """An open home, what lived on it, and its mirror."""

    demo: DemoHome
    settings: Settings
    services: Services
    worker: Worker
    stage: Stage
    packages: Mapping[str, DataPackage]
    lived: Mapping[str, Lived]

    @property
    def connection(self) -> Connection:
        """Return the way to the node."""
        return self.demo.ledger.sender.connection

    def entries(self) -> tuple[tuple[str, str], ...]:
        """Return every line of the life's outbox: its key and how far it came."""
        found = self.demo.ledger.sender.outbox.unsettled(-1)
        return tuple((one.key, one.state.value) for one in found)

    def checksum(self) -> str:
        """Return the checksum of the mirror, which follows the chain first."""
        self.worker.sync_once()
        with Session(self.services.mirror) as session:
            return checksum(session)

    def balance(self, slug: str) -> Any:
        """Return what an organisation has at the bank."""
        account, bank = self.stage.participant(slug), self.stage.participant("bank")
        return self.demo.ledger.call("Funds", "fundsAccountOf", account, bank)


@contextmanager
def open_world(
    home: Path,
    packages: Sequence[DataPackage],
    *,
    content: ContentStore | None = None,
    rpc_url: str = "",
    mirror_url: str = "",
) -> Iterator[World]:
    """
    Open a home, let the packages live on it, and mirror them.

    shape: by default on the embedded chain, with content in files, and on this run's database
    """
    with ExitStack() as stack:
        demo = stack.enter_context(open_demo(home, content=content, rpc_url=rpc_url))
        stage = demo.stage(Silence())
        lived = live(stage, packages)
        settings = read_settings(
            {},
            home=home,
            mirror_url=mirror_url or mirror_of(home),
            rpc_url=rpc_url or None,
            # Tests fork the chain; a mirror without depth would take that for a betrayal.
            finality="10000",
        )
        services = stack.enter_context(
            open_services(
                settings,
                chain_id=demo.deployment.chain_id,
                rpc_url=demo.rpc_url,
                ledger=demo.ledger,
            )
        )
        worker = stack.enter_context(worker_of(services, settings))
        worker.sync_once()
        yield World(
            demo=demo,
            settings=settings,
            services=services,
            worker=worker,
            stage=stage,
            packages={one.name: one for one in packages},
            lived={one.package: one for one in lived},
        )


class Scene:
    """
    What one test acts with: a ledger with an outbox of its own, beside the life's.

    The chain goes back to where it was when the scene ends, and so does the mirror.
    """

    def __init__(self, world: World, outbox: Outbox) -> None:
        self.world = world
        self.outbox = outbox
        ours = world.demo
        self.ledger = Ledger(
            Sender(world.connection, outbox),
            ours.deployment,
            relayer=ours.keyring.account(RELAYER),
        )
        self.stage = Stage(
            self.ledger,
            content=ours.content,
            keyring=ours.keyring,
            progress=Silence(),
            is_clock_movable=world.connection.profile.is_instant,
        )
        self.stage.agreement_id = world.stage.agreement_id

    # --- acting -----------------------------------------------------------------------------------

    def do(self, act: Act, *, by: str, key: str = "") -> Acted:
        """Carry out an act through an organisation's account, and return what it did."""
        return self.stage.act(key or f"{act.FUNCTION}/{act.arguments_hash()}", by=by, make=_is(act))

    def refused(
        self,
        error: type[LedgerError],
        act: Act,
        *,
        by: str = "",
        authorization: Authorization | None = None,
    ) -> LedgerError:
        """
        Try an act; check that it is refused by this very error and that nothing is recorded.

        shape: `by` sends itself, or `authorization` is relayed by the exchange
        """
        before = self.trace()
        key = f"refused/{act.arguments_hash()}"
        with pytest.raises(error) as raised:
            self._try(act, by, authorization, key)
        assert type(raised.value) is error
        sender = by or "exchange-a"
        assert self.reverts(act, sender, authorization) == selector_of(error.__name__)
        assert self.outbox.find(key) is None
        assert self.trace() == before
        return raised.value

    def _try(self, act: Act, by: str, authorization: Authorization | None, key: str) -> None:
        if authorization is None:
            self.ledger.act(act, by=self.stage.account(by), key=key)
        else:
            self.ledger.relay(act, authorization, key=key)

    def outcome(self, act: Act, *, by: str) -> str:
        """Return the name of the error that an act would meet now, or "" if it would succeed."""
        reverted = self.reverts(act, by, None)
        return "" if reverted == EMPTY else _named(reverted)

    def reverts(self, act: Act, by: str, authorization: Authorization | None) -> str:
        """Return the first four bytes of what Solidity reverts with, or "0x" if it does not."""
        call = self._call(act, by, authorization)
        try:
            self.world.connection.ask("eth_call", call, "pending")
        except CallRefused as refused:
            return str(refused.error["data"])[:10]
        return EMPTY

    def simulate(self, act: Act, by: str, authorization: Authorization) -> None:
        """Ask the contract what it would say, past the guards of the ledger."""
        self.world.connection.call(self._call(act, by, authorization))

    def _call(self, act: Act, by: str, authorization: Authorization | None) -> dict[str, str]:
        return {
            "from": self.stage.address(by),
            "to": self.ledger.address_of(act.CONTRACT),
            "data": act.encode(authorization or BY_SENDER),
        }

    def trace(self) -> tuple[Any, ...]:
        """Return everything that an act could leave behind."""
        head = self.world.connection.latest()
        lines = tuple((one.key, one.state) for one in self.outbox.unsettled(-1))
        return head.number, head.hash, lines, self.world.checksum()

    def signed(self, act: Act, *, by: str, nonce: int = 1, deadline: int = 0) -> Authorization:
        """Let an organisation sign an act that somebody else sends."""
        until = deadline or self.stage.now() + 3_600
        return self.ledger.sign_act(act, self.stage.account(by), nonce=nonce, deadline=until)

    def cause(self, authority: AuthorityClass) -> Cause:
        """Return why an authority does what it does."""
        decision = {"format": "decision/1", "authority": authority.name}
        return Cause(
            reason_code=100,
            document_digest=self.stage.document(decision),
            digest_alg=DigestAlg.SHA256,
            authority=authority,
            until=0,
        )

    def resource(self, name: str, **changes: Any) -> AssetsDeclare:
        """Return the supplier's declaration of a resource that nobody declared before."""
        owner = self.stage.participant("supplier")
        declared = AssetsDeclare(
            kind=AssetKind.RESOURCE,
            category=Category.ENTERPRISE,
            grade=Grade.GENERAL,
            content_digest=self.stage.content(name.encode()),
            metadata_digest=self.stage.document({"name": name}),
            model_digest=NOTHING,
            digest_alg=DigestAlg.SHA256,
            parents=(),
            revenue_table=(Payee(participant_id=owner, share_bps=10_000),),
            parent_tables=(),
            parent_links=(),
        )
        return replace(declared, **changes)

    # --- the market -------------------------------------------------------------------------------

    @property
    def product(self) -> Registered:
        """Return the product of the shipped sample."""
        product = next(iter(self.world.lived.values())).product
        assert product is not None
        return product

    @property
    def listing(self) -> ListingSubmitted:
        """Return the offer of that product, which both venues show."""
        return self.world.stage.acted(f"{self.product.key}/list").one(ListingSubmitted)

    def offer(self, key: str, **terms: Any) -> ListingsSubmit:
        """Return the same offer once more, with other terms."""
        return ListingsSubmit(
            terms=replace(self.listing.terms, **terms),
            reports=(),
            parents=self.product.parents,
            revenue_table=self.product.revenue_table,
            salt=salt_of(key),
        )

    def list(self, key: str, **terms: Any) -> ListingSubmitted:
        """List the product once more, with other terms, and mirror it."""
        listed = self.do(self.offer(key, **terms), by="vendor").one(ListingSubmitted)
        self.do(ListingsApprove(listing_id=listed.listing_id), by="exchange-a")
        mirror = ListingsMirror(listing_id=listed.listing_id, agreement_id=self.stage.agreement_id)
        self.do(mirror, by="exchange-b")
        return listed

    def contract(
        self,
        key: str,
        *,
        listing: ListingSubmitted | None = None,
        legs: tuple[Leg, ...] = (),
        buyer: str = "buyer-one",
        **terms: Any,
    ) -> TradesConclude:
        """Return a contract that both sides signed, with other terms than the demonstration's."""
        agreed = terms_of(self.stage, self.product, listing or self.listing, buyer=buyer, key=key)
        paid = legs or plan(self.stage, self.product)
        legs_hash = self.ledger.call("Trades", "legsHashOf", paid)
        changed = replace(agreed, **{"legs_hash": legs_hash, **terms})
        return TradesConclude(
            terms=changed,
            legs=paid,
            buyer_account=self.stage.address(buyer),
            buyer_signature=self.stage.sign_terms(changed, by=buyer),
            seller_account=self.stage.address("vendor"),
            seller_signature=self.stage.sign_terms(changed, by="vendor"),
            parents=self.product.parents,
            revenue_table=self.product.revenue_table,
            document_digest=self.stage.document({"format": "trade-certificate/1", "key": key}),
            digest_alg=DigestAlg.SHA256,
        )

    def deal(self, key: str, *, buyer: str = "buyer-one", **terms: Any) -> Deal:
        """Conclude a contract: it is in force, and the money is held."""
        act = self.contract(key, buyer=buyer, **terms)
        made = self.do(act, by="exchange-b").one(TradeConcluded)
        return Deal(trade_id=made.trade_id, legs=act.legs, buyer=buyer)

    def fulfilled(self, key: str) -> tuple[Deal, Any]:
        """Conclude a contract, deliver, and accept: only the settlement is missing."""
        deal = self.deal(key)
        made = deliver(self.stage, deal, b"a package")
        accept(self.stage, deal, made)
        return deal, made


@contextmanager
def open_scene(world: World, folder: Path) -> Iterator[Scene]:
    """Open a scene, and put the chain and its mirror back when it ends."""
    connection = world.connection
    snapshot = connection.request("evm_snapshot")
    now = connection.now()
    outbox = Outbox.open(folder / "scene.sqlite", chain_id=connection.chain_id)
    try:
        yield Scene(world, outbox)
    finally:
        outbox.close()
        assert connection.request("evm_revert", snapshot) is True
        connection.set_time(now)
        world.worker.sync_once()


def make(kind: type[Act], *values: Any) -> Act:
    """Return an act with these arguments, in the order of the contract's function."""
    names = [one.name for one in fields(kind)]  # type: ignore[arg-type]
    return kind(**dict(zip(names, values, strict=True)))


@cache
def selectors() -> Mapping[str, str]:
    """Return every error of the contracts with its first four bytes, as Solidity makes them."""
    found = {}
    for path in FOLDER.glob("*.json"):
        for entry in () if path.stem == "index" else artifact(path.stem).abi:
            if entry["type"] == "error":
                kinds = ",".join(one["type"] for one in entry["inputs"])
                selector = keccak(text=f"{entry['name']}({kinds})")[:4]
                found[entry["name"]] = f"0x{selector.hex()}"
    return found


def selector_of(error: str) -> str:
    """Return an error's first four bytes."""
    return selectors()[error]


def _named(selector: str) -> str:
    (name,) = (name for name, found in selectors().items() if found == selector)
    return name


def _is(act: Act) -> Callable[[], Act]:
    return lambda: act
