"""
Fixtures of the API's tests.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.api.lived import Lived, open_lived
from tests.api.mirrored import Mirrored, open_mirrored
from tests.api.shell import Told, run


@pytest.fixture
def mirrored(tmp_path: Path) -> Iterator[Mirrored]:
    """A home without a chain, whose mirror holds what the test appends."""
    with open_mirrored(tmp_path / "home") as home:
        yield home


@pytest.fixture(scope="session")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lived]:
    """A home with a real chain on which the sample package lived its whole life, mirrored."""
    with open_lived(tmp_path_factory.mktemp("lived") / "home") as home:
        yield home


@pytest.fixture(scope="session")
def demonstrated(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Told]:
    """A home on which `shulian demo --once --json` ran, and what that said."""
    home = tmp_path_factory.mktemp("demonstrated") / "home"
    return home, run("demo", "--once", "--json", "--home", home)


@pytest.fixture(scope="session")
def home(demonstrated: tuple[Path, Told]) -> Path:
    """That home; what tests do on it may only add to it."""
    folder, told = demonstrated
    assert told.code == 0, told.err
    return folder
