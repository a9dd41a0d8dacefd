"""
Offers of registered assets at a home venue, and their mirrors at other venues.

It is not the trade: open trades keep the version of the listing that both sides signed.
"""

from dataclasses import dataclass, field, replace
from typing import ClassVar

from chain import events as e
from chain.abi import hash_values
from chain.codes import AuthorityClass, DigestAlg, ListingState, PriceUnit, TradeMode
from chain.records import INDEXED, WIDE, Projected, Records, View
from chain.values import (
    AgreementId,
    AssessmentId,
    AssetId,
    Bytes32,
    CertificateId,
    ListingId,
    ParticipantId,
    RightId,
)


@dataclass(frozen=True, slots=True)
class Listing:
    """An offer; the assessment reports stand in the event, their hash on chain."""

    KEY: ClassVar = ("listing_id",)
    VIEW: ClassVar = View(
        "Listings",
        "listingOf",
        ("listing_id",),
        covers={"documents_hash": lambda r: documents_hash_of(r)},
    )

    listing_id: ListingId
    sequence: int
    version: int
    state: ListingState = field(metadata=INDEXED)
    asset_id: AssetId = field(metadata=INDEXED)
    asset_version: int
    certificate_id: CertificateId
    right_id: RightId
    seller: ParticipantId = field(metadata=INDEXED)
    home_venue: ParticipantId = field(metadata=INDEXED)
    mode: TradeMode
    unit: PriceUnit
    price_fen: int
    unit_quantity: int = field(metadata=WIDE)
    quantity_max: int = field(metadata=WIDE)
    delivery_forms: int
    inspection_seconds: int
    terms_digest: Bytes32
    declaration_digest: Bytes32
    digest_alg: DigestAlg
    reports: tuple[AssessmentId, ...]
    list_until: int
    suspended_by: int
    suspended_until: int


@dataclass(frozen=True, slots=True)
class ListingMirror:
    """A listing shown at another venue under an agreement; the venue may only hide it."""

    KEY: ClassVar = ("listing_id", "venue")
    VIEW: ClassVar = View("Listings", "mirrorOf", ("listing_id", "venue"))

    listing_id: ListingId = field(metadata=INDEXED)
    venue: ParticipantId = field(metadata=INDEXED)
    agreement_id: AgreementId
    is_hidden: bool


def documents_hash_of(listing: Listing) -> Bytes32:
    """Return the hash of both documents and the reports exactly as Listings stores it."""
    return hash_values(
        ("bytes32", "bytes32", "bytes32[]"),
        (listing.terms_digest, listing.declaration_digest, list(listing.reports)),
    )


def apply_listing_submitted(records: Records, event: e.ListingSubmitted) -> Projected:
    """Make the listing, under its home venue's review."""
    terms = event.terms
    yield Listing(
        listing_id=event.listing_id,
        sequence=event.sequence,
        version=1,
        state=ListingState.UNDER_REVIEW,
        asset_id=event.asset_id,
        asset_version=terms.asset_version,
        certificate_id=event.certificate_id,
        right_id=terms.right_id,
        seller=event.seller,
        home_venue=terms.home_venue,
        mode=terms.mode,
        unit=terms.unit,
        price_fen=terms.price_fen,
        unit_quantity=terms.unit_quantity,
        quantity_max=terms.quantity_max,
        delivery_forms=terms.delivery_forms,
        inspection_seconds=terms.inspection_seconds,
        terms_digest=terms.terms_digest,
        declaration_digest=terms.declaration_digest,
        digest_alg=terms.digest_alg,
        reports=tuple(event.reports),
        list_until=terms.list_until,
        suspended_by=AuthorityClass.NONE,
        suspended_until=0,
    )


def apply_listing_approved(records: Records, event: e.ListingApproved) -> Projected:
    """List the offer."""
    yield replace(records.require(Listing, event.listing_id), state=ListingState.LISTED)


def apply_listing_rejected(records: Records, event: e.ListingRejected) -> Projected:
    """Reject the offer."""
    yield replace(records.require(Listing, event.listing_id), state=ListingState.REJECTED)


def apply_listing_repriced(records: Records, event: e.ListingRepriced) -> Projected:
    """Set the new price: a new version."""
    yield replace(
        records.require(Listing, event.listing_id),
        version=event.version,
        price_fen=event.price_fen,
        unit_quantity=event.unit_quantity,
    )


def apply_listing_suspended(records: Records, event: e.ListingSuspended) -> Projected:
    """Suspend the offer, remembering the class that may resume it."""
    yield replace(
        records.require(Listing, event.listing_id),
        state=ListingState.SUSPENDED,
        suspended_by=event.cause.authority,
        suspended_until=event.cause.until,
    )


def apply_listing_resumed(records: Records, event: e.ListingResumed) -> Projected:
    """Resume the offer."""
    yield replace(
        records.require(Listing, event.listing_id),
        state=ListingState.LISTED,
        suspended_by=AuthorityClass.NONE,
        suspended_until=0,
    )


def apply_listing_delisted(records: Records, event: e.ListingDelisted) -> Projected:
    """End the offer."""
    yield replace(records.require(Listing, event.listing_id), state=ListingState.DELISTED)


def apply_listing_mirrored(records: Records, event: e.ListingMirrored) -> Projected:
    """Show the listing at another venue."""
    yield ListingMirror(
        listing_id=event.listing_id,
        venue=event.venue,
        agreement_id=event.agreement_id,
        is_hidden=False,
    )


def apply_listing_mirror_hidden(records: Records, event: e.ListingMirrorHidden) -> Projected:
    """Hide or show the mirror."""
    held = records.require(ListingMirror, event.listing_id, event.venue)
    yield replace(held, is_hidden=event.is_hidden)
