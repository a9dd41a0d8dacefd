"""
Packages is about reading a data package from disk into values that can be registered.

It is not about registering anything: everything is checked before the package is returned, so that
of a bad package nothing is registered. Nothing is fetched from a network, and nothing is written.
Big files are streamed; only inline data and the descriptor are held in memory.
"""

import hashlib
import json
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, Final

from api.packages.content import Content, content_of, parts_of, sha256_of
from api.packages.delimited import (
    Chunks,
    Layout,
    Table,
    find_delimiter,
    find_encoding,
    read_lines,
    sample_text,
)
from api.packages.descriptors import Descriptor, JsonObject, ResourceEntry, carried, open_descriptor
from api.packages.fields import INFERENCE_ROWS, Field, fields_of, time_text, unique_names
from api.packages.media import MediaKind, kind_of
from api.packages.metadata import Facts, metadata_of
from chain.documents import canonical
from chain.values import Bytes32

# Version of the way `fingerprint_of` turns rows into a digest.
FINGERPRINT_METHOD: Final = "rows-nfc-jcs-sha256/1"
# For lists of text this is the canonical form of RFC 8785, at the speed of the standard library.
_RECORDS: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageResource:
    """
    One resource of a package, read and measured.

    units: rows without the header, None where the content is not a delimited table
    note:  the content is the file, or the parts joined (a missing line end supplied), or the
           canonical bytes of inline data; `open_chunks` streams exactly the bytes of the digest
    """

    name: str
    title: str
    paths: tuple[str, ...]
    media: MediaKind
    size_bytes: int
    content_sha256: Bytes32
    rows: int | None
    fingerprint: Bytes32 | None
    fields: tuple[Field, ...]
    table: Table | None
    metadata: Mapping[str, Any]
    open_chunks: Chunks = field(repr=False, compare=False)

    @property
    def encoding(self) -> str | None:
        """Name the text encoding of a table; None where the content is bytes only."""
        return self.table.layout.encoding if self.table else None

    @property
    def delimiter(self) -> str | None:
        """Give the delimiter of a table; None where the content is bytes only."""
        return self.table.layout.delimiter if self.table else None

    @property
    def schema(self) -> Mapping[str, Any] | None:
        """Give the schema document, declared or inferred; None where the content is bytes only."""
        schema: Mapping[str, Any] | None = self.metadata["schema"]
        return schema


@dataclass(frozen=True, slots=True, kw_only=True)
class DataPackage:
    """A data package whose every resource was found, read and measured."""

    name: str
    title: str
    licences: tuple[Any, ...]
    descriptor_sha256: Bytes32
    described: Mapping[str, Any] = field(repr=False)
    resources: tuple[PackageResource, ...]


def read_package(path: Path) -> DataPackage:
    """
    Read a data package: its folder, or its `datapackage.json`.

    ensures: all of it is readable, or an error is raised and nothing else has happened
    :raises DataPackageMissing, NotADataPackage, DescriptorMalformed: if there is no such package
    :raises ResourceFileMissing: if it names a file that is not there
    :raises RemoteResourceRefused, UnsafePath: if it refers to a network or outside its folder
    :raises ResourceNameDuplicate, ResourceInvalid, ResourceUnreadable, EncodingUnknown: if a
            resource cannot be read
    """
    descriptor = open_descriptor(path)
    described = descriptor.described
    name = _word(described.get("name")) or descriptor.root.name
    licences = described.get("licenses")
    return DataPackage(
        name=name,
        title=_word(described.get("title")) or name,
        licences=tuple(carried(licences)) if isinstance(licences, list) else (),
        descriptor_sha256=sha256_of([descriptor.raw])[0],
        described=carried({key: described[key] for key in described if key != "resources"}),
        resources=tuple(_resource(descriptor, entry) for entry in descriptor.resources),
    )


def fingerprint_of(header: Sequence[str], rows: Iterator[list[str]]) -> tuple[Bytes32, int]:
    """
    Digest what a table says rather than how it is written, and count its rows.

    shape:   SHA-256 over one line per record, header first: the canonical JSON array of the cells
             as text in Unicode form NFC, ended by a line feed
    ensures: encoding, byte-order mark, delimiter, quoting, line ends and empty lines do not
             matter; the order of rows and columns and the writing of a number do (D-13)
    """
    making = hashlib.sha256(_record(header))
    count = 0
    for row in rows:
        making.update(_record(row))
        count += 1
    return Bytes32("0x" + making.hexdigest()), count


