"""
Fixtures that every package's tests share.
"""

from collections.abc import Iterator

import pytest

from tests.anvil import Anvil


@pytest.fixture(scope="session")
def _anvil_process() -> Iterator[Anvil]:
    node = Anvil()
    yield node
    node.stop()


@pytest.fixture
def anvil(_anvil_process: Anvil) -> Iterator[Anvil]:
    """A node whose chain is after each test what it was before."""
    snapshot = _anvil_process.rpc("evm_snapshot")
    yield _anvil_process
    _anvil_process.rpc("evm_revert", snapshot)
