"""
What kind of chain a node serves is found out, and another than was asked for is refused.
"""

from pathlib import Path

import pytest

from chain.chain_profiles import CHAIN_PROFILES, ChainProfile, Consensus
from chain.connection import Connection
from chain.detection import ChainDiffers, ChainUnknown, detect
from chain.rpc import NodeContradicts
from tests.anvil import Anvil
from tests.chain.chain_shapes import CLIENTS, HEADERS, answers, fisco_header

CHAINS = sorted(CHAIN_PROFILES)
ROOT = Path(__file__).resolve().parents[2]


class TestDetect:
    @pytest.mark.parametrize("chain", CHAINS)
    @pytest.mark.parametrize("is_named", [True, False], ids=["named", "not named"])
    def test_finds_each_kind_of_chain(self, chain: str, is_named: bool) -> None:
        found = detect(answers(chain), chain=chain if is_named else "")

        assert found.profile is CHAIN_PROFILES[chain]
        assert found.client == CLIENTS[chain]
        assert found.genesis_hash == HEADERS[chain](0)["hash"]

    @pytest.mark.parametrize("asked", CHAINS)
    @pytest.mark.parametrize("served", CHAINS)
    def test_refuses_every_other_than_was_asked_for(self, asked: str, served: str) -> None:
        if asked == served:
            return

        with pytest.raises(ChainDiffers) as raised:
            detect(answers(served), chain=asked)

        assert raised.value.chain == asked
        assert raised.value.client == CLIENTS[served]
        assert raised.value.reason == f"its client is that of {served}"

    def test_refuses_a_client_that_nobody_knows(self) -> None:
        with pytest.raises(ChainUnknown) as raised:
            detect(answers("geth", client="Nethermind/v1.32"))

        assert raised.value.client == "Nethermind/v1.32"
        assert set(raised.value.known) == set(CHAINS)

    @pytest.mark.parametrize("chain", ["geth", "besu", "fisco-bcos"])
    def test_takes_an_unknown_client_whose_chain_was_named_and_has_that_form(
        self, chain: str
    ) -> None:
        found = detect(answers(chain, client="Other/v1"), chain=chain)

        assert found.profile is CHAIN_PROFILES[chain]

    @pytest.mark.parametrize("chain", ["anvil", "hardhat"])
    def test_takes_none_for_one_that_mines_when_told(self, chain: str) -> None:
        with pytest.raises(ChainDiffers, match="only its own client mines when told"):
            detect(answers(chain, client="Other/v1"), chain=chain)

    @pytest.mark.parametrize(
        ("asked", "served", "reason"),
        [
            ("geth", "besu", "its blocks are not sealed as Clique's are"),
            ("geth", "fisco-bcos", "its blocks are not sealed as Clique's are"),
            ("besu", "geth", "its blocks name no validators as QBFT's do"),
            ("fisco-bcos", "geth", "its first block is one of Clique"),
            ("fisco-bcos", "besu", "its first block is one of QBFT"),
        ],
    )
    def test_says_what_is_not_as_the_profile_has_it(
        self, asked: str, served: str, reason: str
    ) -> None:
        with pytest.raises(ChainDiffers) as raised:
            detect(answers(served, client="Other/v1"), chain=asked)

        assert raised.value.reason == reason

    def test_refuses_geth_with_another_consensus(self) -> None:
        """geth's own development chain, and every public one, is not a Clique consortium."""
        ask = answers("geth", genesis=HEADERS["anvil"](0), head=HEADERS["anvil"](7))

        with pytest.raises(ChainDiffers, match="not sealed as Clique's"):
            detect(ask)

    def test_knows_a_chain_that_has_only_its_first_block(self) -> None:
        genesis = HEADERS["geth"](0)

        assert detect(answers("geth", head=genesis)).profile.name == "geth"

    def test_takes_milliseconds_only_where_they_are_counted(self) -> None:
        late = fisco_header(7, is_in_milliseconds=True)

        assert detect(answers("fisco-bcos", head=late)).profile.counts_milliseconds
        with pytest.raises(ChainDiffers, match="its blocks count milliseconds"):
            detect(answers("anvil", head=late))

    def test_says_when_there_are_no_blocks(self) -> None:
        with pytest.raises(NodeContradicts):
            detect(answers("anvil", head="nothing"))


class TestConnection:
    def test_knows_the_chain_that_it_leads_to(self, anvil: Anvil) -> None:
        with Connection.to(anvil.url, chain="anvil") as connection:
            assert connection.profile.name == "anvil"
            assert (
                connection.genesis_hash == anvil.rpc("eth_getBlockByNumber", "0x0", False)["hash"]
            )

    def test_is_refused_to_another_kind_of_chain(self, anvil: Anvil) -> None:
        with pytest.raises(ChainDiffers, match="its client is that of anvil"):
            Connection.to(anvil.url, chain="geth")


class TestChainProfile:
    @pytest.mark.parametrize("profile", CHAIN_PROFILES.values(), ids=lambda one: one.name)
    def test_is_whole(self, profile: ChainProfile) -> None:
        assert profile.gas_price_wei == 0
        assert profile.poll_seconds > 0
        assert profile.is_instant or not profile.is_remakable
        assert profile.is_instant == (profile.consensus is Consensus.ALONE)

    @pytest.mark.parametrize("name", ["besu", "fisco-bcos"])
    def test_calls_a_block_final_where_it_is_agreed_on_before_it_is_made(self, name: str) -> None:
        assert CHAIN_PROFILES[name].finality.deep_number(9, 2) == 9

    def test_calls_a_block_of_clique_final_at_a_depth(self) -> None:
        assert CHAIN_PROFILES["geth"].finality.deep_number(99, 99) == 83


class TestTheTable:
    def test_in_the_documents_is_that_of_the_profiles(self) -> None:
        """Documents that are not checked go stale."""
        told = (ROOT / "docs/engines.md").read_text("utf-8")
        rows = [_row(one) for one in CHAIN_PROFILES.values()]

        assert "\n".join(rows) in told, "\n".join(rows)


def _row(profile: ChainProfile) -> str:
    depth, forgets = profile.finality.depth, profile.finality.forgets
    final = (
        f"{depth} deep{', never past the last event' if forgets else ''}" if depth else "at once"
    )
    facts = (
        profile.is_instant,
        profile.has_block_receipts,
        profile.has_proofs,
        profile.takes_batches,
        profile.commits_to_receipts,
        profile.counts_milliseconds,
    )
    cells = (
        f"`{profile.name}`",
        profile.consensus.name,
        final,
        *("yes" if one else "no" for one in facts),
    )
    return f"| {' | '.join(cells)} |"
