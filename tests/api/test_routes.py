"""
Tests of the paths themselves: how many there are, what they are called, what is committed of them.
"""

import ast
import inspect
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from fastapi.routing import APIRoute

from api.app import bare_app, openapi
from api.problems import MEDIA_TYPE
from tests.api.mirrored import Mirrored

ROOT = Path(__file__).resolve().parents[2]

# Changed on purpose only: a new path needs a decision about who may see it.
ROUTE_COUNT = 78
HANDLER_LINES_MAX = 20
PRIVILEGED = {
    "/v1/deliveries",
    "/v1/deliveries/{id}",
    "/v1/deliveries/{id}/history",
    "/v1/funds",
    "/v1/funds/holds",
    "/v1/funds/postings",
    "/v1/funds/withdrawals",
    "/v1/funds/{id}/history",
    "/v1/sessions/current",
    "/v1/settlements",
    "/v1/settlements/holds",
    "/v1/settlements/{id}",
    "/v1/settlements/{id}/history",
    "/v1/trades",
    "/v1/trades/{id}",
    "/v1/trades/{id}/history",
    "/v1/webhooks",
    "/v1/webhooks/{webhook}",
    "/v1/webhooks/{webhook}/deliveries",
}
# It never ends; what it answers is tested over a real server.
ENDLESS = "/v1/stream"


def routes_below(routes: Any, prefix: str = "") -> Iterator[tuple[str, APIRoute]]:
    """Return every path, those of included routers too, which FastAPI's own list leaves out."""
    for route in routes:
        if isinstance(route, APIRoute):
            yield prefix + route.path, route
        elif hasattr(route, "original_router"):
            inner = prefix + route.include_context.prefix
            yield from routes_below(route.original_router.routes, inner)


FOUND = list(routes_below(bare_app().routes))
OPERATIONS = {
    (path, method): operation
    for path, item in openapi()["paths"].items()
    for method, operation in item.items()
}


class TestRoutes:
    def test_are_as_many_as_pinned(self) -> None:
        assert len(FOUND) == ROUTE_COUNT

    def test_are_all_documented(self) -> None:
        found = {(path, method.lower()) for path, route in FOUND for method in route.methods}

        assert found == set(OPERATIONS)

    def test_are_read_by_sync_functions_of_at_most_twenty_lines(self) -> None:
        for path, route in FOUND:
            written = ast.parse(inspect.getsource(route.endpoint)).body[0]
            assert isinstance(written, ast.FunctionDef), f"{path} is a coroutine"
            lines = (written.end_lineno or 0) - written.lineno + 1
            assert lines <= HANDLER_LINES_MAX, f"{path} has {lines} lines"

    def test_that_are_privileged_refuse_whoever_is_not_signed_in(self, mirrored: Mirrored) -> None:
        mirrored.append()
        asked = {
            path
            for path, route in FOUND
            if "GET" in route.methods
            and path != ENDLESS
            and mirrored.get(_filled(path)).status_code == 401
        }

        assert asked == PRIVILEGED

    def test_are_a_server_error_for_nobody(self, mirrored: Mirrored) -> None:
        mirrored.append()
        for path, route in FOUND:
            for method in route.methods if path != ENDLESS else ():
                answer = mirrored.client.request(method, _filled(path))
                # Only the node and the relayer are missing here.
                assert answer.status_code < 500 or "transactions" in path, path


class TestOperations:
    def test_are_called_tag_and_function(self) -> None:
        ids = [operation["operationId"] for operation in OPERATIONS.values()]

        assert len(set(ids)) == len(ids)
        assert {"assets-browse", "assets-lineage", "certificates-bundle"} <= set(ids)

    def test_declare_problems_and_never_fastapis_own_error(self) -> None:
        for (path, _), operation in OPERATIONS.items():
            for status, answer in operation["responses"].items():
                if int(status) >= 400:
                    assert set(answer["content"]) == {MEDIA_TYPE}, path
        assert "HTTPValidationError" not in json.dumps(openapi()["components"].get("schemas"))

    def test_describe_every_parameter(self) -> None:
        for (path, _), operation in OPERATIONS.items():
            for parameter in operation.get("parameters", ()):
                assert parameter.get("description"), f"{path} {parameter['name']}"


class TestOpenapi:
    def test_is_committed_as_it_is(self) -> None:
        committed = json.loads((ROOT / "docs" / "openapi.json").read_text("utf-8"))

        assert committed == json.loads(json.dumps(openapi()))

    def test_is_served(self, mirrored: Mirrored) -> None:
        assert mirrored.get("/openapi.json").json()["info"]["title"] == "Shulian"


def _filled(path: str) -> str:
    for name, value in {
        "id": "0x" + "11" * 32,
        "hash": "0x" + "22" * 32,
        "account": "0x" + "33" * 20,
        "certificate": "VN3122026110001",
        "slug": "asset-not-found",
        "number": "1",
        "webhook": "wh_" + "0" * 32,
    }.items():
        path = path.replace("{" + name + "}", value)
    return path
