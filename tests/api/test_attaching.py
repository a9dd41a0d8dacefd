"""
Bad input: a home that meets a chain, a node or contracts that are not its own says so in one
sentence, and is left as it was.
"""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from eth_account import Account

from api.attaching import attach
from api.config import Settings, read_settings
from chain.chain_profiles import GETH
from chain.connection import Connection
from chain.deploy import deploy
from chain.deployments import ContractMissing, Deployment, load_deployments, save_deployment
from chain.detection import ChainDiffers
from chain.fetch import WrongChain
from chain.fitness import ChainReplaced, NodeSyncing
from chain.node import ChainElsewhere, require_embedded
from chain.outbox import Outbox
from chain.sender import Sender
from chain.values import Address, Bytes32
from tests.anvil import Anvil
from tests.api.shell import run, shulian
from tests.chain.fault_proxy import FaultProxy, fault_proxy

CHAIN_ID = 20_263
FREE = ("--base-fee", "0", "--gas-price", "0")


@pytest.fixture(scope="module")
def chain() -> Iterator[Anvil]:
    node = Anvil(*FREE, "--timestamp", "1796000000", chain_id=CHAIN_ID)
    yield node
    node.stop()


@pytest.fixture(scope="module")
def deployed(chain: Anvil, tmp_path_factory: pytest.TempPathFactory) -> Deployment:
    """All contracts, deployed from a home of somebody's own."""
    home = tmp_path_factory.mktemp("deployer")
    with Connection.to(chain.url) as connection:
        outbox = Outbox.open(home / "operational.sqlite", chain_id=CHAIN_ID)
        found = deploy(Sender(connection, outbox), home=home, deployer=Account.create())
        outbox.close()
    return found


@pytest.fixture
def proxy(chain: Anvil) -> Iterator[FaultProxy]:
    with fault_proxy(chain.url) as proxy:
        yield proxy


@pytest.fixture
def home(deployed: Deployment, tmp_path: Path) -> Path:
    """A home that follows those contracts, and has sent nothing yet."""
    save_deployment(tmp_path / "home", deployed)
    return tmp_path / "home"


def settings_of(home: Path, url: str, **more: Any) -> Settings:
    return read_settings({}, home=home, rpc_url=url, relay=0, **more)


def files_of(home: Path) -> dict[str, bytes]:
    return {str(one): one.read_bytes() for one in sorted(home.rglob("*")) if one.is_file()}


def refused(home: Path, url: str, error: type[Exception], **more: Any) -> Any:
    """Attach, see that it is refused, and that the home is as it was."""
    before = files_of(home)
    with pytest.raises(error) as raised, ExitStack() as stack:
        stack.enter_context(attach(settings_of(home, url, **more)))
    assert files_of(home) == before
    return raised.value


