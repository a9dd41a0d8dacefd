"""Sealed content: read by its readers, refused when a single bit is not as it was sealed."""

import hashlib
import struct
import tracemalloc
from collections.abc import Callable, Sequence
from io import BytesIO
from itertools import count
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given
from hypothesis import strategies as st

from chain.readers import (
    KEY_BYTES,
    NotAReader,
    SealBroken,
    Sidecar,
    public_key,
    public_key_of,
    unwrap_key,
)
from chain.sealing import (
    CHUNK_BYTES,
    CHUNK_BYTES_MAX,
    CHUNK_BYTES_MIN,
    ReadersMissing,
    Sealed,
    SourceChanged,
    commitment_of,
    open_bytes,
    open_file,
    open_sealed,
    seal,
    seal_bytes,
    seal_file,
)
from chain.values import PublicKey, bytes32, raw

READER, OTHER, STRANGER = (bytes([number]) * 32 for number in (1, 2, 3))
READERS = [public_key_of(READER)]
HEADER_BYTES = 45
# Three chunks of the smallest size: 32 bytes of salt and 32 of content, 64, and 1.
PLAIN = bytes(range(97))


def counting_rng(first: int = 0) -> Callable[[int], bytes]:
    """Return a source whose draws all differ and can be drawn again."""
    number = count(first)
    return lambda size: hashlib.sha512(str(next(number)).encode()).digest()[:size]


def seal_small(
    plain: bytes = PLAIN, *, first: int = 0, readers: Sequence[PublicKey] = tuple(READERS)
) -> tuple[bytes, Sealed]:
    target = BytesIO()
    sealed = seal(
        BytesIO(plain),
        target,
        readers=readers,
        rng=counting_rng(first),
        chunk_bytes=CHUNK_BYTES_MIN,
    )
    return target.getvalue(), sealed


def reopen(data: bytes, sidecar: Sidecar, private_key: bytes = READER) -> bytes:
    """Open bytes under a sidecar made to fit them, so that the chunks alone must refuse."""
    fitting = Sidecar(digest=bytes32(hashlib.sha256(data).digest()), wraps=sidecar.wraps)
    return open_bytes(data, sidecar=fitting, private_key=private_key)


def chunks_of(data: bytes) -> list[bytes]:
    size = CHUNK_BYTES_MIN + 16
    return [data[place : place + size] for place in range(HEADER_BYTES, len(data), size)]


def seal_by_hand(stream: bytes, commitment: bytes, key: bytes) -> bytes:
    """Seal as the format's drawing says, without the code under test."""
    header = b"SHULSEAL" + b"\x01" + (64).to_bytes(4, "big") + commitment
    pieces = [stream[place : place + 64] for place in range(0, len(stream), 64)] or [b""]
    sealed = header
    for number, piece in enumerate(pieces):
        last = number == len(pieces) - 1
        place = number.to_bytes(8, "big")
        sealed += AESGCM(key).encrypt(bytes(4) + place, piece, header + place + bytes([last]))
    return sealed


