"""
What the API answers about a record: a model derived from it, so that no field is written again.

It is not the form of single values (`api.wire`), nor what any noun's status means
(`api.statuses`).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any, Final, Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from api.wire import Form, form_of, make_model, prose_of, sentence
from chain.abi import hints_of
from chain.reads import Recorded

R = TypeVar("R")
Json = dict[str, Any]
NOTHING: Final[Json] = {}


class AsOf(BaseModel):
    """The block that an answer is as of."""

    model_config = ConfigDict(extra="forbid")

    block_number: int = Field(description="Its height.")
    block_hash: str = Field(description="Its hash.")
    is_final: bool = Field(description="Whether a fork can no longer undo it.")


@dataclass(frozen=True, slots=True)
class Derived(Generic[R]):
    """
    A field that no record holds: computed from it and the time of the block the answer is as of.

    shape: `kind` is the type in the schema
    """

    name: str
    kind: Any
    description: str
    compute: Callable[[R, int], Any]


RECORDED: Final = (
    int,
    Field(description="Height of the block that made this version of the record."),
)


class Answer(Generic[R]):
    """
    The model of a record, alone and in lists.

    shape: `added` names what a route adds from elsewhere, such as titles: type and description
    """

    def __init__(
        self, record: type[R], *derived: Derived[R], added: Mapping[str, tuple[Any, str]] = NOTHING
    ) -> None:
        self.record = record
        self.name = record.__name__
        self._forms = _forms(record)
        self._derived = derived
        self._added = added
        members = self._members()
        doc = str(record.__doc__)
        as_of: dict[str, Any] = {"as_of": (AsOf, Field(description="The block it is as of."))}
        self.item_model = make_model(f"{self.name}Item", members, doc=doc)
        self.model = make_model(f"{self.name}Out", {**members, **as_of}, doc=doc)
        self.page_model = page_model(f"{self.name}Page", self.item_model)

    def item(self, recorded: Recorded[R], now: int, added: Json = NOTHING) -> Json:
        """Return a record as it stands in a list, with what the route adds to it."""
        record = recorded.record
        return {
            **{name: form.convert(getattr(record, name)) for name, form in self._forms.items()},
            **{one.name: one.compute(record, now) for one in self._derived},
            **added,
            "recorded_at_block": recorded.from_block,
        }

    def _members(self) -> dict[str, Any]:
        prose = prose_of(self.record)
        own = {
            name: (form.kind, Field(description=sentence(name, prose.get(name))))
            for name, form in self._forms.items()
        }
        derived = {
            one.name: (one.kind, Field(description=one.description)) for one in self._derived
        }
        return {**own, **derived, **described(self._added), "recorded_at_block": RECORDED}


def page_model(name: str, item: type[BaseModel]) -> type[BaseModel]:
    """Return the model of a list of such items."""
    members: dict[str, Any] = {
        "items": (list[item], Field(description="In the order the chain recorded them.")),  # type: ignore[valid-type]
        "next": (str | None, Field(description="Cursor of the next page; null at the end.")),
        "as_of": (AsOf, Field(description="The block the list is as of.")),
    }
    return make_model(name, members, doc="A page of a list.")


def names_of(kind: type[Any]) -> Any:
    """Return the schema type of the names of an enum or of a bit set."""
    return Literal[tuple(one.name for one in kind)]


def described(members: Mapping[str, tuple[Any, str]]) -> dict[str, Any]:
    """Return model members from their types and descriptions."""
    return {name: (kind, Field(description=said)) for name, (kind, said) in members.items()}


def status(kind: type[Any], description: str, compute: Callable[[R, int], Any]) -> Derived[R]:
    """Return the derived field `status`, a name of this enum."""
    return Derived("status", names_of(kind), description, lambda one, now: compute(one, now).name)


def bits(name: str, kind: type[Any], description: str, field: str) -> Derived[Any]:
    """Return a derived field that names the bits set in another field."""
    return Derived(
        name,
        list[names_of(kind)],  # type: ignore[misc]
        description,
        lambda one, _: [bit.name for bit in kind if getattr(one, field) & bit],
    )


def _forms(record: type) -> dict[str, Form]:
    hints = hints_of(record)
    return {
        one.name: form_of(hints[one.name], one.name, bool(one.metadata.get("uint256")))
        for one in fields(record)
    }
