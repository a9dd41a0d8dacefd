"""`shulian verify`: files and a trust list, no ledger, no network."""

import json
import shutil
from pathlib import Path

import pytest

from chain.documents import canonical
from tests.api.shell import modules_after, run, shulian

LATER = "2126-01-01T00:00:00Z"
HEAVY = ("web3", "fastapi", "sqlalchemy", "uvicorn", "frictionless", "chain.client", "api.config")


@pytest.fixture
def peer(home: Path, tmp_path: Path) -> Path:
    """The exported files in a bare folder, as another exchange receives them."""
    return Path(shutil.copytree(home / "exports", tmp_path / "received"))


def one_file(peer: Path) -> Path:
    return sorted((peer / "certificates").iterdir())[0]


class TestVerify:
    def test_says_valid_and_ends_with_zero(self, peer: Path) -> None:
        told = shulian("verify", one_file(peer), "--trust", peer / "trust.json", "--json")

        assert told.code == 0
        assert set(told.json) == {"verdict", "fragments", "as_of"}
        assert told.json["verdict"] == "VALID"
        assert {"name", "status", "code", "message"} == set(told.json["fragments"][0])
        assert set(told.json["as_of"]) == {"block_number", "block_hash", "time"}

    def test_needs_neither_home_nor_variables(self, peer: Path) -> None:
        told = run(
            "verify",
            *sorted((peer / "certificates").iterdir()),
            "--trust",
            "trust.json",
            "--json",
            cwd=peer,
            environment={"PATH": "/usr/bin:/bin"},
        )

        assert told.code == 0, told.err
        assert len(told.json) == len(list((peer / "certificates").iterdir()))
        assert {one["verdict"] for one in told.json} == {"VALID"}
        assert sorted(one.name for one in peer.iterdir()) == [
            "certificates",
            "checkpoint.json",
            "trust.json",
        ]

    def test_loads_nothing_heavy(self, peer: Path) -> None:
        """Start fast: neither web3 nor a server or database is imported."""
        loaded = modules_after("verify", one_file(peer), "--trust", peer / "trust.json")

        assert "registry.bundles" in loaded
        assert loaded.isdisjoint(HEAVY)

    def test_says_invalid_of_a_changed_file(self, peer: Path) -> None:
        changed = one_file(peer)
        held = json.loads(changed.read_bytes())
        held["document"]["holder"] = "somebody else"
        changed.write_bytes(canonical(held))

        told = shulian("verify", changed, "--trust", peer / "trust.json", "--json")

        assert told.code == 1
        assert told.json["verdict"] == "INVALID"

    def test_says_unknown_when_the_checkpoint_is_old(self, peer: Path) -> None:
        arguments = (one_file(peer), "--trust", peer / "trust.json", "--at", LATER)
        told = shulian("verify", *arguments, "--json")

        assert told.code == 1
        codes = {one["code"] for one in told.json["fragments"]}
        assert "CHECKPOINT_STALE" in codes

    def test_tells_people_every_part(self, peer: Path) -> None:
        told = shulian("verify", one_file(peer), "--trust", peer / "trust.json")

        assert told.out.startswith("VALID  ")
        assert "signatures" in told.out
        assert "as of block" in told.out

    def test_says_first_what_is_valid(self, peer: Path) -> None:
        """K-03: "valid" alone says nothing: which certificate, whose, about what, since when."""
        file = next(one for one in sorted((peer / "certificates").iterdir()) if "VN" in one.name)
        held = json.loads(file.read_bytes())

        told = shulian("verify", file, "--trust", peer / "trust.json")

        lines = told.out.splitlines()
        at = lines.index("  certifies")
        said = dict(line.strip().split(maxsplit=1) for line in lines[at + 1 : at + 5])
        assert at == 1
        assert said["code"] == file.stem
        assert said["kind"] == "REGISTRATION"
        assert said["holder"] == f"{held['document']['holder']['name']} {held['fields']['holder']}"
        assert said["subject"].startswith(f"ASSET {held['fields']['subject_id']}")
        assert any(line.strip().startswith("issued at") for line in lines)

    def test_says_of_a_changed_file_only_what_it_claims(self, peer: Path) -> None:
        changed = one_file(peer)
        held = json.loads(changed.read_bytes())
        held["document"]["name"] = "another"
        changed.write_bytes(canonical(held))

        told = shulian("verify", changed, "--trust", peer / "trust.json")

        assert "claims to certify" in told.out
        assert "  certifies" not in told.out.splitlines()

    def test_ends_with_one_if_any_file_fails(self, peer: Path) -> None:
        good, bad = sorted((peer / "certificates").iterdir())[:2]
        bad.write_bytes(b"{}")

        told = shulian("verify", good, bad, "--trust", peer / "trust.json", "--json")

        assert told.code == 1
        assert [one["verdict"] for one in told.json] == ["VALID", "INVALID"]
        assert told.json[1]["file"] == str(bad)


class TestRefusals:
    @pytest.mark.parametrize(
        "content", [b"", b"{}", b"[]", b"\xff\xfe", b"[" * 5_000, b'{"format":"shulian-trust/1"}']
    )
    def test_refuses_a_trust_list_that_is_none(self, peer: Path, content: bytes) -> None:
        (peer / "trust.json").write_bytes(content)

        told = shulian("verify", one_file(peer), "--trust", peer / "trust.json", "--json")

        assert told.code == 2
        assert told.out == ""
        assert told.problem["type"] == "/problems/trust-list-unreadable"

    @pytest.mark.parametrize("missing", ["trust", "file"])
    def test_refuses_files_that_are_not_there(self, peer: Path, missing: str) -> None:
        trust = peer / ("nothing.json" if missing == "trust" else "trust.json")
        file = peer / "nothing.json" if missing == "file" else one_file(peer)

        told = shulian("verify", file, "--trust", trust)

        assert told.code == 2
        assert "No such file" in told.err
        assert "Traceback" not in told.err

    @pytest.mark.parametrize("at", ["yesterday", "2026-05-04T08:00:00", "-1", "9" * 20])
    def test_refuses_a_moment_that_is_none(self, peer: Path, at: str) -> None:
        arguments = (one_file(peer), "--trust", peer / "trust.json", f"--at={at}")
        told = shulian("verify", *arguments, "--json")

        assert told.code == 2
        assert told.problem["type"] == "/problems/value-not-taken"

    def test_shows_nothing_that_a_terminal_would_obey(self, peer: Path) -> None:
        evil = peer / "certificates" / "\x1b[31mred.json"
        evil.write_bytes(b'"\x1b[31m"')

        told = shulian("verify", evil, "--trust", peer / "trust.json")

        assert told.code == 1
        assert "\x1b" not in told.out
