"""
Tests of cursors and filters: nothing is left out, nothing comes twice, nothing is made up.
"""

import base64
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.cursors import CursorInvalid, pinned_by, read_cursor, write_cursor
from api.paging import filters
from chain import events as e
from chain.codes import AssetKind, ReviewKind
from chain.facts import Block
from chain.reads import Place
from registry.assets import Asset, AssetReview
from tests.api.mirrored import Mirrored, event, named

HEIGHTS = st.integers(min_value=0, max_value=2**63 - 1)
CHECK = "0123456789abcdef"


def declare(mirrored: Mirrored, count: int, *, per_block: int = 3) -> list[str]:
    """Declare assets, several in a block, and return their ids in order."""
    ids = [named(f"asset {number}") for number in range(count)]
    for start in range(0, count, per_block):
        mirrored.append(
            *(
                event(
                    e.AssetDeclared,
                    asset_id=one,
                    version=1,
                    kind=1 + number % 3,
                    registrant=named(f"registrant {number % 2}"),
                    sequence=start + number + 1,
                )
                for number, one in enumerate(ids[start : start + per_block])
            )
        )
    return ids


def walk(mirrored: Mirrored, limit: int, **query: Any) -> list[str]:
    """Return the ids of all pages, one after another."""
    found: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        answer = mirrored.get("/v1/assets", limit=limit, **query, **cursor)
        assert answer.status_code == 200, answer.text
        page = answer.json()
        found += [item["asset_id"] for item in page["items"]]
        assert len(page["items"]) <= limit
        if page["next"] is None:
            return found
        cursor = {"cursor": page["next"]}


class TestPages:
    @pytest.mark.parametrize("limit", [1, 2, 3, 7, 200])
    def test_hold_everything_once_in_order(self, mirrored: Mirrored, limit: int) -> None:
        ids = declare(mirrored, 11)

        assert walk(mirrored, limit) == ids

    def test_hold_what_matches_only(self, mirrored: Mirrored) -> None:
        ids = declare(mirrored, 12)

        elements = walk(mirrored, 2, kind="ELEMENT")

        assert elements == [one for number, one in enumerate(ids) if number % 3 == 1]

    def test_are_one_snapshot_whatever_happens_in_between(self, mirrored: Mirrored) -> None:
        ids = declare(mirrored, 4)
        first = mirrored.get("/v1/assets", limit=2).json()
        mirrored.append(event(e.AssetDeclared, asset_id=named("late"), version=1, kind=1))
        mirrored.append(event(e.AssetRegistered, asset_id=ids[2], version=1))

        rest = mirrored.get("/v1/assets", limit=2, cursor=first["next"]).json()
        late = mirrored.get("/v1/assets", limit=200).json()

        assert [item["asset_id"] for item in rest["items"]] == ids[2:]
        assert rest["items"][0]["status"] == "DECLARED"
        assert rest["next"] is None
        assert rest["as_of"] == first["as_of"]
        assert len(late["items"]) == 5

    def test_end_when_a_fork_undoes_their_block(self, mirrored: Mirrored) -> None:
        declare(mirrored, 9)
        page = mirrored.get("/v1/assets", limit=2).json()
        mirrored.rewind(page["as_of"]["block_number"] - 1)
        gone = mirrored.get("/v1/assets", limit=2, cursor=page["next"])
        mirrored.append(branch="another")
        other = mirrored.get("/v1/assets", limit=2, cursor=page["next"])

        assert [one.json()["type"] for one in (gone, other)] == ["/problems/pages-undone"] * 2
        assert (gone.status_code, gone.json()["fields"]) == (409, {"block_number": 3})

    def test_can_be_asked_as_of_an_earlier_block(self, mirrored: Mirrored) -> None:
        ids = declare(mirrored, 6)

        answer = mirrored.get("/v1/assets", as_of_block=1).json()

        assert [item["asset_id"] for item in answer["items"]] == ids[:3]
        assert answer["as_of"]["block_number"] == 1

    def test_say_which_block_is_not_there(self, mirrored: Mirrored) -> None:
        declare(mirrored, 1)

        answer = mirrored.get("/v1/assets", as_of_block=9)

        assert (answer.status_code, answer.json()["fields"]) == (404, {"block_number": 9})

    @pytest.mark.parametrize("limit", ["0", "201", "-1", "1.5", "", "true"])
    def test_have_a_limit_from_1_to_200(self, mirrored: Mirrored, limit: str) -> None:
        declare(mirrored, 1)

        assert mirrored.get("/v1/assets", limit=limit).status_code == 422


