"""
Where content is kept and found by what it is: bytes go in, their name comes out, and nothing comes
back under a name that it does not hash to.

Not here: what the bytes mean (`chain/documents.py`), who may read them (`chain/sealing.py`), or the
store that is an IPFS node (`chain/kubo.py`).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from enum import Enum, auto
from errno import EIO
from io import BytesIO
from pathlib import Path
from typing import IO, TypeAlias
from urllib.parse import unquote, urlsplit

from chain.codes import DigestAlg
from chain.documents import (
    DOCUMENT_BYTES_MAX,
    READ_BYTES,
    Cid,
    Digest,
    cid_of_digest,
    digest_of_cid,
    hasher,
)
from chain.durable import fresh_file, publish
from chain.failure import Invalid, LedgerError, NotFound
from chain.values import Bytes32, bytes32, raw

# What `get` holds in memory at once; larger content is read with `open`.
MEMORY_BYTES_MAX = 1 << 24


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """
    What a store answers: every name of the content, to be written into its metadata document.

    shape: `digest` in the algorithm asked for; `cid` of the raw block up to 1 MiB, of the UnixFS
           root where IPFS holds something larger, None where nobody chunked it; `sha256` as every
           store knows the content, None only where a name was put together without it
    """

    digest: Digest
    cid: Cid | None
    size_bytes: int
    sha256: Bytes32 | None = None


# A digest; a raw block's CID; or both names of something larger, as `put` answered them.
Name: TypeAlias = Digest | Cid | Stored
# A stream must be seekable; it is read from its beginning, and stays open.
Source: TypeAlias = bytes | Path | IO[bytes]


class Condition(Enum):
    """
    How a store has some content, worst last.

    shape: LOOSE is whole, but nothing keeps the store from dropping it, or from not finding it
    """

    HELD = auto()
    LOOSE = auto()
    CORRUPTED = auto()
    MISSING = auto()


class ContentMissing(NotFound):
    """The content store does not hold this content."""

    digest: str


class ContentCorrupted(LedgerError):
    """What the content store holds under this name does not hash to it."""

    digest: str
    found: str


class ContentTooLarge(Invalid):
    """This much content is not read into memory; open it as a stream."""

    digest: str
    size_bytes_max: int


class StoreUrlInvalid(Invalid):
    """A content store is file:///<folder> or ipfs:/<multiaddress of a Kubo RPC>."""

    url: str


class ContentStore(ABC):
    """Three acts, on files or on IPFS alike: `put`, `get` (or `open`), and tell the `condition`."""

    @abstractmethod
    def put(self, source: Source, *, algorithm: DigestAlg = DigestAlg.SHA256) -> Stored:
        """
        Keep bytes, or a file of any size, and return their names; a repeat changes nothing.

        ensures: the content was read back from the store and hashed before this returns
        :raises ContentCorrupted: if what was read back differs
        """

    @abstractmethod
    def open(self, name: Name) -> IO[bytes]:
        """
        Return the content as a stream whose bytes were all verified beforehand; the caller closes.

        :raises ContentMissing: if the store does not hold it
        :raises ContentCorrupted: if it holds something else under this name
        :raises CidInvalid: for the CID alone of content larger than one block
        """

    @abstractmethod
    def condition(self, name: Name) -> Condition:
        """
        Read all of some content, a piece at a time, and return how the store has it.

        ensures: nothing is fetched from elsewhere, and nothing is mended
        """

    def get(self, name: Name) -> bytes:
        """
        Return the content whole.

        :raises ContentTooLarge: beyond MEMORY_BYTES_MAX
        :raises ContentMissing: if the store does not hold it
        :raises ContentCorrupted: if it holds something else under this name
        """
        with self.open(name) as stream:
            content = stream.read(MEMORY_BYTES_MAX + 1)
        if len(content) > MEMORY_BYTES_MAX:
            raise ContentTooLarge(digest=digest_of(name).value, size_bytes_max=MEMORY_BYTES_MAX)
        return content


