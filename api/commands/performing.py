"""
`shulian demo`: the whole life of products made from packages, then proof of it all.

It composes and shows; the life is `api.demo.life`'s. All packages are read before anything is
recorded, every act has a key, so a demonstration that was killed goes on and a second adds nothing.
"""

import logging
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, TextIO

import typer

from api.commands.failing import REFUSED, add
from api.commands.homes import (
    ChainOption,
    HomeOption,
    JsonOption,
    RpcOption,
    joined,
    settings_for,
    taken,
)
from api.commands.serving import LOG_NAME, HostOption, PortOption, open_whole, serve
from api.commands.showing import clean, console, print_json, print_pairs, say
from api.commands.signals import stoppable
from chain.failure import Conflict

if TYPE_CHECKING:
    from rich.progress import Progress as Bars
    from rich.progress import TaskID

    from api.config import Settings
    from api.demo.home import DemoHome
    from api.deps import Services
    from api.packages.packages import DataPackage
    from api.worker import Worker

TENTHS: Final = 1

LOG: Final = logging.getLogger(__name__)


class CertificatesNotVerified(Conflict):
    """A certificate file that was just exported does not verify."""

    files: tuple[str, ...]


def register(app: typer.Typer) -> None:
    """Add the command."""
    example = "shulian demo --package ./my-data-package --once --json"
    add(app, demo, name="demo", example=example)


def demo(
    package: Annotated[
        list[Path] | None,
        typer.Option(
            help="A data package: its folder or datapackage.json; repeatable.", show_default=False
        ),
    ] = None,
    home: HomeOption = None,
    once: Annotated[
        bool, typer.Option("--once", help="End with a summary instead of serving the console.")
    ] = False,
    rpc: RpcOption = None,
    chain: ChainOption = None,
    host: HostOption = None,
    port: PortOption = None,
    as_json: JsonOption = False,
) -> None:
    """Play the whole life of data products, verify every certificate, audit, then serve."""
    started = time.monotonic()
    packages = _read(package)
    settings = settings_for(home, host=host, rpc_url=joined(rpc), chain=chain)
    with (
        stoppable(),
        taken(settings.home, command="demo"),
        _log(settings) as log,
        open_whole(settings) as (opened, services, worker),
    ):
        told = perform(opened, services, worker, settings, packages)
        told["seconds"] = round(time.monotonic() - started, TENTHS)
        _print(told, as_json=as_json)
        if told["audit"] != "equal":
            raise typer.Exit(REFUSED)
        if not once:
            serve(services, worker, settings, port, log=log)


@contextmanager
def _log(settings: "Settings") -> Iterator[TextIO | None]:
    """Keep the log out of what people read here, unless they asked for a form of it."""
    if settings.log_format:
        yield None
        return
    with (settings.home / LOG_NAME).open("w", encoding="utf-8") as file:
        yield file


def perform(
    opened: "DemoHome",
    services: "Services",
    worker: "Worker",
    settings: "Settings",
    packages: "Sequence[DataPackage]",
) -> dict[str, Any]:
    """
    Live, mirror, export, verify and audit; return the summary.

    :raises CertificatesNotVerified: if a file that was exported is not VALID to a peer
    """
    from sqlmodel import Session

    from api.auditing.audit import audit
    from api.commands.counting import counts_of
    from api.demo.life import live
    from api.exports import export, verify_exports

    with _progress() as progress:
        live(opened.stage(progress), packages)
        progress.begin("mirror, export, verify, audit", 4)
        tip = worker.sync_until(opened.ledger.sender.connection.latest().number)
        progress.step("mirrored")
        with Session(services.mirror) as session:
            exported = export(
                session,
                services.content,
                venue=opened.venue(),
                cosigners=opened.cosigners(),
                folder=settings.exports,
            )
            counts = counts_of(session)
        progress.step("exported")
        # As the peer exchange would: from the files and the trust list, nothing else.
        verdicts = verify_exports(settings.exports, now=max(int(time.time()), tip.timestamp))
        # A file that could not be written now is of an earlier checkpoint, if it is there at all.
        verdicts = {name: one for name, one in verdicts.items() if name not in exported.missing}
        for name in exported.missing:
            LOG.warning("certificate not written, its document is missing file=%s", name)
        failed = tuple(name for name, one in verdicts.items() if one.verdict.value != "VALID")
        if failed:
            raise CertificatesNotVerified(files=failed)
        progress.step("verified")
        audited = audit(services.mirror, services.node)
        progress.step("audited")
    return {
        "chain_id": opened.ledger.chain_id,
        "as_of": {"block_number": tip.number, "block_hash": tip.hash},
        "counts": counts,
        "certificates_verified": len(verdicts),
        "audit": "equal" if audited.equal else "different",
        "exports": str(settings.exports),
    }


def _read(paths: Sequence[Path] | None) -> "list[DataPackage]":
    """Read all packages before anything is recorded; without any, the one that is shipped."""
    from api.packages.packages import read_package
    from api.samples import PORT_THROUGHPUT

    return [read_package(path) for path in paths or [PORT_THROUGHPUT]]


def _print(told: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(told)
        return
    from api.commands.counting import rows_of

    print_pairs(
        [
            ("chain", str(told["chain_id"])),
            ("block", str(told["as_of"]["block_number"])),
            *rows_of(told["counts"]),
            ("certificates verified", str(told["certificates_verified"])),
            ("mirror and chain", told["audit"]),
            ("certificate files", told["exports"]),
            ("seconds", str(told["seconds"])),
        ]
    )


# --- progress -------------------------------------------------------------------------------------


@contextmanager
def _progress() -> Iterator["Shown"]:
    """Show progress on stderr: moving bars for people, a line per part elsewhere."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    out = console(stderr=True)
    if not out.is_terminal:
        yield Shown(None)
        return
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=out) as bars:
        yield Shown(bars)


class Shown:
    """How far the demonstration has come, for whoever watches."""

    def __init__(self, bars: "Bars | None") -> None:
        self._bars = bars
        self._task: TaskID | None = None

    def begin(self, title: str, steps: int) -> None:
        """Begin a part of so many steps."""
        self._finish()
        if self._bars is None:
            say(title)
            return
        self._task = self._bars.add_task(clean(title), total=steps)

    def step(self, done: str) -> None:  # noqa: ARG002
        """Note that a step is done."""
        if self._bars is not None and self._task is not None:
            self._bars.advance(self._task)

    def _finish(self) -> None:
        if self._bars is not None and self._task is not None:
            total = next(one.total for one in self._bars.tasks if one.id == self._task)
            self._bars.update(self._task, completed=total)
