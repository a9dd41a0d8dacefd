"""
Tests of following a node that fails in one of the twelve ways, verified and not; and of one that is
only late.
"""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine
from sqlmodel import Session

from chain.facts import Followed
from chain.heads import heads_of
from chain.indexer import ForkBeyondFinality, StoredBlocks, sync_once
from chain.rpc import Node, NodeContradicts, NodeRefused, NodeUnavailable
from chain.values import Address
from tests.anvil import Anvil
from tests.chain.emitter import calldata
from tests.chain.fault_proxy import FAULTS, FaultProxy, fault_proxy
from tests.chain.following import emit, fresh, source_of
from tests.chain.things import dump, project, registered_log, used_log

TIMEOUT_SECONDS = 0.4
RECOVERED_SECONDS = 60
# What no check of logs alone can see: a log less of an address that has others in the block.
INVISIBLE = "partial logs"


@pytest.fixture
def proxy(anvil: Anvil) -> Iterator[FaultProxy]:
    with fault_proxy(anvil.url) as proxy:
        yield proxy


@pytest.fixture
def node(proxy: FaultProxy) -> Iterator[Node]:
    with Node(proxy.url, timeout_seconds=TIMEOUT_SECONDS) as node:
        yield node


class TestFaults:
    """RPC chaos (reliability §4.2): wrong data is never kept, and it recovers by itself."""

    @pytest.mark.parametrize("fault", [one for one in FAULTS if one != INVISIBLE])
    def test_leave_nothing_wrong_behind(
        self,
        anvil: Anvil,
        emitter: str,
        mirror: Engine,
        tmp_path: Path,
        proxy: FaultProxy,
        node: Node,
        fault: str,
    ) -> None:
        self.follow_through(
            anvil, emitter, mirror, tmp_path, proxy, node, fault=fault, verify=False
        )

    @pytest.mark.parametrize("fault", sorted(FAULTS))
    def test_leave_nothing_wrong_behind_where_receipts_are_verified(
        self,
        anvil: Anvil,
        emitter: str,
        mirror: Engine,
        tmp_path: Path,
        proxy: FaultProxy,
        node: Node,
        fault: str,
    ) -> None:
        self.follow_through(anvil, emitter, mirror, tmp_path, proxy, node, fault=fault, verify=True)

    def follow_through(
        self,
        anvil: Anvil,
        emitter: str,
        mirror: Engine,
        tmp_path: Path,
        proxy: FaultProxy,
        node: Node,
        *,
        fault: str,
        verify: bool,
    ) -> None:
        source = source_of(anvil, emitter, node=node, depth=3, range_max=2, verify=verify)
        proxy.plague(fault, share=0.3, seed=7)
        for version in range(12):
            emit(anvil, emitter, version)
            self.attempt(mirror, source)
        for _ in range(8):
            self.attempt(mirror, source)
        assert proxy.spoilt[fault] > 0
        kept = dump(mirror)

        proxy.heal()
        began = time.monotonic()
        sync_once(mirror, source, project)

        assert time.monotonic() - began < RECOVERED_SECONDS
        expected = fresh(tmp_path, source_of(anvil, emitter, depth=3))
        assert dump(mirror) == expected
        for table in ("blocks", "events"):
            assert set(kept[table]) <= set(expected[table])

    def attempt(self, mirror: Engine, source: Any) -> None:
        try:
            sync_once(mirror, source, project)
        except (NodeUnavailable, NodeContradicts, NodeRefused):
            return


