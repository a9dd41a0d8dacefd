"""
Who can open a sealed file: its key, wrapped once per reader, in a sidecar that may grow.

Not here: the sealed file itself (`chain/sealing.py`), or who ought to read it.

A wrap is ECIES on secp256k1 in the byte form that eciespy and its TypeScript, Rust, Go and Java
sisters read: ephemeral public key 65 │ nonce 16 │ tag 16 │ ciphertext, AES-256-GCM under
HKDF-SHA256(ephemeral public key │ shared point). It is made here from coincurve and cryptography,
because eciespy draws its own randomness and a write that may be repeated must be able to store it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TypeAlias

import coincurve
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from chain.documents import Json
from chain.failure import Conflict, Forbidden, Invalid
from chain.values import Bytes32, HexBytes, PublicKey, bytes32, hex_bytes, raw

# Where random bytes come from: os.urandom, or what an outbox stored of an earlier attempt.
Rng: TypeAlias = Callable[[int], bytes]

KEY_BYTES = 32
_POINT_BYTES = 65
_NONCE_BYTES = 16
_TAG_BYTES = 16
_WRAP_BYTES = _POINT_BYTES + _NONCE_BYTES + _TAG_BYTES + KEY_BYTES
_SIDECAR_VERSION = 1
# A draw misses the curve's order once in 2^128; a source that misses this often is broken.
_DRAWS_MAX = 8


class PublicKeyInvalid(Invalid):
    """The encryption public key is not a point of secp256k1."""

    public_key: str


class PrivateKeyInvalid(Invalid):
    """The private key is not a scalar of secp256k1."""


class NotAReader(Forbidden):
    """The sealed content holds no wrap for this key."""

    reader: PublicKey


class AlreadyReader(Conflict):
    """The sealed content already has a wrap for this key."""

    reader: PublicKey


class SidecarInvalid(Invalid):
    """The sidecar of a sealed file is malformed."""

    reason: str


class SealBroken(Invalid):
    """The sealed content, or the key wrap, is not what its sealer made."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Wrap:
    """The content key as one reader alone can read it."""

    reader: PublicKey
    wrap: HexBytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Sidecar:
    """
    What lies beside a sealed file: the file's digest and the wraps, in the order readers came.

    shape: `digest` is the SHA-256 of the sealed bytes
    """

    digest: Bytes32
    wraps: tuple[Wrap, ...]

    @property
    def readers(self) -> tuple[PublicKey, ...]:
        """Return the public keys that have a wrap."""
        return tuple(wrap.reader for wrap in self.wraps)

    def to_document(self) -> Json:
        """Return the sidecar as JSON."""
        wraps = [{"reader": wrap.reader, "wrap": wrap.wrap} for wrap in self.wraps]
        return {"v": _SIDECAR_VERSION, "digest": self.digest, "wraps": wraps}

    @classmethod
    def from_document(cls, document: Json) -> Sidecar:
        """
        Return the sidecar that JSON describes.

        :raises SidecarInvalid: for anything missing, unknown, malformed or of another version
        """
        fields = _fields(document, {"v", "digest", "wraps"})
        if fields["v"] != _SIDECAR_VERSION or not isinstance(fields["wraps"], list | tuple):
            raise SidecarInvalid(reason="another version, or the wraps are no list")
        try:
            digest = bytes32(str(fields["digest"]))
            wraps = tuple(_wrap_of(wrap) for wrap in fields["wraps"])
        except SidecarInvalid:
            raise
        except Invalid as error:
            raise SidecarInvalid(reason=str(error)) from error
        if len({wrap.reader for wrap in wraps}) != len(wraps):
            raise SidecarInvalid(reason="a reader has two wraps")
        return cls(digest=digest, wraps=wraps)


def public_key(value: str | bytes) -> PublicKey:
    """
    Return an encryption public key in its one form, 33 bytes compressed.

    shape: takes 33 bytes, 65 bytes, or the 64 bytes of Ethereum's uncompressed form
    :raises PublicKeyInvalid: if it is no point of the curve
    """
    text = value if isinstance(value, str) else "0x" + value.hex()
    try:
        point = raw(text)
        return _format(coincurve.PublicKey(b"\x04" + point if len(point) == 64 else point))
    except (Invalid, ValueError) as error:
        raise PublicKeyInvalid(public_key=text) from error


def public_key_of(private_key: bytes) -> PublicKey:
    """
    Return the public key under which a private key's holder reads.

    :raises PrivateKeyInvalid: if it is no scalar of the curve
    """
    return _format(_private(private_key).public_key)


