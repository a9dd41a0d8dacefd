"""
A player who does whatever comes to its mind: random acts from a seed, of everybody's, in every
part of the ledger. What is refused is left undone; what happened is counted.
"""

import random
from collections import Counter
from collections.abc import Callable

from api.demo.stage import NOTHING
from api.demo.trading import Deal
from chain.act import Act
from chain.acts import (
    AssetsSetAlias,
    DeliveriesAccept,
    DeliveriesDeliver,
    DeliveriesReject,
    FundsAttestDeposit,
    FundsRejectWithdrawal,
    FundsRequestWithdrawal,
    FundsUnfreeze,
    ListingsDelist,
    ListingsReprice,
    ListingsResume,
    ListingsSuspend,
    ParticipantsGrantRole,
    ParticipantsRestore,
    ParticipantsRevokeRole,
    ParticipantsSetVenueRecognition,
    ParticipantsSuspend,
    SettlementsLiftHold,
    SettlementsPlaceHold,
    SettlementsSettle,
    TradesTerminate,
)
from chain.codes import AuthorityClass, DeliveryForm, DigestAlg, Recognition, Role
from chain.events import DeliveryMade, TradeConcluded, WithdrawalRequested
from chain.failure import LedgerError
from chain.values import Bytes32, salt_of
from tests.stories.world import Scene, make

SHA = DigestAlg.SHA256
Turn = tuple[Act, str]


