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

    def test_refuses_any_other_file(self, page: Page, tmp_path: Path) -> None:
        other = tmp_path / "other.json"
        other.write_text("{}")
        page.goto("/verify")

        page.set_input_files("input[type=file]", other)

        expect(page.locator("#verdict")).to_have_attribute("data-verdict", "INVALID")


def a_certificate(served: Served) -> Path:
    return sorted((served.exports / "certificates").glob("*.json"))[0]
