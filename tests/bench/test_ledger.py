"""The chain that is measured: it is real, it is whole, and its copy answers as the node did."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.ledger.chain import make_chain, served_chain
from bench.ledger.recorded import Chain
from bench.ledger.recording import open_recording
from bench.mirrors import fill, mirror, sqlite_url
from bench.sizes import QUICK
from chain.deploy import ORDER
from chain.rpc import Node
from chain.values import word_of

# Enough for two full blocks after the founding.
TINY = 150
EVERYTHING = {"fromBlock": "0x0", "toBlock": "latest"}


@pytest.fixture(scope="module")
def chain() -> Iterator[Chain]:
    with served_chain(events=QUICK.events) as served:
        yield served


@pytest.fixture
def node(chain: Chain) -> Iterator[Node]:
    with Node(chain.url) as opened:
        yield opened


class TestServedChain:
    def test_has_events_of_every_contract(self, chain: Chain, node: Node) -> None:
        """A noun whose acts never joined would be measured by nobody."""
        logs = node.call("eth_getLogs", EVERYTHING)

        emitted = {log["address"] for log in logs}
        assert [one.contract for one in chain.contracts if one.address not in emitted] == []
        assert {one.contract for one in chain.contracts} == set(ORDER)
        assert len(logs) == chain.logs

    def test_filters_as_a_node_does(self, node: Node) -> None:
        logs = node.call("eth_getLogs", EVERYTHING)
        address, topic = logs[-1]["address"], logs[-1]["topics"][0]

        sought = {**EVERYTHING, "address": [address.upper().replace("X", "x")], "topics": [[topic]]}
        found = node.call("eth_getLogs", sought)

        wanted = [one for one in logs if (one["address"], one["topics"][0]) == (address, topic)]
        assert found == wanted

    def test_answers_a_block_by_hash_as_by_range(self, chain: Chain, node: Node) -> None:
        block = node.call("eth_getBlockByNumber", hex(chain.blocks - 1), False)

        found = node.call("eth_getLogs", {"blockHash": block["hash"]})

        assert found == [
            one for one in node.call("eth_getLogs", EVERYTHING) if one["blockHash"] == block["hash"]
        ]
        assert node.call("eth_getBlockByNumber", hex(chain.blocks), False) is None
        assert node.call("eth_getBlockByHash", word_of("nothing"), False) is None

    def test_fills_a_mirror_that_checks_every_receipt(self, chain: Chain, tmp_path: Path) -> None:
        """The copy is what anvil said: the receipts' roots are those of the headers."""
        with mirror(sqlite_url(tmp_path / "mirror")) as engine:
            assert fill(engine, chain, verify=True) >= chain.events


class TestMakeChain:
    def test_is_decided_by_the_seed(self, tmp_path: Path) -> None:
        """So that a figure can be measured again, on the very same blocks."""
        chains = []
        for name, seed in (("one", 1), ("again", 1), ("other", 2)):
            make_chain(tmp_path / name, events=TINY, seed=seed)
            chains.append(open_recording(tmp_path / name).hashes)

        assert chains[0] == chains[1]
        assert chains[0][-1] not in chains[2]
