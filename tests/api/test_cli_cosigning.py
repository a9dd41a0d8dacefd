"""
`checkpoint`, `export` and `trust`: two exchanges on one chain, each with a home of its own, and a
third party who has nothing but the files.
"""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from api.app import create_app
from api.compose import open_services, worker_of
from api.config import read_settings
from api.cosigning import (
    UNSIGNED,
    CheckpointInvalid,
    SignerTwice,
    read_checkpoint,
    write_checkpoint,
)
from api.demo.cast import CAST, EXCHANGE_A, EXCHANGE_B
from chain.values import Address, participant_id, raw
from registry.bundles import CheckpointSignature
from registry.checkpoints import signers_hash_of
from tests.api.copies import change, copy_home
from tests.api.lived import Lived
from tests.api.shell import Told, command, run, shulian
from tests.postgres import environment_of, mirror_of

A, B = participant_id(EXCHANGE_A.uscc), participant_id(EXCHANGE_B.uscc)


@pytest.fixture(scope="module")
def config(lived: Lived, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where both find the chain."""
    path = tmp_path_factory.mktemp("config") / "shulian.toml"
    path.write_text(f'rpc_url = "{lived.demo.rpc_url}"\nfinality = "0"\n')
    return path


def joined(lived: Lived, config: Path, home: Path, key: str) -> Path:
    """Make a home that joined the chain, holds one key, and has mirrored all of it."""
    chain_id = lived.demo.deployment.chain_id
    deployment = lived.settings.deployments / f"{chain_id}.json"
    told = shulian("--config", config, "join", deployment, "--home", home)
    assert told.code == 0, told.err
    (home / "keys").mkdir(mode=0o700)
    for name in (f"{key}.json", "password"):
        shutil.copy2(lived.settings.home / "keys" / name, home / "keys" / name)
    shutil.copytree(lived.settings.home / "content", home / "content")
    settings = read_settings(
        {}, home=home, mirror_url=mirror_of(home), rpc_url=lived.demo.rpc_url, finality="0"
    )
    opened = open_services(settings, chain_id=chain_id, rpc_url=settings.rpc_url)
    with opened as services, worker_of(services, settings) as worker:
        worker.sync_once()
    return home


@pytest.fixture(scope="module")
def founded(
    lived: Lived, config: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, Path]:
    """The homes of two exchanges on one chain."""
    folder = tmp_path_factory.mktemp("exchanges")
    return (
        joined(lived, config, folder / "a", "exchange-a"),
        joined(lived, config, folder / "b", "exchange-b"),
    )


class Exchange:
    """A home, and its commands."""

    def __init__(self, home: Path, config: Path) -> None:
        self.home = home
        self.config = config

    def __call__(self, *arguments: object) -> Told:
        return shulian("--config", self.config, *arguments, "--home", self.home, "--json")

    @property
    def keys(self) -> list[str]:
        """Return the names of its keys."""
        return sorted(path.stem for path in (self.home / "keys").glob("*.json"))


@pytest.fixture
def a(founded: tuple[Path, Path], config: Path, tmp_path: Path) -> Exchange:
    return Exchange(copy_home(founded[0], tmp_path / "a"), config)


@pytest.fixture
def b(founded: tuple[Path, Path], config: Path, tmp_path: Path) -> Exchange:
    return Exchange(copy_home(founded[1], tmp_path / "b"), config)


@pytest.fixture
def file(a: Exchange, tmp_path: Path) -> Path:
    """A checkpoint that A made for both, and signed."""
    path = tmp_path / "checkpoint.json"
    told = a("checkpoint", "make", path, "--as", "exchange-a", "--with", B)
    assert told.code == 0, told.err
    return path


@pytest.fixture
def api(a: Exchange, lived: Lived) -> Iterator[TestClient]:
    """The API of A."""
    settings = read_settings(
        {}, home=a.home, mirror_url=mirror_of(a.home), rpc_url=lived.demo.rpc_url
    )
    chain_id = lived.demo.deployment.chain_id
    with open_services(settings, chain_id=chain_id, rpc_url=settings.rpc_url) as services:
        yield TestClient(create_app(services), base_url=services.origin)


def kept(home: Path) -> dict[str, bytes]:
    """Return what a home has exported."""
    return {str(one): one.read_bytes() for one in (home / "exports").rglob("*.json")}


def verdicts(folder: Path, trust: Path) -> set[str]:
    """Return what a third party finds, who has the files and a trust list."""
    files = sorted((folder / "certificates").iterdir())
    told = run("verify", *files, "--trust", trust, "--json", environment={"PATH": "/usr/bin:/bin"})
    return {one["verdict"] for one in json.loads(told.out)}


class TestTwoExchanges:
    def test_make_files_that_a_third_party_finds_valid(
        self, a: Exchange, b: Exchange, file: Path, api: TestClient, tmp_path: Path
    ) -> None:
        """The whole way: A makes, B checks and signs, both export, somebody else verifies."""
        made = read_checkpoint(file.read_bytes())
        signed = b("checkpoint", "sign", file, "--as", "exchange-b")
        exported = [one("export", file) for one in (a, b)]
        trust = b("trust", tmp_path / "trust.json", "--threshold", 2)
        code = api.get("/v1/certificates").json()["items"][0]["code_text"]
        handed_out = api.get(f"/v1/certificates/{code}/bundle")

        assert len(made.missing) == 1
        assert signed.code == 0, signed.err
        assert {one["name"]: one["has_signed"] for one in signed.json["signers"]} == {
            EXCHANGE_A.name_zh: True,
            EXCHANGE_B.name_zh: True,
        }
        assert [one.code for one in exported] == [0, 0], exported
        assert exported[0].json["certificates"] == 10
        assert exported[0].json["missing"] == []
        assert trust.code == 0, trust.err
        assert verdicts(a.home / "exports", tmp_path / "trust.json") == {"VALID"}
        assert verdicts(b.home / "exports", tmp_path / "trust.json") == {"VALID"}
        assert handed_out.content == (a.home / f"exports/certificates/{code}.json").read_bytes()
        assert (a.keys, b.keys) == (["exchange-a"], ["exchange-b"])

    def test_pass_the_file_through_pipes(self, a: Exchange, b: Exchange, file: Path) -> None:
        """Who may not read another's files hands them on."""
        given = ("checkpoint", "sign", "-", "--as", "exchange-b", "--home", b.home)
        signing = command("--config", b.config, *given)

        done = subprocess.run(
            signing,
            input=file.read_bytes(),
            env={**os.environ, **environment_of(b.home)},
            capture_output=True,
            check=True,
        )
        file.write_bytes(done.stdout)

        assert EXCHANGE_B.name_zh.encode() in done.stderr
        assert a("export", file).code == 0


class TestExport:
    def test_invents_nothing(self, a: Exchange) -> None:
        """Names of the demonstration, a key or a trust list in a real exchange's home are lies."""
        told = a("export")

        assert told.code == 2
        assert told.problem["type"] == "/problems/signer-missing"
        assert a.keys == ["exchange-a"]
        assert kept(a.home) == {}

    def test_signs_alone_with_a_key_that_is_there_and_says_whose(self, a: Exchange) -> None:
        told = a("export", "--as", "exchange-a")

        assert told.code == 0, told.err
        (signer,) = told.json["signers"]
        assert (signer["participant_id"], signer["name"]) == (A, EXCHANGE_A.name_zh)
        assert not (a.home / "exports/trust.json").exists()

    def test_makes_no_key(self, a: Exchange) -> None:
        told = a("export", "--as", "exchange-b")

        assert told.problem["type"] == "/problems/key-not-found"
        assert a.keys == ["exchange-a"]

    def test_refuses_a_checkpoint_that_not_all_signed(self, a: Exchange, file: Path) -> None:
        told = a("export", file)

        assert told.problem["type"] == "/problems/checkpoint-unsigned"
        assert kept(a.home) == {}

    def test_never_goes_back_to_an_older_checkpoint(self, a: Exchange, tmp_path: Path) -> None:
        older = tmp_path / "older.json"
        a("checkpoint", "make", older, "--as", "exchange-a", "--as-of-block", 5)
        a("export", "--as", "exchange-a")
        before = kept(a.home)

        told = a("export", older)

        assert told.problem["type"] == "/problems/checkpoint-older"
        assert kept(a.home) == before


class TestMake:
    def test_is_of_a_final_block(self, a: Exchange, tmp_path: Path) -> None:
        change(a.home, "UPDATE heads SET final_number = 7")
        path = tmp_path / "checkpoint.json"

        refused = a("checkpoint", "make", path, "--as", "exchange-a", "--as-of-block", 8)
        made = a("checkpoint", "make", path, "--as", "exchange-a")

        assert refused.problem["type"] == "/problems/not-final-yet"
        assert made.json["as_of"]["block_number"] == 7

    def test_replaces_no_file(self, a: Exchange, tmp_path: Path) -> None:
        (tmp_path / "notes.txt").write_text("mine")

        told = a("checkpoint", "make", tmp_path / "notes.txt", "--as", "exchange-a")

        assert told.code == 2
        assert (tmp_path / "notes.txt").read_text() == "mine"

    def test_refuses_a_key_that_is_nobodys(self, a: Exchange, tmp_path: Path) -> None:
        shulian("key", "make", "stranger", "--home", a.home)

        told = a("checkpoint", "make", tmp_path / "checkpoint.json", "--as", "stranger")

        assert told.problem["type"] == "/problems/signer-refused"
        assert told.problem["fields"]["reason"] == "it belongs to nobody"
        assert not (tmp_path / "checkpoint.json").exists()

    def test_refuses_who_is_no_exchange(self, a: Exchange, lived: Lived, tmp_path: Path) -> None:
        shutil.copy2(lived.settings.home / "keys/supplier.json", a.home / "keys/supplier.json")

        told = a("checkpoint", "make", tmp_path / "checkpoint.json", "--as", "supplier")

        assert told.problem["fields"]["reason"] == "its organisation is no exchange"

    def test_refuses_one_party_twice(self, a: Exchange, tmp_path: Path) -> None:
        path = tmp_path / "checkpoint.json"

        told = a("checkpoint", "make", path, "--as", "exchange-a", "--with", A)

        assert told.problem["type"] == "/problems/signer-twice"
        assert not path.exists()


class TestSign:
    def refused(self, b: Exchange, file: Path, by: str = "exchange-b") -> Any:
        """Sign, see that it is refused, and that the file is as it was."""
        before = file.read_bytes()
        told = b("checkpoint", "sign", file, "--as", by)
        assert told.code == 1
        assert file.read_bytes() == before
        return told.problem

    def test_refuses_another_root(self, b: Exchange, file: Path) -> None:
        change(b.home, "UPDATE certificates SET flags = 1 WHERE to_block IS NULL")

        problem = self.refused(b, file)

        assert problem["type"] == "/problems/checkpoint-differs"
        (difference,) = problem["fields"]["differences"]
        assert difference.startswith("root: 0x")
        assert ", here 0x" in difference

    def test_refuses_another_block(self, b: Exchange, file: Path) -> None:
        number = read_checkpoint(file.read_bytes()).checkpoint.block_number
        change(
            b.home,
            "UPDATE blocks SET hash = :hash WHERE number = :number",
            hash=b"\x12" * 32,
            number=number,
        )

        differences = self.refused(b, file)["fields"]["differences"]

        assert [one.partition(":")[0] for one in differences] == ["block_hash"]

    def test_refuses_a_block_that_is_not_here_yet(self, b: Exchange, file: Path) -> None:
        number = read_checkpoint(file.read_bytes()).checkpoint.block_number
        change(b.home, f"DELETE FROM blocks WHERE number >= {number}")

        (difference,) = self.refused(b, file)["fields"]["differences"]

        assert difference == f"block_number: {number}, which this mirror does not hold"

    def test_refuses_a_block_that_may_still_change(self, b: Exchange, file: Path) -> None:
        change(b.home, "UPDATE heads SET final_number = 7")

        assert self.refused(b, file)["type"] == "/problems/not-final-yet"

    def test_refuses_a_suspended_participant(self, b: Exchange, file: Path) -> None:
        change(
            b.home,
            "UPDATE participants SET state = 'SUSPENDED' WHERE participant_id = :id",
            id=raw(A),
        )

        problem = self.refused(b, file)

        assert problem["type"] == "/problems/signer-refused"
        assert problem["fields"]["reason"] == "its organisation is suspended"

    def test_refuses_a_revoked_account(self, b: Exchange, file: Path) -> None:
        change(b.home, "UPDATE accounts SET revoked_at = 1 WHERE participant_id = :id", id=raw(B))

        assert "not active" in self.refused(b, file)["fields"]["reason"]

    def test_refuses_a_key_that_is_not_named(self, b: Exchange, file: Path) -> None:
        shulian("key", "make", "stranger", "--home", b.home)

        assert self.refused(b, file, "stranger")["type"] == "/problems/signer-not-named"

    def test_refuses_a_signature_that_is_not_genuine(self, b: Exchange, file: Path) -> None:
        text = file.read_text()
        signature = next(
            one.signature
            for one in read_checkpoint(text.encode()).signatures
            if len(one.signature) > 2
        )
        file.write_text(text.replace(signature[2:12], "0123456789"))

        assert self.refused(b, file)["type"] == "/problems/checkpoint-invalid"


class TestAFile:
    def test_gives_an_exchange_one_place(self, file: Path) -> None:
        """Two accounts of one party would count as two signatures to people, not to verifiers."""
        signed = read_checkpoint(file.read_bytes())
        second = CheckpointSignature(
            account=Address("0x" + "ff" * 20), participant_id=A, signature=UNSIGNED
        )
        places = tuple(sorted((*signed.signatures, second), key=lambda one: one.account))
        checkpoint = replace(
            signed.checkpoint, signers_hash=signers_hash_of(one.account for one in places)
        )

        with pytest.raises(SignerTwice):
            read_checkpoint(
                write_checkpoint(replace(signed, checkpoint=checkpoint, signatures=places))
            )

    @pytest.mark.parametrize("text", ["", "{}", "[]", '{"checkpoint":{},"signatures":[]}'])
    def test_that_is_none_is_refused(self, text: str) -> None:
        with pytest.raises(CheckpointInvalid):
            read_checkpoint(text.encode())

    def test_may_leave_nobody_out(self, file: Path) -> None:
        signed = read_checkpoint(file.read_bytes())

        with pytest.raises(CheckpointInvalid):
            read_checkpoint(write_checkpoint(replace(signed, signatures=signed.signatures[:1])))


class TestTrust:
    def test_names_the_exchanges_of_the_ledger(self, a: Exchange, tmp_path: Path) -> None:
        told = a("trust", tmp_path / "trust.json", "--threshold", 1)

        assert told.code == 0, told.err
        assert {one["participant_id"]: one["name"] for one in told.json["exchanges"]} == {
            A: EXCHANGE_A.name_zh,
            B: EXCHANGE_B.name_zh,
        }
        assert set(told.json["issuers"]) == {participant_id(one.uscc) for one in CAST if one.issues}
        assert "decides alone whom to trust" in told.err

    def test_counts_only_those_whom_the_verifier_chose(self, a: Exchange, tmp_path: Path) -> None:
        """Who trusts B alone is not convinced by A."""
        a("export", "--as", "exchange-a")
        told = a("trust", tmp_path / "trust.json", "--threshold", 1, "--exchange", B[:12])

        assert [one["participant_id"] for one in told.json["exchanges"]] == [B]
        assert verdicts(a.home / "exports", tmp_path / "trust.json") == {"UNKNOWN"}

    def test_leaves_out_who_is_suspended(self, a: Exchange, tmp_path: Path) -> None:
        change(
            a.home,
            "UPDATE participants SET state = 'SUSPENDED' WHERE participant_id = :id",
            id=raw(B),
        )

        told = a("trust", tmp_path / "trust.json", "--threshold", 1)
        named = a("trust", tmp_path / "other.json", "--threshold", 1, "--exchange", B)

        assert [one["participant_id"] for one in told.json["exchanges"]] == [A]
        assert named.problem["type"] == "/problems/exchange-unknown"

    def test_asks_for_no_more_than_there_are(self, a: Exchange, tmp_path: Path) -> None:
        told = a("trust", tmp_path / "trust.json", "--threshold", 3)

        assert told.problem["type"] == "/problems/trust-list-invalid"
        assert not (tmp_path / "trust.json").exists()

    def test_replaces_nothing_but_a_trust_list(self, a: Exchange, tmp_path: Path) -> None:
        (tmp_path / "notes.txt").write_text("mine")

        told = a("trust", tmp_path / "notes.txt", "--threshold", 1)
        again = [a("trust", "--threshold", 1).code for _ in range(2)]

        assert told.problem["type"] == "/problems/file-not-taken"
        assert (tmp_path / "notes.txt").read_text() == "mine"
        assert again == [0, 0]
