"""
What a mirror should hold, told without its help: the node's receipts, and a dictionary's fold.

It shares with the packages only the decoders and the projection under test; neither the fetching
nor the store takes part.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Engine, select
from sqlmodel import Session

from chain.decoder import LogMalformed, decode_log
from chain.event import EventMeta, UnknownEvent
from chain.facts import Followed, Projection
from chain.records import MemoryRecords, key_of
from chain.rpc import Node
from chain.store import BLOCKS, stored_entries
from chain.tables import TABLES
from chain.values import Address, Bytes32, HexBytes


@dataclass(slots=True)
class Story:
    """Blocks, logs and versions of records, each as plain rows in the chain's order."""

    blocks: list[tuple[Any, ...]] = field(default_factory=list)
    logs: list[tuple[Any, ...]] = field(default_factory=list)
    versions: list[tuple[Any, ...]] = field(default_factory=list)


def stored(engine: Engine) -> Story:
    """Return what a mirror holds."""
    story = Story()
    with Session(engine) as session:
        connection = session.connection()
        headers = [BLOCKS.c[name] for name in ("number", "hash", "parent_hash", "timestamp")]
        rows = connection.execute(select(*headers).order_by(BLOCKS.c.number))
        story.blocks = [tuple(row) for row in rows]
        story.logs = [
            _log_row(entry.event.meta, entry.topics, entry.data)
            for entry in stored_entries(session)
        ]
        for versioned in TABLES.values():
            table = versioned.table
            place = [table.c[name] for name in ("from_block", "to_block", "from_log")]
            for *values, since, until, log in connection.execute(
                select(*versioned.columns(), *place)
            ):
                story.versions.append((versioned.make(values), since, until, log))
    return story


def told(node: Node, contracts: Sequence[Followed], projection: Projection) -> Story:
    """Return what a node's blocks and receipts say that a mirror must hold."""
    names = {one.address: one.contract for one in contracts}
    first = min(one.from_block for one in contracts)
    numbers = [hex(one) for one in range(first, int(node.call("eth_blockNumber"), 16) + 1)]
    headers = node.batch([("eth_getBlockByNumber", [one, False]) for one in numbers])
    receipts = node.batch([("eth_getBlockReceipts", [one]) for one in numbers])
    story, fold = Story(), _Fold(projection)
    for header, of_block in zip(headers, receipts, strict=True):
        number, timestamp = int(header["number"], 16), int(header["timestamp"], 16)
        story.blocks.append((number, header["hash"], header["parentHash"], timestamp))
        for log in (log for receipt in of_block for log in receipt["logs"]):
            if log["address"] in names:
                meta = _meta(log, timestamp, names)
                if fold.take(meta, log):
                    story.logs.append(_log_row(meta, log["topics"], log["data"]))
        fold.end_block(number)
    story.versions = list(fold.versions())
    return story


class _Fold:
    """Versions of records, made of events in a dictionary."""

    def __init__(self, projection: Projection) -> None:
        self._project = projection
        self._records = MemoryRecords()
        self._before: dict[Any, Any] = {}
        self._made_by: dict[Any, int] = {}
        self._versions: dict[Any, list[list[Any]]] = {}

    def take(self, meta: EventMeta, log: Mapping[str, Any]) -> bool:
        """Fold one log, and say whether it is to be kept."""
        try:
            event = decode_log(log["topics"], log["data"], meta)
        except LogMalformed:
            return True
        if event is None:
            return False
        if isinstance(event, UnknownEvent):
            return True
        for version in tuple(self._project(self._records, event)):
            ident = (type(version), key_of(version))
            self._before.setdefault(ident, self._records.current.get(ident))
            self._made_by[ident] = meta.log_index
            self._records.put([version])
        return True

    def end_block(self, number: int) -> None:
        """Make a version of each record that is not what it was before this block."""
        for ident, before in self._before.items():
            now = self._records.current[ident]
            if now != before:
                made = self._versions.setdefault(ident, [])
                if made:
                    made[-1][2] = number
                made.append([now, number, None, self._made_by[ident]])
        self._before.clear()

    def versions(self) -> Iterator[tuple[Any, ...]]:
        """Return all versions, each with where it begins, where it ends, and the log it is from."""
        for made in self._versions.values():
            yield from map(tuple, made)


def _meta(log: Mapping[str, Any], timestamp: int, names: Mapping[str, str]) -> EventMeta:
    return EventMeta(
        contract=names[log["address"]],
        address=Address(log["address"]),
        block_number=int(log["blockNumber"], 16),
        block_hash=Bytes32(log["blockHash"]),
        timestamp=timestamp,
        transaction_hash=Bytes32(log["transactionHash"]),
        transaction_index=int(log["transactionIndex"], 16),
        log_index=int(log["logIndex"], 16),
    )


def _log_row(meta: EventMeta, topics: Sequence[str], data: str) -> tuple[Any, ...]:
    place = (meta.block_number, meta.log_index, meta.transaction_index, meta.transaction_hash)
    return *place, meta.contract, meta.address, tuple(map(Bytes32, topics)), HexBytes(data)
