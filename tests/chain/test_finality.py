"""
Tests of the rule by which blocks become final, and of the height that the mirror notes.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine
from sqlmodel import Session

from chain.chain_profiles import ANVIL, CHAIN_PROFILES, ChainProfile
from chain.finality import Finality, FinalityInvalid, finality_of
from chain.heads import heads_of, note_alarm
from chain.indexer import sync_once
from chain.reads import final_number
from chain.rpc import Call, Node, NodeContradicts
from tests.anvil import Anvil
from tests.chain.fault_proxy import fault_proxy
from tests.chain.following import emit, fresh, source_of
from tests.chain.things import dump, project


class TestFinalityOf:
    @pytest.mark.parametrize("profile", CHAIN_PROFILES.values(), ids=lambda one: one.name)
    def test_is_what_the_chain_profile_says(self, profile: ChainProfile) -> None:
        assert finality_of("auto", profile.finality) == profile.finality

    def test_is_sixteen_blocks_on_anvil(self) -> None:
        assert ANVIL.finality == Finality(16, forgets=True)

    @pytest.mark.parametrize(("text", "depth"), [("0", 0), ("7", 7), ("finalized", None)])
    def test_is_what_was_set_on_any_chain(self, text: str, depth: int | None) -> None:
        assert finality_of(text, ANVIL.finality) == Finality(depth)

    @pytest.mark.parametrize("text", ["", "safe", "-1", "1.5", "１２", "1" * 10])
    def test_refuses_what_is_no_rule(self, text: str) -> None:
        with pytest.raises(FinalityInvalid):
            finality_of(text, ANVIL.finality)


class TestFinalNumber:
    """What is final is noted once, for all readers, and never taken back (reliability §3.3)."""

    def test_is_a_depth_below_the_tip(self, anvil: Anvil, emitter: str, mirror: Engine) -> None:
        emit(anvil, emitter, *range(9))

        synced = sync_once(mirror, source_of(anvil, emitter, depth=4), project)

        assert synced.tip is not None
        with Session(mirror) as session:
            assert final_number(session) == synced.tip.number - 4
            assert heads_of(session).node_head == synced.tip.number

    def test_is_nothing_before_the_first_block(self, mirror: Engine) -> None:
        with Session(mirror) as session:
            assert final_number(session) == -1

    def test_is_what_the_node_calls_finalized(
        self, anvil: Anvil, emitter: str, mirror: Engine
    ) -> None:
        emit(anvil, emitter, *range(9))
        head = int(anvil.rpc("eth_blockNumber"), 16)

        def finalized(method: str, parameters: list[object], answer: dict[str, object]) -> object:
            if method == "eth_getBlockByNumber" and parameters[0] == "finalized":
                found = anvil.rpc("eth_getBlockByNumber", hex(head - 3), False)
                return {**answer, "result": found}
            return answer

        with fault_proxy(anvil.url) as proxy, Node(proxy.url) as node:
            proxy.spoil = finalized  # type: ignore[assignment]
            source = source_of(anvil, emitter, node=node)
            source.finality = finality_of("finalized", ANVIL.finality)
            sync_once(mirror, source, project)

        with Session(mirror) as session:
            assert final_number(session) == head - 3

    @pytest.mark.parametrize("ahead", [-1, 5])
    def test_is_not_noted_of_another_fork(
        self, anvil: Anvil, emitter: str, mirror: Engine, ahead: int
    ) -> None:
        """The node turned to another fork after it was followed, or another one answers now."""
        emit(anvil, emitter, *range(5))
        head = int(anvil.rpc("eth_blockNumber"), 16)
        other = "0x" + "ee" * 32

        class Turned(Node):
            """Answers of another fork as soon as it is asked what is final."""

            has_turned = False

            def batch(self, calls: Sequence[Call]) -> list[Any]:
                if calls[0][1][:1] == ["finalized"]:
                    self.has_turned = True
                    return [{"number": hex(head + ahead), "hash": other}]
                answers = super().batch(calls)
                return [{**one, "hash": other} for one in answers] if self.has_turned else answers

        with Turned(anvil.url) as node:
            source = source_of(anvil, emitter, node=node)
            source.finality = Finality(None)
            with pytest.raises(NodeContradicts):
                sync_once(mirror, source, project)

        with Session(mirror) as session:
            assert final_number(session) == -1

    def test_does_not_pass_the_last_event_of_a_chain_that_forgets(
        self, anvil: Anvil, emitter: str, mirror: Engine, tmp_path: Path
    ) -> None:
        """A burst leaves up to 27 empty blocks at the end of anvil's chain, which a kill loses."""
        emit(anvil, emitter, *range(20))
        last = int(anvil.rpc("eth_blockNumber"), 16)
        snapshot = anvil.rpc("evm_snapshot")
        anvil.mine(40)
        source = source_of(anvil, emitter)
        source.finality = finality_of("auto", ANVIL.finality)
        sync_once(mirror, source, project)
        with Session(mirror) as session:
            assert final_number(session) == last

        anvil.rpc("evm_revert", snapshot)
        emit(anvil, emitter, 1)
        sync_once(mirror, source, project)

        assert dump(mirror) == fresh(tmp_path, source)

    def test_is_sixteen_blocks_below_while_events_come(
        self, anvil: Anvil, emitter: str, mirror: Engine
    ) -> None:
        emit(anvil, emitter, 1)
        first = int(anvil.rpc("eth_blockNumber"), 16)
        emit(anvil, emitter, *range(17))
        source = source_of(anvil, emitter)
        source.finality = finality_of("auto", ANVIL.finality)

        sync_once(mirror, source, project)

        with Session(mirror) as session:
            assert final_number(session) == first + 1

    def test_never_falls(self, anvil: Anvil, emitter: str, mirror: Engine) -> None:
        emit(anvil, emitter, *range(9))
        sync_once(mirror, source_of(anvil, emitter, depth=2), project)
        with Session(mirror) as session:
            before = final_number(session)

        sync_once(mirror, source_of(anvil, emitter, depth=8), project)

        with Session(mirror) as session:
            assert final_number(session) == before

    def test_does_not_believe_a_head_that_is_not_there(
        self, anvil: Anvil, emitter: str, mirror: Engine
    ) -> None:
        emit(anvil, emitter, *range(3))
        head = int(anvil.rpc("eth_blockNumber"), 16)
        with fault_proxy(anvil.url) as proxy, Node(proxy.url) as node:
            source = source_of(anvil, emitter, node=node, depth=2)
            sync_once(mirror, source, project)
            proxy.spoil = lambda method, _, answer: (
                {**answer, "result": hex(head + 1000)} if method == "eth_blockNumber" else answer
            )

            with pytest.raises(Exception, match="is not there"):
                sync_once(mirror, source, project)

        with Session(mirror) as session:
            assert final_number(session) == head - 2


class TestNoteAlarm:
    def test_stays_until_it_is_ended(self, mirror: Engine) -> None:
        with Session(mirror) as session, session.begin():
            note_alarm(session, "two nodes disagree")
        with Session(mirror) as session:
            assert heads_of(session).alarm == "two nodes disagree"

        with Session(mirror) as session, session.begin():
            note_alarm(session, "")

        with Session(mirror) as session:
            assert heads_of(session).alarm == ""
