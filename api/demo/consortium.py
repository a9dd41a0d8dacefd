"""
The consortium of the demonstration: admission, roles, rule profile, calendar, agreement and money.

It is not the life of a product (`api.demo.life`). Every act has a business key, so a second run
finds it done.
"""

from dataclasses import fields

from api.demo.cast import CAST, GOVERNOR, Organisation
from api.demo.stage import NOBODY, Stage
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
    for organisation in CAST:
        _admit(stage, organisation)
        stage.step(organisation.name_zh)
    for organisation in CAST:
        _grant_roles(stage, organisation)
    stage.step("roles")
    _load_rules(stage, profile)
    stage.step("rules")
    _agree(stage)
    stage.step("agreement")
    for buyer in ("buyer-one", "buyer-two"):
        _fund(stage, buyer)
    stage.step("deposits")


def _admit(stage: Stage, organisation: Organisation) -> None:
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

    def admission() -> ParticipantsAdmit:
        evidence = {"format": "identity-check/1", "uscc": organisation.uscc, "result": "PASS"}
        return ParticipantsAdmit(
            participant_id=stage.participant(slug),
            valid_until=0,
            evidence_digest=stage.document(evidence),
            digest_alg=DigestAlg.SHA256,
        )

    stage.act(f"participant/{slug}/apply", by=slug, make=application)
    stage.act(f"participant/{slug}/admit", by=organisation.home or GOVERNOR.slug, make=admission)
    if organisation.issues:
        region, digit = organisation.issues
        stage.act(
            f"participant/{slug}/issuer-code",
            by=GOVERNOR.slug,
            make=lambda: ParticipantsAssignIssuerCode(
                participant_id=stage.participant(slug), region=region, digit=digit
            ),
        )
    for role, venue in organisation.roles:
        if venue == slug:
            _grant(stage, organisation, role, venue, by=GOVERNOR.slug)


def _grant_roles(stage: Stage, organisation: Organisation) -> None:
    for role, venue in organisation.roles:
        if venue != organisation.slug:
            _grant(stage, organisation, role, venue, by=venue or GOVERNOR.slug)


def _grant(stage: Stage, organisation: Organisation, role: Role, venue: str, *, by: str) -> None:
    stage.act(
        f"participant/{organisation.slug}/role/{role.name}/{venue or 'everywhere'}",
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
    stage.act(
        f"profile/{name}/publish",
        by=GOVERNOR.slug,
        make=lambda: ProfilesPublish(
            **{one.name: getattr(profile, one.name) for one in fields(profile)}
        ),
    )
    this_year = stage.recall("calendar/first-year", lambda: year_of(stage.now()))
    for year in (this_year, this_year + 1):
        _load_year(stage, year)


def _load_year(stage: Stage, year: int) -> None:
    stage.act(
        f"calendar/{year}/load",
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


def _fund(stage: Stage, slug: str) -> None:
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

    stage.act(f"funds/{slug}/deposit-1", by="bank", make=deposit)
