"""Key wraps: readable by eciespy and its sisters, tamper-evident, added and dropped by readers."""

from collections.abc import Callable
from typing import Any

import ecies
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chain.documents import Json, canonical, parse_canonical
from chain.readers import (
    KEY_BYTES,
    AlreadyReader,
    NotAReader,
    PrivateKeyInvalid,
    PublicKeyInvalid,
    SealBroken,
    Sidecar,
    SidecarInvalid,
    Wrap,
    add_reader,
    drop_reader,
    public_key,
    public_key_of,
    unwrap_key,
    wrap_key,
)
from chain.values import Bytes32, PublicKey, bytes32, hex_bytes, raw

READER, OTHER, STRANGER = (bytes([number]) * 32 for number in (1, 2, 3))
KEY = bytes(range(KEY_BYTES))
DIGEST = bytes32(bytes(32))
# The order of secp256k1 (SEC 2, 2.4.1): the first number that is no private key.
ORDER = bytes.fromhex("fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141")


def sidecar_of(*private_keys: bytes) -> Sidecar:
    wraps = tuple(wrap_key(KEY, reader=public_key_of(private)) for private in private_keys)
    return Sidecar(digest=DIGEST, wraps=wraps)


class TestWrapKey:
    @given(st.binary(min_size=KEY_BYTES, max_size=KEY_BYTES))
    def test_is_read_by_eciespy(self, key: bytes) -> None:
        wrap = wrap_key(key, reader=public_key_of(READER))

        assert ecies.decrypt(READER, raw(wrap.wrap)) == key

    @given(st.binary(min_size=KEY_BYTES, max_size=KEY_BYTES))
    def test_by_eciespy_is_read_by_us(self, key: bytes) -> None:
        reader = public_key_of(READER)
        wrap = Wrap(reader=reader, wrap=hex_bytes(ecies.encrypt(raw(reader), key)))

        assert unwrap_key(Sidecar(digest=DIGEST, wraps=(wrap,)), READER) == key

    def test_differs_each_time_unless_its_randomness_was_stored(self) -> None:
        reader = public_key_of(READER)

        assert wrap_key(KEY, reader=reader) != wrap_key(KEY, reader=reader)
        assert wrap_key(KEY, reader=reader, rng=lambda size: b"\x05" * size) == (
            wrap_key(KEY, reader=reader, rng=lambda size: b"\x05" * size)
        )

    def test_draws_again_when_a_draw_is_no_key(self) -> None:
        draws = iter([bytes(32), ORDER])

        def rng(size: int) -> bytes:
            return next(draws, b"\x05" * size)

        wrap = wrap_key(KEY, reader=public_key_of(READER), rng=rng)

        assert ecies.decrypt(READER, raw(wrap.wrap)) == KEY

    def test_stops_when_the_source_of_randomness_is_broken(self) -> None:
        with pytest.raises(ValueError, match="randomness"):
            wrap_key(KEY, reader=public_key_of(READER), rng=bytes)

    @pytest.mark.parametrize("text", ["", "0x02", "0x02" + "ff" * 32, "0x" + "00" * 64, "key"])
    def test_refuses_a_reader_that_is_no_point(self, text: str) -> None:
        with pytest.raises(PublicKeyInvalid):
            wrap_key(KEY, reader=PublicKey(text))


