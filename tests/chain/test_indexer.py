"""
Tests of following a real node: growth, forks, restarts, and nodes that lie.
"""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine
from sqlmodel import Session

from chain import indexer
from chain.facts import Append, Followed, Rewind
from chain.failure import LedgerError
from chain.fetch import Source, WrongChain
from chain.indexer import ForkBeyondFinality, StoredBlocks, follow, sync_once
from chain.reads import checksum, count, find
from chain.rpc import Node, NodeContradicts, NodeRefused, NodeUnavailable
from chain.store import open_mirror, rebuild
from chain.values import Address
from tests.anvil import CHAIN_ID, Anvil
from tests.chain.emitter import calldata, deploy
from tests.chain.fault_proxy import FaultProxy, fault_proxy
from tests.chain.things import Tally, Thing, asset, dump, project, registered_log, used_log


@pytest.fixture
def emitter(anvil: Anvil) -> str:
    return deploy(anvil)


@pytest.fixture
def mirror(tmp_path: Path) -> Iterator[Engine]:
    engine = open_mirror(f"sqlite:///{tmp_path}/mirror.db")
    yield engine
    engine.dispose()


def emit(anvil: Anvil, emitter: str, *versions: int) -> None:
    """Mine one block per version, each with two events of several assets."""
    for version in versions:
        logs = [registered_log(version % 5, version), used_log(version % 3, version % 2)]
        anvil.send(to=emitter, data=calldata(logs))


def source_of(
    anvil: Anvil, emitter: str, *, depth: int = 64, node: Node | None = None, **options: Any
) -> Source:
    followed = Followed(address=Address(emitter), contract="Assets", from_block=0)
    return Source(
        node=node or anvil.node,
        chain_id=CHAIN_ID,
        contracts=(followed,),
        finality_depth=depth,
        **options,
    )


def fresh(tmp_path: Path, source: Source) -> dict[str, Any]:
    """Return all rows of a mirror that only ever saw the chain as it is now."""
    engine = open_mirror(f"sqlite:///{tmp_path}/fresh.db")
    sync_once(engine, source, project)
    rows = dump(engine)
    engine.dispose()
    (tmp_path / "fresh.db").unlink()
    return rows


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
            finality_depth=64,
        )

        sync_once(mirror, both, project)

        assert dump(mirror) == fresh(tmp_path, both)
        with Session(mirror) as session:
            assert find(session, Thing, asset(3)) is not None

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


def no_block(number: int) -> Any:
    def spoil(method: str, parameters: list[Any], answer: dict[str, Any]) -> dict[str, Any]:
        if method == "eth_getBlockByNumber" and parameters[0] == hex(number):
            return {**answer, "result": None}
        return answer

    return spoil


def on_logs(change: Any) -> Any:
    def spoil(method: str, _: list[Any], answer: dict[str, Any]) -> dict[str, Any]:
        if method == "eth_getLogs" and answer.get("result"):
            return {**answer, "result": change(answer["result"])}
        return answer

    return spoil


LIES: dict[str, Any] = {
    "no logs at all": on_logs(lambda _: []),
    "a log of another block": on_logs(lambda logs: [{**logs[0], "blockNumber": "0xffff"}]),
    "a log of another branch": on_logs(lambda logs: [{**logs[0], "blockHash": "0x" + "ab" * 32}]),
    "a log of another address": on_logs(lambda logs: [{**logs[0], "address": "0x" + "ab" * 20}]),
    "a removed log": on_logs(lambda logs: [{**logs[0], "removed": True}]),
    "a log twice": on_logs(lambda logs: [*logs, logs[0]]),
    "half a log": on_logs(lambda logs: [{**logs[0], "data": "0xff"}]),
    "no list": on_logs(lambda logs: {"logs": logs}),
    "an error": lambda method, _, answer: (
        {"jsonrpc": "2.0", "id": answer["id"], "error": {"code": -32000, "message": "busy"}}
        if method == "eth_getLogs"
        else answer
    ),
    "no result": lambda method, _, answer: (
        {"jsonrpc": "2.0", "id": answer["id"]} if method == "eth_getLogs" else answer
    ),
    "swapped ids": lambda method, _, answer: (
        {**answer, "id": answer["id"] + 7} if method == "eth_getLogs" else answer
    ),
    "a head that is not there yet": lambda method, _, answer: (
        {**answer, "result": hex(int(answer["result"], 16) + 3)}
        if method == "eth_blockNumber"
        else answer
    ),
    "another block": lambda method, parameters, answer: (
        {**answer, "result": {**answer["result"], "number": "0x1"}}
        if method == "eth_getBlockByNumber" and parameters[0] != "0x1"
        else answer
    ),
}


