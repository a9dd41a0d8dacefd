"""
`shulian up` and `down`: one process with chain, mirror, API and console.

It knows no act and no page: it starts what others made, in order, and stops it in order, whatever
ends it.
"""

import contextlib
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Final, TextIO

import typer

from api.commands.failing import ToldElsewhere, add, told_in
from api.commands.homes import (
    CONFIG,
    ChainOption,
    HomeOption,
    JsonOption,
    RpcOption,
    Serving,
    alone,
    config_arguments,
    forget,
    joined,
    note,
    require_free,
    require_home,
    serving,
    settings_for,
    stop,
    taken,
    wipe,
)
from api.commands.showing import print_json, say
from api.commands.signals import stoppable
from chain.failure import Conflict, LedgerError

if TYPE_CHECKING:
    from api.config import Settings
    from api.demo.home import DemoHome
    from api.deps import Services
    from api.worker import Worker

LOG_NAME: Final = "serving.log"
START_SECONDS: Final = 180
SAID_LINES: Final = 3

PortOption = Annotated[
    int | None,
    typer.Option(min=0, max=65_535, help="By default 8300, or a free one if that is taken."),
]
WorkersOption = Annotated[
    int,
    typer.Option(
        min=0,
        max=64,
        help="So many processes answer questions beside the one that writes; by default that one"
        " answers too.",
    ),
]
HostOption = Annotated[
    str | None, typer.Option(help="The address to listen on; by default only this machine.")
]


class PortTaken(Conflict):
    """Another process listens on this port."""

    port: int


class ServingFailed(LedgerError):
    """The ledger did not start."""

    log: str
    said: str


def register(app: typer.Typer) -> None:
    """Add the commands."""
    add(app, up, name="up", example="shulian up --detach")
    add(app, down, name="down", example="shulian down --wipe")


# --- up -------------------------------------------------------------------------------------------


