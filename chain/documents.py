"""
Documents as the chain knows them: canonical JSON bytes, their digest, and the CID of their block.

Not here: where the bytes are kept (`chain/content.py`) or who may read them (`chain/sealing.py`).
"""

from __future__ import annotations

import hashlib
import json
import math
from base64 import b32decode, b32encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NewType, Protocol, TypeAlias

import rfc8785
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from eth_hash.auto import keccak

from chain.codes import DigestAlg
from chain.failure import JSON_INTEGER_MAX, Invalid
from chain.values import Bytes32, HexInvalid, bytes32, raw

Json: TypeAlias = "None | bool | int | float | str | Sequence[Json] | Mapping[str, Json]"
Cid = NewType("Cid", str)  # CIDv1 in lower-case base32

# One raw block, the largest that IPFS peers exchange.
DOCUMENT_BYTES_MAX = 1 << 20
# Deep enough for any record; shallow enough that no parser's stack is at risk.
DOCUMENT_DEPTH_MAX = 64
READ_BYTES = 1 << 18

# CIDv1, codec raw (0x55), multihash sha2-256 (0x12) of 32 bytes (multiformats multicodec table).
_RAW_SHA256_PREFIX = bytes((0x01, 0x55, 0x12, 0x20))


class DocumentInvalid(Invalid):
    """The document holds something that canonical JSON cannot carry exactly."""

    path: str
    reason: str


class DocumentTooLarge(Invalid):
    """A document is at most one block; larger content is a data file named by its SHA-256."""

    size_bytes: int
    size_bytes_max: int


class NotCanonical(Invalid):
    """The bytes are not the canonical form (RFC 8785) of the JSON they hold."""

    reason: str


class AlgorithmUnsupported(Invalid):
    """This digest algorithm is unknown, or this machine's OpenSSL does not provide it."""

    algorithm: str


class CidInvalid(Invalid):
    """The CID is not a version 1 CID, in base32, of one raw block named by SHA-256."""

    cid: str


class DigestNotAddressable(Invalid):
    """Only a SHA-256 digest names a block."""

    digest: str
    algorithm: str


class Hasher(Protocol):
    """A digest in the making."""

    def update(self, data: bytes, /) -> object: ...
    def digest(self) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Digest:
    """
    A digest and how it was made.

    shape: 32 bytes, whatever the algorithm; anything else is refused, since digests name files
    """

    value: Bytes32
    algorithm: DigestAlg = DigestAlg.SHA256

    def __post_init__(self) -> None:
        if bytes32(self.value) != self.value:
            raise HexInvalid(value=self.value, bytes_expected="32 in lower case")


# --- canonical JSON -------------------------------------------------------------------------------


def canonical(document: Json) -> bytes:
    """
    Return the one byte form of a document.

    source: RFC 8785 (JCS), stricter in one point: a whole number beyond 2^53 - 1 is refused,
            however it is written, because other readers would round it; write it as a string
    :raises DocumentInvalid: with the path to what canonical JSON cannot carry
    :raises DocumentTooLarge: if it exceeds DOCUMENT_BYTES_MAX
    """
    encoded = rfc8785.dumps(_plain(document, "", 0))
    if len(encoded) > DOCUMENT_BYTES_MAX:
        raise DocumentTooLarge(size_bytes=len(encoded), size_bytes_max=DOCUMENT_BYTES_MAX)
    return encoded


def parse_canonical(data: bytes) -> Json:
    """
    Return the document whose canonical form is exactly these bytes.

    ensures: canonical(parse_canonical(data)) == data, so that two readers never differ on a digest
    :raises NotCanonical: for duplicate keys, spaces, other key order, other number form, NaN …
    :raises DocumentTooLarge: if there are more than DOCUMENT_BYTES_MAX
    """
    if len(data) > DOCUMENT_BYTES_MAX:
        raise DocumentTooLarge(size_bytes=len(data), size_bytes_max=DOCUMENT_BYTES_MAX)
    try:
        document: Json = json.loads(
            data.decode("utf-8"),
            object_pairs_hook=_distinct,
            parse_constant=_no_constant,
            parse_int=_exact_integer,
        )
        encoded = canonical(document)
    except NotCanonical:
        raise
    except (ValueError, RecursionError, Invalid) as error:
        raise NotCanonical(reason=str(error)) from error
    if encoded != data:
        raise NotCanonical(reason="the canonical form of this document is other bytes")
    return document


