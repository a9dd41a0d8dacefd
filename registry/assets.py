"""
Data resources, data elements and data products: their versions, parents, revenue tables and
security reviews.

It is not the graph walk (`registry.lineage`) and not the content, which the chain names by digest
only.
"""

from dataclasses import dataclass, field, replace
from typing import ClassVar

from chain import events as e
from chain.abi import hash_values
from chain.codes import AssetKind, Category, DigestAlg, Grade, Relation, ReviewKind, Verdict
from chain.records import INDEXED, Projected, Records, View, walked
from chain.structs import Parent, Payee
from chain.values import AssetId, Bytes32, ParticipantId, RightId
from registry.lineage import number_of


@dataclass(frozen=True, slots=True)
class Asset:
    """
    One declared version of an asset; parents and revenue table stand in the event, their hash on
    chain.
    """

    KEY: ClassVar = ("asset_id", "version")
    VIEW: ClassVar = View(
        "Assets",
        "assetOf",
        ("asset_id", "version"),
        covers={"links_hash": lambda r: links_hash_of(r.parents, r.revenue_table)},
    )

    asset_id: AssetId = field(metadata=INDEXED)
    version: int
    kind: AssetKind = field(metadata=INDEXED)
    category: Category
    grade: Grade
    digest_alg: DigestAlg
    sequence: int = field(metadata=walked("version", "asset_id"))
    registrant: ParticipantId = field(metadata=INDEXED)
    content_digest: Bytes32 = field(metadata=INDEXED)
    metadata_digest: Bytes32
    model_digest: Bytes32
    parents: tuple[Parent, ...]
    revenue_table: tuple[Payee, ...]
    links_hash: Bytes32
    declared_at: int


@dataclass(frozen=True, slots=True)
class AssetLink:
    """
    One link to a parent, apart so that it is found from both ends; the links hash covers it.

    Both ends are numbers (`registry.lineage.number_of`), because walks pass thousands of them.
    """

    KEY: ClassVar = ("child", "parent")
    VIEW: ClassVar = None

    child: int = field(metadata=walked("parent", "relation"))
    parent: int = field(metadata=walked("child", "relation"))
    relation: Relation
    consent_right_id: RightId


@dataclass(frozen=True, slots=True)
class AssetHead:
    """
    Which versions of an asset exist: the latest declared, and the highest registered (0 before).
    """

    KEY: ClassVar = ("asset_id",)
    VIEW: ClassVar = View("Assets", "latestVersionOf", ("asset_id",))

    asset_id: AssetId
    version: int
    registered_version: int


@dataclass(frozen=True, slots=True)
class AssetReview:
    """One of the three security reviews of a version (E-03); the latest of its kind counts."""

    KEY: ClassVar = ("asset_id", "version", "kind")
    VIEW: ClassVar = View("Assets", "reviewOf", ("asset_id", "version", "kind"))

    asset_id: AssetId = field(metadata=INDEXED)
    version: int
    kind: ReviewKind
    verdict: Verdict
    expires_at: int
    report_digest: Bytes32


@dataclass(frozen=True, slots=True)
class AssetAlias:
    """An external id of an asset (domain 7), unique per scheme."""

    KEY: ClassVar = ("scheme", "value")
    VIEW: ClassVar = View("Assets", "aliasOf", ("scheme", "value"))

    scheme: Bytes32
    value: str
    asset_id: AssetId = field(metadata=INDEXED)


def links_hash_of(parents: tuple[Parent, ...], revenue_table: tuple[Payee, ...]) -> Bytes32:
    """Return the hash of both lists exactly as Assets stores it."""
    shapes = (f"{Parent.ABI}[]", f"{Payee.ABI}[]")
    return hash_values(shapes, [list(parents), list(revenue_table)])


def is_security_passed(reviews: tuple[AssetReview, ...], *, now: int) -> bool:
    """Return S(X): whether O, M and R all passed and none has expired (E-03, domain 4.4)."""
    passed = {
        review.kind
        for review in reviews
        if review.verdict is Verdict.PASS and (review.expires_at == 0 or now < review.expires_at)
    }
    return passed == {ReviewKind.SOURCE, ReviewKind.MODEL, ReviewKind.ELEMENT}


def apply_asset_declared(records: Records, event: e.AssetDeclared) -> Projected:
    """Make the version, and the asset's head if it is the first."""
    parents, table = tuple(event.parents), tuple(event.revenue_table)
    yield Asset(
        asset_id=event.asset_id,
        version=event.version,
        kind=event.kind,
        category=event.category,
        grade=event.grade,
        digest_alg=event.digest_alg,
        sequence=event.sequence,
        registrant=event.registrant,
        content_digest=event.content_digest,
        metadata_digest=event.metadata_digest,
        model_digest=event.model_digest,
        parents=parents,
        revenue_table=table,
        links_hash=links_hash_of(parents, table),
        declared_at=event.meta.timestamp,
    )
    for parent in parents:
        found = records.require(Asset, parent.asset_id, parent.version)
        yield AssetLink(
            child=number_of(sequence=event.sequence, version=event.version),
            parent=number_of(sequence=found.sequence, version=found.version),
            relation=parent.relation,
            consent_right_id=parent.consent_right_id,
        )
    head = records.get(AssetHead, event.asset_id)
    registered = head.registered_version if head else 0
    yield AssetHead(asset_id=event.asset_id, version=event.version, registered_version=registered)


def apply_asset_registered(records: Records, event: e.AssetRegistered) -> Projected:
    """Mark the version registered."""
    yield replace(records.require(AssetHead, event.asset_id), registered_version=event.version)


def apply_asset_reviewed(records: Records, event: e.AssetReviewed) -> Projected:
    """Record the latest review of its kind."""
    yield AssetReview(
        asset_id=event.asset_id,
        version=event.version,
        kind=event.kind,
        verdict=event.verdict,
        expires_at=event.expires_at,
        report_digest=event.report_digest,
    )


def apply_asset_aliased(records: Records, event: e.AssetAliased) -> Projected:
    """Record an external id."""
    yield AssetAlias(scheme=event.scheme, value=event.value, asset_id=event.asset_id)
