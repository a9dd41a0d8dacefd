"""
The ledger's small values: ids and how they are made, bytes as hex, fen, credit codes, accounts.

Not here: records and events, which are built from these, and documents and their digests
(`chain/documents.py`).
"""

from __future__ import annotations

import hashlib
import re
from typing import NewType

from sha3 import keccak_256  # type: ignore[import-untyped]

from chain.failure import Invalid

# Bytes of any kind are lower-case hex after "0x" everywhere inside; the API checksums addresses
# on the way out.
HexBytes = NewType("HexBytes", str)
Bytes32 = NewType("Bytes32", str)
Address = NewType("Address", str)
PublicKey = NewType("PublicKey", str)  # a secp256k1 point, compressed: 33 bytes

ParticipantId = NewType("ParticipantId", str)
ProfileId = NewType("ProfileId", str)
AgreementId = NewType("AgreementId", str)
AssetId = NewType("AssetId", str)
RegistrationId = NewType("RegistrationId", str)
RightId = NewType("RightId", str)
CertificateId = NewType("CertificateId", str)
AssessmentId = NewType("AssessmentId", str)
ListingId = NewType("ListingId", str)
TradeId = NewType("TradeId", str)
DeliveryId = NewType("DeliveryId", str)
SettlementId = NewType("SettlementId", str)
HoldId = NewType("HoldId", str)
WithdrawalId = NewType("WithdrawalId", str)

Uscc = NewType("Uscc", str)
Fen = NewType("Fen", int)

ZERO_BYTES32 = Bytes32("0x" + "00" * 32)
ZERO_ADDRESS = Address("0x" + "00" * 20)

# Amounts are uint64 on chain and stay below 2^63 so that they fit a signed BIGINT.
FEN_MAX = 2**63 - 1

# GB 32100-2015: 31 digits (no I, O, S, V, Z), weights 3^(i-1) mod 31,
# check = (31 - sum mod 31) mod 31.
_USCC_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_USCC_LENGTH = 18


class HexInvalid(Invalid):
    """The value is not hexadecimal bytes of the right length after 0x."""

    value: str
    bytes_expected: str


class ChecksumInvalid(Invalid):
    """The address is written in mixed case, but not as its EIP-55 checksum demands."""

    value: str


class WordInvalid(Invalid):
    """The value does not fit its field in a hashed id."""

    value: str
    fits: str


class BusinessKeyEmpty(Invalid):
    """A business key must say what makes the act unique."""


class UsccInvalid(Invalid):
    """The unified social credit code is malformed or its check character is wrong."""

    uscc: str


class YuanTooFine(Invalid):
    """An amount of yuan has at most two decimals."""

    amount_yuan: str


class AmountInvalid(Invalid):
    """An amount of yuan is plain digits with at most one decimal point."""

    amount_yuan: str


class FenOutOfRange(Invalid):
    """An amount lies between zero and 2^63 - 1 fen."""

    amount_fen: int


class AccountNameInvalid(Invalid):
    """An account name reads eip155:<chain id>:<address> (CAIP-10)."""

    account_name: str


# --- bytes ----------------------------------------------------------------------------------------


def hex_bytes(value: str | bytes) -> HexBytes:
    """Return bytes of any length as 0x and lower-case hex."""
    return HexBytes(_normal(value, None))


def bytes32(value: str | bytes) -> Bytes32:
    """Return exactly 32 bytes as 0x and lower-case hex."""
    return Bytes32(_normal(value, 32))


def address(value: str | bytes) -> Address:
    """
    Return exactly 20 bytes as 0x and lower-case hex.

    :raises ChecksumInvalid: if mixed case was given, which claims a checksum, and it is wrong
    """
    normal = Address(_normal(value, 20))
    digits = value[2:] if isinstance(value, str) else ""
    if digits not in (digits.lower(), digits.upper()) and checksum_address(normal)[2:] != digits:
        raise ChecksumInvalid(value=str(value))
    return normal


def raw(value: str) -> bytes:
    """Return the bytes that 0x and hex stand for."""
    return bytes.fromhex(_normal(value, None)[2:])


