"""
Fixtures of the API's tests.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.api.mirrored import Mirrored, open_mirrored


@pytest.fixture
def mirrored(tmp_path: Path) -> Iterator[Mirrored]:
    """A home without a chain, whose mirror holds what the test appends."""
    with open_mirrored(tmp_path / "home") as home:
        yield home
