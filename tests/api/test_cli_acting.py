"""Acts from the command line: sent, repeated, signed for others, refused by name."""

import json
from pathlib import Path
from typing import Any

import pytest
from eth_account.messages import encode_typed_data

from api.commands.acting import help_of
from api.commands.options import example_of
from chain.acts import ACTS, ListingsApprove, TradesConclude
from chain.codes import CertificateFlag
from chain.signing import signer_of
from chain.values import keccak
from tests.api.shell import Told, shulian

DIGEST = "0x" + "ab" * 32


def cause(reason: int, authority: str = "VENUE") -> str:
    return json.dumps(
        {
            "reason_code": reason,
            "document_digest": DIGEST,
            "digest_alg": "SHA256",
            "authority": authority,
            "until": 0,
        }
    )


def act(home: Path, *arguments: object) -> Told:
    return shulian(*arguments, "--home", home, "--json")


@pytest.fixture
def listing_id(home: Path) -> str:
    found: str = shulian("listing", "ls", "--home", home, "--json").json["items"][0]["listing_id"]
    return found


def state_of(home: Path, listing_id: str) -> Any:
    return shulian("listing", "show", listing_id, "--home", home, "--json").json["state"]


class TestAct:
    def test_is_carried_out_mirrored_and_not_repeated(self, home: Path, listing_id: str) -> None:
        arguments = ("--listing-id", listing_id, "--cause", cause(7), "--as", "exchange-a")

        first = act(home, "listing", "suspend", *arguments, "--key", "test/suspend-7")
        after = state_of(home, listing_id)
        again = act(home, "listing", "suspend", *arguments, "--key", "test/suspend-7")
        act(home, "listing", "resume", *arguments[:3], cause(8), *arguments[4:])

        assert first.code == again.code == 0, first.err + again.err
        assert first.json["state"] == "MINED"
        assert [one["name"] for one in first.json["events"]] == ["ListingSuspended"]
        assert after == "SUSPENDED"
        assert again.json["is_repeat"]
        assert again.json["transaction_hash"] == first.json["transaction_hash"]
        assert state_of(home, listing_id) == "LISTED"

    def test_is_signed_by_one_and_sent_by_another(
        self, home: Path, listing_id: str, tmp_path: Path
    ) -> None:
        """Whoever has no node signs (EIP-712), and anyone sends (joints 3)."""
        arguments = ("--listing-id", listing_id, "--cause", cause(11), "--as", "exchange-a")
        signed = shulian("listing", "suspend", *arguments, "--sign-only", "--home", home)
        file = tmp_path / "signed.json"
        file.write_text(signed.out)
        before = state_of(home, listing_id)

        sent = act(home, "listing", "suspend", "--authorization", file, "--as", "bank")
        act(home, "listing", "resume", *arguments[:3], cause(12), *arguments[4:])

        assert set(signed.json) == {"act", "authorization"}
        assert before == "LISTED"
        assert sent.code == 0, sent.err
        names = [one["name"] for one in sent.json["events"]]
        assert names == ["AuthorizationUsed", "ListingSuspended"]
        signer = sent.json["events"][1]["fields"]["by_account"]
        assert signer == signed.json["authorization"]["account"]

    def test_takes_its_arguments_from_a_file(
        self, home: Path, listing_id: str, tmp_path: Path
    ) -> None:
        file = tmp_path / "act.json"
        file.write_text(json.dumps({"listing_id": listing_id, "cause": json.loads(cause(21))}))

        told = act(home, "listing", "suspend", "--file", file, "--as", "exchange-a")
        act(
            home, "listing", "resume", "--listing-id", listing_id, "--cause", cause(22),
            "--as", "exchange-a",
        )  # fmt: skip

        assert told.code == 0, told.err

    def test_keeps_a_file_for_its_digest(self, home: Path, tmp_path: Path) -> None:
        document = tmp_path / "profile.json"
        document.write_text('{"b": 1, "a": "甲"}')

        told = act(
            home, "participant", "supplement", "--participant-id", DIGEST,
            "--profile-digest", f"@{document}", "--as", "vendor", "--sign-only",
        )  # fmt: skip

        digest = told.json["act"]["profile_digest"]
        kept = [path for path in (home / "content").rglob("*") if digest[2:] in path.name]
        assert [path.read_bytes() for path in kept] == ['{"a":"甲","b":1}'.encode()]

    def test_takes_a_certificate_by_its_id(self, home: Path) -> None:
        certificates = shulian("certificate", "ls", "--home", home, "--json").json["items"]

        told = act(
            home, "certificate", "flag", "--fields", certificates[0]["certificate_id"][:14],
            "--flag", CertificateFlag.JUDICIAL_FREEZE.name,
            "--cause", cause(1, "COURT"), "--as", "regulator", "--sign-only",
        )  # fmt: skip

        assert told.code == 0, told.err
        fields = told.json["act"]["fields"]
        assert fields["certificate_id"] == certificates[0]["certificate_id"]
        assert fields["code"] == certificates[0]["code"]


