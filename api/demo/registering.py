"""
Registration of assets: declared, applied for, accepted, examined, noticed, deposited, certified.

It is not what an asset is made of (`api.demo.making`). Assets that go together share one public
notice, so the clock moves once.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from api.demo.stage import NOTHING, Acted, E, Stage, Step
from chain.acts import (
    AssetsDeclare,
    RegistrationsAccept,
    RegistrationsDeposit,
    RegistrationsExamine,
    RegistrationsSubmit,
    RightsGrant,
)
from chain.codes import (
    ActType,
    AssetKind,
    DigestAlg,
    ProcessingRole,
    RightBasis,
    RightRestriction,
    SourceKind,
    Verdict,
)
from chain.events import (
    AssetDeclared,
    CertificateIssued,
    RegistrationNoticePublished,
    RegistrationSubmitted,
    RightGranted,
)
from chain.structs import Parent, Payee, RightTerms
from chain.values import (
    AssetId,
    Bytes32,
    CertificateId,
    ProfileId,
    RightId,
    salt_of,
)

REGISTRAR = "registrar"
HOLD, USE, OPERATE = 1, 2, 4
ALL_RIGHTS = HOLD | USE | OPERATE


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """An asset to be registered; `declare` makes the act, with all that is random or timed."""

    key: str
    owner: str
    kind: AssetKind
    title: str
    source_kind: SourceKind
    declare: Callable[[], AssetsDeclare]
    form: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Registered:
    """An asset that is registered, with all that its descendants must bring along."""

    key: str
    owner: str
    title: str
    asset_id: AssetId
    version: int
    content_digest: Bytes32
    parents: tuple[Parent, ...]
    revenue_table: tuple[Payee, ...]
    certificate_id: CertificateId
    right_id: RightId


def declare(stage: Stage, draft: Draft) -> AssetDeclared:
    """Declare the asset; nothing is registered yet."""
    (declared,) = _each(stage, AssetDeclared, [_declaration(draft)])
    return declared


def _declaration(draft: Draft) -> Step:
    return Step(key=f"{draft.key}/declare", by=draft.owner, make=draft.declare)


def register(
    stage: Stage, drafts: Sequence[Draft], profile_id: ProfileId
) -> tuple[Registered, ...]:
    """Carry the drafts through registration together, under one public notice."""
    declared = _each(stage, AssetDeclared, [_declaration(one) for one in drafts])
    submitted = _each(
        stage,
        RegistrationSubmitted,
        [
            _application(stage, draft, asset, profile_id)
            for draft, asset in zip(drafts, declared, strict=True)
        ],
    )
    pairs = list(zip(drafts, submitted, strict=True))
    stage.act_together([_acceptance(draft, application) for draft, application in pairs])
    notices = _each(
        stage,
        RegistrationNoticePublished,
        [_examination(stage, draft, application) for draft, application in pairs],
    )
    stage.wait_until(max(notice.state_until for notice in notices))
    deposited = stage.act_together(
        [
            _deposit(stage, draft, asset, application)
            for draft, asset, application in zip(drafts, declared, submitted, strict=True)
        ]
    )
    registered = [
        _registered(draft, asset, acted)
        for draft, asset, acted in zip(drafts, declared, deposited, strict=True)
    ]
    for one in registered:
        stage.step(one.title)
    return tuple(registered)


def _each(stage: Stage, kind: type[E], steps: Sequence[Step]) -> list[E]:
    return [acted.one(kind) for acted in stage.act_together(steps)]


def root_terms(stage: Stage, draft: Draft) -> RightTerms:
    """Return the rights applied for: all three, on the applicant's own data, to be granted on."""
    scope = {"format": "right-scope/1", "asset": draft.title, "data": "ALL", "region": "CN"}
    return RightTerms(
        holder=stage.participant(draft.owner),
        kinds=ALL_RIGHTS,
        basis=RightBasis.LAW,
        evidence_digest=stage.document({**draft.form, "format": "lawful-source-proof/1"}),
        scope_digest=stage.document(scope),
        digest_alg=DigestAlg.SHA256,
        purposes=0,
        region=0,
        valid_from=0,
        valid_until=0,
        exclusive=False,
        may_sub_grant=True,
        restriction=RightRestriction.NONE,
        share_bps=0,
    )


