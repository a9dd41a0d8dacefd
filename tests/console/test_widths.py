"""On a phone: nothing scrolls sideways, and words keep their letters together."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from .conftest import Served
from .test_pages import a_certificate

PHONE = {"width": 390, "height": 800}
PATHS = ("/", "/catalogue", "/catalogue?kind=PRODUCT", "/api", "/verify", "/nosuchpage")
WIDER = "() => document.documentElement.scrollWidth - window.innerWidth"
# Tables that are wider than what holds them, or words cut off at their edges.
OVERFLOWING = """() => [...document.querySelectorAll('main table, main td, main th, .label')]
  .filter(one => one.scrollWidth > one.clientWidth + 1
    || one.getBoundingClientRect().right > window.innerWidth)
  .filter(one => !one.closest('.picture')).map(one => one.outerHTML.slice(0, 80))"""
# A word is broken where one line does not hold it: cells of a short word are one line high.
LINES = """one => { const range = document.createRange(); range.selectNodeContents(one);
  return new Set([...range.getClientRects()].map(rect => Math.round(rect.top))).size }"""


@pytest.fixture(params=["zh", "en"])
def phone(browser: Browser, served: Served, request: pytest.FixtureRequest) -> Iterator[Page]:
    context = browser.new_context(base_url=served.url, locale=request.param, viewport=PHONE)
    yield context.new_page()
    context.close()


class TestPhone:
    @pytest.mark.parametrize("path", PATHS)
    def test_scrolls_no_page_sideways(self, phone: Page, path: str) -> None:
        phone.goto(path)

        assert phone.evaluate(WIDER) <= 0
        assert phone.evaluate(OVERFLOWING) == []

    def test_scrolls_no_page_of_an_asset_or_listing_sideways(self, phone: Page) -> None:
        phone.goto("/catalogue?kind=PRODUCT")
        phone.locator("#catalogue a").first.click()
        expect(phone.locator("#lineage")).to_be_visible()
        assert phone.evaluate(WIDER) <= 0
        assert phone.evaluate(OVERFLOWING) == []

        phone.locator("#lineage a").last.click()

        expect(phone.locator("#listing")).to_be_visible()
        assert phone.evaluate(WIDER) <= 0
        assert phone.evaluate(OVERFLOWING) == []

    def test_keeps_the_words_of_a_verdict_whole(self, phone: Page, served: Served) -> None:
        phone.goto("/verify")
        phone.set_input_files("input[type=file]", a_certificate(served))

        statuses = phone.locator("#fragments td.VALID")

        expect(statuses).to_have_count(8)
        assert {one.evaluate(LINES) for one in statuses.all()} == {1}
        assert phone.evaluate(WIDER) <= 0
        assert phone.evaluate(OVERFLOWING) == []

    def test_keeps_kinds_and_numbers_whole(self, phone: Page) -> None:
        phone.goto("/catalogue")
        assert {one.evaluate(LINES) for one in phone.locator("#catalogue td + td").all()} == {1}

        phone.goto("/")
        assert {one.evaluate(LINES) for one in phone.locator("#events td").all()} == {1}

    def test_leads_by_two_rows_at_most(self, phone: Page) -> None:
        phone.goto("/")
        boxes = [one.bounding_box() for one in phone.locator("header nav a").all()]

        assert len({box["y"] for box in boxes if box is not None}) == 1
        header = phone.locator("header").bounding_box()
        assert header is not None
        assert header["height"] < 100

    def test_draws_no_arrows_between_cards_below_each_other(self, phone: Page) -> None:
        phone.goto("/")
        content = "one => getComputedStyle(one, '::before').content"

        drawn = {one.evaluate(content) for one in phone.locator(".links li").all()}

        assert drawn == {"none"}


class TestLineage:
    def test_keeps_titles_inside_their_boxes(self, page: Page) -> None:
        """Chinese letters are twice as wide as others: the browser measures, we do not count."""
        page.goto("/catalogue?kind=PRODUCT")
        page.locator("#catalogue a").first.click()

        boxes = [one.bounding_box() for one in page.locator("#lineage rect").all()]
        titles = [one.bounding_box() for one in page.locator("#lineage .label strong").all()]

        assert len(boxes) == len(titles) == 5
        for box, title in zip(boxes, titles, strict=True):
            assert box is not None
            assert title is not None
            assert title["x"] >= box["x"]
            assert title["x"] + title["width"] <= box["x"] + box["width"]
            assert title["y"] + title["height"] <= box["y"] + box["height"]