def wrap_key(key: bytes, *, reader: PublicKey, rng: Rng = os.urandom) -> Wrap:
    """
    Wrap a content key for one reader.

    :raises PublicKeyInvalid: if the reader's key is no point of the curve
    """
    reader = public_key(reader)
    ephemeral = _draw(rng)
    point = ephemeral.public_key.format(compressed=False)
    nonce = rng(_NONCE_BYTES)
    shared = coincurve.PublicKey(raw(reader)).multiply(ephemeral.secret)
    sealed = AESGCM(_derive(point, shared)).encrypt(nonce, key, None)
    ciphertext, tag = sealed[:-_TAG_BYTES], sealed[-_TAG_BYTES:]
    return Wrap(reader=reader, wrap=hex_bytes(point + nonce + tag + ciphertext))


def unwrap_key(sidecar: Sidecar, private_key: bytes) -> bytes:
    """
    Return the content key.

    :raises NotAReader: if the sidecar has no wrap for this private key
    :raises SealBroken: if the wrap was tampered with
    """
    reader = public_key_of(private_key)
    found = next((wrap.wrap for wrap in sidecar.wraps if wrap.reader == reader), None)
    if found is None:
        raise NotAReader(reader=reader)
    wrap = raw(found)
    point, nonce = wrap[:_POINT_BYTES], wrap[_POINT_BYTES : _POINT_BYTES + _NONCE_BYTES]
    tag, ciphertext = wrap[-KEY_BYTES - _TAG_BYTES : -KEY_BYTES], wrap[-KEY_BYTES:]
    try:
        shared = coincurve.PublicKey(point).multiply(_private(private_key).secret)
        return AESGCM(_derive(point, shared)).decrypt(nonce, ciphertext + tag, None)
    except (ValueError, InvalidTag) as error:
        raise SealBroken(reason="the key wrap does not open") from error


def add_reader(
    sidecar: Sidecar, *, private_key: bytes, reader: PublicKey, rng: Rng = os.urandom
) -> Sidecar:
    """
    Return the sidecar with one reader more; the sealed file and its digest stay as they are.

    :raises NotAReader: if the private key's holder does not read the content
    :raises AlreadyReader: if the new reader already does
    """
    reader = public_key(reader)
    if reader in sidecar.readers:
        raise AlreadyReader(reader=reader)
    wrap = wrap_key(unwrap_key(sidecar, private_key), reader=reader, rng=rng)
    return replace(sidecar, wraps=(*sidecar.wraps, wrap))


def drop_reader(sidecar: Sidecar, *, reader: PublicKey) -> Sidecar:
    """
    Return the sidecar without a reader's wrap, as when a key was rotated: what was read stays read.

    :raises NotAReader: if there is no such wrap
    """
    reader = public_key(reader)
    if reader not in sidecar.readers:
        raise NotAReader(reader=reader)
    return replace(sidecar, wraps=tuple(wrap for wrap in sidecar.wraps if wrap.reader != reader))


def _fields(document: Json, names: set[str]) -> Mapping[str, Json]:
    if not isinstance(document, Mapping) or set(document) != names:
        raise SidecarInvalid(reason=f"expected exactly {', '.join(sorted(names))}")
    return document


def _wrap_of(document: Json) -> Wrap:
    fields = _fields(document, {"reader", "wrap"})
    wrap = Wrap(reader=public_key(str(fields["reader"])), wrap=hex_bytes(str(fields["wrap"])))
    if len(raw(wrap.wrap)) != _WRAP_BYTES:
        raise SidecarInvalid(reason=f"a wrap is {_WRAP_BYTES} bytes")
    return wrap


def _format(point: coincurve.PublicKey) -> PublicKey:
    return PublicKey(hex_bytes(point.format(compressed=True)))


def _private(private_key: bytes) -> coincurve.PrivateKey:
    try:
        if len(private_key) != KEY_BYTES:
            raise ValueError(f"{len(private_key)=}")
        return coincurve.PrivateKey(private_key)
    except ValueError:
        # The cause may quote the key, so it is not chained.
        raise PrivateKeyInvalid() from None


def _draw(rng: Rng) -> coincurve.PrivateKey:
    for _ in range(_DRAWS_MAX):
        try:
            return _private(rng(KEY_BYTES))
        except PrivateKeyInvalid:
            continue
    raise ValueError("the source of randomness yields no private key")


def _derive(point: bytes, shared: coincurve.PublicKey) -> bytes:
    master = point + shared.format(compressed=False)
    return HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=None).derive(master)
