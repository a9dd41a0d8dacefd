"""
Tests of calling an address that somebody else chose: it reaches nothing that it should not.
"""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import ip_address
from typing import Any

import pytest

from api.webhooks import calls as webhook_calls
from api.webhooks.calls import (
    ANSWER_BYTES_MAX,
    SAID_CHARACTERS_MAX,
    Outcome,
    Reach,
    WebhookUrlRefused,
    call,
    check_url,
    networks_of,
)
from tests.api.receiving import Receiver, open_receiver

WORLD = Reach()
HERE = Reach(is_http_allowed=True, networks=networks_of("127.0.0.0/8"))


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with open_receiver() as found:
        yield found


@pytest.fixture
def resolves(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Let names stand for what the test says, as a name server that others run may."""

    def to(*answers: str) -> list[str]:
        asked: list[str] = []
        waiting = list(answers)

        def answer(host: str, port: int, **_: Any) -> list[Any]:
            asked.append(host)
            found = waiting.pop(0) if len(waiting) > 1 else waiting[0]
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (found, port))]

        monkeypatch.setattr(webhook_calls.socket, "getaddrinfo", answer)
        return asked

    return to


@contextmanager
def dripping(drip: bytes) -> Iterator[str]:
    """Give the URL of whoever takes one call and answers it so now and then, for five seconds."""
    stopped = threading.Event()

    def slowly(listener: socket.socket) -> None:
        held, _ = listener.accept()
        with held:
            while not stopped.wait(0.02):
                try:
                    held.send(drip)
                except OSError:
                    return

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=slowly, args=(listener,))
        thread.start()
        ends = threading.Timer(5, stopped.set)
        ends.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            ends.cancel()
            stopped.set()
            thread.join()


class TestReach:
    """Reliability §3.19."""

    @pytest.mark.parametrize(
        "address",
        [
            "127.0.0.1",
            "127.8.8.8",
            "0.0.0.0",
            "10.0.0.1",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "192.0.2.1",
            "224.0.0.1",
            "255.255.255.255",
            "240.0.0.1",
            "::1",
            "::",
            "fe80::1",
            "fec0::1",
            "fc00::1",
            "fd12::1",
            "ff02::1",
            "::ffff:127.0.0.1",
            "::ffff:169.254.169.254",
            "64:ff9b::7f00:1",
            "64:ff9b::a9fe:a9fe",
            "2002:7f00:1::",
            "2002:a9fe:a9fe::1",
        ],
    )
    def test_refuses_what_is_not_the_whole_worlds(self, address: str) -> None:
        assert not WORLD.allows(ip_address(address))

    @pytest.mark.parametrize("address", ["1.1.1.1", "93.184.216.34", "2606:4700::1111"])
    def test_allows_what_is(self, address: str) -> None:
        assert WORLD.allows(ip_address(address))

    def test_allows_what_the_operator_names_and_nothing_beside_it(self) -> None:
        reach = Reach(networks=networks_of("10.1.0.0/16, fd12::/16"))

        assert reach.allows(ip_address("10.1.2.3"))
        assert reach.allows(ip_address("fd12::1"))
        assert not reach.allows(ip_address("10.2.0.1"))


class TestCheckUrl:
    @pytest.mark.parametrize(
        "url",
        [
            "http://1.1.1.1/",
            "ftp://1.1.1.1/",
            "file:///etc/passwd",
            "gopher://1.1.1.1/",
            "//1.1.1.1/",
            "https://",
            "https:///x",
            "https://1.1.1.1:0/",
            "https://1.1.1.1:99999/",
            "https://user@1.1.1.1/",
            "https://user:word@1.1.1.1/",
            "https://1.1.1.1/#part",
            "https://1.1.1.1/ x",
            "https://1.1.1.1/\r\nx: y",
            "https://1.1.1.1\\@127.0.0.1/",
            "https://127.0.0.1/",
            "https://2130706433/",
            "https://0x7f000001/",
            "https://0177.0.0.1/",
            "https://127.1/",
            "https://[::1]/",
            "https://[::ffff:127.0.0.1]/",
            "https://169.254.169.254/latest/meta-data",
            "https://localhost/",
            "https://１２７.0.0.1/",
            "https://1.1.1.1/" + "x" * 2_000,
            "x",
            "",
        ],
    )
    def test_refuses(self, url: str) -> None:
        with pytest.raises(WebhookUrlRefused):
            check_url(url, WORLD)

    def test_refuses_a_name_that_stands_for_an_inner_address(self, resolves: Any) -> None:
        resolves("10.0.0.7")

        with pytest.raises(WebhookUrlRefused, match=r"10\.0\.0\.7"):
            check_url("https://inner.example/", WORLD)

    def test_takes_https_to_the_world(self) -> None:
        assert check_url("https://1.1.1.1:8443/a?b=c", WORLD)


class TestCall:
    def test_delivers_where_the_operator_allows_it(self, receiver: Receiver) -> None:
        called = call(receiver.url, {"x-test": "1"}, b"{}", HERE)

        assert called.outcome is Outcome.DELIVERED
        assert receiver.got[0].headers["x-test"] == "1"
        assert receiver.got[0].body == b"{}"

    def test_judges_again_what_a_name_stands_for_when_it_is_called(
        self, receiver: Receiver, resolves: Any
    ) -> None:
        resolves("1.1.1.1", "127.0.0.1")
        port = receiver.url.rpartition(":")[2]
        url = check_url(f"https://rebinding.example:{port}", WORLD)

        called = call(url, {}, b"{}", WORLD)

        assert called.outcome is Outcome.ADDRESS_REFUSED
        assert receiver.got == []

    def test_goes_to_the_address_that_was_judged(self, receiver: Receiver, resolves: Any) -> None:
        asked = resolves("127.0.0.1", "192.0.2.1")
        port = receiver.url.rpartition(":")[2]

        called = call(f"http://somebody.example:{port}", {}, b"{}", HERE)

        assert called.outcome is Outcome.DELIVERED
        assert asked == ["somebody.example"]
        assert receiver.got[0].headers["host"].startswith("somebody.example")

    def test_follows_no_redirect(self, receiver: Receiver) -> None:
        receiver.answer = lambda _: 302
        receiver.headers = {"location": receiver.url}

        called = call(receiver.url, {}, b"{}", HERE)

        assert (called.outcome, called.status) == (Outcome.REDIRECTED, 302)
        assert len(receiver.got) == 1

    def test_reads_a_little_of_the_answer_only(self, receiver: Receiver) -> None:
        receiver.answer = lambda _: 500
        receiver.said = b"no\x1b[31m " + b"x" * (4 * ANSWER_BYTES_MAX)

        called = call(receiver.url, {}, b"{}", HERE)

        assert called.outcome is Outcome.REFUSED
        assert len(called.said) == SAID_CHARACTERS_MAX
        assert called.said.startswith("no [31m")

    def test_hears_when_to_come_back(self, receiver: Receiver) -> None:
        receiver.answer = lambda _: 429
        receiver.headers = {"retry-after": "120"}

        assert call(receiver.url, {}, b"{}", HERE).retry_after == 120

    def test_says_that_nobody_listens(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = listener.getsockname()[1]

        assert call(f"http://127.0.0.1:{port}", {}, b"{}", HERE).outcome is Outcome.UNREACHABLE

    def test_uses_http_only_while_it_is_allowed(self, receiver: Receiver) -> None:
        reach = Reach(networks=HERE.networks)

        assert call(receiver.url, {}, b"{}", reach).outcome is Outcome.ADDRESS_REFUSED
        assert receiver.got == []

    @pytest.mark.parametrize("drip", [b"", b"H"])
    def test_ends_with_whoever_never_ends(
        self, monkeypatch: pytest.MonkeyPatch, drip: bytes
    ) -> None:
        monkeypatch.setattr(webhook_calls, "CALL_SECONDS_MAX", 0.3)
        with dripping(drip) as url:
            started = time.monotonic()
            called = call(url, {}, b"{}", HERE)

        assert called.outcome is Outcome.TIMED_OUT
        assert time.monotonic() - started < 3

    def test_gives_all_addresses_of_a_name_the_time_of_one(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Two swallow the connection; the third then sends a byte now and then."""
        monkeypatch.setattr(webhook_calls, "CALL_SECONDS_MAX", 0.4)
        found = [ip_address(one) for one in ("127.0.0.2", "127.0.0.3", "127.0.0.1")]
        monkeypatch.setattr(webhook_calls, "_judged", lambda *_: found)
        connected = webhook_calls._connected

        def swallowed(address: Any, port: int, seconds: float) -> socket.socket:
            if address != found[-1]:
                time.sleep(seconds)
                raise TimeoutError
            return connected(address, port, seconds)

        monkeypatch.setattr(webhook_calls, "_connected", swallowed)
        with dripping(b"H") as url:
            started = time.monotonic()
            called = call(url, {}, b"{}", HERE)
            seconds = time.monotonic() - started

        assert called.outcome is Outcome.TIMED_OUT
        assert seconds < 3