class TestUnwrapKey:
    def test_gives_each_reader_the_key(self) -> None:
        sidecar = sidecar_of(READER, OTHER)

        assert unwrap_key(sidecar, READER) == unwrap_key(sidecar, OTHER) == KEY

    def test_refuses_a_stranger(self) -> None:
        with pytest.raises(NotAReader):
            unwrap_key(sidecar_of(READER), STRANGER)

    def test_refuses_any_flipped_bit(self) -> None:
        sidecar = sidecar_of(READER)
        wrap = raw(sidecar.wraps[0].wrap)
        for place in range(len(wrap)):
            for bit in range(8):
                changed = bytearray(wrap)
                changed[place] ^= 1 << bit
                tampered = Wrap(reader=sidecar.wraps[0].reader, wrap=hex_bytes(bytes(changed)))
                with pytest.raises(SealBroken):
                    unwrap_key(Sidecar(digest=DIGEST, wraps=(tampered,)), READER)

    @pytest.mark.parametrize("private_key", [b"", bytes(31), bytes(32), bytes(33), ORDER])
    def test_refuses_what_is_no_private_key_without_repeating_it(self, private_key: bytes) -> None:
        with pytest.raises(PrivateKeyInvalid) as caught:
            unwrap_key(sidecar_of(READER), private_key)

        assert str(caught.value) == "The private key is not a scalar of secp256k1."
        assert caught.value.__cause__ is None


class TestAddReader:
    def test_lets_one_more_read_and_leaves_the_digest(self) -> None:
        """The supervising regulator may be let in later, and its key may be rotated."""
        sidecar = add_reader(sidecar_of(READER), private_key=READER, reader=public_key_of(OTHER))

        assert sidecar.digest == DIGEST
        assert sidecar.readers == (public_key_of(READER), public_key_of(OTHER))
        assert unwrap_key(sidecar, OTHER) == KEY

    def test_is_for_readers_only(self) -> None:
        with pytest.raises(NotAReader):
            add_reader(sidecar_of(READER), private_key=STRANGER, reader=public_key_of(STRANGER))

    def test_refuses_who_reads_already(self) -> None:
        with pytest.raises(AlreadyReader):
            add_reader(sidecar_of(READER), private_key=READER, reader=public_key_of(READER))


class TestDropReader:
    def test_takes_one_wrap_away(self) -> None:
        sidecar = drop_reader(sidecar_of(READER, OTHER), reader=public_key_of(READER))

        assert sidecar.readers == (public_key_of(OTHER),)
        with pytest.raises(NotAReader):
            unwrap_key(sidecar, READER)

    def test_refuses_who_is_no_reader(self) -> None:
        with pytest.raises(NotAReader):
            drop_reader(sidecar_of(READER), reader=public_key_of(STRANGER))


class TestSidecar:
    def test_comes_back_from_json(self) -> None:
        sidecar = sidecar_of(READER, OTHER)

        assert Sidecar.from_document(parse_canonical(canonical(sidecar.to_document()))) == sidecar

    @pytest.mark.parametrize(
        "alter",
        [
            lambda document: document.pop("digest"),
            lambda document: document.update(more=1),
            lambda document: document.update(v=2),
            lambda document: document.update(wraps={}),
            lambda document: document.update(digest="0x00"),
            lambda document: document["wraps"].append(document["wraps"][0]),
            lambda document: document["wraps"].append({}),
            lambda document: document["wraps"].append("text"),
            lambda document: document["wraps"][0].update(wrap="0x00"),
            lambda document: document["wraps"][0].update(wrap="xyz"),
            lambda document: document["wraps"][0].update(reader="0x00"),
            lambda document: document["wraps"][0].update(more=1),
        ],
    )
    def test_refuses_json_that_is_no_sidecar(self, alter: Callable[[Any], object]) -> None:
        document: Any = parse_canonical(canonical(sidecar_of(READER).to_document()))
        alter(document)

        with pytest.raises(SidecarInvalid):
            Sidecar.from_document(document)

    @pytest.mark.parametrize("document", [None, [], "text", 1])
    def test_refuses_json_that_is_no_object(self, document: Json) -> None:
        with pytest.raises(SidecarInvalid):
            Sidecar.from_document(document)


class TestPublicKeyOf:
    @given(st.integers(1, 2**255))
    def test_is_one_that_is_read_back(self, number: int) -> None:
        reader = public_key_of(number.to_bytes(32, "big"))

        assert public_key(reader) == reader
        assert len(raw(Bytes32(reader))) == 33
