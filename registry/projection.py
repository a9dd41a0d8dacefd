"""
Which noun answers which event of the registry: the whole engine in one function.

It is not the store: it reads current records, returns the new versions, and touches nothing.
"""

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any

from chain import events as e
from chain.event import Event
from chain.records import Projected, Records
from registry import (
    agreements,
    assessments,
    assets,
    certificates,
    participants,
    profiles,
    registrations,
    rights,
)

RECORDS: tuple[type, ...] = (
    participants.Participant,
    participants.Account,
    participants.RoleGrant,
    participants.IssuerCode,
    participants.VenueRecognition,
    profiles.RuleProfile,
    profiles.CalendarYear,
    agreements.Agreement,
    assets.Asset,
    assets.AssetLink,
    assets.AssetHead,
    assets.AssetReview,
    assets.AssetAlias,
    assessments.Assessment,
    registrations.Registration,
    rights.Right,
    certificates.Certificate,
)
"""Every record of the registry; its table derives from it."""

APPLIES: Mapping[type[Event], Callable[[Records, Any], Projected]] = MappingProxyType(
    {
        e.ParticipantApplied: participants.apply_participant_applied,
        e.ParticipantSupplementRequested: participants.apply_participant_supplement_requested,
        e.ParticipantSupplemented: participants.apply_participant_supplemented,
        e.ParticipantRejected: participants.apply_participant_rejected,
        e.ParticipantAdmitted: participants.apply_participant_admitted,
        e.ParticipantSuspended: participants.apply_participant_suspended,
        e.ParticipantRestored: participants.apply_participant_restored,
        e.ParticipantExitRequested: participants.apply_participant_exit_requested,
        e.ParticipantExited: participants.apply_participant_exited,
        e.AccountAdded: participants.apply_account_added,
        e.AccountRevoked: participants.apply_account_revoked,
        e.RoleGranted: participants.apply_role_granted,
        e.RoleRevoked: participants.apply_role_revoked,
        e.IssuerCodeAssigned: participants.apply_issuer_code_assigned,
        e.VenueRecognitionSet: participants.apply_venue_recognition_set,
        e.ProfilePublished: profiles.apply_profile_published,
        e.CalendarYearLoaded: profiles.apply_calendar_year_loaded,
        e.AgreementProposed: agreements.apply_agreement_proposed,
        e.AgreementSigned: agreements.apply_agreement_signed,
        e.AgreementTerminated: agreements.apply_agreement_terminated,
        e.AssetDeclared: assets.apply_asset_declared,
        e.AssetRegistered: assets.apply_asset_registered,
        e.AssetReviewed: assets.apply_asset_reviewed,
        e.AssetAliased: assets.apply_asset_aliased,
        e.AssessmentRecorded: assessments.apply_assessment_recorded,
        e.AssessmentWithdrawn: assessments.apply_assessment_withdrawn,
        e.RegistrationSubmitted: registrations.apply_registration_submitted,
        e.RegistrationSupplementRequested: registrations.apply_registration_supplement_requested,
        e.RegistrationSupplemented: registrations.apply_registration_supplemented,
        e.RegistrationAccepted: registrations.apply_registration_accepted,
        e.RegistrationExamined: registrations.apply_registration_examined,
        e.RegistrationNoticePublished: registrations.apply_registration_notice_published,
        e.RegistrationNoticeWaived: registrations.apply_registration_notice_waived,
        e.RegistrationObjected: registrations.apply_registration_objected,
        e.RegistrationObjectionDismissed: registrations.apply_registration_objection_dismissed,
        e.RegistrationDeposited: registrations.apply_registration_deposited,
        e.RegistrationRefused: registrations.apply_registration_refused,
        e.RegistrationWithdrawn: registrations.apply_registration_withdrawn,
        e.RightGranted: rights.apply_right_granted,
        e.RightRevoked: rights.apply_right_revoked,
        e.CertificateIssued: certificates.apply_certificate_issued,
        e.CertificateFlagged: certificates.apply_certificate_flagged,
        e.CertificateUnflagged: certificates.apply_certificate_unflagged,
        e.CertificateSuperseded: certificates.apply_certificate_superseded,
        e.CertificateCancelled: certificates.apply_certificate_cancelled,
    }
)

SILENT: frozenset[type[Event]] = frozenset(
    {e.AuthorizationUsed, e.ModuleSet, e.GovernorTransferred}
)
"""Events that change no record: they stand in the events table only."""


def apply(records: Records, event: Event) -> Iterable[Any]:
    """
    Return the record versions that an event of the registry makes; none if it is not the
    registry's.
    """
    answer = APPLIES.get(type(event))
    return () if answer is None else answer(records, event)
