"""
The market side of a life: listing, mirror, contract, sealed delivery, settlement.

It is not the making of the product. The buyer's and the seller's signatures are over the whole
contract in the clear; money and certificates follow from it.
"""

from dataclasses import dataclass

from api.demo.registering import USE, Registered
from api.demo.stage import NOTHING, Stage
from chain.acts import (
    DeliveriesAccept,
    DeliveriesDeliver,
    ListingsApprove,
    ListingsMirror,
    ListingsSubmit,
    SettlementsSettle,
    TradesConclude,
)
from chain.codes import (
    ContractTemplate,
    DeliveryForm,
    DigestAlg,
    PriceUnit,
    Rail,
    TradeMode,
)
from chain.events import (
    DeliveryAccepted,
    DeliveryMade,
    ListingSubmitted,
    SettlementSettled,
    TradeConcluded,
)
from chain.structs import Leg, ListingTerms, TradeTerms
from chain.values import (
    AssessmentId,
    Bytes32,
    ParticipantId,
    SettlementId,
    TradeId,
    salt_of,
)
from settlement.revenue import Charge, fee_floor, plan_legs, vat_inclusive_tax
from settlement.trades import legs_hash_of

HOME, EXECUTING, SELLER = "exchange-a", "exchange-b", "vendor"
PRICE_FEN = 128_800_00
# The demonstration's fee schedule and the tax rate that S2 cites for services: data, not law.
HOME_FEE_BPS, EXECUTING_FEE_BPS, VAT_BPS = 200, 150, 600
INSPECTION_SECONDS = 3 * 86_400
DELIVER_WITHIN_SECONDS = 30 * 86_400
OFFER_OPEN_SECONDS = 7 * 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class Deal:
    """A concluded contract and what settling it needs."""

    trade_id: TradeId
    legs: tuple[Leg, ...]
    buyer: str


def list_product(
    stage: Stage, product: Registered, reports: tuple[AssessmentId, ...]
) -> ListingSubmitted:
    """Offer the product at its home venue, which approves; mirror it at the other (G-01, G-02)."""
    key = f"{product.key}/list"

    def offer() -> ListingsSubmit:
        declaration = {
            "format": "declaration-and-undertaking/1",
            "asset_id": product.asset_id,
            "seller": stage.profile(SELLER),
            "undertakings": ["source", "rights", "quality", "use"],
        }
        policy = {
            "@context": "http://www.w3.org/ns/odrl.jsonld",
            "@type": "Offer",
            "uid": f"urn:shulian:{product.asset_id}",
            "permission": [{"target": product.asset_id, "action": "use"}],
            "prohibition": [{"target": product.asset_id, "action": "distribute"}],
        }
        terms = ListingTerms(
            asset_id=product.asset_id,
            asset_version=product.version,
            right_id=product.right_id,
            home_venue=stage.participant(HOME),
            mode=TradeMode.FIXED,
            unit=PriceUnit.ITEM,
            price_fen=PRICE_FEN,
            unit_quantity=1,
            quantity_max=0,
            delivery_forms=1 << DeliveryForm.DOWNLOAD,
            inspection_seconds=INSPECTION_SECONDS,
            terms_digest=stage.document(policy),
            declaration_digest=stage.document(declaration),
            digest_alg=DigestAlg.SHA256,
            list_until=0,
        )
        return ListingsSubmit(
            terms=terms,
            reports=reports,
            parents=product.parents,
            revenue_table=product.revenue_table,
            salt=salt_of(key),
        )

    listed = stage.act(key, by=SELLER, make=offer).one(ListingSubmitted)
    stage.act(
        f"{key}/approve",
        by=HOME,
        make=lambda: ListingsApprove(listing_id=listed.listing_id),
    )
    stage.act(
        f"{key}/mirror",
        by=EXECUTING,
        make=lambda: ListingsMirror(listing_id=listed.listing_id, agreement_id=stage.agreement_id),
    )
    return listed


def plan(stage: Stage, product: Registered) -> tuple[Leg, ...]:
    """Return who is paid what: three shares, both venues' fees, tax; the sum is the price."""
    fees = (
        (HOME, fee_floor(gross_fen=PRICE_FEN, rate_bps=HOME_FEE_BPS)),
        (EXECUTING, fee_floor(gross_fen=PRICE_FEN, rate_bps=EXECUTING_FEE_BPS)),
    )
    tax = vat_inclusive_tax(gross_fen=PRICE_FEN, rate_bps=VAT_BPS)
    return plan_legs(
        gross_fen=PRICE_FEN,
        fees=[Charge(payee=stage.participant(who), amount_fen=fen) for who, fen in fees],
        taxes=[Charge(payee=stage.participant("tax"), amount_fen=tax)],
        revenue_table=product.revenue_table,
    )


