"""
Package_content is about the bytes of a resource: one stream, wherever they are described.

It is not about what the bytes say: that is `api.packages.delimited`.
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import rfc8785

from api.packages.delimited import READ_BYTES, Chunks
from api.packages.descriptors import ResourceEntry, carried
from api.packages.metadata import Part
from chain.values import Bytes32


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """Bytes that can be opened again and again, and the parts they were joined from."""

    open_chunks: Chunks
    files: tuple[Path, ...]
    is_inline_table: bool = False


def content_of(entry: ResourceEntry) -> Content:
    """
    Find the bytes of a resource.

    shape: the file; or the parts joined, a missing line end between them supplied; or inline rows
           as canonical CSV, inline text as UTF-8, any other inline data as canonical JSON
    """
    if entry.files:
        return Content(open_chunks=lambda: _file_chunks(entry.files), files=entry.files)
    is_table = _is_inline_table(entry.data)
    data = _inline_csv(entry.data) if is_table else _inline_bytes(entry.data)
    return Content(open_chunks=lambda: iter([data]), files=(), is_inline_table=is_table)


def _file_chunks(files: Sequence[Path]) -> Iterator[bytes]:
    """Stream files one after the other, supplying a line end where a part lacks it."""
    line_end, last = b"\n", b""
    for place, path in enumerate(files):
        if place and last and not last.endswith((b"\n", b"\r", b"\n\x00", b"\r\x00")):
            yield line_end
        with path.open("rb") as file:
            while chunk := file.read(READ_BYTES):
                if not last:
                    line_end = _line_end(chunk)
                last = chunk
                yield chunk


def _line_end(start: bytes) -> bytes:
    if start.startswith(b"\xff\xfe"):
        return b"\n\x00"
    return b"\x00\n" if start.startswith(b"\xfe\xff") else b"\n"


def parts_of(entry: ResourceEntry) -> tuple[Part, ...]:
    """Measure every file of a resource by itself."""
    measured = [sha256_of(_file_chunks([file])) for file in entry.files]
    return tuple(
        Part(path=path, size_bytes=size_bytes, sha256=sha256)
        for path, (sha256, size_bytes) in zip(entry.paths, measured, strict=True)
    )


def _is_inline_table(data: Any) -> bool:
    """Say whether inline data is a list of objects, or a list of lists that begins with names."""
    if not isinstance(data, list) or not data:
        return False
    if all(isinstance(row, dict) for row in data):
        return True
    is_lists = all(isinstance(row, list) for row in data)
    return is_lists and bool(data[0]) and all(isinstance(name, str) for name in data[0])


def _inline_csv(data: list[Any]) -> bytes:
    """Write inline rows as a canonical table: UTF-8, commas, line feeds, RFC 8785 numbers."""
    if isinstance(data[0], list):
        header, rows = data[0], data[1:]
    else:
        header = list(dict.fromkeys(key for row in data for key in row))
        rows = [[row.get(key) for key in header] for row in data]
    lines = [",".join(_quoted(_cell(cell)) for cell in row) for row in [header, *rows]]
    return ("\n".join(lines) + "\n").encode()


def _inline_bytes(data: Any) -> bytes:
    return data.encode() if isinstance(data, str) else rfc8785.dumps(carried(data))


def _cell(value: Any) -> str:
    if value is None or isinstance(value, str):
        return value or ""
    return rfc8785.dumps(carried(value)).decode()


def _quoted(cell: str) -> str:
    if any(mark in cell for mark in ',"\r\n'):
        return '"' + cell.replace('"', '""') + '"'
    return cell


def sha256_of(chunks: Iterable[bytes]) -> tuple[Bytes32, int]:
    """Digest and measure bytes as they stream by."""
    making, size_bytes = hashlib.sha256(), 0
    for chunk in chunks:
        making.update(chunk)
        size_bytes += len(chunk)
    return Bytes32("0x" + making.hexdigest()), size_bytes