class TestSeal:
    @given(st.binary(max_size=400), st.integers(CHUNK_BYTES_MIN, 200))
    def test_gives_back_the_content_to_its_reader(self, plain: bytes, chunk_bytes: int) -> None:
        sealed_file, opened_file = BytesIO(), BytesIO()

        sealed = seal(BytesIO(plain), sealed_file, readers=READERS, chunk_bytes=chunk_bytes)
        sealed_file.seek(0)
        opened = open_sealed(sealed_file, opened_file, sidecar=sealed.sidecar, private_key=READER)

        assert opened_file.getvalue() == plain
        assert opened.size_bytes == len(plain)
        assert sealed.size_bytes == len(sealed_file.getvalue())

    @pytest.mark.parametrize("extra", [-33, -32, -31, -1, 0, 1])
    def test_closes_at_every_edge_of_a_chunk(self, extra: int) -> None:
        plain = bytes(2 * CHUNK_BYTES + extra)

        data, sealed = seal_bytes(plain, readers=READERS)

        assert open_bytes(data, sidecar=sealed.sidecar, private_key=READER) == plain

    def test_is_as_the_format_is_drawn(self) -> None:
        data, sealed = seal_small()
        key, salt = counting_rng()(KEY_BYTES), hashlib.sha512(b"1").digest()[:32]
        commitment = hashlib.sha256(salt + hashlib.sha256(PLAIN).digest()).digest()

        assert data == seal_by_hand(salt + PLAIN, commitment, key)
        assert sealed.sidecar.digest == bytes32(hashlib.sha256(data).digest())

    def test_tells_nothing_of_equal_contents(self) -> None:
        """S-04: the digest on chain of a sealed document does not tell what it says."""
        (one, first), (other, second) = (seal_bytes(PLAIN, readers=READERS) for _ in range(2))

        assert first.sidecar.digest != second.sidecar.digest
        assert first.commitment != second.commitment
        assert one[HEADER_BYTES:] != other[HEADER_BYTES:]
        assert PLAIN[:16] not in one

    def test_with_stored_randomness_gives_the_same_bytes_again(self) -> None:
        """A write that is repeated after a crash must name the same sealed bytes."""
        assert seal_small(first=7) == seal_small(first=7)
        assert seal_small(first=7) != seal_small(first=8)

    def test_wraps_once_for_a_reader_named_in_two_forms(self) -> None:
        point = raw(READERS[0])
        twice = [READERS[0], PublicKey("0x" + point.hex().upper())]

        _, sealed = seal_small(readers=twice)

        assert sealed.sidecar.readers == (READERS[0],)

    def test_for_nobody_is_refused(self) -> None:
        with pytest.raises(ReadersMissing):
            seal_bytes(PLAIN, readers=[])

    @pytest.mark.parametrize("chunk_bytes", [0, CHUNK_BYTES_MIN - 1, CHUNK_BYTES_MAX + 1])
    def test_refuses_a_chunk_size_that_no_reader_takes(self, chunk_bytes: int) -> None:
        with pytest.raises(ValueError, match="chunk_bytes"):
            seal(BytesIO(PLAIN), BytesIO(), readers=READERS, chunk_bytes=chunk_bytes)

    def test_refuses_content_that_changes_meanwhile(self) -> None:
        class Changing(BytesIO):
            def seek(self, place: int, whence: int = 0) -> int:
                self.getbuffer()[0] ^= 1
                return super().seek(place, whence)

        with pytest.raises(SourceChanged):
            seal(Changing(PLAIN), BytesIO(), readers=READERS)


class TestOpen:
    def test_tells_what_proves_the_content_to_others(self) -> None:
        data, sealed = seal_small()

        opened = open_sealed(BytesIO(data), BytesIO(), sidecar=sealed.sidecar, private_key=READER)

        assert opened.plain_digest == bytes32(hashlib.sha256(PLAIN).digest())
        assert opened.commitment == sealed.commitment
        assert commitment_of(salt=opened.salt, plain_digest=opened.plain_digest) == (
            sealed.commitment
        )

    def test_refuses_who_is_no_reader(self) -> None:
        data, sealed = seal_small()

        with pytest.raises(NotAReader) as caught:
            open_bytes(data, sidecar=sealed.sidecar, private_key=STRANGER)

        assert caught.value.reader == public_key_of(STRANGER)

    def test_refuses_any_flipped_bit(self) -> None:
        data, sealed = seal_small()
        for place in range(len(data)):
            for bit in range(8):
                altered = bytearray(data)
                altered[place] ^= 1 << bit
                with pytest.raises(SealBroken):
                    reopen(bytes(altered), sealed.sidecar)

    def test_refuses_any_truncation(self) -> None:
        data, sealed = seal_small()
        for size_bytes in range(len(data)):
            with pytest.raises(SealBroken):
                reopen(data[:size_bytes], sealed.sidecar)

    @given(st.binary(min_size=1, max_size=200))
    def test_refuses_any_extension(self, more: bytes) -> None:
        data, sealed = seal_small()

        with pytest.raises(SealBroken):
            reopen(data + more, sealed.sidecar)

    @pytest.mark.parametrize(
        "order", [(1, 0, 2), (0, 2), (0, 1), (0, 0, 1, 2), (0, 1, 1, 2), (0, 1, 2, 2), (2,), (0,)]
    )
    def test_refuses_chunks_moved_dropped_or_repeated(self, order: tuple[int, ...]) -> None:
        data, sealed = seal_small()
        chunks = chunks_of(data)

        with pytest.raises(SealBroken):
            reopen(data[:HEADER_BYTES] + b"".join(chunks[n] for n in order), sealed.sidecar)

    def test_refuses_a_chunk_of_another_file_under_the_same_key(self) -> None:
        data, sealed = seal_small()
        other, _ = seal_small(PLAIN[::-1])
        mixed = [*chunks_of(data)[:1], *chunks_of(other)[1:]]

        with pytest.raises(SealBroken):
            reopen(data[:HEADER_BYTES] + b"".join(mixed), sealed.sidecar)

    @pytest.mark.parametrize(
        "chunk_bytes", [0, CHUNK_BYTES_MIN - 1, CHUNK_BYTES_MAX + 1, 2**32 - 1]
    )
    def test_refuses_a_chunk_size_that_would_fill_memory(self, chunk_bytes: int) -> None:
        data, sealed = seal_small()
        altered = data[:9] + struct.pack(">I", chunk_bytes) + data[13:]

        with pytest.raises(SealBroken, match="chunk size"):
            reopen(altered, sealed.sidecar)

    def test_refuses_content_that_the_sealer_did_not_commit_to(self) -> None:
        _, sealed = seal_small()
        key = unwrap_key(sealed.sidecar, READER)

        with pytest.raises(SealBroken, match="commits"):
            reopen(seal_by_hand(bytes(32) + PLAIN, bytes(32), key), sealed.sidecar)

    @pytest.mark.parametrize("stream", [b"", bytes(31)])
    def test_refuses_a_seal_without_its_salt(self, stream: bytes) -> None:
        _, sealed = seal_small()
        key = unwrap_key(sealed.sidecar, READER)

        with pytest.raises(SealBroken, match="salt"):
            reopen(seal_by_hand(stream, bytes(32), key), sealed.sidecar)

    def test_refuses_the_sidecar_of_another_file(self) -> None:
        data, sealed = seal_small()
        sidecar = Sidecar(digest=bytes32(bytes(32)), wraps=sealed.sidecar.wraps)

        with pytest.raises(SealBroken, match="another file"):
            open_bytes(data, sidecar=sidecar, private_key=READER)


