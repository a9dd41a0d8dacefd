"""
A consortium on paper: its members, its first block, its folder, its scripts; no node runs here.
"""

import json
import re
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import coincurve
import pytest
from eth_account import Account

from chain.consortium.folders import (
    Consortium,
    ConsortiumDiffers,
    ConsortiumNotFound,
    NodeExists,
    NodeUnknown,
    found_consortium,
    joined,
    meant,
    read_consortium,
)
from chain.consortium.genesis import extra_data, genesis_hash, genesis_of, state_root
from chain.consortium.joining import NodeToCarry, admit
from chain.consortium.members import Members, MembersFileInvalid, member_of, read_members
from chain.consortium.nodes import NodeAddressElsewhere, Nodes
from chain.consortium.scripts import stalled_after_seconds
from chain.consortium.seals import SealInvalid, majority_of, sealed_by, signer_of
from chain.receipts import header_hash
from chain.values import Address, address, raw

# Keys that hold nothing need no costly password.
CHEAP = 2
NAMES = ("east", "south", "west", "north")

# Block 1 of the public Clique network Goerli, whose signers are known: an answer that is not ours.
GOERLI_1 = {
    "parentHash": "0xbf7e331f7f7c1dd2e05159666b3bf8bc7a8a3a9eb1d518969eab529dd9b88c1a",
    "sha3Uncles": "0x1dcc4de8dec75d7aab85b567b6ccd41ad312451b948a7413f0a142fd40d49347",
    "miner": "0x0000000000000000000000000000000000000000",
    "stateRoot": "0x5d6cded585e73c4e322c30c2f782a336316f17dd85a4863b9d838d2d4b8b3008",
    "transactionsRoot": "0x56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421",
    "receiptsRoot": "0x56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421",
    "logsBloom": "0x" + "00" * 256,
    "difficulty": "0x2",
    "number": "0x1",
    "gasLimit": "0x9fd801",
    "gasUsed": "0x0",
    "timestamp": "0x5c530ffd",
    "extraData": "0x506172697479205465636820417574686f726974790000000000000000000000"
    "2bbf886181970654ed46e3fae0ded41ee53fec702c47431988a7ae80e6576f35"
    "52684f069af80ba11d36327aaf846d470526e4a1c461601b2fd4ebdcdc2b734a01",
    "mixHash": "0x" + "00" * 32,
    "nonce": "0x0000000000000000",
}

PAGE = Path(__file__).resolve().parents[2] / "docs/consortium.md"


def listed(*names: str, **changes: Any) -> dict[str, Any]:
    """Return a file of members, all on one machine."""
    members = [
        {"name": one, "zh": f"{one} 交易所", "en": f"{one} exchange", "host": "127.0.0.1"}
        for one in names
    ]
    return {"members": members, **changes}


@pytest.fixture
def written(tmp_path: Path) -> Callable[[Any], Path]:
    """Give a way to write a file of members."""

    def write(found: Any) -> Path:
        path = tmp_path / "members.json"
        path.write_text(found if isinstance(found, str) else json.dumps(found), "utf-8")
        return path

    return write


@pytest.fixture
def members(written: Callable[[Any], Path]) -> Members:
    return read_members(written(listed(*NAMES)), validators=4)


@pytest.fixture
def consortium(tmp_path: Path, members: Members) -> Consortium:
    return found_consortium(tmp_path / "c", members, scrypt_n=CHEAP)


