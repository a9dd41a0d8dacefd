"""
The consortium of the demonstration: admission, roles, rule profile, calendar, agreement and money.

It is not the life of a product (`api.demo.life`). Every act has a business key, so a second run
finds it done.
"""

from collections.abc import Sequence
from dataclasses import fields

from api.demo.cast import CAST, GOVERNOR, Organisation
from api.demo.stage import NOBODY, Stage, Step
from chain.acts import (
    AgreementsPropose,
    AgreementsSign,
    FundsAttestDeposit,
    ParticipantsAdmit,
    ParticipantsApplyForAdmission,
    ParticipantsAssignIssuerCode,
    ParticipantsGrantRole,
    ProfilesLoadCalendarYear,
    ProfilesPublish,
)
from chain.codes import DigestAlg, ParticipantType, Role
from chain.events import AgreementProposed
from chain.structs import Profile
from chain.values import Bytes32, HexBytes, salt_of, text_of, uscc_digest
from registry.agreements import Scope
from registry.calendars import weekday_bits, year_of

CURRENCY = HexBytes("0x" + b"CNY".hex())
BUYER_FUNDS_FEN = 5_000_000_00
AGREEMENT_SCOPES = Scope.VENDOR | Scope.REGISTRATION_CERTIFICATE | Scope.LISTING
CHECKPOINT_MAX_AGE_SECONDS = 7 * 86_400


def found_consortium(stage: Stage, profile: Profile) -> None:
    """Bring the whole consortium into being, or find that it is there already."""
    stage.begin("consortium", len(CAST) + 4)
    # Whom the governor admits comes first: the others are admitted by exchanges.
    _admit(stage, [one for one in CAST if not one.home])
    _admit(stage, [one for one in CAST if one.home])
    stage.act_together(
        [
            _grant(stage, organisation, role, venue, by=venue or GOVERNOR.slug)
            for organisation in CAST
            for role, venue in organisation.roles
            if venue != organisation.slug
        ]
    )
    stage.step("roles")
    _load_rules(stage, profile)
    stage.step("rules")
    _agree(stage)
    stage.step("agreement")
    stage.act_together([_fund(stage, buyer) for buyer in ("buyer-one", "buyer-two")])
    stage.step("deposits")


def _admit(stage: Stage, organisations: Sequence[Organisation]) -> None:
    stage.act_together([_application(stage, one) for one in organisations])
    stage.act_together([_admission(stage, one) for one in organisations])
    stage.act_together(
        [
            *(_issuer_code(stage, one) for one in organisations if one.issues),
            *(
                _grant(stage, one, role, venue, by=GOVERNOR.slug)
                for one in organisations
                for role, venue in one.roles
                if venue == one.slug
            ),
        ]
    )
    for one in organisations:
        stage.step(one.name_zh)


def _application(stage: Stage, organisation: Organisation) -> Step:
    slug = organisation.slug
    home = stage.participant(organisation.home) if organisation.home else NOBODY

    def application() -> ParticipantsApplyForAdmission:
        document = {
            "format": "participant-profile/1",
            "legal_name": organisation.name_zh,
            "legal_name_en": organisation.name_en,
            "participant_type": "LEGAL_PERSON",
            "uscc": organisation.uscc,
        }
        return ParticipantsApplyForAdmission(
            uscc_digest=uscc_digest(organisation.uscc),
            uscc_last4=HexBytes("0x" + organisation.uscc[-4:].encode("ascii").hex()),
            participant_type=ParticipantType.LEGAL_PERSON,
            home_venue=home,
            profile_digest=stage.document(document),
            digest_alg=DigestAlg.SHA256,
            encryption_key=HexBytes(stage.encryption_key(slug)),
        )

    return Step(key=f"participant/{slug}/apply", by=slug, make=application)


