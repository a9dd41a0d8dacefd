"""
Where the engines are that `scripts/engines` builds: geth, the node of a consortium, and Kubo, IPFS.

Each is one small Go module of its own below `scripts/modules`, whose `go.sum` states the hash of
everything that is compiled; the binary lies in a cache outside the checkout, under a key made of
those files. Nothing is built or started here.
"""

import hashlib
import os
import platform
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from chain.failure import NotFound

ROOT: Final = Path(__file__).resolve().parent.parent
MODULES: Final = ROOT / "scripts" / "modules"
KEY_DIGITS: Final = 16
CACHE_VARIABLE: Final = "XDG_CACHE_HOME"


@dataclass(frozen=True, slots=True, kw_only=True)
class Engine:
    """
    A program in Go that we pin, build and start.

    shape: `variable` names the environment variable in which a path replaces what we built;
           `minutes` is about how long a first build takes on two cores
    """

    name: str
    binary: str
    package: str
    version: str
    variable: str
    minutes: int
    link_flags: str = ""

    @property
    def module(self) -> Path:
        """Name the folder of its `go.mod` and `go.sum`."""
        return MODULES / self.name


GETH: Final = Engine(
    name="geth",
    binary="geth",
    package="github.com/ethereum/go-ethereum/cmd/geth",
    version="1.13.15",
    variable="SHULIAN_GETH",
    minutes=2,
    # A dependency reaches into Go's runtime by name, which Go has forbidden since 1.23.
    link_flags="-checklinkname=0",
)
KUBO: Final = Engine(
    name="kubo",
    binary="ipfs",
    package="github.com/ipfs/kubo/cmd/ipfs",
    version="0.39.0",
    variable="SHULIAN_KUBO_BINARY",
    minutes=4,
)
ENGINES: Final[Mapping[str, Engine]] = {one.name: one for one in (GETH, KUBO)}


class EngineMissing(NotFound):
    """There is no binary of this engine: build it with `./scripts/engines`, or name its path."""

    engine: str
    variable: str


class EngineNotExecutable(NotFound):
    """The path that was named for an engine is no program."""

    engine: str
    path: str


def find_geth(environment: Mapping[str, str] = os.environ) -> Path:
    """
    Return geth: the one named by SHULIAN_GETH, the one we built, or the one on PATH.

    :raises EngineMissing: EngineNotExecutable: if there is none
    """
    return find(GETH, environment)


def find_kubo(environment: Mapping[str, str] = os.environ) -> Path:
    """
    Return Kubo: the one named by SHULIAN_KUBO_BINARY, the one we built, or `ipfs` on PATH.

    :raises EngineMissing: EngineNotExecutable: if there is none
    """
    return find(KUBO, environment)


def find(engine: Engine, environment: Mapping[str, str]) -> Path:
    """
    Return the binary of an engine.

    :raises EngineMissing: EngineNotExecutable: if there is none
    """
    named = environment.get(engine.variable)
    if named:
        if not _is_program(Path(named)):
            raise EngineNotExecutable(engine=engine.name, path=named)
        return Path(named)
    on_path = shutil.which(engine.binary, path=environment.get("PATH"))
    built = [built_path(engine, environment)] if engine.module.is_dir() else []
    for path in (*built, Path(on_path or "")):
        if _is_program(path):
            return path
    raise EngineMissing(engine=engine.name, variable=engine.variable)


def built_path(engine: Engine, environment: Mapping[str, str] = os.environ) -> Path:
    """Name the place of the binary that is built from the module as it is in this checkout."""
    return cache_folder(environment) / f"{engine.name}-{key_of(engine)}" / engine.binary


def cache_folder(environment: Mapping[str, str] = os.environ) -> Path:
    """Name the folder of all built engines, shared by every checkout of this person."""
    home = environment.get(CACHE_VARIABLE) or Path.home() / ".cache"
    return Path(home) / "shulian" / "engines"


def key_of(engine: Engine) -> str:
    """
    Return what tells one build of an engine from another.

    shape: the beginning of a SHA-256 over module, checksums, flags and the kind of machine
    """
    machine = f"{platform.system()}/{platform.machine()}/{engine.link_flags}"
    parts = [(engine.module / name).read_bytes() for name in ("go.mod", "go.sum")]
    return hashlib.sha256(b"\0".join([*parts, machine.encode()])).hexdigest()[:KEY_DIGITS]


def _is_program(path: Path) -> bool:
    return path.is_file() and os.access(path, os.X_OK)