def checksum_address(value: Address) -> str:
    """Return an address in EIP-55 mixed case, as JSON that leaves the API carries it."""
    digits = value[2:]
    nibbles = keccak(digits.encode("ascii")).hex()
    return "0x" + "".join(
        digit.upper() if int(nibble, 16) >= 8 else digit
        for digit, nibble in zip(digits, nibbles, strict=False)
    )


def keccak(data: bytes) -> bytes:
    """Return the Keccak-256 of bytes, as Solidity's keccak256 does."""
    digest: bytes = keccak_256(data).digest()
    return digest


def _normal(value: str | bytes, size_bytes: int | None) -> str:
    text = "0x" + value.hex() if isinstance(value, bytes) else value
    length = r"([0-9a-fA-F]{2})*" if size_bytes is None else f"[0-9a-fA-F]{{{2 * size_bytes}}}"
    if re.fullmatch(f"0[xX]{length}", text) is None:
        raise HexInvalid(value=text, bytes_expected=str(size_bytes or "any"))
    return text.lower()


# --- ids: exactly what contracts/libraries/Hashing.sol computes -----------------------------------


def participant_id(uscc: str) -> ParticipantId:
    """
    Return the id of the organisation with a unified social credit code.

    :raises UsccInvalid: if the code is malformed
    """
    return participant_id_of_digest(uscc_digest(uscc))


def participant_id_of_digest(digest: Bytes32) -> ParticipantId:
    """Return the id of the organisation whose code has this SHA-256."""
    return ParticipantId(_hash_words(_text_word("participant"), _hex_word(digest)))


def uscc_digest(uscc: str) -> Bytes32:
    """
    Return the SHA-256 of a credit code's 18 ASCII characters, which is all the chain sees of it.

    :raises UsccInvalid: if the code is malformed
    """
    return bytes32(hashlib.sha256(check_uscc(uscc).encode("ascii")).digest())


def asset_id(*, kind: int, registrant: ParticipantId, content_digest: Bytes32) -> AssetId:
    """Return the id of an asset from its first version's content: the same on every chain."""
    return AssetId(
        _hash_words(
            _text_word("asset"),
            _uint_word(kind, bits=8),
            _hex_word(registrant),
            _hex_word(content_digest),
        )
    )


def act_id(
    noun: str, *, chain_id: int, actor: ParticipantId, subject: str, salt: Bytes32
) -> Bytes32:
    """
    Return the id of an act (registration, right, listing, trade, delivery, settlement …).

    shape: `noun` is the lower-case English name, `subject` the id the act is about;
           the caller wraps the result in the noun's own type
    """
    return Bytes32(
        _hash_words(
            _text_word(noun),
            _uint_word(chain_id, bits=256),
            _hex_word(actor),
            _hex_word(subject),
            _hex_word(salt),
        )
    )


def salt_of(business_key: str) -> Bytes32:
    """
    Return the salt that makes a caller's own name for an act part of its id: a repeat, the same id.

    :raises BusinessKeyEmpty: if there is nothing to tell two acts apart
    """
    if not business_key.strip():
        raise BusinessKeyEmpty()
    return bytes32(keccak(business_key.encode("utf-8")))


def _hash_words(*words: bytes) -> str:
    return bytes32(keccak(b"".join(words)))


def _text_word(text: str) -> bytes:
    if re.fullmatch(r"[a-z][a-z0-9-]{0,31}", text) is None:
        raise WordInvalid(value=text, fits="bytes32 of lower-case ASCII")
    return text.encode("ascii").ljust(32, b"\0")


def word_of(text: str) -> Bytes32:
    """Return ASCII text as one left-aligned word, as the contracts keep names and codes."""
    return Bytes32("0x" + text.encode("ascii").ljust(32, b"\0").hex())


def text_of(word: Bytes32) -> str:
    """Return the ASCII text that a left-aligned word holds."""
    return bytes.fromhex(word[2:]).rstrip(b"\0").decode("ascii")