class TestFiles:
    def test_come_back_as_they_were(self, tmp_path: Path) -> None:
        plain, sealed_path, opened = (tmp_path / name for name in ("plain", "sealed", "opened"))
        plain.write_bytes(PLAIN * 10_000)

        sealed = seal_file(plain, sealed_path, readers=[*READERS, public_key_of(OTHER)])
        open_file(sealed_path, opened, sidecar=sealed.sidecar, private_key=OTHER)

        assert opened.read_bytes() == plain.read_bytes()
        assert sealed_path.stat().st_size == sealed.size_bytes

    def test_leave_nothing_in_clear_when_the_last_byte_is_wrong(self, tmp_path: Path) -> None:
        plain, sealed_path = tmp_path / "plain", tmp_path / "sealed"
        plain.write_bytes(PLAIN * 10_000)
        sealed = seal_file(plain, sealed_path, readers=READERS)
        data = sealed_path.read_bytes()
        sealed_path.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))

        with pytest.raises(SealBroken):
            open_file(sealed_path, tmp_path / "opened", sidecar=sealed.sidecar, private_key=READER)

        assert {path.name for path in tmp_path.iterdir()} == {"plain", "sealed"}

    def test_hold_little_in_memory_whatever_the_size(self, tmp_path: Path) -> None:
        plain, sealed_path, opened = (tmp_path / name for name in ("plain", "sealed", "opened"))
        with plain.open("wb") as file:
            file.truncate(32 << 20)

        tracemalloc.start()
        sealed = seal_file(plain, sealed_path, readers=READERS)
        open_file(sealed_path, opened, sidecar=sealed.sidecar, private_key=READER)
        peak_bytes = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()

        assert peak_bytes < 2 << 20


class TestPublicKey:
    def test_of_every_form_is_the_compressed_one(self) -> None:
        """The vector is the curve's own base point (SEC 2, 2.4.1), the key of the number one."""
        x = "79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"
        y = "483ada7726a3c4655da4fbfc0e1108a8fd17b448a68554199c47d08ffb10d4b8"

        for form in ("02" + x, "04" + x + y, x + y):
            assert public_key("0x" + form) == public_key(bytes.fromhex(form)) == "0x02" + x
        assert public_key_of((1).to_bytes(32, "big")) == "0x02" + x
