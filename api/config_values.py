"""
What a setting is about: its meaning, whether a value can be meant, how much of it may be shown.

Which settings there are is `api.config`'s.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlsplit

from api.webhooks.calls import networks_of
from chain.finality import FinalityInvalid, check_finality

DATABASES: Final = ("sqlite", "postgresql", "postgres", "postgresql+psycopg")
NODES: Final = ("http", "https")
HIDDEN: Final = "***"
DIGITS_MAX: Final = 9


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """
    What a setting is for, and which values it may have.

    shape: `shows` hides what is secret in a value, for people and for files
    """

    said: str
    expected: str
    is_right: Callable[[Any], bool]
    shows: Callable[[str], str]


def setting(
    default: Any,
    said: str,
    *,
    expected: str = "",
    check: Callable[[Any], bool] = lambda _: True,
    shows: Callable[[str], str] = str,
) -> Any:
    """Return a field of settings with what it is about."""
    about = About(said=said, expected=expected, is_right=check, shows=shows)
    return field(default=default, metadata={"about": about})


def number(
    default: int, said: str, *, most: int = 10**DIGITS_MAX - 1, least: int = 0, unit: str = ""
) -> Any:
    """Return a field for a number."""
    expected = f"a number from {least} to {most}{unit and f' ({unit})'}"
    return setting(default, said, expected=expected, check=lambda one: least <= one <= most)


def choice(default: str, said: str, names: tuple[str, ...]) -> Any:
    """Return a field for one of several names."""
    expected = f"one of {', '.join(one or '(empty)' for one in names)}"
    return setting(default, said, expected=expected, check=lambda one: one in names)


def without_password(url: str) -> str:
    """Return a list of URLs without what only their owner may know."""
    return ",".join(_without_password(one) for one in url.split(","))


def _without_password(url: str) -> str:
    scheme, mark, rest = url.partition("://")
    before, slash, after = rest.partition("/")
    user, at, host = before.rpartition("@")
    name, colon, _ = user.partition(":")
    told = f"{scheme}{mark}{name}{colon and f':{HIDDEN}'}{at}{host}{slash}"
    path, question, query = after.partition("?")
    kept = [one if "password=" not in one else f"{HIDDEN}" for one in query.split("&")]
    return f"{told}{path}{question}{'&'.join(kept)}"


def place_only(url: str) -> str:
    """Return where a node is: providers put their keys into the path and the query."""
    return ",".join(_origin_only(one.strip()) for one in url.split(","))


def _origin_only(url: str) -> str:
    scheme, mark, rest = url.partition("://")
    place = rest.partition("/")[0].partition("?")[0]
    told = f"{scheme}{mark}{place.rpartition('@')[2]}"
    return told if told == url.rstrip("/") else f"{told}/{HIDDEN}"


def is_database(url: str) -> bool:
    """Return whether a URL names a database that mirrors can be in, or none."""
    return not url or url.partition(":")[0] in DATABASES


def are_nodes(urls: str) -> bool:
    """Return whether a list names nodes only."""
    return all(urlsplit(one.strip()).scheme in NODES for one in urls.split(",") if one.strip())


def are_content_peers(text: str) -> bool:
    """Return whether a list holds stores, and nodes of a swarm, only."""
    named = [one.strip() for one in text.split(",") if one.strip()]
    return all(
        one.startswith(("file:", "ipfs:/")) or (one.startswith("/") and "/p2p/" in one)
        for one in named
    )


def are_networks(text: str) -> bool:
    """Return whether a list names networks only."""
    try:
        networks_of(text)
    except ValueError:
        return False
    return True


def is_finality(text: str) -> bool:
    """Return whether a text names a rule of finality."""
    try:
        check_finality(text)
    except FinalityInvalid:
        return False
    return True


def is_origin(url: str) -> bool:
    """Return whether a URL is how browsers could reach something, or none."""
    parts = urlsplit(url)
    is_place = parts.scheme in NODES and bool(parts.netloc) and "@" not in parts.netloc
    return not url or (is_place and not (parts.path.strip("/") or parts.query or parts.fragment))