class Player:
    """Somebody who acts at random on a scene."""

    def __init__(self, scene: Scene, chance: random.Random) -> None:
        self.scene = scene
        self.chance = chance
        self.done: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()
        self._number = 0
        self._deals: list[Deal] = []
        self._deliveries: list[DeliveryMade] = []
        self._withdrawals: list[WithdrawalRequested] = []
        self._turns: tuple[Callable[[], Turn], ...] = (
            self._declare,
            self._alias,
            self._offer,
            self._conclude,
            self._conclude,
            self._conclude,
            self._deliver,
            self._deliver,
            self._inspect,
            self._inspect,
            self._settle,
            self._settle,
            self._hold,
            self._lift,
            self._lift,
            self._terminate,
            self._listing,
            self._standing,
            self._role,
            self._recognise,
            self._deposit,
            self._withdraw,
            self._unfreeze,
        )

    def play(self, turns: int) -> None:
        """Do so many things that come to mind, and now and then let time pass."""
        for _ in range(turns):
            self._number += 1
            if self.chance.random() < 0.1:
                stage = self.scene.stage
                if not stage.is_clock_movable:
                    continue
                stage.wait_until(stage.now() + self.chance.randrange(1, 200_000))
                continue
            try:
                act, by = self.chance.choice(self._turns)()
            except IndexError:  # there is nothing yet to do this to
                continue
            self._try(act, by)

    def _try(self, act: Act, by: str) -> None:
        name, key = type(act).__name__, f"turn/{self._number}"
        try:
            sent = self.scene.ledger.act(act, by=self.scene.stage.account(by), key=key)
        except LedgerError as error:
            self.refused[type(error).__name__] += 1
            return
        if sent.transaction_hash is None:
            self.refused["repeat"] += 1
            return
        self.done[name] += 1
        for event in self.scene.stage.acted(key).events:
            if isinstance(event, TradeConcluded):
                self._deals.append(
                    Deal(trade_id=event.trade_id, legs=tuple(event.legs), buyer="buyer-one")
                )
            elif isinstance(event, DeliveryMade):
                self._deliveries.append(event)
            elif isinstance(event, WithdrawalRequested):
                self._withdrawals.append(event)

    # --- what comes to mind -----------------------------------------------------------------------

    def _digest(self) -> Bytes32:
        return self.scene.stage.document({"format": "any/1", "number": str(self._number)})

    def _declare(self) -> Turn:
        return self.scene.resource(f"played {self.chance.random()}"), "supplier"

    def _alias(self) -> Turn:
        scheme = Bytes32("0x" + b"DOI".ljust(32, b"\0").hex())
        value = f"10.1/{self.chance.randrange(5)}"
        return make(AssetsSetAlias, self.scene.product.asset_id, scheme, value), "vendor"

    def _offer(self) -> Turn:
        return self.scene.offer(f"played {self.chance.random()}"), "vendor"

    def _conclude(self) -> Turn:
        return self.scene.contract(f"played {self.chance.random()}"), "exchange-b"

    def _deliver(self) -> Turn:
        trade_id = self.chance.choice(self._deals[-3:]).trade_id
        form = DeliveryForm.DOWNLOAD
        return make(DeliveriesDeliver, trade_id, form, self._digest(), NOTHING, SHA), "vendor"

    def _inspect(self) -> Turn:
        delivery_id, digest = self.chance.choice(self._deliveries[-3:]).delivery_id, self._digest()
        if self.chance.random() < 0.4:
            cause = self.scene.cause(AuthorityClass.PARTY)
            return make(DeliveriesReject, delivery_id, cause), "buyer-one"
        return make(DeliveriesAccept, delivery_id, digest, digest, SHA), "buyer-one"

    def _settle(self) -> Turn:
        made = self.chance.choice(self._deliveries[-3:])
        (legs,) = (one.legs for one in self._deals if one.trade_id == made.trade_id)
        settled = make(
            SettlementsSettle, made.trade_id, made.delivery_id, legs, self._digest(), SHA
        )
        return settled, "exchange-b"

    def _hold(self) -> Turn:
        authority, by = self._authority()
        trade_id = self.chance.choice(self._deals[-3:]).trade_id
        return make(SettlementsPlaceHold, trade_id, self.scene.cause(authority)), by

    def _lift(self) -> Turn:
        authority, by = self._authority()
        trade_id = self.chance.choice(self._deals[-3:]).trade_id
        return make(SettlementsLiftHold, trade_id, self.scene.cause(authority)), by

    def _terminate(self) -> Turn:
        trade_id = self.chance.choice(self._deals[-3:]).trade_id
        cause = self.scene.cause(AuthorityClass.REGULATOR)
        return make(TradesTerminate, trade_id, cause), "regulator"

    def _authority(self) -> tuple[AuthorityClass, str]:
        choices = (AuthorityClass.REGULATOR, "regulator"), (AuthorityClass.VENUE, "exchange-b")
        return self.chance.choice(choices)

    def _listing(self) -> Turn:
        listing_id = self.scene.listing.listing_id
        cause = self.scene.cause(AuthorityClass.PARTY)
        choices = (
            make(ListingsReprice, listing_id, self.scene.listing.terms.price_fen, 1),
            make(ListingsSuspend, listing_id, cause),
            make(ListingsResume, listing_id, cause),
            make(ListingsResume, listing_id, cause),
            make(ListingsDelist, listing_id, cause),
        )
        weights = (10, 20, 60, 60, 1)
        return self.chance.choices(choices, weights)[0], "vendor"

    def _standing(self) -> Turn:
        who = self.scene.stage.participant(self.chance.choice(("supplier", "developer")))
        cause = self.scene.cause(AuthorityClass.REGULATOR)
        kinds = (ParticipantsSuspend, ParticipantsRestore, ParticipantsRestore)
        kind = self.chance.choice(kinds)
        return make(kind, who, cause), "regulator"

    def _role(self) -> Turn:
        stage = self.scene.stage
        who, venue = stage.participant("buyer-two"), stage.participant("exchange-b")
        if self.chance.random() < 0.5:
            return make(ParticipantsGrantRole, who, Role.CLEARING, venue, 0), "exchange-b"
        cause = self.scene.cause(AuthorityClass.VENUE)
        return make(ParticipantsRevokeRole, who, Role.CLEARING, venue, cause), "exchange-b"

    def _recognise(self) -> Turn:
        who = self.scene.stage.participant("vendor")
        recognition = self.chance.choice(list(Recognition)[1:])
        cause = self.scene.cause(AuthorityClass.VENUE)
        return make(ParticipantsSetVenueRecognition, who, recognition, cause), "exchange-b"

    def _deposit(self) -> Turn:
        who = self.scene.stage.participant(self.chance.choice(("buyer-one", "vendor")))
        amount = self.chance.randrange(1, 10**9)
        date = self.scene.stage.value_date()
        cny = "0x" + b"CNY".hex()
        return make(FundsAttestDeposit, who, amount, cny, self._digest(), SHA, date), "bank"

    def _withdraw(self) -> Turn:
        bank = self.scene.stage.participant("bank")
        if self._withdrawals and self.chance.random() < 0.5:
            asked = self.chance.choice(self._withdrawals).withdrawal_id
            cause = self.scene.cause(AuthorityClass.BANK)
            return make(FundsRejectWithdrawal, asked, cause), "bank"
        amount, salt = self.chance.randrange(1, 10**6), salt_of(f"{self.chance.random()}")
        return make(FundsRequestWithdrawal, bank, amount, self._digest(), SHA, salt), "vendor"

    def _unfreeze(self) -> Turn:
        who = self.chance.choice(("supplier", "developer"))
        return make(FundsUnfreeze, self.scene.stage.participant("bank")), who
