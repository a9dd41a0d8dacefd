"""
Sealed content: encrypted once under its own key, which is wrapped for each reader.

Not here: the wraps (`chain/readers.py`), where sealed bytes are kept (`chain/content.py`), or who
ought to be a reader.

    sealed file   header │ chunk 0 │ chunk 1 │ … │ last chunk        its digest covers all of it
    header        magic 8 │ version 1 │ chunk size 4 │ commitment 32
    chunks        AES-256-GCM of (salt 32 │ plain bytes) cut into pieces of the chunk size, a tag
                  after each; nonce = number; associated data = header │ number │ is it the last?
    commitment    SHA-256(salt │ SHA-256(plain bytes)): binds the plain bytes, tells nothing of them

Number and last-chunk mark are the STREAM construction (Hoang, Reyhanitabar, Rogaway, Vizár 2015):
a chunk that is dropped, added, moved or taken from another file does not open. The commitment also
keeps a sealer from making one file that opens differently under two keys, which GCM alone allows.
"""

from __future__ import annotations

import hashlib
import os
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import IO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from chain.documents import READ_BYTES
from chain.durable import fresh_file, publish
from chain.failure import Conflict, Invalid
from chain.readers import (
    KEY_BYTES,
    Rng,
    SealBroken,
    Sidecar,
    public_key,
    unwrap_key,
    wrap_key,
)
from chain.values import Bytes32, PublicKey, bytes32, raw

CHUNK_BYTES = 1 << 16
CHUNK_BYTES_MIN = 1 << 6
CHUNK_BYTES_MAX = 1 << 24  # what a header may make a reader hold in memory

_MAGIC = b"SHULSEAL"
_VERSION = 1
_HEADER = struct.Struct(">8sBI32s")
_PLACE = struct.Struct(">QB")
_SALT_BYTES = 32
_TAG_BYTES = 16


class ReadersMissing(Invalid):
    """Content sealed for nobody could never be read."""


class SourceChanged(Conflict):
    """The file changed while it was being sealed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sealed:
    """What sealing answers: the commitment to publish, and the sidecar to keep beside the file."""

    commitment: Bytes32
    sidecar: Sidecar
    size_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """
    What a reader learns beside the plain bytes.

    shape: whoever is shown `salt` and the plain bytes can check them against the commitment
    """

    commitment: Bytes32
    salt: Bytes32
    plain_digest: Bytes32
    size_bytes: int


def commitment_of(*, salt: Bytes32, plain_digest: Bytes32) -> Bytes32:
    """Return the commitment to plain bytes of this SHA-256 under a salt."""
    return bytes32(hashlib.sha256(raw(salt) + raw(plain_digest)).digest())


def seal(
    source: IO[bytes],
    target: IO[bytes],
    *,
    readers: Sequence[PublicKey],
    rng: Rng = os.urandom,
    chunk_bytes: int = CHUNK_BYTES,
) -> Sealed:
    """
    Seal a stream for readers, reading it twice, a chunk at a time.

    shape: `source` is seekable and is sealed from where it stands
    :raises ReadersMissing: if nobody could open it
    :raises SourceChanged: if the two readings differ
    """
    if not readers:
        raise ReadersMissing()
    key, salt = rng(KEY_BYTES), rng(_SALT_BYTES)
    start = source.tell()
    plain_digest = _digest_of_rest(source)
    source.seek(start)
    commitment = commitment_of(salt=bytes32(salt), plain_digest=plain_digest)
    header = _HEADER.pack(_MAGIC, _VERSION, _checked(chunk_bytes), raw(commitment))
    plain, sealed = _Tally(source), _Tally(target)
    sealed.write(header)
    for place, piece in _cut(plain, chunk_bytes, begin_with=salt):
        sealed.write(AESGCM(key).encrypt(_nonce(place), piece, header + place))
    if plain.digest != plain_digest:
        raise SourceChanged()
    wraps = tuple(wrap_key(key, reader=reader, rng=rng) for reader in _distinct(readers))
    sidecar = Sidecar(digest=sealed.digest, wraps=wraps)
    return Sealed(commitment=commitment, sidecar=sidecar, size_bytes=sealed.size_bytes)


def open_sealed(
    source: IO[bytes], target: IO[bytes], *, sidecar: Sidecar, private_key: bytes
) -> Opened:
    """
    Open a sealed stream, a chunk at a time.

    ensures: nothing is known to be right until this returns; `open_file` and `open_bytes` wait for
             that before they let anybody see the plain bytes
    :raises NotAReader: if the sidecar has no wrap for this private key
    :raises SealBroken: if a single byte is not as it was sealed
    """
    key = unwrap_key(sidecar, private_key)
    sealed, plain = _Tally(source), _Tally(target)
    header = sealed.read(_HEADER.size)
    chunk_bytes, commitment = _read_header(header)
    salt = b""
    for place, chunk in _cut(sealed, chunk_bytes + _TAG_BYTES):
        piece = _open_chunk(key, place, chunk, header)
        if not salt:
            salt, piece = _split_salt(piece)
        plain.write(piece)
    if commitment_of(salt=bytes32(salt), plain_digest=plain.digest) != commitment:
        raise SealBroken(reason="the content is not what the seal commits to")
    if sealed.digest != sidecar.digest:
        raise SealBroken(reason="the sidecar belongs to another file")
    return Opened(
        commitment=commitment,
        salt=bytes32(salt),
        plain_digest=plain.digest,
        size_bytes=plain.size_bytes,
    )


def seal_file(
    source: Path, target: Path, *, readers: Sequence[PublicKey], rng: Rng = os.urandom
) -> Sealed:
    """Seal a file of any size into another, which is there whole or not at all."""
    with source.open("rb") as plain, fresh_file(target.parent) as fresh:
        sealed = seal(plain, fresh, readers=readers, rng=rng)
        publish(fresh, target)
    return sealed


def open_file(source: Path, target: Path, *, sidecar: Sidecar, private_key: bytes) -> Opened:
    """Open a sealed file of any size into another, which appears only if all of it is right."""
    with source.open("rb") as sealed, fresh_file(target.parent) as fresh:
        opened = open_sealed(sealed, fresh, sidecar=sidecar, private_key=private_key)
        publish(fresh, target)
    return opened


def seal_bytes(
    plain: bytes, *, readers: Sequence[PublicKey], rng: Rng = os.urandom
) -> tuple[bytes, Sealed]:
    """Seal a document; return the sealed bytes and what to keep beside them."""
    target = BytesIO()
    sealed = seal(BytesIO(plain), target, readers=readers, rng=rng)
    return target.getvalue(), sealed


def open_bytes(sealed: bytes, *, sidecar: Sidecar, private_key: bytes) -> bytes:
    """Open a sealed document."""
    target = BytesIO()
    open_sealed(BytesIO(sealed), target, sidecar=sidecar, private_key=private_key)
    return target.getvalue()


class _Tally:
    """A stream that hashes and counts what passes through it."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._hash = hashlib.sha256()
        self.size_bytes = 0

    @property
    def digest(self) -> Bytes32:
        return bytes32(self._hash.digest())

    def read(self, size_bytes: int) -> bytes:
        return self._count(self._stream.read(size_bytes))

    def write(self, data: bytes) -> None:
        self._stream.write(self._count(data))

    def _count(self, data: bytes) -> bytes:
        self._hash.update(data)
        self.size_bytes += len(data)
        return data


