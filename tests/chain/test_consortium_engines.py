"""
A consortium of real geth nodes: started, looked at, voted on, and refused with the reason.
"""

import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from eth_account import Account

from chain.binaries import EngineMissing
from chain.consortium.folders import Node, node_folder, read_consortium
from chain.consortium.joining import admit, dismiss
from chain.consortium.nodes import (
    GenesisDiffers,
    NodeFailed,
    NodePortTaken,
    Nodes,
    SignerPasswordWrong,
)
from chain.consortium.running import NotSealing, introduce, start_all, stop_all, wait_sealing
from chain.consortium.seals import signer_of
from chain.consortium.standing import Standing, look
from chain.consortium.votes import AlreadyValidator, NotValidator, signers_of
from chain.process import is_running
from chain.rpc import Node as Rpc
from chain.rpc import NodeRefused, NodeUnavailable, number_of
from tests.consortium import found, running

pytestmark = [pytest.mark.engines, pytest.mark.slow]

WAIT_SECONDS = 60


def silent(_: str) -> None:
    """Tell nobody how far it is."""


def until(reached: Callable[[], bool], what: str) -> None:
    """Wait for something that must come."""
    end = time.monotonic() + WAIT_SECONDS
    while not reached():
        assert time.monotonic() < end, what
        time.sleep(0.1)


@pytest.fixture(scope="module")
def four(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nodes]:
    """Four validators that seal; a test that changes them puts them back."""
    with running(tmp_path_factory.mktemp("four") / "consortium") as nodes:
        yield nodes


@pytest.fixture
def alone(tmp_path: Path) -> Iterator[tuple[Nodes, Node]]:
    """A consortium of one, which does not run yet."""
    nodes = found(tmp_path / "consortium", names=["east"])
    yield nodes, nodes.named("east")
    stop_all(nodes)


class TestFourValidators:
    def test_have_the_genesis_that_was_computed_without_them(self, four: Nodes) -> None:
        """Cites: issue 5, Consortium."""
        for node in four.here():
            block = four.admin(node).call("eth_getBlockByNumber", "0x0", False)
            assert block["hash"] == four.consortium.genesis_hash

    def test_seal_in_turns_with_seals_that_name_them(self, four: Nodes) -> None:
        ask = four.admin(four.named("east")).call

        def signers() -> set[str]:
            head = four.height(four.named("east"))
            numbers = range(max(1, head - 7), head + 1)
            return {signer_of(ask("eth_getBlockByNumber", hex(one), False)) for one in numbers}

        until(lambda: signers() == set(four.consortium.genesis_signers), "a block of each")

    def test_stand_as_they_are_told(self, four: Nodes) -> None:
        """Cites: issue 5, status: heads, peers, signers, lag."""
        until(lambda: all(one.peers == 3 for one in look(four).nodes), "three peers each")
        told = look(four)
        assert told.is_sealing
        assert told.is_agreed
        assert set(told.signers) == set(four.consortium.genesis_signers)
        assert told.needed == 3
        assert all(one.may_seal and one.agrees and not one.is_syncing for one in told.nodes)
        assert all(one.lag_blocks is not None and one.lag_blocks <= 2 for one in told.nodes)

    def test_tell_strangers_nothing_of_votes_and_peers(self, four: Nodes) -> None:
        """The public door has no administrator's rights: decision of 2026-11-28."""
        node = four.named("east")
        with Rpc(node.rpc_url) as rpc:
            assert number_of(rpc.call("eth_chainId")) == four.consortium.chain_id
            for method in ("clique_propose", "admin_addPeer", "personal_listAccounts"):
                with pytest.raises(NodeRefused):
                    rpc.call(method)

    def test_outlive_whoever_started_them_and_are_found_again(self, four: Nodes) -> None:
        again = Nodes(
            four.path(four.named("east")).parents[1],
            read_consortium(four.path(four.named("east")).parents[1]),
        )
        noted = again.running(again.named("east"))
        assert noted is not None
        assert is_running(noted.pid, noted.mark)
        assert again.start(again.named("east")) == noted

    def test_go_on_without_one_and_stop_without_two(self, four: Nodes) -> None:
        """Cites: engines.md, Clique: three alive go on, two stop and continue with a third."""
        east, south, west, north = (four.named(one.name) for one in four.here())
        four.kill(north)
        before = four.height(east)
        until(lambda: four.height(east) > before + 2, "blocks of three")
        assert four.running(north) is None
        with pytest.raises(NodeUnavailable):
            four.height(north)
        four.kill(west)
        time.sleep(4)
        stuck = four.height(east)
        time.sleep(4)
        assert four.height(east) == stuck
        until(lambda: not look(four).is_sealing, "a chain that is told to stand still")
        with pytest.raises(NotSealing):
            wait_sealing(four, say=silent, timeout_seconds=1)
        start_all(four, say=silent)
        until(lambda: len({four.height(one) for one in (east, south, west, north)}) == 1, "as one")
        assert four.height(east) > stuck


