"""
The content store that is an IPFS node: Kubo, through its RPC, which is an administrator's and must
be reachable by the ledger only.

Not here: the choice between this store and files (`chain/content.py`).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from tempfile import SpooledTemporaryFile
from typing import IO, Any, cast

import ipfshttpclient
from ipfshttpclient import exceptions

from chain.codes import DigestAlg
from chain.content import (
    ContentMissing,
    ContentStore,
    Name,
    Source,
    Stored,
    digest_of,
    open_source,
    survey,
    verify,
)
from chain.documents import DOCUMENT_BYTES_MAX, Cid, Digest, cid_of_digest
from chain.failure import LedgerError

# Longer than any local read; short enough that content nobody has does not hold a caller for ever.
TIMEOUT_SECONDS = 30
# Stated, not left to the node's settings, so that the same file gets the same root everywhere.
_CHUNKER = "size-262144"
_BLOCK = {"cid-codec": "raw", "mhtype": "sha2-256", "pin": "true"}
# In the node's own file system: from digests to roots, for content whose digest is not its CID.
_NAMES = "/shulian"

# What Kubo's messages say; its RPC has no error codes.
_ABSENT = ("not found", "could not find", "does not exist")
_LISTED_MEANWHILE = ("already has entry",)


class ContentStoreUnreachable(LedgerError):
    """The content store does not answer, or not as a Kubo node does."""

    address: str
    reason: str


class KuboStore(ContentStore):
    """
    Content in an IPFS node.

    shape: up to 1 MiB one raw block, whose CID states its SHA-256; beyond, a pinned UnixFS tree
           that the node's own files list under `/shulian/<algorithm>/<first digits>/<digest>`
    """

    def __init__(self, address: str, *, timeout_seconds: int = TIMEOUT_SECONDS) -> None:
        self._address = address
        # `connect` refuses every node newer than 0.8; the client itself speaks to them well.
        self._client: Any = ipfshttpclient.Client(address, timeout=timeout_seconds)

    def put(self, source: Source, *, algorithm: DigestAlg = DigestAlg.SHA256) -> Stored:
        with open_source(source) as stream, self._reaching(None):
            surveyed, sha256 = survey(stream, algorithm)
            stream.seek(0)
            cid = self._add(stream, surveyed.size_bytes)
            for digest in {sha256, surveyed.digest}:
                if digest.algorithm is not DigestAlg.SHA256 or cid_of_digest(digest) != cid:
                    self._list(digest, cid)
        self.open(surveyed.digest).close()
        return replace(surveyed, cid=cid)

    def open(self, name: Name) -> IO[bytes]:
        digest = digest_of(name)
        with ExitStack() as stack, self._reaching(digest):
            cid = name.cid if isinstance(name, Stored) else None
            content = SpooledTemporaryFile(max_size=DOCUMENT_BYTES_MAX)  # noqa: SIM115
            stack.callback(content.close)
            self._fetch(cid or self._cid(digest), content)
            verify(cast(IO[bytes], content), digest)
            stack.pop_all()
        return cast(IO[bytes], content)

    def _add(self, stream: IO[bytes], size_bytes: int) -> Cid:
        if size_bytes <= DOCUMENT_BYTES_MAX:
            return Cid(self._client.block.put(stream, opts=dict(_BLOCK))["Key"])
        added = self._client.add(stream, cid_version=1, raw_leaves=True, chunker=_CHUNKER, pin=True)
        return Cid(added["Hash"])

    def _fetch(self, cid: Cid, content: SpooledTemporaryFile[bytes]) -> None:
        with self._client.cat(cid, stream=True) as pieces:
            for piece in pieces:
                content.write(piece)
        content.seek(0)

    def _cid(self, digest: Digest) -> Cid:
        """Return the CID under which the node holds this digest's content."""
        listed = self._listed(digest)
        if listed is None and digest.algorithm is not DigestAlg.SHA256:
            raise ContentMissing(digest=digest.value)
        return listed or cid_of_digest(digest)

    def _listed(self, digest: Digest) -> Cid | None:
        """Return the CID that the node's own files list under a digest."""
        try:
            return Cid(self._client.files.stat(_path(digest))["Hash"])
        except exceptions.ErrorResponse as error:
            if not _says(error, _ABSENT):
                raise
            return None

    def _list(self, digest: Digest, cid: Cid) -> None:
        """List content under a digest that its CID does not state."""
        listed = self._listed(digest)
        if listed == cid:
            return
        path = _path(digest)
        self._client.files.mkdir(path.rpartition("/")[0], parents=True)
        if listed is not None:
            self._client.files.rm(path)
        try:
            self._client.files.cp(f"/ipfs/{cid}", path)
        except exceptions.ErrorResponse as error:
            if not _says(error, _LISTED_MEANWHILE):
                raise

    @contextmanager
    def _reaching(self, digest: Digest | None) -> Iterator[None]:
        """Turn the client's failures into ours: what is absent, and a node that is away."""
        try:
            yield
        except exceptions.ErrorResponse as error:
            if digest is not None and _says(error, _ABSENT):
                raise ContentMissing(digest=digest.value) from error
            raise ContentStoreUnreachable(address=self._address, reason=str(error)) from error
        except exceptions.Error as error:
            raise ContentStoreUnreachable(address=self._address, reason=str(error)) from error


def _path(digest: Digest) -> str:
    name = digest.value[2:]
    return f"{_NAMES}/{digest.algorithm.name.lower()}/{name[:2]}/{name}"


def _says(error: Exception, any_of: tuple[str, ...]) -> bool:
    return any(words in str(error) for words in any_of)
