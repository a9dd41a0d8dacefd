"""
Tests of hearing of new blocks, from a real node that also goes away and comes back.
"""

import threading
from urllib.parse import urlsplit

import pytest

from chain.newheads import Announcements, announcements_url
from tests.anvil import Anvil
from tests.chain.fault_proxy import fault_proxy

WAIT_SECONDS = 30


class Bell:
    """Counts, and lets a test wait for the next time."""

    def __init__(self) -> None:
        self.rung = threading.Semaphore(0)

    def __call__(self) -> None:
        self.rung.release()

    def wait(self) -> bool:
        return self.rung.acquire(timeout=WAIT_SECONDS)


class TestAnnouncements:
    def test_ring_at_the_connection_and_at_every_block(self, anvil: Anvil) -> None:
        bell = Bell()

        with Announcements(announcements_url(anvil.url), bell) as told:
            assert bell.wait()
            assert told.is_connected
            for _ in range(3):
                anvil.mine()
                assert bell.wait()

    def test_come_back_when_the_node_does(self) -> None:
        bell = Bell()
        first = Anvil()
        url = announcements_url(first.url)

        with Announcements(url, bell) as told:
            assert bell.wait()
            first.kill()
            assert bell.wait()
            assert not told.is_connected
            second = Anvil(port=urlsplit(url).port or 0)
            try:
                assert bell.wait()
                second.mine()
                assert bell.wait()
            finally:
                second.stop()

    def test_stop_while_nobody_answers(self) -> None:
        with Announcements("ws://127.0.0.1:9", Bell()) as told:
            assert not told.is_connected

    def test_are_not_there_where_there_is_no_websocket(self, anvil: Anvil) -> None:
        with (
            fault_proxy(anvil.url) as proxy,
            Announcements(announcements_url(proxy.url), Bell()) as told,
        ):
            anvil.mine()

            assert not told.is_connected


class TestAnnouncementsUrl:
    @pytest.mark.parametrize(
        ("rpc_url", "expected"),
        [
            ("http://127.0.0.1:8545", "ws://127.0.0.1:8545"),
            ("https://node.example/key?x=1", "wss://node.example/key?x=1"),
            ("ws://127.0.0.1:8546", "ws://127.0.0.1:8546"),
        ],
    )
    def test_is_beside_the_endpoint(self, rpc_url: str, expected: str) -> None:
        assert announcements_url(rpc_url) == expected