def _resource(descriptor: Descriptor, entry: ResourceEntry) -> PackageResource:
    content = content_of(entry)
    sha256, size_bytes = sha256_of(content.open_chunks())
    media = kind_of(entry.described, entry.paths, is_inline_table=content.is_inline_table)
    table: Table | None = None
    fields: tuple[Field, ...] = ()
    fingerprint, rows, span = None, None, None
    if media.is_table:
        table, fields = _table(entry, content, sha256, media.delimiter)
        seen = _TimeSpan(fields)
        fingerprint, rows = fingerprint_of(table.header, seen.watch(table.rows()))
        span = seen.span
    facts = Facts(
        package=descriptor.described,
        resource=entry.described,
        is_only_resource=len(descriptor.resources) == 1,
        media=media,
        layout=table.layout if table else None,
        fields=fields,
        rows=rows,
        size_bytes=size_bytes,
        content_sha256=sha256,
        parts=parts_of(entry),
        fingerprint=fingerprint,
        fingerprint_method=FINGERPRINT_METHOD if fingerprint else None,
        time_span=span,
    )
    metadata = metadata_of(facts)
    canonical(metadata)
    return PackageResource(
        name=entry.name,
        title=_word(entry.described.get("title")) or entry.name,
        paths=entry.paths,
        media=media,
        size_bytes=size_bytes,
        content_sha256=sha256,
        rows=rows,
        fingerprint=fingerprint,
        fields=fields,
        table=table,
        metadata=metadata,
        open_chunks=content.open_chunks,
    )


def _table(
    entry: ResourceEntry, content: Content, sha256: Bytes32, delimiter: str | None
) -> tuple[Table, tuple[Field, ...]]:
    """Find out how a table is written and what its columns hold."""
    layout = _layout(entry, content, delimiter)
    lines = read_lines(entry.name, layout, content.open_chunks())
    first = list(islice(lines, INFERENCE_ROWS + 1))
    header, sample = (first[0] if first else [], first[1:])
    if not layout.has_header:
        header, sample = _assumed_header(entry.schema, header), first
    fields = fields_of(header=header, sample=sample, schema=entry.schema)
    table = Table(
        name=entry.name,
        content_sha256=sha256,
        layout=layout,
        header=tuple(header),
        open_chunks=content.open_chunks,
    )
    return table, fields


def _layout(entry: ResourceEntry, content: Content, delimiter: str | None) -> Layout:
    if content.is_inline_table:
        return Layout(encoding="utf-8", delimiter=",")
    stated = entry.dialect
    csv_part = stated.get("csv")
    dialect = {**stated, **csv_part} if isinstance(csv_part, dict) else stated
    encoding = find_encoding(
        entry.name, _word(entry.described.get("encoding")), content.open_chunks
    )
    wanted = _character(dialect.get("delimiter")) or delimiter
    quote = dialect.get("quoteChar", '"')
    return Layout(
        encoding=encoding,
        delimiter=wanted or find_delimiter(sample_text(encoding, content.open_chunks)),
        quote=quote if isinstance(quote, str) and len(quote) <= 1 else '"',
        is_quote_doubled=dialect.get("doubleQuote") is not False,
        escape=_character(dialect.get("escapeChar")),
        is_space_skipped=dialect.get("skipInitialSpace") is True,
        has_header=dialect.get("header") is not False,
        has_repeated_header=len(content.files) > 1,
    )


def _assumed_header(schema: JsonObject | None, first: Sequence[str]) -> list[str]:
    """Name the columns of a table without header by its schema, else by their places."""
    stated = (schema or {}).get("fields")
    names = [str(item.get("name", "")) for item in stated or [] if isinstance(item, dict)]
    return list(unique_names(names if len(names) == len(first) else [""] * len(first)))


def _record(cells: Sequence[str]) -> bytes:
    text = _RECORDS.encode(cells)
    return unicodedata.normalize("NFC", text).encode() + b"\n"


def _word(value: Any) -> str:
    return value.strip() if isinstance(value, str) else ""


def _character(value: Any) -> str | None:
    return value if isinstance(value, str) and len(value) == 1 else None


class _TimeSpan:
    """The first column that tells time, and the earliest and latest moment seen in it."""

    def __init__(self, fields: Sequence[Field]) -> None:
        places = [place for place, item in enumerate(fields) if item.is_time]
        self._place = places[0] if places else None
        self._read = fields[places[0]].reader() if places else None
        self.span: tuple[str, str] | None = None

    def watch(self, rows: Iterator[list[str]]) -> Iterator[list[str]]:
        for row in rows:
            if self._read and self._place is not None and self._place < len(row):
                moment = time_text(self._read(row[self._place])[0])
                if moment:
                    earliest, latest = self.span or (moment, moment)
                    self.span = (min(earliest, moment), max(latest, moment))
            yield row
