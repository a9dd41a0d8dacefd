"""
A sender whose node goes away asks another of the same chain, and sends nothing twice.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest

from chain import ways
from chain.connection import Connection
from chain.entries import State
from chain.nodes import NodeUrlInvalid, NodeUrlMissing, urls_of
from chain.outbox import Outbox
from chain.rpc import Node, NodeUnauthorized, NodeUnavailable, NotANode
from chain.sender import Sender
from tests.anvil import Anvil
from tests.chain.fault_proxy import Dropped, FaultProxy, fault_proxy
from tests.chain.journal import Desk

NOBODY = "http://127.0.0.1:1"


class Doors:
    """Two ways to one home's chain, either of which a test shuts."""

    def __init__(self, desk: Desk, stack: ExitStack) -> None:
        running = desk.node.running()
        assert running is not None
        self.first: FaultProxy = stack.enter_context(fault_proxy(running.url))
        self.second: FaultProxy = stack.enter_context(fault_proxy(running.url))
        self.connection = stack.enter_context(
            Connection.to(f"{self.first.url},{self.second.url}", timeout_seconds=5)
        )
        self.sender = Sender(self.connection, desk.outbox, timeout_seconds=20)

    def shut(self, proxy: FaultProxy, *, after: str = "") -> None:
        """Answer nothing more: at once, or once the node behind was asked for something."""
        is_shut = False

        def body(answer: bytes) -> tuple[int, bytes]:
            nonlocal is_shut
            is_shut = is_shut or not after or after in proxy.seen
            if is_shut:
                raise Dropped
            return 200, answer

        proxy.seen.clear()
        proxy.spoil_body = body


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    desk = Desk.open(tmp_path)
    yield desk
    desk.close()


@pytest.fixture
def doors(desk: Desk) -> Iterator[Doors]:
    with ExitStack() as stack:
        yield Doors(desk, stack)


