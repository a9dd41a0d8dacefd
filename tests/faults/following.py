"""
The demonstration with a mirror that follows it step by step, as a server beside it would; then the
command's own proof. A process of its own, to be killed.

It is not the command, whose mirror catches up once at the end.
"""

import os
import sys
from pathlib import Path

from api.commands.performing import perform
from api.commands.showing import print_json
from api.compose import open_services, worker_of
from api.config import read_settings
from api.demo.home import open_demo
from api.demo.life import live
from api.packages.packages import read_package
from api.samples import PORT_THROUGHPUT
from api.worker import Worker


class Following:
    """Progress that lets the mirror catch up after every step."""

    def __init__(self, worker: Worker) -> None:
        self._worker = worker

    def begin(self, title: str, steps: int) -> None:
        """Show nothing."""

    def step(self, done: str) -> None:  # noqa: ARG002
        """Catch up."""
        self._worker.sync_once()


def follow(home: Path) -> None:
    """Bring the shipped sample through its whole life, followed, and print the summary."""
    packages = [read_package(PORT_THROUGHPUT)]
    settings = read_settings(os.environ, home=home)
    with (
        open_demo(settings.home) as demo,
        open_services(
            settings, chain_id=demo.ledger.chain_id, rpc_url=demo.rpc_url, ledger=demo.ledger
        ) as services,
        worker_of(services, settings) as worker,
    ):
        live(demo.stage(Following(worker)), packages)
        print_json(perform(demo, services, worker, settings, packages))


if __name__ == "__main__":
    follow(Path(sys.argv[1]))
