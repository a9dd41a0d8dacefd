"""
Tests of following a real node: growth, forks, restarts.
"""

import shutil
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine
from sqlmodel import Session

from chain import indexer
from chain.facts import Append, Followed, Rewind
from chain.fetch import Source, WrongChain
from chain.finality import Finality
from chain.indexer import ForkBeyondFinality, StoredBlocks, follow, sync_once
from chain.reads import checksum, count, find
from chain.rpc import Node, NodeContradicts
from chain.store import rebuild
from chain.values import Address
from tests.anvil import CHAIN_ID, Anvil
from tests.chain.emitter import calldata, deploy
from tests.chain.fault_proxy import fault_proxy
from tests.chain.following import emit, fresh, no_block, source_of
from tests.chain.things import Tally, Thing, asset, dump, project, registered_log


class TestFollow:
    def test_tells_every_block_with_its_events(
        self, anvil: Anvil, emitter: str, mirror: Engine
    ) -> None:
        emit(anvil, emitter, 1, 2, 3)
        anvil.mine(2)

        facts = list(follow(source_of(anvil, emitter), StoredBlocks(mirror)))

        appends = [fact for fact in facts if isinstance(fact, Append)]
        assert len(appends) == len(facts)
        assert [one.block.number for one in appends] == list(range(len(appends)))
        events = [
            (event.meta.block_number, type(event).__name__)
            for one in appends
            for event in one.events
        ]
        head = appends[-1].block.number
        assert events == [
            (number, name)
            for number in range(head - 4, head - 1)
            for name in ("AssetRegistered", "AuthorizationUsed")
        ]

    def test_says_nothing_when_nothing_happened(
        self, anvil: Anvil, emitter: str, mirror: Engine
    ) -> None:
        emit(anvil, emitter, 1)
        sync_once(mirror, source_of(anvil, emitter), project)

        assert list(follow(source_of(anvil, emitter), StoredBlocks(mirror))) == []

    @pytest.mark.parametrize(("depth", "range_max"), [(64, 200), (0, 3), (2, 1), (3, 7)])
    def test_finds_the_same_by_range_and_by_hash(
        self, anvil: Anvil, emitter: str, mirror: Engine, tmp_path: Path, depth: int, range_max: int
    ) -> None:
        emit(anvil, emitter, *range(12))

        sync_once(mirror, source_of(anvil, emitter, depth=depth, range_max=range_max), project)

        assert dump(mirror) == fresh(tmp_path, source_of(anvil, emitter))

    def test_refuses_another_chain(self, anvil: Anvil, emitter: str, mirror: Engine) -> None:
        other = source_of(anvil, emitter)
        other.chain_id = CHAIN_ID + 1

        with pytest.raises(WrongChain):
            list(follow(other, StoredBlocks(mirror)))