def _plain(value: object, path: str, depth: int) -> Any:
    """Return the value in the plain types that the encoder knows, or say where it cannot be."""
    if depth > DOCUMENT_DEPTH_MAX:
        raise DocumentInvalid(path=path, reason=f"deeper than {DOCUMENT_DEPTH_MAX} levels")
    if isinstance(value, Mapping):
        return {
            _key(key, path): _plain(item, f"{path}/{key}", depth + 1) for key, item in value.items()
        }
    if isinstance(value, list | tuple):
        return [_plain(item, f"{path}/{place}", depth + 1) for place, item in enumerate(value)]
    if type(value) is str:
        return _text(value, path)
    if type(value) is int or type(value) is float:
        return _number(value, path)
    if value is None or type(value) is bool:
        return value
    raise DocumentInvalid(path=path, reason=f"{type(value).__name__} is not JSON")


def _key(key: object, path: str) -> str:
    if type(key) is not str:
        raise DocumentInvalid(path=path, reason=f"the key {key!r} is not a string")
    return _text(key, path)


def _text(text: str, path: str) -> str:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise DocumentInvalid(
            path=path, reason="half of a surrogate pair is no character"
        ) from error
    return text


def _number(number: int | float, path: str) -> int | float:
    if isinstance(number, float) and not math.isfinite(number):
        raise DocumentInvalid(path=path, reason="not a finite number")
    # From 1e21 on a float's canonical form has an exponent: nobody takes it for an exact integer.
    if abs(number) > JSON_INTEGER_MAX and (isinstance(number, int) or abs(number) < 1e21):
        raise DocumentInvalid(path=path, reason="a whole number beyond 2^53 - 1: write a string")
    return number


def _distinct(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    document = dict(pairs)
    if len(document) != len(pairs):
        raise NotCanonical(reason="an object has the same key twice")
    return document


def _no_constant(name: str) -> Json:
    raise NotCanonical(reason=f"{name} is not JSON")


def _exact_integer(digits: str) -> int:
    if len(digits) > len(str(-JSON_INTEGER_MAX)):
        raise NotCanonical(reason="a whole number beyond 2^53 - 1 must be a string")
    return int(digits)


# --- digests --------------------------------------------------------------------------------------


def hasher(algorithm: DigestAlg) -> Hasher:
    """
    Return a digest in the making.

    :raises AlgorithmUnsupported: for NONE, or SM3 where OpenSSL was built without it
    """
    if algorithm is DigestAlg.SHA256:
        return hashlib.sha256()
    if algorithm is DigestAlg.KECCAK256:
        return keccak.new(b"")
    if algorithm is DigestAlg.SM3:
        return _Sm3()
    raise AlgorithmUnsupported(algorithm=algorithm.name)


def digest_of_bytes(data: bytes, algorithm: DigestAlg = DigestAlg.SHA256) -> Digest:
    """Return the digest of bytes."""
    making = hasher(algorithm)
    making.update(data)
    return Digest(bytes32(making.digest()), algorithm)


def digest_of_document(document: Json, algorithm: DigestAlg = DigestAlg.SHA256) -> Digest:
    """Return the digest of a document's canonical form."""
    return digest_of_bytes(canonical(document), algorithm)


def digest_of_file(path: Path, algorithm: DigestAlg = DigestAlg.SHA256) -> Digest:
    """Return the digest of a file of any size, reading a piece at a time."""
    making = hasher(algorithm)
    with path.open("rb") as file:
        while piece := file.read(READ_BYTES):
            making.update(piece)
    return Digest(bytes32(making.digest()), algorithm)


class _Sm3:
    """SM3 with the two methods of a Hasher."""

    def __init__(self) -> None:
        try:
            self._hash = hashes.Hash(hashes.SM3())
        except UnsupportedAlgorithm as error:
            raise AlgorithmUnsupported(algorithm=DigestAlg.SM3.name) from error

    def update(self, data: bytes, /) -> None:
        self._hash.update(data)

    def digest(self) -> bytes:
        return self._hash.copy().finalize()


# --- CIDs -----------------------------------------------------------------------------------------


def cid_of_digest(digest: Digest) -> Cid:
    """
    Return the CID of the one raw block that has this SHA-256, without having the block.

    :raises DigestNotAddressable: if the digest was made otherwise
    """
    if digest.algorithm is not DigestAlg.SHA256:
        raise DigestNotAddressable(digest=digest.value, algorithm=digest.algorithm.name)
    block_name = b32encode(_RAW_SHA256_PREFIX + raw(digest.value)).decode("ascii")
    return Cid("b" + block_name.rstrip("=").lower())


def digest_of_cid(cid: Cid) -> Digest:
    """
    Return the SHA-256 that a raw block's CID states.

    :raises CidInvalid: if it is any other CID; a UnixFS root does not tell its content's SHA-256
    """
    body = cid[1:].upper()
    try:
        name = b32decode(body + "=" * (-len(body) % 8))
    except ValueError as error:
        raise CidInvalid(cid=cid) from error
    digest = Digest(bytes32(name[4:])) if len(name) == 36 else None
    if digest is None or cid_of_digest(digest) != cid:
        raise CidInvalid(cid=cid)
    return digest
