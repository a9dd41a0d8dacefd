"""
Tests of signing in with an account (EIP-4361): everything that is nearly right is refused.
"""

from typing import Any

import pytest
from sqlalchemy import select

from api.operational import NONCES, SESSIONS
from chain import events as e
from chain.codes import Role
from tests.api.mirrored import (
    GENESIS,
    NOWHERE,
    Mirrored,
    account_of,
    address_of,
    bearer,
    event,
    message_of,
    named,
)

HOLDER, STRANGER = "holder", "stranger"


@pytest.fixture
def home(mirrored: Mirrored) -> Mirrored:
    mirrored.admit(HOLDER, roles=((Role.SELLER, NOWHERE),))
    return mirrored


@pytest.fixture
def given(home: Mirrored) -> Any:
    return home.client.post("/v1/nonces").json()


def refusal(answer: Any) -> tuple[int, str]:
    """Return status and problem type of an answer."""
    return answer.status_code, answer.json()["type"].removeprefix("/problems/")


class TestSignIn:
    def test_opens_a_session_for_the_account_that_signed(self, home: Mirrored) -> None:
        token = home.sign_in(HOLDER)

        who = home.get("/v1/sessions/current", token=token).json()

        assert who["participant_id"] == named(HOLDER)
        assert who["account"] == account_of(HOLDER).address
        assert [role["role"] for role in who["roles"]] == ["SELLER"]

    def test_serves_a_nonce_once(self, home: Mirrored, given: Any) -> None:
        message = message_of(given, HOLDER)
        assert home.post_session(message, HOLDER).status_code == 201

        again = home.post_session(message, HOLDER)

        assert refusal(again) == (403, "sign-in-nonce-unknown")

    def test_uses_a_nonce_up_by_a_failed_attempt(self, home: Mirrored, given: Any) -> None:
        message = message_of(given, HOLDER)
        wrong = home.post_session(message, STRANGER)

        right = home.post_session(message, HOLDER)

        assert refusal(wrong) == (403, "sign-in-signature-wrong")
        assert refusal(right) == (403, "sign-in-nonce-unknown")

    @pytest.mark.parametrize(
        "change",
        [
            lambda nonce: nonce[:-1],
            lambda nonce: nonce[1:],
            lambda nonce: nonce + "a",
            lambda nonce: nonce.swapcase(),
            lambda nonce: nonce[:8],
            lambda _: "abcdefgh",
        ],
    )
    def test_takes_the_whole_nonce_only(self, home: Mirrored, given: Any, change: Any) -> None:
        message = message_of(given, HOLDER, nonce=change(given["nonce"]))

        assert refusal(home.post_session(message, HOLDER)) == (403, "sign-in-nonce-unknown")
        assert home.post_session(message_of(given, HOLDER), HOLDER).status_code == 201

    def test_refuses_a_nonce_that_expired(self, home: Mirrored, given: Any) -> None:
        home.now += home.services.nonce_seconds

        answer = home.post_session(message_of(given, HOLDER), HOLDER)

        assert refusal(answer) == (403, "sign-in-nonce-unknown")

    @pytest.mark.parametrize(
        ("field", "changed"),
        [
            ("domain", {"domain": "127.0.0.1:8301"}),
            ("domain", {"domain": "evil.example"}),
            ("domain", {"domain": "evil.127.0.0.1:8300"}),
            ("uri", {"uri": "http://evil.example"}),
            ("uri", {"uri": "http://127.0.0.1:8300@evil.example"}),
            ("uri", {"uri": "https://127.0.0.1:8300"}),
            ("chain_id", {"chain_id": "1"}),
            ("chain_id", {"chain_id": "202610"}),
        ],
    )
    def test_refuses_a_message_for_another_server(
        self, home: Mirrored, given: Any, field: str, changed: dict[str, str]
    ) -> None:
        answer = home.post_session(message_of(given, HOLDER, **changed), HOLDER)

        assert refusal(answer) == (403, "sign-in-message-wrong")
        assert answer.json()["fields"] == {"field": field}

    @pytest.mark.parametrize(
        "changed",
        [
            {"issued_at": "2025-10-09T08:00:00Z"},
            {"issued_at": "2025-10-09T09:53:20Z"},
            {"more": "\nExpiration Time: 2025-10-09T08:53:20Z"},
            {"more": "\nExpiration Time: 2020-01-01T00:00:00Z"},
            {"more": "\nNot Before: 2025-10-09T08:53:21Z"},
        ],
    )
    def test_refuses_a_message_of_another_time(
        self, home: Mirrored, given: Any, changed: dict[str, str]
    ) -> None:
        answer = home.post_session(message_of(given, HOLDER, **changed), HOLDER)

        assert refusal(answer) == (403, "sign-in-message-expired")

    @pytest.mark.parametrize(
        "message",
        [
            "",
            "sign me in",
            "127.0.0.1:8300 wants you to sign in with your Ethereum account:",
            "x" * 999,
        ],
    )
    def test_refuses_what_is_no_message(self, home: Mirrored, message: str) -> None:
        assert refusal(home.post_session(message, HOLDER)) == (422, "sign-in-message-malformed")

    def test_refuses_an_address_without_its_checksum(self, home: Mirrored, given: Any) -> None:
        message = message_of(given, HOLDER, address=address_of(HOLDER))

        assert home.post_session(message, HOLDER).status_code == 422

    def test_refuses_the_signature_of_another_account(self, home: Mirrored, given: Any) -> None:
        answer = home.post_session(message_of(given, HOLDER), STRANGER)

        assert refusal(answer) == (403, "sign-in-signature-wrong")

    @pytest.mark.parametrize("signature", ["0x", "0x" + "00" * 65, "0x" + "ff" * 65, "00" * 65])
    def test_refuses_what_is_no_signature(self, home: Mirrored, given: Any, signature: str) -> None:
        body = {"message": message_of(given, HOLDER), "signature": signature}

        assert home.client.post("/v1/sessions", json=body).status_code in (403, 422)

    def test_refuses_an_account_that_nobody_has(self, home: Mirrored, given: Any) -> None:
        answer = home.post_session(message_of(given, STRANGER), STRANGER)

        assert refusal(answer) == (403, "account-not-served")

    def test_refuses_an_account_of_a_suspended_participant(
        self, home: Mirrored, given: Any
    ) -> None:
        home.append(event(e.ParticipantSuspended, participant_id=named(HOLDER)))

        answer = home.post_session(message_of(given, HOLDER), HOLDER)

        assert refusal(answer) == (403, "account-not-served")

    def test_refuses_a_key_that_only_cosigns(self, home: Mirrored, given: Any) -> None:
        home.append(
            event(
                e.AccountAdded,
                account=address_of("cosigner"),
                participant_id=named(HOLDER),
                purposes=4,
            )
        )

        answer = home.post_session(message_of(given, "cosigner"), "cosigner")

        assert refusal(answer) == (403, "account-not-served")


