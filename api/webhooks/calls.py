"""
Sends one message to an address that somebody else chose, and reaches nothing that they should not.

Names are resolved once, every address is judged, and the connection goes to the address that was
judged; redirects are answers like any other, proxies are not used, and time and size are bounded.
What is sent is `api.webhooks.signing`'s, when is `api.webhooks.deliverer`'s.
"""

import socket
import ssl
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from enum import Enum, auto
from http.client import HTTPConnection, HTTPException, HTTPResponse
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final
from urllib.parse import SplitResult, urlsplit

from chain.failure import Invalid

URL_CHARACTERS_MAX: Final = 2_000
CALL_SECONDS_MAX: Final = 15.0
ANSWER_BYTES_MAX: Final = 1 << 14
SAID_CHARACTERS_MAX: Final = 500
RETRY_AFTER_MAX: Final = 3_600

# RFC 6052: what stands behind these is an address of the older kind.
NAT64: Final = IPv6Network("64:ff9b::/96")

Ip = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network


class WebhookUrlRefused(Invalid):
    """Events are not sent to this URL."""

    url: str
    reason: str


class Outcome(Enum):
    """What became of an attempt."""

    DELIVERED = auto()
    REFUSED = auto()
    REDIRECTED = auto()
    TIMED_OUT = auto()
    UNREACHABLE = auto()
    UNRESOLVED = auto()
    ADDRESS_REFUSED = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class Called:
    """What became of a call; `status` is None without an answer, `said` is its beginning."""

    outcome: Outcome
    status: int | None = None
    said: str = ""
    retry_after: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """What the operator allows beside https to addresses of the whole world's network."""

    is_http_allowed: bool = False
    networks: tuple[Network, ...] = ()

    def allows(self, found: Ip) -> bool:
        """Return whether an address may be connected to."""
        inner = _embedded(found)
        if any(found in one or inner in one for one in self.networks):
            return True
        return _is_public(found) and _is_public(inner)


class AddressRefused(Exception):
    """A name stands for an address that may not be connected to."""


def networks_of(text: str) -> tuple[Network, ...]:
    """
    Return the networks in a list with commas, such as `10.1.0.0/16,127.0.0.1`.

    :raises ValueError: if one is none
    """
    return tuple(ip_network(one.strip()) for one in text.split(",") if one.strip())


def check_url(url: str, reach: Reach) -> str:
    """
    Return a URL that events may be sent to.

    :raises WebhookUrlRefused: if they may not, or its name stands for nothing now
    """
    parts = _parts(url)
    schemes = ("https", "http") if reach.is_http_allowed else ("https",)
    if parts.scheme not in schemes:
        raise WebhookUrlRefused(url=url, reason=f"the scheme must be {' or '.join(schemes)}")
    try:
        _judged(_host(parts), _port(parts), reach)
    except AddressRefused as error:
        raise WebhookUrlRefused(url=url, reason=str(error)) from error
    except (OSError, UnicodeError) as error:
        raise WebhookUrlRefused(url=url, reason="its name stands for no address") from error
    return url


def call(url: str, headers: Mapping[str, str], body: bytes, reach: Reach) -> Called:
    """Send a body once, and return what became of it; it never raises for what the network does."""
    try:
        parts = _parts(url)
        if parts.scheme != "https" and not reach.is_http_allowed:
            return Called(outcome=Outcome.ADDRESS_REFUSED, said="http is not allowed any more")
        found = _judged(_host(parts), _port(parts), reach)
    except AddressRefused as error:
        return Called(outcome=Outcome.ADDRESS_REFUSED, said=str(error))
    except (WebhookUrlRefused, OSError, UnicodeError) as error:
        return Called(outcome=Outcome.UNRESOLVED, said=_printable(str(error)))
    started = time.monotonic()
    try:
        with closing(_Connection(parts, found)) as connection:
            return _exchange(connection, parts, headers, body)
    except (OSError, HTTPException, ValueError) as error:
        is_late = isinstance(error, TimeoutError) or time.monotonic() - started >= CALL_SECONDS_MAX
        outcome = Outcome.TIMED_OUT if is_late else Outcome.UNREACHABLE
        return Called(outcome=outcome, said=_printable(f"{type(error).__name__}: {error}"))