def up(
    home: HomeOption = None,
    port: PortOption = None,
    host: HostOption = None,
    rpc: RpcOption = None,
    chain: ChainOption = None,
    workers: WorkersOption = 0,
    read_only: Annotated[
        bool,
        typer.Option("--read-only", help="Answer questions only: open no key and send nothing."),
    ] = False,
    detach: Annotated[
        bool, typer.Option("--detach", help="Return once it serves, and leave it running.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Start chain, mirror, API and console of a home, and serve until stopped."""
    settings = settings_for(
        home, host=host, rpc_url=joined(rpc), chain=chain, relay=0 if read_only else None
    )
    if detach:
        found = _detached(settings, port, workers, is_reading=read_only, as_json=as_json)
        _tell(found, as_json=as_json, stop="`shulian down`")
        return
    with (
        stoppable(),
        taken(settings.home, command="up"),
        open_served(settings) as (services, worker),
    ):
        worker.sync_once()
        serve(services, worker, settings, port, workers=workers, as_json=as_json)


@contextmanager
def open_served(settings: "Settings") -> "Iterator[tuple[Services, Worker]]":
    """Open a taken home: on the chain that `rpc_url` names, or else on the embedded one."""
    if not settings.rpc_url:
        with open_whole(settings) as (_, services, worker):
            yield services if settings.relay else replace(services, ledger=None), worker
        return
    from api.attaching import attach
    from api.compose import open_services, worker_of

    with (
        attach(settings) as reached,
        open_services(
            settings, chain_id=reached.chain_id, rpc_url=reached.rpc_url, ledger=reached.ledger
        ) as services,
        worker_of(services, settings) as worker,
    ):
        yield services, worker


@contextmanager
def open_whole(settings: "Settings") -> "Iterator[tuple[DemoHome, Services, Worker]]":
    """Open a taken home with its chain, what answers requests, and the mirror's one writer."""
    from api.compose import open_services, worker_of
    from api.content.stores import own_store
    from api.demo.home import open_demo

    with (
        open_demo(
            settings.home,
            content=own_store(settings),
            rpc_url=settings.rpc_url,
            chain=settings.chain,
            key_password_file=settings.key_password_file,
        ) as opened,
        open_services(
            settings,
            chain_id=opened.ledger.chain_id,
            rpc_url=opened.rpc_url,
            ledger=opened.ledger,
        ) as services,
        worker_of(services, settings) as worker,
    ):
        yield opened, services, worker


def serve(
    services: "Services",
    worker: "Worker",
    settings: "Settings",
    port: int | None,
    *,
    workers: int = 0,
    log: TextIO | None = None,
    as_json: bool = False,
) -> None:
    """
    Serve API and console until a signal stops it, while the mirror follows the chain.

    shape: `log` is where its log goes, by default stderr
    """
    from api.answering.server import Server, accompanied
    from api.app import create_app
    from api.console.pages import console
    from api.observing.logs import set_up

    set_up(form=settings.log_format, level=settings.log_level, stream=log)
    with _listening(settings, port) as listener, accompanied(services, worker):
        # How browsers reach it is part of what they sign, so the port must be known first.
        reached = settings_for(
            settings.home, host=settings.host, port=listener.getsockname()[1]
        ).origin
        app = create_app(replace(services, origin=reached), extensions=(console,))
        worker.start()
        # The server hands the signal that stopped it on to us; one may come before it listens.
        with (
            contextlib.suppress(KeyboardInterrupt),
            _own_listener(listener, services, settings, reached, workers) as own,
        ):
            told = note(settings.home, command="up", url=reached, rpc_url=settings.rpc_url)
            _tell(told, as_json=as_json)
            Server(app, services.streams).run(sockets=[own])
        say("stopping")


@contextmanager
def _own_listener(
    listener: socket.socket, services: "Services", settings: "Settings", origin: str, workers: int
) -> Iterator[socket.socket]:
    """Give this process the socket, or others, who reach it on one that is its own."""
    if not workers:
        yield listener
        return
    from api.answering.processes import answering
    from api.answering.reader import Task

    with socket.create_server(("127.0.0.1", 0)) as own:
        task = Task(
            home=str(settings.home),
            config=str(CONFIG.get() or ""),
            chain_id=services.chain_id,
            rpc_url=services.rpc_url,
            origin=origin,
            verify=services.verify,
            listener=listener.fileno(),
            writer=f"http://127.0.0.1:{own.getsockname()[1]}",
        )
        with answering(task, count=workers):
            yield own


@contextmanager
def _listening(settings: "Settings", port: int | None) -> Iterator[socket.socket]:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    wanted = settings.port if port is None else port
    try:
        listener = socket.create_server((settings.host, wanted), family=family)
    except OSError as error:
        if port is not None:
            raise PortTaken(port=port) from error
        listener = socket.create_server((settings.host, 0), family=family)
    with listener:
        yield listener


def _tell(found: Serving, *, as_json: bool, stop: str = "Ctrl-C or `shulian down`") -> None:
    if as_json:
        print_json({"url": found.url, "pid": found.pid})
        return
    say(f"Console and API: {found.url}/   (stop with {stop})")


def _detached(
    settings: "Settings",
    port: int | None,
    workers: int = 0,
    *,
    is_reading: bool = False,
    as_json: bool = False,
) -> Serving:
    """
    Start a process of its own that serves, and return it once it does.

    :raises ToldElsewhere: if it refused
    :raises ServingFailed: if it ends otherwise before, or takes too long
    """
    home = settings.home
    require_free(home)
    was_there = home.exists()
    with alone(home):
        pass
    command = [sys.executable, "-m", "api.cli", *config_arguments(), "up"]
    command += ["--home", str(home), "--host", settings.host]
    command += [] if port is None else ["--port", str(port)]
    command += ["--workers", str(workers)] if workers else []
    command += ["--read-only"] if is_reading else []
    command += ["--json"] if as_json else []
    log = home / LOG_NAME
    # A node's address may hold a password, which everybody could read among the arguments.
    told = {"SHULIAN_RPC_URL": settings.rpc_url, "SHULIAN_CHAIN": settings.chain}
    with log.open("wb") as file:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=file,
            start_new_session=True,
            env={**os.environ, **told},
        )
    end = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < end:
        found = serving(home)
        if found is not None and found.pid == process.pid and found.url:
            return found
        time.sleep(0.05)
    if process.poll() is None:
        process.terminate()
        process.wait()
    said = log.read_text("utf-8", "replace")
    refusal = told_in(said, as_json=as_json)
    if refusal is not None:
        if not was_there:
            forget(home)
        raise ToldElsewhere(refusal, code=process.returncode)
    raise ServingFailed(log=str(log), said=" ".join(said.strip().splitlines()[-SAID_LINES:]))


# --- down -----------------------------------------------------------------------------------------


def down(
    home: HomeOption = None,
    wiping: Annotated[
        bool, typer.Option("--wipe", help="Also remove the home, with keys and records.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Stop what runs for a home, and nothing else; with --wipe remove the home."""
    from chain.node import EmbeddedNode

    folder = settings_for(home).home
    require_home(folder)
    found = serving(folder)
    if found is not None:
        stop(found)
    with alone(folder):
        node = EmbeddedNode(folder)
        is_chain_left = node.running() is not None
        node.stop()
    if wiping:
        wipe(folder)
    told = {"home": str(folder), "stopped": found is not None or is_chain_left, "wiped": wiping}
    if as_json:
        print_json(told)
        return
    say("stopped" if told["stopped"] else "nothing was running")
    if wiping:
        say(f"removed {folder}")
