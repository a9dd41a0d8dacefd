"""
Tests that the short way in answers exactly as the application behind it does, and what it adds.
"""

from typing import Any

import pytest
from starlette.testclient import TestClient

from api.answering.door import Door, NotOurs, Plan
from api.app import create_app
from chain.codes import Role
from tests.api.mirrored import NOWHERE, ORIGIN, Mirrored, named
from tests.api.test_paging import declare
from tests.api.test_routes import FOUND, _filled

ASSET = named("asset 0")
QUERIES = (
    "",
    "?",
    "?limit=1",
    "?limit=0",
    "?limit=",
    "?limit=1&limit=2",
    "?unknown=1",
    "?as_of_block=1",
    "?as_of_block=99",
    "?as_of_block=1&as_of_time=2026-11-21T08:00:00Z",
    "?as_of_time=2025-10-09T08:53:44Z",
    "?as_of_time=2025-10-09T16:53:44%2B08:00",
    "?as_of_time=soon",
    "?cursor=made-up",
    "?evidence=true",
    "?evidence=maybe",
    "?kind=ELEMENT",
    "?kind=GOLD",
    "?version=1",
    "?%6Cimit=1",
    "?direction=upstream",
)


@pytest.fixture
def home(mirrored: Mirrored) -> Mirrored:
    """Return a home with assets, organisations, and a regulator."""
    declare(mirrored, 5)
    mirrored.admit("holder")
    mirrored.admit("regulator", roles=((Role.REGULATOR, NOWHERE),))
    return mirrored


@pytest.fixture
def behind(home: Mirrored) -> TestClient:
    """Give the application without the short way in."""
    app = create_app(home.services)
    app.user_middleware = [one for one in app.user_middleware if one.cls is not Door]
    return TestClient(app, base_url=ORIGIN, raise_server_exceptions=False)


def paths() -> list[str]:
    """Return what is read, about things that are there and things that are not."""
    found = [
        path for path, route in FOUND if "GET" in route.methods and not path.endswith("/stream")
    ]
    asked = [_filled(path) for path in found]
    asked += [path.replace("{id}", ASSET) for path in found if path.startswith("/v1/assets/{id}")]
    asked += [f"/v1/participants/{named('holder')}", "/v1/rights/0xzz", "/v1/blocks/x", "/v1/none"]
    return [*asked, f"/v1/assets/{ASSET.upper().replace('0X', '0x')}", "/v1/assets/"]


class TestAnswers:
    def test_are_those_of_the_application_behind(self, home: Mirrored, behind: TestClient) -> None:
        token = home.sign_in("regulator")
        headers = {"Authorization": f"Bearer {token}"}
        different = []
        for path in paths():
            for query in QUERIES if path in MANY else QUERIES[:1]:
                for given in ({}, headers):
                    short = home.client.get(path + query, headers=given)
                    whole = behind.get(path + query, headers=given)
                    if _seen(short) != _seen(whole):
                        different.append((path + query, _seen(short), _seen(whole)))

        assert different == []

    def test_come_the_short_way_for_every_read(self) -> None:
        long = []
        for path, route in FOUND:
            if "GET" in route.methods and path.startswith("/v1/"):
                try:
                    Plan(route)
                except NotOurs:
                    long.append(path)

        assert long in ([], ["/v1/stream"])

    def test_are_refused_when_the_token_is_not_one(self, home: Mirrored) -> None:
        for value in ("", "Bearer", "Bearer ", "Basic abc", "bearer nonsense"):
            answer = home.client.get("/v1/trades", headers={"Authorization": value})

            assert answer.status_code == 401, value


class TestTags:
    def test_spare_what_is_held_already(self, home: Mirrored) -> None:
        first = home.get(f"/v1/assets/{ASSET}")
        tag = first.headers["etag"]

        again = home.client.get(f"/v1/assets/{ASSET}", headers={"If-None-Match": f'"x", W/{tag}'})

        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["etag"] == tag

    def test_change_with_the_answer(self, home: Mirrored) -> None:
        tag = home.get(f"/v1/assets/{ASSET}").headers["etag"]
        home.append()

        again = home.client.get(f"/v1/assets/{ASSET}", headers={"If-None-Match": tag})

        assert again.status_code == 200
        assert again.headers["etag"] != tag

    def test_stay_for_an_answer_as_of_a_block(self, home: Mirrored) -> None:
        asked = {"as_of_block": 2}
        tag = home.get(f"/v1/assets/{ASSET}", **asked).headers["etag"]
        home.append()

        assert home.get(f"/v1/assets/{ASSET}", **asked).headers["etag"] == tag

    def test_of_what_only_some_see_are_not_for_shared_caches(self, home: Mirrored) -> None:
        public = home.get("/v1/assets").headers
        private = home.get("/v1/trades", token=home.sign_in("regulator")).headers

        assert (public["cache-control"], private["cache-control"]) == (
            "no-cache",
            "private, no-cache",
        )
        assert public["vary"] == private["vary"] == "authorization"


MANY = {f"/v1/assets/{ASSET}", f"/v1/assets/{ASSET}/lineage", "/v1/assets", "/v1/trades"}


def _seen(answer: Any) -> tuple[Any, ...]:
    held = answer.headers
    return (
        answer.status_code,
        held.get("content-type"),
        held.get("www-authenticate"),
        answer.content,
    )
