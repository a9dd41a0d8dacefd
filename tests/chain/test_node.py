"""
The embedded chain: started, found, taken over, killed, and woken from whatever files are left.
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from chain.connection import Connection
from chain.node import AnvilMissing, EmbeddedNode, NodeDidNotStart, NodeNotRunning, find_anvil
from chain.process import AlreadyHeld, is_running, start_mark
from chain.snapshots import Snapshots, is_whole
from tests.anvil import BINARY
from tests.chain.journal import Desk

ROOT = Path(__file__).resolve().parents[2]

STARTER = """
import os, sys
from pathlib import Path
from chain.node import EmbeddedNode
print(EmbeddedNode(Path(sys.argv[1])).start().pid, flush=True)
os._exit(0)
"""


@pytest.fixture
def node(tmp_path: Path) -> Iterator[EmbeddedNode]:
    node = EmbeddedNode(tmp_path)
    yield node
    node.stop()


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    desk = Desk.open(tmp_path)
    yield desk
    desk.close()


@pytest.fixture
def innocent() -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(["sleep", "600"]) as process:
        yield process
        process.kill()


class TestStart:
    def test_serves_the_homes_own_chain(self, node: EmbeddedNode) -> None:
        running = node.start()

        with Connection.to(running.url) as connection:
            assert connection.chain_id == node.identity().chain_id < 2**31
            assert connection.latest().timestamp == node.identity().genesis_at
            info = connection.request("anvil_nodeInfo")
        assert info["hardFork"] == "London"
        assert running.url.startswith("http://127.0.0.1:")

    def test_gives_each_home_another_chain(self, tmp_path: Path) -> None:
        homes = [EmbeddedNode(tmp_path / name).identity().chain_id for name in ("east", "west")]

        assert homes[0] != homes[1]

    def test_refuses_a_home_that_is_running(self, node: EmbeddedNode, tmp_path: Path) -> None:
        node.start()

        with pytest.raises(AlreadyHeld):
            EmbeddedNode(tmp_path).start()

    def test_needs_no_money_to_send(self, desk: Desk) -> None:
        balance = desk.connection.request("eth_getBalance", desk.writer.address, "latest")

        entry = desk.write(1)

        assert int(balance, 16) == 0
        assert entry.block_number is not None

    def test_takes_over_from_a_starter_that_is_gone(
        self, node: EmbeddedNode, tmp_path: Path
    ) -> None:
        started = subprocess.run(
            [sys.executable, "-c", STARTER, str(tmp_path)],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        )

        assert node.start().pid == int(started.stdout)

    def test_trusts_no_pid_of_another_process(
        self, node: EmbeddedNode, tmp_path: Path, innocent: subprocess.Popen[bytes]
    ) -> None:
        noted = {"pid": innocent.pid, "mark": "of a process long gone", "port": 1}
        (tmp_path / "chain").mkdir()
        (tmp_path / "chain/node.json").write_text(json.dumps(noted))

        started = node.start()
        node.stop()

        assert started.pid != innocent.pid
        assert innocent.poll() is None

    def test_says_what_the_binary_said(self, tmp_path: Path) -> None:
        node = EmbeddedNode(tmp_path, binary=Path("/bin/false"))

        with pytest.raises(NodeDidNotStart):
            node.start()

        # The home is free again.
        with EmbeddedNode(tmp_path) as other:
            assert other.running() is not None


class TestWaking:
    def test_takes_no_state_whose_accounts_are_ahead_of_its_blocks(self, desk: Desk) -> None:
        """anvil writes blocks first and accounts last, and an act may come in between."""
        path = desk.home / "chain/state.json"
        desk.write(1)
        desk.node.stop()
        early = json.loads(path.read_text("utf-8"))
        desk.reopen()
        desk.write(2)
        head, digest = desk.head_hash(), desk.digest()
        desk.node.stop()
        late = json.loads(path.read_text("utf-8"))
        path.write_text(json.dumps({**early, "accounts": late["accounts"]}), "utf-8")

        desk.reopen()

        assert (desk.head_hash(), desk.digest()) == (head, digest)
        assert (desk.home / "chain/state.bad.json").is_file()


class TestStop:
    def test_keeps_everything(self, desk: Desk) -> None:
        desk.write(1)
        head = desk.head_hash()

        desk.reopen()

        assert desk.head_hash() == head
        assert desk.replayed.resent == 0

    def test_ends_the_process(self, node: EmbeddedNode) -> None:
        running = node.start()

        node.stop()

        assert not is_running(running.pid, running.mark)
        assert node.running() is None

    def test_kills_nothing_that_was_not_noted(
        self, node: EmbeddedNode, tmp_path: Path, request: pytest.FixtureRequest
    ) -> None:
        running = node.start()
        # Begun after the node, or both could have begun in the same tick of the machine's clock.
        innocent: subprocess.Popen[bytes] = request.getfixturevalue("innocent")
        path = tmp_path / "chain/node.json"
        noted = json.loads(path.read_text())
        path.write_text(json.dumps({**noted, "pid": innocent.pid}))

        EmbeddedNode(tmp_path).stop()
        alive = innocent.poll() is None
        os.kill(running.pid, signal.SIGTERM)

        assert alive


class TestUrl:
    def test_finds_the_chain_from_another_process(self, node: EmbeddedNode, tmp_path: Path) -> None:
        running = node.start()

        assert EmbeddedNode(tmp_path).url() == running.url

    def test_is_refused_when_nothing_runs(self, node: EmbeddedNode) -> None:
        with pytest.raises(NodeNotRunning):
            node.url()


class TestWake:
    """Joint 16: whatever a kill leaves, the chain comes back with the same head."""

    def test_comes_back_after_a_kill(self, desk: Desk) -> None:
        for line in range(1, 6):
            desk.write(line)
        head = desk.head_hash()

        desk.kill()
        desk.reopen()

        assert desk.head_hash() == head

    @pytest.mark.parametrize("left", [b"", b"{", b'{"block":{}}', b"\x00\xff"])
    def test_comes_back_from_the_good_copy(self, desk: Desk, left: bytes) -> None:
        for line in range(1, 4):
            desk.write(line)
        desk.reopen()
        desk.write(4)
        head, digest = desk.head_hash(), desk.digest()
        desk.kill()
        (desk.home / "chain/state.json").write_bytes(left)

        desk.reopen()

        assert desk.replayed.resent == 1
        assert (desk.head_hash(), desk.digest()) == (head, digest)

    def test_comes_back_from_nothing(self, desk: Desk) -> None:
        desk.sender.clock(desk.connection.now() + 864_000)
        for line in range(1, 4):
            desk.write(line)
        head, digest = desk.head_hash(), desk.digest()
        desk.kill()
        for path in (desk.home / "chain").glob("state*"):
            path.unlink()

        desk.reopen()

        assert desk.replayed.ancestor == -1
        assert (desk.head_hash(), desk.digest()) == (head, digest)

    def test_comes_back_when_every_file_is_cut_off(self, desk: Desk) -> None:
        desk.write(1)
        head = desk.head_hash()
        for _ in range(2):
            desk.reopen()
        desk.kill()
        for path in (desk.home / "chain").glob("state*"):
            path.write_bytes(path.read_bytes()[:-9])
        desk.reopen()

        assert desk.head_hash() == head

    def test_never_mines_before_the_last_block(self, desk: Desk) -> None:
        desk.sender.clock(desk.connection.now() + 864_000)
        last = desk.connection.latest().timestamp
        time.sleep(1.2)  # anvil has written its state by then
        desk.kill()
        node = EmbeddedNode(desk.home)
        desk.node.stop()

        url = node.start().url

        with Connection.to(url) as connection:
            connection.request("evm_mine")
            assert connection.latest().timestamp >= last
        node.stop()


class TestSnapshots:
    def state(self, number: int) -> bytes:
        return json.dumps(
            {
                "accounts": {},
                "best_block_number": number,
                "block": {},
                "blocks": [],
                "transactions": [],
            }
        ).encode()

    def test_offers_the_newest_first_and_an_empty_chain_last(self, tmp_path: Path) -> None:
        files = Snapshots(tmp_path)
        files.current.write_bytes(self.state(3))
        files.good.write_bytes(self.state(2))
        files.older.write_bytes(self.state(1))

        offered = [
            (one, files.size_bytes() and files.current.read_bytes()) for one in files.choices()
        ]

        assert offered == [
            (files.current, self.state(3)),
            (files.good, self.state(2)),
            (files.older, self.state(1)),
            (None, 0),
        ]

    def test_keeps_the_last_two_that_it_woke_from(self, tmp_path: Path) -> None:
        files = Snapshots(tmp_path)
        for number in (1, 2, 3):
            files.current.write_bytes(self.state(number))
            files.keep(next(files.choices()))

        assert files.good.read_bytes() == self.state(3)
        assert files.older.read_bytes() == self.state(2)

    def test_sets_aside_what_it_cannot_read(self, tmp_path: Path) -> None:
        files = Snapshots(tmp_path)
        files.current.write_bytes(b'{"block"')

        assert list(files.choices()) == [None]
        assert files.bad.read_bytes() == b'{"block"'

    @pytest.mark.parametrize("text", ["", "[]", "{}", "null", '{"block":1'])
    def test_tells_a_whole_file_from_another(self, tmp_path: Path, text: str) -> None:
        path = tmp_path / "state.json"
        path.write_text(text)

        assert not is_whole(path)


class TestFindAnvil:
    def test_takes_the_checkouts_native_binary(self) -> None:
        assert find_anvil({}) == BINARY

    def test_takes_the_one_that_is_named(self, tmp_path: Path) -> None:
        path = tmp_path / "my-anvil"
        path.symlink_to(BINARY)

        assert find_anvil({"SHULIAN_ANVIL": str(path)}) == path

    def test_refuses_the_shim(self, tmp_path: Path) -> None:
        shim = tmp_path / "anvil"
        shim.write_text("#!/usr/bin/env node\n")
        shim.chmod(0o755)

        with pytest.raises(AnvilMissing):
            find_anvil({"SHULIAN_ANVIL": str(shim)})


class TestStartMark:
    def test_stays_the_same_while_a_process_runs(self) -> None:
        assert start_mark(os.getpid()) == start_mark(os.getpid()) is not None

    def test_is_none_for_one_that_ended_but_was_not_waited_for(self) -> None:
        process = subprocess.Popen([sys.executable, "-c", ""])
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)

        assert start_mark(process.pid) is None
        process.wait()

    def test_is_none_for_a_number_that_none_has(self) -> None:
        process = subprocess.Popen([sys.executable, "-c", ""])
        process.wait()

        assert start_mark(process.pid) is None