class TestTwoHalves:
    def test_come_together_again_whatever_forks_they_made(self, tmp_path: Path) -> None:
        """Forks of one difficulty, on which each half waits for the other: ended by `keep.js`."""
        with running(tmp_path / "c") as nodes:
            pairs = [
                (nodes.named(one), nodes.named(other))
                for one in ("east", "south")
                for other in ("west", "north")
            ]
            until(lambda: is_apart(nodes, pairs), "two halves")
            time.sleep(6)
            highest = max(nodes.height(one) for one in nodes.here())
            for one, other in pairs:
                nodes.admin(one).call("admin_addPeer", other.enode)
                nodes.admin(other).call("admin_addPeer", one.enode)
            until(
                lambda: (
                    look(nodes).is_agreed
                    and min(nodes.height(one) for one in nodes.here()) > highest + 1
                ),
                "one chain that goes on",
            )


def is_apart(nodes: Nodes, pairs: list[tuple[Node, Node]]) -> bool:
    """Cut every pair that still meets, and say whether none did."""
    met = [
        (one, other)
        for one, other in pairs
        if other.key in str(nodes.admin(one).call("admin_peers"))
    ]
    for one, other in met:
        nodes.admin(one).call("admin_removePeer", other.enode)
        nodes.admin(other).call("admin_removePeer", one.enode)
    return not met


class TestFreeGas:
    def test_is_taken_from_a_node_that_does_not_seal(self, tmp_path: Path) -> None:
        """Validators take what came in elsewhere and offers nothing: decision of 2026-11-28."""
        account = Account.create()
        with running(tmp_path / "c", names=["east", "south", "reader"], validators=2) as nodes:
            reader = nodes.named("reader")
            until(lambda: look_at(nodes, "reader").peers == 2, "two peers")
            raw = account.sign_transaction(
                {
                    "chainId": nodes.consortium.chain_id,
                    "nonce": 0,
                    "gas": 21_000,
                    "gasPrice": 0,
                    "to": account.address,
                    "value": 0,
                }
            ).raw_transaction
            with Rpc(reader.rpc_url) as rpc:
                sent = rpc.call("eth_sendRawTransaction", "0x" + raw.hex())
                until(lambda: is_mined(rpc, sent), "a receipt")


def is_mined(rpc: Rpc, sent: str) -> bool:
    """Say whether a block holds a transaction, which a young node may refuse to tell."""
    try:
        return rpc.call("eth_getTransactionReceipt", sent) is not None
    except NodeRefused:
        return False


