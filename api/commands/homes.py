"""
The home that a command works on: found, taken for oneself, read, and removed.

    <home>/serving.lock    held by whoever works on the home: one process at a time
    <home>/serving.json    who that is, and where it serves once it does

It starts nothing: `api.commands.serving` and `api.commands.performing` do.
"""

import json
import os
import shutil
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from chain.durable import fresh_file, make_folder, publish
from chain.failure import Conflict, LedgerError, NotFound
from chain.process import AlreadyHeld, held, is_running, start_mark

if TYPE_CHECKING:
    from api.config import Settings, Told

# The file of settings that `shulian --config` names.
CONFIG: Final[ContextVar[Path | None]] = ContextVar("CONFIG", default=None)

HomeOption = Annotated[
    Path | None,
    typer.Option(
        "--home",
        help="The folder of the ledger; by default SHULIAN_HOME or .shulian.",
        # What is closed to us is told as all else is.
        readable=False,
    ),
]
RpcOption = Annotated[
    list[str] | None,
    typer.Option(
        "--rpc",
        metavar="URL",
        help="A node of the chain; several, repeated or separated by commas, stand in for each"
        " other. By default the embedded chain.",
    ),
]
ChainOption = Annotated[
    str | None,
    typer.Option(
        "--chain",
        metavar="KIND",
        help="The kind of chain that the nodes must serve: anvil, hardhat, geth, besu or"
        " fisco-bcos. By default what they are found to be.",
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]
AsOfBlockOption = Annotated[
    int | None,
    typer.Option("--as-of-block", min=0, help="As of this block; by default the newest."),
]
AsOfTimeOption = Annotated[
    str | None,
    typer.Option("--as-of-time", help="As of the last block at or before this time (RFC 3339)."),
]

# All that a home ever holds; whatever else lies in a folder is somebody else's.
OURS: Final = frozenset({"chain", "content", "deployments", "exports", "keys"})
OUR_FILES: Final = (
    "operational.sqlite",
    "mirror.sqlite",
    "mirror.lock",
    "serving.",
    "shulian.toml",
)
SIGNS: Final = ("chain/chain.json", "operational.sqlite", "mirror.sqlite", "keys/password")
# What a command leaves in a folder that it only tried to work in.
TRACES: Final = ("serving.lock", "serving.log")
STOP_SECONDS: Final = 60
HOME_MODE: Final = 0o700


class HomeNotFound(NotFound):
    """There is no ledger in this folder."""

    home: str


class HomeInUse(Conflict):
    """Another process works on this home."""

    home: str
    pid: str


class HomeHoldsOthers(Conflict):
    """The folder holds files that are no ledger's; nothing was touched."""

    home: str
    names: tuple[str, ...]


class ChainUnclear(Conflict):
    """A home must have contracts on one chain, so that it is clear what is signed for."""

    home: str
    chains: int


class ProcessDidNotStop(LedgerError):
    """The process did not stop in time."""

    pid: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Serving:
    """The process that works on a home; `url` is empty until it serves, `rpc_url` if embedded."""

    pid: int
    mark: str
    command: str
    url: str = ""
    rpc_url: str = ""


def settings_for(home: Path | None, **arguments: Any) -> "Settings":
    """Return the settings: arguments, the environment, the file of settings, the defaults."""
    return told_settings(home, **arguments).settings


def told_settings(home: Path | None, **arguments: Any) -> "Told":
    """Return the settings, with where each came from."""
    from api.config import tell_settings

    return tell_settings(os.environ, config=CONFIG.get(), home=home, **arguments)


def joined(urls: list[str] | None) -> str | None:
    """Return the nodes that were named as the setting has them; None if none was."""
    return ",".join(urls) if urls else None


def config_arguments() -> list[str]:
    """Return what tells another process of ours which file of settings was named."""
    named = CONFIG.get()
    return [] if named is None else ["--config", str(named)]


def require_home(home: Path) -> None:
    """
    Check that a folder is the home of a ledger.

    :raises HomeNotFound: if it is not there, or is something else
    """
    if not is_home(home):
        raise HomeNotFound(home=str(home))


def is_home(home: Path) -> bool:
    """Return whether a folder looks like a ledger's."""
    has_keys = any((home / "keys").glob("*.json"))
    return home.is_dir() and (has_keys or any((home / sign).is_file() for sign in SIGNS))


def chain_id_of(home: Path) -> int:
    """
    Return the id of the one chain that a home has contracts on, without asking a node.

    :raises ChainUnclear: if there is none, or more than one
    """
    found = chain_ids_of(home)
    if len(found) != 1:
        raise ChainUnclear(home=str(home), chains=len(found))
    return found[0]


def chain_ids_of(home: Path) -> tuple[int, ...]:
    """Return the ids of the chains that a home has contracts on."""
    names = (one.stem for one in (home / "deployments").glob("*.json"))
    return tuple(sorted(int(one) for one in names if one.isdigit()))


def strangers(home: Path) -> tuple[str, ...]:
    """Return the names in a folder that no ledger made."""
    return tuple(
        sorted(
            path.name
            for path in home.iterdir()
            if path.is_symlink()
            or not (path.name in OURS or path.name.startswith((*OUR_FILES, ".fresh-")))
        )
    )


def require_free(home: Path) -> None:
    """
    Check that a folder is a ledger's, empty, or not there.

    :raises HomeHoldsOthers: if it is in use for something else
    """
    if home.exists() and not is_home(home) and strangers(home):
        raise HomeHoldsOthers(home=str(home), names=strangers(home))


@contextmanager
def taken(home: Path, *, command: str) -> Iterator[None]:
    """
    Keep a home for this process, and say who it is.

    ensures: as `undone` does
    :raises HomeInUse: if another process has it
    :raises HomeHoldsOthers: if the folder is in use for something else
    """
    require_free(home)
    with undone(home), alone(home):
        note(home, command=command)
        try:
            yield
        finally:
            (home / "serving.json").unlink(missing_ok=True)


@contextmanager
def undone(home: Path) -> Iterator[None]:
    """Leave no folder where none was, if what follows fails before anything was kept in it."""
    was_there = home.exists()
    try:
        yield
    except BaseException:
        if not was_there:
            forget(home)
        raise


def forget(home: Path) -> None:
    """Remove a folder in which nothing was kept yet; another stays as it is."""
    if not home.is_dir() or any(one.name not in TRACES for one in home.iterdir()):
        return
    with suppress(HomeInUse, OSError), alone(home):
        for name in TRACES:
            (home / name).unlink(missing_ok=True)
        home.rmdir()


def make_home(home: Path) -> None:
    """Make the folder of a ledger unless it is there, closed to everybody else."""
    make_folder(home, mode=HOME_MODE)


@contextmanager
def alone(home: Path) -> Iterator[None]:
    """
    Keep every other process off a home, which is made if it is not there.

    :raises HomeInUse: if another process has it
    """
    make_home(home)
    try:
        with held(home / "serving.lock"):
            yield
    except AlreadyHeld as error:
        found = serving(home)
        pid = "unknown" if found is None else str(found.pid)
        raise HomeInUse(home=str(home), pid=pid) from error


def note(home: Path, *, command: str, url: str = "", rpc_url: str = "") -> Serving:
    """Write down that this process works on the home, and where it serves."""
    mark = start_mark(os.getpid()) or ""
    told = Serving(pid=os.getpid(), mark=mark, command=command, url=url, rpc_url=rpc_url)
    with fresh_file(home) as file:
        file.write(json.dumps(asdict(told), indent=2).encode("utf-8") + b"\n")
        publish(file, home / "serving.json")
    return told


def serving(home: Path) -> Serving | None:
    """Return the process that works on a home, if it lives and is the one that was noted."""
    try:
        found = Serving(**json.loads((home / "serving.json").read_text("utf-8")))
    except (OSError, ValueError, TypeError):
        return None
    return found if is_running(found.pid, found.mark) else None


def stop(found: Serving) -> None:
    """
    Ask a process to stop, and wait until it has.

    :raises ProcessDidNotStop: if it is still there after a minute
    """
    end = time.monotonic() + STOP_SECONDS
    os.kill(found.pid, signal.SIGTERM)
    while is_running(found.pid, found.mark):
        if time.monotonic() > end:
            raise ProcessDidNotStop(pid=found.pid)
        time.sleep(0.02)


def wipe(home: Path) -> None:
    """
    Remove a home that nobody works on.

    :raises HomeNotFound: if it is no ledger's
    :raises HomeHoldsOthers: if something else lies in it
    :raises HomeInUse: if a process works on it
    """
    require_home(home)
    if home.is_symlink() or strangers(home):
        raise HomeHoldsOthers(home=str(home), names=strangers(home) or (home.name,))
    with alone(home):
        shutil.rmtree(home)
