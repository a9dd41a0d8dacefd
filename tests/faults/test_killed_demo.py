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
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import Session

from api.databases import TABLES  # noqa: F401  a mirror has the tables that are imported
from chain.node import EmbeddedNode
from chain.reads import checksum, count
from chain.store import open_mirror, rebuild
from settlement.projection import ALL_RECORDS, apply
from tests.postgres import environment_of, mirror_of

ROOT = Path(__file__).resolve().parents[2]
KILLS = int(os.environ.get("SHULIAN_KILLS", "4"))
KILLS_PER_HOME = 2
SEED = 20_261_120
# What is killed: the demonstration with its chain, or one of them alone.
VICTIMS = ("both", "both", "demo", "chain")
# So many moments are after the last act: while files are written, and the mirror made again.
MOMENTS_AFTER = 8
SECONDS_AFTER = 0.05
END_SECONDS = 120

# The command itself, and the same with a mirror that follows all the while.
COMMAND = ("-m", "api.cli", "demo", "--once", "--json", "--home")
FOLLOWED = ("-m", "tests.faults.following")


@dataclass
class Demo:
    """A home on which the demonstration is started as often as needed."""

    home: Path
    command: tuple[str, ...] = COMMAND
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def start(self) -> subprocess.Popen[bytes]:
        """Start it; its words go to files beside the home."""
        with self._words("out").open("wb") as out, self._words("err").open("wb") as err:
            process = subprocess.Popen(
                [sys.executable, *self.command, str(self.home)],
                cwd=ROOT,
                env={**os.environ, **environment_of(self.home)},
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                start_new_session=True,
            )
        self.processes.append(process)
        return process

    def finish(self) -> dict[str, Any]:
        """Let it run to its end, and return what it says there is."""
        status = self.start().wait(timeout=END_SECONDS)
        assert status == 0, self._words("err").read_text("utf-8")[-4_000:]
        told: dict[str, Any] = json.loads(self._words("out").read_text("utf-8"))
        return told

    def kill(self, victims: str, *, entries: int, pause_seconds: float) -> bool:
        """Start it and kill it a while after so many acts; say whether it was still running."""
        process = self.start()
        end = time.monotonic() + END_SECONDS
        while len(self.entries()) < entries and process.poll() is None:
            assert time.monotonic() < end, "it came no further"
            time.sleep(0.002)
        time.sleep(pause_seconds)
        is_running = process.poll() is None
        if victims != "demo":
            self._kill_chain()
        if victims != "chain" and is_running:
            os.killpg(process.pid, signal.SIGKILL)
        # Without its chain it ends by itself, and says so.
        process.wait(timeout=END_SECONDS)
        return is_running

    def entries(self) -> list[tuple[str, str, str]]:
        """Return key, function and state of every line of the outbox, whoever writes to it."""
        query = "SELECT key, contract || '.' || function, state FROM outbox_entries"
        path = f"file:{self.home}/operational.sqlite?mode=ro"
        try:
            with closing(sqlite3.connect(path, uri=True)) as file:
                return file.execute(query).fetchall()
        except sqlite3.OperationalError:
            return []

    def left(self) -> dict[str, Any]:
        """Return what is in the home's databases once nobody works on it."""
        entries = self.entries()
        mirror = open_mirror(mirror_of(self.home))
        with Session(mirror) as session:
            records = {one.__name__: count(session, one) for one in ALL_RECORDS}
            followed = checksum(session)
        rebuild(mirror, apply)
        with Session(mirror) as session:
            rebuilt = checksum(session)
        mirror.dispose()
        return {
            "records": records,
            "acts": Counter(function for _, function, _ in entries),
            "states": {state for _, _, state in entries},
            "keys twice": len(entries) - len({key for key, _, _ in entries}),
            "rebuilt alike": followed == rebuilt,
        }

    def end(self) -> None:
        """End whatever is left, which is only there if a test failed."""
        for process in self.processes:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        self._kill_chain()

    def _kill_chain(self) -> None:
        chain = EmbeddedNode(self.home).running()
        if chain is not None:
            os.kill(chain.pid, signal.SIGKILL)

    def _words(self, stream: str) -> Path:
        return self.home.with_name(stream)


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[Demo]:
    found = Demo(tmp_path / "home")
    yield found
    found.end()


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """A run that nothing disturbed."""
    found = Demo(tmp_path_factory.mktemp("unbroken") / "home")
    told = found.finish()
    assert told["audit"] == "equal"
    yield found
    found.end()


@pytest.fixture(scope="module")
def whole(unbroken: Demo) -> dict[str, Any]:
    """What such a run leaves."""
    return unbroken.left()


class TestAnUnbrokenRun:
    def test_is_whole(self, whole: dict[str, Any]) -> None:
        assert whole["states"] == {"MINED"}
        assert whole["keys twice"] == 0
        assert whole["rebuilt alike"]
        assert whole["records"]["Settlement"] == 2

    def test_done_again_adds_nothing(self, unbroken: Demo, whole: dict[str, Any]) -> None:
        before = unbroken.entries()

        told = unbroken.finish()

        assert told["audit"] == "equal"
        assert unbroken.entries() == before
        assert unbroken.left() == whole


class TestAKilledRun:
    @pytest.mark.parametrize("home", range(-(-KILLS // KILLS_PER_HOME)))
    def test_goes_on_where_it_stopped(self, demo: Demo, whole: dict[str, Any], home: int) -> None:
        chance = random.Random(SEED + home)
        demo.command = FOLLOWED if home % 2 else COMMAND
        kills = min(KILLS_PER_HOME, KILLS - home * KILLS_PER_HOME)
        acts = sum(whole["acts"].values())
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
        told = demo.finish()

        assert any(killed)
        assert told["audit"] == "equal"
        assert told["certificates_verified"] == whole["records"]["Certificate"]
        assert demo.left() == whole