class TestResume:
    def test_asks_for_a_session(self, home: Mirrored) -> None:
        answer = home.get("/v1/sessions/current")

        assert refusal(answer) == (401, "sign-in-required")
        assert answer.headers["www-authenticate"] == "Bearer"

    @pytest.mark.parametrize("token", ["", "made-up", "x" * 3_000])
    def test_refuses_a_token_that_was_never_given(self, home: Mirrored, token: str) -> None:
        answer = home.get("/v1/sessions/current", token=token)

        assert answer.status_code in (401, 403)

    def test_refuses_a_session_that_expired(self, home: Mirrored) -> None:
        token = home.sign_in(HOLDER)
        home.now += home.services.session_seconds

        assert refusal(home.get("/v1/sessions/current", token=token)) == (401, "session-ended")

    def test_refuses_a_session_that_was_ended(self, home: Mirrored) -> None:
        token = home.sign_in(HOLDER)

        ended = home.client.delete("/v1/sessions/current", headers=bearer(token))

        assert ended.status_code == 204
        assert refusal(home.get("/v1/sessions/current", token=token)) == (401, "session-ended")

    def test_stops_serving_a_key_in_the_block_that_revokes_it(self, home: Mirrored) -> None:
        token = home.sign_in(HOLDER)
        home.append(
            event(
                e.AccountRevoked,
                account=address_of(HOLDER),
                participant_id=named(HOLDER),
                revoked_at=GENESIS + 100,
            )
        )

        answer = home.get("/v1/sessions/current", token=token)

        assert refusal(answer) == (403, "account-not-served")

    def test_reads_the_roles_anew(self, home: Mirrored) -> None:
        token = home.sign_in(HOLDER)
        home.append(
            event(e.RoleRevoked, participant_id=named(HOLDER), role=Role.SELLER, venue=NOWHERE)
        )

        assert home.get("/v1/sessions/current", token=token).json()["roles"] == []


class TestKept:
    def test_holds_neither_nonce_nor_token_in_clear(self, home: Mirrored, given: Any) -> None:
        token = home.sign_in(HOLDER)

        with home.services.operational.connect() as connection:
            nonces = connection.execute(select(NONCES.c.nonce_hash)).scalars().all()
            tokens = connection.execute(select(SESSIONS.c.token_hash)).scalars().all()
        assert len(nonces) == len(tokens) == 1
        assert given["nonce"] not in nonces
        assert token not in tokens
