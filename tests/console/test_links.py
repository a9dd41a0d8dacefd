"""Every link of the console leads somewhere, in both languages, and keeps what was asked."""

from html.parser import HTMLParser
from urllib.parse import parse_qs, urljoin, urlsplit

import httpx
import pytest
from playwright.sync_api import Page, expect

from .conftest import Served
from .test_pages import a_certificate

HTML = {"accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
PAGES_MAX = 200


class Links(HTMLParser):
    """Gathers where a page leads."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [value for name, value in attrs if tag == "a" and name == "href" and value]


def walk(client: httpx.Client, start: str) -> dict[str, int]:
    """Follow every link from a page on; return the statuses by address."""
    statuses: dict[str, int] = {}
    waiting = [start]
    while waiting and len(statuses) < PAGES_MAX:
        url = waiting.pop()
        if url in statuses:
            continue
        answer = client.get(url)
        statuses[url] = answer.status_code
        if answer.headers["content-type"].startswith("text/html"):
            links = Links()
            links.feed(answer.text)
            waiting += [urljoin(url, one) for one in links.found]
    return statuses


class TestLinks:
    @pytest.mark.parametrize("language", ["zh", "en"])
    def test_all_lead_somewhere(self, served: Served, language: str) -> None:
        with httpx.Client(headers={**HTML, "accept-language": language}) as client:
            statuses = walk(client, f"{served.url}/")

        assert {url: one for url, one in statuses.items() if one != 200} == {}
        paths = {urlsplit(url).path for url in statuses}
        assert {"/", "/catalogue", "/verify", "/api", "/openapi.json"} <= paths
        assert len([one for one in paths if one.startswith("/assets/")]) == 4
        assert len([one for one in paths if one.startswith("/listings/")]) == 1

    def test_of_more_assets_keep_every_letter_of_what_was_asked(
        self, page: Page, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("api.console.pages.ROWS_MAX", 1)
        page.goto("/catalogue?search=%E6%95%B0%E6%8D%AE&kind=a%26b%23c")

        more = page.get_by_role("link", name="更多").get_attribute("href")

        assert more is not None
        asked = parse_qs(urlsplit(more).query)
        assert (asked["search"], asked["kind"]) == (["数据"], ["a&b#c"])
        page.get_by_role("link", name="更多").click()
        expect(page.locator("#catalogue tbody tr")).to_have_count(1)


class TestLanguage:
    def test_changes_nothing_but_the_language(self, page: Page) -> None:
        page.goto("/catalogue?kind=PRODUCT&search=%E5%90%9E%E5%90%90%20%26%23")

        page.get_by_role("link", name="English").click()

        assert parse_qs(urlsplit(page.url).query) == {
            "kind": ["PRODUCT"],
            "search": ["吞吐 &#"],
            "lang": ["en"],
        }
        expect(page.get_by_role("searchbox")).to_have_value("吞吐 &#")
        expect(page.locator("[aria-current]")).to_have_text("Data product")

    def test_changes_under_a_verdict(self, page: Page, served: Served) -> None:
        """What was judged stays judged: the page holds the file for its other language."""
        page.goto("/verify")
        file = a_certificate(served)
        page.set_input_files("input[type=file]", file)
        expect(page.locator("#verdict")).to_have_text("有效")

        page.get_by_role("button", name="English").click()

        expect(page.locator("#verdict")).to_have_text("valid")
        expect(page.locator("main")).to_contain_text(file.name)
        page.get_by_role("button", name="中文").click()
        expect(page.locator("#verdict")).to_have_text("有效")


class TestProblems:
    @pytest.mark.parametrize(
        ("path", "status", "chinese", "english"),
        [
            ("/nosuchpage", 404, "没有这一页", "No such page"),
            ("/assets/" + "0x" + "ab" * 32, 404, "账本里没有这个编号", "nothing under this id"),
            ("/assets/x", 404, "账本里没有这个编号", "nothing under this id"),
            ("/listings/0x" + "ab" * 32, 404, "账本里没有这个挂牌", "no listing under this id"),
        ],
    )
    def test_are_pages_for_people(
        self, served: Served, path: str, status: int, chinese: str, english: str
    ) -> None:
        for language, text in (("zh", chinese), ("en", english)):
            asked = {**HTML, "accept-language": language}
            answer = httpx.get(served.url + path, headers=asked)

            assert answer.status_code == status
            assert answer.headers["content-type"].startswith("text/html")
            assert text in answer.text
            assert "console.css" in answer.text

    @pytest.mark.parametrize(
        ("path", "accept"),
        [
            ("/nosuchpage", "*/*"),
            ("/nosuchpage", "application/json"),
            ("/v1/nosuchpage", "text/html"),
            ("/problems/nosuch", "text/html"),
        ],
    )
    def test_are_problems_for_programs(self, served: Served, path: str, accept: str) -> None:
        answer = httpx.get(served.url + path, headers={"accept": accept})

        assert answer.status_code == 404
        assert answer.headers["content-type"] == "application/problem+json"

    def test_are_told_of_a_search_that_finds_too_much(
        self, served: Served, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("api.catalogue.MATCHES_MAX", 1)
        answer = httpx.get(served.url + "/catalogue?search=数据", headers=HTML)

        assert answer.status_code == 422
        assert "请多写几个字" in answer.text

    def test_are_told_of_a_file_that_is_too_large(self, served: Served) -> None:
        large = {"file": ("large.json", b" " * (1 << 19))}
        answer = httpx.post(served.url + "/verify", files=large, headers=HTML)

        assert answer.status_code == 413
        assert "256 KiB" in answer.text

    @pytest.mark.parametrize("sent", [{}, {"kept": "no base64"}, {"kept": ""}])
    def test_are_none_where_no_file_came(self, served: Served, sent: dict[str, str]) -> None:
        """The form is shown again."""
        answer = httpx.post(served.url + "/verify", data=sent, headers=HTML)

        assert answer.status_code == 422
        assert "<form" in answer.text
