"""Documents: RFC 8785 to the letter, digests in three algorithms, CIDs both ways."""

import hashlib
import json
import struct
from collections.abc import Mapping
from enum import IntEnum
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from hypothesis import given
from hypothesis import strategies as st

from chain.codes import DigestAlg
from chain.documents import (
    DOCUMENT_BYTES_MAX,
    DOCUMENT_DEPTH_MAX,
    AlgorithmUnsupported,
    Cid,
    CidInvalid,
    Digest,
    DigestNotAddressable,
    DocumentInvalid,
    DocumentTooLarge,
    Json,
    NotCanonical,
    canonical,
    cid_of_digest,
    digest_of_bytes,
    digest_of_cid,
    digest_of_document,
    digest_of_file,
    parse_canonical,
)
from chain.values import Bytes32, HexInvalid, bytes32

EXACT = 2**53 - 1
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
NUMBERS = st.integers(-EXACT, EXACT) | st.floats(-1e15, 1e15) | st.floats(1e21, 1e300)
DOCUMENTS = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS,
    lambda children: st.lists(children, max_size=4) | st.dictionaries(TEXTS, children, max_size=4),
    max_leaves=20,
)

# RFC 8785, appendix B: IEEE 754 bits and their canonical form.
NUMBER_VECTORS = [
    ("0000000000000000", "0"),
    ("8000000000000000", "0"),
    ("0000000000000001", "5e-324"),
    ("8000000000000001", "-5e-324"),
    ("7fefffffffffffff", "1.7976931348623157e+308"),
    ("ffefffffffffffff", "-1.7976931348623157e+308"),
    ("44b52d02c7e14af5", "9.999999999999997e+22"),
    ("44b52d02c7e14af6", "1e+23"),
    ("44b52d02c7e14af7", "1.0000000000000001e+23"),
    ("444b1ae4d6e2ef50", "1e+21"),
    ("3eb0c6f7a0b5ed8c", "9.999999999999997e-7"),
    ("3eb0c6f7a0b5ed8d", "0.000001"),
    ("41b3de4355555553", "333333333.3333332"),
    ("41b3de4355555554", "333333333.33333325"),
    ("41b3de4355555555", "333333333.3333333"),
    ("41b3de4355555556", "333333333.3333334"),
    ("41b3de4355555557", "333333333.33333343"),
    ("becbf647612f3696", "-0.0000033333333333333333"),
    ("43143ff3c1cb0959", "1424953923781206.2"),
]
# The same appendix's whole numbers beyond 2^53 - 1, which we refuse, and what is no number at all.
NUMBERS_REFUSED = [
    "4340000000000000",
    "c340000000000000",
    "4430000000000000",
    "444b1ae4d6e2ef4e",
    "444b1ae4d6e2ef4f",
    "7fffffffffffffff",
    "7ff0000000000000",
    "fff0000000000000",
]


class Colour(IntEnum):
    RED = 1


def number(bits: str) -> float:
    value: float = struct.unpack(">d", bytes.fromhex(bits))[0]
    return value


def nested(levels: int) -> Json:
    document: Json = 1
    for _ in range(levels):
        document = [document]
    return document


