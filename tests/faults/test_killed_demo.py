"""
The demonstration killed at random moments, its chain with it or not, and started again: what there
is in the end is what an unbroken run leaves.

The moments are counted in acts, from a seed, so that every part of the life is hit on any machine.
`SHULIAN_KILLS` asks for more of them.
"""

import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from chain.node import EmbeddedNode

ROOT = Path(__file__).resolve().parents[2]
KILLS = int(os.environ.get("SHULIAN_KILLS", "4"))
KILLS_PER_HOME = 4
SEED = 20_261_120
# What is killed: the demonstration with its chain, or one of them alone.
VICTIMS = ("both", "both", "demo", "chain")
# So many moments are after the last act: while files are written, and the mirror made again.
MOMENTS_AFTER = 8
SECONDS_AFTER = 0.05
END_SECONDS = 120


@dataclass
class Demo:
    """A home on which the demonstration is started as often as needed."""

    home: Path
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def start(self) -> subprocess.Popen[bytes]:
        """Start it; its words go to files beside the home."""
        number = len(self.processes)
        with (
            self.home.with_name(f"out.{number}").open("wb") as out,
            self.home.with_name(f"err.{number}").open("wb") as err,
        ):
            process = subprocess.Popen(
                [sys.executable, "-m", "tests.faults.performing", str(self.home)],
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                start_new_session=True,
            )
        self.processes.append(process)
        return process

    def finish(self) -> dict[str, Any]:
        """Let it run to its end, and return what it says there is."""
        process = self.start()
        status = process.wait(timeout=END_SECONDS)
        assert status == 0, self.said()
        number = len(self.processes) - 1
        found: dict[str, Any] = json.loads(self.home.with_name(f"out.{number}").read_text("utf-8"))
        return found

    def said(self) -> str:
        """Return the last words of the last run."""
        number = len(self.processes) - 1
        return self.home.with_name(f"err.{number}").read_text("utf-8")[-4_000:]

    def entries(self) -> int:
        """Return how many acts were ever prepared, read past the one that writes them."""
        try:
            with sqlite3.connect(f"file:{self.home}/operational.sqlite?mode=ro", uri=True) as file:
                row = file.execute("SELECT count(*) FROM outbox_entries").fetchone()
        except sqlite3.OperationalError:
            return 0
        finally:
            if "file" in locals():
                file.close()
        return int(row[0])

    def kill(self, victims: str, *, entries: int, pause_seconds: float) -> bool:
        """Start it and kill it a while after so many acts; say whether it was still running."""
        process = self.start()
        end = time.monotonic() + END_SECONDS
        while self.entries() < entries and process.poll() is None:
            assert time.monotonic() < end, "it came no further"
            time.sleep(0.002)
        time.sleep(pause_seconds)
        is_running = process.poll() is None
        if victims != "demo":
            self._kill_chain()
        if victims != "chain":
            os.killpg(process.pid, signal.SIGKILL)
        # Without its chain it must end by itself, and say so.
        status = process.wait(timeout=END_SECONDS)
        assert status != 0 or not is_running or victims == "chain"
        return is_running

    def _kill_chain(self) -> None:
        chain = EmbeddedNode(self.home).running()
        if chain is not None:
            os.kill(chain.pid, signal.SIGKILL)

    def end(self) -> None:
        """End whatever is left, which is only there if a test failed."""
        for process in self.processes:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        self._kill_chain()


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[Demo]:
    found = Demo(tmp_path / "home")
    yield found
    found.end()


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    found = Demo(tmp_path_factory.mktemp("unbroken") / "home")
    yield found
    found.end()


@pytest.fixture(scope="module")
def whole(unbroken: Demo) -> dict[str, Any]:
    """What a run leaves that nothing disturbed."""
    return unbroken.finish()


def require_whole(found: dict[str, Any], whole: dict[str, Any]) -> None:
    """Check that a home holds what every other home holds, and that its mirror is right."""
    assert found["records"] == whole["records"]
    assert found["outbox"]["functions"] == whole["outbox"]["functions"]
    assert len(found["outbox"]["keys"]) == len(set(found["outbox"]["keys"]))
    assert found["outbox"]["unmined"] == []
    assert found["outbox"]["failed"] == []
    assert found["outbox"]["missing"] == 0
    assert found["checksums"][0] == found["checksums"][1]
    assert found["differences"] == 0
    assert found["certificates"].keys() == whole["certificates"].keys()
    assert set(found["certificates"].values()) == {"VALID"}


class TestAnUnbrokenRun:
    def test_is_whole(self, whole: dict[str, Any]) -> None:
        require_whole(whole, whole)

    def test_done_again_in_another_process_adds_nothing(
        self, unbroken: Demo, whole: dict[str, Any]
    ) -> None:
        assert unbroken.finish() == whole


class TestAKilledRun:
    @pytest.mark.parametrize("home", range(-(-KILLS // KILLS_PER_HOME)))
    def test_goes_on_where_it_stopped(self, demo: Demo, whole: dict[str, Any], home: int) -> None:
        chance = random.Random(SEED + home)
        kills = min(KILLS_PER_HOME, KILLS - home * KILLS_PER_HOME)
        acts = len(whole["outbox"]["keys"])
        moments = sorted(chance.sample(range(1, acts + MOMENTS_AFTER), kills))

        killed = [
            demo.kill(
                chance.choice(VICTIMS),
                entries=min(moment, acts),
                pause_seconds=chance.uniform(0, SECONDS_AFTER)
                + SECONDS_AFTER * max(0, moment - acts),
            )
            for moment in moments
        ]

        assert any(killed)
        require_whole(demo.finish(), whole)
