"""
The replay of what a chain lost: every act in its block, at its time, whatever was killed when.
"""

import random
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from chain.connection import Connection
from chain.entries import State
from chain.failure import LedgerError
from chain.replay import ReplayIncomplete, replay
from chain.rpc import NodeUnavailable
from chain.sender import Sender
from tests.chain.journal import Desk


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    desk = Desk.open(tmp_path)
    yield desk
    desk.close()


class TestReplay:
    """Joint 16, joint 14, reliability §3.7."""

    def test_sends_nothing_when_nothing_is_lost(self, desk: Desk) -> None:
        desk.write(1)

        done = replay(desk.sender)

        assert (done.resent, done.moved) == (0, ())

    def test_puts_back_a_clock_that_was_moved(self, desk: Desk) -> None:
        moved = desk.sender.clock(desk.connection.now() + 864_000)
        desk.kill()
        for path in (desk.home / "chain").glob("state*"):
            path.unlink()

        desk.reopen()

        assert moved <= desk.connection.now() <= moved + 60
        assert desk.connection.latest().timestamp == moved

    def test_does_late_what_was_signed_in_time(self, desk: Desk) -> None:
        """An authorization that ended meanwhile must not turn a done act into a failed one."""
        desk.write(1, deadline=desk.connection.now() + 30)
        desk.sender.clock(desk.connection.now() + 3_600)
        desk.write(2)
        digest = desk.digest()
        desk.kill()
        for path in (desk.home / "chain").glob("state*"):
            path.unlink()

        desk.reopen()

        assert desk.digest() == digest

    def test_keeps_failures_failed(self, desk: Desk) -> None:
        self.fail_once(desk)
        head = desk.head_hash()
        desk.kill()
        for path in (desk.home / "chain").glob("state*"):
            path.unlink()

        desk.reopen()

        assert desk.head_hash() == head
        assert desk.replayed.moved == ()

    def fail_once(self, desk: Desk) -> None:
        late = desk.connection.now() + 100
        desk.connection.set_automine(False)
        submitted = desk.sender.submit([desk.order(1, deadline=late)])
        desk.connection.mine_at(late + 1)
        desk.connection.set_automine(True)
        with pytest.raises(LedgerError):
            desk.sender.settle(submitted)
        desk.write(2)

    def test_says_what_cannot_be_put_back(self, desk: Desk) -> None:
        desk.write(1)
        desk.kill()
        for path in (desk.home / "chain").glob("state*"):
            path.unlink()
        url = desk.node.start().url
        with Connection.to(url) as fresh:
            # Somebody else used the account on the chain while it was empty.
            fresh.request("anvil_setNonce", desk.writer.address, hex(9))

            with pytest.raises(ReplayIncomplete, match="line/1"):
                replay(Sender(fresh, desk.outbox))

    @pytest.mark.parametrize("seed", range(6))
    def test_gives_the_same_head_after_a_kill_at_any_moment(self, desk: Desk, seed: int) -> None:
        """Kills while a thread writes; three times over, with the clock moved in between."""
        dice = random.Random(seed)
        written = 0
        for _ in range(3):
            written += self.write_until_killed(desk, written, after=dice.uniform(0.05, 0.9))
            if dice.random() < 0.4:
                (desk.home / "chain/state.json").write_bytes(b'{"cut')
            desk.reopen()
            desk.sender.clock(desk.connection.now() + dice.randrange(1, 90_000))

        head, lines, digest = desk.head_hash(), desk.lines(), desk.digest()
        settled = [one for one in desk.outbox.unsettled(-1) if one.state is State.MINED]
        desk.kill()
        for path in (desk.home / "chain").glob("state*"):
            path.unlink()
        desk.reopen()

        assert lines == written
        assert (desk.head_hash(), desk.lines(), desk.digest()) == (head, lines, digest)
        assert settled == desk.outbox.unsettled(-1)

    def write_until_killed(self, desk: Desk, start: int, *, after: float) -> int:
        written = []

        def work() -> None:
            with suppress(NodeUnavailable):
                for line in range(start + 1, start + 500):
                    written.append(line)
                    desk.write(line)

        thread = threading.Thread(target=work)
        thread.start()
        time.sleep(after)
        desk.kill()
        thread.join()
        return sum(desk.outbox.find(f"line/{line}") is not None for line in written)
