"""
The event archive: blocks and events as Parquet files by range of blocks, and back into a mirror.

Only what can no longer change is archived, so a file that is there is never written again, but for
the last, which grows. Records are not in it: they are folded anew.
"""

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, Final

import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.parquet as pq  # type: ignore[import-untyped]
from sqlalchemy import Engine, func, select
from sqlmodel import Session

from chain.abi import hints_of
from chain.codec import to_json
from chain.columns import canonical
from chain.decoder import read_entry
from chain.durable import fresh_file, make_folder, publish
from chain.event import Event, UnknownEvent
from chain.facts import Append, Block, Entry, Followed, Projection
from chain.failure import Conflict, Invalid
from chain.heads import final_number
from chain.store import BLOCKS, EVENTS, apply_blocks, follow_also, followed, stored_entries, tip_of
from chain.values import Address, Bytes32, HexBytes
from chain.versions import TableRecords

FORMAT: Final = 1
MANIFEST: Final = "manifest.json"
RANGE_BLOCKS: Final = 10_000
READ_BYTES: Final = 1 << 20

# The same bytes for the same rows, with one version of the library.
OPTIONS: Final = {"compression": "zstd", "version": "2.6", "store_schema": False}

TEXT, NUMBER = pa.string(), pa.int64()
BLOCK_SCHEMA: Final = pa.schema(
    [
        pa.field("number", NUMBER, nullable=False),
        pa.field("hash", TEXT, nullable=False),
        pa.field("parent_hash", TEXT, nullable=False),
        pa.field("timestamp", NUMBER, nullable=False),
        pa.field("checksum", TEXT, nullable=False),
    ]
)
EVENT_SCHEMA: Final = pa.schema(
    [
        pa.field("block_number", NUMBER, nullable=False),
        pa.field("log_index", NUMBER, nullable=False),
        pa.field("transaction_index", NUMBER, nullable=False),
        pa.field("transaction_hash", TEXT, nullable=False),
        pa.field("contract", TEXT, nullable=False),
        pa.field("address", TEXT, nullable=False),
        pa.field("name", TEXT, nullable=False),
        *(pa.field(f"topic{place}", TEXT) for place in range(4)),
        pa.field("data", TEXT, nullable=False),
        pa.field("fields", TEXT, nullable=False),
    ]
)

Note = Callable[[int, int], object]
"""Told how many blocks of how many are done."""


class NotFinalYet(Conflict):
    """A block that is not final may still change."""

    block_number: int
    final_number: int


class RangeEmpty(Invalid):
    """A range of blocks begins at or below its end, and this one holds none."""

    first: int
    last: int


class ArchiveOfAnother(Conflict):
    """The folder holds the archive of another chain, or of another fork of it."""

    folder: str
    block_number: int


