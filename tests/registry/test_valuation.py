"""Valuation: the whole chain of results, and that a third party gets the same ones."""

import copy
import json
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.prices import Appraisal
from registry.valuation import (
    ValuationInputs,
    ValuationMalformed,
    ValuationNotReproduced,
    recompute,
    to_document,
    value,
)

D = Decimal
INPUTS = ValuationInputs(
    volume_n=D(1000),
    volume_scale_c=D(500),
    scores=tuple(map(D, ("0.90", "0.95", "0.80", "0.99", "1.00", "0.85"))),
    weights=tuple(map(D, ("0.2", "0.2", "0.2", "0.1", "0.1", "0.2"))),
    outcome_weights=(D(2), D(1), D(1)),
    density_formula_id="H_IDENTITY_1",
    field_costs_fen=(100000, 250000, 50000),
    model_cost_fen=600000,
    domain_factor=D("1.2"),
    expected_return=D("0.15"),
    price_formula_id="G_COST_PLUS_VALUE_1",
    price_parameter=D(1),
    appraisal=Appraisal(
        scarcity=D(1),
        timeliness=D(1),
        scale=D(1),
        completeness=D(1),
        history_price_fen=0,
        appraisal_weights=(D(1),) * 5,
        market_factor=D("1.25"),
        formula_id="F_GEOMETRIC_1",
    ),
)


class TestValue:
    def test_chains_every_formula_of_the_published_example(self) -> None:
        """E-05: information value with its inputs; F-04: both prices."""
        valuation = value(INPUTS)

        assert str(valuation.information_value) == "1.067791618828203854"
        assert valuation.quality_score == D("0.899")
        assert valuation.base_cost_fen == 1000000
        assert valuation.cost_fen == 1200000
        assert valuation.negotiated_price_fen == 2853552
        assert valuation.guide_price_fen == 1250000

    def test_gives_no_guide_price_without_an_appraisal(self) -> None:
        valuation = value(replace(INPUTS, appraisal=None))

        assert valuation.appraised_price_fen is None
        assert valuation.guide_price_fen is None

    def test_prices_at_zero_what_cost_nothing(self) -> None:
        """F-01: public-benefit data is free."""
        valuation = value(replace(INPUTS, field_costs_fen=(), model_cost_fen=0))

        assert valuation.negotiated_price_fen == 0


class TestRecompute:
    def test_gives_the_same_valuation_to_a_third_party(self) -> None:
        """E-05: a third party can recompute from the document alone, after a trip through JSON."""
        valuation = value(INPUTS)

        assert recompute(json.loads(json.dumps(to_document(valuation)))) == valuation

    @given(
        volume_n=st.integers(0, 10**12),
        outcomes=st.lists(st.integers(0, 10**6), min_size=1, max_size=9).filter(any),
        costs=st.lists(st.integers(0, 10**9), max_size=5),
        density=st.sampled_from(["H_IDENTITY_1", "H_LOG_1"]),
    )
    def test_repeats_any_valuation(
        self, volume_n: int, outcomes: list[int], costs: list[int], density: str
    ) -> None:
        valuation = value(
            replace(
                INPUTS,
                volume_n=D(volume_n),
                outcome_weights=tuple(map(D, outcomes)),
                field_costs_fen=tuple(costs),
                density_formula_id=density,
                appraisal=None,
            )
        )

        assert recompute(to_document(valuation)) == valuation

    def test_names_the_result_that_was_altered(self) -> None:
        document = to_document(value(INPUTS))
        document["results"]["negotiated_price_fen"] = "1"

        with pytest.raises(ValuationNotReproduced) as refusal:
            recompute(document)

        assert refusal.value.name == "negotiated_price_fen"
        assert refusal.value.computed == "2853552"

    @pytest.mark.parametrize(
        ("path", "content"),
        [
            (("type",), "other"),
            (("inputs",), None),
            (("inputs", "volume_n"), 1000),
            (("inputs", "volume_n"), "many"),
            (("inputs", "scores"), "0.9"),
            (("inputs", "extra"), "1"),
            (("inputs", "appraisal"), "none"),
            (("results",), {}),
            (("formulas",), []),
        ],
    )
    def test_refuses_a_document_of_another_shape(self, path: tuple[str, ...], content: Any) -> None:
        document = copy.deepcopy(to_document(value(INPUTS)))
        place = document
        for name in path[:-1]:
            place = place[name]
        place[path[-1]] = content

        with pytest.raises(ValuationMalformed):
            recompute(document)
