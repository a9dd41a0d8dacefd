"""
Bad input: each bad act has its own named error, the same in Python as in Solidity, and leaves
nothing behind: no block, no line in the outbox, no row in the mirror.
"""

from dataclasses import replace

import pytest

from api.demo.registering import USE
from api.demo.trading import PRICE_FEN, settle
from chain.acts import (
    AssetsSetAlias,
    DeliveriesDeliver,
    FundsUnfreeze,
    ParticipantsRestore,
    ParticipantsSuspend,
    SettlementsLiftHold,
    SettlementsPlaceHold,
    SettlementsSettle,
)
from chain.codes import (
    AssetKind,
    AuthorityClass,
    DeliveryForm,
    DigestAlg,
    LegKind,
    ParticipantState,
    Relation,
    RightKind,
)
from chain.errors import (
    AssetAlreadyExists,
    AuthorizationAlreadyUsed,
    AuthorizationExpired,
    CallerNotDeliverer,
    DeliveryAlreadyExists,
    FractionOfFen,
    FundsInsufficient,
    ParentNotRegistered,
    ParticipantNotActive,
    RightMissing,
    SenderNotAccount,
    SettlementHeld,
    SettlementHoldNotFound,
    SharesNotWhole,
    SignatureInvalid,
    TradeAlreadyExists,
)
from chain.events import TradeConcluded
from chain.outbox import OutboxConflict
from chain.structs import Authorization, Leg, Parent, Payee
from chain.values import (
    ZERO_ADDRESS,
    AssetId,
    Bytes32,
    HexBytes,
    RightId,
    YuanTooFine,
    fen_from_yuan,
)
from settlement.revenue import plan_legs
from tests.stories.world import Scene, selector_of

NOTHING = Bytes32("0x" + "00" * 32)


class TestSignatures:
    """T4, T5, T7: only the account itself acts, once, and in time."""

    @pytest.mark.parametrize("victim", ["supplier", ""])
    def test_of_nobody_are_not_relayed(self, scene: Scene, victim: str) -> None:
        """Unsigned and for nobody, the contracts would take the act for the relayer's own."""
        account = scene.stage.address(victim) if victim else ZERO_ADDRESS
        unsigned = Authorization(account=account, nonce=0, deadline=0, signature=HexBytes("0x"))
        before = scene.trace()

        with pytest.raises(SignatureInvalid):
            scene.ledger.relay(scene.resource("a"), unsigned, key="unsigned")

        assert scene.trace() == before

    def test_of_nobody_let_no_one_act_for_another(self, scene: Scene) -> None:
        victim, act = scene.stage.address("supplier"), scene.resource("a")
        unsigned = Authorization(account=victim, nonce=0, deadline=0, signature=HexBytes("0x"))
        before = scene.trace()

        with pytest.raises(SenderNotAccount) as raised:
            scene.simulate(act, "exchange-a", unsigned)

        assert scene.reverts(act, "exchange-a", unsigned) == selector_of("SenderNotAccount")
        assert raised.value.account == victim
        assert raised.value.sender == scene.stage.address("exchange-a")
        assert scene.trace() == before

    def test_of_another_key_is_not_the_accounts(self, scene: Scene) -> None:
        act, victim = scene.resource("a"), scene.stage.address("supplier")
        forged = replace(scene.signed(act, by="developer"), account=victim)

        error = scene.refused(SignatureInvalid, act, authorization=forged)

        assert error.account == victim

    def test_of_another_act_is_not_this_ones(self, scene: Scene) -> None:
        other = scene.signed(scene.resource("other"), by="supplier")

        scene.refused(SignatureInvalid, scene.resource("a"), authorization=other)

    def test_is_void_from_its_deadline_on(self, scene: Scene) -> None:
        act, now = scene.resource("a"), scene.stage.now()
        late = scene.signed(act, by="supplier", deadline=now)

        error = scene.refused(AuthorizationExpired, act, authorization=late)

        assert error.deadline == now

    def test_serves_once(self, scene: Scene) -> None:
        act = AssetsSetAlias(
            asset_id=scene.product.asset_id,
            scheme=Bytes32("0x" + b"DOI".hex() + "00" * 29),
            value="1",
        )
        given = scene.signed(act, by="vendor", nonce=77)
        scene.ledger.relay(act, given, key="first")

        error = scene.refused(AuthorizationAlreadyUsed, act, authorization=given)

        assert (error.account, error.nonce) == (scene.stage.address("vendor"), 77)


