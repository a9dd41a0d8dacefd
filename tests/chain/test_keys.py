"""
Key files: made once, opened by their password only, closed to others, and never told.
"""

import json
import logging
import stat
import threading
from pathlib import Path
from typing import Any

import coincurve
import pytest

from chain.keys import (
    AccountNameRefused,
    KeyDamaged,
    KeyNotFound,
    Keyring,
    PasswordMissing,
    PasswordWrong,
    encryption_private_key,
    encryption_public_key,
    home_keyring,
    home_password,
)
from chain.passwords import FileOpenToOthers, PasswordFileUnreadable
from chain.readers import Sidecar, unwrap_key, wrap_key
from chain.values import bytes32

LIGHT = 2


@pytest.fixture
def keyring(tmp_path: Path) -> Keyring:
    return Keyring(tmp_path, "correct horse", scrypt_n=LIGHT)


class TestAccount:
    def test_makes_a_key_once(self, keyring: Keyring, tmp_path: Path) -> None:
        made = keyring.account("registrar-1")

        again = Keyring(tmp_path, "correct horse", scrypt_n=LIGHT).account("registrar-1")

        assert again.key == made.key
        assert keyring.names() == ["registrar-1"]

    def test_makes_another_for_each_name(self, keyring: Keyring) -> None:
        assert keyring.account("a").address != keyring.account("b").address

    def test_is_closed_to_others(self, keyring: Keyring, tmp_path: Path) -> None:
        keyring.account("a")

        mode = (tmp_path / "a.json").stat().st_mode

        assert stat.S_IMODE(mode) == 0o600

    def test_refuses_another_password(self, keyring: Keyring, tmp_path: Path) -> None:
        made = keyring.account("a")
        kept = (tmp_path / "a.json").read_bytes()

        with pytest.raises(PasswordWrong) as raised:
            Keyring(tmp_path, "wrong", scrypt_n=LIGHT).account("a")

        assert (tmp_path / "a.json").read_bytes() == kept
        assert "wrong" not in str(raised.value)
        assert made.key.hex() not in str(raised.value)

    def test_refuses_a_file_that_others_may_read(self, keyring: Keyring, tmp_path: Path) -> None:
        keyring.account("a")
        (tmp_path / "a.json").chmod(0o644)

        with pytest.raises(FileOpenToOthers):
            Keyring(tmp_path, "correct horse").account("a")

    @pytest.mark.parametrize("name", ["", "../a", "A", "a/b", "-a", "a" * 65, "a.json"])
    def test_refuses_names_that_are_no_names(self, keyring: Keyring, name: str) -> None:
        with pytest.raises(AccountNameRefused):
            keyring.account(name)

    def test_gives_two_makers_the_same_key(self, tmp_path: Path) -> None:
        found: list[str] = []
        gate = threading.Barrier(4)

        def make() -> None:
            ring = Keyring(tmp_path, "p", scrypt_n=LIGHT)
            gate.wait()
            found.append(ring.account("a").address)

        threads = [threading.Thread(target=make) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert len(found) == 4
        assert len(set(found)) == 1

    def test_tells_no_key(
        self, keyring: Keyring, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.DEBUG)

        key = keyring.account("a").key.hex().removeprefix("0x")

        told = caplog.text + repr(vars(keyring)["_open"]) + repr(keyring)
        assert key not in told
        assert key not in (tmp_path / "a.json").read_text()

    def test_is_a_standard_key_file(self, keyring: Keyring, tmp_path: Path) -> None:
        account = keyring.account("a")

        kept = json.loads((tmp_path / "a.json").read_text())

        assert kept["version"] == 3
        assert kept["address"].lower() == account.address.lower().removeprefix("0x")
        assert kept["crypto"]["kdf"] == "scrypt"


class TestExisting:
    def test_makes_nothing(self, keyring: Keyring) -> None:
        with pytest.raises(KeyNotFound):
            keyring.existing("a")

        assert keyring.names() == []


class TestHomePassword:
    def test_stays_the_same(self, tmp_path: Path) -> None:
        assert home_password(tmp_path) == home_password(tmp_path)

    def test_differs_between_homes(self, tmp_path: Path) -> None:
        assert home_password(tmp_path / "east") != home_password(tmp_path / "west")

    def test_refuses_a_file_that_others_may_read(self, tmp_path: Path) -> None:
        home_password(tmp_path)
        (tmp_path / "keys/password").chmod(0o640)

        with pytest.raises(FileOpenToOthers):
            home_password(tmp_path)

    def test_opens_the_homes_keys(self, tmp_path: Path) -> None:
        made = home_keyring(tmp_path, scrypt_n=LIGHT).account("a")

        assert home_keyring(tmp_path, scrypt_n=LIGHT).account("a").key == made.key
        with pytest.raises(PasswordWrong):
            home_keyring(tmp_path, password="other", scrypt_n=LIGHT).account("a")

    def test_is_not_made_before_there_is_a_key(self, tmp_path: Path) -> None:
        assert home_keyring(tmp_path).names() == []
        with pytest.raises(KeyNotFound):
            home_keyring(tmp_path).existing("a")

        assert list(tmp_path.iterdir()) == []

    def test_that_was_lost_is_not_made_anew(self, tmp_path: Path) -> None:
        home_keyring(tmp_path, scrypt_n=LIGHT).account("a")
        (tmp_path / "keys/password").unlink()

        with pytest.raises(PasswordMissing):
            home_keyring(tmp_path, scrypt_n=LIGHT).account("a")

        assert not (tmp_path / "keys/password").exists()

    def test_may_stand_in_a_file_elsewhere(self, tmp_path: Path) -> None:
        kept = tmp_path / "credential"
        kept.write_text("correct horse\n")
        kept.chmod(0o440)

        made = home_keyring(tmp_path, password_file=str(kept), scrypt_n=LIGHT).account("a")

        opened = home_keyring(tmp_path, password="correct horse", scrypt_n=LIGHT).account("a")
        assert made.key == opened.key
        assert not (tmp_path / "keys/password").exists()

    def test_is_refused_in_a_file_that_everybody_may_read(self, tmp_path: Path) -> None:
        kept = tmp_path / "credential"
        kept.write_text("correct horse\n")
        kept.chmod(0o644)

        with pytest.raises(FileOpenToOthers):
            home_keyring(tmp_path, password_file=str(kept)).account("a")

    @pytest.mark.parametrize("content", [None, b"", b"\n", b"\xff\xfe"])
    def test_is_refused_if_there_is_none(self, tmp_path: Path, content: bytes | None) -> None:
        kept = tmp_path / "credential"
        if content is not None:
            kept.write_bytes(content)
            kept.chmod(0o600)

        with pytest.raises(PasswordFileUnreadable):
            home_keyring(tmp_path, password_file=str(kept)).account("a")


class TestDamage:
    @pytest.mark.parametrize(
        "damage",
        [
            lambda text: text[: len(text) // 2],
            lambda _: "",
            lambda _: "[]",
            lambda text: text.replace("scrypt", "sCrypt"),
            lambda text: text.replace('"salt"', '"sal"'),
            lambda text: text.replace('"address": "', '"address": "00'),
            lambda text: text.replace('"version": 3', '"version": 9'),
        ],
    )
    def test_is_told_and_leaves_the_file_alone(
        self, keyring: Keyring, tmp_path: Path, damage: Any
    ) -> None:
        keyring.account("a")
        path = tmp_path / "a.json"
        broken = damage(path.read_text())
        path.write_text(broken)

        with pytest.raises(KeyDamaged) as refused:
            Keyring(tmp_path, "correct horse", scrypt_n=LIGHT).account("a")

        assert refused.value == KeyDamaged(name="a")
        assert path.read_text() == broken

    def test_of_the_ciphertext_looks_like_another_password(
        self, keyring: Keyring, tmp_path: Path
    ) -> None:
        keyring.account("a")
        path = tmp_path / "a.json"
        kept = json.loads(path.read_text())
        kept["crypto"]["ciphertext"] = "00" * 32
        path.write_text(json.dumps(kept))

        with pytest.raises(PasswordWrong):
            Keyring(tmp_path, "correct horse", scrypt_n=LIGHT).account("a")


class TestEncryptionKey:
    def test_opens_what_is_sealed_for_the_account(self, keyring: Keyring) -> None:
        account = keyring.account("a")
        wrap = wrap_key(b"k" * 32, reader=encryption_public_key(account))
        sidecar = Sidecar(digest=bytes32("0x" + "00" * 32), wraps=(wrap,))

        private = bytes.fromhex(encryption_private_key(account)[2:])

        assert unwrap_key(sidecar, private) == b"k" * 32

    def test_is_a_compressed_point_and_not_the_signing_key(self, keyring: Keyring) -> None:
        account = keyring.account("a")
        signing = coincurve.PrivateKey(bytes(account.key)).public_key.format(compressed=True)

        public = encryption_public_key(account)

        assert len(public) == 2 + 2 * 33
        assert public == encryption_public_key(account)
        assert public != "0x" + signing.hex()