class TestVerified:
    """Logs come out of receipts that the header commits to (reliability §3.1)."""

    @pytest.mark.parametrize(("depth", "range_max"), [(64, 200), (0, 3), (2, 1)])
    def test_finds_the_same_as_by_logs(
        self,
        anvil: Anvil,
        emitter: str,
        mirror: Engine,
        tmp_path: Path,
        depth: int,
        range_max: int,
    ) -> None:
        anvil.rpc("evm_setAutomine", False)
        for version in range(20):
            logs = calldata([registered_log(1, version), used_log(2, version)] * (version % 3))
            call = {"from": anvil.accounts[0], "to": emitter, "data": logs, "gas": hex(500_000)}
            anvil.rpc("eth_sendTransaction", call)
        anvil.mine()
        anvil.rpc("evm_setAutomine", True)
        emit(anvil, emitter, *range(9))
        anvil.mine(3)
        source = source_of(anvil, emitter, depth=depth, range_max=range_max, verify=True)

        sync_once(mirror, source, project)

        assert dump(mirror) == fresh(tmp_path, source_of(anvil, emitter))

    def test_asks_for_no_logs_and_for_few_receipts(
        self, anvil: Anvil, emitter: str, mirror: Engine, proxy: FaultProxy, node: Node
    ) -> None:
        anvil.mine(20)
        emit(anvil, emitter, 1, 2)

        sync_once(mirror, source_of(anvil, emitter, node=node, verify=True), project)

        assert "eth_getLogs" not in proxy.seen
        assert proxy.seen.count("eth_getBlockReceipts") == 2

    def test_reads_receipts_one_by_one_where_they_come_only_so(
        self,
        anvil: Anvil,
        emitter: str,
        mirror: Engine,
        tmp_path: Path,
        proxy: FaultProxy,
        node: Node,
    ) -> None:
        def refuse(method: str, _: list[Any], answer: dict[str, Any]) -> dict[str, Any]:
            error = {"code": -32601, "message": "the method does not exist"}
            if method == "eth_getBlockReceipts":
                return {"jsonrpc": "2.0", "id": answer["id"], "error": error}
            return answer

        emit(anvil, emitter, 1, 2)
        proxy.spoil = refuse

        sync_once(mirror, source_of(anvil, emitter, node=node, verify=True), project)

        assert dump(mirror) == fresh(tmp_path, source_of(anvil, emitter))

    @pytest.mark.parametrize(
        "change",
        [
            lambda receipts: receipts[:-1],
            lambda receipts: [{**receipts[0], "logs": receipts[0]["logs"][:-1]}],
            lambda receipts: [{**receipts[0], "logs": receipts[0]["logs"][::-1]}],
            lambda receipts: [{**receipts[0], "transactionHash": "0x" + "ab" * 32}],
            lambda receipts: [{**receipts[0], "logsBloom": "0x" + "ff" * 256}],
            lambda receipts: [{**receipts[0], "logs": None}],
            lambda _: None,
        ],
        ids=["no receipt", "a log less", "moved logs", "foreign", "bloom", "no logs", "null"],
    )
    def test_keeps_nothing_that_the_header_does_not_commit_to(
        self,
        anvil: Anvil,
        emitter: str,
        mirror: Engine,
        proxy: FaultProxy,
        node: Node,
        change: Any,
    ) -> None:
        emit(anvil, emitter, 1)
        proxy.spoil = lambda method, _, answer: (
            {**answer, "result": change(answer["result"])}
            if method == "eth_getBlockReceipts"
            else answer
        )

        with pytest.raises(NodeContradicts):
            sync_once(mirror, source_of(anvil, emitter, node=node, verify=True), project)

        assert dump(mirror)["events"] == []

    def test_refuses_a_header_that_is_another_block_s(
        self, anvil: Anvil, emitter: str, mirror: Engine, proxy: FaultProxy, node: Node
    ) -> None:
        emit(anvil, emitter, 1, 2, 3)
        head = int(anvil.rpc("eth_blockNumber"), 16)

        def later(method: str, parameters: list[Any], answer: dict[str, Any]) -> dict[str, Any]:
            if method == "eth_getBlockByNumber" and parameters[0] == hex(head):
                return {**answer, "result": {**answer["result"], "timestamp": hex(2**32)}}
            return answer

        proxy.spoil = later

        with pytest.raises(NodeContradicts, match="does not hash"):
            sync_once(mirror, source_of(anvil, emitter, node=node, verify=True), project)


