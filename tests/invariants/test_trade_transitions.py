"""
What may follow what: every act about a contract and its delivery, in every state, against the
contracts. What is not DONE is refused, by the error that the table names.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import pytest

from api.demo.trading import Deal, accept, deliver, settle
from chain.act import Act
from chain.acts import (
    DeliveriesAccept,
    DeliveriesDeemAccepted,
    DeliveriesDeliver,
    DeliveriesReject,
    SettlementsLiftHold,
    SettlementsPlaceHold,
    SettlementsSettle,
    TradesConclude,
    TradesTerminate,
)
from chain.codes import (
    AuthorityClass,
    DeliveryForm,
    DigestAlg,
    TradeState,
)
from chain.values import Bytes32, DeliveryId
from tests.stories.world import Scene, make

NOTHING = Bytes32("0x" + "00" * 32)
DAY = 86_400
DONE = ""


@dataclass
class Contract:
    """A contract, and every act that anybody could do about it next."""

    scene: Scene
    act: TradesConclude
    deal: Deal
    delivery_id: DeliveryId = DeliveryId(NOTHING)

    @property
    def state(self) -> TradeState:
        """Return what the contract says of itself."""
        found: TradeState = self.scene.ledger.call("Trades", "tradeOf", self.deal.trade_id).state
        return found

    def acts(self) -> dict[str, tuple[Act, str]]:
        """Return the acts with who is entitled to them."""
        scene, trade_id, delivery_id = self.scene, self.deal.trade_id, self.delivery_id
        digest = scene.stage.document({"format": "any/1"})
        by_regulator = scene.cause(AuthorityClass.REGULATOR)
        sha = DigestAlg.SHA256
        form = DeliveryForm.DOWNLOAD
        return {
            "conclude": (self.act, "exchange-b"),
            "deliver": (make(DeliveriesDeliver, trade_id, form, digest, NOTHING, sha), "vendor"),
            "accept": (make(DeliveriesAccept, delivery_id, digest, digest, sha), "buyer-one"),
            "reject": (
                make(DeliveriesReject, delivery_id, scene.cause(AuthorityClass.PARTY)),
                "buyer-one",
            ),
            "deem accepted": (make(DeliveriesDeemAccepted, delivery_id, digest, sha), "exchange-b"),
            "settle": (
                make(SettlementsSettle, trade_id, delivery_id, self.deal.legs, digest, sha),
                "exchange-b",
            ),
            "terminate": (make(TradesTerminate, trade_id, by_regulator), "regulator"),
            "hold": (make(SettlementsPlaceHold, trade_id, by_regulator), "regulator"),
            "lift": (make(SettlementsLiftHold, trade_id, by_regulator), "regulator"),
        }

    def do(self, name: str) -> None:
        """Carry out one of the acts."""
        act, by = self.acts()[name]
        self.scene.do(act, by=by)


def effective(scene: Scene) -> Contract:
    act = scene.contract("transitions")
    made = scene.do(act, by="exchange-b").events
    trade_id = next(one.trade_id for one in made if hasattr(one, "trade_id"))
    return Contract(scene, act, Deal(trade_id=trade_id, legs=act.legs, buyer="buyer-one"))


def delivered(scene: Scene) -> Contract:
    found = effective(scene)
    found.delivery_id = deliver(scene.stage, found.deal, b"package").delivery_id
    return found


def inspected(scene: Scene) -> Contract:
    found = delivered(scene)
    scene.stage.wait_until(scene.stage.now() + 4 * DAY)
    return found


def rejected(scene: Scene) -> Contract:
    found = delivered(scene)
    found.do("reject")
    return found


def fulfilled(scene: Scene) -> Contract:
    found = effective(scene)
    made = deliver(scene.stage, found.deal, b"package")
    accept(scene.stage, found.deal, made)
    found.delivery_id = made.delivery_id
    return found


def deemed(scene: Scene) -> Contract:
    found = inspected(scene)
    found.do("deem accepted")
    return found


def held(scene: Scene) -> Contract:
    found = fulfilled(scene)
    found.do("hold")
    return found


def closed(scene: Scene) -> Contract:
    found = effective(scene)
    made = deliver(scene.stage, found.deal, b"package")
    accept(scene.stage, found.deal, made)
    settle(scene.stage, found.deal, made)
    found.delivery_id = made.delivery_id
    return found


def terminated(scene: Scene) -> Contract:
    found = effective(scene)
    found.do("terminate")
    return found


def terminated_under_way(scene: Scene) -> Contract:
    found = delivered(scene)
    found.do("terminate")
    return found


NO_DELIVERY = dict.fromkeys(("accept", "reject", "deem accepted"), "DeliveryNotFound")
DELIVERY_OVER = dict.fromkeys(("accept", "reject", "deem accepted"), "DeliveryStateWrong")
ENDED = dict.fromkeys(("deliver", "settle", "terminate", "hold"), "TradeStateWrong")
ALWAYS = {"conclude": "TradeAlreadyExists", "lift": "SettlementHoldNotFound"}

# State by state: how to come there, what it is called on chain, and what each act then meets.
TRADES: Mapping[str, tuple[Callable[[Scene], Contract], TradeState, Mapping[str, str]]] = {
    "in force": (
        effective,
        TradeState.EFFECTIVE,
        {
            **ALWAYS,
            **NO_DELIVERY,
            "deliver": DONE,
            "settle": "TradeStateWrong",
            "terminate": DONE,
            "hold": DONE,
        },
    ),
    "delivered": (
        delivered,
        TradeState.PERFORMING,
        {
            **ALWAYS,
            "deliver": "DeliveryAlreadyExists",
            "accept": DONE,
            "reject": DONE,
            "deem accepted": "DeadlineNotReached",
            "settle": "TradeStateWrong",
            "terminate": DONE,
            "hold": DONE,
        },
    ),
    "delivered, the time to inspect over": (
        inspected,
        TradeState.PERFORMING,
        {
            **ALWAYS,
            "deliver": "DeliveryAlreadyExists",
            "accept": DONE,
            "reject": "DeadlinePassed",
            "deem accepted": DONE,
            "settle": "TradeStateWrong",
            "terminate": DONE,
            "hold": DONE,
        },
    ),
    "rejected": (
        rejected,
        TradeState.PERFORMING,
        {
            **ALWAYS,
            **DELIVERY_OVER,
            "deliver": DONE,
            "settle": "TradeStateWrong",
            "terminate": DONE,
            "hold": DONE,
        },
    ),
    "fulfilled": (
        fulfilled,
        TradeState.FULFILLED,
        {**ALWAYS, **DELIVERY_OVER, **ENDED, "settle": DONE, "hold": DONE},
    ),
    "fulfilled by silence": (
        deemed,
        TradeState.FULFILLED,
        {**ALWAYS, **DELIVERY_OVER, **ENDED, "settle": DONE, "hold": DONE},
    ),
    "held": (
        held,
        TradeState.FULFILLED,
        {
            **ALWAYS,
            **DELIVERY_OVER,
            **ENDED,
            "settle": "SettlementHeld",
            "hold": "SettlementHoldAlreadyExists",
            "lift": DONE,
        },
    ),
    "closed": (
        closed,
        TradeState.CLOSED,
        {**ALWAYS, **DELIVERY_OVER, **ENDED, "settle": "SettlementAlreadyExists"},
    ),
    "terminated": (
        terminated,
        TradeState.TERMINATED,
        {**ALWAYS, **NO_DELIVERY, **ENDED},
    ),
    "terminated with a delivery under way": (
        terminated_under_way,
        TradeState.TERMINATED,
        {
            **ALWAYS,
            **ENDED,
            "accept": "TradeStateWrong",
            # The buyer may still say that what came was bad: it moves nothing.
            "reject": DONE,
            "deem accepted": "DeadlineNotReached",
        },
    ),
}


class TestTrades:
    """T3, D1: transitions within the table; what has ended has ended."""

    @pytest.mark.parametrize("state", TRADES)
    def test_go_on_as_the_table_says(self, scene: Scene, state: str) -> None:
        reach, named, expected = TRADES[state]
        contract = reach(scene)
        before = scene.trace()

        found = {name: scene.outcome(act, by=by) for name, (act, by) in contract.acts().items()}

        assert contract.state is named
        assert found == expected
        assert scene.trace() == before

    def test_are_in_every_state_there_is(self) -> None:
        assert {named for _, named, _ in TRADES.values()} == set(TradeState) - {TradeState.NONE}
