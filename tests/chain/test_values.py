"""Ids exactly as the contracts make them; hex, fen and credit codes, and every refusal."""

import hashlib
import subprocess
import sys

import pytest
from eth_abi.abi import encode
from eth_utils.crypto import keccak as keccak_elsewhere
from hypothesis import given
from hypothesis import strategies as st

from chain import values
from chain.values import (
    FEN_MAX,
    AccountNameInvalid,
    Address,
    AmountInvalid,
    BusinessKeyEmpty,
    Bytes32,
    ChecksumInvalid,
    FenOutOfRange,
    HexInvalid,
    ParticipantId,
    UsccInvalid,
    WordInvalid,
    YuanTooFine,
    account_name,
    act_id,
    address,
    asset_id,
    bytes32,
    check_fen,
    check_uscc,
    checksum_address,
    fen_from_yuan,
    hex_bytes,
    keccak,
    make_uscc,
    parse_account_name,
    participant_id,
    raw,
    salt_of,
    uscc_digest,
    yuan_from_fen,
)

ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
PREFIXES = st.text(ALPHABET, min_size=17, max_size=17)
WORDS = st.binary(min_size=32, max_size=32)
# Published codes of real companies.
CODES = ["91330100799655058B", "9144030071526726XG", "914403001922038216"]
# The four examples of EIP-55.
CHECKSUMS = [
    "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
    "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359",
    "0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB",
    "0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb",
]


class TestHex:
    @given(st.binary(max_size=80))
    def test_comes_back_as_the_same_bytes(self, data: bytes) -> None:
        assert raw(hex_bytes(data)) == data
        assert hex_bytes(hex_bytes(data).upper()) == hex_bytes(data)

    @given(st.binary(max_size=40).filter(lambda data: len(data) not in (20, 32)))
    def test_refuses_another_length(self, data: bytes) -> None:
        with pytest.raises(HexInvalid):
            bytes32(data)
        with pytest.raises(HexInvalid):
            address(data)

    @pytest.mark.parametrize("text", ["", "00", "0x0", "0xg0", "0x 00", "0x00\n", "x00", "0x٠٠"])
    def test_refuses_what_is_not_hex(self, text: str) -> None:
        with pytest.raises(HexInvalid):
            hex_bytes(text)


class TestAddress:
    @pytest.mark.parametrize("text", CHECKSUMS)
    def test_takes_a_right_checksum_and_makes_it(self, text: str) -> None:
        assert address(text) == text.lower()
        assert checksum_address(address(text)) == text

    @pytest.mark.parametrize("text", CHECKSUMS)
    def test_refuses_a_wrong_checksum(self, text: str) -> None:
        with pytest.raises(ChecksumInvalid):
            address("0x" + text[2:].swapcase())

    def test_takes_one_case_as_no_checksum(self) -> None:
        assert address("0x" + "AB" * 20) == address("0x" + "ab" * 20)
        assert address(b"\xab" * 20) == "0x" + "ab" * 20


class TestIds:
    """The formulas of contracts/libraries/Hashing.sol, against an ABI encoder of other hands."""

    @given(PREFIXES)
    def test_of_a_participant(self, prefix: str) -> None:
        """B-01: an organisation is known by its credit code, on every chain by the same id."""
        uscc = make_uscc(prefix)
        digest = hashlib.sha256(uscc.encode()).digest()
        encoded = encode(["bytes32", "bytes32"], [b"participant", digest])

        assert participant_id(uscc) == "0x" + keccak_elsewhere(encoded).hex()
        assert uscc_digest(uscc) == "0x" + digest.hex()

    @given(st.integers(0, 255), WORDS, WORDS)
    def test_of_an_asset(self, kind: int, registrant: bytes, content: bytes) -> None:
        """D-22: the same content by the same registrant has the same id at every venue."""
        types = ["bytes32", "uint8", "bytes32", "bytes32"]
        encoded = encode(types, [b"asset", kind, registrant, content])

        found = asset_id(
            kind=kind,
            registrant=ParticipantId(bytes32(registrant)),
            content_digest=bytes32(content),
        )

        assert found == "0x" + keccak_elsewhere(encoded).hex()

    @given(
        st.from_regex(r"[a-z][a-z0-9-]{0,31}", fullmatch=True),
        st.integers(0, 2**256 - 1),
        st.tuples(WORDS, WORDS, WORDS),
    )
    def test_of_an_act(self, noun: str, chain_id: int, words: tuple[bytes, bytes, bytes]) -> None:
        types = ["bytes32", "uint256", "bytes32", "bytes32", "bytes32"]
        encoded = encode(types, [noun.encode(), chain_id, *words])
        actor, subject, salt = map(bytes32, words)

        found = act_id(
            noun, chain_id=chain_id, actor=ParticipantId(actor), subject=subject, salt=salt
        )

        assert found == "0x" + keccak_elsewhere(encoded).hex()

    @pytest.mark.parametrize("noun", ["", "Trade", "a" * 33, "tra de", "行为", "9lives"])
    def test_refuses_a_noun_that_is_no_word(self, noun: str) -> None:
        with pytest.raises(WordInvalid):
            act_id(
                noun,
                chain_id=1,
                actor=ParticipantId(values.ZERO_BYTES32),
                subject=values.ZERO_BYTES32,
                salt=values.ZERO_BYTES32,
            )

    @pytest.mark.parametrize("kind", [-1, 256])
    def test_refuses_a_kind_that_does_not_fit(self, kind: int) -> None:
        with pytest.raises(WordInvalid):
            asset_id(
                kind=kind,
                registrant=ParticipantId(values.ZERO_BYTES32),
                content_digest=values.ZERO_BYTES32,
            )

    def test_refuses_an_id_of_another_length(self) -> None:
        with pytest.raises(HexInvalid):
            values.participant_id_of_digest(Bytes32(values.ZERO_ADDRESS))


