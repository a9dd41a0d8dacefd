"""
One name for one thing, in every layer: records and views, events and projections, nouns and files.

It cuts across all packages, and asks no chain. Errors are compared where they are made and told
(`tests/chain/test_generate.py`, `tests/api/test_problems.py`).
"""

import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import is_dataclass, replace
from enum import Enum
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages
from typing import Any, get_args, get_origin

import pytest

from chain import structs
from chain.abi import hints_of
from chain.artifacts import artifact
from chain.codec import plain
from chain.codegen.types import snake
from chain.errors import ERRORS
from chain.events import EVENTS
from chain.failure import LedgerError
from chain.records import View
from registry import projection as registry_projection
from settlement import projection as settlement_projection
from settlement.projection import ALL_RECORDS
from tests.api.mirrored import filled

ROOT = Path(__file__).resolve().parents[1]
VIEWED = [one for one in ALL_RECORDS if one.VIEW is not None]
# What no view shows, and what covers it instead.
UNVIEWED = {"AssetLink": "the asset's links hash", "Posting": "the settlement's legs hash"}
# A trade's terms are covered by what both sides signed, which needs chain and contract to compute:
# `tests/invariants` compares it for every trade.
COVERED_ELSEWHERE = {("Trade", "terms")}
# Routes about the service, not about a noun of the ledger.
SERVICE = {
    "blocks",
    "events",
    "health",
    "nonces",
    "sessions",
    "statistics",
    "stream",
    "transactions",
    "webhooks",
}
# They belong to a participant, and to whatever is certified: no contract, no record of their own.
PARTS = {"accounts"}


def interfaces() -> list[str]:
    """Return the nouns, in the plural: one interface each."""
    names = [path.stem[1:] for path in (ROOT / "contracts/interfaces").glob("I*.sol")]
    return sorted(set(names) - {"Acting", "ERC5192"})


def shown(view: View) -> dict[str, str]:
    """Return what a view answers: the name of each field, and of its type."""
    outputs = artifact(view.contract).function(view.function)["outputs"]
    if len(outputs) == 1 and outputs[0]["type"] == "tuple":
        struct = getattr(structs, outputs[0]["internalType"].rpartition(".")[2])
        return {name: typed(hint) for name, hint in hints_of(struct).items()}
    return {snake(one["name"]): solidity(one["internalType"]) for one in outputs}


def solidity(internal: str) -> str:
    """Return the name of our type for a type of Solidity."""
    name = internal.rpartition(".")[2].rpartition(" ")[2]
    if name.endswith("]"):
        return f"{solidity(name.partition('[')[0])}…"
    return "int" if name.startswith("uint") else name


def typed(hint: Any) -> str:
    """Return the name of a type."""
    if get_origin(hint) is tuple:
        return f"{typed(get_args(hint)[0])}…"
    return str(hint.__name__)


def other(hint: Any) -> Any:
    """Return a value of a type that is not the one that says nothing."""
    kind = plain(hint)
    if get_origin(kind) is tuple:
        return (other(get_args(kind)[0]),)
    if is_dataclass(kind):
        return replace(filled(kind), **{name: other(one) for name, one in hints_of(kind).items()})
    if isinstance(kind, type) and issubclass(kind, Enum):
        return list(kind)[1]
    if kind in (int, bool):
        return kind(1)
    width = {"Address": 20}.get(typed(hint), 32)
    return "0x" + "11" * width if hasattr(hint, "__supertype__") else "1"


def bases(record: type) -> Iterator[Any]:
    """Yield the empty record in each of its states, since a hash may depend on the state."""
    empty = filled(record)
    yield empty
    for name, hint in hints_of(record).items():
        if isinstance(hint, type) and issubclass(hint, Enum):
            for member in hint:
                yield replace(empty, **{name: member})


def is_covered(record: type, name: str, view: View) -> bool:
    """Say whether a field's change changes one of the hashes that the chain stores."""
    changed = other(hints_of(record)[name])
    return any(
        cover(replace(base, **{name: changed})) != cover(base)
        for cover in view.covers.values()
        for base in bases(record)
    )


@pytest.mark.parametrize("record", VIEWED, ids=lambda one: one.__name__)
class TestARecord:
    def test_has_every_field_of_its_view_or_what_it_is_the_hash_of(self, record: Any) -> None:
        """Joints 12: a field written twice, in Solidity and here, by one name and one type."""
        ours = {name: typed(hint) for name, hint in hints_of(record).items()}
        view: View = record.VIEW
        seen = {name: kind for name, kind in shown(view).items() if name not in view.covers}
        if list(seen) == [""]:
            # A view without a name answers the one field outside the key.
            (name,) = ours.keys() - set(record.KEY)
            seen = {name: seen[""]}

        assert {name: ours.get(name) for name in seen} == seen

    def test_has_no_field_that_the_chain_could_not_contradict(self, record: Any) -> None:
        """Joints 12: event-only fields are allowed if a stored hash covers them."""
        view: View = record.VIEW
        known = {*shown(view), *view.arguments, *record.KEY}
        single = set(hints_of(record)) - set(record.KEY) if list(shown(view)) == [""] else set()
        event_only = set(hints_of(record)) - known - single

        uncovered = {
            name
            for name in event_only
            if (record.__name__, name) not in COVERED_ELSEWHERE
            and not is_covered(record, name, view)
        }

        assert uncovered == set()

    def test_covers_only_hashes_that_its_view_shows(self, record: Any) -> None:
        assert set(record.VIEW.covers) <= set(shown(record.VIEW))

    def test_asks_its_view_with_its_own_fields(self, record: Any) -> None:
        entry = artifact(record.VIEW.contract).function(record.VIEW.function)
        ours = {name: typed(hint) for name, hint in hints_of(record).items()}

        asked = [solidity(one["internalType"]) for one in entry["inputs"]]

        told = [ours[name] for name in record.VIEW.arguments]
        assert [
            {"str": "string", "Address": "address", "Bytes32": "bytes32"}.get(one, one)
            for one in told
        ] == asked


