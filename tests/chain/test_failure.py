"""Errors as values: their sentence, their fields on the wire, and that no two share a name."""

import pickle
from enum import IntEnum
from pathlib import Path
from typing import Any

import pytest

from chain.failure import Conflict, Forbidden, Invalid, NotFound


class State(IntEnum):
    OPEN = 1
    SHUT = 2


class LampNotFound(NotFound):
    """The lamp is not known. More prose that is no title."""

    lamp: str


class LampWrong(Conflict):
    """The lamp cannot do this now,
    whatever was asked.
    """

    lamp: str
    state: State
    price_fen: int
    lit_at: int


class LampStolen(LampNotFound):
    """The lamp was taken."""

    thief: str


class LampBroken(Invalid):
    """The lamp is broken."""


class TestLedgerError:
    def test_reads_as_its_first_sentence_and_its_fields(self) -> None:
        error = LampWrong(lamp="0x01", state=State.SHUT, price_fen=5, lit_at=0)

        assert str(LampNotFound(lamp="0x01")) == "The lamp is not known: lamp=0x01"
        assert str(error) == (
            "The lamp cannot do this now, whatever was asked: "
            "lamp=0x01, state=SHUT, price_fen=5, lit_at=0"
        )
        assert str(LampBroken()) == "The lamp is broken."

    def test_keeps_its_fields_as_attributes_in_order(self) -> None:
        error = LampStolen(thief="him", lamp="0x01")

        assert (error.lamp, error.thief) == ("0x01", "him")
        assert list(error.fields) == ["lamp", "thief"]

    def test_equals_another_of_the_same_class_and_fields_only(self) -> None:
        error = LampNotFound(lamp="0x01")

        assert error == LampNotFound(lamp="0x01")
        assert hash(error) == hash(LampNotFound(lamp="0x01"))
        assert error != LampNotFound(lamp="0x02")
        assert error != LampStolen(lamp="0x01", thief="")

    def test_survives_pickling(self) -> None:
        error = LampWrong(lamp="0x01", state=State.SHUT, price_fen=5, lit_at=0)

        assert pickle.loads(pickle.dumps(error)) == error

    @pytest.mark.parametrize("fields", [{}, {"lamp": "0x01", "other": 1}, {"other": 1}])
    def test_refuses_missing_and_unknown_fields(self, fields: dict[str, object]) -> None:
        with pytest.raises(TypeError, match="LampNotFound takes lamp"):
            LampNotFound.of(fields)

    def test_refuses_a_field_that_the_base_needs(self) -> None:
        with pytest.raises(TypeError, match="args"):
            type("LampOdd", (Invalid,), {"__annotations__": {"args": "int"}})

    def test_has_a_title_when_docstrings_are_stripped(self) -> None:
        bare: Any = type("LampGone", (NotFound,), {"__doc__": None})

        assert bare.title == "Lamp gone."

    @pytest.mark.parametrize(
        ("name", "slug"),
        [
            ("RightNotFound", "right-not-found"),
            ("CIDInvalid", "cid-invalid"),
            ("Erc20Refused", "erc20-refused"),
        ],
    )
    def test_names_its_problem_type(self, name: str, slug: str) -> None:
        error: Any = type(name, (Invalid,), {})

        assert error.slug() == slug

    def test_of_a_subclass_is_of_its_family(self) -> None:
        with pytest.raises(NotFound):
            raise LampStolen(lamp="0x01", thief="him")
        assert not issubclass(LampStolen, Forbidden)


class TestToFields:
    def test_writes_fen_as_digits_times_as_text_and_codes_by_name(self) -> None:
        error = LampWrong(lamp="0x01", state=State.SHUT, price_fen=5, lit_at=1_700_000_000)

        assert error.to_fields() == {
            "lamp": "0x01",
            "state": "SHUT",
            "price_fen": "5",
            "lit_at": "2023-11-14T22:13:20Z",
        }

    def test_writes_what_json_cannot_hold_exactly_as_text(self) -> None:
        class LampOddities(Invalid):
            """Odd."""

            count: int
            few: int
            seen_at: int
            until_at: int
            mark: bytes
            parts: tuple[int, ...]
            lit: bool
            none: None
            path: Path

        error = LampOddities(
            count=2**53,
            few=2**53 - 1,
            seen_at=2**64 - 1,
            until_at=2**52,
            mark=b"\x01",
            parts=(1, 2**60),
            lit=True,
            none=None,
            path=Path("a"),
        )

        assert error.to_fields() == {
            "count": "9007199254740992",
            "few": 2**53 - 1,
            "seen_at": "18446744073709551615",
            "until_at": "4503599627370496",
            "mark": "0x01",
            "parts": [1, "1152921504606846976"],
            "lit": True,
            "none": None,
            "path": "a",
        }
