"""
Where a ledger lives and how it is reached: read once, from arguments, the environment and a file.

It opens nothing but that file: `api.compose` does. No other module of the packages reads the
environment. What each setting means is in `api.settings`.
"""

import os
from collections.abc import Mapping
from dataclasses import Field, dataclass, fields, replace
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from api.config_file import ConfigFile, read_config_file
from api.config_values import DIGITS_MAX, About
from api.settings import DEFAULT_HOME, NOT_VERIFIED, VERIFIED, Settings
from chain.failure import Invalid

__all__ = [
    "NOT_VERIFIED",
    "PATHS",
    "VERIFIED",
    "Given",
    "SettingInvalid",
    "SettingUnknown",
    "Settings",
    "Told",
    "is_secret",
    "read_settings",
    "tell_settings",
]

PREFIX: Final = "SHULIAN_"
# Not a setting: it says where the file of settings is.
CONFIG_VARIABLE: Final = "SHULIAN_CONFIG"
CONFIG_NAME: Final = "shulian.toml"
# Settings whose values are paths, by the ends of their names.
PATHS: Final = ("_file", "_folder")

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
    # In a folder that is closed to us nothing is known to be there; whoever opens it will say so.
    if not os.path.lexists(path):
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
    if isinstance(value, str) and value and (one.name == "home" or one.name.endswith(PATHS)):
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


def plain_origin(settings: Settings) -> str:
    """Return where it is reached with nothing before it: what `origin` is unless it is set."""
    return f"http://{settings.host}:{settings.port}"


def _filled(settings: Settings) -> Settings:
    home = settings.home.expanduser().absolute()
    return replace(
        settings,
        home=home,
        mirror_url=_with_password_file(
            settings.mirror_url or f"sqlite:///{home}/mirror.sqlite", settings.mirror_password_file
        ),
        content_url=settings.content_url or (home / "content").as_uri(),
        origin=(settings.origin or plain_origin(settings)).rstrip("/"),
    )


def _with_password_file(url: str, path: str) -> str:
    # Only the name of the file goes around; `chain.engines` reads it whenever it connects.
    if not path or url.startswith("sqlite"):
        return url
    return f"{url}{'&' if '?' in url else '?'}password_file={quote(path)}"
