"""
Element_value is about what a computed element is worth: its own measures put into the formulas.

It is not about the formulas (`registry.formulas`, `registry.prices`) nor about the element's file.
"""

from dataclasses import dataclass
from decimal import Decimal

from api.packages.elements import Element
from api.packages.quality import QUALITY_WEIGHTS, QualityReport
from registry.prices import Appraisal
from registry.valuation import Valuation, ValuationInputs, value


@dataclass(frozen=True, slots=True, kw_only=True)
class ValueTerms:
    """
    What the parties or the venue choose about a valuation; the defaults are PROPOSED.

    units: `volume_scale_c` in source rows, costs in fen; `field_cost_fen` for each field used
    """

    volume_scale_c: Decimal = Decimal(1000)
    weights: tuple[Decimal, ...] = QUALITY_WEIGHTS
    density_formula_id: str = "H_IDENTITY_1"
    field_cost_fen: int = 0
    model_cost_fen: int = 0
    domain_factor: Decimal = Decimal(1)
    expected_return: Decimal = Decimal(0)
    price_formula_id: str = "G_COST_ONLY_1"
    price_parameter: Decimal = Decimal(0)
    appraisal: Appraisal | None = None


def value_element(
    element: Element, quality: QualityReport, terms: ValueTerms | None = None
) -> Valuation:
    """
    Value an element: its source rows as volume, the quality of its sources, its groups' entropy.

    note: the outcomes of E(X) are the released groups, each weighing its rows; PROPOSED
    """
    chosen = terms or ValueTerms()
    return value(
        ValuationInputs(
            volume_n=Decimal(element.volume_n),
            volume_scale_c=chosen.volume_scale_c,
            scores=quality.scores,
            weights=chosen.weights,
            outcome_weights=tuple(map(Decimal, element.outcome_weights)),
            density_formula_id=chosen.density_formula_id,
            field_costs_fen=(chosen.field_cost_fen,) * element.fields_used,
            model_cost_fen=chosen.model_cost_fen,
            domain_factor=chosen.domain_factor,
            expected_return=chosen.expected_return,
            price_formula_id=chosen.price_formula_id,
            price_parameter=chosen.price_parameter,
            appraisal=chosen.appraisal,
        )
    )