class TestRefusals:
    def test_names_the_contracts_error(self, home: Path, listing_id: str) -> None:
        arguments = ("--listing-id", listing_id, "--cause", cause(1), "--as", "exchange-b")

        told = act(home, "listing", "suspend", *arguments)
        drawn = shulian("listing", "suspend", *arguments, "--home", home)

        assert told.code == drawn.code == 1
        assert told.problem["type"] == "/problems/authority-missing"
        assert drawn.err.startswith("AuthorityMissing: ")
        assert "Traceback" not in drawn.err

    @pytest.mark.parametrize(
        ("arguments", "problem"),
        [
            ((), "option-missing"),
            (("--listing-id", "0x12"), "value-not-taken"),
            (("--listing-id", "zz"), "value-not-taken"),
            (("--listing-id", DIGEST, "--cause", "{}"), "value-not-taken"),
            (("--listing-id", DIGEST, "--cause", "[" * 5_000), "value-not-taken"),
            (("--listing-id", DIGEST, "--cause", '{"reason_code": 70000}'), "value-not-taken"),
            (("--listing-id", DIGEST, "--cause", "@nothing.json"), "file-not-taken"),
            (("--listing-id", DIGEST, "--file", "nothing.json"), "file-not-taken"),
        ],
    )
    def test_refuses_arguments_that_are_none_as_misuse(
        self, home: Path, arguments: tuple[str, ...], problem: str
    ) -> None:
        told = act(home, "listing", "suspend", *arguments, "--as", "exchange-a")

        assert told.code == 2
        assert told.problem["type"] == f"/problems/{problem}"

    def test_refuses_a_number_that_does_not_fit(self, home: Path, listing_id: str) -> None:
        told = act(
            home, "listing", "suspend", "--listing-id", listing_id, "--cause", cause(70_000),
            "--as", "exchange-a",
        )  # fmt: skip

        assert told.code == 2
        assert told.problem["type"] == "/problems/act-not-taken"

    def test_refuses_a_key_that_is_not_here(self, home: Path) -> None:
        told = act(home, "listing", "approve", "--listing-id", DIGEST, "--as", "nobody")

        assert told.code == 1
        assert told.problem["type"] == "/problems/key-not-found"
        assert not (home / "keys" / "nobody.json").exists()

    def test_refuses_a_signature_of_another_act(
        self, home: Path, listing_id: str, tmp_path: Path
    ) -> None:
        file = tmp_path / "signed.json"
        signed = shulian(
            "listing", "approve", "--listing-id", listing_id, "--as", "exchange-a",
            "--sign-only", "--home", home,
        )  # fmt: skip
        file.write_text(signed.out)

        told = act(
            home, "listing", "approve", "--authorization", file, "--listing-id", DIGEST,
            "--as", "bank",
        )  # fmt: skip

        assert told.code == 2
        assert told.problem["type"] == "/problems/authorization-differs"

    @pytest.mark.parametrize("sender", ["exchange-a", "relayer"])
    def test_relays_nothing_that_nobody_signed(
        self, home: Path, listing_id: str, tmp_path: Path, sender: str
    ) -> None:
        file = tmp_path / "unsigned.json"
        arguments = ("--listing-id", listing_id, "--cause", cause(41), "--as", "exchange-a")
        signed = shulian("listing", "suspend", *arguments, "--sign-only", "--home", home).json
        signed["authorization"]["signature"] = "0x"
        file.write_text(json.dumps(signed))

        told = act(home, "listing", "suspend", "--authorization", file, "--as", sender)

        assert told.code == 1
        assert told.problem["type"] == "/problems/signature-invalid"
        assert state_of(home, listing_id) == "LISTED"

    def test_refuses_one_key_for_two_acts(self, home: Path, listing_id: str) -> None:
        common = ("--listing-id", listing_id, "--as", "exchange-a", "--key", "test/one-key")
        first = act(home, "listing", "suspend", *common, "--cause", cause(31))

        other = act(home, "listing", "suspend", *common, "--cause", cause(32))
        act(
            home, "listing", "resume", "--listing-id", listing_id, "--cause", cause(33),
            "--as", "exchange-a",
        )  # fmt: skip

        assert first.code == 0, first.err
        assert other.code == 1
        assert other.problem["type"] == "/problems/outbox-conflict"


class TestSign:
    def test_signs_the_very_contract_that_the_chain_holds(self, home: Path, tmp_path: Path) -> None:
        """H-07: both sides sign the terms in the clear."""
        trade = shulian("trade", "ls", "--home", home, "--json").json["items"][0]
        events = shulian("trade", "show", trade["trade_id"], "--home", home, "--json").json[
            "events"
        ]
        (concluded,) = (one for one in events if one["name"] == "TradeConcluded")
        file = tmp_path / "terms.json"
        file.write_text(json.dumps({"terms": concluded["fields"]["terms"]}))

        told = shulian("trade", "sign", file, "--as", "buyer-one", "--home", home, "--json")

        assert told.code == 0, told.err
        typed = told.json["typed_data"]
        signed = encode_typed_data(full_message=typed)
        digest = keccak(b"\x19\x01" + signed.header + signed.body)
        assert signer_of(typed, told.json["signature"]) == told.json["account"]
        assert f"0x{digest.hex()}" == trade["terms_digest"]

    def test_refuses_a_file_without_terms(self, home: Path, tmp_path: Path) -> None:
        file = tmp_path / "terms.json"
        file.write_text("[]")

        told = shulian("trade", "sign", file, "--as", "buyer-one", "--home", home, "--json")

        assert told.code == 2
        assert told.problem["type"] == "/problems/file-not-taken"


class TestWords:
    def test_writes_an_example_that_names_what_is_required(self) -> None:
        assert example_of(ListingsApprove) == "--listing-id 0x…"
        assert example_of(TradesConclude).count("--") == 9

    @pytest.mark.parametrize("name", sorted(ACTS))
    def test_says_what_each_act_writes(self, name: str) -> None:
        kind = ACTS[name]
        assert f"Writes {kind.CONTRACT}.{kind.FUNCTION}." in help_of(kind)
