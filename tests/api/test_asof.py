"""
Tests that every read can be asked as of a block or a time, and says whether that is final.
"""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from api.asof import TimeMalformed, seconds_of
from chain import events as e
from chain.codes import Role
from tests.api.mirrored import GENESIS, NOWHERE, Mirrored, address_of, event, named
from tests.api.test_routes import FOUND

ASSET = named("asset")
# What is not read from the ledger as of any block.
PRESENT = {"/v1/health", "/v1/stream", "/metrics"}


def told(mirrored: Mirrored, **asked: Any) -> tuple[int, Any]:
    """Ask for the asset, and return the status with the block that the answer is as of."""
    answer = mirrored.get(f"/v1/assets/{ASSET}", **asked)
    body = answer.json()
    return answer.status_code, body.get("as_of", body)


@pytest.fixture
def chain(mirrored: Mirrored) -> Mirrored:
    """Return a home with blocks 1, 2 and 3, twelve seconds apart; the asset is in the second."""
    mirrored.append()
    mirrored.append(event(e.AssetDeclared, asset_id=ASSET, version=1, kind=1))
    mirrored.append(event(e.AssetRegistered, asset_id=ASSET, version=1))
    return mirrored


class TestEveryRead:
    def test_takes_a_block_and_a_time(self) -> None:
        for path, route in FOUND:
            if (
                "GET" in route.methods
                and path.startswith("/v1/")
                and not path.startswith(tuple(PRESENT))
            ):
                names = set(_parameters(route.dependant))
                is_ours = "as_of_block" in names and "as_of_time" in names
                assert is_ours or path.startswith("/v1/webhooks"), path

    def test_says_whether_its_block_is_final(self, chain: Mirrored) -> None:
        chain.finalize(2)

        final = [told(chain, as_of_block=number)[1]["is_final"] for number in (2, 3)]

        assert final == [True, False]
        assert told(chain)[1]["is_final"] is False


class TestAsOfBlock:
    def test_says_what_was_not_there_yet(self, chain: Mirrored) -> None:
        early, problem = told(chain, as_of_block=1)
        never = chain.get(f"/v1/assets/{named('another')}", as_of_block=1).json()
        traced = chain.get(f"/v1/assets/{ASSET}/lineage", as_of_block=1).json()

        assert (early, problem["type"]) == (404, "/problems/not-there-yet")
        assert problem["detail"].endswith("block_number=1")
        assert never["type"] == "/problems/asset-not-found"
        assert traced["type"] == "/problems/not-there-yet"

    def test_reads_what_held_then(self, chain: Mirrored) -> None:
        before = chain.get(f"/v1/assets/{ASSET}", as_of_block=2).json()
        now = chain.get(f"/v1/assets/{ASSET}").json()

        assert (before["status"], now["status"]) == ("DECLARED", "REGISTERED")

    def test_misses_what_was_not_there_yet(self, chain: Mirrored) -> None:
        assert told(chain, as_of_block=1)[0] == 404

    def test_names_a_block_that_is_not_mirrored(self, chain: Mirrored) -> None:
        status, problem = told(chain, as_of_block=4)

        assert (status, problem["type"]) == (404, "/problems/block-not-mirrored")
        assert problem["fields"] == {"block_number": 4}

    @pytest.mark.parametrize("number", ["-1", "1.5", "tip", "9223372036854775808", ""])
    def test_takes_heights_only(self, chain: Mirrored, number: str) -> None:
        assert told(chain, as_of_block=number)[0] == 422

    def test_is_no_way_around_a_lost_right_to_look(self, mirrored: Mirrored) -> None:
        """D-06: a key that was revoked sees nothing, not even what it once saw."""
        mirrored.admit("regulator", roles=((Role.REGULATOR, NOWHERE),))
        token = mirrored.sign_in("regulator")
        before = mirrored.append().number
        mirrored.append(
            event(
                e.AccountRevoked,
                participant_id=named("regulator"),
                account=address_of("regulator"),
                revoked_at=GENESIS,
            )
        )

        answers = [
            mirrored.get("/v1/trades", token=token, **asked).status_code
            for asked in ({}, {"as_of_block": before})
        ]

        assert answers == [403, 403]


class TestAsOfTime:
    @pytest.mark.parametrize(
        ("seconds", "number"), [(24, 2), (25, 2), (35, 2), (36, 3), (10**6, 3)]
    )
    def test_is_the_last_block_at_or_before(
        self, chain: Mirrored, seconds: int, number: int
    ) -> None:
        time = datetime.fromtimestamp(GENESIS + seconds, tz=UTC).isoformat()

        assert told(chain, as_of_time=time)[1]["block_number"] == number

    def test_names_a_time_before_the_first_block(self, chain: Mirrored) -> None:
        status, problem = told(chain, as_of_time="2001-01-01T00:00:00Z")

        assert (status, problem["type"]) == (404, "/problems/time-before-chain")

    @pytest.mark.parametrize(
        "time",
        ["yesterday", "2026-11-21", "2026-11-21T08:00:00", "2026-13-01T00:00:00Z", "1760000000"],
    )
    def test_names_a_time_that_is_none(self, chain: Mirrored, time: str) -> None:
        status, problem = told(chain, as_of_time=time)

        assert (status, problem["type"]) == (422, "/problems/time-malformed")

    def test_and_a_block_are_one_too_many(self, chain: Mirrored) -> None:
        status, problem = told(chain, as_of_time="2026-11-21T08:00:00Z", as_of_block=2)

        assert (status, problem["type"]) == (422, "/problems/as-of-twice")


class TestSecondsOf:
    @pytest.mark.parametrize(
        "text",
        [
            "2025-10-09T08:53:20Z",
            "2025-10-09T16:53:20+08:00",
            "2025-10-09T08:53:20.999999999Z",
            "2025-10-09T00:23:20.5-08:30",
        ],
    )
    def test_reads_any_offset_and_cuts_parts_of_a_second_off(self, text: str) -> None:
        assert seconds_of(text) == 1_760_000_000

    def test_reads_what_python_writes(self) -> None:
        moment = datetime(2026, 11, 21, 8, tzinfo=timezone(timedelta(hours=8)))

        assert seconds_of(moment.isoformat()) == int(moment.timestamp())

    @pytest.mark.parametrize("text", ["", "0", "2025-10-09T08:53:60Z", "2025-10-09T08:53:20+99:00"])
    def test_refuses_everything_else(self, text: str) -> None:
        with pytest.raises(TimeMalformed):
            seconds_of(text)


def _parameters(dependant: Any) -> list[str]:
    inner = [name for one in dependant.dependencies for name in _parameters(one)]
    return [one.alias for one in dependant.query_params] + inner
