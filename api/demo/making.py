"""
What the assets are made of: resources from a package's files, an element computed from them, and a
product on the element.

It is not their registration (`api.demo.registering`).
"""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import partial

from api.demo.registering import Draft, Registered, consents
from api.demo.stage import NOTHING, Stage, Step
from api.packages.element_value import ValueTerms, value_element
from api.packages.elements import Element, build_element
from api.packages.packages import DataPackage, PackageResource
from api.packages.quality import combine, measure, report_document
from api.packages.table_source import source_of_resource
from chain.acts import AssessmentsRecord, AssetsDeclare, AssetsReview
from chain.codes import (
    AssessmentKind,
    AssetKind,
    Category,
    DigestAlg,
    Grade,
    Relation,
    ReviewKind,
    SourceKind,
    Verdict,
)
from chain.events import AssessmentRecorded
from chain.structs import Parent, Payee
from chain.values import AssessmentId, Bytes32, salt_of, word_of
from registry.assets import links_hash_of
from registry.valuation import to_document
from settlement.revenue import Upstream, flatten_revenue

SUPPLIER, DEVELOPER, VENDOR = "supplier", "developer", "vendor"
# What upstream gets of the revenue, by agreement of the demonstration's parties (J-04).
SUPPLIER_SHARE_BPS, DEVELOPER_SHARE_BPS = 3_000, 5_000
PARENTS_MAX = 16
NAME_CHARACTERS_MAX = 40
SCORE_ONE = 10**18
REVIEWERS = {
    ReviewKind.SOURCE: "reviewer-source",
    ReviewKind.MODEL: "reviewer-model",
    ReviewKind.ELEMENT: "reviewer-element",
}


def resource_draft(stage: Stage, package: DataPackage, resource: PackageResource) -> Draft:
    """Return a resource to register: its file, its metadata, the whole share its owner's."""
    form = {
        "data_name": resource.metadata["name"],
        "package": package.name,
        "resource": resource.name,
        "size_bytes": str(resource.size_bytes),
        "rows": None if resource.rows is None else str(resource.rows),
        "fingerprint": resource.fingerprint,
        "content_sha256": resource.content_sha256,
    }

    def declaration() -> AssetsDeclare:
        stage.content_chunks(resource.open_chunks(), resource.content_sha256)
        return AssetsDeclare(
            kind=AssetKind.RESOURCE,
            category=Category.ENTERPRISE,
            grade=Grade.GENERAL,
            content_digest=resource.content_sha256,
            metadata_digest=stage.document(dict(resource.metadata)),
            model_digest=Bytes32(NOTHING),
            digest_alg=DigestAlg.SHA256,
            parents=(),
            revenue_table=(Payee(participant_id=stage.participant(SUPPLIER), share_bps=10_000),),
            parent_tables=(),
            parent_links=(),
        )

    return Draft(
        key=f"resource/{resource.content_sha256}",
        owner=SUPPLIER,
        kind=AssetKind.RESOURCE,
        title=resource.title or resource.name,
        source_kind=SourceKind.COLLECTED,
        declare=declaration,
        form=form,
    )


def tables_of(package: DataPackage) -> tuple[PackageResource, ...]:
    """Return the resources that an element can be computed from, as many as may be parents."""
    seen: dict[str, PackageResource] = {}
    for resource in package.resources:
        if resource.table is not None:
            seen.setdefault(resource.content_sha256, resource)
    return tuple(seen.values())[:PARENTS_MAX]


def compute_element(package: DataPackage) -> Element:
    """Aggregate and de-identify the package's tables: X = f(d1, …, dn) (E-01)."""
    return build_element([source_of_resource(one) for one in tables_of(package)])


def element_draft(
    stage: Stage, package: DataPackage, element: Element, sources: Sequence[Registered]
) -> Draft:
    """Return the element to register, with its owner's right to process every source."""
    name = named(package, "数据元件")
    form = {
        "data_name": name,
        "package": package.name,
        "formula": "X = f(d1, ..., dn)",
        "content_sha256": element.content_sha256,
        "rows": str(element.rows),
        "sources": [source.asset_id for source in sources],
    }

    def declaration() -> AssetsDeclare:
        stage.content(element.content)
        parents, table = links(stage, DEVELOPER, sources, SUPPLIER_SHARE_BPS)
        metadata = {**form, "format": "element-metadata/1", "name": name}
        return AssetsDeclare(
            kind=AssetKind.ELEMENT,
            category=Category.ENTERPRISE,
            grade=Grade.GENERAL,
            content_digest=element.content_sha256,
            metadata_digest=stage.document(metadata),
            model_digest=stage.document(dict(element.model)),
            digest_alg=DigestAlg.SHA256,
            parents=parents,
            revenue_table=table,
            parent_tables=tuple(source.revenue_table for source in sources),
            parent_links=tuple(source.parents for source in sources),
        )

    return Draft(
        key=f"element/{package.descriptor_sha256}/{element.content_sha256}",
        owner=DEVELOPER,
        kind=AssetKind.ELEMENT,
        title=name,
        source_kind=SourceKind.DERIVED,
        declare=declaration,
        form=form,
    )


