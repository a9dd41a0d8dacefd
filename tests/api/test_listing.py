"""
Tests of the lists of blocks and events: what two exchanges compare, and who is told what happened.
"""

from typing import Any

import pytest

from chain import events as e
from chain.codes import Role
from tests.api.mirrored import NOWHERE, Mirrored, event, named

TRADE, BUYER, SELLER = named("trade"), named("buyer"), named("seller")


def walk(mirrored: Mirrored, path: str, **asked: Any) -> list[dict[str, Any]]:
    """Return the items of all pages."""
    found: list[dict[str, Any]] = []
    cursor: dict[str, str] = {}
    while True:
        page = mirrored.get(path, **asked, **cursor).json()
        found += page["items"]
        if page["next"] is None:
            return found
        cursor = {"cursor": page["next"]}


class TestBlocks:
    @pytest.fixture
    def chain(self, mirrored: Mirrored) -> Mirrored:
        mirrored.append()
        declared = event(e.AssetDeclared, asset_id=named("asset"), version=1, kind=1)
        mirrored.append(declared, event(e.AssetRegistered, asset_id=named("asset"), version=1))
        mirrored.append()
        mirrored.finalize(2)
        return mirrored

    def test_come_newest_first_with_all_that_is_compared(self, chain: Mirrored) -> None:
        told = walk(chain, "/v1/blocks", limit=2)

        assert [one["number"] for one in told] == [3, 2, 1]
        assert [one["event_count"] for one in told] == [0, 2, 0]
        assert [one["is_final"] for one in told] == [False, True, True]
        assert [one["parent_hash"] for one in told[:2]] == [one["hash"] for one in told[1:]]
        assert len({one["checksum"] for one in told}) == 3
        assert all(len(one["checksum"]) == 66 for one in told)
        assert told[0]["timestamp"] == "2025-10-09T08:53:56Z"

    def test_are_found_by_height(self, chain: Mirrored) -> None:
        listed = walk(chain, "/v1/blocks")

        told = chain.get("/v1/blocks/2").json()

        assert {name: told[name] for name in listed[1]} == listed[1]
        assert told["as_of"]["block_number"] == 3

    def test_are_missed_by_name(self, chain: Mirrored) -> None:
        missing = chain.get("/v1/blocks/4")
        later = chain.get("/v1/blocks/3", as_of_block=2)

        assert [one.status_code for one in (missing, later)] == [404, 404]
        assert missing.json()["type"] == "/problems/block-not-mirrored"

    def test_of_the_past_do_not_know_later_ones(self, chain: Mirrored) -> None:
        assert [one["number"] for one in walk(chain, "/v1/blocks", as_of_block=2)] == [2, 1]


class TestEvents:
    @pytest.fixture
    def chain(self, mirrored: Mirrored) -> Mirrored:
        mirrored.admit("buyer", "seller", "stranger")
        mirrored.admit("regulator", roles=((Role.REGULATOR, NOWHERE),))
        mirrored.append(event(e.AssetDeclared, asset_id=named("asset"), version=1, kind=1))
        mirrored.append(event(e.TradeConcluded, trade_id=TRADE, buyer=BUYER, seller=SELLER))
        return mirrored

    @staticmethod
    def names(mirrored: Mirrored, **asked: Any) -> list[str]:
        """Return what happened."""
        return [one["name"] for one in walk(mirrored, "/v1/events", limit=3, **asked)]

    def test_are_all_there_for_a_regulator_in_the_order_of_the_chain(self, chain: Mirrored) -> None:
        token = chain.sign_in("regulator")

        told = walk(chain, "/v1/events", token=token, limit=3)
        places = [(one["block_number"], one["log_index"]) for one in told]

        assert places == sorted(set(places))
        assert sum(one["event_count"] for one in walk(chain, "/v1/blocks")) == len(told)

    def test_of_the_past_do_not_know_later_ones(self, chain: Mirrored) -> None:
        told = walk(chain, "/v1/events", as_of_block=2)

        assert told
        assert max(one["block_number"] for one in told) == 2

    def test_come_in_pages_that_are_one_snapshot(self, chain: Mirrored) -> None:
        first = chain.get("/v1/events", limit=1).json()
        tip = first["as_of"]
        chain.admit("late")

        rest = chain.get("/v1/events", limit=200, cursor=first["next"]).json()

        assert rest["as_of"] == tip
        assert max(one["block_number"] for one in rest["items"]) <= tip["block_number"]

    def test_refuse_a_name_that_no_event_has(self, chain: Mirrored) -> None:
        assert chain.get("/v1/events", name="Nonsense").status_code == 422
