"""
Tests that whoever holds the pages of a list can tell that it is complete and unchanged.
"""

import hashlib
from typing import Any

import pytest
import rfc8785

from api import evidence
from chain import events as e
from tests.api.mirrored import Mirrored, event, named


def declare(mirrored: Mirrored, count: int) -> None:
    """Declare assets with documents that name them."""
    for number in range(count):
        digest = mirrored.document({"title": f'数据 {number} \u007f\u2028 é\t"\\'})
        mirrored.append(
            event(
                e.AssetDeclared,
                asset_id=named(f"asset {number}"),
                version=1,
                kind=1 + number % 3,
                metadata_digest=digest,
                digest_alg=1,
            )
        )


def pages(mirrored: Mirrored, **asked: Any) -> list[dict[str, Any]]:
    """Return the items of all pages."""
    found: list[dict[str, Any]] = []
    cursor: dict[str, str] = {}
    while True:
        page = mirrored.get("/v1/assets", limit=2, **asked, **cursor).json()
        found += page["items"]
        if page["next"] is None:
            return found
        cursor = {"cursor": page["next"]}


def recomputed(items: list[dict[str, Any]], excluded: list[str]) -> str:
    """Return the checksum as the documentation says it, by another library."""
    kept = [{name: one[name] for name in one if name not in excluded} for one in items]
    return "0x" + hashlib.sha256(rfc8785.dumps(kept)).hexdigest()


class TestEvidence:
    @pytest.mark.parametrize("asked", [{}, {"kind": "ELEMENT"}, {"as_of_block": 3}])
    def test_is_recomputed_from_the_pages(self, mirrored: Mirrored, asked: dict[str, Any]) -> None:
        declare(mirrored, 7)

        told = mirrored.get("/v1/assets", evidence="true", **asked).json()
        items = pages(mirrored, **asked)

        assert told["count"] == len(items) > 0
        assert told["checksum"] == recomputed(items, told["excluded"])
        assert told["as_of"] == mirrored.get("/v1/assets", **asked).json()["as_of"]

    def test_differs_for_one_item_less_or_changed(self, mirrored: Mirrored) -> None:
        declare(mirrored, 4)
        told = mirrored.get("/v1/assets", evidence="true").json()
        items = pages(mirrored)

        changed = [{**items[0], "grade": "CORE"}, *items[1:]]

        assert told["checksum"] not in (
            recomputed(items[1:], told["excluded"]),
            recomputed(items[::-1], told["excluded"]),
            recomputed(changed, told["excluded"]),
        )

    def test_does_not_depend_on_which_documents_can_be_read(self, mirrored: Mirrored) -> None:
        declare(mirrored, 2)
        before = mirrored.get("/v1/assets", evidence="true").json()
        mirrored.catalogue()

        after = mirrored.get("/v1/assets", evidence="true").json()

        assert pages(mirrored)[0]["title"].startswith("数据 0")
        assert after == before
        assert after["excluded"] == ["overview", "title"]

    def test_of_an_empty_list_is_that_of_no_items(self, mirrored: Mirrored) -> None:
        mirrored.append()

        told = mirrored.get("/v1/rights", evidence="true").json()

        assert told["count"] == 0
        assert told["checksum"] == "0x" + hashlib.sha256(b"[]").hexdigest()

    def test_is_refused_for_a_list_too_long_to_vouch_for(
        self, mirrored: Mirrored, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        declare(mirrored, 3)
        monkeypatch.setattr(evidence, "ITEMS_MAX", 2)

        answer = mirrored.get("/v1/assets", evidence="true")

        assert (answer.status_code, answer.json()["fields"]) == (422, {"items_max": 2})