class TestCanonical:
    def test_gives_the_sample_of_the_standard(self) -> None:
        """RFC 8785 §3.2.2 and §3.2.4."""
        document = json.loads(
            r"""{"numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
            "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/",
            "literals": [null, true, false]}"""
        )

        assert (
            canonical(document)
            == (
                '{"literals":[null,true,false],'
                '"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],'
                '"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}'
            ).encode()
        )

    def test_orders_keys_as_the_standard_does(self) -> None:
        """RFC 8785 §3.2.3: by UTF-16 code units, so that an emoji comes before דּ."""
        keys = ["\u20ac", "\r", "\ufb33", "1", "\x80", "\U0001f600", "\u00f6"]

        ordered = json.loads(canonical(dict.fromkeys(keys))).keys()

        assert list(ordered) == ["\r", "1", "\x80", "\u00f6", "\u20ac", "\U0001f600", "\ufb33"]

    @pytest.mark.parametrize(("bits", "text"), NUMBER_VECTORS)
    def test_writes_numbers_as_the_standard_does(self, bits: str, text: str) -> None:
        assert canonical(number(bits)) == text.encode()

    @pytest.mark.parametrize("bits", NUMBERS_REFUSED)
    def test_refuses_numbers_that_readers_differ_on(self, bits: str) -> None:
        with pytest.raises(DocumentInvalid):
            canonical(number(bits))

    @pytest.mark.parametrize("whole", [EXACT + 1, -EXACT - 1, 10**400])
    def test_refuses_whole_numbers_beyond_2_to_the_53(self, whole: int) -> None:
        with pytest.raises(DocumentInvalid, match="write a string"):
            canonical({"price": whole})

    def test_writes_the_largest_exact_whole_numbers(self) -> None:
        assert canonical([EXACT, -EXACT]) == f"[{EXACT},{-EXACT}]".encode()

    @pytest.mark.parametrize(
        ("document", "path"),
        [
            ({"a": [1, {"b": {1, 2}}]}, "/a/1/b"),
            ({"a": b"bytes"}, "/a"),
            ({"a": Colour.RED}, "/a"),
            ({"a": {1: "one"}}, "/a"),
            ({"a": "\ud800"}, "/a"),
            ({"\ud800": 1}, ""),
            ([float("nan")], "/0"),
        ],
    )
    def test_names_the_place_it_refuses(self, document: Any, path: str) -> None:
        with pytest.raises(DocumentInvalid) as caught:
            canonical(document)

        assert caught.value.path == path

    def test_takes_read_only_mappings_and_tuples(self) -> None:
        document: Mapping[str, Json] = MappingProxyType({"b": (1, 2), "a": None})

        assert canonical(document) == b'{"a":null,"b":[1,2]}'

    def test_refuses_a_document_beyond_one_block(self) -> None:
        assert len(canonical("a" * (DOCUMENT_BYTES_MAX - 2))) == DOCUMENT_BYTES_MAX
        with pytest.raises(DocumentTooLarge):
            canonical("a" * (DOCUMENT_BYTES_MAX - 1))

    def test_refuses_a_document_too_deep(self) -> None:
        assert canonical(nested(DOCUMENT_DEPTH_MAX)).startswith(b"[[")
        with pytest.raises(DocumentInvalid, match="deeper"):
            canonical(nested(DOCUMENT_DEPTH_MAX + 1))


class TestParseCanonical:
    @given(DOCUMENTS)
    def test_comes_back_as_the_same_bytes(self, document: Json) -> None:
        encoded = canonical(document)

        assert canonical(parse_canonical(encoded)) == encoded
        assert parse_canonical(encoded) == json.loads(encoded)

    @given(DOCUMENTS, st.data())
    def test_refuses_any_other_writing_of_the_same_document(
        self, document: Json, data: st.DataObject
    ) -> None:
        encoded = canonical(document)
        place = data.draw(st.integers(0, len(encoded)))
        other = encoded[:place] + b" " + encoded[place:]
        try:
            parsed = parse_canonical(other)
        except NotCanonical:
            return

        # The space fell into a string, which makes it another document.
        assert canonical(parsed) == other != encoded

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "{",
            '{"a":1,"a":1}',
            '{"a":1,"a":2}',
            '{"b":1,"a":2}',
            "[1, 2]",
            "1.0",
            "1e0",
            "-0",
            "01",
            "NaN",
            "Infinity",
            "1e400",
            "9007199254740992",
            "1" * 5000,
            '"\\u0041"',
            '"\\ud800"',
            '"\\/"',
            "\ufeff1",
            "1\n",
            "[" * 100 + "]" * 100,
            "[" * 100_000,
            "'a'",
        ],
    )
    def test_refuses_what_is_not_the_one_form(self, text: str) -> None:
        with pytest.raises(NotCanonical):
            parse_canonical(text.encode())

    @pytest.mark.parametrize("data", [b'"\xff"', b'"\xed\xa0\x80"'])
    def test_refuses_what_is_not_utf_8(self, data: bytes) -> None:
        with pytest.raises(NotCanonical):
            parse_canonical(data)

    def test_refuses_more_than_one_block_before_reading_it(self) -> None:
        with pytest.raises(DocumentTooLarge):
            parse_canonical(b" " * (DOCUMENT_BYTES_MAX + 1))


