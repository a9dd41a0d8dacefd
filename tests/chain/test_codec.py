"""
Tests of the JSON form of values, and of structs from and to what web3 gives and takes.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from chain.abi import from_abi
from chain.codec import from_json, reader, to_json, writer
from chain.codes import DigestAlg
from chain.structs import Payee
from chain.values import Address, AssetId, Fen, ParticipantId

PAYEE = Payee(participant_id=ParticipantId("0x" + "01" * 32), share_bps=500)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mixed:
    """A value with a part of every kind."""

    asset_id: AssetId
    price_fen: Fen
    alg: DigestAlg
    payees: tuple[Payee, ...]
    pair: tuple[int, str]
    tags: frozenset[str]
    counts: Mapping[str, int]
    maybe: Payee | None
    is_open: bool


MIXED = Mixed(
    asset_id=AssetId("0x" + "02" * 32),
    price_fen=Fen(2**60),
    alg=DigestAlg.SM3,
    payees=(PAYEE,),
    pair=(-7, "x"),
    tags=frozenset({"b", "a"}),
    counts={"one": 1},
    maybe=None,
    is_open=True,
)


class TestToJson:
    def test_is_canonical(self) -> None:
        assert to_json(Mixed, MIXED) == {
            "asset_id": "0x" + "02" * 32,
            "price_fen": str(2**60),
            "alg": "SM3",
            "payees": [{"participant_id": "0x" + "01" * 32, "share_bps": 500}],
            "pair": [-7, "x"],
            "tags": ["a", "b"],
            "counts": {"one": 1},
            "maybe": None,
            "is_open": True,
        }

    def test_comes_back(self) -> None:
        assert from_json(Mixed, to_json(Mixed, MIXED)) == MIXED

    @pytest.mark.parametrize("number", [2**53 - 1, -(2**53) + 1])
    def test_keeps_exact_integers(self, number: int) -> None:
        assert to_json(int, number) == number

    @pytest.mark.parametrize("number", [2**53, -(2**53)])
    def test_writes_larger_integers_as_digits(self, number: int) -> None:
        assert to_json(int, number) == str(number)

    @pytest.mark.parametrize("make", [reader, writer])
    def test_refuses_a_type_without_a_form(self, make: Any) -> None:
        with pytest.raises(TypeError, match="no JSON form"):
            make(float)


class TestFromJson:
    @pytest.mark.parametrize(
        ("name", "wrong"), [("asset_id", 7), ("is_open", "yes"), ("alg", "MD5"), ("pair", [1])]
    )
    def test_refuses_another_type(self, name: str, wrong: Any) -> None:
        raw = {**to_json(Mixed, MIXED), name: wrong}

        with pytest.raises((ValueError, LookupError)):
            from_json(Mixed, raw)

    def test_refuses_a_missing_field(self) -> None:
        raw = to_json(Mixed, MIXED)
        del raw["maybe"]

        with pytest.raises(KeyError):
            from_json(Mixed, raw)


class TestStruct:
    def test_goes_to_web3_and_comes_back(self) -> None:
        assert PAYEE.to_abi() == (b"\1" * 32, 500)
        assert Payee.from_abi((b"\1" * 32, 500)) == PAYEE

    def test_reads_lists_and_checksummed_addresses(self) -> None:
        assert from_abi(tuple[Address, ...], ["0x" + "Ab" * 20]) == ("0x" + "ab" * 20,)
        assert from_abi(str, "Plain") == "Plain"
