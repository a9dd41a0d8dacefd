"""
Webhooks whose sender is killed at random moments, from a seed: nothing is lost, the order holds,
and what is sent twice has the same id.
"""

import os
import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from api.streaming.positions import START
from api.streaming.wanted import Wanted
from chain import events as e
from tests.api.mirrored import Mirrored, address_of, event, named, open_mirrored
from tests.api.receiving import Receiver, open_receiver
from tests.postgres import environment_of

ROOT = Path(__file__).resolve().parents[2]
SEED = 20_261_121
BLOCKS, KILLS = 60, 3


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Mirrored]:
    settings = {"webhook_http": 1, "webhook_networks": "127.0.0.0/8"}
    with open_mirrored(tmp_path / "home", **settings) as found:
        found.admit("owner")
        for version in range(BLOCKS):
            found.append(event(e.AssetRegistered, asset_id=named("asset"), version=version))
        yield found


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with open_receiver() as found:
        yield found


def start(home: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "tests.faults.delivering", str(home)]
    environment = {**os.environ, **environment_of(home)}
    return subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.DEVNULL)


class TestAKilledDeliverer:
    def test_loses_nothing(self, home: Mirrored, receiver: Receiver) -> None:
        """At least once, in order; a repeat is known by its id."""
        chance = random.Random(SEED)
        home.services.webhooks.add(
            participant_id=named("owner"),  # type: ignore[arg-type]
            account=address_of("owner"),
            url=receiver.url,
            wanted=Wanted(),
            position=START,
            now=home.now,
        )
        expected = [one["log_index"] for one in home.get("/v1/events", limit=200).json()["items"]]
        moments = sorted(chance.sample(range(1, len(expected)), KILLS))

        for moment in (*moments, len(expected)):
            process = start(home.home)
            try:
                receiver.until(moment, distinct=True)
            finally:
                process.send_signal(signal.SIGKILL)
                process.wait()

        told: dict[str, Any] = {}
        for got in receiver.got:
            assert told.setdefault(got.id, got.body) == got.body
        bodies = [orjson.loads(body) for body in told.values()]
        places = [(one["data"]["block_number"], one["data"]["log_index"]) for one in bodies]
        assert places == sorted(places)
        assert len(places) == len(set(places)) == len(expected)