def _uint_word(number: int, *, bits: int) -> bytes:
    if not 0 <= number < 2**bits:
        raise WordInvalid(value=str(number), fits=f"uint{bits}")
    return number.to_bytes(32, "big")


def _hex_word(value: str) -> bytes:
    return bytes.fromhex(bytes32(value)[2:])


# --- unified social credit code -------------------------------------------------------------------


def check_uscc(uscc: str) -> Uscc:
    """
    Return the code if it is 18 characters of the standard's alphabet and its check character holds.

    source: GB 32100-2015
    :raises UsccInvalid: otherwise; lower case is not accepted, as it would give another id
    """
    if not _is_uscc_text(uscc, _USCC_LENGTH):
        raise UsccInvalid(uscc=uscc)
    if _uscc_check_character(uscc[:-1]) != uscc[-1]:
        raise UsccInvalid(uscc=uscc)
    return Uscc(uscc)


def make_uscc(prefix: str) -> Uscc:
    """
    Return the code that begins with these 17 characters.

    :raises UsccInvalid: if they are not 17 characters of the standard's alphabet
    """
    if not _is_uscc_text(prefix, _USCC_LENGTH - 1):
        raise UsccInvalid(uscc=prefix)
    return Uscc(prefix + _uscc_check_character(prefix))


def _is_uscc_text(text: str, length: int) -> bool:
    return len(text) == length and all(character in _USCC_ALPHABET for character in text)


def _uscc_check_character(prefix: str) -> str:
    digits = (_USCC_ALPHABET.index(character) for character in prefix)
    total = sum(digit * pow(3, place, 31) for place, digit in enumerate(digits))
    return _USCC_ALPHABET[(31 - total % 31) % 31]


# --- money ----------------------------------------------------------------------------------------


def check_fen(amount_fen: int) -> Fen:
    """
    Return an amount that fits the chain and every table.

    :raises FenOutOfRange: if it is negative or 2^63 or more
    """
    if not 0 <= amount_fen <= FEN_MAX:
        raise FenOutOfRange(amount_fen=amount_fen)
    return Fen(amount_fen)


def fen_from_yuan(amount_yuan: str) -> Fen:
    """
    Return the fen in an amount written in yuan, such as "12.34".

    shape: ASCII digits, optionally a point and decimals; further zeros are no fraction
    :raises AmountInvalid: for a sign, separator, exponent, space or empty text
    :raises YuanTooFine: if the amount does not divide into whole fen
    :raises FenOutOfRange: if it is 2^63 fen or more
    """
    match = re.fullmatch(r"([0-9]{1,40})(?:\.([0-9]{1,40}))?", amount_yuan)
    if match is None:
        raise AmountInvalid(amount_yuan=amount_yuan)
    whole, decimals = match[1], (match[2] or "").ljust(2, "0")
    if decimals[2:].strip("0"):
        raise YuanTooFine(amount_yuan=amount_yuan)
    return check_fen(int(whole) * 100 + int(decimals[:2]))


def yuan_from_fen(amount_fen: int) -> str:
    """Return an amount in yuan with two decimals: 1234 → "12.34"; a negative keeps its sign."""
    yuan, fen = divmod(abs(amount_fen), 100)
    return f"{'-' if amount_fen < 0 else ''}{yuan}.{fen:02d}"


# --- account names across chains ------------------------------------------------------------------


def account_name(*, chain_id: int, account: Address) -> str:
    """Return an account's name among all chains: eip155:<chain id>:<checksummed address>."""
    return f"eip155:{chain_id}:{checksum_address(account)}"


def parse_account_name(name: str) -> tuple[int, Address]:
    """
    Return the chain id and the address of a CAIP-10 name.

    :raises AccountNameInvalid: if it is not an EVM account name
    :raises ChecksumInvalid: if its mixed case is not the address's checksum
    """
    match = re.fullmatch(r"eip155:([1-9][0-9]{0,31}):(0x[0-9a-fA-F]{40})", name)
    if match is None:
        raise AccountNameInvalid(account_name=name)
    return int(match[1]), address(match[2])