def links(
    stage: Stage, owner: str, sources: Sequence[Registered], share_bps: int
) -> tuple[tuple[Parent, ...], tuple[Payee, ...]]:
    """Return the parents with the consents to use them, and the flattened revenue table."""
    each_bps = share_bps // len(sources)
    granted = consents(stage, sources, grantee=owner, share_bps=each_bps)
    parents = tuple(
        Parent(
            asset_id=source.asset_id,
            version=source.version,
            relation=Relation.DERIVED_FROM,
            consent_right_id=given.right_id,
        )
        for source, given in zip(sources, granted, strict=True)
    )
    table = flatten_revenue(
        parents=[
            Upstream(table=source.revenue_table, share_bps=given.terms.share_bps)
            for source, given in zip(sources, granted, strict=True)
        ],
        registrant=stage.participant(owner),
    )
    return parents, table


def review_element(stage: Stage, element: Registered, model_digest: Bytes32) -> None:
    """Let the three reviewers sign O, M and R (E-03)."""
    reviewed = {
        ReviewKind.SOURCE: links_hash_of(element.parents, element.revenue_table),
        ReviewKind.MODEL: model_digest,
        ReviewKind.ELEMENT: element.content_digest,
    }

    def review(kind: ReviewKind) -> AssetsReview:
        report = {
            "format": "security-review/1",
            "asset_id": element.asset_id,
            "kind": kind.name,
            "verdict": "PASS",
        }
        return AssetsReview(
            asset_id=element.asset_id,
            version=element.version,
            kind=kind,
            verdict=Verdict.PASS,
            reviewed_digest=reviewed[kind],
            report_digest=stage.document(report),
            digest_alg=DigestAlg.SHA256,
            expires_at=0,
        )

    stage.act_together(
        [
            Step(key=f"{element.key}/review/{kind.name}", by=reviewer, make=partial(review, kind))
            for kind, reviewer in REVIEWERS.items()
        ]
    )


def assess_element(
    stage: Stage, package: DataPackage, element: Element, registered: Registered
) -> AssessmentId:
    """Let the assessor record the information value I(X) with all its inputs (E-05)."""
    key = f"{registered.key}/assess/value"

    def report() -> AssessmentsRecord:
        today = day_of(stage.now())
        reports = [
            measure(one.metadata, source_of_resource(one), as_of=today)
            for one in tables_of(package)
        ]
        quality = combine(reports)
        valuation = value_element(
            element,
            quality,
            ValueTerms(volume_scale_c=Decimal(500), field_cost_fen=100_00, model_cost_fen=2_000_00),
        )
        document = {
            "format": "value-assessment/1",
            "asset_id": registered.asset_id,
            "quality": report_document(quality, as_of=today),
            "valuation": to_document(valuation),
        }
        return AssessmentsRecord(
            asset_id=registered.asset_id,
            asset_version=registered.version,
            kind=AssessmentKind.VALUE,
            verdict=Verdict.PASS,
            score=int(valuation.information_value * SCORE_ONE),
            formula_id=word_of("I=V*Q*D/1"),
            report_digest=stage.document(document),
            digest_alg=DigestAlg.SHA256,
            expires_at=0,
            salt=salt_of(key),
        )

    return stage.act(key, by="assessor", make=report).one(AssessmentRecorded).assessment_id


def product_draft(
    stage: Stage, package: DataPackage, element: Element, source: Registered
) -> Draft:
    """Return the product to register: a data sheet, the element's file inside, one parent."""
    name = named(package, "数据产品")
    sheet = {
        "format": "product-sheet/1",
        "data_name": name,
        "object_kind": "PRODUCT",
        "element_id": source.asset_id,
        "element_sha256": element.content_sha256,
        "delivery": "DOWNLOAD",
        "update": "ON_DEMAND",
    }
    form = {"data_name": name, "package": package.name, "element": source.asset_id}

    def declaration() -> AssetsDeclare:
        parents, table = links(stage, VENDOR, (source,), DEVELOPER_SHARE_BPS)
        return AssetsDeclare(
            kind=AssetKind.PRODUCT,
            category=Category.ENTERPRISE,
            grade=Grade.GENERAL,
            content_digest=stage.document(sheet),
            metadata_digest=stage.document({**form, "format": "product-metadata/1", "name": name}),
            model_digest=Bytes32(NOTHING),
            digest_alg=DigestAlg.SHA256,
            parents=parents,
            revenue_table=table,
            parent_tables=(source.revenue_table,),
            parent_links=(source.parents,),
        )

    return Draft(
        key=f"product/{package.descriptor_sha256}/{element.content_sha256}",
        owner=VENDOR,
        kind=AssetKind.PRODUCT,
        title=name,
        source_kind=SourceKind.DERIVED,
        declare=declaration,
        form=form,
    )


def named(package: DataPackage, kind: str) -> str:
    """Return what is made of a package, in the 40 characters that the form allows (domain 6.2)."""
    room = NAME_CHARACTERS_MAX - len(kind) - 3
    return f"{package.title[:room].rstrip()} · {kind}"


def day_of(time: int) -> date:
    """Return the UTC day of a moment in seconds since 1970."""
    return datetime.fromtimestamp(time, UTC).date()