class TestSaltOf:
    def test_is_the_hash_of_the_business_key(self) -> None:
        assert salt_of("订单-1") == "0x" + keccak_elsewhere("订单-1".encode()).hex()

    @pytest.mark.parametrize("key", ["", " ", "\t\n"])
    def test_refuses_a_key_that_tells_nothing_apart(self, key: str) -> None:
        with pytest.raises(BusinessKeyEmpty):
            salt_of(key)


class TestKeccak:
    def test_gives_the_known_hash_of_nothing(self) -> None:
        known = "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470"

        assert keccak(b"").hex() == known


class TestUscc:
    @pytest.mark.parametrize("uscc", CODES)
    def test_accepts_published_codes(self, uscc: str) -> None:
        assert check_uscc(uscc) == uscc
        assert make_uscc(uscc[:-1]) == uscc

    @given(PREFIXES, st.integers(0, 17), st.sampled_from(ALPHABET))
    def test_refuses_any_single_change(self, prefix: str, place: int, other: str) -> None:
        uscc = make_uscc(prefix)
        changed = uscc[:place] + other + uscc[place + 1 :]
        if changed == uscc:
            assert check_uscc(changed) == uscc
            return

        with pytest.raises(UsccInvalid):
            check_uscc(changed)

    @given(PREFIXES, st.integers(0, 16))
    def test_refuses_two_neighbours_swapped(self, prefix: str, place: int) -> None:
        uscc = make_uscc(prefix)
        left, right = uscc[place], uscc[place + 1]
        swapped = uscc[:place] + right + left + uscc[place + 2 :]
        if left == right:
            assert swapped == uscc
            return

        with pytest.raises(UsccInvalid):
            check_uscc(swapped)

    @pytest.mark.parametrize(
        "uscc",
        ["", CODES[0][:-1], CODES[0] + "0", CODES[0].lower(), "I" + CODES[0][1:], " " + CODES[0]],
    )
    def test_refuses_another_shape(self, uscc: str) -> None:
        with pytest.raises(UsccInvalid):
            check_uscc(uscc)

    @pytest.mark.parametrize("prefix", ["", CODES[0], "O" * 17])
    def test_makes_no_code_from_another_shape(self, prefix: str) -> None:
        with pytest.raises(UsccInvalid):
            make_uscc(prefix)


class TestFen:
    @given(st.integers(0, FEN_MAX))
    def test_comes_back_from_yuan(self, amount_fen: int) -> None:
        assert fen_from_yuan(yuan_from_fen(amount_fen)) == amount_fen

    @pytest.mark.parametrize(
        ("amount_yuan", "amount_fen"),
        [("12.34", 1234), ("0", 0), ("7", 700), ("7.5", 750), ("007.50", 750), ("1.2300", 123)],
    )
    def test_is_read_from_yuan(self, amount_yuan: str, amount_fen: int) -> None:
        assert fen_from_yuan(amount_yuan) == amount_fen

    @pytest.mark.parametrize("amount_yuan", ["0.001", "12.345", "1.0000001"])
    def test_has_no_fraction(self, amount_yuan: str) -> None:
        with pytest.raises(YuanTooFine):
            fen_from_yuan(amount_yuan)

    @pytest.mark.parametrize(
        "amount_yuan",
        [
            "",
            ".",
            "1.",
            ".5",
            "-1",
            "+1",
            "1e3",
            "1,000",
            " 1",
            "1 ",
            "1\n",
            "１",
            "٣",
            "NaN",
            "¥1",
        ],
    )
    def test_is_not_read_from_other_text(self, amount_yuan: str) -> None:
        with pytest.raises(AmountInvalid):
            fen_from_yuan(amount_yuan)

    def test_stays_below_two_to_the_63(self) -> None:
        assert fen_from_yuan("92233720368547758.07") == FEN_MAX == check_fen(2**63 - 1)
        with pytest.raises(FenOutOfRange):
            fen_from_yuan("92233720368547758.08")
        with pytest.raises(FenOutOfRange):
            check_fen(2**63)
        with pytest.raises(FenOutOfRange):
            check_fen(-1)

    def test_of_a_negative_position_keeps_the_sign(self) -> None:
        assert yuan_from_fen(-5) == "-0.05"
        assert yuan_from_fen(-123456) == "-1234.56"


class TestAccountName:
    @given(st.integers(1, 2**63), st.binary(min_size=20, max_size=20))
    def test_comes_back_as_chain_and_address(self, chain_id: int, data: bytes) -> None:
        account = Address(address(data))

        assert parse_account_name(account_name(chain_id=chain_id, account=account)) == (
            chain_id,
            account,
        )

    @pytest.mark.parametrize(
        "name",
        [
            "eip155:0:" + CHECKSUMS[0],
            "eip155:1:0x00",
            "cosmos:1:" + CHECKSUMS[0],
            "eip155:1:" + CHECKSUMS[0] + " ",
        ],
    )
    def test_refuses_another_shape(self, name: str) -> None:
        with pytest.raises(AccountNameInvalid):
            parse_account_name(name)

    def test_refuses_a_wrong_checksum(self) -> None:
        with pytest.raises(ChecksumInvalid):
            parse_account_name("eip155:1:0x" + CHECKSUMS[0][2:].swapcase())


class TestImports:
    def test_of_the_pure_modules_never_reach_web3_or_a_database(self) -> None:
        script = (
            "import sys, chain.values, chain.failure, chain.documents, chain.codes, chain.errors;"
            "sys.exit(', '.join({'web3', 'sqlalchemy', 'fastapi'} & set(sys.modules)) or 0)"
        )

        ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)

        assert (ran.returncode, ran.stderr) == (0, "")
