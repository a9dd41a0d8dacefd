"""
The server as the world reaches it: its port, its origin, the proxy before it, and the certificate.
"""

import socket
import ssl
import time
from collections.abc import Iterator
from typing import Final
from urllib.parse import urlsplit

import httpx

from api.commands.homes import serving
from api.config import plain_origin
from api.doctor.findings import Finding, bad, good, odd
from api.settings import Settings

SECONDS_MAX: Final = 5
DAY_SECONDS: Final = 86_400
CERTIFICATE_DAYS_MIN: Final = 14
HTTPS_PORT: Final = 443
LOOPBACK: Final = ("127.0.0.1", "::1", "localhost")


def examine_serving(settings: Settings) -> Iterator[Finding]:
    """Look at the port, and at what the origin answers."""
    found = serving(settings.home)
    is_serving = found is not None and bool(found.url)
    if found is not None and is_serving:
        yield good("server", pid=found.pid, url=found.url)
        if found.url != settings.origin:
            yield odd("origin", "stale", running=found.url, wanted=settings.origin)
    elif _is_taken(settings) and settings.origin == plain_origin(settings):
        yield odd("server", "busy", host=settings.host, port=settings.port)
    elif _is_taken(settings):
        # A proxy hands what comes to that port and no other.
        yield bad("server", "taken", host=settings.host, port=settings.port)
    else:
        yield odd("server", "stopped", host=settings.host, port=settings.port)
    is_public = urlsplit(settings.origin).hostname not in LOOPBACK
    if settings.origin.startswith("http://"):
        if is_public:
            yield bad("origin", "plain", origin=settings.origin)
        elif settings.host not in LOOPBACK:
            yield odd("origin", "local", origin=settings.origin, host=settings.host)
        elif found is not None and is_serving:
            yield good("origin", origin=found.url)
        return
    if settings.host not in LOOPBACK:
        yield odd("origin", "bypass", origin=settings.origin, host=settings.host)
    yield _certificate(settings.origin)
    if is_serving:
        yield from _proxy(settings.origin)


def _is_taken(settings: Settings) -> bool:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        with socket.create_server((settings.host, settings.port), family=family):
            return False
    except OSError:
        return True


def _certificate(origin: str) -> Finding:
    parts = urlsplit(origin)
    host, port = str(parts.hostname), parts.port or HTTPS_PORT
    try:
        with (
            socket.create_connection((host, port), timeout=SECONDS_MAX) as plain,
            ssl.create_default_context().wrap_socket(plain, server_hostname=host) as secure,
        ):
            certificate = secure.getpeercert() or {}
    except ssl.SSLCertVerificationError as error:
        return bad("tls", "untrusted", origin=origin, reason=error.verify_message)
    except OSError as error:
        return bad("tls", "silent", origin=origin, reason=error)
    days = int(ssl.cert_time_to_seconds(str(certificate["notAfter"])) - time.time()) // DAY_SECONDS
    if days < CERTIFICATE_DAYS_MIN:
        return odd("tls", "ending", origin=origin, days=days)
    return good("tls", origin=origin, days=days)


def _proxy(origin: str) -> Iterator[Finding]:
    try:
        # httpx would bring a list of authorities of its own; the machine's is the one that counts.
        with httpx.Client(
            base_url=origin,
            timeout=SECONDS_MAX,
            trust_env=False,
            verify=ssl.create_default_context(),
        ) as client:
            health = client.get("/v1/health/live")
            metrics = client.get("/metrics")
            nonce = client.post("/v1/nonces")
    except httpx.HTTPError as error:
        yield bad("proxy", "silent", origin=origin, reason=f"{type(error).__name__}: {error}")
        return
    if health.status_code != httpx.codes.OK:
        yield bad("proxy", "refused", origin=origin, status=health.status_code)
    elif nonce.is_success and nonce.json().get("uri") != origin:
        yield bad("proxy", "other", origin=origin, told=nonce.json().get("uri"))
    else:
        yield good("proxy", origin=origin)
    if metrics.status_code == httpx.codes.OK:
        yield bad("proxy", "metrics", origin=origin)
