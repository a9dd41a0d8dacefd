"""
Whether a record that is there already is what an act would have made.

"Already exists" is success only for the same act again; with other content it stays a conflict.
"""

from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from typing import Any, Final

from chain.act import Act
from chain.artifacts import ArtifactMissing, artifact
from chain.failure import LedgerError
from chain.values import ParticipantId

SUFFIX: Final = "AlreadyExists"

# Whose record it is, where the act does not say because the contract takes it from the caller.
OWNER: Final = "participant_id"


def view_of_repeat(act: Act, error: LedgerError) -> str | None:
    """
    Return the view that shows the record an error says is there; None if it says no such thing.

    shape: `TradeAlreadyExists(tradeId)` → `tradeOf`, with the error's fields as its arguments
    """
    name = type(error).__name__
    if not name.endswith(SUFFIX):
        return None
    noun = name.removesuffix(SUFFIX)
    view = f"{noun[:1].lower()}{noun[1:]}Of"
    try:
        entry = artifact(act.CONTRACT).function(view)
    except ArtifactMissing:
        return None
    return view if len(entry["inputs"]) == len(error.fields) else None


def is_same(act: Act, record: Mapping[str, Any], *, owner: Callable[[], ParticipantId]) -> bool:
    """
    Say whether a record has the act's content, as far as both have fields of the same name.

    shape: structs on both sides are taken apart one level; nothing in common is not the same
    """
    have, wanted = _flat(record), _flat(_own(act))
    shared = have.keys() & wanted.keys()
    if not shared or any(have[name] != wanted[name] for name in shared):
        return False
    if OWNER in have and OWNER not in wanted:
        try:
            return bool(have[OWNER] == owner())
        except LedgerError:
            return False
    return True


def _own(value: Any) -> dict[str, Any]:
    return {field.name: getattr(value, field.name) for field in fields(value)}


def _flat(values: Mapping[str, Any]) -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in values.items():
        if is_dataclass(value):
            flat = {**_own(value), **flat}
        else:
            flat[name] = value
    return flat