class TestDigest:
    @pytest.mark.parametrize(
        ("algorithm", "value"),
        [
            # FIPS 180-4
            (
                DigestAlg.SHA256,
                "0xba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
            ),
            # GB/T 32905-2016, appendix A.1 (S-01)
            (
                DigestAlg.SM3,
                "0x66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0",
            ),
            (
                DigestAlg.KECCAK256,
                "0x4e03657aea45a94fc7d47ba826c8d667c0d1e6e33a64a036ec44f58fa12d6c45",
            ),
        ],
    )
    def test_of_abc_is_the_published_one(self, algorithm: DigestAlg, value: str) -> None:
        assert digest_of_bytes(b"abc", algorithm) == Digest(bytes32(value), algorithm)

    @pytest.mark.parametrize("value", ["", "0x00", "0x" + "AB" * 32, "0x" + "../" * 21 + "."])
    def test_is_32_bytes_in_lower_case_or_refused(self, value: str) -> None:
        with pytest.raises(HexInvalid):
            Digest(Bytes32(value))

    def test_in_no_algorithm_is_refused(self) -> None:
        with pytest.raises(AlgorithmUnsupported):
            digest_of_bytes(b"abc", DigestAlg.NONE)

    def test_in_sm3_is_refused_where_openssl_lacks_it(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def lacking(_: object) -> None:
            raise UnsupportedAlgorithm("sm3")

        monkeypatch.setattr(hashes, "Hash", lacking)

        with pytest.raises(AlgorithmUnsupported, match="SM3"):
            digest_of_bytes(b"abc", DigestAlg.SM3)

    @pytest.mark.parametrize("algorithm", list(DigestAlg)[1:])
    def test_of_a_file_is_that_of_its_bytes(self, algorithm: DigestAlg, tmp_path: Path) -> None:
        path = tmp_path / "data"
        path.write_bytes(bytes(range(256)) * 4000)

        assert digest_of_file(path, algorithm) == digest_of_bytes(path.read_bytes(), algorithm)

    def test_of_a_document_is_that_of_its_canonical_form(self) -> None:
        expected = "0x" + hashlib.sha256(b'{"a":2,"b":1}').hexdigest()

        assert digest_of_document({"b": 1, "a": 2}).value == expected


class TestCid:
    @pytest.mark.parametrize(
        ("data", "cid"),
        [
            (b"hello world", "bafkreifzjut3te2nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e"),
            (b"", "bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku"),
        ],
    )
    def test_is_the_one_that_ipfs_gives_a_raw_block(self, data: bytes, cid: str) -> None:
        assert cid_of_digest(digest_of_bytes(data)) == cid

    @given(st.binary(min_size=32, max_size=32))
    def test_comes_back_as_the_digest(self, value: bytes) -> None:
        digest = Digest(bytes32(value))

        assert digest_of_cid(cid_of_digest(digest)) == digest

    @pytest.mark.parametrize(
        "cid",
        [
            "",
            "b",
            "QmdfTbBqBPQ7VNxZEYEj14VmRuZBkqFbiwReogJgS1zR1n",
            "bafybeihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku",
            "bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyk",
            "bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvykv",
            "BAFKREIHDWDCEFGH4DQKJV67UZCMW7OJEE6XEDZDETOJUZJEVTENXQUVYKU",
            "zb2rhe5P4gXftAwvA4eXQ5HJwsER2owDyS9sKaQRRVQPn93bA",
            "bé",
        ],
    )
    def test_of_another_kind_is_refused(self, cid: str) -> None:
        with pytest.raises(CidInvalid):
            digest_of_cid(Cid(cid))

    def test_needs_a_sha_256(self) -> None:
        with pytest.raises(DigestNotAddressable):
            cid_of_digest(digest_of_bytes(b"abc", DigestAlg.SM3))
