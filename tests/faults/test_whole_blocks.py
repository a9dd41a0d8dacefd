"""
A block is in the mirror wholly or not at all, and a final one stays, whatever fails meanwhile.
"""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, select, text
from sqlmodel import Session

from api.worker import DATABASE_FAILED
from chain.facts import Followed
from chain.heads import ForkBeyondFinality, final_number, note_final
from chain.indexer import sync_once
from chain.rpc import Node, NodeContradicts
from chain.store import BLOCKS, block_at, open_mirror, rebuild, rewind
from chain.values import Address
from tests.anvil import Anvil
from tests.chain.emitter import deploy
from tests.chain.fault_proxy import Answer, Spoil, fault_proxy
from tests.chain.following import emit, fresh, no_block, source_of
from tests.chain.things import append, apply, dump, project, registered_log, used_log

# After the blocks and events are written, and before all the versions are.
REFUSING = (
    "CREATE TRIGGER refusing BEFORE INSERT ON test_tallies BEGIN SELECT RAISE(ABORT, 'no'); END"
)


@pytest.fixture
def engine(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    """A mirror of two blocks."""
    made = open_mirror(f"sqlite:///{tmp_path_factory.mktemp('mirror')}/mirror.db")
    apply(made, append(0, [registered_log(1, 1)]), append(1, [registered_log(1, 2)]))
    return made


class TestApplyBlocks:
    def test_leave_nothing_when_the_database_fails_half_way(self, engine: Engine) -> None:
        """reliability §4.3: one transaction has events, derived rows, cursor and hash."""
        with engine.begin() as connection:
            connection.execute(text(REFUSING))
        before = dump(engine)

        with pytest.raises(DATABASE_FAILED):
            apply(engine, append(2, [registered_log(1, 3), used_log(1, 1)]))

        assert dump(engine) == before
        engine.dispose()


class TestRewind:
    def test_refuses_to_undo_what_is_final(self, engine: Engine) -> None:
        """reliability §3.3: finalised data is never rewritten."""
        with Session(engine) as session, session.begin():
            block = block_at(session, 1)
            assert block is not None
            note_final(session, block)
        before = dump(engine)

        with (
            pytest.raises(ForkBeyondFinality),
            Session(engine) as session,
            session.begin(),
        ):
            rewind(session, 0)

        assert dump(engine) == before
        engine.dispose()


class TestNoteFinal:
    def test_never_lets_the_final_height_fall(self, engine: Engine) -> None:
        """Decided once for all readers: the height only rises."""
        with Session(engine) as session, session.begin():
            newer, older = block_at(session, 1), block_at(session, 0)
            assert newer is not None
            assert older is not None
            note_final(session, newer)
            note_final(session, older)

            assert final_number(session) == newer.number
        engine.dispose()


class TestRanges:
    @pytest.mark.parametrize("range_max", [1, 3, 7])
    def test_hold_their_last_block_where_no_bloom_would_tell(
        self, anvil: Anvil, tmp_path: Path, range_max: int
    ) -> None:
        """reliability §3.4: nothing is lost at the boundary of a range."""
        emitter = deploy(anvil)
        emit(anvil, emitter, *range(12))
        source = source_of(anvil, emitter, depth=0, range_max=range_max, has_blooms=False)
        mirror = open_mirror(f"sqlite:///{tmp_path}/mirror.db")

        synced = sync_once(mirror, source, project)

        assert synced.events == 24
        mirror.dispose()


class TestAContractThatJoins:
    def test_is_followed_though_the_first_pass_breaks_off(
        self, anvil: Anvil, tmp_path: Path
    ) -> None:
        """What broke: `scripts/simulate --fault reorg-random --seed 2`, a false alarm for ever."""
        first, second = deploy(anvil), deploy(anvil)
        emit(anvil, first, *range(6))
        emit(anvil, second, *range(6))
        mirror = open_mirror(f"sqlite:///{tmp_path}/mirror.db")
        alone = source_of(anvil, first, depth=2)
        sync_once(mirror, alone, project)
        late = Followed(address=Address(second), contract="Assets", from_block=2)
        with fault_proxy(anvil.url) as proxy, Node(proxy.url) as node:
            both = source_of(anvil, first, depth=2, node=node, range_max=2)
            both = replace(both, contracts=(*both.contracts, late))
            proxy.spoil = no_block(6)
            with pytest.raises(NodeContradicts):
                sync_once(mirror, both, project)
            proxy.heal()

            sync_once(mirror, both, project)

        whole = replace(alone, contracts=both.contracts)
        assert dump(mirror) == fresh(tmp_path, whole)
        mirror.dispose()


class TestTheFirstHeader:
    def test_is_not_believed_when_the_node_does_not_stand_by_it(
        self, anvil: Anvil, tmp_path: Path
    ) -> None:
        """What broke: `scripts/simulate --fault chaos --seed 43`, before any header had fitted."""
        emitter = deploy(anvil)
        emit(anvil, emitter, 1, 2)
        mirror = open_mirror(f"sqlite:///{tmp_path}/mirror.db")
        with fault_proxy(anvil.url) as proxy, Node(proxy.url) as node:
            proxy.spoil = _one_wrong_hash()
            source = source_of(anvil, emitter, node=node, verify=True)

            with pytest.raises(NodeContradicts, match="does not hash to"):
                sync_once(mirror, source, project)
            assert dump(mirror)["blocks"] == []
            synced = sync_once(mirror, source, project)

        assert synced.events == 4
        mirror.dispose()


def _one_wrong_hash() -> Spoil:
    left = [1]

    def spoil(method: str, parameters: list[Any], answer: Answer) -> Answer:
        if method == "eth_getBlockByNumber" and parameters[0] == "0x1" and left:
            left.pop()
            return {**answer, "result": {**answer["result"], "hash": "0x" + "ab" * 32}}
        return answer

    return spoil


class TestTheChecksumOfABlock:
    def test_covers_the_records_that_it_made(self, engine: Engine) -> None:
        """Two exchanges compare it, and must see what differs."""
        with Session(engine) as session, session.begin():
            rewind(session, 0)
        before = _checksums(engine)

        apply(engine, append(1, [registered_log(1, 2)]))
        same = _checksums(engine)
        with Session(engine) as session, session.begin():
            rewind(session, 0)
        # The same block hash, as a node that leaves something out would serve it.
        apply(engine, append(1, [registered_log(1, 9)]))
        other = _checksums(engine)

        assert before == same[:1] == other[:1]
        assert same[1] != other[1]
        engine.dispose()

    def test_is_the_same_after_a_rewind_and_after_a_rebuild(self, engine: Engine) -> None:
        before = _checksums(engine)

        with Session(engine) as session, session.begin():
            rewind(session, 0)
        apply(engine, append(1, [registered_log(1, 2)]))
        again = _checksums(engine)
        rebuild(engine, project)

        assert before == again == _checksums(engine)
        engine.dispose()


def _checksums(engine: Engine) -> list[str]:
    with Session(engine) as session:
        query = select(BLOCKS.c.checksum).order_by(BLOCKS.c.number)
        return list(session.connection().execute(query).scalars())
