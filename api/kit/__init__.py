"""
Files for the machine around a ledger: systemd units, a reverse proxy, monitoring.

They are filled in from the settings; nothing is installed or started here.
"""

import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from api.settings import Settings

FOLDER: Final = Path(__file__).parent
KINDS: Final = ("systemd", "nginx", "prometheus")
HOLE: Final = re.compile(r"@([A-Z]+)@")
# Where the page has them (docs/operate.md); units may be edited after they are written.
NODE: Final = "/var/lib/shulian-node"
KUBO: Final = "/var/lib/kubo"
BACKUPS: Final = "/var/backups/shulian"
CONFIG: Final = "/etc/shulian/shulian.toml"


@dataclass(frozen=True, slots=True, kw_only=True)
class KitFile:
    """A file by its place below the folder that it is written to."""

    name: str
    text: str


def kit(settings: Settings, *, config: Path | None) -> Iterator[KitFile]:
    """Return the files that fit an installation, by its settings and where it runs from."""
    values = {
        "HOME": str(settings.home),
        "CONFIG": str(config or CONFIG),
        "PASSWORD": settings.key_password_file or str(settings.keys / "password"),
        "BACKUPS": settings.backup_folder or BACKUPS,
        "PORT": str(settings.port),
        "SERVER": str(urlsplit(settings.origin).hostname),
        "PROGRAM": str(Path(sys.prefix) / "bin" / "shulian"),
        "NODE": NODE,
        "KUBO": KUBO,
    }
    for kind in KINDS:
        for path in sorted((FOLDER / kind).iterdir()):
            yield KitFile(name=f"{kind}/{path.name}", text=_filled(path.read_text("utf-8"), values))


def _filled(text: str, values: Mapping[str, str]) -> str:
    return HOLE.sub(lambda hole: values[hole[1]], text)