class TestWays:
    """Reliability §3.7: a node that is lost costs no act, and no act is done twice."""

    def test_turn_to_the_next_node_when_one_is_lost(self, doors: Doors) -> None:
        doors.shut(doors.first)

        assert doors.connection.latest().number > 0
        assert doors.second.seen

    def test_turn_back_when_the_other_is_lost_too(self, doors: Doors) -> None:
        doors.shut(doors.first)
        doors.connection.latest()
        doors.first.heal()
        doors.shut(doors.second)

        assert doors.connection.latest().number > 0

    def test_say_so_when_no_node_is_left(self, doors: Doors) -> None:
        doors.shut(doors.first)
        doors.shut(doors.second)

        with pytest.raises(NodeUnavailable):
            doors.connection.latest()

    @pytest.mark.parametrize(
        "after", ["eth_call", "eth_sendRawTransaction", "eth_getTransactionReceipt"]
    )
    def test_carry_a_burst_through_whenever_the_node_is_lost(
        self, desk: Desk, doors: Doors, after: str
    ) -> None:
        """The node may have taken what it did not confirm: it is sent again, and done once."""
        desk.write(0)
        orders = [desk.order(line) for line in range(1, 21)]
        doors.shut(doors.first, after=after)

        done = doors.sender.carry_out(orders)

        assert {one.state for one in done} == {State.MINED}
        assert desk.lines() == 21
        nonces = [one.nonce for one in done]
        assert nonces == list(range(nonces[0] or 0, (nonces[0] or 0) + 20))
        assert doors.second.seen

    def test_leave_a_node_of_another_chain_alone(self, anvil: Anvil, desk: Desk) -> None:
        running = desk.node.running()
        assert running is not None
        with (
            fault_proxy(running.url) as proxy,
            Connection.to(f"{proxy.url},{anvil.url}", timeout_seconds=5) as connection,
        ):
            proxy.spoil_body = _dropped

            with pytest.raises(NodeUnavailable):
                connection.latest()

    def test_leave_a_node_alone_that_does_not_know_what_was_seen(
        self, doors: Doors, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(ways, "CATCH_UP_SECONDS", 0.5)
        number = doors.connection.latest().number
        doors.second.spoil = _head_at(number - 1)
        doors.shut(doors.first)

        with pytest.raises(NodeUnavailable):
            doors.connection.latest()

    def test_wait_for_a_node_that_is_about_to_know_it(self, doors: Doors) -> None:
        number = doors.connection.latest().number
        late = iter([number - 1, number - 1])
        doors.second.spoil = lambda method, parameters, answer: _head_at(next(late, number))(
            method, parameters, answer
        )
        doors.shut(doors.first)

        assert doors.connection.latest().number == number

    def test_start_at_the_first_node_that_answers(self, doors: Doors) -> None:
        with Connection.to(f"{NOBODY},{doors.second.url}") as connection:
            assert connection.chain_id == doors.connection.chain_id

    def test_turn_to_a_node_that_is_farther(self, doors: Doors) -> None:
        number = doors.connection.latest().number
        doors.first.spoil = _head_at(number - 3)

        assert doors.connection.turn_to_farthest()
        assert not doors.connection.turn_to_farthest()

    def test_stay_with_a_node_that_is_a_little_behind(self, doors: Doors) -> None:
        doors.first.spoil = _head_at(doors.connection.latest().number - 2)

        assert not doors.connection.turn_to_farthest()


class TestANodeThatDrips:
    """A byte now and then is no answer: whoever waits for it holds up all that is to be sent."""

    @pytest.mark.parametrize("is_chunked", [False, True], ids=["of a length", "chunked"])
    def test_is_left_when_the_time_is_over(self, is_chunked: bool) -> None:
        with _dripping(is_chunked=is_chunked) as address:
            began = time.monotonic()

            with pytest.raises(NodeUnavailable, match="in time"):
                Connection.to(address, timeout_seconds=1)

            assert time.monotonic() - began < 5

    def test_is_waited_for_while_there_is_time(self, anvil: Anvil) -> None:
        with fault_proxy(anvil.url) as proxy:
            proxy.plague("delay", share=1, seed=1)

            with Connection.to(proxy.url, timeout_seconds=20) as connection:
                assert connection.latest().number >= 0


def _send(url: str) -> None:
    Connection.to(url).close()


def _read(url: str) -> None:
    with Node(url) as node:
        node.call("eth_chainId")


class TestWhatIsNoNode:
    """Bad input: an address at which something else answers, or wants a password, says which."""

    @pytest.mark.parametrize(
        ("status", "body", "error"),
        [
            (200, b"<html>It works!</html>", NotANode),
            (404, b"<html>Not found</html>", NotANode),
            (404, b'{"detail": "Not Found"}', NotANode),
            (401, b"", NodeUnauthorized),
            (403, b"forbidden", NodeUnauthorized),
            (502, b"<html>Bad gateway</html>", NodeUnavailable),
        ],
    )
    @pytest.mark.parametrize("asks", [_send, _read], ids=["to send", "to read"])
    def test_is_told_for_what_it_is(
        self, status: int, body: bytes, error: type[NodeUnavailable], asks: Callable[[str], None]
    ) -> None:
        with _server(status, body) as address:
            url = address.replace("//", "//user:secret@") + "/hidden"
            with pytest.raises(NodeUnavailable) as raised:
                asks(url)

        assert type(raised.value) is error
        assert address.removeprefix("http://") in str(raised.value)
        assert "secret" not in str(raised.value)
        assert "hidden" not in str(raised.value)

    @pytest.mark.parametrize("body", [b'{"jsonrpc": "2.0", "id": 1, "result": null}', b"[]"])
    def test_is_told_if_it_knows_no_chain(self, body: bytes) -> None:
        with _server(200, body) as address, pytest.raises(NotANode, match="eth_chainId"):
            Connection.to(address)

    def test_is_told_when_nobody_is_there(self) -> None:
        with pytest.raises(NodeUnavailable, match=r"127\.0\.0\.1:1 is not reached"):
            Connection.to("http://user:secret@127.0.0.1:1/token")

    @pytest.mark.parametrize(
        "url",
        ["localhost:8545", "ws://127.0.0.1:8545", "http://", "http://127.0.0.1:port", "8545"],
    )
    def test_is_refused_before_it_is_asked_if_it_is_no_address(self, url: str) -> None:
        with pytest.raises(NodeUrlInvalid):
            urls_of(f"http://127.0.0.1:8545,{url}")

    @pytest.mark.parametrize("text", ["", " , ,"])
    def test_is_refused_if_there_is_none(self, text: str) -> None:
        with pytest.raises(NodeUrlMissing):
            urls_of(text)

    def test_is_named_once(self) -> None:
        assert urls_of("http://a, http://b,http://a") == ("http://a", "http://b")


def test_an_outbox_of_another_chain_is_refused(anvil: Anvil, tmp_path: Path) -> None:
    outbox = Outbox.open(tmp_path / "operational.db", chain_id=1)
    with Connection.to(anvil.url) as connection, pytest.raises(Exception, match="another chain"):
        Sender(connection, outbox)
    outbox.close()


def _dropped(_: bytes) -> tuple[int, bytes]:
    raise Dropped


def _head_at(number: int) -> Any:
    def spoil(method: str, _: list[Any], answer: dict[str, Any]) -> dict[str, Any]:
        return {**answer, "result": hex(number)} if method == "eth_blockNumber" else answer

    return spoil


@contextmanager
def _dripping(*, is_chunked: bool) -> Iterator[str]:
    stopping = Event()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            self.send_response(200)
            length = ("transfer-encoding", "chunked") if is_chunked else ("content-length", "9999")
            self.send_header(*length)
            self.end_headers()
            with suppress(OSError):
                while not stopping.wait(0.1):
                    self.wfile.write(b"1\r\n \r\n" if is_chunked else b" ")
            self.close_connection = True

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            stopping.set()
            server.shutdown()
            thread.join()


class _server:
    """An HTTP server that answers everything alike, and is no node."""

    def __init__(self, status: int, body: bytes) -> None:
        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["content-length"]))
                self.send_response(status)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = Thread(target=self._server.serve_forever, daemon=True)

    def __enter__(self) -> str:
        self._thread.start()
        return f"http://127.0.0.1:{self._server.server_port}"

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
