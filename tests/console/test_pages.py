"""The console in a real browser: what people see after one life of the shipped sample."""

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from .conftest import Served


class TestOverview:
    @pytest.mark.parametrize(
        ("link", "count"),
        [
            ("registration", "4"),
            ("listing", "1"),
            ("trade", "2"),
            ("delivery", "2"),
            ("settlement", "2"),
            ("certificate", "10"),
        ],
    )
    def test_counts_the_six_links(self, page: Page, link: str, count: str) -> None:
        """A-01: six links are recorded, and shown."""
        page.goto("/")

        expect(page.locator(f"#link-{link} .count")).to_have_text(count)

    def test_speaks_chinese_and_english(self, page: Page) -> None:
        page.goto("/")
        expect(page.locator("h1")).to_have_text("各数据交易所共用的账本")

        page.get_by_role("link", name="English").click()

        expect(page.locator("h1")).to_have_text("The ledger that data exchanges share")
        page.get_by_role("link", name="Catalogue").click()
        expect(page.locator("h1")).to_have_text("Catalogue")

    def test_tells_events_of_one_kind_and_block_once(self, page: Page) -> None:
        page.goto("/")

        told = page.locator("#events td code").all_inner_texts()

        assert "FundsPosted × 6" in told
        assert told.count("FundsPosted × 6") == 1
        assert len(told) == 12

    def test_says_as_of_which_block(self, page: Page) -> None:
        page.goto("/")

        assert int(page.locator("#as-of").inner_text()) > 0


class TestCatalogue:
    def test_lists_every_asset(self, page: Page) -> None:
        page.goto("/catalogue")

        expect(page.locator("#catalogue tbody tr")).to_have_count(4)

    def test_finds_by_a_chinese_word(self, page: Page) -> None:
        page.goto("/catalogue")

        page.get_by_role("searchbox").fill("吞吐量")
        page.get_by_role("button").click()

        assert page.locator("#catalogue tbody tr").count() >= 1

    @pytest.mark.parametrize(
        ("search", "count"),
        [("智品", 1), ("zhipin", 1), ("海通数据", 2), ("智品 数据产品有限公司", 1), ("0x", 0)],
    )
    def test_finds_by_registrant(self, page: Page, search: str, count: int) -> None:
        page.goto(f"/catalogue?search={search}")

        expect(page.locator("#catalogue tbody tr")).to_have_count(count)

    def test_finds_by_id_and_by_its_beginning(self, page: Page) -> None:
        page.goto("/catalogue?kind=PRODUCT")
        href = page.locator("#catalogue a").first.get_attribute("href")
        assert href is not None
        asset_id = href.rsplit("/", 1)[-1]

        for search in (asset_id, asset_id[:10], asset_id[:11], asset_id.upper(), asset_id[2:12]):
            page.goto(f"/catalogue?search={search}")
            expect(page.locator("#catalogue a")).to_have_attribute("href", href)

    def test_marks_the_kind_that_is_shown(self, page: Page) -> None:
        page.goto("/catalogue?kind=ELEMENT")
        expect(page.locator("a.tag[aria-current]")).to_have_text("数据元件")

        page.goto("/catalogue")
        expect(page.locator("a.tag[aria-current]")).to_have_text("全部")

    def test_says_what_to_do_when_nothing_is_found(self, page: Page) -> None:
        page.goto("/catalogue?search=zzzzzz")

        expect(page.locator("main")).to_contain_text("没有找到")


class TestAsset:
    def test_draws_the_lineage_from_both_sources_to_the_listing(self, page: Page) -> None:
        """L-02: resource → element → product, drawn both ways."""
        page.goto("/catalogue?kind=PRODUCT")
        page.locator("#catalogue a").first.click()

        expect(page.locator("#lineage .node")).to_have_count(5)
        expect(page.locator("#lineage .here")).to_contain_text("数据产品")
        page.locator("#lineage a").first.click()
        expect(page.locator("#lineage .here")).to_contain_text("数据资源")

    def test_shows_no_trade_to_strangers(self, page: Page) -> None:
        """S-04: what a company buys is shown to nobody but those concerned."""
        page.goto("/catalogue?kind=PRODUCT")
        page.locator("#catalogue a").first.click()

        assert "BOUGHT_BY" not in page.content()
        assert "钱塘智造" not in page.content()

    def test_names_category_and_grade(self, page: Page) -> None:
        page.goto("/catalogue?kind=PRODUCT")
        page.locator("#catalogue a").first.click()

        expect(page.locator("main")).to_contain_text("企业数据")
        expect(page.locator("main")).to_contain_text("一般数据")
        assert "ENTERPRISE" not in page.content()

    def test_leads_to_a_page_of_the_listing(self, page: Page) -> None:
        page.goto("/catalogue?kind=PRODUCT")
        page.locator("#catalogue a").first.click()

        page.locator("#lineage a").last.click()

        expect(page.locator("#listing")).to_contain_text("智品数据产品有限公司")
        expect(page.locator("#listing")).to_contain_text("下载")
        expect(page.locator("#listing")).to_contain_text("¥")
        assert "钱塘智造" not in page.content()

    def test_says_so_when_there_is_no_such_asset(self, page: Page) -> None:
        answer = page.goto("/assets/0x" + "ab" * 32)

        assert answer is not None
        assert answer.status == 404
        expect(page.locator("main")).to_contain_text("账本里没有这个编号")


class TestVerify:
    def test_accepts_a_dropped_certificate(self, page: Page, served: Served) -> None:
        """K-03: verified in one step, from the file alone."""
        page.goto("/verify")

        page.set_input_files("input[type=file]", a_certificate(served))

        expect(page.locator("#verdict")).to_have_attribute("data-verdict", "VALID")
        expect(page.locator("#fragments tr")).to_have_count(8)

    def test_says_what_is_valid_in_the_reader_s_language(self, page: Page, served: Served) -> None:
        page.goto("/verify")
        file = a_certificate(served)

        page.set_input_files("input[type=file]", file)

        expect(page.locator("#claim")).to_contain_text(file.stem)
        expect(page.locator("#claim")).to_contain_text("交付凭证")
        expect(page.locator("#claim")).to_contain_text("钱塘智造股份有限公司")
        expect(page.locator("main")).to_contain_text("所证事项")
        said = page.locator("#fragments td.whole").all_inner_texts()
        assert len(said) == 8
        assert not any(text.isascii() for text in said)

    def test_refuses_a_changed_certificate(
        self, page: Page, served: Served, tmp_path: Path
    ) -> None:
        forged = tmp_path / "forged.json"
        genuine = a_certificate(served).read_bytes()
        forged.write_bytes(genuine.replace(b'"name":"', b'"name":"X', 1))
        assert forged.read_bytes() != genuine
        page.goto("/verify")

        page.set_input_files("input[type=file]", forged)

        expect(page.locator("#verdict")).to_have_attribute("data-verdict", "INVALID")
        expect(page.locator("main")).to_contain_text("文件自称所证事项")

    def test_refuses_any_other_file(self, page: Page, tmp_path: Path) -> None:
        other = tmp_path / "other.json"
        other.write_text("{}")
        page.goto("/verify")

        page.set_input_files("input[type=file]", other)

        expect(page.locator("#verdict")).to_have_attribute("data-verdict", "INVALID")
        expect(page.locator("#claim")).to_have_count(0)


def a_certificate(served: Served) -> Path:
    return sorted((served.exports / "certificates").glob("*.json"))[0]
