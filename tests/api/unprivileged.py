"""
Commands as a user to whom the modes of files mean something, also where the tests are root's.
"""

import os
import shutil
import subprocess

import pytest

from tests.api.shell import ROOT, Told, command

UNPRIVILEGED = ("setpriv", "--bounding-set=-all", "--inh-caps=-all")


def unprivileged(*arguments: object) -> Told:
    """Run a command as a user to whom the modes of files mean something."""
    by = UNPRIVILEGED if os.geteuid() == 0 else ()
    if by and shutil.which(by[0]) is None:
        pytest.skip("setpriv is not here, and nothing is closed to root")
    done = subprocess.run(
        [*by, *command(*arguments)],
        cwd=ROOT, capture_output=True, text=True, timeout=180, check=False,
    )  # fmt: skip
    return Told(done.returncode, done.stdout, done.stderr)
