"""
The nouns as the command line shows them: which record, which columns, what hangs on it.

A table, nothing else: listing is `api.commands.looking`, acting is `api.commands.acting`.
"""

from dataclasses import dataclass
from importlib import import_module
from typing import Any, Final


@dataclass(frozen=True, slots=True, kw_only=True)
class Related:
    """Records that hang on another: `field` of theirs holds the other's id."""

    name: str
    record: str
    field: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Noun:
    """
    A group of commands.

    shape: `record` and those of `related` as module:class; `named_by` is the field that holds the
           digest of the document that names the thing, told as `named_as`; `status` a function of
           `api.statuses`
    """

    name: str
    help: str
    contract: str
    record: str
    columns: tuple[str, ...]
    status: str = ""
    named_by: str = ""
    named_as: str = "name"
    related: tuple[Related, ...] = ()


NOUNS: Final = (
    Noun(
        name="participant",
        help="Organisations: admission, accounts, roles.",
        contract="Participants",
        record="registry.participants:Participant",
        columns=("participant_id", "name", "status", "participant_type", "home_venue"),
        status="participant_status",
        named_by="profile_digest",
        related=(
            Related(
                name="accounts", record="registry.participants:Account", field="participant_id"
            ),
            Related(name="roles", record="registry.participants:RoleGrant", field="participant_id"),
            Related(
                name="issuer_codes",
                record="registry.participants:IssuerCode",
                field="participant_id",
            ),
            Related(
                name="recognitions",
                record="registry.participants:VenueRecognition",
                field="participant_id",
            ),
        ),
    ),
    Noun(
        name="profile",
        help="Rule profiles and working days.",
        contract="Profiles",
        record="registry.profiles:RuleProfile",
        columns=("profile_id", "name_text", "notice", "validity", "code_format"),
    ),
    Noun(
        name="agreement",
        help="Mutual recognition between exchanges.",
        contract="Agreements",
        record="registry.agreements:Agreement",
        columns=(
            "agreement_id",
            "status",
            "members",
            "signed_count",
            "effective_at",
            "valid_until",
        ),
        status="agreement_status",
    ),
    Noun(
        name="asset",
        help="Data resources, elements and products, version by version.",
        contract="Assets",
        record="registry.assets:Asset",
        columns=("asset_id", "version", "kind", "status", "title", "registrant", "content_digest"),
        named_by="metadata_digest",
        named_as="title",
        related=(
            Related(name="reviews", record="registry.assets:AssetReview", field="asset_id"),
            Related(name="aliases", record="registry.assets:AssetAlias", field="asset_id"),
            Related(name="rights", record="registry.rights:Right", field="asset_id"),
            Related(
                name="certificates", record="registry.certificates:Certificate", field="subject_id"
            ),
            Related(name="listings", record="settlement.listings:Listing", field="asset_id"),
        ),
    ),
    Noun(
        name="registration",
        help="Applications for registration, from submission to deposit.",
        contract="Registrations",
        record="registry.registrations:Registration",
        columns=("registration_id", "status", "asset_id", "applicant", "registrar", "state_until"),
        status="registration_status",
    ),
    Noun(
        name="right",
        help="Entries that grant holding, use or operation.",
        contract="Rights",
        record="registry.rights:Right",
        columns=("right_id", "status", "kind_names", "asset_id", "holder", "share_bps"),
        status="right_status",
        related=(Related(name="granted", record="registry.rights:Right", field="parent_right_id"),),
    ),
    Noun(
        name="assessment",
        help="Reports of assessors.",
        contract="Assessments",
        record="registry.assessments:Assessment",
        columns=("assessment_id", "status", "kind", "verdict", "asset_id", "assessor"),
        status="assessment_status",
    ),
    Noun(
        name="certificate",
        help="Certificates of registration, trade, delivery and settlement.",
        contract="Certificates",
        record="registry.certificates:Certificate",
        columns=("certificate_id", "code_text", "kind", "status", "holder", "issuer", "issued_at"),
        status="certificate_status",
    ),
    Noun(
        name="listing",
        help="Offers at a home venue, mirrored at others.",
        contract="Listings",
        record="settlement.listings:Listing",
        columns=("listing_id", "status", "asset_id", "seller", "home_venue", "price_fen"),
        status="listing_status",
        related=(
            Related(name="mirrors", record="settlement.listings:ListingMirror", field="listing_id"),
            Related(name="trades", record="settlement.trades:Trade", field="listing_id"),
        ),
    ),
    Noun(
        name="trade",
        help="Contracts that both sides signed.",
        contract="Trades",
        record="settlement.trades:Trade",
        columns=("trade_id", "state", "buyer", "seller", "executing_venue", "gross_fen"),
        related=(
            Related(name="deliveries", record="settlement.deliveries:Delivery", field="trade_id"),
            Related(name="holds", record="settlement.funds:FundsHold", field="trade_id"),
            Related(
                name="settlements", record="settlement.settlements:Settlement", field="trade_id"
            ),
            Related(name="postings", record="settlement.funds:Posting", field="trade_id"),
        ),
    ),
    Noun(
        name="delivery",
        help="Attempts to deliver, their inspection and receipt.",
        contract="Deliveries",
        record="settlement.deliveries:Delivery",
        columns=("delivery_id", "state", "trade_id", "deliverer", "form", "delivered_at"),
    ),
    Noun(
        name="funds",
        help="Money at settlement banks.",
        contract="Funds",
        record="settlement.funds:FundsAccount",
        columns=("participant_id", "bank", "available_fen", "held_fen", "frozen_fen"),
        related=(
            Related(name="holds", record="settlement.funds:FundsHold", field="payer"),
            Related(name="postings", record="settlement.funds:Posting", field="payee"),
            Related(
                name="withdrawals", record="settlement.funds:Withdrawal", field="participant_id"
            ),
        ),
    ),
    Noun(
        name="settlement",
        help="Settled trades, leg by leg.",
        contract="Settlements",
        record="settlement.settlements:Settlement",
        columns=("settlement_id", "state", "trade_id", "gross_fen", "bank", "settled_at"),
    ),
)


def load(path: str) -> Any:
    """Return what module:name stands for."""
    module, _, name = path.partition(":")
    return getattr(import_module(module), name)