class TestSyncOnce:
    def test_grows_with_the_chain(self, anvil: Anvil, emitter: str, mirror: Engine) -> None:
        source = source_of(anvil, emitter)
        for version in (7, 12, 17):
            emit(anvil, emitter, version)
            sync_once(mirror, source, project)

        with Session(mirror) as session:
            found = find(session, Thing, asset(2))
            assert found is not None
            assert found.record.version == 17
            assert len(found.record.seen_at) == 3
            assert count(session, Tally) == 3

    def test_follows_a_contract_that_joins_below_the_tip(
        self, anvil: Anvil, emitter: str, mirror: Engine, tmp_path: Path
    ) -> None:
        emit(anvil, emitter, 1, 2)
        second = deploy(anvil)
        emit(anvil, second, 3)
        sync_once(mirror, source_of(anvil, emitter), project)
        joined = source_of(anvil, emitter)
        late = Followed(address=Address(second), contract="Assets", from_block=1)
        both = Source(
            node=anvil.node,
            chain_id=CHAIN_ID,
            contracts=(*joined.contracts, late),
            finality=Finality(64),
        )

        sync_once(mirror, both, project)

        assert dump(mirror) == fresh(tmp_path, both)
        with Session(mirror) as session:
            assert find(session, Thing, asset(3)) is not None

    def test_goes_on_fetching_final_blocks_anew_after_a_failure(
        self, anvil: Anvil, emitter: str, mirror: Engine, tmp_path: Path
    ) -> None:
        emit(anvil, emitter, *range(12))
        second = deploy(anvil)
        emit(anvil, second, 3)
        sync_once(mirror, source_of(anvil, emitter, depth=2), project)
        head = int(anvil.rpc("eth_blockNumber"), 16)
        late = Followed(address=Address(second), contract="Assets", from_block=1)
        with fault_proxy(anvil.url) as proxy, Node(proxy.url) as node:
            proxy.spoil = no_block(head - 6)
            joined = source_of(anvil, emitter, depth=2, node=node, range_max=2)
            joined.contracts = (*joined.contracts, late)
            joined.__post_init__()
            with pytest.raises(NodeContradicts):
                sync_once(mirror, joined, project)
            tip = StoredBlocks(mirror).tip()
            assert tip is not None
            assert tip.number < StoredBlocks(mirror).final_number()

            proxy.heal()
            sync_once(mirror, joined, project)

            assert dump(mirror) == fresh(tmp_path, joined)

    @pytest.mark.parametrize("verify", [False, True])
    @pytest.mark.parametrize("depth", [0, 64])
    def test_starts_with_the_block_of_the_first_event(
        self, anvil: Anvil, emitter: str, mirror: Engine, depth: int, verify: bool
    ) -> None:
        """A start block that was skipped lost its events (reliability §3.4)."""
        anvil.mine(3)
        emit(anvil, emitter, 1, 2)
        first = int(anvil.rpc("eth_blockNumber"), 16) - 1
        source = source_of(anvil, emitter, depth=depth, verify=verify)
        source.contracts = (
            Followed(address=Address(emitter), contract="Assets", from_block=first),
        )

        synced = sync_once(mirror, source, project)

        assert (synced.blocks, synced.events) == (2, 4)
        assert StoredBlocks(mirror).block_at(first) is not None

    def test_keeps_what_was_whole_when_the_node_fails_in_the_middle(
        self, anvil: Anvil, emitter: str, mirror: Engine, tmp_path: Path
    ) -> None:
        emit(anvil, emitter, *range(8))
        head = int(anvil.rpc("eth_blockNumber"), 16)
        with fault_proxy(anvil.url) as proxy, Node(proxy.url) as node:
            proxy.spoil = no_block(head - 2)
            source = source_of(anvil, emitter, depth=1, node=node, range_max=2)

            with pytest.raises(NodeContradicts, match="is not there"):
                sync_once(mirror, source, project)
            tip = StoredBlocks(mirror).tip()

        assert tip is not None
        assert 0 < tip.number < head - 2
        sync_once(mirror, source_of(anvil, emitter), project)
        assert dump(mirror) == fresh(tmp_path, source_of(anvil, emitter))