class TestVotes:
    def test_let_a_node_in_and_another_out(self, four: Nodes) -> None:
        """Cites: issue 5, add-validator and remove-validator by vote."""
        folder = four.path(four.named("east")).parents[1]
        values = {"zh": "第五", "en": "Fifth", "host": "127.0.0.1"}
        before = signers_of(four)
        entered = admit(folder, four.consortium, "fifth", values, wait_seconds=60, say=silent)
        assert entered.is_in_force
        assert len(entered.cast_here) == entered.needed == 3
        grown = Nodes(folder, read_consortium(folder))
        fifth = grown.named("fifth")
        try:
            until(lambda: (look_at(grown, "fifth").share or 0) > 0, "a block of the fifth's")
            with pytest.raises(AlreadyValidator):
                admit(folder, grown.consortium, "fifth", {}, wait_seconds=1, say=silent)
            left = dismiss(folder, grown.consortium, "fifth", wait_seconds=60, say=silent)
            assert left.is_in_force
            assert set(signers_of(four)) == set(before)
            with pytest.raises(NotValidator):
                dismiss(folder, grown.consortium, "fifth", wait_seconds=1, say=silent)
            # It goes on following, without the key that it sealed with.
            grown = Nodes(folder, read_consortium(folder))
            until(lambda: look_at(grown, "fifth").lag_blocks == 0, "the fifth follows")
            assert "--mine" not in (grown.path(fifth) / "start").read_text("utf-8")
        finally:
            grown.stop(fifth)


def look_at(nodes: Nodes, name: str) -> Standing:
    """Return how one node stands."""
    (found_,) = (one for one in look(nodes).nodes if one.name == name)
    return found_


class TestWhatIsRefused:
    def test_a_port_that_is_taken(self, alone: tuple[Nodes, Node]) -> None:
        """Cites: issue 5, Bad input."""
        nodes, east = alone
        taken = socket.create_server(("127.0.0.1", east.rpc_port))
        with taken, pytest.raises(NodePortTaken) as raised:
            nodes.start(east)
        assert str(east.rpc_port) in str(raised.value)
        assert nodes.running(east) is None

    def test_a_password_that_is_wrong(self, alone: tuple[Nodes, Node]) -> None:
        nodes, east = alone
        (nodes.path(east) / "password").write_text("another")
        with pytest.raises(SignerPasswordWrong):
            nodes.start(east)
        assert nodes.running(east) is None

    def test_data_of_another_chain(self, alone: tuple[Nodes, Node], tmp_path: Path) -> None:
        nodes, east = alone
        other = found(tmp_path / "other", names=["east"])
        other.start(other.named("east"))
        other.stop(other.named("east"))
        data = node_folder(tmp_path / "other", "east") / "data"
        data.rename(nodes.path(east) / "data")
        with pytest.raises(GenesisDiffers):
            nodes.start(east)
        assert nodes.running(east) is None

    def test_a_geth_that_is_missing_or_seals_no_longer(
        self, alone: tuple[Nodes, Node], tmp_path: Path
    ) -> None:
        nodes, east = alone
        folder = nodes.path(east).parents[1]
        nowhere = {"PATH": "/bin:/usr/bin", "XDG_CACHE_HOME": str(tmp_path)}
        with pytest.raises(EngineMissing):
            Nodes(folder, nodes.consortium, environment=nowhere).start(east)
        newer = tmp_path / "geth"
        newer.write_text("#!/bin/sh\necho 'Version: 1.14.2-stable'\n")
        newer.chmod(0o755)
        with pytest.raises(NodeFailed, match=r"1\.14\.2"):
            Nodes(
                folder, nodes.consortium, environment={**nowhere, "SHULIAN_GETH": str(newer)}
            ).start(east)

    def test_a_long_path_is_none_of_it(self, tmp_path: Path) -> None:
        """A socket's path may have a hundred characters; a folder's may have more."""
        nodes = found(tmp_path / ("long-" * 20) / "consortium", names=["east"])
        try:
            start_all(nodes, say=silent)
            introduce(nodes, nodes.named("east"))
            assert look(nodes).is_sealing
        finally:
            stop_all(nodes)
