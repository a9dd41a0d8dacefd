"""
Tests of several processes that answer on one socket: one ends and is started anew, one writes.
"""

import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from chain.process import is_running, start_mark
from tests.api.shell import run

pytestmark = pytest.mark.slow

SECONDS_MAX = 60


def until(holds: Callable[[], object], *, what: str) -> None:
    """Wait until something holds."""
    end = time.monotonic() + SECONDS_MAX
    while not holds():
        assert time.monotonic() < end, what
        time.sleep(0.05)


def children(pid: int) -> set[int]:
    """Return the processes that answer for this one."""
    found = set()
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            number, parent = path.parent.name, path.read_text().rpartition(")")[2].split()[1]
            line = (path.parent / "cmdline").read_bytes()
        except OSError:
            continue
        if int(parent) == pid and b"api.answering.reader" in line:
            found.add(int(number))
    return found


class TestUp:
    @pytest.fixture
    def serving(self, tmp_path: Path) -> Iterator[tuple[str, int]]:
        """Give the URL and the number of a writer with two processes that answer."""
        home = tmp_path / "home"
        told = run("up", "--home", home, "--port", "0", "--workers", "2", "--detach", "--json")
        assert told.code == 0, told.err
        yield told.json["url"], told.json["pid"]
        assert run("down", "--home", home, "--wipe").code == 0

    def test_with_workers_serves_through_what_happens_to_them(
        self, serving: tuple[str, int]
    ) -> None:
        url, writer = serving
        until(lambda: len(children(writer)) == 2, what="two processes")
        with httpx.Client(base_url=url, timeout=SECONDS_MAX, trust_env=False) as client:
            read = client.get("/v1/blocks")
            assert read.status_code == 200
            # What only the writer can answer reaches it through whoever is asked.
            health, nonce = client.get("/v1/health"), client.post("/v1/nonces")
            assert health.json()["indexed_block"] == read.json()["as_of"]["block_number"]
            assert nonce.status_code == 201
            refused = client.post("/v1/trades", json={})
            assert refused.headers["content-type"] == "application/problem+json"

        lost = min(children(writer))
        os.kill(lost, signal.SIGKILL)
        until(lambda: len(children(writer) - {lost}) == 2, what="another in its place")

        assert httpx.get(f"{url}/v1/blocks", timeout=SECONDS_MAX, trust_env=False).is_success

        left = {one: start_mark(one) or "" for one in children(writer)}
        os.kill(writer, signal.SIGKILL)
        until(lambda: not any(is_running(*one) for one in left.items()), what="they end too")
