"""
What the test run itself promises: nothing outside this machine is reached, no warning passes.

Not about the product.
"""

import socket
import warnings

import pytest
from pytest_socket import SocketConnectBlockedError


class TestNetwork:
    def test_refuses_every_address_but_loopback(self) -> None:
        # RFC 5737 keeps this address for documents; the guard warns before it raises.
        refusals = (SocketConnectBlockedError, UserWarning)

        with socket.socket() as out, pytest.raises(refusals, match='host "192.0.2.1"'):
            out.connect(("192.0.2.1", 80))

    def test_lets_loopback_through(self) -> None:
        with (
            socket.create_server(("127.0.0.1", 0)) as server,
            socket.create_connection(server.getsockname(), timeout=5) as client,
        ):
            assert client.getpeername() == server.getsockname()


class TestWarnings:
    def test_are_errors(self) -> None:
        with pytest.raises(UserWarning, match="anything"):
            warnings.warn("anything", stacklevel=1)
