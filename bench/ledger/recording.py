"""
A compact copy of a chain on the disk: what the node said of every block, byte for byte.

Written while the chain is made, read by `bench.ledger.serving`; it knows no contract.

    <folder>/blobs.bin     the answers, one after the other
    <folder>/index.json    where each block's four answers are; written last, when all is there
"""

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import BufferedWriter
from mmap import ACCESS_READ, mmap
from pathlib import Path
from typing import Any, Final

import orjson

INDEX: Final = "index.json"
BLOBS: Final = "blobs.bin"
PARTS: Final = ("header", "logs", "receipts", "whole")
# Asked for rarely, and large: kept small.
PACKED: Final = ("receipts", "whole")

Span = tuple[int, int]


class Recorder:
    """Writes a copy, block after block from 0."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._file: BufferedWriter = (folder / BLOBS).open("wb")
        self._spans: dict[str, list[Span]] = {part: [] for part in PARTS}
        self._hashes: list[str] = []
        self.logs = 0

    @property
    def next_number(self) -> int:
        """Return the height of the block that comes next."""
        return len(self._hashes)

    def add(self, block: Mapping[str, Any], receipts: Sequence[Mapping[str, Any]]) -> None:
        """Add a block, which the node gave with whole transactions, and its receipts."""
        assert int(block["number"], 16) == self.next_number, "blocks are recorded in order"
        header = {**block, "transactions": [one["hash"] for one in block["transactions"]]}
        logs = [log for receipt in receipts for log in receipt["logs"]]
        parts = {"header": header, "logs": logs, "receipts": receipts, "whole": block}
        for part, value in parts.items():
            data = orjson.dumps(value)
            self._put(part, zlib.compress(data, 1) if part in PACKED else data)
        self._hashes.append(block["hash"])
        self.logs += len(logs)

    def finish(self, about: Mapping[str, Any]) -> None:
        """Write the index, with what there is to say about the chain."""
        self._file.close()
        index = {"about": about, "hashes": self._hashes, "spans": self._spans}
        path = self._folder / INDEX
        partial = path.with_suffix(".partial")
        partial.write_bytes(orjson.dumps(index))
        partial.replace(path)

    def _put(self, part: str, data: bytes) -> None:
        self._spans[part].append((self._file.tell(), len(data)))
        self._file.write(data)


@dataclass(frozen=True, slots=True)
class Recording:
    """A finished copy."""

    about: Mapping[str, Any]
    hashes: Sequence[str]
    numbers: Mapping[str, int]
    spans: Mapping[str, Sequence[Span]]
    blobs: mmap

    def part(self, name: str, number: int) -> bytes:
        """Return a block's answer, as JSON."""
        start, size = self.spans[name][number]
        data = self.blobs[start : start + size]
        return zlib.decompress(data) if name in PACKED else data


def about(folder: Path) -> dict[str, Any]:
    """
    Return what there is to say about a finished copy's chain.

    :raises FileNotFoundError: if there is none, or one that was never finished
    """
    found: dict[str, Any] = orjson.loads((folder / INDEX).read_bytes())["about"]
    return found


def open_recording(folder: Path) -> Recording:
    """
    Open a finished copy.

    :raises FileNotFoundError: if there is none, or one that was never finished
    """
    index = orjson.loads((folder / INDEX).read_bytes())
    with (folder / BLOBS).open("rb") as file:
        blobs = mmap(file.fileno(), 0, access=ACCESS_READ)
    return Recording(
        about=index["about"],
        hashes=index["hashes"],
        numbers={one: number for number, one in enumerate(index["hashes"])},
        spans=index["spans"],
        blobs=blobs,
    )