def _admission(stage: Stage, organisation: Organisation) -> Step:
    slug = organisation.slug

    def admission() -> ParticipantsAdmit:
        evidence = {"format": "identity-check/1", "uscc": organisation.uscc, "result": "PASS"}
        return ParticipantsAdmit(
            participant_id=stage.participant(slug),
            valid_until=0,
            evidence_digest=stage.document(evidence),
            digest_alg=DigestAlg.SHA256,
        )

    by = organisation.home or GOVERNOR.slug
    return Step(key=f"participant/{slug}/admit", by=by, make=admission)


def _issuer_code(stage: Stage, organisation: Organisation) -> Step:
    assert organisation.issues is not None, organisation.slug
    region, digit = organisation.issues
    return Step(
        key=f"participant/{organisation.slug}/issuer-code",
        by=GOVERNOR.slug,
        make=lambda: ParticipantsAssignIssuerCode(
            participant_id=stage.participant(organisation.slug), region=region, digit=digit
        ),
    )


def _grant(stage: Stage, organisation: Organisation, role: Role, venue: str, *, by: str) -> Step:
    return Step(
        key=f"participant/{organisation.slug}/role/{role.name}/{venue or 'everywhere'}",
        by=by,
        make=lambda: ParticipantsGrantRole(
            participant_id=stage.participant(organisation.slug),
            role=role,
            venue=stage.participant(venue) if venue else NOBODY,
            valid_until=0,
        ),
    )


def _load_rules(stage: Stage, profile: Profile) -> None:
    name = text_of(profile.name)
    publishing = Step(
        key=f"profile/{name}/publish",
        by=GOVERNOR.slug,
        make=lambda: ProfilesPublish(
            **{one.name: getattr(profile, one.name) for one in fields(profile)}
        ),
    )
    this_year = stage.recall("calendar/first-year", lambda: year_of(stage.now()))
    stage.act_together(
        [publishing, _load_year(this_year), _load_year(this_year + 1)],
    )


def _load_year(year: int) -> Step:
    return Step(
        key=f"calendar/{year}/load",
        by=GOVERNOR.slug,
        make=lambda: ProfilesLoadCalendarYear(year=year, working_days=weekday_bits(year)),
    )


def _agree(stage: Stage) -> None:
    key = "agreement/a-b"

    def proposal() -> AgreementsPropose:
        document = {
            "format": "mutual-recognition-agreement/1",
            "members": [stage.participant("exchange-a"), stage.participant("exchange-b")],
            "scopes": [scope.name for scope in AGREEMENT_SCOPES],
        }
        members = sorted((stage.participant("exchange-a"), stage.participant("exchange-b")))
        return AgreementsPropose(
            members=tuple(members),
            scopes=int(AGREEMENT_SCOPES),
            max_age_seconds=CHECKPOINT_MAX_AGE_SECONDS,
            document_digest=stage.document(document),
            digest_alg=DigestAlg.SHA256,
            valid_until=0,
            salt=salt_of(key),
        )

    proposed = stage.act(key, by="exchange-a", make=proposal).one(AgreementProposed)
    stage.act(
        f"{key}/sign",
        by="exchange-b",
        make=lambda: AgreementsSign(agreement_id=proposed.agreement_id),
    )
    stage.agreement_id = proposed.agreement_id


def _fund(stage: Stage, slug: str) -> Step:
    """Let the bank attest a buyer's deposit, as its camt.054 entry would report it (domain 6.7)."""

    def deposit() -> FundsAttestDeposit:
        entry = {
            "format": "bank-entry/1",
            "NtryRef": f"DEMO-{slug}-1",
            "CdtDbtInd": "CRDT",
            "Amt": {"Ccy": "CNY", "fen": str(BUYER_FUNDS_FEN)},
        }
        return FundsAttestDeposit(
            participant_id=stage.participant(slug),
            amount_fen=BUYER_FUNDS_FEN,
            currency=CURRENCY,
            bank_reference_digest=Bytes32(stage.document(entry)),
            digest_alg=DigestAlg.SHA256,
            value_date=stage.value_date(),
        )

    return Step(key=f"funds/{slug}/deposit-1", by="bank", make=deposit)
