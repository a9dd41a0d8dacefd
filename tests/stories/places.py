"""
Where the data packages of the stories are: the shipped sample, and real ones beside the checkout.
"""

import os
from pathlib import Path

import pytest

from api.packages.packages import DataPackage, read_package
from api.samples import PORT_THROUGHPUT

REAL_PACKAGES = Path(__file__).parents[2].parent / "shared" / "data" / "datapackages"
REAL = ("gdp", "s-and-p-500-companies-financials")


def folders() -> tuple[Path, ...]:
    """Return the sample and the real packages that are here."""
    real = (REAL_PACKAGES / name for name in REAL)
    return (PORT_THROUGHPUT, *(folder for folder in real if folder.is_dir()))


def real_folder(name: str) -> Path:
    """Return a real package's folder; in CI it must be there."""
    folder = REAL_PACKAGES / name
    if not folder.is_dir():
        assert not os.environ.get("CI"), f"the data package {name} is missing"
        pytest.skip(f"the data package {name} is not here")
    return folder


def packages() -> tuple[DataPackage, ...]:
    """Return the packages that are here."""
    return tuple(read_package(folder) for folder in folders())
