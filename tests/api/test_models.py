"""
Tests that answers derive from records, and look on the wire as the API promises.
"""

from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import BaseModel

import api.routes
from api.models import Answer
from api.wire import struct_model, time_text
from chain.codes import LegKind, Rail
from chain.reads import Recorded
from chain.structs import Leg, RightTerms, TradeTerms
from registry.participants import Account
from registry.projection import RECORDS
from settlement.funds import FundsAccount
from settlement.projection import ALL_RECORDS
from settlement.trades import Trade
from tests.api.mirrored import address_of, filled, named

ANSWERS = [
    found
    for module in api.routes.MODULES
    for found in vars(module).values()
    if isinstance(found, Answer)
]


def told(record: Any, now: int = 0) -> dict[str, Any]:
    """Return a record as the API tells it."""
    return Answer(type(record)).item(Recorded(record, 7, 0, None), now)


def models_below(model: type[BaseModel]) -> set[type[BaseModel]]:
    """Return a model and the models inside it."""
    found = {model}
    for field in model.model_fields.values():
        parts = [field.annotation, *getattr(field.annotation, "__args__", ())]
        for part in parts:
            if isinstance(part, type) and issubclass(part, BaseModel):
                found |= models_below(part)
    return found


class TestAnswer:
    @pytest.mark.parametrize("record", ALL_RECORDS, ids=lambda one: one.__name__)
    def test_has_every_field_of_its_record(self, record: type) -> None:
        model = Answer(record).model

        names = {*record.__annotations__, "recorded_at_block", "as_of"} - {"KEY", "VIEW"}
        assert set(model.model_fields) == names

    @pytest.mark.parametrize("answer", ANSWERS, ids=lambda one: one.name)
    def test_describes_every_field_and_gives_none_a_default(self, answer: Answer[Any]) -> None:
        for model in models_below(answer.page_model) | models_below(answer.model):
            for name, field in model.model_fields.items():
                assert field.description, f"{model.__name__}.{name}"
                assert field.is_required(), f"{model.__name__}.{name}"

    def test_is_there_for_every_noun(self) -> None:
        answered = {answer.record for answer in ANSWERS}

        kept = {one for one in RECORDS if one.__name__ not in ("AssetLink", "AssetHead")}
        assert {one.__name__ for one in kept - answered} == {"AssetAlias"}

    def test_writes_amounts_as_digits(self) -> None:
        account = FundsAccount(
            participant_id=named("payer"),
            bank=named("bank"),
            available_fen=2**63 - 1,
            held_fen=0,
            frozen_fen=5,
        )

        assert told(account)["available_fen"] == str(2**63 - 1)
        assert told(account)["held_fen"] == "0"

    def test_writes_times_as_rfc_3339_and_none_as_null(self) -> None:
        account = filled(Account, account=address_of("holder"), valid_from=1_760_000_000)

        assert told(account)["valid_from"] == "2025-10-09T08:53:20Z"
        assert told(account)["valid_until"] is None

    def test_checksums_addresses(self) -> None:
        account = filled(Account, account="0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed")

        assert told(account)["account"] == "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"

    def test_writes_what_is_nested_like_everything_else(self) -> None:
        leg = Leg(kind=LegKind.SHARE, payee=named("payee"), amount_fen=2**60)
        terms = filled(TradeTerms, gross_fen=2**60, deliver_by=1_760_000_000, quantity=2**60)
        trade = filled(Trade, legs=(leg,), terms=terms, rail=Rail.PREFUNDED)

        wire = told(trade)

        assert wire["legs"][0]["kind"] == "SHARE"
        assert wire["legs"][0]["amount_fen"] == str(2**60)
        assert wire["terms"]["gross_fen"] == wire["terms"]["quantity"] == str(2**60)
        assert wire["terms"]["deliver_by"] == "2025-10-09T08:53:20Z"
        assert wire["rail"] == "PREFUNDED"

    def test_writes_a_256_bit_number_as_digits(self) -> None:
        model = struct_model(RightTerms)

        assert model.model_fields["purposes"].annotation is str
        assert model.model_fields["share_bps"].annotation is int

    def test_says_which_block_recorded_it(self) -> None:
        assert told(filled(Account))["recorded_at_block"] == 7


class TestTimeText:
    def test_reads_back(self) -> None:
        text = time_text(1_760_000_001)

        assert text is not None
        assert datetime.fromisoformat(text) == datetime.fromtimestamp(1_760_000_001, tz=UTC)

    def test_writes_what_no_calendar_has_as_digits(self) -> None:
        assert time_text(2**63) == str(2**63)
