"""
What assets, registrations, rights, reviews and certificates do on the measured chain.

Who they are done by is `bench.ledger.party_acts`', the market is `bench.ledger.market_acts`'.
"""

from collections.abc import Generator
from typing import Final

from api.demo.registering import ALL_RIGHTS, USE
from api.demo.stage import NOTHING, Acted
from bench.ledger.cast import Held, World
from bench.ledger.makers import Deed, Moment, Steps, joins
from chain.acts import (
    AssessmentsRecord,
    AssessmentsWithdraw,
    AssetsDeclare,
    AssetsReview,
    AssetsSetAlias,
    CertificatesFlag,
    CertificatesUnflag,
    RegistrationsAccept,
    RegistrationsDeposit,
    RegistrationsDismissObjection,
    RegistrationsExamine,
    RegistrationsObject,
    RegistrationsRefuse,
    RegistrationsRequestSupplement,
    RegistrationsSubmit,
    RegistrationsSupplement,
    RegistrationsWithdraw,
    RightsGrant,
    RightsRevoke,
)
from chain.codes import (
    ActType,
    AssessmentKind,
    AssetKind,
    AuthorityClass,
    Category,
    CertificateFlag,
    DigestAlg,
    Grade,
    ProcessingRole,
    Relation,
    ReviewKind,
    RightBasis,
    RightRestriction,
    SourceKind,
    Verdict,
)
from chain.events import (
    AssessmentRecorded,
    AssetDeclared,
    CertificateIssued,
    RegistrationNoticePublished,
    RegistrationSubmitted,
    RightGranted,
)
from chain.structs import CertificateFields, Parent, Payee, RightTerms
from chain.values import Bytes32, CertificateId, ParticipantId, RegistrationId, word_of
from registry.assets import links_hash_of
from settlement.revenue import Upstream, flatten_revenue

REGISTRAR: Final = "registrar"
REVIEWERS: Final = {
    ReviewKind.SOURCE: "reviewer-source",
    ReviewKind.MODEL: "reviewer-model",
    ReviewKind.ELEMENT: "reviewer-element",
}
SHA256: Final = DigestAlg.SHA256
SCORE_ONE: Final = 10**18
UPSTREAM_BPS: Final = 3_000


@joins("resources", weight=12, when=lambda world: len(world.sellers) >= 4)
def resources(world: World) -> Steps:
    """Declare a resource, wholly its owner's; some get an external id."""
    owner = world.one(world.sellers)
    payees = (Payee(participant_id=world.participant(owner), share_bps=10_000),)
    declared = yield Deed(act=declaration(world, AssetKind.RESOURCE, (), payees, ()), by=owner)
    yield from _alias(world, owner, declared)


@joins("elements", weight=8, when=lambda world: len(world.resources) >= 4)
def elements(world: World) -> Steps:
    """Declare an element on one to four resources, whose owners consent first."""
    sources = _some(world, world.resources, 4)
    yield from _derived(world, AssetKind.ELEMENT, sources)


@joins("products", weight=8, when=lambda world: len(world.elements) >= 2)
def products(world: World) -> Steps:
    """Declare a product on one or two elements that passed review."""
    sources = _some(world, world.elements, 2)
    yield from _derived(world, AssetKind.PRODUCT, sources)


@joins("registrations", weight=30, when=lambda world: bool(world.declared))
def registrations(world: World) -> Steps:
    """Carry a declared asset through registration; some have defects, objections, or fail."""
    owner, asset = world.taken(world.declared)
    submitted = yield _submission(world, owner, asset)
    application = submitted.one(RegistrationSubmitted)
    found = application.registration_id
    if world.chance(3):
        yield Deed(act=RegistrationsWithdraw(registration_id=found), by=owner)
        return
    if world.chance(10):
        cause = world.cause(AuthorityClass.ISSUER)
        defects = RegistrationsRequestSupplement(registration_id=found, cause=cause)
        yield Deed(act=defects, by=REGISTRAR)
        yield Deed(
            act=RegistrationsSupplement(
                registration_id=found, document_digest=world.digest(), digest_alg=SHA256
            ),
            by=owner,
        )
    yield Deed(act=RegistrationsAccept(registration_id=found), by=REGISTRAR)
    if world.chance(3):
        cause = world.cause(AuthorityClass.ISSUER)
        yield Deed(act=RegistrationsRefuse(registration_id=found, cause=cause), by=REGISTRAR)
        return
    examined = yield Deed(act=_examination(world, found), by=REGISTRAR)
    if world.chance(8):
        yield from _objection(world, found)
    yield examined.one(RegistrationNoticePublished).state_until
    deposited = yield Deed(act=_deposit(world, application), by=REGISTRAR)
    _keep(world, owner, asset, deposited)