class TestCursor:
    @given(from_block=HEIGHTS, from_log=HEIGHTS, version=HEIGHTS, kind=st.sampled_from(ReviewKind))
    def test_reads_back_what_was_written(
        self, from_block: int, from_log: int, version: int, kind: ReviewKind
    ) -> None:
        place = Place(from_block, from_log, (named("asset"), version, kind))

        block = Block(
            number=from_block, hash=named("block"), parent_hash=named("parent"), timestamp=0
        )

        cursor = write_cursor(place, AssetReview, CHECK, block)

        assert read_cursor(cursor, AssetReview, CHECK) == place
        pinned = pinned_by(cursor)
        assert pinned is not None
        assert pinned.number == from_block
        assert named("block").startswith(pinned.hash_start)

    @given(st.text(max_size=60))
    def test_refuses_what_was_made_up(self, text: str) -> None:
        with pytest.raises(CursorInvalid):
            read_cursor(text, Asset, CHECK)

    @given(
        st.recursive(
            st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=4),
            lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(), inner),
            max_leaves=8,
        )
    )
    def test_refuses_any_other_json(self, content: Any) -> None:
        packed = base64.urlsafe_b64encode(orjson.dumps(content)).decode().rstrip("=")

        with pytest.raises(CursorInvalid):
            read_cursor(packed, Asset, CHECK)

    def test_serves_only_the_list_and_filters_it_was_given_for(self, mirrored: Mirrored) -> None:
        declare(mirrored, 9)
        cursor = mirrored.get("/v1/assets", limit=1, kind="RESOURCE").json()["next"]

        for query in ({"kind": "ELEMENT"}, {}, {"kind": "RESOURCE", "as_of_block": 1}):
            answer = mirrored.get("/v1/assets", cursor=cursor, **query)
            assert (answer.status_code, answer.json()["type"]) == (422, "/problems/cursor-invalid")
        assert mirrored.get("/v1/rights", cursor=cursor).status_code == 422


class TestFilters:
    def test_refuse_a_parameter_that_the_list_does_not_take(self, mirrored: Mirrored) -> None:
        answer = mirrored.get("/v1/assets", knid="ELEMENT")

        assert answer.json()["type"] == "/problems/parameter-unknown"
        assert answer.json()["fields"] == {"parameter": "knid"}

    def test_refuse_a_parameter_given_twice(self, mirrored: Mirrored) -> None:
        declare(mirrored, 1)

        answer = mirrored.client.get("/v1/assets?kind=ELEMENT&kind=RESOURCE")

        assert (answer.status_code, answer.json()["type"]) == (422, "/problems/parameter-repeated")

    @pytest.mark.parametrize("value", ["element", "2", "", "GOLD"])
    def test_take_codes_by_name_only(self, mirrored: Mirrored, value: str) -> None:
        declare(mirrored, 1)

        assert mirrored.get("/v1/assets", kind=value).status_code == 422

    def test_take_hex_in_any_case_and_nothing_else(self, mirrored: Mirrored) -> None:
        declare(mirrored, 2)
        registrant = named("registrant 1")

        upper = mirrored.get("/v1/assets", registrant="0x" + registrant[2:].upper())

        assert len(upper.json()["items"]) == 1
        assert mirrored.get("/v1/assets", registrant="' OR 1=1 --").status_code == 422

    def test_are_never_a_scan(self) -> None:
        with pytest.raises(TypeError, match="metadata_digest"):
            filters(Asset, "metadata_digest")

    def test_turn_names_into_codes(self) -> None:
        assert filters(Asset, "kind")(kind="PRODUCT") == {"kind": AssetKind.PRODUCT}
