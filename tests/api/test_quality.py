"""Quality: each of the six scores moves with what it is defined by, and with nothing else."""

import json
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from api.packages.packages import PackageResource, read_package
from api.packages.quality import (
    DIMENSIONS,
    QUALITY_WEIGHTS,
    QualityReport,
    combine,
    measure,
    report_document,
)
from api.packages.table_source import source_of_resource
from api.samples import PORT_THROUGHPUT
from chain.documents import canonical
from registry.formulas import quality_coeff

TODAY = date(2026, 1, 15)
SCHEMA = {
    "fields": [
        {"name": "年月", "type": "yearmonth"},
        {"name": "港口", "type": "string", "constraints": {"enum": ["东", "西"]}},
        {"name": "吨", "type": "number", "constraints": {"minimum": 0}},
    ]
}
GOOD = "年月,港口,吨\n2025-11,东,1\n2025-12,西,2\n2025-12,东,3\n2025-12,东,4\n"


def resource_of(folder: Path, content: str, *, path: str = "a.csv", **keys: Any) -> PackageResource:
    """Write a package of one well-described resource and read it."""
    resource = {"name": "one", "path": path, "schema": SCHEMA, "update": "按月", **keys}
    package = {"resources": [resource], "licenses": [{"name": "CC0"}], "description": "吞吐量"}
    (folder / path).write_text(content, encoding="utf-8")
    (folder / "datapackage.json").write_text(json.dumps(package), encoding="utf-8")
    return read_package(folder).resources[0]


def scores_of(resource: PackageResource, as_of: date = TODAY) -> dict[str, Decimal]:
    """Score a resource and name the scores."""
    source = source_of_resource(resource) if resource.table else None
    report = measure(resource.metadata, source, as_of=as_of)
    return dict(zip(DIMENSIONS, report.scores, strict=True))


class TestMeasure:
    def test_gives_full_marks_to_good_data(self, tmp_path: Path) -> None:
        """E-12: a standard quality assessment."""
        scores = scores_of(resource_of(tmp_path, GOOD))

        assert scores == dict.fromkeys(DIMENSIONS, Decimal(1))

    @pytest.mark.parametrize(
        ("content", "dimension", "score"),
        [
            (GOOD.replace(",4\n", ",four\n"), "normativity", "0.916667"),
            (GOOD.replace(",4\n", ",4,extra\n"), "normativity", "0.750000"),
            (GOOD.replace(",4\n", ",\n"), "completeness", "0.916667"),
            (GOOD.replace("东,4\n", "东\n"), "completeness", "0.916667"),
            (GOOD.replace(",4\n", ",-4\n"), "accuracy", "0.916667"),
            (GOOD.replace("东,4", "南,4"), "accuracy", "0.916667"),
            (GOOD.replace("东,4", "东\ufffd,4"), "accuracy", "0.916667"),
            (GOOD.replace("2025-11", "2026-11"), "accuracy", "0.916667"),
            (GOOD.replace(",4\n", ",3\n"), "consistency", "0.750000"),
        ],
    )
    def test_lowers_the_score_that_a_flaw_is_about(
        self, tmp_path: Path, content: str, dimension: str, score: str
    ) -> None:
        scores = scores_of(resource_of(tmp_path, content))

        assert str(scores[dimension]) == score

    @pytest.mark.parametrize(
        ("as_of", "score"),
        [
            (date(2025, 12, 31), "1.000000"),
            (date(2026, 1, 31), "1.000000"),
            (date(2026, 4, 3), "0.500000"),
            (date(2027, 1, 1), "0.000000"),
        ],
    )
    def test_ages_data_by_its_period_of_update(
        self, tmp_path: Path, as_of: date, score: str
    ) -> None:
        scores = scores_of(resource_of(tmp_path, GOOD), as_of)

        assert str(scores["timeliness"]) == score

    def test_takes_the_stated_day_of_change_where_no_column_tells_time(
        self, tmp_path: Path
    ) -> None:
        content = "港口,吨\n东,1\n"

        told = resource_of(tmp_path, content, schema={}, modified="2026-01-01")

        assert scores_of(told)["timeliness"] == 1

    def test_marks_what_it_cannot_measure(self, tmp_path: Path) -> None:
        resource = resource_of(tmp_path, "words", path="a.txt", schema={})

        report = measure(resource.metadata, None, as_of=TODAY)

        assert report.unmeasured == DIMENSIONS[:5]
        assert set(report.scores[:5]) == {Decimal("0.5")}

    def test_gives_nothing_to_a_table_without_rows(self, tmp_path: Path) -> None:
        scores = scores_of(resource_of(tmp_path, "年月,港口,吨\n"))

        for name in ("normativity", "completeness", "accuracy", "consistency"):
            assert scores[name] == 0

    def test_lowers_accessibility_for_every_thing_left_unsaid(self, tmp_path: Path) -> None:
        (tmp_path / "a.csv").write_bytes("港\n东\n".encode("gb18030"))
        package = {"resources": [{"name": "one", "path": "a.csv", "dialect": {"header": False}}]}
        (tmp_path / "datapackage.json").write_text(json.dumps(package), encoding="utf-8")

        scores = scores_of(read_package(tmp_path).resources[0])

        assert str(scores["accessibility"]) == "0.166667"

    def test_scores_the_sample_for_the_quality_formula(self) -> None:
        """E-05: the scores are the Z of Q(Z)."""
        reports = [
            measure(item.metadata, source_of_resource(item), as_of=TODAY)
            for item in read_package(PORT_THROUGHPUT).resources
        ]

        combined = combine(reports)

        coefficient = quality_coeff(scores=combined.scores, weights=QUALITY_WEIGHTS)
        assert Decimal("0.5") < coefficient <= 1
        assert canonical(report_document(combined, as_of=TODAY))


class TestCombine:
    def test_weighs_each_report_by_its_cells(self) -> None:
        good = QualityReport(
            scores=(Decimal(1),) * 6, unmeasured=(), counts={"rows": 1, "cells": 30}, weight=30
        )
        poor = QualityReport(
            scores=(Decimal(0),) * 6,
            unmeasured=("timeliness",),
            counts={"rows": 2, "cells": 10},
            weight=10,
        )

        combined = combine([good, poor])

        assert combined.scores == (Decimal("0.75"),) * 6
        assert combined.unmeasured == ("timeliness",)
        assert combined.counts == {"rows": 3, "cells": 40}

    def test_weighs_reports_without_cells_alike(self) -> None:
        reports = [
            QualityReport(scores=(Decimal(score),) * 6, unmeasured=(), counts={}, weight=0)
            for score in (0, 1)
        ]

        assert combine(reports).scores == (Decimal("0.5"),) * 6
