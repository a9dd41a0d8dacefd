"""
Fixtures of the tests that follow a chain or keep a mirror.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from chain.store import open_mirror
from tests.anvil import Anvil
from tests.chain.emitter import deploy


@pytest.fixture
def emitter(anvil: Anvil) -> str:
    return deploy(anvil)


@pytest.fixture
def mirror(tmp_path: Path) -> Iterator[Engine]:
    engine = open_mirror(f"sqlite:///{tmp_path}/mirror.db")
    yield engine
    engine.dispose()
