"""
The browser that the console's tests drive: one name for it, one list of what it may be called.

`scripts/setup --dev` asks this file whether there is one; it exits 1 if not.
"""

import os
import shutil
import sys
from pathlib import Path

VARIABLE = "SHULIAN_CHROMIUM"
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def find() -> str | None:
    """Return the browser's path: the one that SHULIAN_CHROMIUM names, or the first there is."""
    named = os.environ.get(VARIABLE)
    if named:
        return shutil.which(named)
    installed = (path for one in NAMES if (path := shutil.which(one)))
    return next(installed, None) or fetched()


def fetched() -> str | None:
    """Return the browser that playwright fetched, if it did."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        path = Path(playwright.chromium.executable_path)
    return str(path) if path.exists() else None


if __name__ == "__main__":
    sys.exit(find() is None)
