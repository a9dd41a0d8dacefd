"""`deploy`, `join`, `key` and `up` on a chain that somebody else keeps."""

import json
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from api.commands.homes import taken
from chain.node import EmbeddedNode
from tests.anvil import Anvil
from tests.api.lived import Lived
from tests.api.shell import Told, run, shulian


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A home to be."""
    return tmp_path / "home"


@pytest.fixture
def served(place: Path) -> Iterator[Path]:
    """A home to be, stopped whatever the test did."""
    yield place
    if place.exists():
        shulian("down", "--home", place)


@pytest.fixture
def deployment(lived: Lived) -> Path:
    """The file in which the exchange that deployed names the contracts."""
    return lived.settings.deployments / f"{lived.demo.deployment.chain_id}.json"


@pytest.fixture(scope="module")
def free() -> Iterator[Anvil]:
    """A chain that nothing was deployed on, and on which gas is free."""
    node = Anvil("--base-fee", "0", "--gas-price", "0")
    yield node
    node.stop()


def reaching(url: str, *arguments: object, home: Path) -> Told:
    """Run a command that finds the chain there."""
    config = home.parent / "reaching.toml"
    config.write_text(f'rpc_url = "{url}"\n')
    return shulian("--config", config, *arguments, "--home", home, "--json")


class TestJoin:
    def test_makes_a_home_that_follows_the_contracts(
        self, lived: Lived, deployment: Path, place: Path
    ) -> None:
        told = reaching(lived.demo.rpc_url, "join", deployment, home=place)

        assert told.code == 0, told.err
        assert told.json["chain_id"] == lived.demo.deployment.chain_id
        assert (place / "deployments" / deployment.name).read_bytes() == deployment.read_bytes()
        assert stat.S_IMODE(place.stat().st_mode) == 0o700
        assert not (place / "keys").exists()

    def test_says_that_nobody_was_asked_without_a_node(self, deployment: Path, place: Path) -> None:
        told = shulian("join", deployment, "--home", place)

        assert told.code == 0
        assert "No node was asked" in told.err

    def test_may_be_repeated(self, lived: Lived, deployment: Path, place: Path) -> None:
        for _ in range(2):
            assert reaching(lived.demo.rpc_url, "join", deployment, home=place).code == 0

    def test_refuses_contracts_of_another_chain(self, deployment: Path, place: Path) -> None:
        shulian("join", deployment, "--home", place)
        other = json.loads(deployment.read_text())
        other["chain_id"] += 1
        path = place.parent / "other.json"
        path.write_text(json.dumps(other))

        told = shulian("join", path, "--home", place, "--json")

        assert told.problem["type"] == "/problems/deployment-differs"
        assert [one.name for one in (place / "deployments").iterdir()] == [deployment.name]

    def test_refuses_a_file_that_forgets_a_version(self, deployment: Path, place: Path) -> None:
        shulian("join", deployment, "--home", place)
        other = json.loads(deployment.read_text())
        other["deployments"][0]["version"] = 2
        path = place.parent / "other.json"
        path.write_text(json.dumps(other))

        assert shulian("join", path, "--home", place, "--json").code == 1

    @pytest.mark.parametrize("text", ["[]", "{}", '{"format": 1, "deployments": []}', "no JSON"])
    def test_refuses_what_is_no_deployment(self, place: Path, text: str) -> None:
        path = place.parent / "given.json"
        path.write_text(text)

        told = shulian("join", path, "--home", place, "--json")

        assert told.code == 2
        assert told.problem["type"] == "/problems/file-not-taken"
        assert not place.exists()

    def test_refuses_a_chain_without_the_contracts(
        self, anvil: Anvil, deployment: Path, place: Path
    ) -> None:
        told = reaching(anvil.url, "join", deployment, home=place)

        assert told.problem["type"] == "/problems/wrong-chain"
        assert not place.exists()

    def test_leaves_a_folder_that_was_there(
        self, anvil: Anvil, deployment: Path, place: Path
    ) -> None:
        place.mkdir()

        reaching(anvil.url, "join", deployment, home=place)

        assert place.is_dir()


class TestDeploy:
    def test_gives_others_what_they_join_with(self, free: Anvil, place: Path) -> None:
        reaching(free.url, "key", "make", "governor", home=place)

        told = reaching(free.url, "deploy", home=place)
        again = reaching(free.url, "deploy", home=place)
        other = place.parent / "other" / "home"
        other.parent.mkdir()
        joined = reaching(free.url, "join", told.json["file"], home=other)

        assert told.code == 0, told.err
        assert len(told.json["contracts"]) == 13
        assert again.json == told.json
        assert joined.code == 0, joined.err

    def test_asks_for_a_key_before_anything_is_sent(self, anvil: Anvil, place: Path) -> None:
        told = reaching(anvil.url, "deploy", home=place)

        assert told.problem["type"] == "/problems/key-not-found"
        assert anvil.rpc("eth_blockNumber") == "0x0"
        assert not place.exists()

    def test_is_not_for_the_embedded_chain(self, place: Path) -> None:
        told = shulian("deploy", "--home", place, "--json")

        assert told.problem["type"] == "/problems/node-not-named"
        assert not place.exists()


class TestUp:
    def test_relays_with_a_key_of_its_own(
        self, lived: Lived, deployment: Path, served: Path
    ) -> None:
        place = served
        config = place.parent / "reaching.toml"
        reaching(lived.demo.rpc_url, "join", deployment, home=place)

        told = run("--config", config, "up", "--home", place, "--detach", "--port", 0, "--json")
        keys = shulian("key", "ls", "--home", place, "--json")

        assert told.code == 0, told.err
        assert [one["name"] for one in keys.json["items"]] == ["relayer"]
        assert EmbeddedNode(place).running() is None

    def test_does_not_deploy_on_the_chain_of_others(self, anvil: Anvil, place: Path) -> None:
        """A second set of contracts, deployed by mistake, would split the ledger."""
        told = reaching(anvil.url, "up", home=place)

        assert told.problem["type"] == "/problems/deployment-not-found"
        assert "shulian join" in told.problem["next_step"]
        assert anvil.rpc("eth_blockNumber") == "0x0"


class TestKeys:
    def test_are_made_once_and_told_without_what_they_are(self, place: Path) -> None:
        made = shulian("key", "make", "clerk", "exchange-a", "--home", place, "--json")
        again = shulian("key", "make", "clerk", "--home", place, "--json")
        told = shulian("key", "ls", "--home", place, "--json")

        assert made.code == 0, made.err
        assert again.json["items"] == made.json["items"][:1]
        assert told.json == made.json
        for one in told.json["items"]:
            assert set(one) == {"name", "address", "encryption_key"}
            assert kept(place, one["name"])["address"].lower() == one["address"][2:].lower()
            assert mode(place / "keys" / f"{one['name']}.json") == 0o600

    def test_are_made_while_a_ledger_serves_and_refused_where_others_files_are(
        self, place: Path
    ) -> None:
        with taken(place, command="up"):
            assert shulian("key", "make", "clerk", "--home", place).code == 0
        (place.parent / "other").mkdir()
        (place.parent / "other" / "thesis.txt").write_text("mine")

        told = shulian("key", "make", "clerk", "--home", place.parent / "other", "--json")

        assert told.problem["type"] == "/problems/home-holds-others"
        assert [one.name for one in (place.parent / "other").iterdir()] == ["thesis.txt"]

    def test_that_are_refused_leave_no_folder(self, place: Path) -> None:
        told = shulian("key", "make", "BAD_NAME", "--home", place, "--json")

        assert told.problem["type"] == "/problems/account-name-refused"
        assert not place.exists()

    def test_are_enough_to_be_a_home(self, place: Path) -> None:
        kept = place.parent / "password"
        kept.write_text("correct horse")
        kept.chmod(0o600)
        place.mkdir()
        (place / "shulian.toml").write_text(f'key_password_file = "{kept}"\n')
        shulian("key", "make", "clerk", "--home", place)

        assert shulian("key", "ls", "--home", place).code == 0
        assert not (place / "keys/password").exists()

    def test_are_refused_by_a_wrong_password(self, place: Path) -> None:
        shulian("key", "make", "clerk", "--home", place)
        (place / "keys/password").write_text("another")

        told = shulian("key", "ls", "--home", place, "--json")

        assert told.code == 1
        assert told.problem["type"] == "/problems/password-wrong"

    def test_that_are_damaged_are_named(self, place: Path) -> None:
        shulian("key", "make", "clerk", "--home", place)
        (place / "keys/clerk.json").write_text("{")

        told = shulian("key", "ls", "--home", place, "--json")

        assert told.problem["fields"] == {"name": "clerk"}
        assert told.problem["type"] == "/problems/key-damaged"


class TestHomes:
    def test_are_closed_to_others_from_the_first_moment(self, place: Path) -> None:
        with taken(place, command="demo"):
            assert mode(place) == 0o700


def kept(home: Path, name: str) -> Any:
    return json.loads((home / "keys" / f"{name}.json").read_text())


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)
