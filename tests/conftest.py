"""
Fixtures that every package's tests share.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.anvil import Anvil

if TYPE_CHECKING:
    from tests.stories.world import Scene, World


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


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator["World"]:
    """A home on which the shipped sample, and the real packages that are here, lived once."""
    # Only the tests that cut across need the whole ledger; the others start without it.
    from tests.stories.places import packages
    from tests.stories.world import open_world

    with open_world(tmp_path_factory.mktemp("world") / "home", packages()) as opened:
        yield opened


@pytest.fixture
def scene(world: "World", tmp_path: Path) -> Iterator["Scene"]:
    """Hands to act with on that home; afterwards it is as it was before."""
    from tests.stories.world import open_scene

    with open_scene(world, tmp_path) as opened:
        yield opened
