"""
What money, listings, trades, deliveries and settlements do on the measured chain.

The registry's acts are in `bench.ledger.registry_acts`.
"""

from collections.abc import Callable
from typing import Final

from api.demo.consortium import CURRENCY
from api.demo.registering import USE
from api.demo.stage import NOTHING
from bench.ledger.cast import VENUE_A, VENUE_B, Held, Offered, World
from bench.ledger.makers import Deed, Steps, joins
from chain.acts import (
    DeliveriesAccept,
    DeliveriesDeliver,
    DeliveriesReject,
    FundsAttestDeposit,
    FundsAttestWithdrawal,
    FundsRequestWithdrawal,
    ListingsApprove,
    ListingsMirror,
    ListingsReprice,
    ListingsResume,
    ListingsSubmit,
    ListingsSuspend,
    SettlementsSettle,
    TradesConclude,
)
from chain.codes import (
    AuthorityClass,
    ContractTemplate,
    DeliveryForm,
    DigestAlg,
    PriceUnit,
    Rail,
    TradeMode,
)
from chain.events import DeliveryMade, ListingSubmitted, TradeConcluded, WithdrawalRequested
from chain.structs import Leg, ListingTerms, TradeTerms
from chain.values import Bytes32, ParticipantId
from settlement.revenue import Charge, fee_floor, plan_legs, vat_inclusive_tax
from settlement.trades import legs_hash_of

BANK: Final = "bank"
SHA256: Final = DigestAlg.SHA256
DEPOSIT_FEN: Final = 10_000_000_00
PRICE_MIN_FEN: Final = 1_000_00
PRICE_MAX_FEN: Final = 200_000_00
FEE_BPS: Final = 150
VAT_BPS: Final = 600
DAY_SECONDS: Final = 86_400
OFFERS_MAX: Final = 2_000


@joins("funds", weight=5, when=lambda world: bool(world.buyers))
def funds(world: World) -> Steps:
    """Let the bank attest a buyer's deposit; some of it is withdrawn again."""
    buyer = world.one(world.buyers)
    yield Deed(act=_money_in(world, buyer), by=BANK)
    world.balances_fen[buyer] = world.balances_fen.get(buyer, 0) + DEPOSIT_FEN
    if not world.chance(25):
        return
    amount_fen = DEPOSIT_FEN // 100
    world.balances_fen[buyer] -= amount_fen
    asked = yield Deed(
        act=FundsRequestWithdrawal(
            bank=world.participant(BANK),
            amount_fen=amount_fen,
            payee_account_digest=world.digest(),
            digest_alg=SHA256,
            salt=world.digest(),
        ),
        by=buyer,
    )
    yield Deed(
        act=FundsAttestWithdrawal(
            withdrawal_id=asked.one(WithdrawalRequested).withdrawal_id,
            bank_reference_digest=world.digest(),
            digest_alg=SHA256,
            value_date=20_260_301,
        ),
        by=BANK,
    )


@joins("listings", weight=15, when=lambda world: bool(world.products))
def listings(world: World) -> Steps:
    """Offer a product at both venues; some are repriced, some suspended for a while."""
    held = world.taken(world.products)
    terms = _offer_terms(world, held)
    offer = ListingsSubmit(
        terms=terms,
        reports=(),
        parents=tuple(held.asset.parents),
        revenue_table=tuple(held.asset.revenue_table),
        salt=world.digest(),
    )
    submitted = yield Deed(act=offer, by=held.owner)
    listing = submitted.one(ListingSubmitted)
    found = listing.listing_id
    yield Deed(act=ListingsApprove(listing_id=found), by=VENUE_A)
    mirror = ListingsMirror(listing_id=found, agreement_id=world.agreement_id)
    yield Deed(act=mirror, by=VENUE_B)
    offered = Offered(listing=listing, held=held, price_fen=terms.price_fen)
    if world.chance(20):
        offered.price_fen = _price(world)
        offered.version += 1
        act = ListingsReprice(listing_id=found, price_fen=offered.price_fen, unit_quantity=1)
        yield Deed(act=act, by=held.owner)
    if world.chance(8):
        cause = world.cause(AuthorityClass.PARTY)
        yield Deed(act=ListingsSuspend(listing_id=found, cause=cause), by=held.owner)
        yield Deed(act=ListingsResume(listing_id=found, cause=cause), by=held.owner)
    world.offers.append(offered)
    if len(world.offers) > OFFERS_MAX:
        world.taken(world.offers)


