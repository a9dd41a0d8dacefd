"""
Tests of what is sent to webhooks: what, in which order, how often, and signed with which secret.
"""

import random
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import Session

import api.webhooks.deliverer
from api.webhooks.calls import WebhookUrlRefused
from api.webhooks.deliverer import Backoff, Deliverer
from api.webhooks.endpoints import ROTATION_SECONDS
from chain import events as e
from chain.store import rewind, tip_of
from tests.api.hooked import (
    AT_ONCE,
    OWNER,
    STRANGER,
    end_blocks,
    grow,
    make,
    open_hooked,
    work,
)
from tests.api.mirrored import Mirrored, bearer, event, named
from tests.api.receiving import Receiver, is_signed, open_receiver


@pytest.fixture
def home(tmp_path: Path, mirror_url: str) -> Iterator[Mirrored]:
    with open_hooked(tmp_path / "home", mirror_url) as found:
        yield found


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with open_receiver() as found:
        yield found


@pytest.fixture
def deliverer(home: Mirrored) -> Iterator[Deliverer]:
    found = Deliverer(home.services, home.services.webhooks, backoff=AT_ONCE)
    yield found
    found.stop()


class TestDeliver:
    def test_sends_what_is_final_in_order_and_signed(
        self, home: Mirrored, receiver: Receiver, deliverer: Deliverer
    ) -> None:
        secret = make(home, receiver.url, after="oldest").json()["secret"]
        grow(home, 1, 2, 3)
        work(deliverer)
        assert receiver.got == []
        end_blocks(home)

        work(deliverer)

        listed = home.get("/v1/events").json()["items"]
        assert [one.json["data"]["log_index"] for one in receiver.got] == [
            one["log_index"] for one in listed
        ]
        assert all(is_signed(one, secret) for one in receiver.got)
        assert {one.json["data"]["is_final"] for one in receiver.got} == {True}
        data = dict(receiver.got[-1].json["data"])
        data.pop("position")
        assert data == listed[-1]

    def test_begins_with_what_happens_after_it_was_made(
        self, home: Mirrored, receiver: Receiver, deliverer: Deliverer
    ) -> None:
        end_blocks(home)
        make(home, receiver.url)
        grow(home, 1)
        end_blocks(home)

        work(deliverer)

        assert len(receiver.got) == 1

    def test_sends_nothing_that_is_not_wanted(
        self, home: Mirrored, receiver: Receiver, deliverer: Deliverer
    ) -> None:
        make(home, receiver.url, after="oldest", is_final=False, name="AssetRegistered")
        grow(home, 1, 2)

        work(deliverer)

        assert len(receiver.got) == 2

    def test_sends_each_once_while_all_is_well(
        self, home: Mirrored, receiver: Receiver, deliverer: Deliverer
    ) -> None:
        make(home, receiver.url, is_final=False)
        grow(home, 1, 2)

        work(deliverer, rounds=3)

        assert len(receiver.got) == len({one.id for one in receiver.got}) == 2

    def test_tells_what_a_fork_took_back(
        self, home: Mirrored, receiver: Receiver, deliverer: Deliverer
    ) -> None:
        make(home, receiver.url, is_final=False)
        grow(home, 1, 2, 3)
        work(deliverer)
        with Session(home.services.mirror) as session, session.begin():
            tip = tip_of(session)
            assert tip is not None
            rewind(session, tip.number - 2)
        grow(home, 4)

        work(deliverer)

        told = [(one.json["type"], one.json["data"].get("to_block")) for one in receiver.got]
        assert told[3] == ("rewind", tip.number - 2)
        assert len(told) == 5
        assert len({one.id for one in receiver.got}) == 5

    def test_ends_with_the_webhook(
        self, home: Mirrored, receiver: Receiver, deliverer: Deliverer
    ) -> None:
        webhook_id = make(home, receiver.url, is_final=False).json()["webhook_id"]
        token = home.sign_in(OWNER)
        ended = home.client.delete(f"/v1/webhooks/{webhook_id}", headers=bearer(token))
        grow(home, 1)

        work(deliverer)

        assert ended.status_code == 204
        assert receiver.got == []
        assert home.get(f"/v1/webhooks/{webhook_id}", token=token).status_code == 404

    def test_pauses_for_an_organisation_that_is_not_active(
        self, home: Mirrored, receiver: Receiver, deliverer: Deliverer
    ) -> None:
        webhook_id = make(home, receiver.url, is_final=False).json()["webhook_id"]
        home.append(event(e.ParticipantSuspended, participant_id=named(OWNER)))
        grow(home, 1)

        work(deliverer)

        assert receiver.got == []
        assert home.services.webhooks.require(webhook_id).state.name == "PAUSED"

    def test_stops_with_the_message_at_hand_when_it_is_paused(
        self, home: Mirrored, receiver: Receiver, deliverer: Deliverer
    ) -> None:
        webhook_id = make(home, receiver.url, is_final=False).json()["webhook_id"]
        webhooks = home.services.webhooks
        grow(home, *range(1, 9))

        def answer(_: Any) -> int:
            webhook = webhooks.require(webhook_id)
            if len(receiver.got) == 2:
                webhooks.pause(webhook, reason="its owner asked for it", now=home.now)
            return 204

        receiver.answer = answer
        work(deliverer)
        assert len(receiver.got) <= 3

        webhooks.resume(webhooks.require(webhook_id), now=home.now)
        work(deliverer)

        versions = [one.json["data"]["position"] for one in receiver.got]
        assert len(versions) == len(set(versions)) == 8

    def test_sends_no_more_of_its_queue_to_an_organisation_that_is_suspended(
        self, home: Mirrored, receiver: Receiver, deliverer: Deliverer
    ) -> None:
        webhook_id = make(home, receiver.url, is_final=False).json()["webhook_id"]
        grow(home, *range(1, 9))

        def answer(_: Any) -> int:
            if len(receiver.got) == 2:
                home.append(event(e.ParticipantSuspended, participant_id=named(OWNER)))
            return 204

        receiver.answer = answer
        work(deliverer)

        assert len(receiver.got) <= 3
        assert home.services.webhooks.require(webhook_id).state.name == "PAUSED"

    def test_does_not_wait_for_a_slow_one_elsewhere(
        self, home: Mirrored, receiver: Receiver, deliverer: Deliverer
    ) -> None:
        gate = threading.Event()
        receiver.answer = lambda _: 204 if gate.wait(20) else 500
        with open_receiver() as quick:
            make(home, receiver.url, is_final=False)
            make(home, quick.url, STRANGER, is_final=False)
            grow(home, 1, 2)

            running = deliverer.look()

            assert len(quick.until(2)) == 2
            gate.set()
            for one in running:
                one.result(20)

    def test_lets_those_that_answer_slowly_keep_no_place_for_good(
        self, home: Mirrored, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """One organisation with as many slow webhooks as there are places."""
        monkeypatch.setattr(api.webhooks.deliverer, "TURN_SECONDS", 0.2)
        monkeypatch.setattr(api.webhooks.deliverer, "LOOK_SECONDS", 0.05)
        messages = 20

        def slowly(_: Any) -> int:
            time.sleep(0.1)
            return 204

        receiver.answer = slowly
        with open_receiver() as quick:
            for number in range(api.webhooks.deliverer.AT_ONCE):
                make(home, f"{receiver.url}/{number}", is_final=False)
            home.now += 1
            make(home, quick.url, STRANGER, is_final=False)
            grow(home, *range(messages))
            deliverer = Deliverer(home.services, home.services.webhooks, backoff=AT_ONCE)

            deliverer.start()
            quick.until(1)
            told = len(receiver.got)
            deliverer.stop()

        assert told < messages * api.webhooks.deliverer.AT_ONCE / 2


class TestRetry:
    def test_repeats_with_the_same_id_and_keeps_the_order(
        self, home: Mirrored, receiver: Receiver, deliverer: Deliverer
    ) -> None:
        make(home, receiver.url, is_final=False)
        grow(home, 1, 2, 3)
        refused: list[str] = []

        def answer(got: Any) -> int:
            refused.append(got.id)
            return 500 if len(refused) in (2, 3) else 204

        receiver.answer = answer

        work(deliverer, rounds=4)

        first, second, again, once_more, third = (one.id for one in receiver.got)
        assert second == again == once_more
        assert len({first, second, third}) == 3
        assert receiver.got[1].body == receiver.got[3].body

    def test_pauses_after_so_many_failures_and_goes_on_when_it_is_resumed(
        self, home: Mirrored, receiver: Receiver, deliverer: Deliverer
    ) -> None:
        webhook_id = make(home, receiver.url, is_final=False).json()["webhook_id"]
        grow(home, 1, 2)
        receiver.answer = lambda _: 503
        work(deliverer, rounds=AT_ONCE.attempts_max + 3)
        token = home.sign_in(OWNER)
        paused = home.get(f"/v1/webhooks/{webhook_id}", token=token).json()
        health = home.get("/v1/health").json()
        receiver.answer = lambda _: 204

        resumed = home.client.post(f"/v1/webhooks/{webhook_id}/resumptions", headers=bearer(token))
        work(deliverer)

        assert (paused["state"], paused["failures"]) == ("PAUSED", AT_ONCE.attempts_max)
        assert "REFUSED" in paused["reason"]
        assert health["webhooks_paused"] == 1
        assert resumed.json()["state"] == "ACTIVE"
        assert len(receiver.got) == AT_ONCE.attempts_max + 2
        assert len({one.id for one in receiver.got}) == 2

    def test_pauses_at_once_where_nobody_is_any_more(
        self, home: Mirrored, receiver: Receiver, deliverer: Deliverer
    ) -> None:
        webhook_id = make(home, receiver.url, is_final=False).json()["webhook_id"]
        grow(home, 1)
        receiver.answer = lambda _: 410

        work(deliverer, rounds=2)

        assert len(receiver.got) == 1
        assert home.services.webhooks.require(webhook_id).state.name == "PAUSED"

    def test_waits_as_long_as_it_is_asked_to(
        self, home: Mirrored, receiver: Receiver, deliverer: Deliverer
    ) -> None:
        make(home, receiver.url, is_final=False)
        grow(home, 1)
        receiver.answer, receiver.headers = (lambda _: 429), {"retry-after": "60"}
        work(deliverer, rounds=2)
        before = len(receiver.got)
        home.now += 60

        work(deliverer)

        assert (before, len(receiver.got)) == (1, 2)

    def test_does_not_wait_out_a_clock_that_was_ahead(
        self, home: Mirrored, receiver: Receiver, deliverer: Deliverer
    ) -> None:
        make(home, receiver.url, is_final=False)
        grow(home, 1)
        right = home.now
        home.now = right + 5 * 365 * 24 * 3600
        receiver.answer = lambda _: 500
        work(deliverer)

        home.now = right + 60
        receiver.answer = lambda _: 204
        work(deliverer)

        assert len(receiver.got) == 2

    def test_waits_longer_each_time_up_to_a_bound(self) -> None:
        backoff, chance = Backoff(), random.Random(1)

        pauses = [backoff.pause(failures, chance) for failures in range(1, 40)]

        assert all(2 <= one <= 3_600 for one in pauses)
        assert pauses[0] <= 5
        assert min(pauses[12:]) >= 1_800
        assert len(set(pauses[12:])) > 10


class TestLog:
    def test_keeps_every_attempt(
        self, home: Mirrored, receiver: Receiver, deliverer: Deliverer
    ) -> None:
        webhook_id = make(home, receiver.url, is_final=False).json()["webhook_id"]
        grow(home, 1, 2)
        answers = [500, 204, 204]
        receiver.answer, receiver.said = (lambda _: answers.pop(0)), b"said"

        work(deliverer, rounds=2)

        path, token = f"/v1/webhooks/{webhook_id}/deliveries", home.sign_in(OWNER)
        newest, oldest = home.get(path, token=token).json()["items"]
        assert [one["status"] for one in oldest["attempts"]] == [500, 204]
        assert oldest["attempts"][0]["said"] == "said"
        assert (newest["number"], newest["state"], newest["attempt_count"]) == (2, "DELIVERED", 1)
        assert newest["message_id"] == receiver.got[-1].id
        assert newest["body"] == receiver.got[-1].json

    def test_is_told_page_by_page(
        self, home: Mirrored, receiver: Receiver, deliverer: Deliverer
    ) -> None:
        webhook_id = make(home, receiver.url, is_final=False).json()["webhook_id"]
        grow(home, *range(1, 6))
        work(deliverer)
        path, token = f"/v1/webhooks/{webhook_id}/deliveries", home.sign_in(OWNER)

        first = home.get(path, token=token, limit=3).json()
        rest = home.get(path, token=token, limit=3, before=first["next"]).json()

        assert [one["number"] for one in first["items"] + rest["items"]] == [5, 4, 3, 2, 1]
        assert rest["next"] is None

    def test_sends_once_more_what_is_asked_for(
        self, home: Mirrored, receiver: Receiver, deliverer: Deliverer
    ) -> None:
        webhook_id = make(home, receiver.url, is_final=False).json()["webhook_id"]
        grow(home, 1, 2)
        work(deliverer)
        path, headers = f"/v1/webhooks/{webhook_id}/deliveries", bearer(home.sign_in(OWNER))

        asked = home.client.post(f"{path}/1/redeliveries", headers=headers)
        missing = home.client.post(f"{path}/9/redeliveries", headers=headers)
        work(deliverer, rounds=2)

        assert (asked.status_code, missing.status_code) == (202, 404)
        assert [one.id for one in receiver.got][2:] == [receiver.got[0].id]
        assert receiver.got[2].body == receiver.got[0].body

    def test_sends_nothing_once_more_that_was_not_delivered(
        self, home: Mirrored, receiver: Receiver, deliverer: Deliverer
    ) -> None:
        webhook_id = make(home, receiver.url, is_final=False).json()["webhook_id"]
        grow(home, 1)
        receiver.answer = lambda _: 500
        work(deliverer)

        asked = home.client.post(
            f"/v1/webhooks/{webhook_id}/deliveries/1/redeliveries",
            headers=bearer(home.sign_in(OWNER)),
        )

        assert (asked.status_code, asked.json()["type"]) == (409, "/problems/delivery-pending")


class TestRotate:
    def test_signs_with_both_secrets_for_a_day(
        self, home: Mirrored, receiver: Receiver, deliverer: Deliverer
    ) -> None:
        made = make(home, receiver.url, is_final=False).json()
        path, headers = f"/v1/webhooks/{made['webhook_id']}", bearer(home.sign_in(OWNER))
        changed = home.client.post(f"{path}/secrets", headers=headers).json()
        grow(home, 1)
        work(deliverer)
        home.now += ROTATION_SECONDS
        grow(home, 2)

        work(deliverer)

        secrets = (made["secret"], changed["secret"])
        assert [[is_signed(one, secret) for secret in secrets] for one in receiver.got] == [
            [True, True],
            [False, True],
        ]


class TestReach:
    def test_is_judged_again_at_every_attempt(self, home: Mirrored, receiver: Receiver) -> None:
        """Reliability §3.19."""
        make(home, receiver.url, is_final=False)
        grow(home, 1)
        narrower = replace(home.services.webhooks, reach=type(home.services.webhooks.reach)())
        deliverer = Deliverer(home.services, narrower, backoff=AT_ONCE)

        work(deliverer)
        deliverer.stop()

        assert receiver.got == []
        with pytest.raises(WebhookUrlRefused):
            make_refused(home, narrower, receiver.url)


def make_refused(home: Mirrored, webhooks: Any, url: str) -> None:
    one = home.services.webhooks.browse()[0]
    webhooks.add(
        participant_id=one.participant_id,
        account=one.account,
        url=url,
        wanted=one.wanted,
        position=one.position,
        now=home.now,
    )
