"""
Fixtures that every package's tests share.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.anvil import Anvil
from tests.postgres import CHOSEN, DATABASES

if TYPE_CHECKING:
    from tests.kubo import Kubo
    from tests.stories.world import Scene, World


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--database",
        choices=DATABASES,
        default=DATABASES[0],
        help="where mirrors are kept; the store's and the reads' own tests run on both anyway",
    )
    parser.addoption(
        "--engines",
        action="store_true",
        help="also run the tests marked `engines`, on what scripts/engines builds: geth, Kubo",
    )


def pytest_configure(config: pytest.Config) -> None:
    CHOSEN.chosen = config.getoption("--database")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what needs engines that are built with Go, unless they are asked for."""
    if config.getoption("--engines"):
        return
    left_out = [item for item in items if item.get_closest_marker("engines")]
    items[:] = [item for item in items if not item.get_closest_marker("engines")]
    config.hook.pytest_deselected(items=left_out)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run the tests of a module that says `ON_BOTH_DATABASES = True` on both databases."""
    if "database" in metafunc.fixturenames and hasattr(metafunc.module, "ON_BOTH_DATABASES"):
        metafunc.parametrize("database", DATABASES)


def pytest_unconfigure() -> None:
    CHOSEN.stop()


@pytest.fixture
def database() -> str:
    """Name the database that mirrors of this test are kept in."""
    return CHOSEN.chosen


@pytest.fixture
def mirror_url(database: str, tmp_path: Path) -> Iterator[str]:
    """Give the URL of an empty mirror of the test's own."""
    path = tmp_path / "mirror.db"
    yield CHOSEN.url(path, database)
    CHOSEN.forget(path, database)


@pytest.fixture
def empty_url(database: str, tmp_path: Path) -> Iterator[str]:
    """Give the URL of a database of the test's own without any table."""
    path = tmp_path / "empty.db"
    yield CHOSEN.empty(path, database)
    CHOSEN.forget(path, database)


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
def kubo(tmp_path_factory: pytest.TempPathFactory) -> Iterator["Kubo"]:
    """A real IPFS node that outlives a test; for tests marked `engines`."""
    from tests.kubo import running

    with running(tmp_path_factory.mktemp("kubo") / "repository") as node:
        yield node


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
