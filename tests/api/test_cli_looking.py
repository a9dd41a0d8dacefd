"""`ls`, `show`, `trace`, `status`, `asset check`: what a home holds, for people and programs."""

import json
from pathlib import Path
from typing import Any

import pytest

from api.commands.nouns import NOUNS
from api.samples import PORT_THROUGHPUT
from tests.anvil import Anvil
from tests.api.shell import Told, run, shulian

COUNTS = {
    "participant": 16,
    "profile": 1,
    "agreement": 1,
    "asset": 4,
    "registration": 4,
    "assessment": 1,
    "certificate": 10,
    "listing": 1,
    "trade": 2,
    "delivery": 2,
    "settlement": 2,
}


def listed(home: Path, noun: str, *options: str) -> list[dict[str, Any]]:
    told = shulian(noun, "ls", "--home", home, "--json", "--limit", 100, *options)
    assert told.code == 0, told.err
    items: list[dict[str, Any]] = told.json["items"]
    return items


class TestLs:
    @pytest.mark.parametrize(("noun", "expected"), COUNTS.items())
    def test_lists_all_there_is(self, home: Path, noun: str, expected: int) -> None:
        told = shulian(noun, "ls", "--home", home, "--json", "--limit", 100)

        assert told.code == 0, told.err
        assert len(told.json["items"]) == told.json["total"] == expected
        assert told.json["as_of"]["block_number"] > 0

    @pytest.mark.parametrize("noun", [noun.name for noun in NOUNS])
    def test_draws_a_table(self, home: Path, noun: str) -> None:
        told = shulian(noun, "ls", "--home", home)

        assert told.code == 0, told.err
        assert "─" in told.out

    def test_keeps_to_the_limit_and_says_so(self, home: Path) -> None:
        told = shulian("participant", "ls", "--home", home, "--limit", 3)
        assert "3 of 16" in told.err

    def test_puts_the_newest_first(self, home: Path) -> None:
        blocks = [one["recorded_at_block"] for one in listed(home, "certificate")]
        assert blocks == sorted(blocks, reverse=True)

    def test_filters_by_code_name_in_any_case(self, home: Path) -> None:
        (element,) = listed(home, "asset", "--kind", "element")
        assert element["kind"] == "ELEMENT"
        assert element["status"] == "REGISTERED"

    def test_filters_by_the_beginning_of_an_id(self, home: Path) -> None:
        trade = listed(home, "trade")[0]
        (same,) = listed(home, "trade", "--buyer", trade["buyer"][:10])
        assert same == trade

    def test_shows_amounts_in_yuan_and_names_in_chinese(self, home: Path) -> None:
        told = shulian("listing", "ls", "--home", home)

        assert "price yuan" in told.out
        assert "128800.00" in told.out
        assert "智品数据产品有限公司" in told.out

    def test_writes_amounts_as_digits_of_fen(self, home: Path) -> None:
        assert listed(home, "listing")[0]["price_fen"] == "12880000"

    def test_refuses_a_code_that_is_none_as_misuse(self, home: Path) -> None:
        told = shulian("asset", "ls", "--home", home, "--kind", "GADGET")

        assert told.code == 2
        assert "RESOURCE, ELEMENT, PRODUCT" in told.err

    def test_refuses_too_short_an_id(self, home: Path) -> None:
        told = shulian("trade", "ls", "--home", home, "--buyer", "0x12", "--json")

        assert told.code == 1
        assert told.problem["type"] == "/problems/id-too-short"

    def test_refuses_a_home_that_is_none(self, tmp_path: Path) -> None:
        told = shulian("trade", "ls", "--home", tmp_path / "nowhere")

        assert told.code == 1
        assert told.err.startswith("HomeNotFound: ")
        assert "→ Make one with `shulian demo`" in told.err
        assert not (tmp_path / "nowhere").exists()