class TestTheSameAct:
    def test_under_the_same_key_is_one_transaction(self, scene: Scene) -> None:
        act, supplier = scene.resource("a"), scene.stage.account("supplier")
        first = scene.ledger.act(act, by=supplier, key="once")
        before = scene.trace()

        again = scene.ledger.act(act, by=supplier, key="once")

        assert again == replace(first, is_repeat=True)
        assert scene.trace() == before

    def test_under_another_key_is_the_same_record(self, scene: Scene) -> None:
        act, supplier = scene.resource("a"), scene.stage.account("supplier")
        scene.ledger.act(act, by=supplier, key="once")
        before = scene.trace()

        again = scene.ledger.act(act, by=supplier, key="twice")

        assert again.is_repeat
        assert again.transaction_hash is None
        assert scene.trace() == before

    def test_with_other_content_is_a_conflict(self, scene: Scene) -> None:
        act = scene.resource("a")
        scene.do(act, by="supplier")
        other = replace(act, metadata_digest=scene.stage.document({"name": "b"}))

        scene.refused(AssetAlreadyExists, other, by="supplier")

    def test_of_delivering_is_not_that_of_another_package(self, scene: Scene) -> None:
        """D1: the chain shows only a hash of what was handed over; another one is no repeat."""
        deal, vendor = scene.deal("delivered"), scene.stage.account("vendor")
        act = DeliveriesDeliver(
            trade_id=deal.trade_id,
            form=DeliveryForm.DOWNLOAD,
            package_digest=scene.stage.content(b"a package"),
            keys_digest=NOTHING,
            digest_alg=DigestAlg.SHA256,
        )
        scene.do(act, by="vendor")
        other = replace(act, package_digest=scene.stage.content(b"another package"))

        scene.refused(DeliveryAlreadyExists, other, by="vendor")

        assert scene.ledger.act(act, by=vendor, key="once more").is_repeat

    def test_does_not_lend_its_key_to_another_act(self, scene: Scene) -> None:
        supplier = scene.stage.account("supplier")
        scene.ledger.act(scene.resource("a"), by=supplier, key="once")
        before = scene.trace()

        with pytest.raises(OutboxConflict):
            scene.ledger.act(scene.resource("b"), by=supplier, key="once")

        assert scene.trace() == before

    def test_of_concluding_is_one_contract(self, scene: Scene) -> None:
        """T5: what both sides signed is consumed by the trade it made."""
        act = scene.contract("replayed")
        first = scene.do(act, by="exchange-b").one(TradeConcluded)
        before = scene.trace()

        venue = scene.stage.account("exchange-b")
        again = scene.ledger.act(act, by=venue, key="replayed under another key")

        assert scene.outcome(act, by="exchange-b") == "TradeAlreadyExists"
        assert again.is_repeat
        assert again.transaction_hash is None
        assert scene.trace() == before
        cheaper = replace(act, terms=replace(act.terms, gross_fen=PRICE_FEN - 1))
        error = scene.refused(TradeAlreadyExists, cheaper, by="exchange-b")
        assert error.trade_id == first.trade_id


class TestAssets:
    def test_need_registered_parents(self, scene: Scene) -> None:
        """R4: what is not registered is nobody's parent."""
        made = scene.do(scene.resource("raw"), by="supplier").events[0]
        parent = Parent(
            asset_id=AssetId(made.asset_id),
            version=1,
            relation=Relation.DERIVED_FROM,
            consent_right_id=RightId(NOTHING),
        )
        element = scene.resource(
            "element",
            kind=AssetKind.ELEMENT,
            model_digest=scene.stage.document({"model": 1}),
            parents=(parent,),
            parent_tables=(made.revenue_table,),
            parent_links=((),),
        )

        error = scene.refused(ParentNotRegistered, element, by="supplier")

        assert (error.parent_id, error.version) == (made.asset_id, 1)

    @pytest.mark.parametrize("share_bps", [9_999, 10_001])
    def test_share_everything_and_no_more(self, scene: Scene, share_bps: int) -> None:
        """R3."""
        owner = scene.stage.participant("supplier")
        table = (Payee(participant_id=owner, share_bps=share_bps),)

        error = scene.refused(
            SharesNotWhole, scene.resource("a", revenue_table=table), by="supplier"
        )

        assert error.total_bps == share_bps


class TestOffers:
    def test_of_somebody_elses_product_are_refused(self, scene: Scene) -> None:
        """L1."""
        error = scene.refused(RightMissing, scene.offer("theirs"), by="developer")

        assert error.holder == scene.stage.participant("developer")
        assert error.kind is RightKind.OPERATE

    def test_under_a_right_to_use_only_are_refused(self, scene: Scene) -> None:
        element = next(iter(scene.world.lived.values())).element
        granted = scene.world.stage.acted(f"{element.key}/consent/vendor").events[0]
        assert granted.terms.kinds == USE
        offer = scene.offer("used", asset_id=element.asset_id, right_id=granted.right_id)

        error = scene.refused(RightMissing, offer, by="vendor")

        assert error.right_id == granted.right_id

    def test_are_not_sold_in_fractions_of_a_fen(self, scene: Scene) -> None:
        """J-04: 100 fen for three do not make a price for one."""
        listing = scene.list("thirds", price_fen=100, unit_quantity=3)
        legs = (Leg(kind=LegKind.SHARE, payee=listing.seller, amount_fen=33),)
        act = scene.contract("one of three", listing=listing, legs=legs, gross_fen=33)

        error = scene.refused(FractionOfFen, act, by="exchange-b")

        assert (error.price_fen, error.quantity, error.unit_quantity) == (100, 1, 3)

    @pytest.mark.parametrize("amount", ["0.001", "1.005", "12.3456"])
    def test_are_not_written_in_fractions_of_a_fen(self, amount: str) -> None:
        with pytest.raises(YuanTooFine):
            fen_from_yuan(amount)


