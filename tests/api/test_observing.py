"""
Tests of what every request goes through, of the figures for Prometheus, and of health.
"""

import re
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families
from sqlmodel import Session

from api.auditing.alarms import raise_alarm
from api.observing.tallies import Tallies
from chain import events as e
from chain.heads import note_alarm, note_final, note_node_head
from chain.store import rewind, tip_of
from tests.api.mirrored import Mirrored, event, named


def figures(home: Mirrored) -> dict[str, float]:
    """Return every figure by its name and labels, but for the process's number."""
    text = home.get("/metrics").text
    found = {}
    for family in text_string_to_metric_families(text):
        for one in family.samples:
            labels = {name: value for name, value in one.labels.items() if name != "process"}
            told = ",".join(f"{name}={labels[name]}" for name in sorted(labels))
            found[f"{one.name}{{{told}}}" if told else one.name] = one.value
    return found


def registered(version: int = 1) -> Any:
    return event(e.AssetRegistered, asset_id=named("asset"), version=version)


class TestRequestId:
    def test_is_given_to_whoever_brings_none(self, mirrored: Mirrored) -> None:
        first, second = (mirrored.get("/v1/health/live").headers["x-request-id"] for _ in range(2))

        assert re.fullmatch(r"[0-9a-f]{16}", first)
        assert first != second

    def test_is_kept_as_it_came(self, mirrored: Mirrored) -> None:
        answer = mirrored.client.get("/v1/health/live", headers={"X-Request-Id": "trace.1-a_B"})

        assert answer.headers["x-request-id"] == "trace.1-a_B"

    @pytest.mark.parametrize("given", ["", "x" * 65, "a b", 'a","level":"INFO', "é".encode()])
    def test_is_never_what_could_write_into_the_log(
        self, mirrored: Mirrored, given: str | bytes
    ) -> None:
        answer = mirrored.client.get("/v1/health/live", headers={"X-Request-Id": given})

        assert re.fullmatch(r"[0-9a-f]{16}", answer.headers["x-request-id"])

    def test_is_on_refusals_too(self, mirrored: Mirrored) -> None:
        for path in ("/nowhere", "/v1/trades", "/v1/assets?limit=x"):
            assert "x-request-id" in mirrored.get(path).headers


class TestMetrics:
    def test_tell_the_state_of_the_mirror(self, mirrored: Mirrored) -> None:
        for version in range(5):
            mirrored.append(registered(version))
        with Session(mirrored.services.mirror) as session, session.begin():
            note_node_head(session, 9)
            rewind(session, 3)
            tip = tip_of(session)
            assert tip is not None
            note_final(session, tip)
        mirrored.append(registered(7))
        mirrored.now += 1_000

        told = figures(mirrored)

        expected = {
            "head_block": 9,
            "indexed_block": 4,
            "final_block": 3,
            "lag_blocks": 5,
            "blocks": 4,
            "events": 4,
            "rewinds_total": 1,
            "rewound_blocks_total": 2,
            "rewind_depth_max": 2,
            "alarm": 0,
        }
        assert {name: told[f"shulian_mirror_{name}"] for name in expected} == expected
        assert told["shulian_mirror_lag_seconds"] > 0
        assert told["shulian_database_bytes{database=mirror}"] > 0
        assert any(name.startswith("shulian_mirror_checksum_info{") for name in told)

    def test_count_requests_by_the_template_of_their_route(self, mirrored: Mirrored) -> None:
        mirrored.append()
        for number in range(3):
            mirrored.get(f"/v1/assets/0x{number:064x}")
        mirrored.get("/v1/assets")
        mirrored.client.post("/v1/nonces")
        mirrored.get("/" + "x" * 50)

        told = figures(mirrored)

        name = "shulian_http_request_seconds_count{{method={},route={},status={}}}"
        assert told[name.format("GET", "/v1/assets/{id}", 404)] == 3
        assert told[name.format("GET", "/v1/assets", 200)] == 1
        assert told[name.format("POST", "/v1/nonces", 201)] == 1
        assert told[name.format("GET", "unmatched", 404)] == 1
        assert not any("x" * 50 in one for one in told)

    def test_count_what_the_node_failed(self, mirrored: Mirrored) -> None:
        mirrored.append()
        mirrored.get("/v1/health")

        assert figures(mirrored)["shulian_node_errors_total{kind=NodeUnavailable,node=0}"] == 1

    def test_are_told_of_an_empty_mirror_too(self, mirrored: Mirrored) -> None:
        assert figures(mirrored)["shulian_mirror_indexed_block"] == -1


class TestTallies:
    def test_count_the_same_however_often_they_are_asked(self, mirrored: Mirrored) -> None:
        tallies, snapshots = Tallies(), mirrored.services.snapshots
        for version in range(6):
            mirrored.append(registered(version))
            with snapshots.open() as one:
                told = tallies.count(one.session, final_number=version - 2)
                anew = Tallies().count(one.session, final_number=-1)
            assert told == anew
            assert told.events == version + 1

    def test_count_anew_what_a_rewind_brought_back(self, mirrored: Mirrored) -> None:
        tallies, snapshots = Tallies(), mirrored.services.snapshots
        for version in range(4):
            mirrored.append(registered(version))
        with snapshots.open() as one:
            tallies.count(one.session, final_number=4)
        with Session(mirrored.services.mirror) as session, session.begin():
            rewind(session, 1, to_refetch=True)
        mirrored.append(registered(1), registered(2))

        with snapshots.open() as one:
            assert tallies.count(one.session, final_number=2).events == 3


class TestHealth:
    def health(self, home: Mirrored) -> Any:
        return home.get("/v1/health").json()

    def test_says_what_is_final_and_by_which_rule(self, mirrored: Mirrored) -> None:
        mirrored.append()
        mirrored.append()
        mirrored.finalize(1)

        told = self.health(mirrored)

        assert (told["final_block"], told["finality"], told["verify"]) == (1, "auto", "receipts")

    def test_is_stopped_when_the_writer_ended(self, mirrored: Mirrored) -> None:
        mirrored.append()
        with Session(mirrored.services.mirror) as session, session.begin():
            note_alarm(session, "the mirror stopped: a fork below finality")

        told = self.health(mirrored)

        assert told["status"] == "STOPPED"
        assert "fork below finality" in told["alarm"]
        assert mirrored.get("/v1/health/ready").status_code == 503

    def test_is_broken_when_an_audit_found_a_difference(self, mirrored: Mirrored) -> None:
        mirrored.append()
        raise_alarm(mirrored.services.operational, "Asset differs", block_number=1, now=1)

        told = self.health(mirrored)

        assert (told["status"], told["audit"]) == ("BROKEN", ["Asset differs"])
        assert figures(mirrored)["shulian_mirror_audit_differences"] == 1

    def test_counts_what_could_not_be_folded(self, mirrored: Mirrored) -> None:
        mirrored.append(registered())

        told = self.health(mirrored)

        assert told["dead_letters"] == 1

    def test_is_empty_before_the_first_block(self, mirrored: Mirrored) -> None:
        assert self.health(mirrored)["status"] == "EMPTY"
        assert mirrored.get("/v1/health/ready").status_code == 503
        assert mirrored.get("/v1/health/live").status_code == 200

    def test_is_ready_once_there_is_a_block_whatever_the_node_does(
        self, mirrored: Mirrored
    ) -> None:
        mirrored.append()

        assert self.health(mirrored)["status"] == "NODE_UNREACHABLE"
        assert mirrored.get("/v1/health/ready").json() == {"status": "OK"}
