"""
Tests of how failures leave the API, and that every error has one name in all three places.
"""

from pathlib import Path

import pytest
from fastapi import APIRouter
from starlette.testclient import TestClient

from api.app import create_app
from api.problems import FAMILIES, MEDIA_TYPE, catalogue, declares, problem_of, status_of
from chain.content import ContentCorrupted
from chain.errors import ERRORS, AssetNotFound, FundsInsufficient
from chain.failure import Conflict, Forbidden, Invalid, LedgerError, NotFound
from chain.rpc import NodeUnavailable
from chain.values import AssetId, ParticipantId
from tests.api.mirrored import ORIGIN, Mirrored, named

ROOT = Path(__file__).resolve().parents[2]


class TestCatalogue:
    def test_holds_every_error_of_the_contracts_by_its_name(self) -> None:
        known = catalogue()

        assert {error.__name__ for error in known.values()} >= set(ERRORS)
        assert all(known[error.slug()] is error for error in ERRORS.values())

    def test_the_contracts_errors_are_exactly_those_in_solidity(self) -> None:
        words = [
            line.split("error ", 1)[1].split("(", 1)[0]
            for source in (ROOT / "contracts").rglob("*.sol")
            for line in source.read_text("utf-8").splitlines()
            if line.strip().startswith("error ")
        ]

        assert len(words) == len(set(words)), "an error name is used twice"
        assert set(words) <= set(ERRORS)

    def test_gives_every_error_a_slug_of_its_own(self, mirrored: Mirrored) -> None:
        items = mirrored.get("/problems").json()["items"]

        types = [item["type"] for item in items]
        assert len(types) == len(set(types)) == len(catalogue())

    def test_gives_every_error_a_family_and_its_status(self) -> None:
        for error in catalogue().values():
            assert 400 <= status_of(error) < 600
            if issubclass(error, NotFound):
                assert status_of(error) == 404


class TestStatusOf:
    @pytest.mark.parametrize(
        ("family", "status"),
        [(NotFound, 404), (Conflict, 409), (Forbidden, 403), (Invalid, 422), (LedgerError, 500)],
    )
    def test_maps_each_family_once(self, family: type[LedgerError], status: int) -> None:
        assert FAMILIES[family] == status

    def test_says_503_when_the_node_is_silent_and_500_when_content_is_corrupted(self) -> None:
        assert (status_of(NodeUnavailable), status_of(ContentCorrupted)) == (503, 500)


class TestProblemOf:
    def test_nests_the_fields_so_that_none_hides_a_member(self) -> None:
        error = FundsInsufficient(
            participant_id=ParticipantId(named("payer")), available_fen=1, needed_fen=2**60
        )

        problem = problem_of(error)

        assert problem["type"] == "/problems/funds-insufficient"
        assert problem["status"] == status_of(FundsInsufficient)
        assert problem["title"] == FundsInsufficient.title
        assert problem["fields"]["needed_fen"] == str(2**60)

    def test_has_the_same_members_for_every_error(self) -> None:
        error = AssetNotFound(asset_id=AssetId(named("asset")), version=1)

        assert problem_of(error).keys() == {"type", "title", "status", "detail", "fields"}


class TestDeclares:
    def test_names_several_errors_of_one_status(self) -> None:
        declared = declares(AssetNotFound, NodeUnavailable)

        assert declared.keys() == {404, 422, 503}
        assert "/problems/asset-not-found" in declared[404]["description"]


class TestInstall:
    def test_answers_an_unknown_path_with_a_problem(self, mirrored: Mirrored) -> None:
        answer = mirrored.get("/v1/nothing-here")

        assert answer.status_code == 404
        assert answer.headers["content-type"] == MEDIA_TYPE
        assert answer.json()["type"] == "/problems/route-not-found"

    def test_answers_a_wrong_method_with_a_problem(self, mirrored: Mirrored) -> None:
        answer = mirrored.client.put("/v1/assets")

        assert (answer.status_code, answer.json()["type"]) == (405, "/problems/method-not-allowed")

    def test_lists_what_is_malformed_without_repeating_it(self, mirrored: Mirrored) -> None:
        mirrored.append()

        answer = mirrored.get("/v1/assets", limit="<script>")

        problem = answer.json()
        assert (answer.status_code, problem["type"]) == (422, "/problems/request-malformed")
        assert [one["location"] for one in problem["errors"]] == ["query.limit"]
        assert "script" not in answer.text

    def test_refuses_a_body_that_is_too_large(self, mirrored: Mirrored) -> None:
        answer = mirrored.client.post("/v1/sessions", content=b"x" * (1 << 19))

        assert answer.status_code == 413
        assert answer.headers["content-type"] == MEDIA_TYPE

    def test_tells_nothing_of_a_failure_of_its_own(self, mirrored: Mirrored) -> None:
        router = APIRouter()

        @router.get("/broken")
        def broken() -> None:
            raise RuntimeError("a secret")

        app = create_app(mirrored.services, extensions=[lambda app, _: app.include_router(router)])
        client = TestClient(app, base_url=ORIGIN, raise_server_exceptions=False)

        answer = client.get("/broken")

        assert (answer.status_code, answer.json()["type"]) == (500, "/problems/internal-failure")
        assert "secret" not in answer.text

    def test_says_503_before_the_first_block(self, mirrored: Mirrored) -> None:
        answer = mirrored.get("/v1/assets")

        assert (answer.status_code, answer.json()["type"]) == (503, "/problems/mirror-empty")


class TestExplanations:
    def test_explains_a_type_at_its_own_path(self, mirrored: Mirrored) -> None:
        explained = mirrored.get("/problems/asset-not-found").json()

        assert explained["name"] == "AssetNotFound"
        assert explained["fields"] == ["asset_id", "version"]

    def test_knows_no_type_that_nothing_raises(self, mirrored: Mirrored) -> None:
        answer = mirrored.get("/problems/weather-too-bad")

        assert (answer.status_code, answer.json()["type"]) == (404, "/problems/problem-not-found")
