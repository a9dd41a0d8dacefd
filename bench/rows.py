"""
A mirror with many rights, applied by the store itself from events that no chain made.

A million real ones would take an hour to mine; what is read here cannot tell the difference. The
references get the same rows in a table of their own.
"""

import hashlib
import shutil
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from random import Random
from typing import Final

from sqlmodel import Session

from bench.ledger.chain import CACHE
from bench.mirrors import TABLES, mirror, sqlite_url
from chain.codes import DigestAlg, RightBasis, RightRestriction
from chain.event import EventMeta
from chain.events import RightGranted
from chain.facts import Append, Block, Entry
from chain.store import apply_blocks
from chain.structs import RightTerms
from chain.values import (
    ZERO_ADDRESS,
    ZERO_BYTES32,
    AssetId,
    Bytes32,
    CertificateId,
    HexBytes,
    ParticipantId,
    RightId,
    bytes32,
)
from chain.versions import TableRecords
from settlement.projection import apply

CHAIN_ID: Final = 20_262
MIRROR: Final = "mirror.sqlite"
PLAIN: Final = "plain.sqlite"
DONE: Final = "done"
EVENTS_PER_BLOCK: Final = 500
BLOCKS_AT_ONCE: Final = 20
BEGINS_AT: Final = 1_772_294_400
BLOCK_SECONDS: Final = 60
# One holder has more than half of all rights, so that its list goes on beyond page 10 000.
BIG_HOLDER: Final = ParticipantId(bytes32(b"\x01" * 32))
BIG_PERCENT: Final = 60
OTHERS: Final = 1_000
# Raised when the rows change.
FORMAT: Final = "1"


@dataclass(frozen=True, slots=True)
class Rows:
    """A folder with the ledger's mirror and the references' table."""

    folder: Path
    count: int

    @property
    def mirror_url(self) -> str:
        """Return the URL of the ledger's mirror."""
        return sqlite_url(self.folder / MIRROR)

    @property
    def plain(self) -> Path:
        """Return the file of the references' table."""
        return self.folder / PLAIN

    def ids(self, count: int) -> list[str]:
        """Return some ids that exist, spread over all rows."""
        chosen = Random(1).sample(range(self.count), min(count, self.count))
        return [right_id(one) for one in chosen]


def made_rows(count: int) -> Rows:
    """Return a mirror with so many rights, made now if it was not before."""
    folder = CACHE / f"rows-{count}-{schema_hash()[:16]}"
    rows = Rows(folder, count)
    if not (folder / DONE).is_file():
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        _fill_mirror(rows)
        _fill_plain(rows)
        (folder / DONE).touch()
    return rows


def right_id(number: int) -> RightId:
    """Return the id of the right of a number."""
    return RightId(digest(f"right/{number}"))


def _fill_mirror(rows: Rows) -> None:
    blocks = _appends(rows.count)
    with mirror(rows.mirror_url) as engine:
        records = TableRecords()
        while some := list(islice(blocks, BLOCKS_AT_ONCE)):
            with Session(engine) as session, session.begin():
                apply_blocks(session, some, apply, records)


def _appends(count: int) -> Iterator[Append]:
    random = Random(1)
    parent = Bytes32(ZERO_BYTES32)
    for number in range(-(-count // EVENTS_PER_BLOCK)):
        block = Block(
            number=number,
            hash=digest(f"block/{number}"),
            parent_hash=parent,
            timestamp=BEGINS_AT + BLOCK_SECONDS * number,
        )
        parent = block.hash
        first = number * EVENTS_PER_BLOCK
        numbers = range(first, min(count, first + EVENTS_PER_BLOCK))
        yield Append(block, tuple(_entry(block, one, one - first, random) for one in numbers))


def _entry(block: Block, number: int, log_index: int, random: Random) -> Entry:
    meta = block.place(log_index, digest(f"transaction/{number}"), contract="Rights")
    event = _granted(meta, number, random)
    topics = (digest("RightGranted"), Bytes32(event.right_id), Bytes32(event.asset_id))
    return Entry(event, topics, HexBytes("0x"))


def _granted(meta: EventMeta, number: int, random: Random) -> RightGranted:
    is_big = random.randrange(100) < BIG_PERCENT
    other = ParticipantId(digest(f"holder/{random.randrange(OTHERS)}"))
    holder = BIG_HOLDER if is_big else other
    terms = RightTerms(
        holder=holder,
        kinds=1 + random.randrange(7),
        basis=RightBasis.CONTRACT,
        evidence_digest=digest(f"evidence/{number}"),
        scope_digest=digest(f"scope/{number}"),
        digest_alg=DigestAlg.SHA256,
        purposes=0,
        region=0,
        valid_from=0,
        valid_until=0,
        exclusive=False,
        may_sub_grant=False,
        restriction=RightRestriction.NONE,
        share_bps=random.randrange(5_000),
    )
    return RightGranted(
        meta=meta,
        right_id=right_id(number),
        asset_id=AssetId(digest(f"asset/{number // 4}")),
        holder=holder,
        asset_version=1,
        certificate_id=CertificateId(digest(f"certificate/{number // 4}")),
        parent_right_id=RightId(ZERO_BYTES32),
        terms=terms,
        by_participant=other,
        by_account=ZERO_ADDRESS,
    )


def _fill_plain(rows: Rows) -> None:
    from bench.references.typical import Right
    from registry.rights import apply_right_granted

    connection = sqlite3.connect(rows.plain)
    columns = list(Right.model_fields)
    kinds = {int: "INTEGER", bool: "INTEGER", str: "TEXT"}
    declared = [f"{name} {kinds[one.annotation]}" for name, one in Right.model_fields.items()]  # type: ignore[index]
    connection.execute(f'CREATE TABLE "right" ({", ".join(declared)}, PRIMARY KEY (right_id))')
    insert = f'INSERT INTO "right" VALUES ({", ".join("?" * len(columns))})'
    for append in _appends(rows.count):
        made = [
            (one, append.block.number)
            for event in append.events
            for one in apply_right_granted(None, event)  # type: ignore[arg-type]
        ]
        connection.executemany(
            insert, [[*(getattr(one, name) for name in columns[:-1]), at] for one, at in made]
        )
    connection.execute('CREATE INDEX right_asset ON "right" (asset_id)')
    connection.execute('CREATE INDEX right_holder ON "right" (holder)')
    connection.commit()
    connection.close()


def schema_hash() -> str:
    # Another layout of the mirror is another file.
    assert TABLES, "the mirror's tables must be imported"
    with mirror("sqlite://") as engine, engine.connect() as connection:
        found = connection.exec_driver_sql("SELECT sql FROM sqlite_master ORDER BY name")
        told = FORMAT + "\n".join(str(row[0]) for row in found)
    return hashlib.sha256(told.encode()).hexdigest()


def digest(text: str) -> Bytes32:
    return Bytes32("0x" + hashlib.sha256(text.encode()).hexdigest())
