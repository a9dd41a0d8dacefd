"""
`shulian webhook`: what the operator of a home sees and changes of webhooks.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from api.commands.homes import chain_id_of
from api.compose import open_services
from api.config import read_settings
from api.webhooks.deliverer import Deliverer
from tests.api.mirrored import NO_NODE
from tests.api.receiving import Receiver, is_signed, open_receiver
from tests.api.shell import Told, shulian
from tests.postgres import mirror_of


@pytest.fixture(autouse=True)
def _inner_addresses_are_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHULIAN_WEBHOOK_HTTP", "1")
    monkeypatch.setenv("SHULIAN_WEBHOOK_NETWORKS", "127.0.0.0/8")


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with open_receiver() as found:
        yield found


def webhook(home: Path, *arguments: object) -> Told:
    """Run a command of the group."""
    name, *rest = arguments
    return shulian("webhook", name, *rest, "--home", home, "--json")


def owner_of(home: Path) -> str:
    """Return the beginning of an organisation's id."""
    items = shulian("participant", "ls", "--home", home, "--json").json["items"]
    found: str = items[0]["participant_id"]
    return found[:14]


def made(home: Path, receiver: Receiver, *more: object) -> Any:
    """Add a webhook and return it."""
    told = webhook(home, "add", receiver.url, "--owner", owner_of(home), *more)
    assert told.code == 0, told.err
    return told.json


def deliver(home: Path) -> None:
    """Send what is due, as a server of the home would."""
    settings = read_settings(
        {},
        home=home,
        mirror_url=mirror_of(home),
        webhook_http=1,
        webhook_networks="127.0.0.0/8",
    )
    with open_services(settings, chain_id=chain_id_of(home), rpc_url=NO_NODE) as services:
        deliverer = Deliverer(services, services.webhooks)
        for running in deliverer.look():
            running.result(30)
        deliverer.stop()


class TestWebhook:
    def test_is_added_listed_and_ended(self, home: Path, receiver: Receiver) -> None:
        added = made(home, receiver)

        listed = webhook(home, "ls", "--owner", owner_of(home)).json["items"]
        removed = webhook(home, "rm", added["webhook_id"])
        left = webhook(home, "ls").json["items"]

        assert added["webhook_id"] in [one["webhook_id"] for one in listed]
        assert "secret" not in listed[0]
        assert removed.json["state"] == "ENDED"
        assert added["webhook_id"] not in [one["webhook_id"] for one in left]

    def test_delivers_and_tells_what_was_sent(self, home: Path, receiver: Receiver) -> None:
        added = made(home, receiver, "--after", "oldest", "--unfinal", "--name", "AssetDeclared")
        webhook_id = added["webhook_id"]
        deliver(home)

        told = webhook(home, "deliveries", webhook_id).json["items"]
        again = webhook(home, "redeliver", webhook_id, 1)
        deliver(home)
        webhook(home, "rm", webhook_id)

        assert {one["type"] for one in told} == {"AssetDeclared"}
        assert {one["state"] for one in told} == {"DELIVERED"}
        assert all(is_signed(one, added["secret"]) for one in receiver.got)
        assert again.json["message_id"] == receiver.got[0].id == receiver.got[-1].id

    def test_gets_another_secret(self, home: Path, receiver: Receiver) -> None:
        added = made(home, receiver)

        changed = webhook(home, "rotate", added["webhook_id"]).json
        webhook(home, "rm", added["webhook_id"])

        assert changed["secret"] != added["secret"]
        assert changed["previous_secret_until"]

    def test_is_told_for_people_too(self, home: Path, receiver: Receiver) -> None:
        added = made(home, receiver)

        listed = shulian("webhook", "ls", "--home", home)
        sent = shulian("webhook", "deliveries", added["webhook_id"], "--home", home)
        ended = shulian("webhook", "rm", added["webhook_id"], "--home", home)

        assert added["webhook_id"] in listed.out
        assert "attempt count" in sent.out
        assert ended.err == f"ended {added['webhook_id']}\n"

    @pytest.mark.parametrize(
        ("arguments", "problem"),
        [
            (("rm", "wh_0"), "webhook-not-found"),
            (("resume", "wh_0"), "webhook-not-found"),
            (("add", "http://10.0.0.1/", "--owner", "OWNER"), "webhook-url-refused"),
            (("add", "RECEIVER", "--owner", "0x12345678"), "id-unknown"),
            (("add", "RECEIVER", "--owner", "OWNER", "--name", "X"), "event-name-unknown"),
            (("add", "RECEIVER", "--owner", "OWNER", "--contract", "X"), "contract-unknown"),
            (("add", "RECEIVER", "--owner", "OWNER", "--after", "x"), "position-invalid"),
            (("add", "RECEIVER", "--owner", "OWNER", "--after", "999999"), "block-not-mirrored"),
        ],
    )
    def test_says_what_is_wrong(
        self, home: Path, receiver: Receiver, arguments: tuple[str, ...], problem: str
    ) -> None:
        words = {"OWNER": owner_of(home), "RECEIVER": receiver.url}

        told = webhook(home, *(words.get(one, one) for one in arguments))

        assert told.code == 1
        assert told.problem["type"] == f"/problems/{problem}"
