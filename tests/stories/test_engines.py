"""
The same life everywhere: three chains, two databases, two content stores, one ledger.

The usual column runs with all other tests. The rest is marked `engines`: it needs geth and Kubo
(`scripts/engines`), which `scripts/test-engines` builds.
"""

import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import Session

from api.attaching import attach
from api.auditing.audit import audit
from api.commands.counting import counts_of
from api.compose import open_services, worker_of
from api.config import read_settings
from api.demo.home import open_demo
from api.exports import export, verify_exports
from chain.connection import Connection
from chain.content import content_store
from chain.deployments import load_deployment, save_deployment
from chain.detection import ChainDiffers
from chain.failure import LedgerError
from chain.fitness import ChainReplaced, NodeSyncing
from chain.reads import checksum
from chain.store import rebuild
from chain.values import Bytes32
from registry.bundles import Verdict
from settlement.projection import apply
from tests.anvil import Anvil
from tests.consortium import running
from tests.hardhat import hardhat
from tests.postgres import CHOSEN, DATABASES
from tests.stories.engines import CHAINS, STORES, USUAL, Lived, Lives, lives_on, send_again

PLACES = [(chain, store) for chain in CHAINS for store in STORES]
USUAL_DATABASE = DATABASES[0]
REGISTRATIONS, CERTIFICATES = 4, 10
ANVIL_CHAIN_ID, HARDHAT_CHAIN_ID = 20_264, 20_265
# As the embedded chain is started: gas is free, and who comes first is first in the block.
FREE = ("--base-fee", "0", "--gas-price", "0", "--order", "fifo")


def marked(*place: str) -> list[pytest.MarkDecorator]:
    return [] if place in (USUAL, (*USUAL, USUAL_DATABASE)) else [pytest.mark.engines]


@pytest.fixture(scope="module")
def lives(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Lives]:
    """All lives, or only the usual one where nothing else may be asked for."""
    folder = tmp_path_factory.mktemp("engines")
    with ExitStack() as stack:
        urls = {USUAL: _anvil(stack)}
        content = {"files": "", "kubo": ""}
        if request.config.getoption("--engines"):
            nodes = stack.enter_context(running(folder / "consortium"))
            content["kubo"] = f"ipfs:{request.getfixturevalue('kubo').address}"
            ours = ",".join(one.rpc_url for one in nodes.here())
            urls["anvil", "kubo"] = _anvil(stack)
            for store in STORES:
                log = folder / f"hardhat-{store}.log"
                urls["hardhat", store] = stack.enter_context(
                    hardhat(log, chain_id=HARDHAT_CHAIN_ID, begins_at=int(time.time()))
                )
                urls["geth", store] = ours
        yield stack.enter_context(lives_on(folder, urls, content))


@pytest.fixture
def lived(lives: Lives, chain: str, store: str) -> Lived:
    return lives.of(chain, store)


ON_EVERY_DATABASE = pytest.mark.parametrize(
    ("chain", "store", "database"),
    [
        pytest.param(*place, database, marks=marked(*place, database))
        for place in PLACES
        for database in DATABASES
    ],
)
ON_EVERY_CHAIN = pytest.mark.parametrize(
    ("chain", "store"), [pytest.param(*place, marks=marked(*place)) for place in PLACES]
)


@ON_EVERY_DATABASE
@pytest.mark.slow
def test_a_mirror_tells_what_the_contracts_say_and_every_certificate_proves_itself(
    lived: Lived, database: str, tmp_path: Path
) -> None:
    """Issue 5, same life everywhere; invariant 1: fold, tables and views are one."""
    settings = read_settings(
        {},
        home=lived.home,
        mirror_url=CHOSEN.url(tmp_path / "mirror.sqlite", database),
        rpc_url=lived.rpc_url,
        finality="10000",
    )
    content = content_store(lived.content_url)
    with (
        # Opened again, the home sends nothing: the chain has it all.
        open_demo(lived.home, content=content, rpc_url=lived.rpc_url) as demo,
        open_services(
            settings, chain_id=lived.chain_id, rpc_url=lived.rpc_url, ledger=demo.ledger
        ) as services,
        worker_of(services, settings) as worker,
    ):
        worker.sync_until(lived.block_number)
        with Session(services.mirror) as session:
            mirrored = checksum(session, lived.block_number)
            counts = counts_of(session)
            export(
                session,
                content,
                venue=demo.venue(),
                cosigners=demo.cosigners(),
                folder=tmp_path / "exports",
            )
        audited = audit(services.mirror, services.node)
        rebuild(services.mirror, apply)
        with Session(services.mirror) as session:
            folded = checksum(session, lived.block_number)
        now = demo.ledger.now()
    CHOSEN.forget(tmp_path / "mirror.sqlite", database)

    assert (mirrored, folded) == (lived.checksum, lived.checksum)
    assert audited.equal
    assert counts["registrations"] >= REGISTRATIONS
    verdicts = verify_exports(tmp_path / "exports", now=now)
    assert len(verdicts) >= CERTIFICATES
    assert {one.verdict for one in verdicts.values()} == {Verdict.VALID}


