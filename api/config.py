"""
Where a ledger lives and how it is reached: read once, from arguments, the environment and a file.

It opens nothing but that file: `api.compose` does. No other module of the packages reads the
environment. What a setting means is said here alone; the commented file (`api.config_file`) and the
table in `docs/configuration.md` are made from it.
"""

from collections.abc import Mapping
from dataclasses import Field, dataclass, fields, replace
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from api.config_file import ConfigFile, read_config_file
from api.config_values import (
    DIGITS_MAX,
    About,
    are_content_peers,
    are_networks,
    are_nodes,
    choice,
    is_database,
    is_finality,
    is_origin,
    number,
    place_only,
    setting,
    without_password,
)
from api.observing.logs import FORMATS, LEVELS
from chain.chain_profiles import CHAIN_PROFILES
from chain.failure import Invalid
from chain.finality import AUTO

PREFIX: Final = "SHULIAN_"
# Not a setting: it says where the file of settings is.
CONFIG_VARIABLE: Final = "SHULIAN_CONFIG"
CONFIG_NAME: Final = "shulian.toml"
DEFAULT_HOME: Final = ".shulian"
PORT_MAX: Final = 65_535
NOT_VERIFIED: Final = "off"
VERIFIED: Final = "receipts"
VERIFY: Final = (NOT_VERIFIED, VERIFIED)

DEFAULT: Final = "default"
ARGUMENT: Final = "argument"


class SettingInvalid(Invalid):
    """A setting has a value that cannot be meant."""

    setting: str
    value: str
    place: str
    expected: str


