"""
What headers tell of their consensus, in the forms that public documents give.
"""

import pytest

from chain.consensus import (
    clique_signers,
    hashed_extra_data,
    is_clique_block,
    qbft_validators,
)
from chain.logs import read_header
from chain.receipts import header_hash
from tests.chain.chain_shapes import (
    HEADERS,
    SECONDS,
    SIGNERS,
    clique_header,
    fisco_header,
    header,
    qbft_header,
)


class TestClique:
    def test_names_its_signers_in_the_first_block(self) -> None:
        assert clique_signers(clique_header(0)) == SIGNERS

    @pytest.mark.parametrize("extra", ["0x", "0x" + "00" * 96, "0x" + "00" * 98, "0xzz", None])
    def test_is_not_seen_in_another_extra_data(self, extra: str | None) -> None:
        assert clique_signers({"extraData": extra}) == ()

    def test_seals_every_block_with_a_difficulty_of_its_own(self) -> None:
        assert is_clique_block(clique_header(7))
        assert not is_clique_block({**clique_header(7), "difficulty": "0x3"})
        assert not is_clique_block({**clique_header(7), "difficulty": None})
        assert not is_clique_block(header(7))

    def test_hashes_all_of_its_extra_data(self) -> None:
        assert read_header(7, clique_header(7)).is_whole


class TestQbft:
    def test_names_its_validators_in_every_block(self) -> None:
        assert qbft_validators(qbft_header(0)) == SIGNERS
        assert qbft_validators(qbft_header(7)) == SIGNERS

    @pytest.mark.parametrize(("seals", "round_"), [(3, 0), (4, 0), (3, 1), (3, 9)])
    def test_hashes_to_the_same_whoever_sealed_in_which_round(
        self, seals: int, round_: int
    ) -> None:
        found = qbft_header(7, seals=seals, round_=round_)

        assert found["hash"] == qbft_header(7)["hash"]
        assert read_header(7, found).is_whole

    def test_is_not_whole_with_another_validator(self) -> None:
        found = qbft_header(7)
        forged = found["extraData"].replace("01" * 20, "09" * 20)

        assert not read_header(7, {**found, "extraData": forged}).is_whole

    @pytest.mark.parametrize(
        "extra",
        [
            "0x",
            "0xc0",
            "0x" + "00" * 32,
            "0xf8",
            # Only four items; validators of another length; a vanity that is too short.
            "0xe4a0" + "00" * 32 + "c0c080",
            "0xe8a0" + "00" * 32 + "c3820101" + "c080c0",
            "0xc5" + "80c0c080c0",
        ],
    )
    def test_is_not_seen_in_another_extra_data(self, extra: str) -> None:
        found = {**qbft_header(7), "extraData": extra}

        assert qbft_validators(found) == ()
        assert hashed_extra_data(found) == extra

    def test_is_not_seen_without_its_mark(self) -> None:
        assert qbft_validators({**qbft_header(7), "mixHash": "0x" + "00" * 32}) == ()

    @pytest.mark.parametrize("chain", ["anvil", "geth", "fisco-bcos"])
    def test_leaves_the_extra_data_of_others_alone(self, chain: str) -> None:
        found = HEADERS[chain](7)

        assert hashed_extra_data(found) == found["extraData"]


class TestFiscoBcos:
    @pytest.mark.parametrize("is_in_milliseconds", [True, False])
    def test_has_its_time_in_seconds_whatever_it_counts(self, is_in_milliseconds: bool) -> None:
        found = read_header(7, fisco_header(7, is_in_milliseconds=is_in_milliseconds))

        assert found.block.timestamp == SECONDS + 7

    def test_hashes_in_a_way_of_its_own(self) -> None:
        found = fisco_header(7)

        assert header_hash(found) != found["hash"]
        assert not read_header(7, found).is_whole
