"""
Prices is about turning cost, information value and market factors into exact amounts of fen.

It is not about listings or what was paid; a price here is advice with its arithmetic on record.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal, Overflow

from registry.formulas import (
    EXACT,
    ONE,
    ZERO,
    FormulaUnknown,
    InputOutOfRange,
    InputTooLarge,
    LengthsDiffer,
    exact,
    not_negative,
    positive,
    round_18,
    total_of,
    unit_interval,
)

APPRAISAL_FACTORS = ("scarcity", "timeliness", "scale", "completeness")


@dataclass(frozen=True, slots=True, kw_only=True)
class Appraisal:
    """
    What the market appraisal of an element reads, apart from its base cost.

    units: the four factors are zero or more; history price is exact fen, zero if never sold;
           weights are w0..w4 for F_GEOMETRIC_1 (w0 from 0 to 1) and w1..w4 for F_LINEAR_1
    """

    scarcity: Decimal
    timeliness: Decimal
    scale: Decimal
    completeness: Decimal
    history_price_fen: int
    appraisal_weights: tuple[Decimal, ...]
    market_factor: Decimal
    formula_id: str

    def factors(self) -> tuple[Decimal, ...]:
        """List the four market factors S, T, N, W in the order of the source."""
        return tuple(not_negative(name, getattr(self, name)) for name in APPRAISAL_FACTORS)


def base_cost(*, field_costs_fen: Sequence[int], model_cost_fen: int) -> int:
    """Add up what the fields and the model cost: P' = sum of field costs + model cost, in fen."""
    costs = [*field_costs_fen, model_cost_fen]
    for place, amount_fen in enumerate(costs):
        not_negative(f"costs_fen[{place}]", amount_fen)
    return sum(costs)


def cost(*, domain_factor: Decimal, base_cost_fen: int) -> Decimal:
    """Scale the base cost by its domain: C = k*P', in exact fen."""
    factor = positive("domain_factor", domain_factor)
    return round_18("cost", EXACT.multiply(factor, not_negative("base_cost_fen", base_cost_fen)))


def joint_price(
    *, information: Decimal, cost_fen: Decimal, parameter: Decimal, formula_id: str
) -> Decimal:
    """
    Join value and cost into one price: g(I, C); the source gives no g, so each is PROPOSED.

    units: parameter is the value weight of G_COST_PLUS_VALUE_1, the unit value in fen of G_MAX_1,
           and must be zero for G_COST_ONLY_1
    """
    value = not_negative("information_value", information)
    basis = not_negative("cost_fen", cost_fen)
    weight = not_negative("price_parameter", parameter)
    if formula_id == "G_COST_ONLY_1":
        if weight != ZERO:
            raise InputOutOfRange(name="price_parameter", value=weight, minimum=ZERO, maximum=ZERO)
        return round_18("joint_price", basis)
    if formula_id == "G_COST_PLUS_VALUE_1":
        factor = EXACT.add(ONE, EXACT.multiply(weight, value))
        return round_18("joint_price", EXACT.multiply(basis, factor))
    if formula_id == "G_MAX_1":
        return round_18("joint_price", max(basis, EXACT.multiply(weight, value)))
    raise FormulaUnknown(kind="JOINT_PRICE", formula_id=formula_id)


def negotiated_price(*, expected_return: Decimal, joint_price_fen: Decimal) -> Decimal:
    """Add the expected return: P1 = (1+gamma)*g, in exact fen."""
    gain = not_negative("expected_return", expected_return)
    price_fen = not_negative("joint_price_fen", joint_price_fen)
    return round_18("negotiated_price", EXACT.multiply(EXACT.add(ONE, gain), price_fen))


def appraised_price(appraisal: Appraisal, *, base_cost_fen: int) -> Decimal:
    """
    Appraise an element on the market: P'' = f(S, T, N, W, C0, P'), in exact fen.

    note: the source gives no f, so each is PROPOSED
    """
    basis = not_negative("base_cost_fen", base_cost_fen)
    history = not_negative("history_price_fen", appraisal.history_price_fen)
    weights = [exact(f"appraisal_weights[{i}]", w) for i, w in enumerate(_weights(appraisal))]
    factors = appraisal.factors()
    if appraisal.formula_id == "F_LINEAR_1":
        parts = [EXACT.multiply(w, s) for w, s in zip(weights, factors, strict=True)]
        factor = not_negative("appraisal_factor", EXACT.add(ONE, total_of(parts)))
        return round_18("appraised_price", EXACT.multiply(basis, factor))
    price = basis
    if history > 0:
        w0 = unit_interval("appraisal_weights[0]", weights[0])
        price = EXACT.multiply(_power(history, w0), _power(basis, EXACT.subtract(ONE, w0)))
    for weight, factor in zip(weights[1:], factors, strict=True):
        price = EXACT.multiply(price, _power(factor, not_negative("appraisal_weights", weight)))
    return round_18("appraised_price", price)


def guide_price(*, market_factor: Decimal, appraised_price_fen: Decimal) -> Decimal:
    """Adjust the appraised price to the market: P2 = beta*P'', in exact fen."""
    factor = not_negative("market_factor", market_factor)
    price_fen = not_negative("appraised_price_fen", appraised_price_fen)
    return round_18("guide_price", EXACT.multiply(factor, price_fen))


def _weights(appraisal: Appraisal) -> tuple[Decimal, ...]:
    wanted = {"F_GEOMETRIC_1": 5, "F_LINEAR_1": 4}.get(appraisal.formula_id)
    if wanted is None:
        raise FormulaUnknown(kind="APPRAISED_PRICE", formula_id=appraisal.formula_id)
    if len(appraisal.appraisal_weights) != wanted:
        raise LengthsDiffer(first=len(appraisal.appraisal_weights), second=wanted)
    return appraisal.appraisal_weights


def _power(number: Decimal, exponent: Decimal) -> Decimal:
    """Raise to a power of zero or more; nothing to the power of nothing is one."""
    if exponent == ZERO:
        return ONE
    try:
        return EXACT.power(number, exponent)
    except Overflow as error:
        raise InputTooLarge(name="appraised_price") from error
