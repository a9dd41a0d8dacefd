"""
Where a ledger lives and how it is reached: read once, from arguments and the environment.

It opens nothing: `api.compose` does. No other module of the packages reads the environment.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, Final

from chain.failure import Invalid

PREFIX: Final = "SHULIAN_"
DEFAULT_HOME: Final = ".shulian"


class SettingInvalid(Invalid):
    """A setting has a value that cannot be meant."""

    setting: str
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """
    Everything that differs from one running ledger to another.

    shape: an empty URL means the one inside `home`; an empty `rpc_url` means the embedded chain;
           `origin` is how browsers reach the API, which is what they sign when they sign in
    units: `finality_depth` in blocks, the others in seconds
    """

    home: Path = Path(DEFAULT_HOME)
    mirror_url: str = ""
    content_url: str = ""
    rpc_url: str = ""
    host: str = "127.0.0.1"
    port: int = 8300
    origin: str = ""
    finality_depth: int = 0
    poll_seconds: int = 1
    nonce_seconds: int = 300
    session_seconds: int = 12 * 3600

    @property
    def deployments(self) -> Path:
        """Name the folder of the files that say which contracts a chain has."""
        return self.home / "deployments"

    @property
    def keys(self) -> Path:
        """Name the folder of the keystores."""
        return self.home / "keys"

    @property
    def exports(self) -> Path:
        """Name the folder of signed checkpoints and of files made for others."""
        return self.home / "exports"

    @property
    def operational(self) -> Path:
        """Name the database of what was sent, signed in, and looked at."""
        return self.home / "operational.sqlite"

    @property
    def mirror_lock(self) -> Path:
        """Name the file whose lock the mirror's one writer holds."""
        return self.home / "mirror.lock"


def read_settings(environment: Mapping[str, str], **arguments: Any) -> Settings:
    """
    Return the settings: arguments first, then `SHULIAN_<NAME>`, then the defaults.

    shape:   an argument that is None was not given
    ensures: paths are absolute and every URL is filled in, but `rpc_url`
    :raises SettingInvalid: for a number that is none or out of range
    """
    given = {name: value for name, value in arguments.items() if value is not None}
    read = {
        field.name: _parse(field.name, field.type, environment[PREFIX + field.name.upper()])
        for field in fields(Settings)
        if environment.get(PREFIX + field.name.upper())
    }
    return _filled(Settings(**{**read, **given}))


def _parse(name: str, kind: Any, text: str) -> Any:
    if kind in (Path, "Path"):
        return Path(text)
    if kind not in (int, "int"):
        return text
    if not text.isascii() or not text.isdigit() or len(text) > 9:
        raise SettingInvalid(setting=name, value=text)
    return int(text)


def _filled(settings: Settings) -> Settings:
    home = settings.home.expanduser().absolute()
    return replace(
        settings,
        home=home,
        mirror_url=settings.mirror_url or f"sqlite:///{home}/mirror.sqlite",
        content_url=settings.content_url or (home / "content").as_uri(),
        origin=(settings.origin or f"http://{settings.host}:{settings.port}").rstrip("/"),
    )