class TestMembers:
    def test_of_one_host_get_ports_of_their_own(self, members: Members) -> None:
        """Cites: issue 5, Consortium."""
        ports = [port for one in members.members for port in (one.p2p_port, one.rpc_port)]
        assert len(set(ports)) == len(ports)
        assert members.period_seconds == 1

    @pytest.mark.parametrize(
        ("found", "validators", "said"),
        [
            ("{", 1, "no JSON"),
            ([], 1, "the file is not a JSON object"),
            ({"members": []}, 1, "no list"),
            ({"membres": []}, 1, "'membres'"),
            (listed("east", "south"), 3, "3 validators are wanted and 2 members are named"),
            (listed("east", "east"), 2, "'east' is used 2 times"),
            (listed("East"), 1, "lower-case"),
            (listed("../east"), 1, "lower-case"),
            (listed("east", period_seconds=0), 1, "period_seconds is 0"),
            (listed("east", period_seconds=True), 1, "period_seconds is True"),
            ({"members": [{**listed("east")["members"][0], "rpc_port": 70_000}]}, 1, "70000"),
            ({"members": [{**listed("east")["members"][0], "rpc_port": "8545"}]}, 1, "'8545'"),
            ({"members": [{**listed("east")["members"][0], "host": "a b"}]}, 1, "host 'a b'"),
            ({"members": [{**listed("east")["members"][0], "host": "http://a"}]}, 1, "host"),
            ({"members": [{**listed("east")["members"][0], "zh": ""}]}, 1, "zh is missing"),
            ({"members": [{**listed("east")["members"][0], "zh": "a\nb"}]}, 1, "line of text"),
            ({"members": ["east"]}, 1, "member 1 is not a JSON object"),
            (
                {"members": [{**one, "rpc_port": 9000} for one in listed("a", "b")["members"]]},
                2,
                "port 9000 of 127.0.0.1 is used twice",
            ),
            (
                {"members": [{**listed("a")["members"][0], "rpc_port": 9, "p2p_port": 9}]},
                1,
                "used twice",
            ),
        ],
    )
    def test_wrong_are_refused_in_one_sentence(
        self, found: Any, validators: int, said: str, written: Callable[[Any], Path]
    ) -> None:
        """Cites: issue 5, Bad input."""
        with pytest.raises(MembersFileInvalid) as raised:
            read_members(written(found), validators=validators)
        assert said in str(raised.value)
        assert "\n" not in str(raised.value)

    def test_a_file_that_is_not_there_is_said_so(self, tmp_path: Path) -> None:
        with pytest.raises(MembersFileInvalid, match="No such file"):
            read_members(tmp_path / "none.json", validators=1)


class TestTheGenesis:
    def test_names_the_signers_in_ascending_order(self) -> None:
        low, high = Address("0x" + "11" * 20), Address("0x" + "22" * 20)
        extra = extra_data([high, low])
        assert extra == extra_data([low, high])
        assert raw(extra) == bytes(32) + b"\x11" * 20 + b"\x22" * 20 + bytes(65)

    def test_has_every_fork_up_to_london_and_none_after(self) -> None:
        config = genesis_of(chain_id=1, period_seconds=2, signers=[], timestamp=0)["config"]
        assert config["londonBlock"] == 0
        assert config["clique"] == {"period": 2, "epoch": 30_000}
        assert not [name for name in config if "shanghai" in name.lower()]

    def test_state_root_covers_every_account_and_its_coins(self) -> None:
        """That it is geth's too is shown where geth runs (`test_consortium_engines.py`)."""
        root = state_root({Address("0x" + "00" * 20): 0})
        assert root != state_root({Address("0x" + "00" * 19 + "01"): 0})
        assert root != state_root({Address("0x" + "00" * 20): 1})

    def test_hash_changes_with_everything_that_fixes_the_chain(self) -> None:
        signer, other = Address("0x" + "11" * 20), Address("0x" + "22" * 20)
        base = {"chain_id": 1, "period_seconds": 1, "signers": [signer], "timestamp": 5}
        first = genesis_hash(genesis_of(**base))
        assert genesis_hash(genesis_of(**{**base, "timestamp": 6})) != first
        assert genesis_hash(genesis_of(**{**base, "signers": [other]})) != first
        assert genesis_hash(genesis_of(**base)) == first


class TestSeals:
    def test_of_a_public_chain_are_recovered(self) -> None:
        """Goerli's first block was sealed by one of the signers that its genesis names."""
        assert signer_of(GOERLI_1) in {
            "0x22ea9f6b28db76a7162054c05ed812deb2f519cd",
            "0x4c2ae482593505f0163cdefc073e81c63cda4107",
            "0xa8e8f14732658e4b51e8711931053a8a69baf2b1",
            "0xd9a5179f091d85051d3c982785efd1455cec8699",
            "0xe0a2bd4258d2768837baa26a28fe71dc079f84c7",
        }

    def test_of_an_account_of_ours_are_recovered(self) -> None:
        key = coincurve.PrivateKey(b"\x07" * 32)
        blank = {**GOERLI_1, "number": "0x2", "extraData": "0x" + "00" * 32}
        seal = key.sign_recoverable(raw(header_hash(blank)), hasher=None)
        sealed = {**blank, "extraData": "0x" + (bytes(32) + seal).hex()}
        assert signer_of(sealed) == address(Account.from_key(b"\x07" * 32).address)
        assert sealed_by([sealed, sealed]) == {signer_of(sealed): 2}

    def test_that_nobody_can_have_made_are_refused(self) -> None:
        for extra in ("0x", "0x" + "00" * 96 + "05", "0x" + "ff" * 97):
            with pytest.raises(SealInvalid):
                signer_of({**GOERLI_1, "extraData": extra})

    @pytest.mark.parametrize(("signers", "needed"), [(1, 1), (2, 2), (3, 2), (4, 3), (5, 3)])
    def test_a_majority_is_more_than_half(self, signers: int, needed: int) -> None:
        """Cites: engines.md, Clique."""
        assert majority_of(signers) == needed


