"""
Tests of reading a node: answers that are late, foreign or cut.
"""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import orjson
import pytest

from chain.rpc import Node, NodeContradicts, NodeRefused, NodeUnavailable, number_of
from tests.anvil import Anvil
from tests.chain.fault_proxy import FaultProxy, fault_proxy


@contextmanager
def lying(anvil: Anvil, body: Callable[[bytes], tuple[int, bytes]]) -> Iterator[Node]:
    with fault_proxy(anvil.url) as proxy, Node(proxy.url) as node:
        assert isinstance(proxy, FaultProxy)
        proxy.spoil_body = body
        yield node


class TestBatch:
    def test_answers_in_the_order_of_the_requests(self, anvil: Anvil) -> None:
        def turned(body: bytes) -> tuple[int, bytes]:
            return 200, orjson.dumps(orjson.loads(body)[::-1])

        with lying(anvil, turned) as node:
            found = node.batch([("eth_chainId", []), ("eth_blockNumber", [])])

        assert [number_of(one) for one in found] == [
            number_of(anvil.rpc("eth_chainId")),
            number_of(anvil.rpc("eth_blockNumber")),
        ]

    def test_of_nothing_asks_nothing(self) -> None:
        with Node("http://127.0.0.1:9") as node:
            assert node.batch([]) == []

    def test_that_is_too_large_is_refused(self, anvil: Anvil) -> None:
        refusal = {"jsonrpc": "2.0", "id": None, "error": {"code": -32600, "message": "too large"}}

        def refused(body: bytes) -> tuple[int, bytes]:
            answer = orjson.loads(body)
            is_large = isinstance(answer, list) and len(answer) > 2
            return (413, orjson.dumps(refusal)) if is_large else (200, body)

        with lying(anvil, refused) as node:
            with pytest.raises(NodeRefused, match="too large"):
                node.batch([("eth_chainId", []), ("eth_blockNumber", []), ("eth_chainId", [])])
            assert len(node.batch([("eth_chainId", []), ("eth_blockNumber", [])])) == 2

    def test_is_asked_one_by_one_where_none_is_taken(self, anvil: Anvil) -> None:
        """FISCO-BCOS refuses whatever is no single request."""
        refusal = {"jsonrpc": "2.0", "id": None, "error": {"code": -32600, "message": "invalid"}}

        def refused(body: bytes) -> tuple[int, bytes]:
            is_batch = isinstance(orjson.loads(body), list)
            return 200, orjson.dumps(refusal) if is_batch else body

        with lying(anvil, refused) as node:
            found = [node.batch([("eth_chainId", []), ("eth_blockNumber", [])]) for _ in range(2)]

        assert [[number_of(one) for one in answers] for answers in found] == [
            [number_of(anvil.rpc("eth_chainId")), number_of(anvil.rpc("eth_blockNumber"))]
        ] * 2

    @pytest.mark.parametrize("error", ["busy", {"code": "x", "message": 7}])
    def test_refused_in_another_form_is_refused(self, anvil: Anvil, error: object) -> None:
        def refused(body: bytes) -> tuple[int, bytes]:
            answer = orjson.loads(body)
            return 200, orjson.dumps({"id": answer["id"], "error": error})

        with lying(anvil, refused) as node, pytest.raises(NodeRefused) as caught:
            node.call("eth_chainId")

        assert caught.value.code == 0

    def test_that_misses_an_answer_contradicts(self, anvil: Anvil) -> None:
        def short(body: bytes) -> tuple[int, bytes]:
            return 200, orjson.dumps(orjson.loads(body)[:1])

        with lying(anvil, short) as node, pytest.raises(NodeContradicts):
            node.batch([("eth_chainId", []), ("eth_blockNumber", [])])

    def test_of_a_failing_server_is_unavailable(self, anvil: Anvil) -> None:
        with (
            lying(anvil, lambda body: (502, body)) as node,
            pytest.raises(NodeUnavailable, match="502"),
        ):
            node.call("eth_chainId")


class TestTimeout:
    def test_is_for_a_whole_answer(self) -> None:
        """A node that sends a byte now and then hangs as well as one that sends none."""
        ended = threading.Event()

        def trickle(listener: socket.socket) -> None:
            connection, _ = listener.accept()
            with connection, suppress(OSError):
                connection.recv(65_536)
                connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n")
                while not ended.wait(0.02):
                    connection.sendall(b" ")

        with socket.create_server(("127.0.0.1", 0)) as listener:
            thread = threading.Thread(target=trickle, args=(listener,))
            thread.start()
            url = f"http://127.0.0.1:{listener.getsockname()[1]}"
            with Node(url, timeout_seconds=0.2) as node, pytest.raises(NodeUnavailable):
                node.call("eth_chainId")
            ended.set()
            thread.join()


class TestStr:
    def test_keeps_what_a_url_may_hide(self) -> None:
        with Node("https://user:word@node.example:8443/secret-key") as node:
            assert str(node) == "node.example:8443"


class TestNumberOf:
    @pytest.mark.parametrize("quantity", [None, 7, "0xzz", ""])
    def test_refuses_what_is_no_quantity(self, quantity: object) -> None:
        with pytest.raises(NodeContradicts):
            number_of(quantity)