class _Connection(HTTPConnection):
    """A connection to an address that was judged, whatever the name stands for by now."""

    def __init__(self, parts: SplitResult, found: Sequence[Ip]) -> None:
        super().__init__(_host(parts), _port(parts), timeout=CALL_SECONDS_MAX)
        self._found = found
        self._tls = ssl.create_default_context() if parts.scheme == "https" else None
        self._ends_at = time.monotonic() + CALL_SECONDS_MAX
        self._is_over = threading.Event()
        self._end = threading.Timer(CALL_SECONDS_MAX, self._hang_up)
        self._end.daemon = True

    def connect(self) -> None:
        """Connect to the first of the addresses that answers."""
        self._end.start()
        self.sock = self._reach()
        if self._is_over.is_set():
            # It rang before there was anything to hang up.
            raise TimeoutError("timed out")
        if self._tls is not None:
            secured = self._tls.wrap_socket(
                self.sock, server_hostname=self.host, do_handshake_on_connect=False
            )
            # Known before its first byte is read, so that also a slow greeting has an end.
            self.sock = secured
            secured.do_handshake()

    def close(self) -> None:
        """Close, and forget the clock."""
        self._end.cancel()
        super().close()

    def _reach(self) -> socket.socket:
        for one in self._found[:-1]:
            try:
                return _connected(one, self.port, min(CALL_SECONDS_MAX / 2, self._left()))
            except OSError:
                continue
        return _connected(self._found[-1], self.port, self._left())

    def _left(self) -> float:
        # However many addresses a name stands for, they have this time together.
        return max(0.001, self._ends_at - time.monotonic())

    def _hang_up(self) -> None:
        # Whoever sends a byte a second would otherwise never be late.
        self._is_over.set()
        held = self.sock
        if held is not None:
            try:
                held.shutdown(socket.SHUT_RDWR)
            except OSError:
                return


def _connected(found: Ip, port: int, seconds: float) -> socket.socket:
    # By its number: nothing is looked up any more.
    family = socket.AF_INET if isinstance(found, IPv4Address) else socket.AF_INET6
    made = socket.socket(family, socket.SOCK_STREAM)
    try:
        made.settimeout(seconds)
        made.connect((str(found), port))
        made.settimeout(CALL_SECONDS_MAX)
    except BaseException:
        made.close()
        raise
    return made


def _exchange(
    connection: _Connection, parts: SplitResult, headers: Mapping[str, str], body: bytes
) -> Called:
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    connection.request("POST", target, body, dict(headers))
    answer = connection.getresponse()
    said = _printable(answer.read(ANSWER_BYTES_MAX).decode("utf-8", "replace"))
    return Called(
        outcome=_outcome(answer.status),
        status=answer.status,
        said=said,
        retry_after=_retry_after(answer),
    )


def _outcome(status: int) -> Outcome:
    if 200 <= status < 300:
        return Outcome.DELIVERED
    return Outcome.REDIRECTED if 300 <= status < 400 else Outcome.REFUSED


def _retry_after(answer: HTTPResponse) -> int:
    text = answer.headers.get("retry-after", "")
    return min(int(text), RETRY_AFTER_MAX) if text.isascii() and text.isdigit() else 0


def _parts(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        is_whole = bool(parts.hostname) and parts.port != 0
    except ValueError as error:
        raise WebhookUrlRefused(url=url, reason="it is no URL") from error
    if not is_whole or len(url) > URL_CHARACTERS_MAX or not _is_plain(url):
        raise WebhookUrlRefused(url=url[:URL_CHARACTERS_MAX], reason="it is no URL")
    if parts.username is not None or parts.password is not None or "#" in url:
        raise WebhookUrlRefused(url=url, reason="it may hold neither user nor fragment")
    return parts


def _is_plain(url: str) -> bool:
    return url.isascii() and url.isprintable() and not set(url) & set(' \\<>"{}|^`')


def _host(parts: SplitResult) -> str:
    assert parts.hostname is not None
    return parts.hostname


def _port(parts: SplitResult) -> int:
    return parts.port or (443 if parts.scheme == "https" else 80)


def _judged(host: str, port: int, reach: Reach) -> list[Ip]:
    found = [
        ip_address(str(place[0]).partition("%")[0])
        for *_, place in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    ]
    for one in found:
        if not reach.allows(one):
            raise AddressRefused(f"{host} stands for {one}, which is not to be reached from here")
    return found


def _embedded(found: Ip) -> Ip:
    """Return the address that another one stands for, or itself."""
    if isinstance(found, IPv4Address):
        return found
    if found in NAT64:
        return IPv4Address(found.packed[-4:])
    return found.ipv4_mapped or found.sixtofour or (found.teredo[1] if found.teredo else found)


def _is_public(found: Ip) -> bool:
    # What IPv6 once gave to sites (RFC 3879) is counted to the world by Python.
    is_of_site = isinstance(found, IPv6Address) and found.is_site_local
    return found.is_global and not (found.is_multicast or found.is_reserved or is_of_site)


def _printable(text: str) -> str:
    told = "".join(one if one.isprintable() else " " for one in text)
    return " ".join(told.split())[:SAID_CHARACTERS_MAX]