class TestAttach:
    def test_finds_the_contracts_that_another_deployed(self, home: Path, chain: Anvil) -> None:
        with attach(settings_of(home, chain.url, chain="anvil")) as reached:
            assert reached.chain_id == CHAIN_ID

    def test_refuses_a_chain_with_another_id(self, home: Path, anvil: Anvil) -> None:
        error = refused(home, anvil.url, WrongChain)

        assert (error.expected_chain_id, error.found_chain_id) == (CHAIN_ID, 20_261)

    def test_refuses_a_chain_with_the_same_id_and_another_first_block(self, home: Path) -> None:
        other = Anvil(*FREE, "--timestamp", "1796000001", chain_id=CHAIN_ID)
        try:
            error = refused(home, other.url, ChainReplaced)
        finally:
            other.stop()

        (known,) = load_deployments(home, chain_id=CHAIN_ID)
        assert error.expected_genesis_hash == known.genesis_hash != error.found_genesis_hash

    def test_refuses_a_chain_of_another_kind(self, home: Path, chain: Anvil) -> None:
        error = refused(home, chain.url, ChainDiffers, chain=GETH.name)

        assert error.reason == "its client is that of anvil"

    def test_refuses_addresses_without_contracts(
        self, home: Path, chain: Anvil, deployed: Deployment
    ) -> None:
        gone = replace(deployed.contracts["Trades"], address=Address("0x" + "11" * 20))
        save_deployment(home, replace(deployed, contracts={**deployed.contracts, "Trades": gone}))

        assert refused(home, chain.url, ContractMissing).contract == "Trades"

    def test_refuses_contracts_of_another_version(self, home: Path, proxy: FaultProxy) -> None:
        """A node whose contracts have other code than this version was made for."""
        proxy.spoil = lambda method, _, answer: (
            {**answer, "result": answer["result"] + "00"} if method == "eth_getCode" else answer
        )

        told = run("up", "--home", home, "--rpc", proxy.url, environment={})

        assert told.code == 1
        assert told.err.startswith("CodeDiffers: ")

    @pytest.mark.parametrize("is_noted", [True, False])
    def test_refuses_contracts_whose_code_is_not_what_was_noted(
        self, home: Path, chain: Anvil, deployed: Deployment, is_noted: bool
    ) -> None:
        noted = deployed.contracts["Funds"]
        other = replace(noted, code_hash=Bytes32("0x" + "22" * 32)) if is_noted else noted
        swapped = other if is_noted else deployed.contracts["Rights"]
        save_deployment(home, replace(deployed, contracts={**deployed.contracts, "Funds": swapped}))

        told = run("up", "--home", home, "--rpc", chain.url, environment={})

        assert told.code == 1
        assert "contract=Funds" in told.err

    def test_refuses_a_node_that_is_syncing(self, home: Path, proxy: FaultProxy) -> None:
        told = {"startingBlock": "0x0", "currentBlock": "0x10", "highestBlock": "0x4d2"}
        proxy.spoil = lambda method, _, answer: (
            {**answer, "result": told} if method == "eth_syncing" else answer
        )

        error = refused(home, proxy.url, NodeSyncing)

        assert (error.current_block, error.highest_block) == (16, 1234)

    def test_refuses_a_chain_that_wants_coins(self, tmp_path: Path) -> None:
        costly = Anvil("--base-fee", "7")
        try:
            told = run("demo", "--once", "--home", tmp_path / "home", "--rpc", costly.url, "--json")
        finally:
            costly.stop()

        assert told.problem["type"] == "/problems/gas-not-free"
        assert told.problem["fields"]["base_fee_wei"] in range(1, 8)
        assert not (tmp_path / "home" / "deployments").exists()

    def test_knows_no_first_block_where_none_was_noted(
        self, home: Path, chain: Anvil, deployed: Deployment
    ) -> None:
        """A home of an older version goes on."""
        save_deployment(home, replace(deployed, genesis_hash=None))

        with attach(settings_of(home, chain.url)) as reached:
            assert reached.chain_id == CHAIN_ID


class TestAHomeOnAChainElsewhere:
    def test_starts_no_chain_of_its_own(self, home: Path) -> None:
        before = files_of(home)

        with pytest.raises(ChainElsewhere) as raised:
            require_embedded(home)

        assert raised.value.chain_id == CHAIN_ID
        assert files_of(home) == before

    def test_is_told_so_by_the_command(self, home: Path) -> None:
        told = run("up", "--home", home, environment={})

        assert told.code == 1
        assert told.err.startswith("ChainElsewhere: ")
        assert "SHULIAN_RPC_URL" in told.err
        assert not (home / "chain").exists()


class TestUp:
    def test_says_what_is_wrong_in_one_sentence(self, home: Path, chain: Anvil) -> None:
        told = run("up", "--home", home, "--rpc", chain.url, "--chain", "geth", environment={})

        assert told.code == 1
        assert told.err.splitlines()[0] == (
            "ChainDiffers: The node serves another kind of chain than was asked for: chain=geth,"
            f" client={chain.rpc('web3_clientVersion')}, reason=its client is that of anvil"
        )
        assert len(told.err.splitlines()) == 2
        assert not told.out

    def test_refuses_a_kind_of_chain_that_there_is_not(self, tmp_path: Path) -> None:
        told = shulian("up", "--home", tmp_path / "new", "--chain", "bitcoin", "--json")

        problem = json.loads(told.err)
        assert told.code == 1
        assert problem["type"] == "/problems/setting-invalid"
        assert not (tmp_path / "new").exists()

    @pytest.mark.parametrize("more", [(), ("--detach",)])
    def test_leaves_no_folder_where_none_was(
        self, tmp_path: Path, chain: Anvil, more: tuple[str, ...]
    ) -> None:
        new = tmp_path / "new"

        told = run("up", "--home", new, "--rpc", chain.url, *more, "--json", environment={})

        assert told.problem["type"] == "/problems/deployment-not-found"
        assert not new.exists()

    def test_keeps_an_address_out_of_the_arguments_of_what_it_starts(
        self, home: Path, chain: Anvil
    ) -> None:
        """Secrets are never in arguments: a node's address may hold one."""
        url = chain.url.replace("//", "//user:secret@")

        told = run("up", "--detach", "--home", home, "--rpc", url, "--json", environment={})
        try:
            pid = json.loads(told.out)["pid"]
            arguments = Path(f"/proc/{pid}/cmdline").read_bytes()
            status = run("status", "--home", home, "--json", environment={})
        finally:
            run("down", "--home", home, environment={})

        assert b"secret" not in arguments
        assert json.loads(status.out)["chain"]["running"] is True
        assert "secret" not in status.out