class TestTheFolder:
    def test_tells_everybody_the_same_and_keeps_keys_private(
        self, tmp_path: Path, consortium: Consortium
    ) -> None:
        """Cites: issue 5, Consortium: genesis, keys, configuration and scripts per machine."""
        folder = tmp_path / "c"
        assert read_consortium(folder) == consortium
        public = (folder / "consortium.json").read_text("utf-8")
        for node in consortium.nodes:
            place = folder / "nodes" / node.name
            assert json.loads((place / "genesis.json").read_text()) == consortium.genesis()
            assert (place / "consortium.json").read_text("utf-8") == public
            for secret in ("nodekey", "password", "keystore/signer.json"):
                assert stat.S_IMODE((place / secret).stat().st_mode) == 0o600
                assert (place / secret).read_text("ascii") not in public
            assert stat.S_IMODE(place.stat().st_mode) == 0o700
            password = (place / "password").read_text("ascii").strip()
            kept = json.loads((place / "keystore/signer.json").read_text())
            assert address(Account.from_key(Account.decrypt(kept, password)).address) == node.signer
            script = (place / "start").read_text("utf-8")
            assert node.signer in script
            assert consortium.genesis_hash in script
            assert password not in script

    def test_each_node_looks_for_all_others_and_not_for_itself(
        self, tmp_path: Path, consortium: Consortium
    ) -> None:
        for node in consortium.nodes:
            config = (tmp_path / "c/nodes" / node.name / "geth.toml").read_text("utf-8")
            for other in consortium.nodes:
                assert (other.enode in config) is (other.name != node.name)

    def test_what_runs_beside_a_node_knows_the_validators_and_nobody_else(
        self, tmp_path: Path, consortium: Consortium
    ) -> None:
        """Readers that meet are no majority: keep.js may take nothing back for them."""
        values = {"name": "reader", "zh": "读", "en": "Reader", "host": "10.0.0.9"}
        grown = joined(tmp_path / "c", consortium, member_of(values))
        for node in grown.nodes:
            keep = (tmp_path / "c/nodes" / node.name / "keep.js").read_text("utf-8")
            assert all(one.key in keep for one in consortium.nodes)
            assert grown.node("reader").key not in keep

    def test_made_again_keeps_every_key(
        self, tmp_path: Path, members: Members, consortium: Consortium
    ) -> None:
        folder = tmp_path / "c"
        (folder / "nodes/east/geth.toml").unlink()
        before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
        assert found_consortium(folder, members) == consortium
        assert {path: path.read_bytes() for path in before} == before
        assert (folder / "nodes/east/geth.toml").is_file()

    def test_a_node_may_move_to_another_machine(
        self, tmp_path: Path, consortium: Consortium, written: Callable[[Any], Path]
    ) -> None:
        found = listed(*NAMES)
        found["members"][0]["host"] = "exchange.example"
        moved = found_consortium(tmp_path / "c", read_members(written(found), validators=4))
        assert moved.genesis_hash == consortium.genesis_hash
        assert moved.node("east").enode.endswith("@exchange.example:30303")
        assert moved.node("east").key == consortium.node("east").key
        config = (tmp_path / "c/nodes/south/geth.toml").read_text("utf-8")
        assert "@exchange.example:30303" in config

    @pytest.mark.parametrize(
        ("found", "validators"),
        [
            (listed("east", "south", "west", "other"), 4),
            (listed(*NAMES), 3),
            (listed(*NAMES, period_seconds=5), 4),
        ],
    )
    @pytest.mark.usefixtures("consortium")
    def test_of_another_consortium_is_left_alone(
        self, tmp_path: Path, found: Any, validators: int, written: Callable[[Any], Path]
    ) -> None:
        """Cites: issue 5, Bad input: nothing half done."""
        folder = tmp_path / "c"
        before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
        with pytest.raises(ConsortiumDiffers):
            found_consortium(folder, read_members(written(found), validators=validators))
        after = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
        assert after == before

    def test_that_holds_something_else_is_left_alone(
        self, tmp_path: Path, members: Members
    ) -> None:
        (tmp_path / "full").mkdir()
        (tmp_path / "full/letter.txt").write_text("mine")
        with pytest.raises(ConsortiumDiffers, match=r"letter\.txt"):
            found_consortium(tmp_path / "full", members)
        assert [one.name for one in (tmp_path / "full").iterdir()] == ["letter.txt"]

    def test_that_is_not_there_is_said_so(self, tmp_path: Path) -> None:
        with pytest.raises(ConsortiumNotFound):
            read_consortium(tmp_path / "none")

    def test_that_was_damaged_is_said_so(self, tmp_path: Path) -> None:
        for text in ("{", "[]", '{"nodes": []}'):
            (tmp_path / "consortium.json").write_text(text)
            with pytest.raises(ConsortiumDiffers, match=r"consortium\.json"):
                read_consortium(tmp_path)

    def test_a_founding_that_was_interrupted_goes_on_with_its_keys(
        self, tmp_path: Path, members: Members, consortium: Consortium
    ) -> None:
        for path in (tmp_path / "c").glob("*.json"):
            path.unlink()
        again = found_consortium(tmp_path / "c", members, scrypt_n=CHEAP)
        assert again.genesis_signers == consortium.genesis_signers
        assert [one.enode for one in again.nodes] == [one.enode for one in consortium.nodes]


