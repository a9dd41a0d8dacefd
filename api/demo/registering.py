"""
Registration of assets: declared, applied for, accepted, examined, noticed, deposited, certified.

It is not what an asset is made of (`api.demo.making`). Assets that go together share one public
notice, so the clock moves once.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from api.demo.stage import NOTHING, Stage
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
    return stage.act(f"{draft.key}/declare", by=draft.owner, make=draft.declare).one(AssetDeclared)


def register(
    stage: Stage, drafts: Sequence[Draft], profile_id: ProfileId
) -> tuple[Registered, ...]:
    """Carry the drafts through registration together, under one public notice."""
    declared = [declare(stage, draft) for draft in drafts]
    submitted = [
        _submit(stage, draft, asset, profile_id)
        for draft, asset in zip(drafts, declared, strict=True)
    ]
    notices = [
        _examine(stage, draft, application)
        for draft, application in zip(drafts, submitted, strict=True)
    ]
    stage.wait_until(max(notice.state_until for notice in notices))
    return tuple(
        _deposit(stage, draft, asset, application)
        for draft, asset, application in zip(drafts, declared, submitted, strict=True)
    )


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


def _submit(
    stage: Stage, draft: Draft, asset: AssetDeclared, profile_id: ProfileId
) -> RegistrationSubmitted:
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
    sent = stage.act(key, by=draft.owner, make=application, is_relayed=True)
    return sent.one(RegistrationSubmitted)


def _examine(
    stage: Stage, draft: Draft, application: RegistrationSubmitted
) -> RegistrationNoticePublished:
    registration_id = application.registration_id
    stage.act(
        f"{draft.key}/accept",
        by=REGISTRAR,
        make=lambda: RegistrationsAccept(registration_id=registration_id),
    )
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

    sent = stage.act(f"{draft.key}/examine", by=REGISTRAR, make=examination)
    return sent.one(RegistrationNoticePublished)


def _deposit(
    stage: Stage, draft: Draft, asset: AssetDeclared, application: RegistrationSubmitted
) -> Registered:
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

    sent = stage.act(f"{draft.key}/deposit", by=REGISTRAR, make=deposit)
    stage.step(draft.title)
    return Registered(
        key=draft.key,
        owner=draft.owner,
        title=draft.title,
        asset_id=asset.asset_id,
        version=asset.version,
        content_digest=asset.content_digest,
        parents=tuple(asset.parents),
        revenue_table=tuple(asset.revenue_table),
        certificate_id=sent.one(CertificateIssued).certificate_id,
        right_id=sent.one(RightGranted).right_id,
    )


def consent(stage: Stage, asset: Registered, *, grantee: str, share_bps: int) -> RightGranted:
    """Let an asset's owner grant the right to process it, for a share of what comes of it."""
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

    return stage.act(key, by=asset.owner, make=grant).one(RightGranted)
