"""
Tests of several nodes asked as one: failing, hanging, lagging and disagreeing ones among them.
"""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine
from sqlmodel import Session

from chain.comparison import NodesDisagree
from chain.indexer import sync_once
from chain.nodes import (
    REST_SECONDS_MIN,
    SURVEY_SECONDS,
    Nodes,
    NodeUrlMissing,
    open_nodes,
    urls_of,
)
from chain.reads import final_number
from chain.rpc import Node, NodeRefused, NodeUnavailable
from tests.anvil import CHAIN_ID, Anvil
from tests.chain.fault_proxy import Dropped, FaultProxy, fault_proxy
from tests.chain.following import emit, fresh, source_of
from tests.chain.things import dump, project


class Clock:
    """A clock that the test moves."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def proxies(anvil: Anvil) -> Iterator[tuple[FaultProxy, FaultProxy]]:
    with fault_proxy(anvil.url) as first, fault_proxy(anvil.url) as second:
        yield first, second


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def nodes(proxies: tuple[FaultProxy, FaultProxy], clock: Clock) -> Iterator[Nodes]:
    first, second = (Node(one.url, timeout_seconds=0.5) for one in proxies)
    yield Nodes([first, second], clock=clock)
    first.close()
    second.close()


def asked(proxy: FaultProxy) -> int:
    """Return how often a node was asked for its chain, which nothing here does by itself."""
    return proxy.seen.count("eth_chainId")


def dead(_: bytes) -> tuple[int, bytes]:
    raise Dropped


class TestFailOver:
    def test_asks_the_first_while_it_is_well(
        self, nodes: Nodes, proxies: tuple[FaultProxy, FaultProxy]
    ) -> None:
        for _ in range(3):
            nodes.call("eth_chainId")

        assert [asked(one) for one in proxies] == [3, 0]

    @pytest.mark.parametrize(
        "spoilt",
        [dead, lambda _: (500, b""), lambda body: (200, body[:-2]), lambda _: (200, b"[]")],
        ids=["dead", "500", "cut", "foreign"],
    )
    def test_asks_the_next_when_one_fails(
        self, nodes: Nodes, proxies: tuple[FaultProxy, FaultProxy], spoilt: Any
    ) -> None:
        proxies[0].spoil_body = spoilt

        found = nodes.call("eth_chainId")

        assert int(found, 16) == CHAIN_ID
        assert asked(proxies[1]) == 1

    def test_lets_a_failed_one_rest_and_takes_it_back(
        self, nodes: Nodes, proxies: tuple[FaultProxy, FaultProxy], clock: Clock
    ) -> None:
        proxies[0].spoil_body = dead
        nodes.call("eth_chainId")
        proxies[0].heal()

        nodes.call("eth_chainId")
        resting = [asked(one) for one in proxies]
        clock.now += REST_SECONDS_MIN + SURVEY_SECONDS
        nodes.call("eth_chainId")

        assert resting[1] == 2
        assert [asked(one) for one in proxies] == [resting[0] + 1, 2]

    def test_does_not_hang_with_one_that_hangs(
        self, nodes: Nodes, proxies: tuple[FaultProxy, FaultProxy]
    ) -> None:
        proxies[0].plague("hang forever", share=1, seed=1)
        began = time.monotonic()

        nodes.call("eth_chainId")

        assert time.monotonic() - began < 5
        assert asked(proxies[1]) == 1

    def test_asks_one_that_is_behind_last(
        self, anvil: Anvil, nodes: Nodes, proxies: tuple[FaultProxy, FaultProxy]
    ) -> None:
        anvil.mine(10)
        proxies[0].spoil = lambda method, _, answer: (
            {**answer, "result": "0x1"} if method == "eth_blockNumber" else answer
        )

        nodes.call("eth_chainId")

        assert [asked(one) for one in proxies] == [0, 1]

    def test_asks_another_after_one_contradicted_itself(
        self, nodes: Nodes, proxies: tuple[FaultProxy, FaultProxy]
    ) -> None:
        nodes.call("eth_chainId")

        nodes.distrust("its logs are of no block")
        nodes.call("eth_chainId")

        assert [asked(one) for one in proxies] == [1, 1]

    def test_says_what_the_last_one_said_when_all_fail(
        self, nodes: Nodes, proxies: tuple[FaultProxy, FaultProxy]
    ) -> None:
        for proxy in proxies:
            proxy.spoil_body = lambda _: (503, b"")

        with pytest.raises(NodeUnavailable):
            nodes.call("eth_chainId")

    def test_asks_the_next_when_one_refuses(
        self,
        anvil: Anvil,
        emitter: str,
        mirror: Engine,
        tmp_path: Path,
        nodes: Nodes,
        proxies: tuple[FaultProxy, FaultProxy],
    ) -> None:
        """Who asks one node too much is refused there, and not at the other."""
        emit(anvil, emitter, *range(20))
        refused = {"error": {"code": -32005, "message": "limit exceeded"}}
        proxies[0].spoil = lambda method, _, answer: (
            {"jsonrpc": "2.0", "id": answer["id"], **refused}
            if method in {"eth_getLogs", "eth_getBlockReceipts"}
            else answer
        )

        sync_once(mirror, source_of(anvil, emitter, node=nodes), project)  # type: ignore[arg-type]

        assert dump(mirror) == fresh(tmp_path, source_of(anvil, emitter))

    def test_passes_on_what_all_refuse(
        self, nodes: Nodes, proxies: tuple[FaultProxy, FaultProxy]
    ) -> None:
        with pytest.raises(NodeRefused):
            nodes.call("eth_noSuchThing")

        assert all("eth_noSuchThing" in one.seen for one in proxies)

    def test_asks_none_that_rests_when_one_refuses(
        self, nodes: Nodes, proxies: tuple[FaultProxy, FaultProxy]
    ) -> None:
        proxies[1].spoil_body = dead
        nodes.distrust("to try the second")
        nodes.call("eth_chainId")
        proxies[1].seen.clear()

        with pytest.raises(NodeRefused):
            nodes.call("eth_noSuchThing")

        assert proxies[1].seen == []

    def test_goes_on_in_the_middle_of_a_way(
        self,
        anvil: Anvil,
        emitter: str,
        mirror: Engine,
        tmp_path: Path,
        nodes: Nodes,
        proxies: tuple[FaultProxy, FaultProxy],
    ) -> None:
        emit(anvil, emitter, *range(20))
        answers = iter(range(1000))

        def breaks_off(body: bytes) -> tuple[int, bytes]:
            if next(answers) > 4:
                raise Dropped
            return 200, body

        proxies[0].spoil_body = breaks_off

        sync_once(mirror, source_of(anvil, emitter, node=nodes, depth=2, range_max=3), project)

        assert dump(mirror) == fresh(tmp_path, source_of(anvil, emitter, depth=2))


class TestAgreement:
    """No block is final that a second node tells differently (reliability §3.1)."""

    def test_of_all_nodes_makes_blocks_final(
        self, anvil: Anvil, emitter: str, mirror: Engine, nodes: Nodes
    ) -> None:
        emit(anvil, emitter, *range(6))
        source = source_of(anvil, emitter, node=nodes, depth=2, witnesses=nodes.each)

        synced = sync_once(mirror, source, project)

        assert synced.tip is not None
        with Session(mirror) as session:
            assert final_number(session) == synced.tip.number - 2

    @pytest.mark.parametrize("verify", [False, True])
    def test_that_is_missing_about_a_block_makes_none_final(
        self,
        anvil: Anvil,
        emitter: str,
        mirror: Engine,
        nodes: Nodes,
        proxies: tuple[FaultProxy, FaultProxy],
        verify: bool,
    ) -> None:
        emit(anvil, emitter, *range(6))
        head = int(anvil.rpc("eth_blockNumber"), 16)

        def forked(method: str, parameters: list[Any], answer: dict[str, Any]) -> dict[str, Any]:
            if method == "eth_getBlockByNumber" and parameters[0] == hex(head - 2):
                return {**answer, "result": {**answer["result"], "hash": "0x" + "ab" * 32}}
            return answer

        proxies[1].spoil = forked
        source = source_of(anvil, emitter, node=nodes, depth=2, witnesses=nodes.each, verify=verify)

        with pytest.raises(NodesDisagree, match="OTHER_BLOCK"):
            sync_once(mirror, source, project)

        with Session(mirror) as session:
            assert final_number(session) == -1

    def test_that_is_missing_about_a_log_makes_none_final(
        self,
        anvil: Anvil,
        emitter: str,
        mirror: Engine,
        nodes: Nodes,
        proxies: tuple[FaultProxy, FaultProxy],
    ) -> None:
        emit(anvil, emitter, *range(6))
        proxies[0].plague("partial logs", share=1, seed=1)
        source = source_of(anvil, emitter, node=nodes, depth=2, witnesses=nodes.each)

        with pytest.raises(NodesDisagree, match="OTHER_LOGS"):
            sync_once(mirror, source, project)

        with Session(mirror) as session:
            assert final_number(session) == -1

    def test_does_not_wait_for_a_silent_witness(
        self,
        anvil: Anvil,
        emitter: str,
        mirror: Engine,
        nodes: Nodes,
        proxies: tuple[FaultProxy, FaultProxy],
    ) -> None:
        emit(anvil, emitter, *range(6))
        proxies[1].spoil_body = dead
        source = source_of(anvil, emitter, node=nodes, depth=2, witnesses=nodes.each)

        synced = sync_once(mirror, source, project)

        assert synced.tip is not None
        with Session(mirror) as session:
            assert final_number(session) == synced.tip.number - 2


class TestOpenNodes:
    def test_opens_one_node_as_itself(self, anvil: Anvil) -> None:
        with open_nodes(anvil.url) as node:
            assert isinstance(node, Node)
            assert int(node.call("eth_chainId"), 16) == CHAIN_ID

    def test_opens_several_as_one(self, anvil: Anvil) -> None:
        with open_nodes(f"http://127.0.0.1:9, {anvil.url}") as nodes:
            assert isinstance(nodes, Nodes)
            assert int(nodes.call("eth_chainId"), 16) == CHAIN_ID

    @pytest.mark.parametrize("text", ["", " , "])
    def test_refuses_a_list_of_none(self, text: str) -> None:
        with pytest.raises(NodeUrlMissing):
            urls_of(text)
