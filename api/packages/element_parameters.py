"""
Element_parameters is about what may be chosen when an element is computed, and within which bounds.

It is not about the computation: that is `api.packages.elements`.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Final

from chain.failure import Invalid

# Count and spread of two values give both of them back; of three they do not.
K_MIN: Final = 3


class ThresholdTooLow(Invalid):
    """The smallest group of an element is too small to protect its members."""

    k: int
    k_min: int


class ParameterOutOfRange(Invalid):
    """A parameter of the element's computation is out of range."""

    name: str
    value: int


class ElementModelMalformed(Invalid):
    """The document is not an element model that this code computes."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ElementParameters:
    """
    What may be chosen about an element; the defaults are PROPOSED.

    note: `declared_identifiers` and `declared_categories` are column names, for all tables
    """

    k: int = 5
    groups_max: int = 1_000
    retained_percent: int = 80
    dominance_percent: int = 90
    digits: int = 6
    declared_identifiers: tuple[str, ...] = ()
    declared_categories: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse parameters that would protect nobody or compute nothing."""
        if self.k < K_MIN:
            raise ThresholdTooLow(k=self.k, k_min=K_MIN)
        for name, low, high in (
            ("groups_max", 1, 5_000),
            ("retained_percent", 0, 100),
            ("dominance_percent", 1, 100),
            ("digits", 1, 12),
        ):
            value = getattr(self, name)
            if not low <= value <= high:
                raise ParameterOutOfRange(name=name, value=value)


def parameters_of(stated: Any) -> ElementParameters:
    """Read the parameters of a model document."""
    names = {item.name for item in fields(ElementParameters)}
    if not isinstance(stated, Mapping) or set(stated) != names:
        raise ElementModelMalformed(reason="its parameters are not those of an element")
    read = {key: tuple(item) if isinstance(item, list) else item for key, item in stated.items()}
    for name, item in read.items():
        wanted = tuple if name.startswith("declared_") else int
        if not isinstance(item, wanted) or isinstance(item, bool):
            raise ElementModelMalformed(reason=f"its parameter {name} is of another kind")
    values: dict[str, Any] = read
    return ElementParameters(**values)


def parameters_document(parameters: ElementParameters) -> dict[str, Any]:
    """Write the parameters as they stand in a model document."""
    return {
        name: list(item) if isinstance(item, tuple) else item
        for name, item in asdict(parameters).items()
    }
