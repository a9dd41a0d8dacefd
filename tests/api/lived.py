"""
A home with a real chain on which one data package lived its whole life, and services around it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from starlette.testclient import TestClient

import api.samples
from api.app import create_app
from api.compose import open_services, worker_of
from api.config import Settings, read_settings
from api.demo.home import DemoHome, open_demo
from api.demo.life import live
from api.demo.stage import Stage
from api.deps import Services
from api.packages.packages import read_package
from api.worker import Worker
from tests.postgres import mirror_of

SAMPLE = Path(api.samples.__file__).parent / "port-throughput"


class Silent:
    """Nobody watches the life."""

    def begin(self, name: str, steps: int) -> None:
        """Begin."""

    def step(self, name: str) -> None:
        """Go on."""


@dataclass(frozen=True)
class Lived:
    """The chain, what plays on it, the mirror with its worker, and a client of the API."""

    demo: DemoHome
    stage: Stage
    settings: Settings
    services: Services
    worker: Worker
    client: TestClient


@contextmanager
def open_lived(home: Path) -> Iterator[Lived]:
    """Start a chain, live a life on it, and mirror it."""
    settings = read_settings({}, home=home, mirror_url=mirror_of(home))
    with open_demo(home) as demo:
        stage = demo.stage(Silent())
        live(stage, [read_package(SAMPLE)])
        ledger = demo.ledger
        opened = open_services(
            settings, chain_id=ledger.chain_id, rpc_url=demo.rpc_url, ledger=ledger
        )
        with opened as services, worker_of(services, settings) as worker:
            worker.sync_once()
            client = TestClient(create_app(services), base_url=services.origin)
            yield Lived(demo, stage, settings, services, worker, client)