class TestJoining:
    def test_a_new_node_has_keys_and_does_not_seal_yet(
        self, tmp_path: Path, consortium: Consortium
    ) -> None:
        values = {"name": "fifth", "zh": "五", "en": "Fifth", "host": "10.0.0.5"}
        grown = joined(tmp_path / "c", consortium, member_of(values))
        assert grown.genesis_hash == consortium.genesis_hash
        assert not grown.node("fifth").is_validator
        script = tmp_path / "c/nodes/fifth/start"
        assert "--mine" not in script.read_text("utf-8")
        config = (tmp_path / "c/nodes/east/geth.toml").read_text("utf-8")
        assert grown.node("fifth").enode in config
        sealing = meant(tmp_path / "c", grown, "fifth", is_validator=True)
        assert "--mine" in script.read_text("utf-8")
        assert read_consortium(tmp_path / "c") == sealing

    def test_on_another_machine_waits_until_the_folder_was_carried_there(
        self, tmp_path: Path, consortium: Consortium
    ) -> None:
        """Two operators must never make two keys for one node."""
        values = {"zh": "五", "en": "Fifth", "host": "192.0.2.5"}
        with pytest.raises(NodeToCarry) as raised:
            admit(tmp_path / "c", consortium, "fifth", values, wait_seconds=1, say=lambda _: None)
        assert Path(raised.value.folder) == tmp_path / "c/nodes/fifth"
        assert not read_consortium(tmp_path / "c").node("fifth").is_validator

    def test_a_name_or_a_place_that_is_taken_is_refused(
        self, tmp_path: Path, consortium: Consortium
    ) -> None:
        values = {"zh": "五", "en": "Fifth", "host": "127.0.0.1"}
        with pytest.raises(NodeExists):
            joined(tmp_path / "c", consortium, member_of({**values, "name": "east"}))
        with pytest.raises(MembersFileInvalid, match="used twice"):
            joined(tmp_path / "c", consortium, member_of({**values, "name": "fifth"}))
        with pytest.raises(NodeUnknown):
            consortium.node("fifth")


def test_a_chain_stands_still_after_ten_periods_and_never_sooner_than_ten_seconds() -> None:
    assert stalled_after_seconds(1) == 10
    assert stalled_after_seconds(15) == 150


class TestThePage:
    """`docs/consortium.md`: what it prints is taken as it stands."""

    def test_begins_with_members_of_this_machine(self, written: Callable[[Any], Path]) -> None:
        (text,) = re.findall(r"(?s)<<END\n(.*?)\nEND\n", PAGE.read_text("utf-8"))

        read = read_members(written(text), validators=4)

        assert {one.host for one in read.members} == {"127.0.0.1"}

    def test_shows_members_of_machines_of_their_own(self, written: Callable[[Any], Path]) -> None:
        (text,) = re.findall(r"(?s)```json\n(.*?)```", PAGE.read_text("utf-8"))

        assert len(read_members(written(text), validators=4).members) == 4


class TestStart:
    def test_says_that_an_address_is_of_another_machine(
        self, tmp_path: Path, written: Callable[[Any], Path]
    ) -> None:
        """Nobody listens there: it belongs to no machine at all (RFC 5737)."""
        elsewhere = listed("east")
        elsewhere["members"][0]["host"] = "192.0.2.1"
        there = read_members(written(elsewhere), validators=1)
        folder = tmp_path / "c"
        nodes = Nodes(folder, found_consortium(folder, there, scrypt_n=CHEAP))

        with pytest.raises(NodeAddressElsewhere) as raised:
            nodes.start(nodes.named("east"))

        assert raised.value.address == "192.0.2.1"
