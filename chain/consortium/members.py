"""
Who runs a consortium, and where: read from the file that its founders agree on.

Pure but for reading that file; keys and addresses are made in `folders`.
"""

import ipaddress
import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Final

from chain.failure import Invalid

FIRST_P2P_PORT: Final = 30303
FIRST_RPC_PORT: Final = 8545
PORT_MAX: Final = 65535
PERIOD_SECONDS: Final = 1
PERIOD_SECONDS_MAX: Final = 3600
# One file of the world, of this machine, or of a network: no path, no port, no scheme.
HOST_PATTERN: Final = re.compile(r"(?=.{1,253}$)[a-z0-9]([a-z0-9.-]*[a-z0-9])?", re.IGNORECASE)
NAME_PATTERN: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")


class MembersFileInvalid(Invalid):
    """The list of members cannot be taken."""

    path: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """
    An organisation's node.

    shape: `host` is how the others reach it, an IP address or a name; `listen_host` the address it
           binds, which differs behind address translation
    """

    name: str
    zh: str
    en: str
    host: str
    listen_host: str
    p2p_port: int
    rpc_port: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Members:
    """
    The founders of a consortium, in the order of their file: those who validate come first.

    units: `period_seconds` between two blocks
    """

    zh: str
    en: str
    period_seconds: int
    members: tuple[Member, ...]
    validators: int


def read_members(path: Path, *, validators: int) -> Members:
    """
    Return the founders that a file names, of whom the first `validators` seal blocks.

    :raises MembersFileInvalid: for whatever is wrong, in one sentence
    """
    try:
        found = json.loads(path.read_text("utf-8"))
    except OSError as error:
        raise MembersFileInvalid(path=str(path), reason=error.strerror or str(error)) from error
    except (ValueError, RecursionError) as error:
        raise MembersFileInvalid(path=str(path), reason=f"it holds no JSON: {error}") from error
    try:
        return parse_members(found, validators=validators)
    except _Wrong as error:
        raise MembersFileInvalid(path=str(path), reason=str(error)) from None


class _Wrong(Exception):
    """Carries the sentence about what is wrong with the file."""


def parse_members(found: Any, *, validators: int) -> Members:
    """Return the founders in a parsed file; `read_members` says where it stood."""
    whole = _object(found, "the file", {"zh", "en", "period_seconds", "members"})
    listed = whole.get("members")
    if not isinstance(listed, list) or not listed:
        raise _Wrong("it has no list `members`")
    members = tuple(_member(one, place) for place, one in enumerate(_numbered(listed), start=1))
    if validators < 1:
        raise _Wrong("a chain needs one validator at least")
    if validators > len(members):
        raise _Wrong(f"{validators} validators are wanted and {len(members)} members are named")
    _require_apart(members)
    period = whole.get("period_seconds", PERIOD_SECONDS)
    if not _is_whole(period) or not 1 <= period <= PERIOD_SECONDS_MAX:
        raise _Wrong(f"period_seconds is {period!r}; take 1 to {PERIOD_SECONDS_MAX}")
    return Members(
        zh=_text(whole, "zh", "the file", "数联盟链"),
        en=_text(whole, "en", "the file", "Shulian consortium"),
        period_seconds=period,
        members=members,
        validators=validators,
    )


def member_of(values: Mapping[str, Any]) -> Member:
    """
    Return one member that joins later.

    :raises MembersFileInvalid: for whatever is wrong, in one sentence
    """
    try:
        return _member(values, 1)
    except _Wrong as error:
        raise MembersFileInvalid(path="", reason=str(error)) from None


def require_apart(members: Sequence[Member]) -> None:
    """
    Check that names and places are each used once.

    :raises MembersFileInvalid: for the first that is not
    """
    try:
        _require_apart(members)
    except _Wrong as error:
        raise MembersFileInvalid(path="", reason=str(error)) from None


def _numbered(listed: Sequence[Any]) -> list[Any]:
    # Several nodes of one host take ports one behind the other, unless the file says which.
    counts: Counter[str] = Counter()
    numbered = []
    for one in listed:
        if not isinstance(one, Mapping):
            numbered.append(one)
            continue
        place = counts[str(one.get("host"))]
        counts[str(one.get("host"))] += 1
        ports = {"p2p_port": FIRST_P2P_PORT + place, "rpc_port": FIRST_RPC_PORT + place}
        numbered.append({**ports, **one})
    return numbered


def _member(found: Any, place: int) -> Member:
    where = f"member {place}"
    one = _object(found, where, {field.name for field in fields(Member)})
    name = _text(one, "name", where)
    if NAME_PATTERN.fullmatch(name) is None:
        raise _Wrong(f"{where}: name {name!r} is not 1 to 32 lower-case letters, digits, hyphens")
    host = _text(one, "host", name)
    return Member(
        name=name,
        zh=_text(one, "zh", name),
        en=_text(one, "en", name),
        host=_host(host, name),
        listen_host=_host(_text(one, "listen_host", name, host), name),
        p2p_port=_port(one.get("p2p_port", FIRST_P2P_PORT), f"{name}: p2p_port"),
        rpc_port=_port(one.get("rpc_port", FIRST_RPC_PORT), f"{name}: rpc_port"),
    )


def _require_apart(members: Sequence[Member]) -> None:
    for name, count in Counter(one.name for one in members).items():
        if count > 1:
            raise _Wrong(f"the name {name!r} is used {count} times")
    used: dict[tuple[str, int], str] = {}
    for one in members:
        for port in (one.p2p_port, one.rpc_port):
            other = used.setdefault((one.host, port), one.name)
            if other != one.name or one.p2p_port == one.rpc_port:
                raise _Wrong(f"{one.name}: port {port} of {one.host} is used twice")


def _object(found: Any, where: str, names: set[str]) -> Mapping[str, Any]:
    if not isinstance(found, Mapping):
        raise _Wrong(f"{where} is not a JSON object")
    unknown = sorted(found.keys() - names)
    if unknown:
        raise _Wrong(f"{where} has {unknown[0]!r}, which is none of {', '.join(sorted(names))}")
    return found


def _text(one: Mapping[str, Any], name: str, where: str, otherwise: str = "") -> str:
    value = one.get(name, otherwise)
    if not isinstance(value, str) or not value.strip() or not value.isprintable():
        raise _Wrong(f"{where}: {name} is missing or not a line of text")
    return value.strip()


def _host(host: str, name: str) -> str:
    try:
        return str(ipaddress.ip_address(host))
    except ValueError:
        pass
    if HOST_PATTERN.fullmatch(host) is None:
        raise _Wrong(f"{name}: host {host!r} is neither an IP address nor a host's name")
    return host.lower()


def _port(value: Any, where: str) -> int:
    if not _is_whole(value) or not 1 <= value <= PORT_MAX:
        raise _Wrong(f"{where} is {value!r}; take 1 to {PORT_MAX}")
    port: int = value
    return port


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
