"""
What was sent and got lost on the way to a block is sent again, and nothing else is.
"""

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import chain.resending
from chain.entries import Entry, State
from chain.failure import LedgerError
from chain.resending import AGAIN_SECONDS, Resending
from tests.chain.journal import Desk


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


def submit(desk: Desk, line: int) -> Entry:
    """Hand one line over without waiting for its block."""
    return desk.sender.submit([desk.order(line)])[0]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    desk = Desk.open(tmp_path)
    yield desk
    desk.close()


@pytest.fixture
def clock() -> Clock:
    return Clock()


class TestResending:
    """Reliability §3.2, §3.7; the fire under a consortium shows it on geth."""

    def test_leaves_what_is_in_a_block_alone(self, desk: Desk, clock: Clock) -> None:
        desk.write(1)
        before = desk.outbox.unsettled(-1)
        assert Resending(desk.sender, clock=clock).look() == 0
        assert desk.outbox.unsettled(-1) == before

    def test_sends_again_what_a_pool_lost(self, desk: Desk, clock: Clock) -> None:
        desk.connection.set_automine(False)
        sent = submit(desk, 1)
        resending = Resending(desk.sender, clock=clock)
        desk.connection.request("anvil_dropTransaction", sent.transaction_hash)
        assert resending.look() == 0  # it may be on its way
        clock.now += AGAIN_SECONDS
        assert resending.look() == 1
        assert resending.look() == 0
        desk.connection.mine()
        assert resending.look() == 0
        (now,) = desk.outbox.reread([sent])
        assert (now.state, now.transaction_hash) == (State.MINED, sent.transaction_hash)

    def test_sends_at_once_what_a_fork_took_out_of_its_block(
        self, desk: Desk, clock: Clock
    ) -> None:
        before = desk.connection.request("evm_snapshot")
        desk.write(1)
        (mined,) = [one for one in desk.outbox.unsettled(-1) if one.key.startswith("line/1")]
        desk.connection.request("evm_revert", before)
        desk.connection.request("evm_mine")
        assert Resending(desk.sender, clock=clock).look() == 1
        assert Resending(desk.sender, clock=clock).look() == 0
        (now,) = desk.outbox.reread([mined])
        assert now.state is State.MINED
        assert now.block_hash != mined.block_hash
        receipt = desk.connection.receipt(mined.transaction_hash)
        assert receipt is not None
        assert receipt.block_hash == now.block_hash

    def test_closes_a_gap_that_an_act_left_which_no_node_took(
        self, desk: Desk, clock: Clock
    ) -> None:
        desk.connection.set_automine(False)
        first, second = submit(desk, 1), submit(desk, 2)
        desk.connection.request("anvil_dropTransaction", first.transaction_hash)
        desk.connection.mine()
        assert desk.connection.receipt(second.transaction_hash) is None
        resending = Resending(desk.sender, clock=clock)
        resending.look()
        clock.now += AGAIN_SECONDS
        resending.look()
        desk.connection.mine()
        resending.look()
        states = [one.state for one in desk.outbox.reread([first, second])]
        assert states == [State.MINED, State.MINED]

    def test_notes_what_a_fork_did_after_it_had_failed_and_was_tried_again(
        self, desk: Desk, clock: Clock
    ) -> None:
        late = desk.connection.now() + 100
        desk.connection.set_automine(False)
        before = desk.connection.request("evm_snapshot")
        (first,) = desk.sender.submit([desk.order(1, deadline=late)])
        desk.connection.mine_at(late + 1)
        with pytest.raises(LedgerError):
            desk.sender.settle([first])
        desk.connection.set_automine(True)
        second = desk.write(1)

        desk.connection.request("evm_revert", before)
        resending = Resending(desk.sender, clock=clock)
        for _ in range(3):
            resending.look()

        now = desk.outbox.reread([first, second])
        assert [one.state for one in now] == [State.MINED, State.FAILED]
        assert desk.lines() == 1

    def test_goes_on_after_a_refusal(self, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
        """A node that is busy for a moment refuses even to name its newest block."""
        looked = threading.Semaphore(0)
        answers = iter([{"error": {"code": -32002, "message": "request timed out"}}])
        ways = desk.connection._ways

        def answer(ask: Any) -> Any:
            looked.release()
            return next(answers, None) or real(ask)

        real = ways.ask
        monkeypatch.setattr(ways, "ask", answer)
        monkeypatch.setattr(chain.resending, "PASS_SECONDS", 0.01)
        desk.connection.profile = replace(desk.connection.profile, is_instant=False)
        resending = Resending(desk.sender)

        resending.start()
        times = [looked.acquire(timeout=10) for _ in range(3)]
        resending.stop()

        assert times == [True, True, True]
