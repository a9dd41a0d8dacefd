"""
Records against what their contracts' views answer, asked at one block.

Which records, and when, is `api.auditing.audit`'s affair.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from sqlmodel import Session

from chain.abi import hints_of
from chain.artifacts import artifact
from chain.codec import to_json
from chain.facts import Block, Followed
from chain.failure import Conflict, LedgerError
from chain.records import View, key_of
from chain.rpc import Call, Endpoint, NodeContradicts, NodeRefused
from chain.tables import key_names
from chain.values import Address
from chain.views import decode_view, encode_view
from chain.words import bytes_of_text
from settlement.settlements import SettlementHold

# Any address will do: only whether the node still knows that height matters.
ANYBODY: Final = "0x" + "00" * 20


class StateNotHeld(Conflict):
    """The node no longer answers at this block, or not yet; ask again at a newer one."""

    block_number: int


class AuditOnAnotherFork(Conflict):
    """The node's block at the mirror's height is another one; follow the chain first."""

    block_number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One thing that is not as the chain says; `key` and values as the mirror's JSON has them."""

    record: str
    key: tuple[Any, ...]
    field: str
    mirrored: Any
    on_chain: Any


@dataclass(frozen=True, slots=True)
class Moment:
    """The mirror in one reading, and the node at the same block."""

    session: Session
    node: Endpoint
    block: Block
    contracts: tuple[Followed, ...]

    def require_same_fork(self) -> None:
        """
        Check that the node's chain has the block.

        :raises AuditOnAnotherFork: if it has another, or is not there yet
        """
        found = self.node.call("eth_getBlockByNumber", hex(self.block.number), False)
        if found is None or str(found["hash"]).lower() != self.block.hash:
            raise AuditOnAnotherFork(block_number=self.block.number)

    def require_state(self) -> None:
        """
        Check that the node still answers at the block.

        :raises StateNotHeld: if it does not
        """
        try:
            self.node.call("eth_getBalance", ANYBODY, hex(self.block.number))
        except NodeRefused as refused:
            raise StateNotHeld(block_number=self.block.number) from refused

    def addresses(self, contract: str) -> list[Address]:
        """Return where a contract is deployed, oldest first."""
        return [one.address for one in self.contracts if one.contract == contract]


def compare(moment: Moment, records: Sequence[Any], view: View) -> list[Difference]:
    """
    Compare records of one type with their view.

    :raises StateNotHeld: if the node no longer answers at that block
    """
    addresses = moment.addresses(view.contract)
    if not records or not addresses:
        return [_difference(one, "contract", "followed", "none") for one in records]
    entry = artifact(view.contract).function(view.function)
    answers = _ask(
        moment.node, moment.block, [_call(one, view, entry) for one in records], addresses
    )
    if any(isinstance(one, LedgerError) for one in answers):
        # A refusal means that there is no such thing only where the node answers at all.
        moment.require_state()
    return [
        difference
        for one, answer in zip(records, answers, strict=True)
        for difference in _differences(one, view, entry, answer, moment.block.timestamp)
    ]


def _call(record: Any, view: View, entry: Mapping[str, Any]) -> str:
    values = [getattr(record, name) for name in view.arguments]
    return encode_view(
        entry,
        [
            bytes_of_text(value) if one["type"] == "string" else value
            for one, value in zip(entry["inputs"], values, strict=True)
        ],
    )


def _ask(
    node: Endpoint, block: Block, calldata: Sequence[str], addresses: Sequence[Address]
) -> list[str | LedgerError]:
    """Return what the newest deployment says, or an older one where the newest knows nothing."""
    answers: list[str | LedgerError] = []
    for address in reversed(addresses):
        found = _ask_one(node, block, calldata, address)
        answers = [
            new if isinstance(old, LedgerError) else old
            for old, new in zip(answers or found, found, strict=True)
        ]
    return answers


def _ask_one(
    node: Endpoint, block: Block, calldata: Sequence[str], address: Address
) -> list[str | LedgerError]:
    calls: list[Call] = [
        ("eth_call", [{"to": address, "data": data}, hex(block.number)]) for data in calldata
    ]
    try:
        return list(node.batch(calls))
    except NodeRefused:
        # One refusal hides the other answers: ask one by one.
        return [_ask_alone(node, call) for call in calls]


def _ask_alone(node: Endpoint, call: Call) -> str | LedgerError:
    try:
        answer: str = node.batch([call])[0]
    except NodeRefused as refused:
        return refused
    return answer


def _differences(
    record: Any, view: View, entry: Mapping[str, Any], answer: str | LedgerError, now: int
) -> Iterator[Difference]:
    if isinstance(answer, LedgerError):
        yield _difference(record, "view", "there", str(answer))
        return
    try:
        seen = _values(decode_view(entry, answer), record)
    except NodeContradicts as error:
        yield _difference(record, "view", "there", str(error))
        return
    for name, on_chain in seen.items():
        if name in view.covers:
            mirrored = view.covers[name](record)
        elif (type(record), name) in _TIMED:
            mirrored = _TIMED[type(record), name](record, now)
        elif hasattr(record, name):
            mirrored = getattr(record, name)
        else:
            continue
        if mirrored != on_chain:
            yield _difference(record, name, mirrored, on_chain)


# What a view derives from the time, and no row may hold because time falsifies it.
_TIMED: Final[Mapping[tuple[type, str], Callable[[Any, int], Any]]] = {
    (SettlementHold, "is_active"): lambda one, now: (
        one.is_active and (one.until == 0 or now < one.until)
    ),
}


def _values(found: Mapping[str, Any], record: Any) -> dict[str, Any]:
    values = list(found.values())
    if len(values) == 1 and hasattr(values[0], "ABI"):
        shape: Any = type(values[0])
        names = hints_of(shape)
        return {name: getattr(values[0], name) for name in names}
    if list(found) == ["value0"]:
        kind: Any = type(record)
        return {_only_value(kind): values[0]}
    return dict(found)


@cache
def _only_value(record: Any) -> str:
    """Return the one field outside the key: what a view without names answers."""
    (name,) = [one for one in hints_of(record) if one not in key_names(record)]
    return name


def _difference(record: Any, field: str, mirrored: Any, on_chain: Any) -> Difference:
    return told(type(record).__name__, key_of(record), field, mirrored, on_chain)


def told(record: str, key: tuple[Any, ...], field: str, mirrored: Any, on_chain: Any) -> Difference:
    """Return a difference with its values as the mirror's JSON has them."""
    return Difference(
        record=record,
        key=tuple(_plain(one) for one in key),
        field=field,
        mirrored=_plain(mirrored),
        on_chain=_plain(on_chain),
    )


def _plain(value: Any) -> Any:
    if isinstance(value, tuple | list):
        return [_plain(one) for one in value]
    if hasattr(value, "ABI"):
        return to_json(type(value), value)
    return getattr(value, "name", value)