@joins(
    "trades",
    weight=100,
    when=lambda world: bool(world.offers) and any(map(_rich(world), world.buyers)),
)
def trades(world: World) -> Steps:
    """Conclude, deliver, accept and settle; some deliveries are rejected and made again."""
    offered: Offered = world.one(world.offers)
    buyer = world.one([one for one in world.buyers if _rich(world)(one)])
    world.balances_fen[buyer] -= offered.price_fen
    legs = _legs(world, offered)
    concluded = yield Deed(act=_conclusion(world, offered, buyer, legs), by=VENUE_B)
    trade_id = concluded.one(TradeConcluded).trade_id
    delivery = DeliveriesDeliver(
        trade_id=trade_id,
        form=DeliveryForm.DOWNLOAD,
        package_digest=world.digest(),
        keys_digest=world.digest(),
        digest_alg=SHA256,
    )
    made = yield Deed(act=delivery, by=offered.held.owner)
    if world.chance(5):
        cause = world.cause(AuthorityClass.PARTY)
        rejected = made.one(DeliveryMade).delivery_id
        yield Deed(act=DeliveriesReject(delivery_id=rejected, cause=cause), by=buyer)
        made = yield Deed(act=delivery, by=offered.held.owner)
    delivery_id = made.one(DeliveryMade).delivery_id
    yield Deed(
        act=DeliveriesAccept(
            delivery_id=delivery_id,
            receipt_digest=world.digest(),
            document_digest=world.digest(),
            digest_alg=SHA256,
        ),
        by=buyer,
        is_relayed=world.chance(30),
    )
    yield Deed(
        act=SettlementsSettle(
            trade_id=trade_id,
            delivery_id=delivery_id,
            legs=legs,
            document_digest=world.digest(),
            digest_alg=SHA256,
        ),
        by=VENUE_B,
    )


# --- parts ----------------------------------------------------------------------------------------


def _rich(world: World) -> Callable[[str], bool]:
    return lambda buyer: world.balances_fen.get(buyer, 0) > PRICE_MAX_FEN


def _price(world: World) -> int:
    return world.random.randrange(PRICE_MIN_FEN, PRICE_MAX_FEN)


def _money_in(world: World, buyer: str) -> FundsAttestDeposit:
    return FundsAttestDeposit(
        participant_id=world.participant(buyer),
        amount_fen=DEPOSIT_FEN,
        currency=CURRENCY,
        bank_reference_digest=world.digest(),
        digest_alg=SHA256,
        value_date=20_260_301,
    )


def _offer_terms(world: World, held: Held) -> ListingTerms:
    return ListingTerms(
        asset_id=held.asset.asset_id,
        asset_version=held.asset.version,
        right_id=held.right_id,
        home_venue=world.participant(VENUE_A),
        mode=TradeMode.FIXED,
        unit=PriceUnit.ITEM,
        price_fen=_price(world),
        unit_quantity=1,
        quantity_max=0,
        delivery_forms=1 << DeliveryForm.DOWNLOAD,
        inspection_seconds=3 * DAY_SECONDS,
        terms_digest=world.digest(),
        declaration_digest=world.digest(),
        digest_alg=SHA256,
        list_until=0,
    )


def _legs(world: World, offered: Offered) -> tuple[Leg, ...]:
    gross_fen = offered.price_fen
    fee = fee_floor(gross_fen=gross_fen, rate_bps=FEE_BPS)
    tax = vat_inclusive_tax(gross_fen=gross_fen, rate_bps=VAT_BPS)
    venues = (VENUE_A, VENUE_B)
    return plan_legs(
        gross_fen=gross_fen,
        fees=[Charge(payee=world.participant(one), amount_fen=fee) for one in venues],
        taxes=[Charge(payee=world.participant("tax"), amount_fen=tax)],
        revenue_table=tuple(offered.held.asset.revenue_table),
    )


def _conclusion(
    world: World, offered: Offered, buyer: str, legs: tuple[Leg, ...]
) -> TradesConclude:
    seller = offered.held.owner
    terms = _terms(world, offered, buyer, legs)
    ledger, keys = world.ledger, world.keys
    return TradesConclude(
        terms=terms,
        legs=legs,
        buyer_account=world.address(buyer),
        buyer_signature=ledger.sign_terms(terms, keys.account(buyer)),
        seller_account=world.address(seller),
        seller_signature=ledger.sign_terms(terms, keys.account(seller)),
        parents=tuple(offered.held.asset.parents),
        revenue_table=tuple(offered.held.asset.revenue_table),
        document_digest=world.digest(),
        digest_alg=SHA256,
    )


def _terms(world: World, offered: Offered, buyer: str, legs: tuple[Leg, ...]) -> TradeTerms:
    listing = offered.listing
    return TradeTerms(
        listing_id=listing.listing_id,
        listing_version=offered.version,
        listing_venue=world.participant(VENUE_A),
        executing_venue=world.participant(VENUE_B),
        broker=ParticipantId(NOTHING),
        buyer=world.participant(buyer),
        seller=world.participant(offered.held.owner),
        is_off_exchange=False,
        template=ContractTemplate.DATA_PROVISION,
        predecessor_digest=Bytes32(NOTHING),
        contract_digest=world.digest(),
        policy_digest=listing.terms.terms_digest,
        digest_alg=SHA256,
        right_kinds=USE,
        right_until=0,
        quantity=1,
        gross_fen=offered.price_fen,
        price_commitment=Bytes32(NOTHING),
        rail=Rail.PREFUNDED,
        bank=world.participant(BANK),
        legs_hash=legs_hash_of(legs),
        delivery_form=DeliveryForm.DOWNLOAD,
        inspection_seconds=listing.terms.inspection_seconds,
        deliver_by=world.now + 30 * DAY_SECONDS,
        is_use_not_acceptance=True,
        offer_until=world.now + 7 * DAY_SECONDS,
        salt=world.digest(),
    )
