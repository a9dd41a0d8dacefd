"""
A noun of the tests' own: records of every column type, folded from two real events.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

from sqlalchemy import Engine, select
from sqlmodel import Session

from chain.codes import AssetKind
from chain.decoder import decode_log
from chain.events import AssetRegistered, AuthorizationUsed, Event
from chain.facts import Append, Block, Entry
from chain.records import INDEXED, Records
from chain.store import BLOCKS, EVENTS, apply_blocks
from chain.structs import Payee
from chain.tables import TABLES, versioned_table
from chain.values import Address, AssetId, Bytes32, HexBytes, ParticipantId, bytes32, keccak

ADDRESS = Address("0x" + "c0" * 20)
WIDE = {"uint256": True}


@dataclass(frozen=True, slots=True, kw_only=True)
class Thing:
    """What is known of one asset id: a field of every kind that a column can have."""

    KEY: ClassVar = ("asset_id",)

    asset_id: AssetId
    version: int
    kind: AssetKind = field(metadata=INDEXED)
    is_even: bool
    large: int = field(metadata=WIDE)
    payees: tuple[Payee, ...]
    note: str | None
    seen_at: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """How often an account used which nonce: a key of two columns."""

    KEY: ClassVar = ("account", "nonce")

    account: Address
    nonce: int
    times: int


versioned_table(Thing, name="test_things")
versioned_table(Tally, name="test_tallies")


def project(records: Records, event: Event) -> Iterable[Any]:
    """Fold the two events; the others change nothing here."""
    if isinstance(event, AssetRegistered):
        yield _registered(records, event)
    if isinstance(event, AuthorizationUsed):
        nonce = event.nonce % 1000
        before = records.get(Tally, event.account, nonce)
        start = Tally(account=event.account, nonce=nonce, times=0)
        yield replace(start, times=before.times + 1 if before else 1)


def _registered(records: Records, event: AssetRegistered) -> Thing:
    before = records.get(Thing, event.asset_id)
    payee = Payee(participant_id=ParticipantId(event.asset_id), share_bps=event.version % 10_000)
    return Thing(
        asset_id=event.asset_id,
        version=event.version,
        kind=AssetKind(event.version % len(AssetKind)),
        is_even=event.version % 2 == 0,
        large=event.version << 200,
        payees=(*(before.payees if before else ()), payee)[-3:],
        note=None if event.version % 3 else f"note {event.version}",
        seen_at=(*(before.seen_at if before else ()), event.meta.timestamp)[-3:],
    )


def asset(number: int) -> AssetId:
    """Return the id of the test asset of that number."""
    return AssetId(f"0x{number:064x}")


def registered_log(number: int, version: int) -> tuple[list[str], str]:
    """Return topics and data of an AssetRegistered."""
    topic = "0x" + keccak(b"AssetRegistered(bytes32,uint32)").hex()
    return [topic, asset(number)], f"0x{version:064x}"


def used_log(account: int, nonce: int) -> tuple[list[str], str]:
    """Return topics and data of an AuthorizationUsed."""
    topic = "0x" + keccak(b"AuthorizationUsed(address,uint256)").hex()
    return [topic, f"0x{account:064x}", f"0x{nonce:064x}"], "0x"


def block_hash(number: int, branch: str) -> Bytes32:
    """Return the hash that the test block of that height has on that branch."""
    return bytes32(keccak(f"{branch}/{number}".encode()))


def append(
    number: int,
    logs: Sequence[tuple[list[str], str]],
    *,
    branch: str = "a",
    parent_branch: str | None = None,
) -> Append:
    """Return a block with these logs, whose parent is the block below on the same branch."""
    block = Block(
        number=number,
        hash=block_hash(number, branch),
        parent_hash=block_hash(number - 1, parent_branch or branch),
        timestamp=1_700_000_000 + number,
    )
    return Append(block, tuple(_entry(block, place, *log) for place, log in enumerate(logs)))


def _entry(block: Block, place: int, topics: list[str], data: str) -> Entry:
    transaction = bytes32(keccak(f"{block.hash}/{place}".encode()))
    meta = block.place(place, transaction, contract="Assets", address=ADDRESS)
    event = decode_log(topics, data, meta)
    assert event is not None
    return Entry(event, tuple(Bytes32(one) for one in topics), HexBytes(data))


def dump(engine: Engine) -> dict[str, list[tuple[Any, ...]]]:
    """Return every row of the mirror but the numbers that the database gives, in a fixed order."""
    tables = [BLOCKS, EVENTS, *(one.table for one in TABLES.values())]
    found = {}
    with Session(engine) as session:
        for table in tables:
            columns = [column for column in table.columns if column.name != "row_id"]
            rows = session.connection().execute(select(*columns)).all()
            found[table.name] = sorted((tuple(row) for row in rows), key=repr)
    return found


def apply(engine: Engine, *appends: Append) -> None:
    """Apply blocks in one transaction."""
    with Session(engine) as session, session.begin():
        apply_blocks(session, appends, project)
