"""
What the chain has and the mirror lacks: how many there are of each, and what covers what no view
shows.

Whether a record that is there is right is `api.auditing.comparing`'s question. Rights, assessments,
agreements, roles and references have no counter on the chain: that no log of theirs is missing is
checked by `chain.gaps`.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final, TypeVar

from sqlalchemy import func, select
from sqlmodel import Session

from api.auditing.comparing import Difference, Moment, told
from chain.abi import hints_of
from chain.artifacts import artifact
from chain.reads import count, page
from chain.rpc import METHOD_NOT_FOUND, Call, NodeRefused
from chain.slots import read_numbers, slot_of
from chain.tables import table_of
from chain.views import decode_view, encode_view
from registry.assets import Asset, AssetHead, AssetLink
from registry.certificates import Certificate
from registry.lineage import asset_node
from registry.participants import Account, Participant
from registry.profiles import RuleProfile
from registry.registrations import Registration
from registry.store import asset_numbers, every
from settlement.deliveries import Delivery
from settlement.funds import FundsAccount, Posting
from settlement.listings import Listing
from settlement.settlements import Settlement
from settlement.trades import Trade

R = TypeVar("R")

BATCH: Final = 100
PAGE: Final = 500
TOLD_MAX: Final = 10

# Record of which there is one per number -> contract and the variable that holds the last number.
COUNTED: Final[Mapping[type, tuple[str, ...]]] = {
    Participant: ("Participants", "_register", "sequence"),
    RuleProfile: ("Profiles", "_count"),
    AssetHead: ("Assets", "_sequence"),
    Registration: ("Registrations", "_sequence"),
    Listing: ("Listings", "_sequence"),
    Trade: ("Trades", "_sequence"),
    Delivery: ("Deliveries", "_sequence"),
    Settlement: ("Settlements", "_sequence"),
}


def check_counters(moment: Moment) -> Iterator[Difference]:
    """
    Tell of records whose number the chain's own count says is larger.

    shape: what several deployments counted is added up; a chain that shows no storage is not asked
    """
    expected = _counted(moment)
    for record, on_chain in expected.items():
        mirrored = count(moment.session, record)
        if mirrored != on_chain:
            yield told(record.__name__, (), "count", mirrored, on_chain)
    yield from _check_owners(moment)
    yield from _check_totals(moment)


def _counted(moment: Moment) -> dict[type, int]:
    asked = [
        (record, slot_of(*place), address)
        for record, place in COUNTED.items()
        for address in moment.addresses(place[0])
    ]
    pairs = [(slot, address) for _, slot, address in asked]
    try:
        numbers = read_numbers(moment.node, pairs, block_number=moment.block.number)
    except NodeRefused as refused:
        if refused.code == METHOD_NOT_FOUND:
            return {}
        moment.require_state()
        raise
    total: Counter[type] = Counter()
    for (record, _, _), number in zip(asked, numbers, strict=True):
        total[record] += number
    return dict(total)


def _check_owners(moment: Moment) -> Iterator[Difference]:
    """Compare how many certificates each account has with what its contract says (ERC-721)."""
    accounts = table_of(Account).table
    held = Counter(_groups(moment.session, Certificate, "owner", func.count()))
    query = select(accounts.c.account).where(accounts.c.to_block.is_(None))
    owners = sorted({row[0] for row in moment.session.connection().execute(query)} | set(held))
    for start in range(0, len(owners), BATCH):
        part = owners[start : start + BATCH]
        numbers = _sums(moment, "Certificates", "balanceOf", part)
        for owner, number in zip(part, numbers, strict=True):
            if number != held[owner]:
                yield told("Certificate", (owner,), "count", held[owner], number)


def _check_totals(moment: Moment) -> Iterator[Difference]:
    """Compare what all accounts at a bank have with what its deposits less payouts are."""
    table = table_of(FundsAccount).table
    parts = [table.c[name] for name in ("available_fen", "held_fen", "frozen_fen")]
    held = [_groups(moment.session, FundsAccount, "bank", func.sum(one)) for one in parts]
    banks = sorted(held[0])
    for bank, total in zip(banks, _sums(moment, "Funds", "totalFenOf", banks), strict=True):
        mirrored = sum(one[bank] for one in held)
        if total != mirrored:
            yield told("FundsAccount", (bank,), "total_fen", mirrored, total)


def _sums(moment: Moment, contract: str, view: str, keys: Sequence[str]) -> list[int]:
    """Return what a view answers for each key, added up over all deployments."""
    entry = artifact(contract).function(view)
    totals = [0] * len(keys)
    for address in moment.addresses(contract):
        calls: list[Call] = [
            ("eth_call", [{"to": address, "data": encode_view(entry, [key])}, _at(moment)])
            for key in keys
        ]
        try:
            answers = moment.node.batch(calls)
        except NodeRefused:
            moment.require_state()
            raise
        for place, answer in enumerate(answers):
            (value,) = decode_view(entry, answer).values()
            totals[place] += int(value)
    return totals


def _at(moment: Moment) -> str:
    return hex(moment.block.number)


def _groups(session: Session, record: type, name: str, what: Any) -> dict[Any, int]:
    table = table_of(record).table
    column = table.c[name]
    query = select(column, what).where(table.c.to_block.is_(None)).group_by(column)
    return {row[0]: int(row[1]) for row in session.connection().execute(query)}


# --- what no view shows ---------------------------------------------------------------------------


def check_gaps(session: Session, record: Any) -> Iterator[Difference]:
    """Tell of numbers that no row has: what was never mirrored is missing somewhere."""
    if "sequence" not in hints_of(record):
        return
    table = table_of(record).table
    column = table.c.sequence
    query = select(column).where(table.c.to_block.is_(None)).distinct().order_by(column)
    missing: list[int] = []
    expected = 1
    # Left early, the rows hold a cursor of the server open.
    with session.connection().execute(query.execution_options(yield_per=PAGE)) as rows:
        for (number,) in rows:
            missing += range(expected, min(number, expected + TOLD_MAX))
            expected = number + 1
            if len(missing) >= TOLD_MAX:
                break
    if missing:
        yield told(record.__name__, (), "sequence", "gaps", missing[:TOLD_MAX])


def _check_links(session: Session) -> Iterator[Difference]:
    yield from _check_numbers(session)
    parents = 0
    for assets in _pages(session, Asset):
        named = [asset_node(one.asset_id, one.version) for one in assets]
        named += [asset_node(one.asset_id, one.version) for two in assets for one in two.parents]
        numbers = asset_numbers(session, named)
        children = tuple(numbers[one] for one in named[: len(assets)])
        links = {
            (one.child, one.parent): one
            for one in every(session, AssetLink, where={"child": children})
        }
        for asset, child in zip(assets, children, strict=True):
            parents += len(asset.parents)
            for parent in asset.parents:
                key = (asset.asset_id, asset.version, parent.asset_id, parent.version)
                number = numbers.get(asset_node(parent.asset_id, parent.version), 0)
                link = links.get((child, number))
                expected = (parent.relation, parent.consent_right_id)
                found = (link.relation, link.consent_right_id) if link else None
                if found != expected:
                    yield told("AssetLink", key, "relation", found, expected)
    # Each parent has its link, so what is more than that belongs to none.
    if count(session, AssetLink) > parents:
        yield told("AssetLink", (), "count", count(session, AssetLink), parents)


def _check_numbers(session: Session) -> Iterator[Difference]:
    # A second deployment that counts from one again gives them out twice; links would mix.
    table = table_of(Asset).table
    number, assets = table.c.sequence, func.count(table.c.asset_id.distinct())
    query = select(number, assets).where(table.c.to_block.is_(None)).group_by(number)
    shared = query.having(assets > 1).order_by(number).limit(TOLD_MAX)
    for sequence, holders in session.connection().execute(shared).all():
        yield told("Asset", (sequence,), "assets of one number", holders, 1)


def _check_postings(session: Session) -> Iterator[Difference]:
    legs = 0
    for settlements in _pages(session, Settlement):
        ids = tuple(one.trade_id for one in settlements)
        postings = {
            (one.trade_id, one.leg_index): one
            for one in every(session, Posting, where={"trade_id": ids})
        }
        for settlement in settlements:
            legs += len(settlement.legs)
            for index, leg in enumerate(settlement.legs):
                key = (settlement.trade_id, index)
                posting = postings.get(key)
                expected = (leg.kind, leg.payee, leg.amount_fen)
                found = (posting.kind, posting.payee, posting.amount_fen) if posting else None
                if found != expected:
                    yield told("Posting", key, "leg", found, expected)
    if count(session, Posting) > legs:
        yield told("Posting", (), "count", count(session, Posting), legs)


def _pages(session: Session, record: type[R]) -> Iterator[list[R]]:
    """Return all current records, some at a time: a mirror need not fit into memory."""
    after = None
    while True:
        rows = page(session, record, after=after, limit=PAGE)
        yield [one.record for one in rows.items]
        if rows.next is None:
            return
        after = rows.next


COVERED: Final[Mapping[type, Callable[[Session], Iterator[Difference]]]] = {
    AssetLink: _check_links,
    Posting: _check_postings,
}
