"""
Tests of webhooks: whose they are, and which may be made.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from api.webhooks.endpoints import WEBHOOKS_MAX
from tests.api.hooked import OWNER, STRANGER, make, open_hooked
from tests.api.mirrored import Mirrored, bearer
from tests.api.receiving import Receiver, open_receiver


@pytest.fixture
def home(tmp_path: Path, mirror_url: str) -> Iterator[Mirrored]:
    with open_hooked(tmp_path / "home", mirror_url) as found:
        yield found


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with open_receiver() as found:
        yield found


class TestMake:
    def test_shows_the_secret_once(self, home: Mirrored, receiver: Receiver) -> None:
        made = make(home, receiver.url)
        token = home.sign_in(OWNER)

        shown = home.get(f"/v1/webhooks/{made.json()['webhook_id']}", token=token).json()

        assert made.status_code == 201
        assert made.json()["secret"].startswith("whsec_")
        assert {**shown, "secret": made.json()["secret"]} == made.json()

    def test_keeps_no_secret(self, home: Mirrored, receiver: Receiver, tmp_path: Path) -> None:
        secret = make(home, receiver.url).json()["secret"].removeprefix("whsec_")

        kept = b"".join(path.read_bytes() for path in (tmp_path / "home").glob("*.sqlite*"))

        assert secret.encode() not in kept

    @pytest.mark.parametrize(
        ("body", "status", "problem"),
        [
            ({"url": "https://127.0.0.1.example:x/"}, 422, "webhook-url-refused"),
            ({"url": "https://10.0.0.1/"}, 422, "webhook-url-refused"),
            ({"name": "Nothing"}, 422, "event-name-unknown"),
            ({"contract": "Nothing"}, 422, "contract-unknown"),
            ({"after": "999999"}, 404, "block-not-mirrored"),
            ({"after": "soon"}, 422, "position-invalid"),
            ({"after": "1.0.0.0x" + "ee" * 32}, 409, "position-foreign"),
            ({"about": "0x12"}, 422, "request-malformed"),
            ({"more": 1}, 422, "request-malformed"),
        ],
    )
    def test_refuses(
        self, home: Mirrored, receiver: Receiver, body: dict[str, Any], status: int, problem: str
    ) -> None:
        answer = make(home, **{"url": receiver.url, **body})

        assert (answer.status_code, answer.json()["type"]) == (status, f"/problems/{problem}")

    def test_allows_so_many(self, home: Mirrored, receiver: Receiver) -> None:
        made = [make(home, receiver.url) for _ in range(WEBHOOKS_MAX + 1)]

        assert [one.status_code for one in made] == [201] * WEBHOOKS_MAX + [409]
        assert make(home, receiver.url, STRANGER).status_code == 201


class TestOwnership:
    @pytest.mark.parametrize(
        ("method", "path"),
        [
            ("GET", ""),
            ("DELETE", ""),
            ("GET", "/deliveries"),
            ("POST", "/secrets"),
            ("POST", "/resumptions"),
            ("POST", "/deliveries/1/redeliveries"),
        ],
    )
    def test_hides_a_webhook_from_everybody_else(
        self, home: Mirrored, receiver: Receiver, method: str, path: str
    ) -> None:
        webhook_id = make(home, receiver.url).json()["webhook_id"]
        known, unknown = (f"/v1/webhooks/{one}{path}" for one in (webhook_id, "wh_" + "0" * 32))
        headers = bearer(home.sign_in(STRANGER))

        hidden, missing = (
            home.client.request(method, one, headers=headers) for one in (known, unknown)
        )

        assert hidden.status_code == missing.status_code == 404
        assert hidden.json()["type"] == missing.json()["type"] == "/problems/webhook-not-found"
        assert home.client.request(method, known).status_code == 401

    def test_lists_everybody_their_own(self, home: Mirrored, receiver: Receiver) -> None:
        mine = make(home, receiver.url).json()["webhook_id"]
        make(home, receiver.url, STRANGER)

        listed = home.get("/v1/webhooks", token=home.sign_in(OWNER)).json()["items"]

        assert [one["webhook_id"] for one in listed] == [mine]