class TestLyingNode:
    @pytest.fixture
    def proxy(self, anvil: Anvil) -> Iterator[FaultProxy]:
        with fault_proxy(anvil.url) as proxy:
            yield proxy

    @pytest.fixture
    def node(self, proxy: FaultProxy) -> Iterator[Node]:
        with Node(proxy.url) as node:
            yield node

    @pytest.mark.parametrize("lie", sorted(LIES))
    @pytest.mark.parametrize("depth", [0, 64])
    def test_changes_nothing_that_is_wrong(
        self,
        anvil: Anvil,
        emitter: str,
        mirror: Engine,
        tmp_path: Path,
        proxy: FaultProxy,
        node: Node,
        lie: str,
        depth: int,
    ) -> None:
        emit(anvil, emitter, 1, 2, 3, 4)
        honest = source_of(anvil, emitter, depth=depth)
        source = source_of(anvil, emitter, depth=depth, node=node)
        proxy.spoil = LIES[lie]

        with pytest.raises(LedgerError):
            sync_once(mirror, source, project)

        expected = fresh(tmp_path, honest)
        for table, rows in dump(mirror).items():
            if table in ("blocks", "events"):
                assert set(rows) <= set(expected[table])
        proxy.spoil = lambda _method, _parameters, answer: answer
        sync_once(mirror, source, project)
        assert dump(mirror) == expected

    @pytest.mark.parametrize(
        ("status", "cut"), [(500, None), (429, None), (200, 20), (200, 0)], ids=str
    )
    def test_that_breaks_off_is_unavailable(
        self,
        anvil: Anvil,
        emitter: str,
        mirror: Engine,
        proxy: FaultProxy,
        node: Node,
        status: int,
        cut: int | None,
    ) -> None:
        emit(anvil, emitter, 1)
        proxy.spoil_body = lambda body: (status, body[:cut])

        with pytest.raises(NodeUnavailable):
            sync_once(mirror, source_of(anvil, emitter, node=node), project)

        assert StoredBlocks(mirror).tip() is None

    def test_that_serves_only_short_ranges_is_asked_for_short_ranges(
        self,
        anvil: Anvil,
        emitter: str,
        mirror: Engine,
        tmp_path: Path,
        proxy: FaultProxy,
        node: Node,
    ) -> None:
        def refuse_long(method: str, parameters: list[Any], answer: dict[str, Any]) -> Any:
            if method == "eth_getLogs" and "fromBlock" in parameters[0]:
                asked = [int(parameters[0][one], 16) for one in ("fromBlock", "toBlock")]
                if asked[1] - asked[0] >= 4:
                    error = {"code": -32005, "message": "query returned more than 10000 results"}
                    return {"jsonrpc": "2.0", "id": answer["id"], "error": error}
            return answer

        emit(anvil, emitter, *range(10))
        anvil.mine(30)
        proxy.spoil = refuse_long

        sync_once(mirror, source_of(anvil, emitter, depth=1, node=node), project)

        assert dump(mirror) == fresh(tmp_path, source_of(anvil, emitter))

    def test_with_a_clock_in_milliseconds_gives_the_same_times(
        self,
        anvil: Anvil,
        emitter: str,
        mirror: Engine,
        tmp_path: Path,
        proxy: FaultProxy,
        node: Node,
    ) -> None:
        def in_milliseconds(method: str, _: list[Any], answer: dict[str, Any]) -> Any:
            if method != "eth_getBlockByNumber":
                return answer
            block = answer["result"]
            return {
                **answer,
                "result": {**block, "timestamp": hex(int(block["timestamp"], 16) * 1000 + 7)},
            }

        emit(anvil, emitter, 1, 2)
        proxy.spoil = in_milliseconds

        sync_once(mirror, source_of(anvil, emitter, node=node), project)

        assert dump(mirror) == fresh(tmp_path, source_of(anvil, emitter))

    def test_that_counts_logs_per_transaction_gives_the_same_order(
        self,
        anvil: Anvil,
        emitter: str,
        mirror: Engine,
        tmp_path: Path,
        proxy: FaultProxy,
        node: Node,
    ) -> None:
        anvil.rpc("evm_setAutomine", False)
        for version in (5, 6, 7):
            logs = calldata([registered_log(1, version), registered_log(2, version)])
            call = {"from": anvil.accounts[0], "to": emitter, "data": logs, "gas": hex(500_000)}
            anvil.rpc("eth_sendTransaction", call)
        anvil.mine()
        anvil.rpc("evm_setAutomine", True)
        proxy.spoil = on_logs(
            lambda logs: [
                {**log, "logIndex": hex(int(log["logIndex"], 16) % 2)} for log in reversed(logs)
            ]
        )

        sync_once(mirror, source_of(anvil, emitter, node=node), project)

        assert dump(mirror) == fresh(tmp_path, source_of(anvil, emitter))

    def test_without_receipts_is_believed_when_it_repeats_itself(
        self, anvil: Anvil, emitter: str, mirror: Engine, proxy: FaultProxy, node: Node
    ) -> None:
        other = deploy(anvil)
        emit(anvil, other, 1)

        def no_receipts(method: str, _: list[Any], answer: dict[str, Any]) -> Any:
            if method == "eth_getBlockReceipts":
                error = {"code": -32601, "message": "the method does not exist"}
                return {"jsonrpc": "2.0", "id": answer["id"], "error": error}
            if method == "eth_getBlockByNumber":
                full = {**answer["result"], "logsBloom": "0x" + "ff" * 256}
                return {**answer, "result": full}
            return answer

        proxy.spoil = no_receipts

        synced = sync_once(mirror, source_of(anvil, emitter, node=node), project)

        assert synced.events == 0
        assert "eth_getBlockReceipts" in proxy.seen

    def test_that_is_away_is_unavailable(self, anvil: Anvil, emitter: str, mirror: Engine) -> None:
        with fault_proxy(anvil.url) as gone:
            url = gone.url

        with Node(url) as node, pytest.raises(NodeUnavailable):
            sync_once(mirror, source_of(anvil, emitter, node=node), project)

    def test_that_refuses_says_what_and_why(self, anvil: Anvil) -> None:
        with pytest.raises(NodeRefused) as refused:
            anvil.rpc("eth_noSuchThing")

        assert refused.value.method == "eth_noSuchThing"
        assert refused.value.code == -32601


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