def terms_of(
    stage: Stage, product: Registered, listing: ListingSubmitted, *, buyer: str, key: str
) -> TradeTerms:
    """Return the contract that both sides sign."""
    now = stage.now()
    contract = {
        "format": "data-provision-contract/1",
        "template": "DATA_PROVISION",
        "asset_id": product.asset_id,
        "listing_id": listing.listing_id,
        "buyer": stage.profile(buyer),
        "seller": stage.profile(SELLER),
        "rights_granted": ["USE"],
        "onward_transfer": False,
        "acceptance": "inspection; use is not acceptance",
    }
    return TradeTerms(
        listing_id=listing.listing_id,
        listing_version=1,
        listing_venue=stage.participant(HOME),
        executing_venue=stage.participant(EXECUTING),
        broker=ParticipantId(NOTHING),
        buyer=stage.participant(buyer),
        seller=stage.participant(SELLER),
        is_off_exchange=False,
        template=ContractTemplate.DATA_PROVISION,
        predecessor_digest=Bytes32(NOTHING),
        contract_digest=stage.document(contract),
        policy_digest=listing.terms.terms_digest,
        digest_alg=DigestAlg.SHA256,
        right_kinds=USE,
        right_until=0,
        quantity=1,
        gross_fen=PRICE_FEN,
        price_commitment=Bytes32(NOTHING),
        rail=Rail.PREFUNDED,
        bank=stage.participant("bank"),
        legs_hash=legs_hash_of(plan(stage, product)),
        delivery_form=DeliveryForm.DOWNLOAD,
        inspection_seconds=INSPECTION_SECONDS,
        deliver_by=now + DELIVER_WITHIN_SECONDS,
        is_use_not_acceptance=True,
        offer_until=now + OFFER_OPEN_SECONDS,
        salt=salt_of(key),
    )


def conclude(stage: Stage, product: Registered, listing: ListingSubmitted, *, buyer: str) -> Deal:
    """Let both sides sign, and the executing venue verify, hold the money and certify (H-07)."""
    key = f"{product.key}/trade/{buyer}"

    def conclusion() -> TradesConclude:
        terms = terms_of(stage, product, listing, buyer=buyer, key=key)
        certificate = {
            "format": "trade-certificate/1",
            "venue": stage.profile(EXECUTING),
            "buyer": stage.profile(buyer),
            "seller": stage.profile(SELLER),
            "asset_id": product.asset_id,
            "registration_certificate_id": product.certificate_id,
            "contract_digest": terms.contract_digest,
            "rights_granted": ["USE"],
            "gross_fen": str(terms.gross_fen),
        }
        return TradesConclude(
            terms=terms,
            legs=plan(stage, product),
            buyer_account=stage.address(buyer),
            buyer_signature=stage.sign_terms(terms, by=buyer),
            seller_account=stage.address(SELLER),
            seller_signature=stage.sign_terms(terms, by=SELLER),
            parents=product.parents,
            revenue_table=product.revenue_table,
            document_digest=stage.document(certificate),
            digest_alg=DigestAlg.SHA256,
        )

    concluded = stage.act(key, by=EXECUTING, make=conclusion).one(TradeConcluded)
    return Deal(trade_id=concluded.trade_id, legs=tuple(concluded.legs), buyer=buyer)


def deliver(stage: Stage, deal: Deal, package: bytes) -> DeliveryMade:
    """Hand over the package, sealed for the buyer and the regulator, through the content store."""

    def delivery() -> DeliveriesDeliver:
        sealed_digest, keys_digest = stage.seal(package, readers=(deal.buyer, "regulator"))
        return DeliveriesDeliver(
            trade_id=deal.trade_id,
            form=DeliveryForm.DOWNLOAD,
            package_digest=sealed_digest,
            keys_digest=keys_digest,
            digest_alg=DigestAlg.SHA256,
        )

    key = f"trade/{deal.trade_id}/deliver"
    return stage.act(key, by=SELLER, make=delivery).one(DeliveryMade)


def accept(stage: Stage, deal: Deal, made: DeliveryMade) -> DeliveryAccepted:
    """Let the buyer open what it got, compare it with the element, and sign the receipt."""

    def acceptance() -> DeliveriesAccept:
        plain_digest = stage.open_sealed(made.package_digest, made.keys_digest, by=deal.buyer)
        receipt = {
            "format": "delivery-receipt/1",
            "delivery_id": made.delivery_id,
            "package_digest": made.package_digest,
            "plain_sha256": plain_digest,
            "verdict": "ACCEPTED",
        }
        certificate = {
            **receipt,
            "format": "delivery-certificate/1",
            "trade_id": deal.trade_id,
            "buyer": stage.profile(deal.buyer),
            "seller": stage.profile(SELLER),
        }
        return DeliveriesAccept(
            delivery_id=made.delivery_id,
            receipt_digest=stage.document(receipt),
            document_digest=stage.document(certificate),
            digest_alg=DigestAlg.SHA256,
        )

    key = f"trade/{deal.trade_id}/accept/{made.attempt}"
    return stage.act(key, by=deal.buyer, make=acceptance).one(DeliveryAccepted)


def settle(stage: Stage, deal: Deal, made: DeliveryMade) -> SettlementId:
    """Clear and settle: every leg posted to the fen, the certificate issued, the trade closed."""

    def settlement() -> SettlementsSettle:
        certificate = {
            "format": "settlement-certificate/1",
            "trade_id": deal.trade_id,
            "delivery_id": made.delivery_id,
            "currency": "CNY",
            "legs": [
                {"kind": leg.kind.name, "payee": leg.payee, "amount_fen": str(leg.amount_fen)}
                for leg in deal.legs
            ],
            "gross_fen": str(sum(leg.amount_fen for leg in deal.legs)),
        }
        return SettlementsSettle(
            trade_id=deal.trade_id,
            delivery_id=made.delivery_id,
            legs=deal.legs,
            document_digest=stage.document(certificate),
            digest_alg=DigestAlg.SHA256,
        )

    key = f"trade/{deal.trade_id}/settle"
    return stage.act(key, by=EXECUTING, make=settlement).one(SettlementSettled).settlement_id
