"""
Tests of coming back to the stream, after forks above all: nothing doubled, nothing lost.
"""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.anvil import Anvil
from tests.api.streamed import DEPTH, Streamed, folded, open_streamed

ON_BOTH_DATABASES = True


@pytest.fixture
def chain(anvil: Anvil, tmp_path: Path, mirror_url: str) -> Iterator[Streamed]:
    with open_streamed(anvil, tmp_path / "home", mirror_url=mirror_url) as found:
        yield found


class TestResume:
    def test_gives_exactly_the_rest_from_every_position(self, chain: Streamed) -> None:
        chain.emit(1, 2, 3, 4)
        with chain.listen() as client:
            whole = client.until_current()

        for place, message in enumerate(whole):
            with chain.listen(last=message.id) as client:
                assert client.until_current() == whole[place + 1 :]

    def test_counts_the_header_before_the_parameter(self, chain: Streamed) -> None:
        chain.emit(1, 2)
        with chain.listen() as client:
            whole = client.until_current()

        with chain.listen(last=whole[2].id, after=whole[0].id) as client:
            assert client.until_current() == whole[3:]

    def test_takes_the_number_of_a_block(self, chain: Streamed) -> None:
        chain.emit(1, 2, 3)
        with chain.listen() as client:
            whole = client.until_current()

        with chain.listen(after=whole[1].data["block_number"]) as client:
            assert client.until_current() == whole[2:]

    def test_skips_nothing_after_a_block_that_had_no_event(self, chain: Streamed) -> None:
        chain.emit(1)
        with chain.listen(after="newest") as client:
            client.until_current()
        quiet = client.messages[-1].id
        chain.anvil.mine(2)
        chain.emit(2)

        with chain.listen(last=quiet) as client:
            assert folded(client.until_current()) == chain.mirrored()[2:]

    @pytest.mark.parametrize(
        ("given", "status", "problem"),
        [
            ("x", 422, "position-invalid"),
            ("1.2", 422, "position-invalid"),
            ("999999", 404, "block-not-mirrored"),
            ("1.0.0.0x" + "ee" * 32, 409, "position-foreign"),
        ],
    )
    def test_refuses_what_is_no_position(
        self, chain: Streamed, given: str, status: int, problem: str
    ) -> None:
        chain.emit(1)

        answer = httpx.get(f"{chain.url}/v1/stream?after={given}", trust_env=False)

        assert (answer.status_code, answer.json()["type"]) == (status, f"/problems/{problem}")


class TestForks:
    def test_are_told_to_whoever_listens(self, chain: Streamed) -> None:
        """Reliability §3.2: a reorg is undone, not doubled."""
        chain.emit(1, 2)
        common = chain.anvil.rpc("evm_snapshot")
        with chain.listen() as client:
            client.until_current()
            chain.emit(3, 4)
            client.until(lambda one: one.data.get("fields", {}).get("version") == 4)

            chain.anvil.rpc("evm_revert", common)
            chain.anvil.rpc("evm_increaseTime", 7)
            chain.emit(5, 6)

            told = client.until(lambda one: one.data.get("fields", {}).get("version") == 6)
            client.next()
        assert "rewind" in [one.event for one in told]
        assert folded(client.messages) == chain.mirrored()

    def test_are_told_to_whoever_was_away_from_any_position(self, chain: Streamed) -> None:
        chain.emit(1, 2)
        common = chain.anvil.rpc("evm_snapshot")
        ancestor = int(chain.anvil.rpc("eth_blockNumber"), 16)
        chain.emit(3, 4)
        with chain.listen() as client:
            before = client.until_current()
            before.append(client.messages[-1])
        chain.anvil.rpc("evm_revert", common)
        chain.anvil.rpc("evm_increaseTime", 7)
        chain.emit(5)

        for place, message in enumerate(before):
            with chain.listen(last=message.id) as client:
                rest = client.until_current()
            is_lost = int(message.id.partition(".")[0]) > ancestor
            assert ("rewind" in [one.event for one in rest]) == is_lost
            assert folded(before[: place + 1] + rest) == chain.mirrored()
            assert len(set(folded(before[: place + 1] + rest))) == len(chain.mirrored())

    def test_are_told_when_the_chain_only_went_back(self, chain: Streamed) -> None:
        chain.emit(1)
        common = chain.anvil.rpc("evm_snapshot")
        chain.emit(2, 3)
        with chain.listen() as client:
            before = client.until_current()
        chain.anvil.rpc("evm_revert", common)
        chain.follow()

        with chain.listen(last=before[-1].id) as client:
            rest = client.until_current()

        assert [one.event for one in rest] == ["rewind"]
        assert folded(before + rest) == chain.mirrored()

    def test_touch_nothing_that_was_told_as_final(self, chain: Streamed) -> None:
        chain.emit(1, 2)
        chain.anvil.mine(DEPTH)
        chain.follow()
        common = chain.anvil.rpc("evm_snapshot")
        with chain.listen(final=True) as client:
            told = client.until_current()
            chain.emit(3)
            chain.anvil.rpc("evm_revert", common)
            chain.emit(4)
            chain.anvil.mine(DEPTH)
            chain.follow()
            told += client.until(lambda one: one.data.get("fields", {}).get("version") == 4)
        events = [one for one in told if one.event == "AssetRegistered"]
        assert [one.data["fields"]["version"] for one in events] == [1, 2, 4]
        assert all(one.data["is_final"] for one in events)
