"""
Fixtures of the API's tests.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.api.lived import Lived, open_lived
from tests.api.mirrored import Mirrored, open_mirrored


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
