"""
Fixtures of the tests that follow a chain or keep a mirror.
"""

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine

from chain.store import open_mirror
from tests.anvil import Anvil
from tests.chain.emitter import deploy


@pytest.fixture
def emitter(anvil: Anvil) -> str:
    return deploy(anvil)


@pytest.fixture
def mirror(mirror_url: str) -> Iterator[Engine]:
    engine = open_mirror(mirror_url)
    yield engine
    engine.dispose()