class SettingUnknown(Invalid):
    """There is no setting of that name."""

    setting: str
    place: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """
    Everything that differs from one running ledger to another.

    shape: what each means is in its `About`; an empty text means the usual
    """

    home: Path = setting(
        Path(DEFAULT_HOME), "The folder of this ledger: keys, databases, documents, exports."
    )
    mirror_url: str = setting(
        "",
        "The mirror's database, as postgresql://shulian@/shulian?host=/run/postgresql; empty for a"
        " SQLite file in the home. A password belongs into mirror_password_file.",
        expected="a URL of sqlite or postgresql",
        check=is_database,
        shows=without_password,
    )
    mirror_password_file: str = setting(
        "", "The file that holds the password of the mirror's database; read at every connection."
    )
    key_password_file: str = setting(
        "",
        "The file that holds the password of the key files; empty for keys/password in the home.",
    )
    content_url: str = setting(
        "",
        "The content store: ipfs:/ip4/127.0.0.1/tcp/5001 for a Kubo node, file:///folder for files;"
        " empty for the folder content in the home.",
    )
    content_peers: str = setting(
        "",
        "Who else has the content, separated by commas: second copies of our own, as"
        " file:///mnt/second/content or ipfs:/ip4/127.0.0.1/tcp/5002, and other exchanges' IPFS"
        " nodes, as /ip4/10.0.0.2/tcp/4001/p2p/12D3Koo….",
        expected="file: or ipfs: URLs, or addresses that end in /p2p/ and a node's id",
        check=are_content_peers,
    )
    content_keep: str = choice(
        "own",
        "What this home keeps: own is what it put; named also fetches whatever the ledger names"
        " from content_peers.",
        ("own", "named"),
    )
    content_remote: int = number(
        0,
        "1 allows a Kubo RPC on another machine; whoever reaches an RPC may delete everything, so"
        " only through a tunnel or a network of your own.",
        most=1,
    )
    rpc_url: str = setting(
        "",
        "The nodes of the chain, separated by commas; the first that is well is asked. Empty for"
        " the embedded chain.",
        expected="http or https URLs, separated by commas",
        check=are_nodes,
        shows=place_only,
    )
    chain: str = choice(
        "",
        "The kind of chain that the nodes must serve; empty takes what they are found to be.",
        ("", *CHAIN_PROFILES),
    )
    host: str = setting(
        "127.0.0.1", "The address to listen on; let a reverse proxy be the one the world reaches."
    )
    port: int = number(8300, "The port to listen on.", most=PORT_MAX)
    origin: str = setting(
        "",
        "How browsers reach the API, as https://ledger.example: they sign it when they sign in."
        " Empty for http, host and port as above.",
        expected="http:// or https:// with a host, without a path",
        check=is_origin,
    )
    relay: int = number(
        1, "1 sends acts that others signed, with a key of its own; 0 only reads.", most=1
    )
    finality: str = setting(
        AUTO,
        "When a block is final: auto, finalized (what the node calls so), or how many blocks must"
        " be above it.",
        expected="auto, finalized or a number of blocks",
        check=is_finality,
    )
    verify: str = choice(
        VERIFIED,
        "Whether the receipts of every block are recomputed; off only for chains whose headers"
        " hash otherwise.",
        VERIFY,
    )
    ws_url: str = setting(
        "",
        "Where the node announces blocks; empty for the same place as the first of rpc_url, off to"
        " poll only.",
        shows=place_only,
    )
    poll_seconds: int = number(
        0,
        "How often the node is asked for new blocks; 0 for what is usual on its chain.",
        unit="seconds",
    )
    stall_seconds: int = number(
        30,
        "A chain whose newest block is older stands still, and health says so; 0 for a chain that"
        " makes blocks only when there is something to put into them.",
        unit="seconds",
    )
    audit_seconds: int = number(
        30, "How often the mirror compares itself with the contracts; 0 for never.", unit="seconds"
    )
    nonce_seconds: int = number(
        300, "How long a browser may take to sign in.", least=1, unit="seconds"
    )
    session_seconds: int = number(12 * 3600, "How long a sign-in lasts.", least=1, unit="seconds")
    streams_max: int = number(256, "How many streams one process tells at once.")
    webhook_http: int = number(
        0, "1 lets webhooks go to http, too; for a network of your own.", most=1
    )
    webhook_networks: str = setting(
        "",
        "Networks that webhooks may also reach, as 10.1.0.0/16, separated by commas; empty for the"
        " world's only.",
        expected="networks as 10.1.0.0/16, separated by commas",
        check=are_networks,
    )
    log_format: str = choice(
        "", "json, text, or empty: text on a terminal and JSON elsewhere.", FORMATS
    )
    log_level: str = choice("INFO", "What is logged: this and what is graver.", LEVELS)

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
    def spool(self) -> Path:
        """Name the folder for content that is verified before it is read; empty otherwise."""
        return self.home / "spool"

    @property
    def operational(self) -> Path:
        """Name the database of what was sent, signed in, and looked at."""
        return self.home / "operational.sqlite"

    @property
    def mirror_lock(self) -> Path:
        """Name the file whose lock the mirror's one writer holds."""
        return self.home / "mirror.lock"


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """A value and where it came from: the default, an argument, a variable, a line of a file."""

    value: Any
    place: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """
    The settings, and where each came from.

    shape: `config` is the file that was read, None if there is none
    """

    settings: Settings
    places: Mapping[str, str]
    config: Path | None


def read_settings(
    environment: Mapping[str, str], *, config: Path | None = None, **arguments: Any
) -> Settings:
    """
    Return the settings: arguments, then `SHULIAN_<NAME>`, then the file, then the defaults.

    shape:   an argument that is None was not given
    ensures: paths are absolute and every URL is filled in, but `rpc_url`
    :raises SettingInvalid: SettingUnknown: if a value cannot be meant, or the file names no setting
    :raises ConfigUnreadable: ConfigMalformed: if there is a file that cannot be read
    """
    return tell_settings(environment, config=config, **arguments).settings


def tell_settings(
    environment: Mapping[str, str], *, config: Path | None = None, **arguments: Any
) -> Told:
    """
    Return the settings with where each came from; the file is named by `config`, else by
    SHULIAN_CONFIG, else it is shulian.toml in the home, which need not be there.
    """
    given = {
        name: Given(value=value, place=ARGUMENT)
        for name, value in arguments.items()
        if value is not None
    }
    said = {**_of_environment(environment), **given}
    named = config or _path_of(environment.get(CONFIG_VARIABLE, ""))
    file = read_config_file(named) if named else _of_home(said)
    known = {**(_of_file(file) if file else {}), **said}
    for one in fields(Settings):
        if one.name in known:
            _check(one, known[one.name])
    settings = Settings(**{name: one.value for name, one in known.items()})
    places = {one.name: DEFAULT for one in fields(Settings)}
    places |= {name: one.place for name, one in known.items()}
    return Told(settings=_filled(settings), places=places, config=file.path if file else None)


