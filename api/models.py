"""
What the API answers about a record: a model derived from it, so that no field is written again.

It is not the form of single values (`api.wire`), nor what any noun's status means
(`api.statuses`).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Final, Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from api.wire import Form, converter, form_of, make_model, prose_of, sentence
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


class Evidence(BaseModel):
    """What a whole list amounts to, so that whoever holds its pages knows that none is missing."""

    model_config = ConfigDict(extra="forbid")

    count: int = Field(description="How many items the list has.")
    checksum: str = Field(
        description="SHA-256 of the canonical JSON (RFC 8785) of the array of all items in order,"
        " each without the members that `excluded` names."
    )
    excluded: list[str] = Field(
        description="Members that come from documents, which another server may not be able to"
        " read."
    )
    as_of: AsOf = Field(description="The block the list is as of.")


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

    shape: `added` names what a route adds from elsewhere, such as titles: type and description;
           `excluded` those of it that no chain says, but documents do
    """

    def __init__(
        self,
        record: type[R],
        *derived: Derived[R],
        added: Mapping[str, tuple[Any, str]] = NOTHING,
        excluded: Sequence[str] = (),
    ) -> None:
        self.record = record
        self.name = record.__name__
        self.excluded = tuple(sorted(excluded))
        self._forms = _forms(record)
        self._convert = converter(self._forms)
        self._derived = derived
        self._added = added
        members = self._members()
        doc = str(record.__doc__)
        as_of: dict[str, Any] = {"as_of": (AsOf, Field(description="The block it is as of."))}
        self.item_model = make_model(f"{self.name}Item", members, doc=doc)
        self.model = make_model(f"{self.name}Out", {**members, **as_of}, doc=doc)
        self.page_model = page_model(f"{self.name}Page", self.item_model)
        self.list_model: Any = self.page_model | Evidence
        own = make_model(f"{self.name}Fields", self._members_of_its_own(), doc=doc)
        self.history_model = page_model(f"{self.name}History", version_model(own))

    def item(self, recorded: Recorded[R], now: int, added: Json = NOTHING) -> Json:
        """Return a record as it stands in a list, with what the route adds to it."""
        told = self.fields(recorded.record, now)
        if added:
            told.update(added)
        told["recorded_at_block"] = recorded.from_block
        return told

    def fields(self, record: R, now: int) -> Json:
        """Return what a record itself says, at a time."""
        told: Json = self._convert(record)
        for one in self._derived:
            told[one.name] = one.compute(record, now)
        return told

    def _members(self) -> dict[str, Any]:
        own = self._members_of_its_own()
        return {**own, **described(self._added), "recorded_at_block": RECORDED}

    def _members_of_its_own(self) -> dict[str, Any]:
        prose = prose_of(self.record)
        own = {
            name: (form.kind, Field(description=sentence(name, prose.get(name))))
            for name, form in self._forms.items()
        }
        derived = {
            one.name: (one.kind, Field(description=one.description)) for one in self._derived
        }
        return {**own, **derived}


def version_model(record: type[BaseModel]) -> type[BaseModel]:
    """Return the model of one version in a record's history."""
    name = record.__name__.removesuffix("Fields")
    members = {
        "from_block": (int, "Height of the block that made it."),
        "from_time": (str | None, "That block's time, RFC 3339 in UTC."),
        "to_block": (int | None, "Height of the block that made the next one; null if none did."),
        "to_time": (str | None, "That block's time, RFC 3339 in UTC; null likewise."),
        "event": (str, "The event that made it: the last one about it in its block."),
        "contract": (str, "The contract that emitted it."),
        "transaction_hash": (str, "The transaction that did it."),
        "log_index": (int, "The event's place among the logs of the block."),
        "is_final": (bool, "Whether a fork can no longer undo it."),
        "record": (record, "The record from then on, its status as of that block's time."),
    }
    return make_model(f"{name}Version", described(members), doc="A version of a record.")


def page_model(name: str, item: type[BaseModel]) -> type[BaseModel]:
    """Return the model of a list of such items."""
    members: dict[str, Any] = {
        "items": (list[item], Field(description="In the order of the chain.")),  # type: ignore[valid-type]
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
    # An enum's own arithmetic costs more than finding the record does.
    each = [(int(bit), bit.name) for bit in kind]
    return Derived(
        name,
        list[names_of(kind)],  # type: ignore[misc]
        description,
        lambda one, _: [told for bit, told in each if getattr(one, field) & bit],
    )


def _forms(record: type) -> dict[str, Form]:
    hints = hints_of(record)
    return {
        one.name: form_of(hints[one.name], one.name, bool(one.metadata.get("uint256")))
        for one in fields(record)
    }
