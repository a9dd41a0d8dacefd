"""
Tests of asking a node: ranges, clocks, counting, and nodes that lie.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from chain.failure import LedgerError
from chain.indexer import StoredBlocks, sync_once
from chain.rpc import Node, NodeRefused, NodeUnavailable
from tests.anvil import Anvil
from tests.chain.emitter import calldata, deploy
from tests.chain.fault_proxy import FaultProxy, fault_proxy
from tests.chain.following import emit, fresh, source_of
from tests.chain.things import dump, project, registered_log


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
