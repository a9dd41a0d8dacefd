"""
Formulas is about the arithmetic of a data element's value: volume, quality, entropy, cost, price.

It is not about who stated the inputs nor about keeping a result: that is `registry.valuation`.

Every formula has a versioned id in `FORMULAS`. Where the source (S2 §3.3) gives no function, ours
is labelled PROPOSED there. Arithmetic is decimal with 60 digits and a result is rounded half-even
to 18 places, so that a chain of results can be repeated from the recorded ones. Money is rounded
half-up to whole fen, once, at the end (`to_fen_half_up`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import (
    ROUND_HALF_EVEN,
    ROUND_HALF_UP,
    Context,
    Decimal,
    DivisionByZero,
    InvalidOperation,
    Overflow,
)
from typing import Final

from chain.failure import Invalid
from chain.values import Fen, check_fen

# At least 50 digits are asked for; sixty leave room for the guard digits of exp, ln and powers.
EXACT: Final = Context(
    prec=60,
    rounding=ROUND_HALF_EVEN,
    Emin=-999_999,
    Emax=999_999,
    traps=[InvalidOperation, DivisionByZero, Overflow],
)
PLACES: Final = Decimal("1E-18")
ONE: Final = Decimal(1)
ZERO: Final = Decimal(0)
# Ten to the fortieth either way is far beyond any data volume, and keeps every product in range.
MAGNITUDE_MAX: Final = 40


class NegativeInput(Invalid):
    """An input that may not be negative is negative."""

    name: str
    value: Decimal


class InputNotPositive(Invalid):
    """An input that must be greater than zero is not."""

    name: str
    value: Decimal


class InputOutOfRange(Invalid):
    """An input lies outside the range its formula allows."""

    name: str
    value: Decimal
    minimum: Decimal
    maximum: Decimal


class InputTooLarge(Invalid):
    """An input or a result is too large or too small for exact arithmetic."""

    name: str


class InputNotExact(Invalid):
    """An input is not an exact finite number."""

    name: str
    value: str


class WeightsNotOne(Invalid):
    """The weights do not add up to one."""

    total: Decimal


class ProbabilitiesNotOne(Invalid):
    """The probabilities do not add up to one."""

    total: Decimal


class LengthsDiffer(Invalid):
    """Two lists that belong together differ in length, or are empty."""

    first: int
    second: int


class FormulaUnknown(Invalid):
    """No formula of this kind has this id."""

    kind: str
    formula_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Formula:
    """One versioned formula: its id, what it computes, its parameters, and whether it is ours."""

    formula_id: str
    kind: str
    text: str
    parameters: tuple[str, ...] = ()
    is_proposed: bool = True


def _formula(formula_id: str, kind: str, text: str, *parameters: str, source: str = "") -> Formula:
    return Formula(
        formula_id=formula_id,
        kind=kind,
        text=f"{text} ({source})" if source else f"PROPOSED: {text}",
        parameters=parameters,
        is_proposed=not source,
    )


FORMULAS: Final = {
    formula.formula_id: formula
    for formula in (
        _formula("V_LOGISTIC_1", "VOLUME", "V = 1/(1+e^(-N/C))", "volume_scale_c", source="S2 5.4"),
        _formula("Q_SQUARE_1", "QUALITY", "Q = (Z'b)^2", "weights", source="S2 5.5"),
        _formula("E_SHANNON_1", "ENTROPY", "E = -sum p*log2 p, 0*log2 0 = 0", source="S2 5.7"),
        _formula("I_PRODUCT_1", "INFORMATION_VALUE", "I = V*Q*D", source="S2 5.3"),
        _formula("H_IDENTITY_1", "DENSITY", "D = E"),
        _formula("H_NORMALIZED_1", "DENSITY", "D = E/log2 n, n >= 2"),
        _formula("H_LOG_1", "DENSITY", "D = ln(1+E)"),
        _formula("G_COST_ONLY_1", "JOINT_PRICE", "g = C"),
        _formula("G_COST_PLUS_VALUE_1", "JOINT_PRICE", "g = C*(1+w*I)", "value_weight"),
        _formula("G_MAX_1", "JOINT_PRICE", "g = max(C, u*I)", "unit_value_fen"),
        _formula(
            "F_GEOMETRIC_1",
            "APPRAISED_PRICE",
            "f = C0^w0 * P^(1-w0) * S^w1 * T^w2 * N^w3 * W^w4; P alone where C0 = 0",
            "appraisal_weights",
        ),
        _formula("F_LINEAR_1", "APPRAISED_PRICE", "f = P*(1+sum w*s)", "appraisal_weights"),
        _formula("S_ALL_PASS_1", "SECURITY", "S = O and M and R"),
    )
}


def exact(name: str, value: Decimal | int) -> Decimal:
    """
    Take a finite decimal or whole number as it is, and refuse everything else.

    :raises InputNotExact: for a float, an infinity, a not-a-number or a truth value
    :raises InputTooLarge: beyond ten to the power of MAGNITUDE_MAX, either way
    """
    if isinstance(value, bool) or not isinstance(value, Decimal | int):
        raise InputNotExact(name=name, value=repr(value))
    number = Decimal(value)
    if not number.is_finite():
        raise InputNotExact(name=name, value=str(value))
    if number and abs(number.adjusted()) > MAGNITUDE_MAX:
        raise InputTooLarge(name=name)
    return number


def not_negative(name: str, value: Decimal | int) -> Decimal:
    """Take an exact number that is zero or more."""
    number = exact(name, value)
    if number < 0:
        raise NegativeInput(name=name, value=number)
    return number


def positive(name: str, value: Decimal | int) -> Decimal:
    """Take an exact number that is greater than zero."""
    number = exact(name, value)
    if number <= 0:
        raise InputNotPositive(name=name, value=number)
    return number


def unit_interval(name: str, value: Decimal | int) -> Decimal:
    """Take an exact number from zero to one."""
    number = exact(name, value)
    if not 0 <= number <= 1:
        raise InputOutOfRange(name=name, value=number, minimum=ZERO, maximum=ONE)
    return number


def round_18(name: str, value: Decimal) -> Decimal:
    """Round a result half-even to 18 places."""
    try:
        return value.quantize(PLACES, context=EXACT)
    except InvalidOperation as error:
        raise InputTooLarge(name=name) from error


def total_of(numbers: Sequence[Decimal]) -> Decimal:
    """Add numbers up with 60 digits."""
    total = ZERO
    for number in numbers:
        total = EXACT.add(total, number)
    return total


def log2(number: Decimal) -> Decimal:
    """Take the binary logarithm of a positive number, with 60 digits."""
    return EXACT.divide(EXACT.ln(number), EXACT.ln(Decimal(2)))


def volume_coeff(*, volume_n: Decimal | int, volume_scale_c: Decimal | int) -> Decimal:
    """
    Weigh the amount of data: V(N) = 1/(1+e^(-N/C)).

    ensures: from 0.5 (an empty element, as the source prints it) up to 1
    """
    n = not_negative("volume_n", volume_n)
    c = positive("volume_scale_c", volume_scale_c)
    falling = EXACT.exp(EXACT.minus(EXACT.divide(n, c)))
    return round_18("volume_coeff", EXACT.divide(ONE, EXACT.add(ONE, falling)))


def quality_score(*, scores: Sequence[Decimal], weights: Sequence[Decimal]) -> Decimal:
    """
    Take the weighted mean of the quality scores: Z'b.

    units: scores from 0 to 1, weights of zero or more that add up to one (at 18 places)
    """
    if not scores or len(scores) != len(weights):
        raise LengthsDiffer(first=len(scores), second=len(weights))
    z = [unit_interval(f"scores[{place}]", score) for place, score in enumerate(scores)]
    b = [not_negative(f"weights[{place}]", weight) for place, weight in enumerate(weights)]
    total = total_of(b)
    if round_18("weights", total) != ONE:
        raise WeightsNotOne(total=total)
    products = [EXACT.multiply(score, weight) for score, weight in zip(z, b, strict=True)]
    return round_18("quality_score", total_of(products))


def quality_coeff(*, scores: Sequence[Decimal], weights: Sequence[Decimal]) -> Decimal:
    """Weigh the quality of data: Q(Z) = (Z'b)^2, from 0 to 1."""
    score = quality_score(scores=scores, weights=weights)
    return round_18("quality_coeff", EXACT.multiply(score, score))


def entropy_bits(probabilities: Sequence[Decimal]) -> Decimal:
    """
    Measure the information of a distribution: E(X) = -sum p*log2 p, in bits.

    :raises ProbabilitiesNotOne: if they do not add up to one at 18 places
    """
    shares = [unit_interval(f"probabilities[{i}]", p) for i, p in enumerate(probabilities)]
    total = total_of(shares)
    if round_18("probabilities", total) != ONE:
        raise ProbabilitiesNotOne(total=total)
    bits = [EXACT.multiply(share, log2(share)) for share in shares if share > 0]
    return round_18("entropy_bits", EXACT.abs(total_of(bits)))


def entropy_of_weights(outcome_weights: Sequence[Decimal | int]) -> Decimal:
    """
    Measure the information of outcomes given by counts or any other weights of zero or more.

    why: a count such as one in three has no finite decimal, its count has
    ensures: equals `entropy_bits` of weight/total
    """
    weights = [not_negative(f"outcome_weights[{i}]", w) for i, w in enumerate(outcome_weights)]
    total = positive("outcome_weights", total_of(weights))
    parts = [EXACT.multiply(weight, log2(weight)) for weight in weights if weight > 0]
    mean = EXACT.divide(total_of(parts), total)
    return round_18("entropy_bits", EXACT.abs(EXACT.subtract(log2(total), mean)))


def information_density(*, entropy: Decimal, outcomes_n: int, formula_id: str) -> Decimal:
    """
    Turn entropy into density: D(X) = h(E(X)); the source gives no h, so each is PROPOSED.

    :raises FormulaUnknown: if the id names no DENSITY formula
    """
    bits = not_negative("entropy", entropy)
    if formula_id == "H_IDENTITY_1":
        return round_18("information_density", bits)
    if formula_id == "H_LOG_1":
        return round_18("information_density", EXACT.ln(EXACT.add(ONE, bits)))
    if formula_id != "H_NORMALIZED_1":
        raise FormulaUnknown(kind="DENSITY", formula_id=formula_id)
    if outcomes_n < 2:
        raise InputOutOfRange(
            name="outcomes_n", value=Decimal(outcomes_n), minimum=Decimal(2), maximum=Decimal(2**64)
        )
    return round_18("information_density", EXACT.divide(bits, log2(Decimal(outcomes_n))))


def information_value(*, volume: Decimal, quality: Decimal, density: Decimal) -> Decimal:
    """Multiply the three coefficients: I(X) = V(N)*Q(Z)*D(X)."""
    v = unit_interval("volume_coeff", volume)
    q = unit_interval("quality_coeff", quality)
    d = not_negative("information_density", density)
    return round_18("information_value", EXACT.multiply(EXACT.multiply(v, q), d))


def security_passed(*, source_review: bool, model_review: bool, element_review: bool) -> bool:
    """Say whether all three reviews passed: S(X) = O and M and R, PROPOSED as the safe reading."""
    return source_review and model_review and element_review


def to_fen_half_up(amount_fen: Decimal) -> Fen:
    """
    Round an exact amount of fen half-up to whole fen; the only rounding of money.

    :raises FenOutOfRange: if the ledger cannot hold it
    """
    number = not_negative("amount_fen", amount_fen)
    return check_fen(int(number.quantize(ONE, rounding=ROUND_HALF_UP, context=EXACT)))
