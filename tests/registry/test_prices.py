"""Prices: the money vectors of the domain notes §5 in fen, and every refusal."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.formulas import (
    FormulaUnknown,
    InputNotPositive,
    InputOutOfRange,
    InputTooLarge,
    LengthsDiffer,
    NegativeInput,
    to_fen_half_up,
)
from registry.prices import (
    Appraisal,
    appraised_price,
    base_cost,
    cost,
    guide_price,
    joint_price,
    negotiated_price,
)

D = Decimal
INFORMATION = D("1.067791618828203854")
APPRAISAL = Appraisal(
    scarcity=D(4),
    timeliness=D(1),
    scale=D(9),
    completeness=D(1),
    history_price_fen=0,
    appraisal_weights=(D("0.5"), D("0.5"), D("0.5"), D("0.5"), D("0.5")),
    market_factor=D("1.5"),
    formula_id="F_GEOMETRIC_1",
)


class TestBaseCost:
    def test_adds_fields_and_model(self) -> None:
        """F-04, formula 5.9: fields 1000+2500+500 and model 6000 yuan."""
        assert base_cost(field_costs_fen=(100000, 250000, 50000), model_cost_fen=600000) == 1000000

    def test_refuses_a_negative_cost(self) -> None:
        with pytest.raises(NegativeInput, match=r"costs_fen\[1\]"):
            base_cost(field_costs_fen=(1, -1), model_cost_fen=0)


class TestCost:
    def test_scales_by_the_domain(self) -> None:
        """F-04, formula 5.10: k = 1.2 gives 12000.00 yuan."""
        assert cost(domain_factor=D("1.2"), base_cost_fen=1000000) == 1200000

    def test_refuses_a_product_beyond_all_measure(self) -> None:
        with pytest.raises(InputTooLarge, match="cost"):
            cost(domain_factor=D(10**40), base_cost_fen=10**40)

    def test_refuses_a_domain_factor_of_zero(self) -> None:
        with pytest.raises(InputNotPositive, match="domain_factor"):
            cost(domain_factor=D(0), base_cost_fen=1)


class TestNegotiatedPrice:
    @pytest.mark.parametrize(
        ("formula_id", "parameter", "expected_fen"),
        [
            ("G_COST_ONLY_1", 0, 1380000),
            ("G_COST_PLUS_VALUE_1", 1, 2853552),
            ("G_MAX_1", 1, 1380000),
            ("G_MAX_1", 2000000, 2455921),
        ],
    )
    def test_gives_the_published_vectors(
        self, formula_id: str, parameter: int, expected_fen: int
    ) -> None:
        """F-04, formula 5.8 with an expected return of 0.15; every g is PROPOSED."""
        joint = joint_price(
            information=INFORMATION,
            cost_fen=D(1200000),
            parameter=D(parameter),
            formula_id=formula_id,
        )

        price = negotiated_price(expected_return=D("0.15"), joint_price_fen=joint)

        assert to_fen_half_up(price) == expected_fen

    @given(
        information=st.integers(0, 10**19),
        cost_fen=st.integers(0, 10**12),
        formula=st.sampled_from([("G_COST_PLUS_VALUE_1", 2), ("G_MAX_1", 5000)]),
    )
    def test_never_falls_when_value_or_cost_rises(
        self, information: int, cost_fen: int, formula: tuple[str, int]
    ) -> None:
        def price(value: int, fen: int) -> Decimal:
            return joint_price(
                information=D(value).scaleb(-18),
                cost_fen=D(fen),
                parameter=D(formula[1]),
                formula_id=formula[0],
            )

        assert price(information, cost_fen) <= price(information + 1, cost_fen)
        assert price(information, cost_fen) <= price(information, cost_fen + 1)

    def test_refuses_a_parameter_where_the_formula_has_none(self) -> None:
        with pytest.raises(InputOutOfRange, match="price_parameter"):
            joint_price(information=D(1), cost_fen=D(1), parameter=D(1), formula_id="G_COST_ONLY_1")

    def test_refuses_an_unknown_formula(self) -> None:
        with pytest.raises(FormulaUnknown, match="JOINT_PRICE"):
            joint_price(information=D(1), cost_fen=D(1), parameter=D(1), formula_id="H_LOG_1")

    def test_refuses_a_negative_return(self) -> None:
        with pytest.raises(NegativeInput, match="expected_return"):
            negotiated_price(expected_return=D("-0.1"), joint_price_fen=D(1))


class TestAppraisedPrice:
    def test_uses_the_base_cost_alone_where_nothing_was_sold_before(self) -> None:
        """F-04, formula 5.12: 10000 * 4^0.5 * 9^0.5."""
        assert appraised_price(APPRAISAL, base_cost_fen=10000) == 60000

    def test_joins_history_and_base_cost_geometrically(self) -> None:
        sold = replace(APPRAISAL, history_price_fen=40000)

        assert appraised_price(sold, base_cost_fen=10000) == 120000

    def test_ignores_a_factor_of_weight_zero(self) -> None:
        plain = replace(APPRAISAL, scarcity=D(0), appraisal_weights=(D(1), D(0), D(0), D(0), D(0)))

        assert appraised_price(plain, base_cost_fen=10000) == 10000

    def test_adds_the_factors_linearly(self) -> None:
        linear = replace(
            APPRAISAL, formula_id="F_LINEAR_1", appraisal_weights=(D("0.1"), D(0), D("0.2"), D(1))
        )

        assert appraised_price(linear, base_cost_fen=10000) == 42000

    @pytest.mark.parametrize(
        ("change", "error"),
        [
            ({"scarcity": D(-1)}, NegativeInput),
            ({"history_price_fen": -1}, NegativeInput),
            ({"appraisal_weights": (D(1),)}, LengthsDiffer),
            ({"formula_id": "F_OTHER"}, FormulaUnknown),
            (
                {"history_price_fen": 1, "appraisal_weights": (D("1.5"), D(1), D(1), D(1), D(1))},
                InputOutOfRange,
            ),
            ({"appraisal_weights": (D(1), D(10**9), D(1), D(1), D(1))}, InputTooLarge),
        ],
    )
    def test_refuses(self, change: dict[str, object], error: type[Exception]) -> None:
        with pytest.raises(error):
            appraised_price(replace(APPRAISAL, **change), base_cost_fen=1)  # type: ignore[arg-type]

    def test_refuses_linear_factors_that_make_the_price_negative(self) -> None:
        linear = replace(
            APPRAISAL, formula_id="F_LINEAR_1", appraisal_weights=(D(-1), D(0), D(0), D(0))
        )

        with pytest.raises(NegativeInput, match="appraisal_factor"):
            appraised_price(linear, base_cost_fen=1)


class TestGuidePrice:
    def test_applies_the_market_factor(self) -> None:
        """F-04, formula 5.11."""
        assert guide_price(market_factor=D("1.5"), appraised_price_fen=D(60000)) == 90000

    def test_refuses_a_negative_factor(self) -> None:
        with pytest.raises(NegativeInput, match="market_factor"):
            guide_price(market_factor=D(-1), appraised_price_fen=D(1))
