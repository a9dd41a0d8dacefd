"""
Tests of `/history` on every noun: its versions oldest first, each with what made it.
"""

from typing import Any

from chain import events as e
from tests.api.mirrored import GENESIS, Mirrored, event, named
from tests.api.test_routes import FOUND

LISTING = named("listing")
NOUNS = {
    "accounts",
    "agreements",
    "assessments",
    "assets",
    "certificates",
    "deliveries",
    "funds",
    "listings",
    "participants",
    "profiles",
    "registrations",
    "rights",
    "settlements",
    "trades",
}
PATH = f"/v1/participants/{named('supplier')}/history"


def lead(mirrored: Mirrored) -> None:
    """Admit an organisation in block 1, suspend it in 2, restore it in 4."""
    mirrored.admit("supplier")
    mirrored.append(event(e.ParticipantSuspended, participant_id=named("supplier")))
    mirrored.append()
    mirrored.append(event(e.ParticipantRestored, participant_id=named("supplier")))


def items(mirrored: Mirrored, **asked: Any) -> list[dict[str, Any]]:
    """Return the versions that are told."""
    answer = mirrored.get(PATH, **asked)
    assert answer.status_code == 200, answer.text
    told: list[dict[str, Any]] = answer.json()["items"]
    return told


class TestHistory:
    def test_is_there_for_every_noun(self) -> None:
        found = {path.split("/")[2] for path, _ in FOUND if path.endswith("/history")}

        assert found == NOUNS

    def test_tells_each_version_with_what_made_it(self, mirrored: Mirrored) -> None:
        lead(mirrored)
        mirrored.finalize(2)

        told = items(mirrored)

        assert [(one["from_block"], one["to_block"]) for one in told] == [(1, 2), (2, 4), (4, None)]
        assert [one["event"] for one in told] == [
            "ParticipantAdmitted",
            "ParticipantSuspended",
            "ParticipantRestored",
        ]
        assert [one["record"]["status"] for one in told] == ["ADMITTED", "SUSPENDED", "ADMITTED"]
        assert [one["is_final"] for one in told] == [True, True, False]
        assert told[0]["transaction_hash"] == named("1/1")
        assert (told[0]["from_time"], told[0]["to_time"]) == (
            "2025-10-09T08:53:32Z",
            "2025-10-09T08:53:44Z",
        )
        assert told[-1]["to_time"] is None
        assert GENESIS == 1_760_000_000

    def test_of_the_past_does_not_know_what_came_later(self, mirrored: Mirrored) -> None:
        lead(mirrored)

        told = items(mirrored, as_of_block=3)

        assert [(one["from_block"], one["to_block"]) for one in told] == [(1, 2), (2, None)]
        assert told[-1]["to_time"] is None

    def test_comes_in_pages_that_are_one_snapshot(self, mirrored: Mirrored) -> None:
        lead(mirrored)
        first = mirrored.get(PATH, limit=2).json()
        mirrored.append(event(e.ParticipantSuspended, participant_id=named("supplier")))

        last = mirrored.get(PATH, limit=2, cursor=first["next"]).json()

        assert [one["from_block"] for one in first["items"] + last["items"]] == [1, 2, 4]
        assert last["items"][-1]["to_block"] is None
        assert (last["next"], last["as_of"]) == (None, first["as_of"])

    def test_says_that_there_is_none(self, mirrored: Mirrored) -> None:
        lead(mirrored)

        early = mirrored.get(f"/v1/listings/{LISTING}/history")

        assert early.json()["type"] == "/problems/listing-not-found"

    def test_refuses_the_cursor_of_another_list(self, mirrored: Mirrored) -> None:
        lead(mirrored)
        cursor = mirrored.get("/v1/blocks", limit=1).json()["next"]

        assert mirrored.get(PATH, cursor=cursor).json()["type"] == "/problems/cursor-invalid"
