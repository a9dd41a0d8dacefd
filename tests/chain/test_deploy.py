"""
Deploying the contracts: in order, once, resumable, and checked against what this version knows.
"""

import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
from eth_account import Account

import chain.deploy
from chain.artifacts import ArtifactMissing, artifact
from chain.deploy import MODULES, ORDER, deploy, missing_modules
from chain.deployments import (
    CodeDiffers,
    ContractMissing,
    DeploymentNotFound,
    load_deployment,
    load_deployments,
    verify_deployment,
)
from chain.fetch import WrongChain
from chain.values import Address, address
from tests.chain.place import Place, open_place


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with open_place(tmp_path_factory.mktemp("home")) as opened:
        yield opened


class TestDeploy:
    def test_deploys_each_after_those_it_calls(self, place: Place) -> None:
        numbers = [one.block_number for one in place.ledger.deployment.contracts.values()]

        assert tuple(place.ledger.deployment.contracts) == ORDER
        assert numbers == sorted(numbers)

    def test_names_the_modules(self, place: Place) -> None:
        named = [
            place.ledger.call("Participants", "isModule", kind, place.ledger.address_of(name))
            for kind, names in MODULES
            for name in names
        ]

        assert len(named) == 10
        assert all(named)
        assert missing_modules(place.ledger) == []

    def test_sends_nothing_the_second_time(self, place: Place) -> None:
        head = place.sender.connection.latest()

        again = deploy(place.sender, home=place.home, deployer=place.governor)

        assert again == place.ledger.deployment
        assert place.sender.connection.latest() == head

    def test_goes_on_where_it_was_broken_off(
        self, place: Place, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        deployer = Account.create()
        whole = chain.deploy.ORDER
        monkeypatch.setattr(chain.deploy, "ORDER", (*whole[:4], "NoSuchContract"))
        with suppress(ArtifactMissing):
            deploy(place.sender, home=place.home, deployer=deployer, version=2)
        monkeypatch.setattr(chain.deploy, "ORDER", whole)
        sent = place.sender.connection.transaction_count(address(deployer.address))

        made = deploy(place.sender, home=place.home, deployer=deployer, version=2)

        assert sent == 4
        assert tuple(made.contracts) == whole
        assert [one.version for one in load_deployments(place.home, chain_id=made.chain_id)] == [
            1,
            2,
        ]

    def test_leaves_modules_to_a_governor_without_a_key_here(self, place: Place) -> None:
        governor = address(Account.create().address)

        made = deploy(
            place.sender, home=place.home, deployer=place.relayer, governor=governor, version=3
        )

        ledger = type(place.ledger)(place.sender, made)
        assert ledger.call("Participants", "governor") == governor
        assert len(missing_modules(ledger)) == 10


class TestLoadDeployment:
    def test_gives_back_what_was_deployed(self, place: Place) -> None:
        found = load_deployments(place.home, chain_id=place.ledger.chain_id)

        assert found[0] == place.ledger.deployment
        assert load_deployment(place.home, chain_id=place.ledger.chain_id) == found[-1]

    def test_writes_addresses_in_lower_case(self, place: Place) -> None:
        path = place.home / "deployments" / f"{place.ledger.chain_id}.json"

        (first, *_) = json.loads(path.read_text())["deployments"]

        addresses = [one["address"] for one in first["contracts"].values()]
        assert addresses == [one.lower() for one in addresses]

    def test_knows_none_of_another_chain(self, place: Place) -> None:
        with pytest.raises(DeploymentNotFound):
            load_deployment(place.home, chain_id=1)

    def test_refuses_a_file_that_was_renamed(self, place: Place, tmp_path: Path) -> None:
        path = place.home / "deployments" / f"{place.ledger.chain_id}.json"
        (tmp_path / "deployments").mkdir()
        (tmp_path / "deployments/5.json").write_text(path.read_text())

        with pytest.raises(WrongChain):
            load_deployment(tmp_path, chain_id=5)


class TestVerifyDeployment:
    def test_accepts_what_was_deployed(self, place: Place) -> None:
        verify_deployment(place.sender.connection, place.ledger.deployment)

    def test_refuses_another_contract_at_the_address(self, place: Place) -> None:
        contracts = dict(place.ledger.deployment.contracts)
        contracts["Funds"], contracts["Rights"] = contracts["Rights"], contracts["Funds"]

        with pytest.raises(CodeDiffers):
            verify_deployment(
                place.sender.connection, replace(place.ledger.deployment, contracts=contracts)
            )

    def test_refuses_an_address_without_a_contract(self, place: Place) -> None:
        contracts = dict(place.ledger.deployment.contracts)
        contracts["Funds"] = replace(contracts["Funds"], address=Address("0x" + "11" * 20))

        with pytest.raises(ContractMissing, match="Funds"):
            verify_deployment(
                place.sender.connection, replace(place.ledger.deployment, contracts=contracts)
            )


class TestArtifact:
    @pytest.mark.parametrize("name", ORDER)
    def test_tells_its_code_from_changed_code(self, place: Place, name: str) -> None:
        made = artifact(name)
        code = place.sender.connection.code(place.ledger.address_of(name))

        changed = code[:-2] + ("00" if code[-2:] != "00" else "01")

        assert made.is_code(code)
        assert not made.is_code(changed)
        assert not made.is_code("0x")

    def test_is_missing_if_it_is_not_shipped(self) -> None:
        with pytest.raises(ArtifactMissing):
            artifact("Nothing")
