"""
The fused floor of an indexer: fetch logs, decode them, insert a row each, in one loop.

It keeps no block and no hash, checks nothing, folds nothing and cannot undo a fork. What a mirror
costs above this is the price of being right.
"""

import http.client
import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import orjson

from chain.decoders import DECODERS
from chain.event import EventMeta
from chain.facts import Followed

RANGE_BLOCKS: Final = 200
COMMIT_ROWS: Final = 5_000
# The primary key and one index, as the smallest table that answers anything would have.
SCHEMA: Final = """
    CREATE TABLE event (
        block INTEGER, log_index INTEGER, name TEXT, subject TEXT, data TEXT,
        PRIMARY KEY (block, log_index)
    ) WITHOUT ROWID;
    CREATE INDEX event_subject ON event (subject);
"""
INSERT: Final = "INSERT INTO event VALUES (?, ?, ?, ?, ?)"

Row = tuple[int, int, str, str, str]


def backfill(url: str, contracts: Sequence[Followed], database: Path, *, last: int) -> int:
    """Fetch, decode and insert every event up to a block, and return how many there were."""
    connection = sqlite3.connect(database)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=NORMAL")
    connection.executescript(SCHEMA)
    names: dict[str, str] = {one.address: one.contract for one in contracts}
    count = 0
    waiting: list[Row] = []
    for logs in fetched(url, list(names), last=last):
        waiting += rows_of(logs, names)
        if len(waiting) >= COMMIT_ROWS:
            count += _insert(connection, waiting)
            waiting = []
    count += _insert(connection, waiting)
    connection.close()
    return count


def fetched(url: str, addresses: Sequence[str], *, last: int) -> Iterator[list[Any]]:
    """Yield the logs of range after range, as the node gives them."""
    host = urlsplit(url).netloc
    connection = http.client.HTTPConnection(host)
    for first in range(0, last + 1, RANGE_BLOCKS):
        sought = {
            "fromBlock": hex(first),
            "toBlock": hex(min(last, first + RANGE_BLOCKS - 1)),
            "address": addresses,
        }
        asked = {"jsonrpc": "2.0", "id": 1, "method": "eth_getLogs", "params": [sought]}
        headers = {"content-type": "application/json"}
        connection.request("POST", "/", orjson.dumps(asked), headers)
        yield orjson.loads(connection.getresponse().read())["result"]
    connection.close()


def rows_of(logs: Sequence[Any], names: dict[str, str]) -> Iterator[Row]:
    """Decode logs, and make each a row: its place, its event's name, its subject, its data."""
    for log in logs:
        decode = DECODERS.get(log["topics"][0])
        if decode is None:
            continue
        number, index = int(log["blockNumber"], 16), int(log["logIndex"], 16)
        meta = EventMeta(
            contract=names[log["address"]],
            address=log["address"],
            block_number=number,
            block_hash=log["blockHash"],
            timestamp=0,
            transaction_hash=log["transactionHash"],
            transaction_index=int(log["transactionIndex"], 16),
            log_index=index,
        )
        event = decode(log["topics"], log["data"], meta)
        yield number, index, type(event).__name__, log["topics"][1], log["data"]


def _insert(connection: sqlite3.Connection, rows: list[Row]) -> int:
    with connection:
        connection.executemany(INSERT, rows)
    return len(rows)