class FileStore(ContentStore):
    """
    Content in a folder, one file per content, sharded so that no folder grows large.

    shape: `sha256/ab/cd/abcd…` holds the bytes; `sm3/…` and `keccak256/…` hold the SHA-256 in hex
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def put(self, source: Source, *, algorithm: DigestAlg = DigestAlg.SHA256) -> Stored:
        with open_source(source) as reading, fresh_file(self.folder) as writing:
            stored, primary = survey(reading, algorithm, writing.write)
            publish(writing, self._path(primary))
        self._verified(self._path(primary), primary).close()
        if algorithm is not DigestAlg.SHA256:
            with fresh_file(self.folder) as alias:
                alias.write(raw(primary.value).hex().encode("ascii"))
                publish(alias, self._path(stored.digest))
            self.open(stored.digest).close()
        return stored

    def open(self, name: Name) -> IO[bytes]:
        digest = digest_of(name)
        path = self._path(digest)
        if digest.algorithm is not DigestAlg.SHA256:
            path = self._path(self._primary(digest, path))
        return self._verified(path, digest)

    def condition(self, name: Name) -> Condition:
        try:
            self.open(name).close()
        except ContentMissing:
            return Condition.MISSING
        except ContentCorrupted:
            return Condition.CORRUPTED
        except OSError as error:
            # A sector that cannot be read is damage; a disk that is away says nothing of content.
            if error.errno != EIO:
                raise
            return Condition.CORRUPTED
        return Condition.HELD

    def _primary(self, digest: Digest, alias: Path) -> Digest:
        try:
            text = alias.read_text("ascii")
            primary = Digest(bytes32("0x" + text))
        except FileNotFoundError as error:
            raise ContentMissing(digest=digest.value) from error
        except (Invalid, UnicodeDecodeError) as error:
            raise ContentCorrupted(digest=digest.value, found="no digest") from error
        if primary.value != "0x" + text:
            # One bit makes a small letter a large one: a disk that does that does worse next.
            raise ContentCorrupted(digest=digest.value, found=text)
        return primary

    def _verified(self, path: Path, digest: Digest) -> IO[bytes]:
        with ExitStack() as stack:
            try:
                stream = stack.enter_context(path.open("rb"))
            except FileNotFoundError as error:
                raise ContentMissing(digest=digest.value) from error
            verify(stream, digest)
            stack.pop_all()
        return stream

    def _path(self, digest: Digest) -> Path:
        name = digest.value[2:]
        return self.folder / digest.algorithm.name.lower() / name[:2] / name[2:4] / name


def content_store(
    url: str, *, spool: Path | None = None, is_remote_allowed: bool = False
) -> ContentStore:
    """
    Return the store that a setting names: `file:///var/shulian/content` or
    `ipfs:/ip4/127.0.0.1/tcp/5001`, also as the bare multiaddress `/ip4/…`.

    shape: `spool` is the folder for what is verified before it is read, by default the system's
           for temporary files; a Kubo RPC on another machine only where `is_remote_allowed`
    :raises StoreUrlInvalid: if it names neither
    :raises ContentStoreExposed: if it is a Kubo RPC on another machine
    """
    if url.startswith("file:"):
        folder = unquote(urlsplit(url).path)
        if not folder.startswith("/") or urlsplit(url).netloc not in ("", "localhost"):
            raise StoreUrlInvalid(url=url)
        return FileStore(Path(folder))
    address = url.removeprefix("ipfs:")
    if not address.startswith(("/ip4/", "/ip6/", "/dns/", "/dns4/", "/dns6/", "/unix/")):
        raise StoreUrlInvalid(url=url)
    from chain.kubo import KuboStore  # only those who use IPFS load its client

    return KuboStore(address, spool=spool, is_remote_allowed=is_remote_allowed)


# --- what both stores share ---------------------------------------------------------------------


def digest_of(name: Name) -> Digest:
    """
    Return the digest that content under this name must have.

    :raises CidInvalid: if it is the CID of something larger than a block
    """
    if isinstance(name, Stored):
        return name.digest
    return name if isinstance(name, Digest) else digest_of_cid(name)


@contextmanager
def open_source(source: Source) -> Iterator[IO[bytes]]:
    """Open what is to be put as a stream."""
    if isinstance(source, bytes):
        yield BytesIO(source)
    elif isinstance(source, Path):
        with source.open("rb") as stream:
            yield stream
    else:
        source.seek(0)
        yield source


def survey(
    stream: IO[bytes], algorithm: DigestAlg, also: Callable[[bytes], object] = lambda _: None
) -> tuple[Stored, Digest]:
    """Read a stream once, giving each piece to `also`; return its names and its SHA-256."""
    primary, asked = hasher(DigestAlg.SHA256), hasher(algorithm)
    size_bytes = 0
    while piece := stream.read(READ_BYTES):
        primary.update(piece)
        asked.update(piece)
        also(piece)
        size_bytes += len(piece)
    sha256 = Digest(bytes32(primary.digest()))
    stored = Stored(
        digest=Digest(bytes32(asked.digest()), algorithm),
        cid=cid_of_digest(sha256) if size_bytes <= DOCUMENT_BYTES_MAX else None,
        size_bytes=size_bytes,
        sha256=sha256.value,
    )
    return stored, sha256


def verify(stream: IO[bytes], digest: Digest) -> None:
    """
    Hash a stream from where it stands, then set it back to its beginning.

    :raises ContentCorrupted: if it is not what the digest names
    """
    found, _ = survey(stream, digest.algorithm)
    if found.digest != digest:
        raise ContentCorrupted(digest=digest.value, found=found.digest.value)
    stream.seek(0)
