"""
On what a run was measured: processor, memory, load from elsewhere, versions of what matters.
"""

import os
import platform
import sqlite3
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final

from chain.node import AnvilMissing, find_anvil

PACKAGES: Final = (
    "coincurve", "eth-account", "fastapi", "orjson", "psycopg", "rustworkx", "sqlalchemy",
    "sqlmodel", "starlette", "uvicorn", "web3",
)  # fmt: skip


def machine() -> dict[str, Any]:
    """Return the machine and the versions."""
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30),
        "load_average": [round(one, 2) for one in os.getloadavg()],
        "system": platform.system(),
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        "anvil": _anvil(),
        "packages": {name: _version(name) for name in PACKAGES},
    }


def _processor() -> str:
    path = Path("/proc/cpuinfo")
    if path.is_file():
        for line in path.read_text("utf-8").splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def _anvil() -> str:
    try:
        said = subprocess.run(
            [str(find_anvil()), "--version"], capture_output=True, text=True, check=True
        )
    except (AnvilMissing, OSError, subprocess.CalledProcessError):
        return ""
    return said.stdout.splitlines()[0].removeprefix("anvil Version: ")


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""
