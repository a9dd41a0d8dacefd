"""
The demonstration as a process of its own, to be killed: the whole life with the mirror following it
step by step, then files, audit and a rebuild. It prints what there is in the end.

It is not the command line, which does the same for people.
"""

import json
import sys
from collections import Counter
from pathlib import Path
from typing import Any

from sqlmodel import Session

from api.audit import audit
from api.compose import open_services, worker_of
from api.config import read_settings
from api.demo.home import DemoHome, open_demo
from api.demo.life import live
from api.deps import Services
from api.exports import Venue, export, verify_exports
from api.packages import read_package
from api.samples import PORT_THROUGHPUT
from api.worker import Worker
from chain.entries import State
from chain.reads import checksum, count
from chain.store import rebuild
from settlement.projection import ALL_RECORDS, apply


class Following:
    """Progress that lets the mirror catch up after every step, as a worker beside would."""

    def __init__(self, worker: Worker) -> None:
        self._worker = worker

    def begin(self, title: str, steps: int) -> None:
        """Show nothing."""

    def step(self, done: str) -> None:  # noqa: ARG002
        """Catch up."""
        self._worker.sync_once()


def perform(home: Path) -> dict[str, Any]:
    """Bring the shipped sample through its whole life, and return what there is then."""
    package = read_package(PORT_THROUGHPUT)
    with open_demo(home) as demo:
        settings = read_settings({}, home=home)
        opened = open_services(
            settings,
            chain_id=demo.deployment.chain_id,
            rpc_url=demo.rpc_url,
            ledger=demo.ledger,
        )
        with opened as services, worker_of(services, settings) as worker:
            live(demo.stage(Following(worker)), [package])
            worker.sync_once()
            return {
                **_counted(services),
                "outbox": _outbox(demo),
                "certificates": _exported(demo, services, settings.exports),
                "checksums": _checksums(services),
                "differences": audit(services.mirror, services.node).difference_count,
            }


def _counted(services: Services) -> dict[str, Any]:
    with Session(services.mirror) as session:
        return {"records": {one.__name__: count(session, one) for one in ALL_RECORDS}}


def _outbox(demo: DemoHome) -> dict[str, Any]:
    entries = demo.ledger.sender.outbox.unsettled(-1)
    receipts = demo.ledger.sender.connection.receipts(
        [one.transaction_hash for one in entries if one.transaction_hash is not None]
    )
    return {
        "functions": dict(Counter(f"{one.contract}.{one.function}" for one in entries)),
        "keys": sorted(one.key for one in entries),
        "unmined": [one.key for one in entries if one.state is not State.MINED],
        "failed": [one.transaction_hash for one in receipts if one and not one.succeeded],
        "missing": sum(one is None for one in receipts),
    }


def _exported(demo: DemoHome, services: Services, folder: Path) -> dict[str, str]:
    stage = demo.ledger.deployment
    issuers = [one.participant_id for one in demo.cosigners()]
    with Session(services.mirror) as session:
        venue = Venue(
            chain_id=stage.chain_id,
            certificates=stage.address_of("Certificates"),
            issuers=(*issuers, _registrar()),
            max_age_seconds=7 * 86_400,
        )
        export(session, services.content, venue=venue, cosigners=demo.cosigners(), folder=folder)
    found = verify_exports(folder, now=demo.ledger.now())
    return {name: one.verdict.value for name, one in found.items()}


def _registrar() -> Any:
    from api.demo.cast import BY_SLUG
    from chain.values import participant_id

    return participant_id(BY_SLUG["registrar"].uscc)


def _checksums(services: Services) -> list[str]:
    with Session(services.mirror) as session:
        followed = checksum(session)
    rebuild(services.mirror, apply)
    with Session(services.mirror) as session:
        return [followed, checksum(session)]


if __name__ == "__main__":
    sys.stdout.write(json.dumps(perform(Path(sys.argv[1]))) + "\n")
