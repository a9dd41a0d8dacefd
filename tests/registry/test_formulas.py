"""Formulas: the vectors of the domain notes §5 to the last digit, and every refusal."""

from decimal import Decimal, localcontext

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chain.values import FenOutOfRange
from registry.formulas import (
    FORMULAS,
    FormulaUnknown,
    InputNotExact,
    InputNotPositive,
    InputOutOfRange,
    InputTooLarge,
    LengthsDiffer,
    NegativeInput,
    ProbabilitiesNotOne,
    WeightsNotOne,
    entropy_bits,
    entropy_of_weights,
    information_density,
    information_value,
    quality_coeff,
    quality_score,
    security_passed,
    to_fen_half_up,
    volume_coeff,
)

D = Decimal
Z = tuple(map(D, ("0.90", "0.95", "0.80", "0.99", "1.00", "0.85")))
BETA = tuple(map(D, ("0.2", "0.2", "0.2", "0.1", "0.1", "0.2")))


class TestVolumeCoeff:
    @pytest.mark.parametrize(
        ("volume_n", "scale_c", "expected"),
        [
            (0, 1, "0.500000000000000000"),
            (1, 2, "0.622459331201854565"),
            (1, 1, "0.731058578630004879"),
            (2, 1, "0.880797077977882444"),
            (1000, 500, "0.880797077977882444"),
            (4, 1, "0.982013790037908442"),
        ],
    )
    def test_gives_the_published_vectors(self, volume_n: int, scale_c: int, expected: str) -> None:
        """E-05, formula 5.4."""
        assert str(volume_coeff(volume_n=volume_n, volume_scale_c=scale_c)) == expected

    def test_reaches_one_for_a_vast_volume(self) -> None:
        assert volume_coeff(volume_n=10**40, volume_scale_c=D("1E-40")) == 1

    def test_does_not_depend_on_the_context_of_the_caller(self) -> None:
        with localcontext() as context:
            context.prec = 3

            assert str(volume_coeff(volume_n=1, volume_scale_c=1)) == "0.731058578630004879"

    def test_refuses_a_negative_volume(self) -> None:
        with pytest.raises(NegativeInput, match="volume_n"):
            volume_coeff(volume_n=-1, volume_scale_c=1)

    @pytest.mark.parametrize("scale_c", [0, -1])
    def test_refuses_a_scale_that_is_not_positive(self, scale_c: int) -> None:
        with pytest.raises(InputNotPositive, match="volume_scale_c"):
            volume_coeff(volume_n=1, volume_scale_c=scale_c)

    @pytest.mark.parametrize("scale_c", [1.5, True, "1", D("NaN"), D("Infinity")])
    def test_refuses_what_is_not_an_exact_number(self, scale_c: object) -> None:
        with pytest.raises(InputNotExact):
            volume_coeff(volume_n=1, volume_scale_c=scale_c)  # type: ignore[arg-type]

    @pytest.mark.parametrize("volume_n", [D("1E+41"), D("1E-41")])
    def test_refuses_a_number_beyond_all_measure(self, volume_n: Decimal) -> None:
        with pytest.raises(InputTooLarge):
            volume_coeff(volume_n=volume_n, volume_scale_c=1)


class TestQualityCoeff:
    def test_gives_the_published_vector(self) -> None:
        """E-05, formula 5.5."""
        assert quality_score(scores=Z, weights=BETA) == D("0.899")
        assert quality_coeff(scores=Z, weights=BETA) == D("0.808201")

    def test_refuses_weights_that_do_not_add_up_to_one(self) -> None:
        with pytest.raises(WeightsNotOne) as refusal:
            quality_coeff(scores=Z, weights=(*BETA[:5], D("0.3")))

        assert refusal.value.total == D("1.1")

    def test_refuses_a_score_above_one(self) -> None:
        with pytest.raises(InputOutOfRange, match=r"scores\[0\]"):
            quality_coeff(scores=(D("1.01"), *Z[1:]), weights=BETA)

    def test_refuses_a_negative_weight(self) -> None:
        with pytest.raises(NegativeInput, match=r"weights\[0\]"):
            quality_coeff(scores=Z[:2], weights=(D("-0.5"), D("1.5")))

    @pytest.mark.parametrize("scores", [(), Z[:5]])
    def test_refuses_lists_that_differ_in_length(self, scores: tuple[Decimal, ...]) -> None:
        with pytest.raises(LengthsDiffer):
            quality_coeff(scores=scores, weights=BETA if scores else ())


class TestEntropyBits:
    @pytest.mark.parametrize(
        ("probabilities", "expected"),
        [
            ("0.5 0.5", "1.000000000000000000"),
            ("0.25 0.25 0.25 0.25", "2.000000000000000000"),
            ("0.5 0.25 0.25", "1.500000000000000000"),
            ("0.9 0.1", "0.468995593589281221"),
            ("0.7 0.2 0.1", "1.156779649447039473"),
            ("1 0", "0.000000000000000000"),
        ],
    )
    def test_gives_the_published_vectors(self, probabilities: str, expected: str) -> None:
        """E-05, formula 5.7, with 0*log2 0 = 0."""
        shares = [D(share) for share in probabilities.split()]

        assert f"{entropy_bits(shares):f}" == expected
        assert f"{entropy_of_weights(shares):f}" == expected

    @pytest.mark.parametrize("probabilities", [(), (D("0.5"),), (D("0.9"), D("0.2"))])
    def test_refuses_probabilities_that_do_not_add_up_to_one(
        self, probabilities: tuple[Decimal, ...]
    ) -> None:
        with pytest.raises(ProbabilitiesNotOne):
            entropy_bits(probabilities)

    def test_refuses_a_probability_outside_zero_to_one(self) -> None:
        with pytest.raises(InputOutOfRange):
            entropy_bits((D("1.5"), D("-0.5")))