class TestBatches:
    def test_end_in_the_middle_of_a_long_way(
        self,
        anvil: Anvil,
        emitter: str,
        mirror: Engine,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        emit(anvil, emitter, *range(9))
        monkeypatch.setattr(indexer, "BATCH_BLOCKS", 2)

        synced = sync_once(mirror, source_of(anvil, emitter), project)

        assert synced.events == 18
        assert dump(mirror) == fresh(tmp_path, source_of(anvil, emitter))

    def test_stop_where_the_chain_moved_between_two_requests(
        self, anvil: Anvil, emitter: str, mirror: Engine, tmp_path: Path
    ) -> None:
        emit(anvil, emitter, *range(6))
        head = int(anvil.rpc("eth_blockNumber"), 16)

        def moved(method: str, parameters: list[Any], answer: dict[str, Any]) -> dict[str, Any]:
            if method == "eth_getBlockByNumber" and parameters[0] == hex(head - 2):
                spoilt = {**answer["result"], "parentHash": "0x" + "ee" * 32}
                return {**answer, "result": spoilt}
            return answer

        with fault_proxy(anvil.url) as proxy, Node(proxy.url) as node:
            proxy.spoil = moved
            sync_once(mirror, source_of(anvil, emitter, node=node), project)

        tip = StoredBlocks(mirror).tip()
        assert tip is not None
        assert tip.number == head - 3
        sync_once(mirror, source_of(anvil, emitter), project)
        assert dump(mirror) == fresh(tmp_path, source_of(anvil, emitter))


class TestForks:
    @pytest.mark.parametrize("depth", [1, 2, 5, 12])
    @pytest.mark.parametrize("growth", [-1, 0, 3])
    def test_equal_a_mirror_of_the_winning_chain(
        self,
        anvil: Anvil,
        emitter: str,
        mirror: Engine,
        tmp_path: Path,
        depth: int,
        growth: int,
    ) -> None:
        emit(anvil, emitter, 1, 2, 3)
        snapshot = anvil.rpc("evm_snapshot")
        emit(anvil, emitter, *range(10, 10 + depth))
        source = source_of(anvil, emitter)
        sync_once(mirror, source, project)
        anvil.rpc("evm_revert", snapshot)
        emit(anvil, emitter, *range(20, 20 + depth + growth))

        synced = sync_once(mirror, source, project)

        assert synced.rewound_to == int(anvil.rpc("eth_blockNumber"), 16) - depth - growth
        assert dump(mirror) == fresh(tmp_path, source)

    def test_follow_a_reorganisation_that_moves_a_transaction(
        self, anvil: Anvil, emitter: str, mirror: Engine, tmp_path: Path
    ) -> None:
        emit(anvil, emitter, 1, 2, 3, 4)
        source = source_of(anvil, emitter)
        sync_once(mirror, source, project)
        moved = calldata([registered_log(4, 44)])
        call = {"from": anvil.accounts[0], "to": emitter, "data": moved, "gas": hex(500_000)}

        anvil.rpc("anvil_reorg", 3, [[call, 1]])
        synced = sync_once(mirror, source, project)

        assert synced.rewound_to is not None
        assert dump(mirror) == fresh(tmp_path, source)
        with Session(mirror) as session:
            found = find(session, Thing, asset(4))
            assert found is not None
            assert found.record.version == 44

    def test_tell_one_rewind_and_then_the_new_blocks(
        self, anvil: Anvil, emitter: str, mirror: Engine
    ) -> None:
        emit(anvil, emitter, 1)
        snapshot = anvil.rpc("evm_snapshot")
        emit(anvil, emitter, 2, 3)
        source = source_of(anvil, emitter)
        sync_once(mirror, source, project)
        anvil.rpc("evm_revert", snapshot)
        emit(anvil, emitter, 4, 5, 6)

        facts = list(follow(source, StoredBlocks(mirror)))

        head = int(anvil.rpc("eth_blockNumber"), 16)
        assert facts[0] == Rewind(head - 3)
        assert [fact.block.number for fact in facts[1:] if isinstance(fact, Append)] == [
            head - 2,
            head - 1,
            head,
        ]

    def test_stop_the_mirror_below_finality(
        self, anvil: Anvil, emitter: str, mirror: Engine
    ) -> None:
        emit(anvil, emitter, 1)
        snapshot = anvil.rpc("evm_snapshot")
        emit(anvil, emitter, *range(10, 16))
        source = source_of(anvil, emitter, depth=5)
        sync_once(mirror, source, project)
        before = dump(mirror)
        anvil.rpc("evm_revert", snapshot)
        emit(anvil, emitter, *range(20, 28))

        with pytest.raises(ForkBeyondFinality):
            sync_once(mirror, source, project)

        assert dump(mirror) == before

    def test_may_be_longer_than_one_step_back(
        self, anvil: Anvil, emitter: str, mirror: Engine, tmp_path: Path
    ) -> None:
        emit(anvil, emitter, 1)
        snapshot = anvil.rpc("evm_snapshot")
        anvil.mine(40)
        source = source_of(anvil, emitter)
        sync_once(mirror, source, project)
        anvil.rpc("evm_revert", snapshot)
        emit(anvil, emitter, 2, 3)

        synced = sync_once(mirror, source, project)

        assert synced.rewound_to == int(anvil.rpc("eth_blockNumber"), 16) - 2
        assert dump(mirror) == fresh(tmp_path, source)

    def test_down_to_the_first_block_start_anew(
        self, anvil: Anvil, emitter: str, mirror: Engine, tmp_path: Path
    ) -> None:
        emit(anvil, emitter, 1)
        sync_once(mirror, source_of(anvil, emitter), project)
        other = Anvil("--timestamp", "1600000000")

        try:
            second = deploy(other)
            source = source_of(other, emitter)
            assert second == emitter
            emit(other, second, 2)
            synced = sync_once(mirror, source, project)
            assert synced.rewound_to == -1
            assert dump(mirror) == fresh(tmp_path, source)
        finally:
            other.stop()

    def test_may_be_exactly_as_deep_as_finality(
        self, anvil: Anvil, emitter: str, mirror: Engine, tmp_path: Path
    ) -> None:
        emit(anvil, emitter, 1)
        snapshot = anvil.rpc("evm_snapshot")
        emit(anvil, emitter, *range(10, 15))
        source = source_of(anvil, emitter, depth=5)
        sync_once(mirror, source, project)
        anvil.rpc("evm_revert", snapshot)
        emit(anvil, emitter, *range(20, 28))

        sync_once(mirror, source, project)

        assert dump(mirror) == fresh(tmp_path, source)


class TestRestart:
    def test_of_a_node_that_lost_blocks_is_a_rewind(self, mirror: Engine, tmp_path: Path) -> None:
        state, copy = tmp_path / "state.json", tmp_path / "copy.json"
        first = Anvil("--state", str(state))
        emitter = deploy(first)
        emit(first, emitter, 1, 2, 3)
        first.stop()
        shutil.copy(state, copy)
        second = Anvil("--state", str(state))
        emit(second, emitter, 4, 5, 6)
        source = source_of(second, emitter)
        sync_once(mirror, source, project)
        tip = StoredBlocks(mirror).tip()
        second.kill()
        third = Anvil("--state", str(copy))

        try:
            source = source_of(third, emitter)
            synced = sync_once(mirror, source, project)
            assert tip is not None
            assert synced.rewound_to == tip.number - 3
            assert dump(mirror) == fresh(tmp_path, source)
            emit(third, emitter, 7)
            sync_once(mirror, source, project)
            assert dump(mirror) == fresh(tmp_path, source)
        finally:
            third.stop()

    def test_of_an_empty_node_is_no_rewind_below_finality(
        self, mirror: Engine, anvil: Anvil, emitter: str
    ) -> None:
        emit(anvil, emitter, *range(6))
        sync_once(mirror, source_of(anvil, emitter), project)
        before = dump(mirror)
        empty = Anvil("--timestamp", "1600000000")

        try:
            with pytest.raises(ForkBeyondFinality):
                sync_once(mirror, source_of(empty, emitter, depth=3), project)
        finally:
            empty.stop()

        assert dump(mirror) == before


class TestRebuild:
    def test_of_a_followed_chain_has_the_same_checksum(
        self, anvil: Anvil, emitter: str, mirror: Engine
    ) -> None:
        emit(anvil, emitter, *range(9))
        sync_once(mirror, source_of(anvil, emitter), project)
        with Session(mirror) as session:
            before = checksum(session)

        rebuild(mirror, project)

        with Session(mirror) as session:
            assert checksum(session) == before
