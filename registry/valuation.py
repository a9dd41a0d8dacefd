"""
Valuation is about keeping the inputs and results of a value so that anyone can compute it again.

It is not about the arithmetic itself: that is `registry.formulas` and `registry.prices`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from chain.failure import Conflict, Invalid
from registry.formulas import (
    FORMULAS,
    entropy_of_weights,
    information_density,
    information_value,
    quality_coeff,
    quality_score,
    to_fen_half_up,
    volume_coeff,
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

DOCUMENT_TYPE: Final = "shulian/valuation/1"


class ValuationMalformed(Invalid):
    """The document is not a valuation document."""

    reason: str


class ValuationNotReproduced(Conflict):
    """A stated result differs from the one its inputs give."""

    name: str
    stated: str
    computed: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ValuationInputs:
    """
    Everything a value is computed from.

    units:  costs in fen; `volume_n` in rows (or the unit of `volume_scale_c`); scores and weights
            from 0 to 1 in the order of domain.md 5.14; `outcome_weights` are counts or
            probabilities of the element's outcomes
    note:   `price_parameter` is the value weight or the unit value in fen, as the formula says
    """

    volume_n: Decimal
    volume_scale_c: Decimal
    scores: tuple[Decimal, ...]
    weights: tuple[Decimal, ...]
    outcome_weights: tuple[Decimal, ...]
    density_formula_id: str
    field_costs_fen: tuple[int, ...] = ()
    model_cost_fen: int = 0
    domain_factor: Decimal = Decimal(1)
    expected_return: Decimal = Decimal(0)
    price_formula_id: str = "G_COST_ONLY_1"
    price_parameter: Decimal = Decimal(0)
    appraisal: Appraisal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Valuation:
    """
    What the inputs are worth: 18-place results, and prices in whole fen.

    note: the guide price is None where nothing was appraised on the market
    """

    inputs: ValuationInputs
    volume_coeff: Decimal
    quality_score: Decimal
    quality_coeff: Decimal
    entropy_bits: Decimal
    information_density: Decimal
    information_value: Decimal
    base_cost_fen: int
    cost_fen: Decimal
    joint_price_fen: Decimal
    negotiated_price_fen: int
    appraised_price_fen: Decimal | None
    guide_price_fen: int | None


def value(inputs: ValuationInputs) -> Valuation:
    """
    Compute information value and prices, each step from the recorded result of the one before.

    ensures: the same inputs always give the same valuation
    """
    volume = volume_coeff(volume_n=inputs.volume_n, volume_scale_c=inputs.volume_scale_c)
    quality = quality_coeff(scores=inputs.scores, weights=inputs.weights)
    entropy = entropy_of_weights(inputs.outcome_weights)
    density = information_density(
        entropy=entropy,
        outcomes_n=len(inputs.outcome_weights),
        formula_id=inputs.density_formula_id,
    )
    information = information_value(volume=volume, quality=quality, density=density)
    basis_fen = base_cost(
        field_costs_fen=inputs.field_costs_fen, model_cost_fen=inputs.model_cost_fen
    )
    cost_fen = cost(domain_factor=inputs.domain_factor, base_cost_fen=basis_fen)
    joint_fen = joint_price(
        information=information,
        cost_fen=cost_fen,
        parameter=inputs.price_parameter,
        formula_id=inputs.price_formula_id,
    )
    appraised_fen, guide_fen = _appraise(inputs.appraisal, basis_fen)
    return Valuation(
        inputs=inputs,
        volume_coeff=volume,
        quality_score=quality_score(scores=inputs.scores, weights=inputs.weights),
        quality_coeff=quality,
        entropy_bits=entropy,
        information_density=density,
        information_value=information,
        base_cost_fen=basis_fen,
        cost_fen=cost_fen,
        joint_price_fen=joint_fen,
        negotiated_price_fen=to_fen_half_up(
            negotiated_price(expected_return=inputs.expected_return, joint_price_fen=joint_fen)
        ),
        appraised_price_fen=appraised_fen,
        guide_price_fen=guide_fen,
    )


def to_document(valuation: Valuation) -> dict[str, Any]:
    """
    Write a valuation as a document with every number as text, ready for canonical JSON.

    ensures: `recompute` of the document gives the valuation back
    """
    inputs = valuation.inputs
    used = ["V_LOGISTIC_1", "Q_SQUARE_1", "E_SHANNON_1", inputs.density_formula_id]
    used += ["I_PRODUCT_1", inputs.price_formula_id]
    used += [inputs.appraisal.formula_id] if inputs.appraisal else []
    return {
        "type": DOCUMENT_TYPE,
        "formulas": [
            {
                "formula_id": formula_id,
                "text": FORMULAS[formula_id].text,
                "is_proposed": FORMULAS[formula_id].is_proposed,
            }
            for formula_id in used
        ],
        "inputs": _plain(inputs),
        "results": {name: _plain(getattr(valuation, name)) for name in _RESULTS},
    }


def recompute(document: Mapping[str, Any]) -> Valuation:
    """
    Compute a valuation again from its document's inputs and compare every stated result.

    :raises ValuationMalformed: if the document has another shape
    :raises ValuationNotReproduced: at the first result that differs
    """
    if document.get("type") != DOCUMENT_TYPE:
        raise ValuationMalformed(reason=f"its type is not {DOCUMENT_TYPE}")
    valuation = value(_inputs(document.get("inputs")))
    fresh = to_document(valuation)
    stated = document.get("results")
    if not isinstance(stated, Mapping) or set(stated) != set(_RESULTS):
        raise ValuationMalformed(reason="its results are not the results of a valuation")
    for name in _RESULTS:
        if stated[name] != fresh["results"][name]:
            raise ValuationNotReproduced(
                name=name, stated=str(stated[name]), computed=str(fresh["results"][name])
            )
    if document != fresh:
        raise ValuationMalformed(reason="its formulas are not those of its inputs")
    return valuation


_RESULTS: Final = tuple(field.name for field in fields(Valuation) if field.name != "inputs")


def _appraise(appraisal: Appraisal | None, basis_fen: int) -> tuple[Decimal | None, int | None]:
    if appraisal is None:
        return None, None
    appraised_fen = appraised_price(appraisal, base_cost_fen=basis_fen)
    guide_fen = guide_price(
        market_factor=appraisal.market_factor, appraised_price_fen=appraised_fen
    )
    return appraised_fen, to_fen_half_up(guide_fen)


def _plain(item: Any) -> Any:
    """Write numbers as text without exponent, tuples as lists and records as mappings."""
    if isinstance(item, Decimal):
        return f"{item:f}"
    if isinstance(item, int):
        return str(item)
    if isinstance(item, tuple):
        return [_plain(part) for part in item]
    if isinstance(item, ValuationInputs | Appraisal):
        return {field.name: _plain(getattr(item, field.name)) for field in fields(item)}
    return item


def _inputs(stated: Any) -> ValuationInputs:
    appraisal = stated.get("appraisal") if isinstance(stated, Mapping) else None
    read = _read(ValuationInputs, stated, skipped={"appraisal"})
    market = None if appraisal is None else Appraisal(**_read(Appraisal, appraisal))
    return ValuationInputs(**read, appraisal=market)


def _read(record: type, stated: Any, *, skipped: frozenset[str] | set[str] = frozenset()) -> Any:
    """Read text back into the types the record's fields declare."""
    names = {field.name: field.type for field in fields(record)}
    if not isinstance(stated, Mapping) or set(stated) != set(names):
        raise ValuationMalformed(reason=f"its inputs are not those of {record.__name__}")
    return {
        name: _number(name, stated[name], kind)
        for name, kind in names.items()
        if name not in skipped
    }


def _number(name: str, text: Any, kind: Any) -> Any:
    if isinstance(text, list) and kind in (tuple[Decimal, ...], tuple[int, ...]):
        part = Decimal if kind == tuple[Decimal, ...] else int
        return tuple(_number(f"{name}[{place}]", item, part) for place, item in enumerate(text))
    if isinstance(text, str) and kind in (str, int, Decimal):
        try:
            return kind(text)
        except (ValueError, InvalidOperation) as error:
            raise ValuationMalformed(reason=f"{name} is not a number: {text!r}") from error
    raise ValuationMalformed(reason=f"{name} is not written as text")