class TestMoney:
    def test_that_is_not_there_cannot_be_held(self, scene: Scene) -> None:
        """T1."""
        available = scene.world.balance("buyer-one").available_fen
        price = available + 1
        listing = scene.list("dear", price_fen=price)
        table = scene.product.revenue_table
        legs = plan_legs(gross_fen=price, fees=(), taxes=(), revenue_table=table)
        act = scene.contract("dear", listing=listing, legs=legs, gross_fen=price)

        error = scene.refused(FundsInsufficient, act, by="exchange-b")

        assert (error.available_fen, error.needed_fen) == (available, price)

    def test_under_a_hold_is_not_paid_until_its_own_class_lifts_it(self, scene: Scene) -> None:
        """J-01, T2: held is held, for every other class too."""
        deal, made = scene.fulfilled("held")
        hold = SettlementsPlaceHold(
            trade_id=deal.trade_id, cause=scene.cause(AuthorityClass.REGULATOR)
        )
        scene.do(hold, by="regulator")
        payment = SettlementsSettle(
            trade_id=deal.trade_id,
            delivery_id=made.delivery_id,
            legs=deal.legs,
            document_digest=scene.stage.document({"format": "settlement-certificate/1"}),
            digest_alg=DigestAlg.SHA256,
        )

        held = scene.refused(SettlementHeld, payment, by="exchange-b")
        venue = scene.cause(AuthorityClass.VENUE)
        lift = SettlementsLiftHold(trade_id=deal.trade_id, cause=venue)
        scene.refused(SettlementHoldNotFound, lift, by="exchange-b")
        again = scene.refused(SettlementHeld, payment, by="exchange-b")
        scene.do(replace(lift, cause=hold.cause), by="regulator")
        scene.do(payment, by="exchange-b")

        assert held == again
        assert held.authority is AuthorityClass.REGULATOR
        state = scene.ledger.call("Trades", "tradeOf", deal.trade_id).state
        assert state.name == "CLOSED"

    def test_for_a_suspended_payee_is_kept_for_it(self, scene: Scene) -> None:
        """F1, F4: the split is the same; only where the frozen party's part goes differs."""
        deal, made = scene.fulfilled("frozen")
        supplier = scene.stage.participant("supplier")
        before = {who: scene.world.balance(who) for who in ("supplier", "developer", "vendor")}
        cause = scene.cause(AuthorityClass.REGULATOR)
        scene.do(ParticipantsSuspend(participant_id=supplier, cause=cause), by="regulator")

        settle(scene.stage, deal, made)

        due = {
            who: sum(
                leg.amount_fen for leg in deal.legs if leg.payee == scene.stage.participant(who)
            )
            for who in before
        }
        after = {who: scene.world.balance(who) for who in before}
        assert after["supplier"].available_fen == before["supplier"].available_fen
        assert after["supplier"].frozen_fen == due["supplier"] > 0
        for who in ("developer", "vendor"):
            assert after[who].available_fen == before[who].available_fen + due[who]

        bank = scene.stage.participant("bank")
        unfreeze = FundsUnfreeze(bank=bank)
        error = scene.refused(ParticipantNotActive, unfreeze, by="supplier")
        assert error.state is ParticipantState.SUSPENDED
        scene.do(ParticipantsRestore(participant_id=supplier, cause=cause), by="regulator")
        scene.do(unfreeze, by="supplier")
        claimed = scene.world.balance("supplier")
        assert claimed.frozen_fen == 0
        assert claimed.available_fen == before["supplier"].available_fen + due["supplier"]


class TestParties:
    def test_strangers_deliver_nothing(self, scene: Scene) -> None:
        """D4."""
        deal = scene.deal("undelivered")
        act = DeliveriesDeliver(
            trade_id=deal.trade_id,
            form=DeliveryForm.DOWNLOAD,
            package_digest=scene.stage.content(b"something else"),
            keys_digest=NOTHING,
            digest_alg=DigestAlg.SHA256,
        )

        error = scene.refused(CallerNotDeliverer, act, by="developer")

        assert error.participant_id == scene.stage.participant("developer")

    def test_once_suspended_do_nothing(self, scene: Scene) -> None:
        """F1."""
        cause = scene.cause(AuthorityClass.VENUE)
        supplier = scene.stage.participant("supplier")
        act = scene.resource("a")
        signed = scene.signed(act, by="supplier")
        scene.do(ParticipantsSuspend(participant_id=supplier, cause=cause), by="exchange-a")

        error = scene.refused(ParticipantNotActive, act, by="supplier")
        scene.refused(ParticipantNotActive, act, authorization=signed)

        assert error.state is ParticipantState.SUSPENDED