class TestRecords:
    def test_without_a_view_are_named_with_what_covers_them(self) -> None:
        assert {one.__name__ for one in ALL_RECORDS if one.VIEW is None} == UNVIEWED.keys()

    def test_have_names_of_their_own(self) -> None:
        names = [one.__name__ for one in ALL_RECORDS]

        assert len(names) == len(set(names))


class TestEvents:
    """Every event is answered once, or is silent on purpose."""

    def test_are_each_answered_by_one_projection_or_silent(self) -> None:
        registry = set(registry_projection.APPLIES)
        settlement = set(settlement_projection.APPLIES)
        silent = set(registry_projection.SILENT)

        assert registry | settlement | silent == set(EVENTS.values())
        assert len(registry) + len(settlement) + len(silent) == len(EVENTS)

    def test_are_answered_under_their_own_name_beside_their_noun(self) -> None:
        applies = {**registry_projection.APPLIES, **settlement_projection.APPLIES}

        for event, answer in applies.items():
            assert answer.__name__ == f"apply_{snake(event.__name__)}"


@pytest.mark.parametrize("noun", interfaces())
class TestANoun:
    """Idea 1: a noun has one home in every layer."""

    def test_has_one_contract(self, noun: str) -> None:
        found = list((ROOT / "contracts").glob(f"*/{noun}.sol"))

        assert len(found) == 1
        assert found[0].parent.name in {"governance", "registry", "market", "settlement"}

    def test_has_one_module_of_rules(self, noun: str) -> None:
        found = [ROOT / package / f"{noun.lower()}.py" for package in ("registry", "settlement")]

        assert [path.is_file() for path in found].count(True) == 1

    def test_has_one_file_of_routes_under_its_plural(self, noun: str) -> None:
        path = ROOT / f"api/routes/{noun.lower()}.py"

        assert f"/{noun.lower()}" in path.read_text("utf-8")

    def test_has_a_tree_of_outcomes_with_tests(self, noun: str) -> None:
        tests = ROOT / "tests/contracts"

        assert (tests / f"{noun}.tree").is_file()
        assert (tests / f"{noun}.t.sol").is_file()


class TestWords:
    def test_of_the_routes_are_the_nouns(self) -> None:
        paths = json.loads((ROOT / "docs/openapi.json").read_text("utf-8"))["paths"]
        first = {path.split("/")[2] for path in paths if path.startswith("/v1/")}

        assert first == {one.lower() for one in interfaces()} | SERVICE | PARTS

    def test_of_the_glossary_are_words_of_the_ledger(self) -> None:
        text = (ROOT / "README.md").read_text("utf-8")
        terms = re.findall(r"^\| ([a-z]+) \|", text.partition("## Ten words")[2], re.MULTILINE)
        nouns = {one.lower() for one in interfaces()}

        # A checkpoint is signed off the chain: it has a module, and neither contract nor route.
        assert len(terms) == 11
        assert terms[0] == "term"
        plurals = {re.sub(r"ys$", "ies", f"{one}s") for one in terms[1:]}
        assert plurals <= nouns | {"checkpoints"}
        assert (ROOT / "registry/checkpoints.py").is_file()

    def test_of_the_errors_say_which_family_in_their_name(self) -> None:
        """A name that says what is wrong is in the family that says the same."""
        families = {
            "NotFound": "NotFound",
            "AlreadyExists": "Conflict",
            "AlreadyUsed": "Conflict",
            "StateWrong": "Conflict",
        }
        for name, error in ERRORS.items():
            for ending, family in families.items():
                if name.endswith(ending):
                    assert error.__mro__[1].__name__ == family, name


class TestFailures:
    def test_have_names_of_their_own_in_all_modules(self) -> None:
        """One name for one failure, everywhere: also in modules that a process loads late."""
        for package in ("chain", "registry", "settlement", "api"):
            for found in walk_packages(import_module(package).__path__, f"{package}."):
                if ".migrations." not in found.name:
                    import_module(found.name)

        names = Counter(one.__name__ for one in subclasses(LedgerError) if is_ours(one))

        assert {name for name, times in names.items() if times > 1} == set()


def subclasses(kind: type) -> Iterator[type]:
    """Return every class below one."""
    for one in kind.__subclasses__():
        yield one
        yield from subclasses(one)


def is_ours(kind: type) -> bool:
    """Say whether a class is of the packages: tests make some, too."""
    return kind.__module__.partition(".")[0] in ("chain", "registry", "settlement", "api")
