"""
Tests of the log: one line per event, its values apart, and no secret in it.
"""

import io
import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from api.observing.logs import REQUEST_ID, clean, set_up
from api.webhooks.deliverer import Backoff, Deliverer
from chain import events as e
from tests.api.mirrored import (
    Mirrored,
    account_of,
    bearer,
    event,
    named,
    open_mirrored,
)
from tests.api.receiving import open_receiver

LOG = logging.getLogger("api.test")


@pytest.fixture
def out() -> Iterator[io.StringIO]:
    """Where the log goes; afterwards everything is as it was."""
    names = ("", "api", "chain", "registry", "settlement")
    before = {name: logging.getLogger(name).level for name in names}
    handlers = logging.getLogger().handlers[:]
    yield io.StringIO()
    logging.getLogger().handlers[:] = handlers
    for name, level in before.items():
        logging.getLogger(name).setLevel(level)


def lines(out: io.StringIO) -> list[Any]:
    return [json.loads(line) for line in out.getvalue().splitlines()]


class TestJson:
    def test_tells_the_event_and_its_values_apart(self, out: io.StringIO) -> None:
        set_up(form="json", stream=out)

        LOG.info("blocks applied tip=%s events=%s", 17, None)

        (told,) = lines(out)
        assert told["event"] == "blocks applied"
        assert told["fields"] == {"tip": 17, "events": None}
        assert (told["level"], told["logger"]) == ("INFO", "api.test")
        assert told["time"].endswith("Z")

    def test_is_one_line_whatever_is_said(self, out: io.StringIO) -> None:
        set_up(form="json", stream=out)

        LOG.warning("node failed reason=%s", 'two\nlines "quoted" \x1b[31m 数链')
        LOG.warning("no form at all %s and %d", "a\nb", 2**70)
        try:
            raise ValueError("inside\nout")
        except ValueError:
            LOG.exception("request failed")

        assert len(lines(out)) == 3
        assert "ValueError" in lines(out)[2]["exception"]

    def test_carries_the_request(self, out: io.StringIO, mirrored: Mirrored) -> None:
        set_up(form="json", level="DEBUG", stream=out)

        mirrored.client.get("/v1/health/ready", headers={"X-Request-Id": "mine"})
        LOG.info("later")

        told = {one["event"]: one for one in lines(out)}
        assert told["request failed"]["request_id"] == "mine"
        assert told["request answered"]["request_id"] == "mine"
        assert told["request answered"]["fields"]["route"] == "/v1/health/ready"
        assert "request_id" not in told["later"]
        assert REQUEST_ID.get() == ""


class TestSetUp:
    def test_is_text_where_it_is_asked_for(self, out: io.StringIO) -> None:
        set_up(form="text", stream=out)

        LOG.info("blocks applied tip=%s", 17)

        assert out.getvalue().endswith("INFO     api.test: blocks applied tip=17\n")

    def test_is_json_where_nobody_looks(self, out: io.StringIO) -> None:
        set_up(stream=out)

        LOG.info("x")

        assert lines(out)[0]["event"] == "x"

    def test_hears_ours_from_the_level_on_and_others_from_warning_on(
        self, out: io.StringIO
    ) -> None:
        set_up(form="json", level="DEBUG", stream=out)

        for name in ("chain.x", "httpx", "web3.x"):
            logging.getLogger(name).debug("whole request")
            logging.getLogger(name).info("whole request")
            logging.getLogger(name).warning("trouble")

        assert [one["logger"] for one in lines(out)] == ["chain.x"] * 3 + ["httpx", "web3.x"]


class TestClean:
    @pytest.mark.parametrize(
        ("text", "told"),
        [
            ("at https://user:word@node.example:8545/v3/KEY?x=y.", "at https://node.example:8545"),
            ("wss://node.example/KEY", "wss://node.example"),
            ("secret whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw here", "secret *** here"),
            ("Authorization: Bearer abc.DEF-1_2", "Authorization: Bearer ***"),
            ("signed 0x" + "ab" * 65, "signed ***"),
            ("block 0x" + "ab" * 32, "block 0x" + "ab" * 32),
        ],
    )
    def test_hides_what_looks_like_a_secret_and_nothing_else(self, text: str, told: str) -> None:
        assert clean(text) == told


class TestSecrets:
    @pytest.mark.parametrize("form", ["json", "text"])
    def test_are_in_no_line(self, out: io.StringIO, tmp_path: Path, form: str) -> None:
        """Keys, sessions, signatures, webhooks' secrets: whatever happens, and how loud."""
        set_up(form=form, level="DEBUG", stream=out)
        settings = {"webhook_http": 1, "webhook_networks": "127.0.0.0/8"}
        with (
            open_mirrored(tmp_path / "home", **settings) as home,
            open_receiver() as receiver,
        ):
            home.admit("owner")
            token = home.sign_in("owner")
            made = home.client.post(
                "/v1/webhooks",
                json={"url": receiver.url + "?key=HIDDENKEY", "is_final": False},
                headers=bearer(token),
            ).json()
            home.append(event(e.AssetRegistered, asset_id=named("a"), version=1))
            receiver.answer = lambda _: 500
            deliverer = Deliverer(
                home.services, home.services.webhooks, backoff=Backoff(attempts_max=1)
            )
            for running in deliverer.look():
                running.result(20)
            deliverer.stop()
            home.get("/v1/trades", token=token + "x")
            signature = receiver.got[0].headers["webhook-signature"].partition(",")[2]
            key = home.services.webhooks.keys(home.services.webhooks.browse()[0], now=0)[0]
        text = out.getvalue()

        assert "webhook" in text
        secrets = (
            token,
            made["secret"].removeprefix("whsec_"),
            signature,
            key.hex(),
            account_of("owner").key.hex(),
            "HIDDENKEY",
        )
        assert [one for one in secrets if one in text] == []