class ArchiveBroken(Invalid):
    """The folder holds no archive, or a file of it is not what its manifest says."""

    folder: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchivedFile:
    """A file, by its path in the folder."""

    path: str
    size_bytes: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A range of blocks, with the hash of its last and of the block before its first."""

    first: int
    last: int
    events: int
    parent_hash: Bytes32
    last_hash: Bytes32
    checksum: str
    files: tuple[ArchivedFile, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Archive:
    """What a folder holds: whole ranges in their order, the last of which may still grow."""

    chain_id: int
    range_blocks: int
    followed: tuple[Followed, ...]
    parts: tuple[Part, ...] = ()


# --- writing --------------------------------------------------------------------------------------


def export_events(
    engine: Engine,
    folder: Path,
    *,
    first: int | None = None,
    last: int | None = None,
    range_blocks: int = RANGE_BLOCKS,
    note: Note = lambda _, __: None,
) -> Archive:
    """
    Write blocks and events up to a final block, from where the folder's archive ends.

    ensures: what is written is on the disk before the manifest names it; a run that was stopped is
             continued by the next
    :raises NotFinalYet: if a block of it can still change
    :raises RangeEmpty: if a range is named that holds no block
    :raises ArchiveOfAnother: if the folder's archive is not of this chain
    """
    with Session(engine) as session:
        final = final_number(session)
        is_named = (first, last) != (None, None)
        if first is not None and last is not None and first > last:
            raise RangeEmpty(first=first, last=last)
        last = final if last is None else last
        highest = max(last, first or 0)
        if highest > final:
            raise NotFinalYet(block_number=highest, final_number=final)
        lowest = session.connection().execute(select(func.min(BLOCKS.c.number))).scalar()
        start = max(lowest or 0, first or 0)
        if is_named and start > last:
            raise RangeEmpty(first=start, last=last)
        make_folder(folder)
        archive = _begun(session, folder, range_blocks)
        kept = tuple(one for one in archive.parts if _is_there(folder, one))
        archive = replace(archive, parts=kept)
        _require_same(session, folder, archive)
        for low, high in _ranges(start, last, archive.range_blocks):
            known = next((one for one in archive.parts if one.first == low), None)
            if known is None or known.last < high:
                part = _write_part(session, folder, low, high)
                others = [one for one in archive.parts if one.first != low]
                parts = tuple(sorted([*others, part], key=lambda one: one.first))
                archive = replace(archive, parts=parts)
                _write_manifest(folder, archive)
            note(high - start + 1, last - start + 1)
    return archive


def _begun(session: Session, folder: Path, range_blocks: int) -> Archive:
    chain_id, contracts = followed(session)
    if chain_id is None:
        raise NotFinalYet(block_number=0, final_number=final_number(session))
    if not (folder / MANIFEST).is_file():
        return Archive(chain_id=chain_id, range_blocks=range_blocks, followed=contracts)
    found = read_manifest(folder)
    if found.chain_id != chain_id:
        raise ArchiveOfAnother(folder=str(folder), block_number=0)
    return replace(found, followed=contracts)


def _require_same(session: Session, folder: Path, archive: Archive) -> None:
    for part in archive.parts:
        query = select(BLOCKS.c.hash).where(BLOCKS.c.number == part.last)
        if session.connection().execute(query).scalar() != part.last_hash:
            raise ArchiveOfAnother(folder=str(folder), block_number=part.last)


def _ranges(start: int, last: int, size: int) -> Iterator[tuple[int, int]]:
    low = start
    while low <= last:
        high = min(last, (low // size + 1) * size - 1)
        yield low, high
        low = high + 1


def _write_part(session: Session, folder: Path, low: int, high: int) -> Part:
    query = select(BLOCKS).where(BLOCKS.c.number.between(low, high)).order_by(BLOCKS.c.number)
    blocks = session.connection().execute(query).all()
    there = EVENTS.c.block_number.between(low, high)
    events = [_event_row(entry) for entry in stored_entries(session, there)]
    block_rows = [{name: getattr(one, name) for name in BLOCK_SCHEMA.names} for one in blocks]
    name = f"{low:012d}.parquet"
    files = (
        _write_table(folder, f"blocks/{name}", block_rows, BLOCK_SCHEMA),
        _write_table(folder, f"events/{name}", events, EVENT_SCHEMA),
    )
    return Part(
        first=low,
        last=high,
        events=len(events),
        parent_hash=Bytes32(blocks[0].parent_hash),
        last_hash=Bytes32(blocks[-1].hash),
        checksum=blocks[-1].checksum,
        files=files,
    )


def _write_table(
    folder: Path, path: str, rows: Sequence[dict[str, Any]], schema: pa.Schema
) -> ArchivedFile:
    target = folder / path
    table = pa.Table.from_pylist(list(rows), schema=schema)
    with fresh_file(target.parent) as file:
        pq.write_table(table, file, **OPTIONS)
        publish(file, target)
    return _described(folder, path)


def _event_row(entry: Entry) -> dict[str, Any]:
    meta, event = entry.event.meta, entry.event
    topics = (*entry.topics, None, None, None, None)[:4]
    return {
        "block_number": meta.block_number,
        "log_index": meta.log_index,
        "transaction_index": meta.transaction_index,
        "transaction_hash": meta.transaction_hash,
        "contract": meta.contract,
        "address": meta.address,
        "name": type(event).__name__,
        **{f"topic{place}": one for place, one in enumerate(topics)},
        "data": entry.data,
        "fields": _fields(event),
    }


def _fields(event: Event) -> str:
    """Return what the event says as JSON; nothing for one that could not be read."""
    if isinstance(event, UnknownEvent):
        return "{}"
    kind: Any = type(event)
    return canonical({name: to_json(hint, getattr(event, name)) for name, hint in _hints(kind)})


@cache
def _hints(kind: Any) -> tuple[tuple[str, Any], ...]:
    return tuple((name, hint) for name, hint in hints_of(kind).items() if name != "meta")


# --- the manifest ---------------------------------------------------------------------------------


def read_manifest(folder: Path) -> Archive:
    """
    Return what a folder's archive holds.

    :raises ArchiveBroken: if there is none
    """
    try:
        told = json.loads((folder / MANIFEST).read_text("utf-8"))
        if told.pop("format") != FORMAT:
            raise ArchiveBroken(folder=str(folder), reason="its format is not known here")
        parts = tuple(
            Part(**{**one, "files": tuple(ArchivedFile(**file) for file in one["files"])})
            for one in told.pop("parts")
        )
        contracts = tuple(Followed(**one) for one in told.pop("followed"))
        return Archive(**told, followed=contracts, parts=parts)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ArchiveBroken(folder=str(folder), reason=str(error)) from error


def _write_manifest(folder: Path, archive: Archive) -> None:
    with fresh_file(folder) as file:
        told = json.dumps({"format": FORMAT, **asdict(archive)}, indent=1, sort_keys=True)
        file.write(told.encode("utf-8") + b"\n")
        publish(file, folder / MANIFEST)


def _described(folder: Path, path: str) -> ArchivedFile:
    total, size = hashlib.sha256(), 0
    with (folder / path).open("rb") as file:
        while piece := file.read(READ_BYTES):
            total.update(piece)
            size += len(piece)
    return ArchivedFile(path=path, size_bytes=size, sha256=total.hexdigest())


def _is_there(folder: Path, part: Part) -> bool:
    return all(
        (folder / one.path).is_file() and _described(folder, one.path) == one for one in part.files
    )


# --- reading --------------------------------------------------------------------------------------


def read_archive(folder: Path) -> Iterator[Append]:
    """
    Return the blocks and events of an archive in their order, each file compared with its digest.

    :raises ArchiveBroken: if a file differs, or ranges or blocks do not follow each other
    """
    before: Bytes32 | None = None
    for part in read_manifest(folder).parts:
        for one in part.files:
            if not (folder / one.path).is_file() or _described(folder, one.path) != one:
                raise ArchiveBroken(folder=str(folder), reason=f"{one.path} differs")
        blocks, events = (pq.read_table(folder / one.path).to_pylist() for one in part.files)
        by_block: dict[int, list[dict[str, Any]]] = {}
        for row in events:
            by_block.setdefault(row["block_number"], []).append(row)
        for row in blocks:
            if before is not None and row["parent_hash"] != before:
                raise ArchiveBroken(
                    folder=str(folder), reason=f"block {row['number']} is a stranger"
                )
            before = Bytes32(row["hash"])
            block = Block(
                number=row["number"],
                hash=before,
                parent_hash=Bytes32(row["parent_hash"]),
                timestamp=row["timestamp"],
            )
            yield Append(block, tuple(_entry(block, one) for one in by_block.pop(block.number, ())))


def load_archive(engine: Engine, folder: Path, project: Projection) -> Block | None:
    """
    Fold an archive into an empty mirror, and return its tip.

    :raises BlockOutOfOrder: if the mirror holds other blocks
    :raises ArchiveBroken: if the archive is not what its manifest says
    """
    archive = read_manifest(folder)
    with Session(engine) as session, session.begin():
        if followed(session)[0] is None:
            follow_also(session, chain_id=archive.chain_id, contracts=archive.followed)
        records = TableRecords(session)
        batch: list[Append] = []
        for append in read_archive(folder):
            batch.append(append)
            if len(batch) == RANGE_BLOCKS:
                apply_blocks(session, batch, project, records)
                batch = []
        apply_blocks(session, batch, project, records)
        return tip_of(session)


def _entry(block: Block, row: dict[str, Any]) -> Entry:
    meta = block.place(
        row["log_index"],
        Bytes32(row["transaction_hash"]),
        contract=row["contract"],
        address=Address(row["address"]),
        transaction_index=row["transaction_index"],
    )
    found = (row[f"topic{place}"] for place in range(4))
    topics = tuple(Bytes32(one) for one in found if one is not None)
    data = HexBytes(row["data"])
    read = read_entry(topics, data, meta)
    return read or Entry(UnknownEvent(meta=meta, topics=topics, data=data), topics, data)
