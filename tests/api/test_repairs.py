"""Repair fetches anew what differs; what was final is given up only if a person says so."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine
from sqlmodel import Session

from api.upkeep.repairs import mend
from chain.fetch import Source
from chain.gaps import RepairNotPermitted
from chain.heads import heads_of
from chain.indexer import ForkBeyondFinality, sync_once
from chain.reads import final_number
from chain.store import open_mirror, tip_of
from tests.anvil import Anvil
from tests.chain.emitter import deploy
from tests.chain.following import emit, fresh, source_of
from tests.chain.things import dump, project

DEPTH = 4


@pytest.fixture
def mirror(mirror_url: str) -> Iterator[Engine]:
    """An empty mirror."""
    engine = open_mirror(mirror_url)
    yield engine
    engine.dispose()


@pytest.fixture
def forked(anvil: Anvil, mirror: Engine) -> Source:
    """A source whose chain lost what the mirror holds as final, and has fewer blocks."""
    emitter = deploy(anvil)
    source = source_of(anvil, emitter, depth=DEPTH)
    emit(anvil, emitter, *range(1, 6))
    snapshot = anvil.rpc("evm_snapshot")
    emit(anvil, emitter, *range(6, 21))
    sync_once(mirror, source, project)
    anvil.rpc("evm_revert", snapshot)
    return source


def mended(mirror: Engine, source: Source, folder: Path, *, permitted: bool) -> object:
    return mend(mirror, source, project, keep_in=folder, is_final_permitted=permitted)


class TestMend:
    @pytest.mark.parametrize("others", [0, 3, 30])
    def test_gives_up_final_blocks_only_if_it_may(
        self, anvil: Anvil, mirror: Engine, forked: Source, tmp_path: Path, others: int
    ) -> None:
        """reliability §3.3: final data is never rewritten, but by a person's decision."""
        emit(anvil, forked.contracts[0].address, *range(100, 100 + others))
        with Session(mirror) as session:
            before, final = tip_of(session), final_number(session)
        with pytest.raises(ForkBeyondFinality):
            sync_once(mirror, forked, project)
        with pytest.raises(RepairNotPermitted):
            mended(mirror, forked, tmp_path, permitted=False)
        with Session(mirror) as session:
            assert tip_of(session) == before

        done = mended(mirror, forked, tmp_path, permitted=True)

        assert before is not None
        assert done.given_up == final - (done.from_block - 1)  # type: ignore[attr-defined]
        kept = open_mirror(f"sqlite:///{done.kept}")  # type: ignore[attr-defined]
        with Session(kept) as session:
            assert tip_of(session) == before
        kept.dispose()
        expected = fresh(tmp_path, forked)
        found = dump(mirror)
        assert {name: found[name] for name in ("blocks", "events", "test_things")} == {
            name: expected[name] for name in ("blocks", "events", "test_things")
        }
        with Session(mirror) as session:
            assert heads_of(session).alarm == ""

    def test_changes_nothing_where_nothing_differs(
        self, anvil: Anvil, mirror: Engine, tmp_path: Path
    ) -> None:
        emitter = deploy(anvil)
        source = source_of(anvil, emitter, depth=DEPTH)
        emit(anvil, emitter, *range(1, 9))
        sync_once(mirror, source, project)
        before = dump(mirror)

        done = mended(mirror, source, tmp_path, permitted=True)

        assert done.from_block is None  # type: ignore[attr-defined]
        assert dump(mirror) == before
        assert list(tmp_path.glob("*.before-*")) == []