class TestShow:
    @pytest.mark.parametrize("noun", sorted({*COUNTS, "right", "funds"}))
    def test_shows_everything_by_the_beginning_of_its_id(self, home: Path, noun: str) -> None:
        item = listed(home, noun)[0]
        key = next(name for name in item if name.endswith("_id"))

        told = shulian(noun, "show", item[key][2:14], "--home", home, "--json")
        drawn = shulian(noun, "show", item[key][:14].upper().replace("0X", "0x"), "--home", home)

        assert told.code == drawn.code == 0, told.err + drawn.err
        assert {**told.json, **item} == told.json
        assert told.json["history"][-1]["to_block"] is None
        assert item[key] in drawn.out

    def test_tells_the_history_and_events_of_a_trade(self, home: Path) -> None:
        trade = listed(home, "trade")[0]

        told = shulian("trade", "show", trade["trade_id"], "--home", home, "--json").json

        states = [one["state"] for one in told["history"]]
        assert states == ["EFFECTIVE", "PERFORMING", "FULFILLED", "CLOSED"]
        names = [one["name"] for one in told["events"]]
        assert names[0] in ("CertificateIssued", "TradeConcluded", "FundsHeld")
        assert "SettlementSettled" in names
        postings = told["related"]["postings"]
        assert sum(int(one["amount_fen"]) for one in postings) == int(trade["gross_fen"])

    def test_finds_a_certificate_by_its_code(self, home: Path) -> None:
        one = listed(home, "certificate")[0]

        told = shulian("certificate", "show", one["code_text"], "--home", home, "--json")

        assert told.json["certificate_id"] == one["certificate_id"]

    def test_breaks_nested_terms_into_lines(self, home: Path) -> None:
        told = shulian("trade", "show", listed(home, "trade")[0]["trade_id"], "--home", home)

        assert "terms: gross yuan" in told.out
        assert "legs 1" in told.out

    def test_refuses_an_id_that_nothing_has(self, home: Path) -> None:
        told = shulian("trade", "show", "0x0000000000", "--home", home, "--json")

        assert told.code == 1
        assert told.problem["type"] == "/problems/id-unknown"
        assert told.problem["next_step"]

    def test_shows_a_version_that_is_asked_for(self, home: Path) -> None:
        asset = listed(home, "asset")[0]["asset_id"]

        there = shulian("asset", "show", asset, "--version", 1, "--home", home, "--json")
        absent = shulian("asset", "show", asset, "--version", 9, "--home", home, "--json")

        assert there.json["version"] == 1
        assert absent.problem["type"] == "/problems/version-unknown"

    def test_says_which_versions_there_are(self, home: Path) -> None:
        first = shulian("asset", "ls", "--home", home, "--json").json["items"][0]["asset_id"]

        told = shulian("asset", "show", first, "--version", 7, "--home", home, "--json")

        assert told.problem["type"] == "/problems/version-unknown"
        assert told.problem["fields"] == {
            "noun": "asset",
            "id": first,
            "version": "7",
            "known": ["1"],
        }

    def test_says_that_something_was_not_there_yet(self, home: Path) -> None:
        first = shulian("asset", "ls", "--home", home, "--json").json["items"][0]["asset_id"]

        told = shulian("asset", "show", first, "--as-of-block", 3, "--home", home, "--json")

        assert told.problem["type"] == "/problems/not-there-yet"
        assert told.problem["fields"] == {"noun": "asset", "id": first, "block_number": 3}


