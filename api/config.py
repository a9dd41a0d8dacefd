"""
Where a ledger lives and how it is reached: read once, from arguments and the environment.

It opens nothing: `api.compose` does. No other module of the packages reads the environment.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, Final

from api.observing.logs import FORMATS, LEVELS
from api.webhooks.calls import networks_of
from chain.failure import Invalid
from chain.finality import AUTO, FinalityInvalid, check_finality

PREFIX: Final = "SHULIAN_"
DEFAULT_HOME: Final = ".shulian"
VERIFY: Final = ("off", "receipts")


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
           `rpc_url` may hold several URLs, separated by commas; `finality` is `auto`, `finalized`
           or a number of blocks; `verify` is `receipts` or `off`; `ws_url` is where the node
           announces blocks: empty for the same place as `rpc_url`, `off` to poll only;
           webhooks go to https and the world's network, unless `webhook_http` is 1 or
           `webhook_networks` names others; `log_format` is `json`, `text`, or empty for text on a
           terminal and JSON elsewhere; the mirror audits itself every `audit_seconds`, 0 for never
    units: seconds
    """

    home: Path = Path(DEFAULT_HOME)
    mirror_url: str = ""
    content_url: str = ""
    rpc_url: str = ""
    host: str = "127.0.0.1"
    port: int = 8300
    origin: str = ""
    finality: str = AUTO
    verify: str = "receipts"
    ws_url: str = ""
    poll_seconds: int = 1
    audit_seconds: int = 30
    nonce_seconds: int = 300
    session_seconds: int = 12 * 3600
    streams_max: int = 256
    webhook_http: int = 0
    webhook_networks: str = ""
    log_format: str = ""
    log_level: str = "INFO"

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
    return _filled(_checked(Settings(**{**read, **given})))


def _checked(settings: Settings) -> Settings:
    if settings.verify not in VERIFY:
        raise SettingInvalid(setting="verify", value=settings.verify)
    if settings.log_format not in FORMATS:
        raise SettingInvalid(setting="log_format", value=settings.log_format)
    if settings.log_level not in LEVELS:
        raise SettingInvalid(setting="log_level", value=settings.log_level)
    try:
        networks_of(settings.webhook_networks)
    except ValueError as error:
        raise SettingInvalid(setting="webhook_networks", value=settings.webhook_networks) from error
    try:
        check_finality(settings.finality)
    except FinalityInvalid as error:
        raise SettingInvalid(setting="finality", value=settings.finality) from error
    return settings


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
