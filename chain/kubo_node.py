"""
One Kubo node through its RPC: asked for what it has itself, its failures named, its version known.

The RPC is an administrator's: whoever reaches it may read, unpin and stop everything. So an address
that is not this machine's is refused unless that was allowed. What is kept there and how is
`chain/kubo.py`'s.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from ipaddress import ip_address
from typing import Any

import ipfshttpclient
from ipfshttpclient import exceptions

from chain.content import ContentCorrupted, ContentMissing
from chain.documents import Cid, Digest
from chain.failure import Forbidden, LedgerError

# Longer than any local read takes to begin; large content gets more (`seconds_for`).
TIMEOUT_SECONDS = 30
# Slower than any disk that one would keep content on.
BYTES_PER_SECOND_MIN = 4 << 20

# The tests run on 0.39. Before 0.30 answers had other fields; what 1.0 will change is not known.
VERSION_MIN = (0, 30)
VERSION_BELOW = (1, 0)

# What Kubo's messages say; its RPC has no error codes.
_ABSENT = ("not found", "could not find", "does not exist")
_DAMAGED = ("different hash than requested", "hash mismatch")
_NOT_PINNED = ("is not pinned", "not pinned or pinned indirectly")


class ContentStoreUnreachable(LedgerError):
    """The content store does not answer, or not as a Kubo node does."""

    address: str
    reason: str


class KuboVersionUnsupported(LedgerError):
    """The Kubo node is of a version that this program does not work with."""

    address: str
    version: str
    supported: str


class ContentStoreExposed(Forbidden):
    """A Kubo RPC on another machine is refused, since whoever reaches it may delete everything."""

    address: str


class KuboNode:
    """
    A node that answers for itself: nothing is fetched from other nodes unless `fetch` asks for it.

    ensures: before its first answer counts, its version was found to be one that we know
    """

    def __init__(
        self,
        address: str,
        *,
        timeout_seconds: float = TIMEOUT_SECONDS,
        is_remote_allowed: bool = False,
    ) -> None:
        if not is_remote_allowed and not is_of_this_machine(address):
            raise ContentStoreExposed(address=address)
        self.address = address
        self._timeout_seconds = timeout_seconds
        # `connect` refuses every node newer than 0.8; the client itself speaks to them well.
        self._local: Any = ipfshttpclient.Client(address, offline=True, timeout=timeout_seconds)
        self._online: Any = ipfshttpclient.Client(address, timeout=timeout_seconds)
        self._version = ""

    @property
    def client(self) -> Any:
        """Return the client for what the node has itself, once its version is known."""
        if not self._version:
            self._version = self._checked_version()
        return self._local

    def seconds_for(self, size_bytes: int) -> float:
        """Return how long the node may take to keep or read so much."""
        return self._timeout_seconds + size_bytes / BYTES_PER_SECOND_MIN

    def ask(self, path: str, *arguments: str, **options: str) -> Any:
        """Return the last object that a command of the RPC answers, from what the node has."""
        return self._asked(self.client, path, arguments, options)

    def ask_others(self, path: str, *arguments: str, seconds: float, **options: str) -> Any:
        """Return what a command answers that may ask other nodes, for so long at most."""
        limited = {**options, "timeout": f"{seconds:.3f}s"}
        online = self.client and self._online
        return self._asked(online, path, arguments, limited, seconds + TIMEOUT_SECONDS)

    def block(self, cid: Cid) -> bytes:
        """Return the bytes that the node's blockstore holds under a CID, whatever they are."""
        held: bytes = self.client._client.request("/block/get", [cid], offline=True)
        return held

    @contextmanager
    def reaching(self, digest: Digest | None = None) -> Iterator[None]:
        """
        Turn the client's failures into ours.

        :raises ContentMissing: ContentCorrupted: where the node says so of what `digest` names
        :raises ContentStoreUnreachable: for whatever else goes wrong
        """
        try:
            yield
        except exceptions.ErrorResponse as error:
            if digest is not None and says_absent(error):
                raise ContentMissing(digest=digest.value) from error
            if digest is not None and says_damaged(error):
                raise ContentCorrupted(digest=digest.value, found="a damaged block") from error
            raise ContentStoreUnreachable(address=self.address, reason=str(error)) from error
        except exceptions.Error as error:
            # The node may be another when it is back.
            self._version = ""
            raise ContentStoreUnreachable(address=self.address, reason=str(error)) from error

    def _checked_version(self) -> str:
        told = self._asked(self._local, "/version", (), {})
        version = told.get("Version") if isinstance(told, Mapping) else None
        if not isinstance(version, str):
            raise ContentStoreUnreachable(address=self.address, reason="it is no Kubo node")
        found = re.match(r"(\d+)\.(\d+)", version)
        number = (int(found[1]), int(found[2])) if found else (0, 0)
        if not VERSION_MIN <= number < VERSION_BELOW:
            raise KuboVersionUnsupported(
                address=self.address, version=version, supported=SUPPORTED_VERSIONS
            )
        return version

    def _asked(
        self,
        client: Any,
        path: str,
        arguments: tuple[str, ...],
        options: Mapping[str, str],
        timeout: float | None = None,
    ) -> Any:
        names = {name.replace("_", "-"): value for name, value in options.items()}
        is_offline = client is self._local
        answers = client._client.request(
            path, arguments, opts=names, decoder="json", offline=is_offline, timeout=timeout
        )
        return answers[-1] if answers else {}


SUPPORTED_VERSIONS = "from {}.{} on, below {}.{}".format(*VERSION_MIN, *VERSION_BELOW)


def is_of_this_machine(address: str) -> bool:
    """Return whether a multiaddress can only be reached from this machine."""
    kind, _, rest = address.removeprefix("/").partition("/")
    host = rest.partition("/")[0]
    if kind == "unix":
        return True
    if kind in ("ip4", "ip6"):
        try:
            return ip_address(host).is_loopback
        except ValueError:
            return False
    return host == "localhost"


def says_absent(error: Exception) -> bool:
    """Return whether the node says that it does not have something."""
    return _says(error, _ABSENT)


def says_damaged(error: Exception) -> bool:
    """Return whether the node says that a block is not what its CID says."""
    return _says(error, _DAMAGED)


def says_not_pinned(error: Exception) -> bool:
    """Return whether the node says that something has no pin."""
    return _says(error, _NOT_PINNED)


def _says(error: Exception, any_of: tuple[str, ...]) -> bool:
    return any(words in str(error) for words in any_of)