class TestLate:
    """A late node is no fork (reliability §3.3)."""

    def late(self, proxy: FaultProxy, head: int) -> None:
        def spoil(method: str, parameters: list[Any], answer: dict[str, Any]) -> dict[str, Any]:
            if method == "eth_blockNumber":
                return {**answer, "result": hex(head)}
            if method == "eth_getBlockByNumber" and int(parameters[0], 16) > head:
                return {**answer, "result": None}
            return answer

        proxy.spoil = spoil

    def test_node_undoes_nothing(
        self, anvil: Anvil, emitter: str, mirror: Engine, proxy: FaultProxy, node: Node
    ) -> None:
        emit(anvil, emitter, *range(8))
        source = source_of(anvil, emitter, node=node, patience_seconds=60, depth=2)
        sync_once(mirror, source, project)
        before = dump(mirror)
        tip = StoredBlocks(mirror).tip()
        assert tip is not None

        # Even behind what is final.
        self.late(proxy, tip.number - 5)
        synced = sync_once(mirror, source, project)

        assert synced.rewound_to is None
        assert synced.node_head == tip.number - 5
        assert dump(mirror) == before
        with Session(mirror) as session:
            assert heads_of(session).node_head == tip.number - 5
        emit(anvil, emitter, 9)
        proxy.heal()
        assert sync_once(mirror, source, project).blocks == 1

    def test_node_that_shows_another_block_has_forked(
        self,
        anvil: Anvil,
        emitter: str,
        mirror: Engine,
        tmp_path: Path,
    ) -> None:
        emit(anvil, emitter, 1, 2)
        snapshot = anvil.rpc("evm_snapshot")
        emit(anvil, emitter, 3, 4, 5)
        source = source_of(anvil, emitter, patience_seconds=60)
        sync_once(mirror, source, project)

        anvil.rpc("evm_revert", snapshot)
        assert sync_once(mirror, source, project).rewound_to is None
        emit(anvil, emitter, 6)
        synced = sync_once(mirror, source, project)

        assert synced.rewound_to is not None
        assert dump(mirror) == fresh(tmp_path, source)

    def test_node_that_stays_late_has_lost_blocks(
        self, anvil: Anvil, emitter: str, mirror: Engine, tmp_path: Path
    ) -> None:
        emit(anvil, emitter, 1, 2)
        snapshot = anvil.rpc("evm_snapshot")
        emit(anvil, emitter, 3, 4, 5)
        source = source_of(anvil, emitter, patience_seconds=0.2)
        sync_once(mirror, source, project)
        anvil.rpc("evm_revert", snapshot)

        end = time.monotonic() + 30
        while sync_once(mirror, source, project).rewound_to is None:
            assert time.monotonic() < end

        assert dump(mirror) == fresh(tmp_path, source)

    def test_node_that_stays_behind_what_is_final_is_waited_for(
        self, anvil: Anvil, emitter: str, mirror: Engine, proxy: FaultProxy, node: Node
    ) -> None:
        """One that fetches the whole chain anew: it contradicts nothing, and comes back."""
        emit(anvil, emitter, *range(8))
        source = source_of(anvil, emitter, node=node, patience_seconds=0.1, depth=2)
        sync_once(mirror, source, project)
        before = dump(mirror)
        tip = StoredBlocks(mirror).tip()
        assert tip is not None
        self.late(proxy, tip.number - 5)
        sync_once(mirror, source, project)
        time.sleep(0.2)

        with pytest.raises(NodeContradicts, match="late"):
            sync_once(mirror, source, project)

        assert dump(mirror) == before
        emit(anvil, emitter, 9)
        proxy.heal()
        assert sync_once(mirror, source, project).blocks == 1

    def test_node_that_loses_what_is_final_stops_the_mirror(
        self, anvil: Anvil, emitter: str, mirror: Engine
    ) -> None:
        emit(anvil, emitter, 1)
        snapshot = anvil.rpc("evm_snapshot")
        emit(anvil, emitter, *range(8))
        source = source_of(anvil, emitter, depth=2)
        sync_once(mirror, source, project)
        before = dump(mirror)
        anvil.rpc("evm_revert", snapshot)

        with pytest.raises(ForkBeyondFinality):
            sync_once(mirror, source, project)

        assert dump(mirror) == before


class TestAddresses:
    def test_in_mixed_case_are_found(
        self,
        anvil: Anvil,
        emitter: str,
        mirror: Engine,
        tmp_path: Path,
        proxy: FaultProxy,
        node: Node,
    ) -> None:
        """FISCO-BCOS issue 4748: an address in mixed case matched nothing."""
        emit(anvil, emitter, 1, 2)
        proxy.spoil = lambda method, _, answer: (
            {
                **answer,
                "result": [
                    {**one, "address": "0x" + one["address"][2:].upper()}
                    for one in answer["result"]
                ],
            }
            if method == "eth_getLogs"
            else answer
        )
        source = source_of(anvil, emitter, node=node)
        mixed = Address("0x" + emitter[2:].upper())
        source.contracts = (Followed(address=mixed, contract="Assets", from_block=0),)
        source.__post_init__()

        synced = sync_once(mirror, source, project)

        assert synced.events == 4
        assert dump(mirror) == fresh(tmp_path, source_of(anvil, emitter))
