"""
What must not be older, must not be there, or must not be written into a lock.

Not a search for new advisories: that needs their databases and is no part of the tests.
"""

import json
import re
from importlib import metadata

import coincurve
import pytest
from eth_keys import KeyAPI
from eth_keys.backends import CoinCurveECCBackend
from packaging.version import Version

from chain.compile import ROOT

LOCKS = ("requirements.lock", "requirements-dev.lock")


def _locked(lock: str) -> dict[str, Version]:
    text = (ROOT / lock).read_text("utf-8")
    pins = re.findall(r"^([A-Za-z0-9._-]+)==(\S+)", text, re.MULTILINE)
    return {name.lower().replace("_", "-"): Version(version) for name, version in pins}


def _node_packages() -> dict[str, dict[str, str]]:
    packages = json.loads((ROOT / "package-lock.json").read_text("utf-8"))["packages"]
    return {name: package for name, package in packages.items() if name}


class TestFloors:
    def test_solc_has_no_known_code_generation_bug(self) -> None:
        """0.8.28 to 0.8.35 carry bugs that change what a contract does."""
        assert Version(_node_packages()["node_modules/solc"]["version"]) >= Version("0.8.36")

    @pytest.mark.parametrize(
        ("name", "floor"), [("starlette", "1.3.1"), ("python-multipart", "0.0.27")]
    )
    def test_http_cannot_be_stopped_by_one_request(self, name: str, floor: str) -> None:
        """Older ones can be kept busy by one multipart or Range request."""
        assert Version(metadata.version(name)) >= Version(floor)
        assert all(_locked(lock)[name] >= Version(floor) for lock in LOCKS)

    @pytest.mark.parametrize("lock", LOCKS)
    def test_no_library_confuses_token_keys(self, lock: str) -> None:
        """PyJWT before 2.13.0 and every python-jose take a public key for a shared secret."""
        locked = _locked(lock)

        assert "python-jose" not in locked
        assert locked.get("pyjwt", Version("2.13.0")) >= Version("2.13.0")

    def test_signatures_are_made_by_libsecp256k1(self) -> None:
        """Without coincurve, eth-keys falls back to slow Python that is not constant in time."""
        key = coincurve.PrivateKey(b"\x01" * 32)

        assert isinstance(KeyAPI().backend, CoinCurveECCBackend)
        assert len(key.sign_recoverable(bytes(32), hasher=None)) == 65


class TestLocks:
    @pytest.mark.parametrize("lock", LOCKS)
    def test_pin_every_package_by_hash(self, lock: str) -> None:
        text = (ROOT / lock).read_text("utf-8")
        blocks = re.split(r"^(?=[A-Za-z0-9])", text, flags=re.MULTILINE)[1:]

        assert len(blocks) > 50
        assert [block for block in blocks if "--hash=sha256:" not in block] == []

    @pytest.mark.parametrize("lock", LOCKS)
    def test_name_neither_an_index_nor_a_folder(self, lock: str) -> None:
        text = (ROOT / lock).read_text("utf-8")

        found = re.findall(
            r"^.*(?:://|--find-links|--index|--extra-index| @ |/home/).*$", text, re.M
        )

        assert found == []

    def test_agree_on_what_runs(self) -> None:
        runtime, development = (_locked(lock) for lock in LOCKS)

        assert {name: development.get(name) for name in runtime} == runtime

    def test_of_node_name_no_server_but_the_registry(self) -> None:
        for name, package in _node_packages().items():
            resolved = package.get("resolved", "https://registry.npmjs.org/")

            assert package["integrity"].startswith("sha512-"), name
            assert resolved.startswith("https://registry.npmjs.org/"), name

    def test_of_node_agree_with_package_json(self) -> None:
        package = json.loads((ROOT / "package.json").read_text("utf-8"))
        wanted = package["devDependencies"] | package["optionalDependencies"]
        packages = _node_packages()

        assert {name: packages[f"node_modules/{name}"]["version"] for name in wanted} == wanted
