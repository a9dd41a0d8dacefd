"""Elements: real computations on real tables, repeatable, and no way back to a row."""

import csv
import io
import json
import os
import random
from collections.abc import Iterable, Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from statistics import fmean, pstdev
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from api.packages.columns import Use, columns_of, is_contact, is_identifying_name
from api.packages.delimited import Chunks, ContentChanged
from api.packages.element_parameters import (
    ElementModelMalformed,
    ElementParameters,
    ParameterOutOfRange,
    ThresholdTooLow,
)
from api.packages.element_value import ValueTerms, value_element
from api.packages.elements import (
    HEADER,
    Element,
    ElementNotReproduced,
    NothingToCompute,
    build_element,
    rebuild_element,
)
from api.packages.packages import read_package
from api.packages.quality import QualityReport, combine
from api.packages.table_source import TableSource, source_of_metadata, source_of_resource
from api.samples import PORT_THROUGHPUT
from chain.documents import canonical, parse_canonical
from registry.valuation import recompute, to_document

REAL_PACKAGES = Path(__file__).parents[2].parent / "shared" / "data" / "datapackages"
# Reading a package touches the disk, so an example is as slow as the disk.
ON_DISK = settings(
    deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def real_sources(name: str) -> list[TableSource]:
    """Read the tables of a package of real data; where there is none, of the sample."""
    folder = REAL_PACKAGES / name
    if not folder.is_dir():
        assert not os.environ.get("CI"), f"the data package {name} is missing"
        folder = PORT_THROUGHPUT
    return [source_of_resource(item) for item in read_package(folder).resources if item.table]


def table(folder: Path, content: str, *, name: str = "t", **keys: Any) -> TableSource:
    """Write one table as a package and read it back."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.csv").write_text(content, encoding="utf-8")
    resource = {"name": name, "path": f"{name}.csv", **keys}
    descriptor = json.dumps({"name": "p", "resources": [resource]})
    (folder / "datapackage.json").write_text(descriptor, encoding="utf-8")
    return source_of_resource(read_package(folder).resources[0])


def written(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Write rows as CSV text."""
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows([header, *rows])
    return text.getvalue()


def lines_of(element: Element) -> list[dict[str, str]]:
    """Read the element's file."""
    return list(csv.DictReader(io.StringIO(element.content.decode(), newline="")))


def groups_of(element: Element) -> dict[tuple[str, ...], int]:
    """Count the rows of every group of the element's file."""
    return {
        (line["resource"], line["group_1"], line["group_2"]): int(line["row_count"])
        for line in lines_of(element)
        if not line["row_count"].startswith("<")
    }


def assert_safe(element: Element, sources: Sequence[TableSource], k: int) -> None:
    """Check that no small group and no identifier stands in the element's file."""
    lines = lines_of(element)
    assert all(count >= k for count in groups_of(element).values())
    assert all(int(line["value_count"]) >= k for line in lines if line["value_count"])
    words = {line[name] for line in lines for name in ("group_1", "group_2")}
    for source in sources:
        columns = columns_of(source, identifiers=(), categories=())
        places = [item.place for item in columns if item.use is Use.IDENTIFIER]
        for row in source.table.rows():
            values = {row[place].strip() for place in places if place < len(row)} - {""}
            assert not values & words


def staff_rows(count: int) -> list[tuple[object, ...]]:
    """Make rows about people in four departments of falling size."""
    drawn = random.Random(7)
    departments = ["生产"] * 8 + ["销售"] * 5 + ["研发"] * 2 + ["总经办"]
    return [
        (f"员工{n:03d}", f"1380000{n:04d}", departments[n % 16], 2000 + drawn.randrange(9000))
        for n in range(count)
    ]


STAFF = ("姓名", "手机", "部门", "工资")


class TestBuildElement:
    @pytest.mark.parametrize("name", ["gdp", "s-and-p-500-companies-financials"])
    def test_releases_no_small_group_and_no_identifier_of_real_data(self, name: str) -> None:
        """E-01: raw data cannot be recovered from the element."""
        sources = real_sources(name)

        element = build_element(sources)

        assert_safe(element, sources, k=5)
        assert len(groups_of(element)) > 20
        assert element.volume_n == sum(1 for item in sources for _ in item.table.rows())

    def test_computes_what_the_rows_say(self, tmp_path: Path) -> None:
        rows = staff_rows(160)

        element = build_element([table(tmp_path, written(STAFF, rows))])

        by_department = {line["group_1"]: line for line in lines_of(element)}
        assert set(by_department) == {"生产", "销售", "研发", "总经办"}
        for department, line in by_department.items():
            pay = [float(str(row[3])) for row in rows if row[2] == department]
            assert (line["dimension_1"], line["field"]) == ("部门", "工资")
            assert int(line["row_count"]) == int(line["value_count"]) == len(pay)
            assert float(line["sum"]) == pytest.approx(sum(pay), rel=1e-5)
            assert float(line["mean"]) == pytest.approx(fmean(pay), rel=1e-5)
            assert float(line["deviation"]) == pytest.approx(pstdev(pay), rel=1e-5)

    def test_leaves_out_groups_below_the_threshold(self, tmp_path: Path) -> None:
        """E-01: the three in the smallest department stay unseen."""
        source = table(tmp_path, written(STAFF, staff_rows(48)))

        element = build_element([source])

        assert set(groups_of(element)) == {("t", name, "") for name in ("生产", "销售", "研发")}
        assert element.model["sources"][0]["groups_left_out"] == 1
        assert element.model["sources"][0]["rows_left_out"] == 3

    def test_counts_members_rather_than_rows(self, tmp_path: Path) -> None:
        """E-01: twelve months of one person are not twelve persons."""
        rows = [(f"人{n % 3}", "少", n) for n in range(36)]
        rows += [(f"众{n % 20}", "多", n) for n in range(200)]

        element = build_element([table(tmp_path, written(("姓名", "组", "数"), rows))])

        assert set(groups_of(element)) == {("t", "多", "")}

    def test_leaves_out_an_amount_known_of_too_few(self, tmp_path: Path) -> None:
        rows = [("甲", n if n < 4 else "", n) for n in range(20)]
        rows += [("乙", n, n) for n in range(20)]

        element = build_element([table(tmp_path, written(("组", "稀", "密"), rows))])

        released = {(line["group_1"], line["field"]): line["mean"] for line in lines_of(element)}
        assert released[("甲", "稀")] == ""
        assert released[("乙", "稀")] == "9.5"

    def test_leaves_out_an_amount_that_one_row_dominates(self, tmp_path: Path) -> None:
        rows = [("甲", 10**6 if n == 0 else 1 + n % 2) for n in range(20)]
        rows += [("乙", n) for n in range(20)]

        element = build_element([table(tmp_path, written(("组", "额"), rows))])

        assert {line["group_1"]: line["sum"] for line in lines_of(element)} == {
            "甲": "",
            "乙": "190",
        }

    def test_leaves_out_an_amount_that_is_the_same_for_all(self, tmp_path: Path) -> None:
        rows = [("甲", "0.1") for _ in range(20)] + [("乙", n) for n in range(20)]

        element = build_element([table(tmp_path, written(("组", "额"), rows))])

        assert {line["group_1"]: line["mean"] for line in lines_of(element)} == {
            "甲": "",
            "乙": "9.5",
        }

    def test_leaves_out_a_group_named_like_an_identifier(self, tmp_path: Path) -> None:
        rows = [(f"员工{n:02d}", "员工00" if n % 2 else "其他", n) for n in range(60)]
        rows += [("x@example.org", "x@example.org", 1)] * 6

        source = table(tmp_path, written(("姓名", "组", "数"), rows))
        element = build_element([source])

        assert set(groups_of(element)) == {("t", "其他", "")}

    def test_generalises_time_until_most_rows_stand_in_groups(self, tmp_path: Path) -> None:
        rows = [(f"{year}-{1 + n % 12:02d}-03", n) for year in range(2001, 2021) for n in range(6)]

        element = build_element([table(tmp_path, written(("日期", "数"), rows))])

        assert element.model["sources"][0]["dimensions"] == ["日期:year"]
        assert groups_of(element)[("t", "2001", "")] == 6

    def test_groups_by_category_and_time_together(self, tmp_path: Path) -> None:
        rows = [(f"2024-{m:02d}", p, n) for m in range(1, 4) for p in "东西" for n in range(6)]

        element = build_element([table(tmp_path, written(("年月", "港", "数"), rows))])

        assert element.model["sources"][0]["dimensions"] == ["港", "年月:month"]
        assert len(groups_of(element)) == 6

    def test_aggregates_the_whole_table_where_nothing_groups_it(self, tmp_path: Path) -> None:
        rows = [(n, n * n) for n in range(9)]

        element = build_element([table(tmp_path, written(("甲", "乙"), rows))])

        assert groups_of(element) == {("t", "ALL", ""): 9}
        assert {line["field"]: line["sum"] for line in lines_of(element)} == {
            "甲": "36",
            "乙": "204",
        }

    def test_counts_by_category_where_nothing_is_an_amount(self, tmp_path: Path) -> None:
        rows = [(f"人{n}", "是" if n % 3 else "否") for n in range(30)]

        element = build_element([table(tmp_path, written(("姓名", "愿意"), rows))])

        assert groups_of(element) == {("t", "否", ""): 10, ("t", "是", ""): 20}

    @pytest.mark.parametrize("content", ["", "a,b\n", "a,b\n1,x\n2,y\n", "姓名\n甲\n乙\n丙\n丁\n"])
    def test_says_only_fewer_than_k_of_a_tiny_table(self, tmp_path: Path, content: str) -> None:
        element = build_element([table(tmp_path, content)])

        assert element.content.decode().splitlines() == [
            ",".join(HEADER),
            "t,ALL,ALL,,,<5,,,,,",
        ]
        assert element.outcome_weights == (1,)

    def test_obeys_declared_identifiers_and_categories(self, tmp_path: Path) -> None:
        rows = [("甲乙"[n % 2], "东西南"[n % 3], n) for n in range(60)]
        source = table(tmp_path, written(("名称", "班", "数"), rows))
        parameters = ElementParameters(
            declared_identifiers=("班",), declared_categories=("名称",), k=3
        )

        plain, declared = build_element([source]), build_element([source], parameters)

        assert plain.model["sources"][0]["dimensions"] == ["班"]
        assert declared.model["sources"][0]["dimensions"] == ["名称"]
        assert declared.model["sources"][0]["member"] == "班"

    def test_gives_the_same_bytes_in_whatever_order_the_tables_come(self) -> None:
        sources = real_sources("gdp")

        assert build_element(sources) == build_element(sources[::-1])

    def test_does_not_depend_on_encoding_or_delimiter(self, tmp_path: Path) -> None:
        text = written(STAFF, staff_rows(48))
        plain = table(tmp_path / "plain", text)
        (tmp_path / "other").mkdir()
        other = table(tmp_path / "other", text.replace(",", ";"))

        assert build_element([plain]).content == build_element([other]).content

    @ON_DISK
    @given(
        rows=st.lists(
            st.tuples(
                st.sampled_from(["甲", "乙", "丙", ""]),
                st.sampled_from(["2023-01", "2023-02", "2024-01", "x"]),
                st.one_of(
                    st.sampled_from(["", "NaN", "INF", "1e30", "0e30"]),
                    st.integers(-9, 9),
                    st.decimals(-(10**9), 10**9, places=2),
                ),
                st.text("abcé,\"\n'=0", max_size=4),
            ),
            max_size=60,
        ),
        k=st.integers(3, 8),
    )
    def test_is_safe_for_any_table(
        self, tmp_path: Path, rows: list[tuple[object, ...]], k: int
    ) -> None:
        """E-01: whatever the rows are, no small group and no identifier comes out."""
        source = table(tmp_path, written(("组", "年月", "数", "姓名"), rows))
        parameters = ElementParameters(k=k)

        element = build_element([source], parameters)

        assert_safe(element, [source], k)
        assert rebuild_element(element.model, [source]) == element
        assert sum(groups_of(element).values()) <= len(rows)

    def test_refuses_to_compute_from_nothing(self) -> None:
        with pytest.raises(NothingToCompute):
            build_element([])

    def test_refuses_a_source_whose_bytes_are_not_the_registered_ones(self) -> None:
        """L-03: the lineage of an element is true."""
        source = real_sources("gdp")[0]
        stranger: Chunks = lambda: iter([b"a,b\n1,2\n"])  # noqa: E731
        swapped = replace(source, table=replace(source.table, open_chunks=stranger))

        with pytest.raises(ContentChanged):
            build_element([swapped])


class TestElementParameters:
    @pytest.mark.parametrize("k", [-1, 0, 2])
    def test_refuses_a_threshold_that_protects_nobody(self, k: int) -> None:
        with pytest.raises(ThresholdTooLow):
            ElementParameters(k=k)

    @pytest.mark.parametrize(
        "change",
        [{"groups_max": 0}, {"retained_percent": 101}, {"dominance_percent": 0}, {"digits": 13}],
    )
    def test_refuses_what_is_out_of_range(self, change: dict[str, int]) -> None:
        with pytest.raises(ParameterOutOfRange):
            ElementParameters(**change)  # type: ignore[arg-type]


class TestRebuildElement:
    def test_gives_the_same_element_from_registered_documents_alone(self) -> None:
        """E-01: the model document is enough to compute the element again."""
        resources = read_package(PORT_THROUGHPUT).resources
        model = build_element([source_of_resource(item) for item in resources]).model
        contents = {item.content_sha256: b"".join(item.open_chunks()) for item in resources}
        stored: Any = [parse_canonical(canonical(item.metadata)) for item in resources]

        def opener(sha256: str) -> Chunks:
            return lambda: iter([contents[sha256]])  # type: ignore[index]

        sources = [
            source_of_metadata(document, open_chunks=opener(document["content"]["sha256"]))
            for document in stored
        ]
        kept: Any = parse_canonical(canonical(model))

        assert rebuild_element(kept, sources).content_sha256 == model["element"]["sha256"]

    def test_refuses_a_model_that_gives_another_element(self) -> None:
        sources = real_sources("gdp")
        model = json.loads(canonical(build_element(sources).model))
        model["parameters"]["digits"] = 3

        with pytest.raises(ElementNotReproduced) as refusal:
            rebuild_element(model, sources)

        assert refusal.value.recorded_sha256 == model["element"]["sha256"]

    @pytest.mark.parametrize(
        ("path", "content"),
        [
            (("type",), "other"),
            (("code_version",), "k-groups/0"),
            (("parameters",), None),
            (("parameters", "k"), "5"),
            (("parameters", "k"), True),
            (("parameters", "extra"), 1),
            (("parameters", "declared_categories"), 1),
        ],
    )
    def test_refuses_a_document_of_another_shape(
        self, path: tuple[str, ...], content: object
    ) -> None:
        sources = real_sources("gdp")
        model = json.loads(canonical(build_element(sources[:1]).model))
        place = model
        for name in path[:-1]:
            place = place[name]
        place[path[-1]] = content

        with pytest.raises(ElementModelMalformed):
            rebuild_element(model, sources[:1])


class TestModel:
    def test_says_what_was_read_and_what_became_of_every_field(self) -> None:
        """E-04: the review sees the number of fields and their combination."""
        element = build_element(real_sources("gdp"))

        model = element.model
        assert parse_canonical(canonical(model)) == model
        assert model["element"]["sha256"] == element.content_sha256
        for source in model["sources"]:
            names = [item["name"] for item in source["fields"]]
            assert set(source["source_fields"]) <= set(names)
            assert source["sha256"].startswith("0x")


class TestValueElement:
    def test_can_be_recomputed_by_a_third_party(self) -> None:
        """E-05: information value with its inputs recorded; F-04: price from its costs."""
        element = build_element(real_sources("gdp"))
        report = QualityReport(
            scores=(Decimal("0.9"),) * 6, unmeasured=(), counts={}, weight=element.volume_n
        )
        terms = ValueTerms(field_cost_fen=1000, model_cost_fen=50_000)

        valuation = value_element(element, combine([report]), terms)

        assert recompute(to_document(valuation)) == valuation
        assert valuation.information_value > 0
        assert valuation.negotiated_price_fen == 1000 * element.fields_used + 50_000

    def test_finds_no_information_in_an_element_that_tells_nothing(self, tmp_path: Path) -> None:
        element = build_element([table(tmp_path, "a\n1\n")])
        report = QualityReport(scores=(Decimal(1),) * 6, unmeasured=(), counts={}, weight=1)

        assert value_element(element, report).information_value == 0


class TestColumns:
    @pytest.mark.parametrize(
        "name",
        [
            "Name",
            "Country Code",
            "customerId",
            "user_id",
            "E-mail",
            "Symbol",
            "SEC Filings",
            "phoneNumber",
            "birthDate",
            "企业名称",
            "统一社会信用代码",
            "联系电话",
            "身份证号",
            "客户",
        ],
    )
    def test_know_a_name_that_says_who(self, name: str) -> None:
        assert is_identifying_name(name)

    @pytest.mark.parametrize(
        "name",
        ["Year", "Value", "sector", "Market Cap", "港口", "吞吐量", "idle", "coded", "width"],
    )
    def test_know_a_name_that_says_what(self, name: str) -> None:
        assert not is_identifying_name(name)

    @pytest.mark.parametrize(
        "text",
        [
            "a@example.org",
            "https://example.org/x",
            "13800000000",
            "+86 10 1234 5678",
            "010-12345678",
            "11010519491231002X",
            "91000000MA00000XXE",
            "192.168.0.1",
            "123e4567-e89b-12d3-a456-426614174000",
        ],
    )
    def test_know_a_contact(self, text: str) -> None:
        assert is_contact(text)

    @pytest.mark.parametrize("text", ["澜江港", "2024-01-05", "1.5", "3M", "A. O. Smith"])
    def test_know_what_is_no_contact(self, text: str) -> None:
        assert not is_contact(text)

    def test_drop_a_column_of_contacts_whatever_its_name(self, tmp_path: Path) -> None:
        rows = [(f"1380000000{n % 4}", f"u{n % 4}@example.org", "甲乙"[n % 2]) for n in range(40)]
        source = table(tmp_path, written(("甲", "乙", "丙"), rows))

        uses = [item.use for item in columns_of(source, identifiers=(), categories=("甲", "乙"))]

        assert uses == [Use.IDENTIFIER, Use.IDENTIFIER, Use.CATEGORY]

    def test_drop_a_text_column_in_which_nearly_every_row_differs(self, tmp_path: Path) -> None:
        rows = [(f"某{n}", "长" * 80 + str(n % 2), n % 2 == 0) for n in range(40)]
        source = table(tmp_path, written(("甲", "乙", "丙"), rows))

        uses = [item.use for item in columns_of(source, identifiers=(), categories=())]

        assert uses == [Use.IDENTIFIER, Use.UNUSED, Use.CATEGORY]
