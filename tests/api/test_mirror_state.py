"""How a mirror stands is told of either database: heights, counts, and who writes it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine
from sqlmodel import Session

from api.databases import alone, open_current
from api.upkeep.mirror_state import MirrorState, state_of
from chain.heads import note_final, note_node_head
from chain.layouts import LAYOUT
from chain.process import AlreadyHeld, held
from chain.store import block_at
from tests.chain.things import append, apply, registered_log

ON_BOTH_DATABASES = True
UNKNOWN = (["0x" + "ab" * 32], "0x")


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    return tmp_path / "mirror.lock"


@pytest.fixture
def mirror(mirror_url: str, lock: Path) -> Iterator[Engine]:
    """A mirror of nine blocks, of which five are final and one has a log nobody can read."""
    engine = open_current(mirror_url, lock)
    apply(engine, *(append(number, [registered_log(1, number)]) for number in range(1, 9)))
    apply(engine, append(9, [UNKNOWN]))
    with Session(engine) as session, session.begin():
        note_node_head(session, 9)
        block = block_at(session, 5)
        assert block is not None
        note_final(session, block)
    yield engine
    engine.dispose()


def told(mirror: Engine, lock: Path) -> MirrorState:
    return state_of(mirror, lock, None)


class TestStateOf:
    def test_tells_heights_and_counts(self, mirror: Engine, lock: Path, database: str) -> None:
        found = told(mirror, lock)

        assert found.tip is not None
        assert found.final is not None
        assert (found.tip.number, found.final.number) == (9, 5)
        assert found.tip.checksum != found.final.checksum
        assert found.counts == {
            "blocks": 9,
            "events": 9,
            "unknown_events": 1,
            "dead_letters": 0,
        }
        assert found.database == database
        assert found.size_bytes > 0
        assert found.layout == LAYOUT

    def test_tells_who_writes_on_this_machine(self, mirror: Engine, lock: Path) -> None:
        before = told(mirror, lock).writer
        with held(lock):
            during = told(mirror, lock).writer

        assert not before.is_writing
        assert during.is_writing

    def test_tells_that_another_machine_writes(
        self, mirror: Engine, lock: Path, tmp_path: Path, database: str
    ) -> None:
        """Its file lock is on its own disk; PostgreSQL knows it all the same."""
        with alone(mirror, tmp_path / "elsewhere.lock"):
            found = told(mirror, lock).writer

        assert found.is_writing is (database == "postgresql")

    def test_keeps_a_second_writer_out(self, mirror: Engine, mirror_url: str, lock: Path) -> None:
        other = open_current(mirror_url, lock)
        with alone(mirror, lock), pytest.raises(AlreadyHeld), alone(other, lock):
            pass
        other.dispose()