class TestEntropyOfWeights:
    def test_counts_thirds_exactly(self) -> None:
        assert str(entropy_of_weights((1, 1, 1))) == "1.584962500721156181"

    def test_gives_nothing_for_one_outcome(self) -> None:
        assert entropy_of_weights((7,)) == 0

    @pytest.mark.parametrize("weights", [(), (0, 0)])
    def test_refuses_outcomes_that_never_happen(self, weights: tuple[int, ...]) -> None:
        with pytest.raises(InputNotPositive, match="outcome_weights"):
            entropy_of_weights(weights)

    def test_does_not_depend_on_the_context_of_the_caller(self) -> None:
        with localcontext() as context:
            context.prec = 3

            assert str(entropy_of_weights((1, 1, 1))) == "1.584962500721156181"
            assert str(entropy_bits((D("0.9"), D("0.1")))) == "0.468995593589281221"

    @given(st.lists(st.integers(0, 10**6), min_size=1, max_size=40).filter(any))
    def test_lies_between_nothing_and_the_uniform_case(self, weights: list[int]) -> None:
        entropy = entropy_of_weights(weights)

        assert 0 <= entropy <= entropy_of_weights([1] * len(weights))

    @given(st.lists(st.integers(1, 1000), min_size=1, max_size=20), st.integers(2, 9))
    def test_does_not_depend_on_the_unit_of_the_weights(self, weights: list[int], n: int) -> None:
        assert entropy_of_weights(weights) == entropy_of_weights([n * w for w in weights])


class TestInformationDensity:
    @pytest.mark.parametrize(
        ("formula_id", "expected"),
        [
            ("H_IDENTITY_1", "1.500000000000000000"),
            ("H_NORMALIZED_1", "0.946394630357186156"),
            ("H_LOG_1", "0.916290731874155065"),
        ],
    )
    def test_follows_the_formula_named(self, formula_id: str, expected: str) -> None:
        """E-05, formula 5.6, all PROPOSED."""
        density = information_density(entropy=D("1.5"), outcomes_n=3, formula_id=formula_id)

        assert str(density) == expected
        assert FORMULAS[formula_id].is_proposed

    def test_refuses_to_normalise_fewer_than_two_outcomes(self) -> None:
        with pytest.raises(InputOutOfRange, match="outcomes_n"):
            information_density(entropy=D(0), outcomes_n=1, formula_id="H_NORMALIZED_1")

    def test_refuses_an_unknown_formula(self) -> None:
        with pytest.raises(FormulaUnknown, match="G_MAX_1"):
            information_density(entropy=D(1), outcomes_n=2, formula_id="G_MAX_1")


class TestInformationValue:
    def test_gives_the_published_vector(self) -> None:
        """E-05, formula 5.3."""
        information = information_value(
            volume=volume_coeff(volume_n=2, volume_scale_c=1),
            quality=quality_coeff(scores=Z, weights=BETA),
            density=entropy_bits((D("0.5"), D("0.25"), D("0.25"))),
        )

        assert str(information) == "1.067791618828203854"

    def test_refuses_a_negative_density(self) -> None:
        with pytest.raises(NegativeInput, match="information_density"):
            information_value(volume=D(1), quality=D(1), density=D(-1))


class TestSecurityPassed:
    @pytest.mark.parametrize("reviews", [(a, b, c) for a in (0, 1) for b in (0, 1) for c in (0, 1)])
    def test_needs_all_three_reviews(self, reviews: tuple[int, int, int]) -> None:
        """E-03, formula 5.13."""
        source, model, element = map(bool, reviews)

        passed = security_passed(source_review=source, model_review=model, element_review=element)

        assert passed is (reviews == (1, 1, 1))


class TestToFenHalfUp:
    @pytest.mark.parametrize(
        ("amount_fen", "expected"),
        [("0", 0), ("0.499999999999999999", 0), ("0.5", 1), ("1.5", 2), ("2.5", 3)],
    )
    def test_rounds_a_half_up(self, amount_fen: str, expected: int) -> None:
        assert to_fen_half_up(D(amount_fen)) == expected

    def test_refuses_what_the_ledger_cannot_hold(self) -> None:
        assert to_fen_half_up(D(2**63 - 1)) == 2**63 - 1
        with pytest.raises(FenOutOfRange):
            to_fen_half_up(D(2**63))

    def test_refuses_a_negative_amount(self) -> None:
        with pytest.raises(NegativeInput):
            to_fen_half_up(D("-0.01"))


class TestFormulas:
    def test_label_as_proposed_exactly_what_the_source_leaves_open(self) -> None:
        proposed = {formula.formula_id[0] for formula in FORMULAS.values() if formula.is_proposed}

        assert proposed == {"H", "G", "F", "S"}
        assert all(
            formula.text.startswith("PROPOSED: ") is formula.is_proposed
            for formula in FORMULAS.values()
        )
