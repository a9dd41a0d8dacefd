"""
The read tables of the registry, each derived from its record: columns and constraints, nothing
else.

It is not where fields are written: whoever adds one touches the contract and the record.
"""

from chain.tables import versioned_table
from registry.agreements import Agreement
from registry.assessments import Assessment
from registry.assets import Asset, AssetAlias, AssetHead, AssetLink, AssetReview
from registry.certificates import Certificate
from registry.participants import (
    Account,
    IssuerCode,
    Participant,
    RoleGrant,
    VenueRecognition,
)
from registry.profiles import CalendarYear, RuleProfile
from registry.registrations import Registration
from registry.rights import Right

participants = versioned_table(Participant, name="participants")
accounts = versioned_table(Account, name="accounts")
role_grants = versioned_table(RoleGrant, name="role_grants")
issuer_codes = versioned_table(IssuerCode, name="issuer_codes")
venue_recognitions = versioned_table(VenueRecognition, name="venue_recognitions")
rule_profiles = versioned_table(RuleProfile, name="rule_profiles")
calendar_years = versioned_table(CalendarYear, name="calendar_years")
agreements = versioned_table(Agreement, name="agreements")
assets = versioned_table(Asset, name="assets")
asset_links = versioned_table(AssetLink, name="asset_links")
asset_heads = versioned_table(AssetHead, name="asset_heads")
asset_reviews = versioned_table(AssetReview, name="asset_reviews")
asset_aliases = versioned_table(AssetAlias, name="asset_aliases")
assessments = versioned_table(Assessment, name="assessments")
registrations = versioned_table(Registration, name="registrations")
rights = versioned_table(Right, name="rights")
certificates = versioned_table(Certificate, name="certificates")
