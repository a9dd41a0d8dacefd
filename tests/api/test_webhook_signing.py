"""
Tests of the signature under what is sent to webhooks (Standard Webhooks, symmetric).
"""

import base64
import stat
from pathlib import Path

import pytest

from api.webhooks.signing import SecretKey, headers_for, message_id, secret_text
from tests.api.receiving import Got, is_signed


class TestHeadersFor:
    def test_signs_as_the_published_example_does(self) -> None:
        """Source: the reference libraries' own test vector."""
        told = headers_for(
            message_id="msg_p5jXN8AQM9LWM0D4loKWxJek",
            timestamp=1614265330,
            body=b'{"test": 2432232314}',
            keys=[base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")],
        )

        assert told == {
            "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
            "webhook-timestamp": "1614265330",
            "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
        }

    def test_signs_with_every_secret_that_holds(self) -> None:
        keys = [b"new" * 11, b"old" * 11]

        told = headers_for(message_id="msg_1", timestamp=1, body=b"{}", keys=keys)

        got = Got(dict(told), b"{}")
        assert all(is_signed(got, secret_text(one)) for one in keys)
        assert not is_signed(got, secret_text(b"other" * 7))

    @pytest.mark.parametrize("part", ["webhook-id", "webhook-timestamp"])
    def test_covers_id_and_time(self, part: str) -> None:
        told = dict(headers_for(message_id="msg_1", timestamp=1, body=b"{}", keys=[b"k" * 32]))

        changed = Got({**told, part: told[part] + "0"}, b"{}")

        assert not is_signed(changed, secret_text(b"k" * 32))


class TestSecretKey:
    def test_makes_the_same_secrets_from_the_same_file(self, tmp_path: Path) -> None:
        first, again = (SecretKey(tmp_path / "keys" / "key") for _ in range(2))

        assert first.secret("wh_1", 1) == again.secret("wh_1", 1)

    def test_makes_others_for_each_webhook_and_each_change(self, tmp_path: Path) -> None:
        key, other = SecretKey(tmp_path / "key"), SecretKey(tmp_path / "other")

        found = {one.secret(name, g) for one in (key, other) for name in "ab" for g in (1, 2)}

        assert len(found) == 8

    def test_is_its_owners_alone_to_read(self, tmp_path: Path) -> None:
        SecretKey(tmp_path / "key")

        assert stat.S_IMODE((tmp_path / "key").stat().st_mode) == 0o600
        assert [path.name for path in tmp_path.iterdir()] == ["key"]


class TestMessageId:
    def test_is_the_same_for_the_same_and_another_for_anything_else(self) -> None:
        assert message_id("wh_1", "A", "1.0") == message_id("wh_1", "A", "1.0")
        assert len({message_id("wh_1", "A"), message_id("wh_2", "A"), message_id("wh_1", "B")}) == 3