def assigned(name: str, text: str) -> Given:
    """
    Return the value that a text gives a setting.

    :raises SettingUnknown: SettingInvalid: if there is none of that name, or it cannot mean that
    """
    known = {one.name: one for one in fields(Settings)}
    if name not in known:
        raise SettingUnknown(setting=name, place=ARGUMENT)
    given = Given(value=_parsed(known[name], text, ARGUMENT), place=ARGUMENT)
    _check(known[name], given)
    return given


def about(one: "Field[Any]") -> About:
    """Return what a setting is for."""
    found: About = one.metadata["about"]
    return found


def shown(settings: Settings, name: str) -> str:
    """Return a setting as people may see it."""
    one = next(each for each in fields(Settings) if each.name == name)
    return about(one).shows(str(getattr(settings, name)))


def is_secret(name: str) -> bool:
    """Return whether a setting's value may hold what only its owner may know."""
    return about(next(one for one in fields(Settings) if one.name == name)).shows is not str


# --- where values come from -----------------------------------------------------------------------


def _of_environment(environment: Mapping[str, str]) -> dict[str, Given]:
    found = {}
    for one in fields(Settings):
        variable = PREFIX + one.name.upper()
        text = environment.get(variable)
        if text:
            found[one.name] = Given(value=_parsed(one, text, variable), place=variable)
    return found


def _of_home(said: Mapping[str, Given]) -> ConfigFile | None:
    home = said["home"].value if "home" in said else Path(DEFAULT_HOME)
    path = Path(home).expanduser() / CONFIG_NAME
    if not path.exists():
        return None
    file = read_config_file(path)
    if "home" in file.values:
        # It was found by the home, so that it cannot say where that is.
        raise SettingUnknown(setting="home", place=file.place("home"))
    return file


def _of_file(file: ConfigFile) -> dict[str, Given]:
    known = {one.name: one for one in fields(Settings)}
    found = {}
    for name, value in file.values.items():
        place = file.place(name)
        if name not in known:
            raise SettingUnknown(setting=name, place=place)
        found[name] = Given(value=_taken(known[name], value, file, place), place=place)
    return found


def _taken(one: "Field[Any]", value: Any, file: ConfigFile, place: str) -> Any:
    wanted = int if one.type in (int, "int") else str
    if type(value) is not wanted:
        raise _refused(one, value, place)
    if isinstance(value, str) and value and (one.name == "home" or one.name.endswith("_file")):
        value = str(file.path.parent / Path(value).expanduser())
    return Path(value) if one.type in (Path, "Path") else value


def _parsed(one: "Field[Any]", text: str, place: str) -> Any:
    if one.type in (Path, "Path"):
        return Path(text)
    if one.type not in (int, "int"):
        return text
    if not text.isascii() or not text.isdigit() or len(text) > DIGITS_MAX:
        raise _refused(one, text, place)
    return int(text)


def _check(one: "Field[Any]", given: Given) -> None:
    if not about(one).is_right(given.value):
        raise _refused(one, given.value, given.place)


def _refused(one: "Field[Any]", value: Any, place: str) -> SettingInvalid:
    told = about(one)
    expected = told.expected or ("a number" if one.type in (int, "int") else "text in quotes")
    return SettingInvalid(
        setting=one.name, value=told.shows(str(value)), place=place, expected=expected
    )


def _path_of(text: str) -> Path | None:
    return Path(text).expanduser().absolute() if text else None


def _filled(settings: Settings) -> Settings:
    home = settings.home.expanduser().absolute()
    return replace(
        settings,
        home=home,
        mirror_url=_with_password_file(
            settings.mirror_url or f"sqlite:///{home}/mirror.sqlite", settings.mirror_password_file
        ),
        content_url=settings.content_url or (home / "content").as_uri(),
        origin=(settings.origin or f"http://{settings.host}:{settings.port}").rstrip("/"),
    )


def _with_password_file(url: str, path: str) -> str:
    # Only the name of the file goes around; `chain.engines` reads it whenever it connects.
    if not path or url.startswith("sqlite"):
        return url
    return f"{url}{'&' if '?' in url else '?'}password_file={quote(path)}"
