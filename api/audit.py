"""
Whether the mirror is what the chain says: every current row against the contract view that its
record names, asked at the mirror's block.

It repairs nothing. What no view shows is checked against what covers it: postings and links against
the lists whose hash the chain stores.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from sqlalchemy import Engine
from sqlmodel import Session

from chain.abi import hints_of
from chain.artifacts import artifact
from chain.codec import to_json
from chain.facts import Block, Followed
from chain.failure import Conflict, LedgerError
from chain.reads import count
from chain.records import View, key_of
from chain.rpc import Call, Node, NodeContradicts, NodeRefused
from chain.store import followed, tip_of
from chain.tables import key_names
from chain.values import Address
from chain.views import decode_view, encode_view
from registry.assets import Asset, AssetLink
from registry.store import every
from settlement.funds import Posting
from settlement.projection import ALL_RECORDS
from settlement.settlements import Settlement, SettlementHold

BATCH: Final = 100
DIFFERENCES_MAX: Final = 100


class NothingToAudit(Conflict):
    """The mirror holds no block yet."""


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Audit:
    """
    What an audit found.

    shape: `compared` counts records, by name in `records`; at most DIFFERENCES_MAX differences are
           told in full, `difference_count` counts all
    """

    equal: bool
    compared: int
    records: Mapping[str, int]
    block_number: int
    block_hash: str
    difference_count: int
    differences: tuple[Difference, ...]


@dataclass(slots=True)
class _Tally:
    compared: dict[str, int]
    count: int
    told: list[Difference]

    def add(self, found: Sequence[Difference]) -> None:
        self.count += len(found)
        self.told += found[: max(0, DIFFERENCES_MAX - len(self.told))]


def audit(mirror: Engine, node: Node) -> Audit:
    """
    Compare every current record with its contract, at the mirror's newest block.

    shape: the node must still answer `eth_call` at that height
    :raises NothingToAudit: if there is no block
    :raises AuditOnAnotherFork: if the node is on another fork
    """
    tally = _Tally({}, 0, [])
    with Session(mirror) as session:
        block = tip_of(session)
        if block is None:
            raise NothingToAudit()
        _require_same_fork(node, block)
        _, contracts = followed(session)
        for record in ALL_RECORDS:
            view: View | None = record.VIEW  # type: ignore[attr-defined]
            if view is not None:
                _audit_record(session, node, block, record, view, contracts, tally)
        for name, check in _COVERED.items():
            found = list(check(session))
            tally.compared[name] = count(session, _NAMED[name])
            tally.add(found)
        for record in ALL_RECORDS:
            tally.add(list(_gaps(session, record)))
        _require_same_fork(node, block)
    return Audit(
        equal=tally.count == 0,
        compared=sum(tally.compared.values()),
        records=tally.compared,
        block_number=block.number,
        block_hash=block.hash,
        difference_count=tally.count,
        differences=tuple(tally.told),
    )


def _require_same_fork(node: Node, block: Block) -> None:
    found = node.call("eth_getBlockByNumber", hex(block.number), False)
    if found is None or found["hash"] != block.hash:
        raise AuditOnAnotherFork(block_number=block.number)


# --- views ----------------------------------------------------------------------------------------


def _audit_record(
    session: Session,
    node: Node,
    block: Block,
    record: type,
    view: View,
    contracts: Sequence[Followed],
    tally: _Tally,
) -> None:
    addresses = [one.address for one in contracts if one.contract == view.contract]
    waiting: list[Any] = []
    total = 0
    for one in _rows(session, record):
        waiting.append(one)
        total += 1
        if len(waiting) == BATCH:
            tally.add(_compare(node, block, waiting, view, addresses))
            waiting = []
    tally.add(_compare(node, block, waiting, view, addresses))
    tally.compared[record.__name__] = total


def _compare(
    node: Node, block: Block, records: Sequence[Any], view: View, addresses: Sequence[Address]
) -> list[Difference]:
    if not records or not addresses:
        return [_difference(one, "contract", "followed", "none") for one in records]
    entry = artifact(view.contract).function(view.function)
    answers = _ask(node, block, [_call(one, view, entry) for one in records], addresses)
    return [
        difference
        for one, answer in zip(records, answers, strict=True)
        for difference in _differences(one, view, entry, answer, block.timestamp)
    ]


def _call(record: Any, view: View, entry: Mapping[str, Any]) -> str:
    return encode_view(entry, [getattr(record, name) for name in view.arguments])


def _ask(
    node: Node, block: Block, calldata: Sequence[str], addresses: Sequence[Address]
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
    node: Node, block: Block, calldata: Sequence[str], address: Address
) -> list[str | LedgerError]:
    calls: list[Call] = [
        ("eth_call", [{"to": address, "data": data}, hex(block.number)]) for data in calldata
    ]
    try:
        return list(node.batch(calls))
    except NodeRefused:
        # One refusal hides the other answers: ask one by one.
        return [_ask_alone(node, call) for call in calls]


def _ask_alone(node: Node, call: Call) -> str | LedgerError:
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


# --- what no view shows ---------------------------------------------------------------------------


def _check_links(session: Session) -> Iterator[Difference]:
    links = {
        (one.asset_id, one.version, one.parent_id, one.parent_version): one
        for one in every(session, AssetLink)
    }
    for asset in every(session, Asset):
        for parent in asset.parents:
            key = (asset.asset_id, asset.version, parent.asset_id, parent.version)
            link = links.pop(key, None)
            expected = (parent.relation, parent.consent_right_id)
            found = (link.relation, link.consent_right_id) if link else None
            if found != expected:
                yield _told("AssetLink", key, "relation", found, expected)
    for key in links:
        yield _told("AssetLink", key, "parent", "there", None)


def _check_postings(session: Session) -> Iterator[Difference]:
    postings = {(one.trade_id, one.leg_index): one for one in every(session, Posting)}
    for settlement in every(session, Settlement):
        for index, leg in enumerate(settlement.legs):
            key = (settlement.trade_id, index)
            posting = postings.pop(key, None)
            expected = (leg.kind, leg.payee, leg.amount_fen)
            found = (posting.kind, posting.payee, posting.amount_fen) if posting else None
            if found != expected:
                yield _told("Posting", key, "leg", found, expected)
    for key in postings:
        yield _told("Posting", key, "settlement", "there", None)


def _rows(session: Session, record: Any) -> Iterator[Any]:
    return every(session, record)


def _gaps(session: Session, record: type) -> Iterator[Difference]:
    """Tell of numbers that no row has: what was never mirrored is missing somewhere."""
    if "sequence" not in hints_of(record):
        return
    numbers = sorted({one.sequence for one in _rows(session, record)})
    expected = list(range(1, len(numbers) + 1))
    if numbers != expected:
        missing = sorted(set(range(1, (numbers or [0])[-1] + 1)) - set(numbers))
        yield _told(record.__name__, (), "sequence", "gaps", missing[:10])


_COVERED: Final[Mapping[str, Callable[[Session], Iterator[Difference]]]] = {
    "AssetLink": _check_links,
    "Posting": _check_postings,
}
_NAMED: Final[Mapping[str, type]] = {"AssetLink": AssetLink, "Posting": Posting}


def _difference(record: Any, field: str, mirrored: Any, on_chain: Any) -> Difference:
    return _told(type(record).__name__, key_of(record), field, mirrored, on_chain)


def _told(
    record: str, key: tuple[Any, ...], field: str, mirrored: Any, on_chain: Any
) -> Difference:
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