def _cut(stream: _Tally, size_bytes: int, begin_with: bytes = b"") -> Iterator[tuple[bytes, bytes]]:
    """Yield the stream in pieces of one size, each with its place: its number, and whether last."""
    piece = begin_with + stream.read(size_bytes - len(begin_with))
    number, more = 0, True
    while more:
        following = stream.read(size_bytes)
        more = bool(following)
        yield _PLACE.pack(number, not more), piece
        number, piece = number + 1, following


def _nonce(place: bytes) -> bytes:
    # The key is this file's alone, so the number of the chunk never repeats under it.
    return b"\0\0\0\0" + place[:8]


def _open_chunk(key: bytes, place: bytes, chunk: bytes, header: bytes) -> bytes:
    try:
        return AESGCM(key).decrypt(_nonce(place), chunk, header + place)
    except InvalidTag as error:
        raise SealBroken(reason="a chunk is altered, misplaced or missing") from error


def _split_salt(piece: bytes) -> tuple[bytes, bytes]:
    if len(piece) < _SALT_BYTES:
        raise SealBroken(reason="the salt is missing")
    return piece[:_SALT_BYTES], piece[_SALT_BYTES:]


def _read_header(header: bytes) -> tuple[int, Bytes32]:
    if len(header) != _HEADER.size:
        raise SealBroken(reason="shorter than a header")
    magic, version, chunk_bytes, commitment = _HEADER.unpack(header)
    if (magic, version) != (_MAGIC, _VERSION):
        raise SealBroken(reason="not a sealed file of this version")
    if not CHUNK_BYTES_MIN <= chunk_bytes <= CHUNK_BYTES_MAX:
        raise SealBroken(reason="a chunk size out of range")
    return chunk_bytes, bytes32(commitment)


def _checked(chunk_bytes: int) -> int:
    if not CHUNK_BYTES_MIN <= chunk_bytes <= CHUNK_BYTES_MAX:
        raise ValueError(f"{chunk_bytes=} is not in {CHUNK_BYTES_MIN} to {CHUNK_BYTES_MAX}")
    return chunk_bytes


def _distinct(readers: Sequence[PublicKey]) -> tuple[PublicKey, ...]:
    return tuple(dict.fromkeys(public_key(reader) for reader in readers))


def _digest_of_rest(stream: IO[bytes]) -> Bytes32:
    tally = _Tally(stream)
    while tally.read(READ_BYTES):
        pass
    return tally.digest