@joins("reviews", weight=20, when=lambda world: bool(world.unreviewed))
def reviews(world: World) -> Steps:
    """Let the three reviewers sign O, M and R of an element."""
    held: Held = world.taken(world.unreviewed)
    asset = held.asset
    reviewed = {
        ReviewKind.SOURCE: links_hash_of(tuple(asset.parents), tuple(asset.revenue_table)),
        ReviewKind.MODEL: asset.model_digest,
        ReviewKind.ELEMENT: asset.content_digest,
    }
    for kind, reviewer in REVIEWERS.items():
        review = AssetsReview(
            asset_id=asset.asset_id,
            version=asset.version,
            kind=kind,
            verdict=Verdict.PASS,
            reviewed_digest=reviewed[kind],
            report_digest=world.digest(),
            digest_alg=SHA256,
            expires_at=0,
        )
        yield Deed(act=review, by=reviewer)
    world.elements.append(held)


@joins("assessments", weight=5, when=lambda world: bool(world.elements))
def assessments(world: World) -> Steps:
    """Record an assessment of an element; some are withdrawn."""
    held: Held = world.one(world.elements)
    record = AssessmentsRecord(
        asset_id=held.asset.asset_id,
        asset_version=held.asset.version,
        kind=AssessmentKind.VALUE,
        verdict=Verdict.PASS,
        score=world.random.randrange(SCORE_ONE),
        formula_id=word_of("I=V*Q*D/1"),
        report_digest=world.digest(),
        digest_alg=SHA256,
        expires_at=0,
        salt=world.digest(),
    )
    recorded = yield Deed(act=record, by="assessor")
    if world.chance(10):
        found = recorded.one(AssessmentRecorded).assessment_id
        cause = world.cause(AuthorityClass.PARTY)
        yield Deed(act=AssessmentsWithdraw(assessment_id=found, cause=cause), by="assessor")


@joins("rights", weight=6, when=lambda world: bool(world.resources and world.buyers))
def rights(world: World) -> Steps:
    """Grant a right on a resource to a buyer; some are revoked later."""
    held: Held = world.one(world.resources)
    granted = yield from consent(world, held, world.one(world.buyers), 0)
    if world.chance(20):
        yield world.now + 86_400
        cause = world.cause(AuthorityClass.PARTY)
        yield Deed(act=RightsRevoke(right_id=granted.right_id, cause=cause), by=held.owner)


@joins("certificates", weight=3, when=lambda world: len(world.resources) > 20)
def certificates(world: World) -> Steps:
    """Flag a resource's certificate, and lift the flag; meanwhile nobody builds on the resource."""
    held: Held = world.taken(world.resources)
    issued = held.certificate
    fields = CertificateFields(
        certificate_id=issued.certificate_id,
        kind=issued.kind,
        subject_noun=issued.subject_noun,
        subject_id=issued.subject_id,
        subject_version=issued.subject_version,
        code=issued.code,
        issuer=issued.issuer,
        holder=issued.holder,
        document_digest=issued.document_digest,
        digest_alg=issued.digest_alg,
        issued_at=issued.issued_at,
        valid_until=issued.valid_until,
    )
    cause = world.cause(AuthorityClass.ISSUER)
    flag = CertificateFlag.NOTE
    yield Deed(act=CertificatesFlag(fields=fields, flag=flag, cause=cause), by=REGISTRAR)
    yield Deed(act=CertificatesUnflag(fields=fields, flag=flag, cause=cause), by=REGISTRAR)
    world.resources.append(held)


# --- parts ----------------------------------------------------------------------------------------


def declaration(
    world: World,
    kind: AssetKind,
    parents: tuple[Parent, ...],
    table: tuple[Payee, ...],
    sources: tuple[Held, ...],
) -> AssetsDeclare:
    """Return the declaration of an asset that nobody declared before."""
    return AssetsDeclare(
        kind=kind,
        category=Category.ENTERPRISE,
        grade=Grade.GENERAL,
        content_digest=world.digest(),
        metadata_digest=world.digest(),
        model_digest=world.digest() if kind is AssetKind.ELEMENT else Bytes32(NOTHING),
        digest_alg=SHA256,
        parents=parents,
        revenue_table=table,
        parent_tables=tuple(tuple(one.asset.revenue_table) for one in sources),
        parent_links=tuple(tuple(one.asset.parents) for one in sources),
    )


def _derived(world: World, kind: AssetKind, sources: tuple[Held, ...]) -> Steps:
    owners = {one.owner for one in sources}
    owner = world.one([one for one in world.sellers if one not in owners])
    share_bps = UPSTREAM_BPS // len(sources)
    consents = []
    for source in sources:
        granted = yield from consent(world, source, owner, share_bps)
        consents.append(granted)
    parents = tuple(
        Parent(
            asset_id=source.asset.asset_id,
            version=source.asset.version,
            relation=Relation.DERIVED_FROM,
            consent_right_id=granted.right_id,
        )
        for source, granted in zip(sources, consents, strict=True)
    )
    upstream = [
        Upstream(table=tuple(one.asset.revenue_table), share_bps=share_bps) for one in sources
    ]
    table = flatten_revenue(parents=upstream, registrant=world.participant(owner))
    declared = yield Deed(act=declaration(world, kind, parents, table, sources), by=owner)
    yield from _alias(world, owner, declared)