@ON_EVERY_CHAIN
@pytest.mark.slow
def test_whoever_plays_meets_the_same_rules(lived: Lived) -> None:
    """Every kind of end comes up: what is done, and what the contracts refuse by name."""
    assert sum(lived.done.values()) > 0
    assert sum(lived.refused.values()) > 0
    assert "NodeRefused" not in lived.refused
    assert "RevertUnknown" not in lived.refused


@pytest.mark.engines
@pytest.mark.slow
@pytest.mark.parametrize("chain", ["anvil", "hardhat"])
def test_every_act_costs_and_tells_the_same_as_on_the_consortium(
    lives: Lives, chain: str, tmp_path: Path
) -> None:
    """Issue 5: gas equal on all three; the very bytes that geth took, at the very same times."""
    lived = lives.of("geth", "files")
    begins_at = lived.sent[0].timestamp - 1
    with ExitStack() as stack:
        url = (
            _anvil(stack, "--timestamp", str(begins_at), chain_id=lived.chain_id)
            if chain == "anvil"
            else stack.enter_context(
                hardhat(tmp_path / "log", chain_id=lived.chain_id, begins_at=begins_at)
            )
        )
        connection = stack.enter_context(Connection.to(url, chain=chain))

        found = {one.key: send_again(connection, one) for one in lived.sent}

    assert len(found) > 100
    assert {key: gas for key, (gas, _) in found.items()} == {
        one.key: one.gas_used for one in lived.sent
    }
    assert {key: logs for key, (_, logs) in found.items()} == {
        one.key: one.logs for one in lived.sent
    }


@pytest.mark.engines
@pytest.mark.slow
class TestAHomeBeforeAConsortium:
    """Bad input, on real validators: one sentence, and the home is as it was."""

    def refused(self, home: Path, url: str, error: type[LedgerError], chain: str = "") -> Any:
        before = sorted(home.rglob("*"))
        settings = read_settings({}, home=home, rpc_url=url, chain=chain)
        with pytest.raises(error) as raised, attach(settings):
            raise AssertionError("it was attached")
        assert sorted(home.rglob("*")) == before
        return raised.value

    def test_finds_the_contracts_with_another_exchanges_file(
        self, lives: Lives, tmp_path: Path
    ) -> None:
        lived = lives.of("geth", "files")
        save_deployment(tmp_path, load_deployment(lived.home, chain_id=lived.chain_id))
        settings = read_settings({}, home=tmp_path, rpc_url=lived.rpc_url, chain="geth")

        with attach(settings) as reached:
            assert reached.chain_id == lived.chain_id

    def test_refuses_validators_where_it_was_told_anvil(self, lives: Lives, tmp_path: Path) -> None:
        lived = lives.of("geth", "files")

        error = self.refused(tmp_path, lived.rpc_url, ChainDiffers, chain="anvil")

        assert error.reason == "its client is that of geth"

    def test_takes_a_node_without_the_contracts_blocks_for_one_that_is_syncing(
        self, lives: Lives, tmp_path: Path
    ) -> None:
        lived = lives.of("geth", "files")
        known = load_deployment(lived.home, chain_id=lived.chain_id)
        late = {name: replace(one, block_number=10**6) for name, one in known.contracts.items()}
        save_deployment(tmp_path, replace(known, contracts=late))

        assert self.refused(tmp_path, lived.rpc_url, NodeSyncing).highest_block == 10**6

    def test_refuses_a_consortium_that_was_founded_anew(self, lives: Lives, tmp_path: Path) -> None:
        lived = lives.of("geth", "files")
        known = load_deployment(lived.home, chain_id=lived.chain_id)
        save_deployment(tmp_path, replace(known, genesis_hash=Bytes32("0x" + "33" * 32)))

        assert self.refused(tmp_path, lived.rpc_url, ChainReplaced).chain_id == lived.chain_id


def _anvil(stack: ExitStack, *options: str, chain_id: int = ANVIL_CHAIN_ID) -> str:
    node = Anvil(*FREE, *options, chain_id=chain_id)
    stack.callback(node.stop)
    return node.url
