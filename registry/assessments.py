"""
Reports by admitted assessors on one version of an asset.

It is not the formulas: those are `registry.valuation`; the report document holds all their inputs.
"""

from dataclasses import dataclass, field, replace
from typing import ClassVar

from chain import events as e
from chain.codes import AssessmentKind, DigestAlg, Verdict
from chain.records import INDEXED, WIDE, Projected, Records, View
from chain.values import AssessmentId, AssetId, Bytes32, ParticipantId


@dataclass(frozen=True, slots=True)
class Assessment:
    """A report; `score` is an 18-decimal fixed-point number, 0 if none."""

    KEY: ClassVar = ("assessment_id",)
    VIEW: ClassVar = View("Assessments", "assessmentOf", ("assessment_id",))

    assessment_id: AssessmentId
    asset_id: AssetId = field(metadata=INDEXED)
    asset_version: int
    kind: AssessmentKind
    verdict: Verdict
    score: int = field(metadata=WIDE)
    formula_id: Bytes32
    report_digest: Bytes32
    digest_alg: DigestAlg
    assessor: ParticipantId = field(metadata=INDEXED)
    assessed_at: int
    expires_at: int
    withdrawn_at: int


def apply_assessment_recorded(records: Records, event: e.AssessmentRecorded) -> Projected:
    """Record the report."""
    yield Assessment(
        assessment_id=event.assessment_id,
        asset_id=event.asset_id,
        asset_version=event.asset_version,
        kind=event.kind,
        verdict=event.verdict,
        score=event.score,
        formula_id=event.formula_id,
        report_digest=event.report_digest,
        digest_alg=event.digest_alg,
        assessor=event.assessor,
        assessed_at=event.meta.timestamp,
        expires_at=event.expires_at,
        withdrawn_at=0,
    )


def apply_assessment_withdrawn(records: Records, event: e.AssessmentWithdrawn) -> Projected:
    """Withdraw the report."""
    yield replace(records.require(Assessment, event.assessment_id), withdrawn_at=event.withdrawn_at)