class TestTrace:
    @pytest.mark.parametrize(
        ("asked", "problem"),
        [
            (("--version", 9), "version-unknown"),
            (("--as-of-block", 3), "not-there-yet"),
        ],
    )
    def test_says_what_is_not_there(
        self, home: Path, asked: tuple[object, ...], problem: str
    ) -> None:
        first = shulian("asset", "ls", "--home", home, "--json").json["items"][0]["asset_id"]

        told = shulian("trace", first, *asked, "--home", home, "--json")

        assert told.problem["type"] == f"/problems/{problem}"

    def product(self, home: Path) -> str:
        found: str = listed(home, "asset", "--kind", "PRODUCT")[0]["asset_id"]
        return found

    def test_reaches_source_files_and_buyers(self, home: Path) -> None:
        """L-01, L-02: from the source file's digest to the last buyer."""
        told = shulian("trace", self.product(home), "--home", home, "--json").json

        sources = {one["content_digest"] for one in listed(home, "asset", "--kind", "RESOURCE")}
        digests = {one["digest"] for one in told["nodes"] if one["kind"] == "RESOURCE"}
        buyers = {one["name"] for one in told["nodes"] if one["noun"] == "PARTICIPANT"}
        assert digests == sources
        assert buyers == {"钱塘智造股份有限公司", "西溪金融研究院"}
        assert told["is_complete"]
        assert told["nodes"][0]["side"] == "START"

    def test_draws_a_tree(self, home: Path) -> None:
        told = shulian("trace", self.product(home)[:12], "--home", home)

        assert told.code == 0, told.err
        for asset in listed(home, "asset", "--kind", "RESOURCE"):
            assert asset["content_digest"] in told.out
        assert "BOUGHT_BY PARTICIPANT 西溪金融研究院" in told.out

    @pytest.mark.parametrize(("direction", "absent"), [("up", "BOUGHT_BY"), ("down", "RESOURCE")])
    def test_walks_one_way_only_if_asked(self, home: Path, direction: str, absent: str) -> None:
        told = shulian("trace", self.product(home), "--direction", direction, "--home", home)

        assert told.code == 0
        assert absent not in told.out

    def test_finds_from_a_source_file_who_bought_it(self, home: Path) -> None:
        resource = listed(home, "asset", "--kind", "RESOURCE")[0]["asset_id"]

        told = shulian("trace", resource, "--direction", "down", "--home", home)

        assert "BOUGHT_BY PARTICIPANT 钱塘智造股份有限公司" in told.out


class TestStatus:
    def test_tells_mirror_and_counts_while_nothing_runs(self, home: Path) -> None:
        told = shulian("status", "--home", home, "--json").json

        assert told["chain"]["running"] is False
        assert told["chain"]["chain_id"] > 0
        assert told["api"] == {"running": False, "url": "", "pid": None}
        assert told["mirror"]["block_number"] > 0
        assert told["counts"]["trades"] == 2

    def test_tells_people_the_same(self, home: Path) -> None:
        told = shulian("status", "--home", home)
        assert "not running" in told.out

    def test_says_that_no_node_answers(self, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("SHULIAN_RPC_URL", "http://127.0.0.1:9,http://127.0.0.1:10")

        told = run("status", "--home", home)

        assert "no node answers at http://127.0.0.1:9,http://127.0.0.1:10" in told.out
        assert told.err == ""

    def test_tells_a_node_of_another_chain_from_ours(
        self, home: Path, anvil: Anvil, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("SHULIAN_RPC_URL", anvil.url)

        told = shulian("status", "--home", home, "--json").json
        said = shulian("status", "--home", home).out

        (ours,) = told["chain"]["home_chain_ids"]
        assert (told["chain"]["is_ours"], told["mirror"]["lag_blocks"]) == (False, None)
        assert f"serves another chain ({told['chain']['chain_id']}), this home is on {ours}" in said


class TestCheck:
    def test_tells_what_would_be_registered(self) -> None:
        told = shulian("asset", "check", PORT_THROUGHPUT, "--json")

        described = json.loads((PORT_THROUGHPUT / "datapackage.json").read_text("utf-8"))
        assert told.code == 0, told.err
        assert [one["name"] for one in told.json["resources"]] == [
            one["name"] for one in described["resources"]
        ]
        assert all(one["content_sha256"].startswith("0x") for one in told.json["resources"])

    def test_draws_a_table(self) -> None:
        told = shulian("asset", "check", PORT_THROUGHPUT / "datapackage.json")
        assert "sha256" in told.out

    def test_refuses_what_is_no_package(self, tmp_path: Path) -> None:
        told: Told = shulian("asset", "check", tmp_path, "--json")

        assert told.code == 1
        assert told.problem["detail"]
