"""
The content store that is an IPFS node: Kubo, which pins what is put and is believed in nothing.

Not here: how the node is asked (`chain/kubo_node.py`), what its trees are made of
(`chain/kubo_blocks.py`), how digests are listed there (`chain/kubo_names.py`), or the choice
between this store and files (`chain/content.py`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from tempfile import SpooledTemporaryFile
from typing import IO, cast

from ipfshttpclient import exceptions

from chain.codes import DigestAlg
from chain.content import (
    Condition,
    ContentCorrupted,
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
from chain.documents import DOCUMENT_BYTES_MAX, Cid, Digest, cid_of_digest, hasher
from chain.durable import make_folder
from chain.failure import LedgerError
from chain.kubo_blocks import faulty_blocks
from chain.kubo_names import list_under, listed
from chain.kubo_node import (
    BYTES_PER_SECOND_MIN,
    TIMEOUT_SECONDS,
    KuboNode,
    says_absent,
    says_not_pinned,
)
from chain.values import bytes32

# Stated, not left to the node's settings, so that the same file gets the same root everywhere.
_CHUNKER = "size-262144"
_BLOCK = {"cid-codec": "raw", "mhtype": "sha2-256", "pin": "true"}
# How often damaged blocks are taken out and the content is put again: what lies below one is seen
# only when it is whole, and no tree of a file that fits on a disk is deeper.
_MENDED_MAX = 8

CONNECT_SECONDS = 10


class ContentNotPinned(LedgerError):
    """The Kubo node holds this content without a pin, so it would be collected as garbage."""

    digest: str
    address: str


class DamageStays(LedgerError):
    """The Kubo node does not write over its damaged blocks; its BlockKeyCacheSize is to be 0."""

    digest: str
    address: str


class KuboStore(ContentStore):
    """
    Content in an IPFS node.

    shape: up to 1 MiB one raw block, whose CID states its SHA-256; beyond, a pinned UnixFS tree
           that the node's own files list under `/shulian/<algorithm>/<first digits>/<digest>`;
           `spool` is the folder in which content larger than a block is verified before it is read
    """

    def __init__(
        self,
        address: str,
        *,
        timeout_seconds: float = TIMEOUT_SECONDS,
        spool: Path | None = None,
        is_remote_allowed: bool = False,
    ) -> None:
        self._node = KuboNode(
            address, timeout_seconds=timeout_seconds, is_remote_allowed=is_remote_allowed
        )
        self._spool = spool

    def put(self, source: Source, *, algorithm: DigestAlg = DigestAlg.SHA256) -> Stored:
        with open_source(source) as stream, self._node.reaching():
            surveyed, sha256 = survey(stream, algorithm)
            cid = self._keep(stream, replace(surveyed, digest=sha256))
            if not self._is_pinned(cid):
                raise ContentNotPinned(digest=surveyed.digest.value, address=self._node.address)
            for digest in {sha256, surveyed.digest}:
                if not _states(cid, digest):
                    list_under(self._node, digest, cid)
        return replace(surveyed, cid=cid)

    def open(self, name: Name) -> IO[bytes]:
        digest = digest_of(name)
        with ExitStack() as stack:
            content = self._spooled()
            stack.callback(content.close)
            with self._node.reaching(digest):
                for piece in self._read(self._cid(name), digest):
                    content.write(piece)
            content.seek(0)
            verify(cast(IO[bytes], content), digest)
            stack.pop_all()
        return cast(IO[bytes], content)

    def condition(self, name: Name) -> Condition:
        digest = digest_of(name)
        with self._node.reaching():
            try:
                cid = self._cid(name)
                self._read_back(cid, digest)
            except ContentMissing:
                return Condition.MISSING
            except ContentCorrupted:
                return Condition.CORRUPTED
            is_found = _states(cid, digest) or listed(self._node, digest) == cid
            is_firm = is_found and self._is_pinned(cid)
            return Condition.HELD if is_firm else Condition.LOOSE

    def fetch(
        self,
        name: Name,
        *,
        peers: Sequence[str],
        size_bytes: int = 0,
        wait_seconds: float = TIMEOUT_SECONDS,
    ) -> None:
        """
        Let the node fetch content from other nodes by its CID, and pin it.

        shape:   `peers` are multiaddresses that end in `/p2p/<id of the node>`; they are waited for
                 so long, and longer for large content
        ensures: what came hashes to the digest, or is unpinned again
        :raises ContentMissing: if none of them gives it in time
        :raises ContentCorrupted: if the CID leads to other content
        """
        digest = digest_of(name)
        seconds = wait_seconds + size_bytes / BYTES_PER_SECOND_MIN
        with self._node.reaching(digest):
            cid = self._cid(name)
            self._connect(peers)
            # What is here and damaged would count as there.
            for _ in range(_MENDED_MAX):
                self._take_out(cid)
                try:
                    self._node.ask_others("/pin/add", cid, seconds=seconds)
                except exceptions.ErrorResponse as error:
                    raise ContentMissing(digest=digest.value) from error
                if next(faulty_blocks(self._node, cid), None) is None:
                    break
            try:
                self._read_back(cid, digest)
            except ContentCorrupted:
                self._unpin(cid)
                raise
            if not _states(cid, digest):
                list_under(self._node, digest, cid)

    # --- keeping ----------------------------------------------------------------------------------

    def _keep(self, stream: IO[bytes], wanted: Stored) -> Cid:
        for _ in range(_MENDED_MAX):
            stream.seek(0)
            cid = self._add(stream, wanted.size_bytes)
            try:
                self._read_back(cid, wanted.digest)
            except (ContentMissing, ContentCorrupted):
                # Not every node writes over a block that it believes to have.
                if not self._take_out(cid):
                    break
            else:
                return cid
        raise DamageStays(digest=wanted.digest.value, address=self._node.address)

    def _add(self, stream: IO[bytes], size_bytes: int) -> Cid:
        client, seconds = self._node.client, self._node.seconds_for(size_bytes)
        stream = cast(IO[bytes], _Nameless(stream))
        if size_bytes <= DOCUMENT_BYTES_MAX:
            return Cid(client.block.put(stream, opts=dict(_BLOCK), timeout=seconds)["Key"])
        added = client.add(
            stream, cid_version=1, raw_leaves=True, chunker=_CHUNKER, pin=True, timeout=seconds
        )
        return Cid(added["Hash"])

    def _take_out(self, root: Cid) -> bool:
        """Remove the damaged blocks of a tree; return whether there were any, and none is left."""
        faulty = [cid for cid, is_there in faulty_blocks(self._node, root) if is_there]
        if not faulty:
            return False
        self._unpin(root)
        # Refused while anything pinned is damaged, which takes the node's own look at its pins.
        return "Error" not in self._node.ask("/block/rm", *faulty, force="true")

    def _is_pinned(self, cid: Cid) -> bool:
        try:
            found = self._node.ask("/pin/ls", cid, type="recursive")
        except exceptions.ErrorResponse as error:
            if says_not_pinned(error):
                return False
            raise
        return cid in found.get("Keys", {})

    def _unpin(self, cid: Cid) -> None:
        try:
            self._node.ask("/pin/rm", cid)
        except exceptions.ErrorResponse as error:
            if not says_not_pinned(error):
                raise

    # --- reading ----------------------------------------------------------------------------------

    def _read(self, cid: Cid, digest: Digest) -> Iterator[bytes]:
        try:
            with self._node.client.cat(cid, stream=True) as pieces:
                yield from pieces
        except exceptions.Error as error:
            # It may be the node that fails, or what it holds: the blocks tell.
            if isinstance(error, exceptions.ErrorResponse) and says_absent(error):
                raise ContentMissing(digest=digest.value) from error
            if next(faulty_blocks(self._node, cid), None) is not None:
                raise ContentCorrupted(digest=digest.value, found="damaged blocks") from error
            raise

    def _spooled(self) -> SpooledTemporaryFile[bytes]:
        # Beyond a block on the disk, in a file without a name: it is gone however we end.
        folder = None if self._spool is None else str(self._spool)
        if self._spool is not None:
            make_folder(self._spool)
        return SpooledTemporaryFile(max_size=DOCUMENT_BYTES_MAX, dir=folder)

    def _read_back(self, cid: Cid, digest: Digest) -> None:
        """Hash what the node's own blocks hold, and every node of the tree above them."""
        making = hasher(digest.algorithm)
        for piece in self._read(cid, digest):
            making.update(piece)
        found = bytes32(making.digest())
        if found != digest.value:
            raise ContentCorrupted(digest=digest.value, found=found)
        if next(faulty_blocks(self._node, cid, are_leaves_read=False), None) is not None:
            raise ContentCorrupted(digest=digest.value, found="a damaged tree")

    # --- names ------------------------------------------------------------------------------------

    def _cid(self, name: Name) -> Cid:
        """Return the CID under which the node holds this content."""
        if isinstance(name, Stored) and name.cid is not None:
            return name.cid
        digest = digest_of(name)
        found = listed(self._node, digest)
        if found is None and digest.algorithm is not DigestAlg.SHA256:
            raise ContentMissing(digest=digest.value)
        return found or cid_of_digest(digest)

    # --- other nodes ------------------------------------------------------------------------------

    def _connect(self, peers: Sequence[str]) -> None:
        for peer in peers:
            try:
                self._node.ask_others("/swarm/connect", peer, seconds=CONNECT_SECONDS)
            except exceptions.ErrorResponse:
                # One that is away must not keep us from the others.
                continue


class _Nameless:
    """A stream without its name, which the client would take for a path even where it is none."""

    def __init__(self, stream: IO[bytes]) -> None:
        self.read = stream.read


def _states(cid: Cid, digest: Digest) -> bool:
    """Return whether a CID alone says that its content has this digest."""
    return digest.algorithm is DigestAlg.SHA256 and cid_of_digest(digest) == cid