def _application(stage: Stage, draft: Draft, asset: AssetDeclared, profile_id: ProfileId) -> Step:
    key = f"{draft.key}/register"

    def application() -> RegistrationsSubmit:
        return RegistrationsSubmit(
            asset_id=asset.asset_id,
            asset_version=asset.version,
            act_type=ActType.INITIAL,
            profile_id=profile_id,
            registrar=stage.participant(REGISTRAR),
            prior_certificate_id=CertificateId(NOTHING),
            source_kind=draft.source_kind,
            processing_role=ProcessingRole.OWN,
            document_digest=stage.document({**draft.form, "format": "registration-form/1"}),
            digest_alg=DigestAlg.SHA256,
            rights=(root_terms(stage, draft),),
            salt=salt_of(key),
        )

    # The applicant has no node of its own: it signs, and the relayer sends.
    return Step(key=key, by=draft.owner, make=application, is_relayed=True)


def _acceptance(draft: Draft, application: RegistrationSubmitted) -> Step:
    return Step(
        key=f"{draft.key}/accept",
        by=REGISTRAR,
        make=lambda: RegistrationsAccept(registration_id=application.registration_id),
    )


def _examination(stage: Stage, draft: Draft, application: RegistrationSubmitted) -> Step:
    registration_id = application.registration_id
    reviewer = stage.address(REGISTRAR)

    def examination() -> RegistrationsExamine:
        report = {
            "format": "examination-report/1",
            "registration_id": registration_id,
            "checks": {"description": "PASS", "source": "PASS", "rights": "PASS"},
        }
        return RegistrationsExamine(
            registration_id=registration_id,
            description_verdict=Verdict.PASS,
            source_verdict=Verdict.PASS,
            rights_verdict=Verdict.PASS,
            description_reviewer=reviewer,
            source_reviewer=reviewer,
            rights_reviewer=reviewer,
            report_digest=stage.document(report),
            digest_alg=DigestAlg.SHA256,
            publish_notice=True,
        )

    return Step(key=f"{draft.key}/examine", by=REGISTRAR, make=examination)


def _deposit(
    stage: Stage, draft: Draft, asset: AssetDeclared, application: RegistrationSubmitted
) -> Step:
    def deposit() -> RegistrationsDeposit:
        document = {
            **draft.form,
            "format": "registration-certificate/1",
            "asset_id": asset.asset_id,
            "asset_version": str(asset.version),
            "content_sha256": asset.content_digest,
            "holder": stage.profile(draft.owner),
            "registrar": stage.profile(REGISTRAR),
        }
        return RegistrationsDeposit(
            registration_id=application.registration_id,
            rights=application.rights,
            document_digest=stage.document(document),
            digest_alg=DigestAlg.SHA256,
            valid_until=0,
        )

    return Step(key=f"{draft.key}/deposit", by=REGISTRAR, make=deposit)


def _registered(draft: Draft, asset: AssetDeclared, deposited: Acted) -> Registered:
    return Registered(
        key=draft.key,
        owner=draft.owner,
        title=draft.title,
        asset_id=asset.asset_id,
        version=asset.version,
        content_digest=asset.content_digest,
        parents=tuple(asset.parents),
        revenue_table=tuple(asset.revenue_table),
        certificate_id=deposited.one(CertificateIssued).certificate_id,
        right_id=deposited.one(RightGranted).right_id,
    )


def consents(
    stage: Stage, assets: Sequence[Registered], *, grantee: str, share_bps: int
) -> list[RightGranted]:
    """Let the owners of assets grant the right to process each, for a share of what comes of it."""
    steps = [_consent(stage, one, grantee=grantee, share_bps=share_bps) for one in assets]
    return _each(stage, RightGranted, steps)


def _consent(stage: Stage, asset: Registered, *, grantee: str, share_bps: int) -> Step:
    key = f"{asset.key}/consent/{grantee}"

    def grant() -> RightsGrant:
        licence = {
            "format": "processing-licence/1",
            "asset_id": asset.asset_id,
            "licensee": stage.profile(grantee),
            "share_bps": share_bps,
        }
        digest = stage.document(licence)
        terms = RightTerms(
            holder=stage.participant(grantee),
            kinds=USE,
            basis=RightBasis.CONTRACT,
            evidence_digest=digest,
            scope_digest=digest,
            digest_alg=DigestAlg.SHA256,
            purposes=0,
            region=0,
            valid_from=0,
            valid_until=0,
            exclusive=False,
            may_sub_grant=False,
            restriction=RightRestriction.NONE,
            share_bps=share_bps,
        )
        return RightsGrant(parent_right_id=asset.right_id, terms=terms, salt=salt_of(key))

    return Step(key=key, by=asset.owner, make=grant)