def _alias(world: World, owner: str, declared: Acted) -> Steps:
    asset = declared.one(AssetDeclared)
    if world.chance(5):
        value = f"10.5072/{world.number('aliases')}"
        scheme = word_of("DOI")
        act = AssetsSetAlias(asset_id=asset.asset_id, scheme=scheme, value=value)
        yield Deed(act=act, by=owner)
    world.declared.append((owner, asset))


def _some(world: World, pool: list[Held], most: int) -> tuple[Held, ...]:
    count = 1 + world.random.randrange(most)
    return tuple(world.random.sample(pool, min(count, len(pool))))


def _terms(
    world: World, holder: ParticipantId, *, kinds: int, basis: RightBasis, share_bps: int
) -> RightTerms:
    return RightTerms(
        holder=holder,
        kinds=kinds,
        basis=basis,
        evidence_digest=world.digest(),
        scope_digest=world.digest(),
        digest_alg=SHA256,
        purposes=0,
        region=0,
        valid_from=0,
        valid_until=0,
        exclusive=False,
        may_sub_grant=kinds == ALL_RIGHTS,
        restriction=RightRestriction.NONE,
        share_bps=share_bps,
    )


def consent(
    world: World, held: Held, grantee: str, share_bps: int
) -> Generator[Deed | Moment, Acted, RightGranted]:
    """Let an owner grant the right to use its asset, and return the grant."""
    terms = _terms(
        world,
        world.participant(grantee),
        kinds=USE,
        basis=RightBasis.CONTRACT,
        share_bps=share_bps,
    )
    act = RightsGrant(parent_right_id=held.right_id, terms=terms, salt=world.digest())
    granted = yield Deed(act=act, by=held.owner)
    return granted.one(RightGranted)


def _submission(world: World, owner: str, asset: AssetDeclared) -> Deed:
    is_derived = bool(asset.parents)
    root = _terms(
        world,
        world.participant(owner),
        kinds=ALL_RIGHTS,
        basis=RightBasis.LAW,
        share_bps=0,
    )
    act = RegistrationsSubmit(
        asset_id=asset.asset_id,
        asset_version=asset.version,
        act_type=ActType.INITIAL,
        profile_id=world.profile_id,
        registrar=world.participant(REGISTRAR),
        prior_certificate_id=CertificateId(NOTHING),
        source_kind=SourceKind.DERIVED if is_derived else SourceKind.COLLECTED,
        processing_role=ProcessingRole.OWN,
        document_digest=world.digest(),
        digest_alg=SHA256,
        rights=(root,),
        salt=world.digest(),
    )
    # An applicant without a node signs, and the registrar's server sends.
    return Deed(act=act, by=owner, is_relayed=world.chance(50))


def _examination(world: World, found: RegistrationId) -> RegistrationsExamine:
    reviewer = world.address(REGISTRAR)
    return RegistrationsExamine(
        registration_id=found,
        description_verdict=Verdict.PASS,
        source_verdict=Verdict.PASS,
        rights_verdict=Verdict.PASS,
        description_reviewer=reviewer,
        source_reviewer=reviewer,
        rights_reviewer=reviewer,
        report_digest=world.digest(),
        digest_alg=SHA256,
        publish_notice=True,
    )


def _objection(world: World, found: RegistrationId) -> Steps:
    objector = world.one(world.buyers)
    cause = world.cause(AuthorityClass.PARTY)
    yield Deed(act=RegistrationsObject(registration_id=found, cause=cause), by=objector)
    dismissal = RegistrationsDismissObjection(
        registration_id=found, objection_index=1, cause=world.cause(AuthorityClass.ISSUER)
    )
    yield Deed(act=dismissal, by=REGISTRAR)


def _deposit(world: World, application: RegistrationSubmitted) -> RegistrationsDeposit:
    return RegistrationsDeposit(
        registration_id=application.registration_id,
        rights=tuple(application.rights),
        document_digest=world.digest(),
        digest_alg=SHA256,
        valid_until=0,
    )


def _keep(world: World, owner: str, asset: AssetDeclared, deposited: Acted) -> None:
    held = Held(
        owner=owner,
        asset=asset,
        certificate=deposited.one(CertificateIssued),
        right_id=deposited.one(RightGranted).right_id,
    )
    pools = {
        AssetKind.RESOURCE: world.resources,
        AssetKind.ELEMENT: world.unreviewed,
        AssetKind.PRODUCT: world.products,
    }
    pools[asset.kind].append(held)
