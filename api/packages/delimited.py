"""
Delimited is about turning the bytes of a delimited text file into rows, a piece at a time.

It is not about what a column means: fields, types and scores are made from these rows elsewhere.
"""

import codecs
import csv
import hashlib
import io
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, BinaryIO, Final

from chain.failure import Conflict, Invalid
from chain.values import Bytes32

Chunks = Callable[[], Iterator[bytes]]

READ_BYTES: Final = 1 << 18
SAMPLE_BYTES: Final = 1 << 16
SAMPLE_ROWS: Final = 50
DELIMITERS: Final = (",", "\t", ";", "|")
# One cell may hold a whole polygon or article; an unclosed quote must still be noticed.
CELL_CHARACTERS_MAX: Final = 16 * 2**20

# The longer mark must be tried first: a UTF-32 mark begins with a UTF-16 mark.
_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# GB18030 contains both older national encodings, whatever the file says it uses.
_WIDER: Final = {"gbk": "gb18030", "gb2312": "gb18030", "hz": "hz", "ascii": "utf-8"}


class EncodingUnknown(Invalid):
    """The package names a text encoding that does not exist."""

    resource: str
    encoding: str


class ResourceUnreadable(Invalid):
    """The bytes of a resource cannot be read as the text table they are said to be."""

    resource: str
    reason: str


class ContentChanged(Conflict):
    """The bytes of a resource are not those that were registered."""

    resource: str
    registered_sha256: str
    found_sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """
    How a table is written: enough to read its bytes again without guessing.

    note: `has_repeated_header` says the file was joined from parts that may repeat the header
    """

    encoding: str
    delimiter: str
    quote: str = '"'
    is_quote_doubled: bool = True
    escape: str | None = None
    is_space_skipped: bool = False
    has_header: bool = True
    has_repeated_header: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A delimited table in bytes that someone can open again, and how to read it."""

    name: str
    content_sha256: Bytes32
    layout: Layout
    header: tuple[str, ...]
    open_chunks: Chunks = field(repr=False, compare=False)

    def rows(self) -> Iterator[list[str]]:
        """
        Read the data rows as text, without header and without empty lines.

        :raises ContentChanged: at the end, if the bytes read were not those registered
        """
        lines = read_lines(self.name, self.layout, self._checked())
        header = list(self.header)
        if self.layout.has_header:
            header = next(lines, [])
        for line in lines:
            if not (self.layout.has_repeated_header and line == header):
                yield line

    def _checked(self) -> Iterator[bytes]:
        making = hashlib.sha256()
        for chunk in self.open_chunks():
            making.update(chunk)
            yield chunk
        found = "0x" + making.hexdigest()
        if found != self.content_sha256:
            raise ContentChanged(
                resource=self.name, registered_sha256=self.content_sha256, found_sha256=found
            )


def read_lines(resource: str, layout: Layout, chunks: Iterable[bytes]) -> Iterator[list[str]]:
    """
    Read every record of a delimited text, without empty lines and byte-order marks.

    note: line ends inside a cell are read as one line feed, however they are written
    :raises ResourceUnreadable: if the bytes are not in the encoding, or a quote never ends
    """
    csv.field_size_limit(CELL_CHARACTERS_MAX)
    buffered: BinaryIO = io.BufferedReader(_ChunkReader(chunks), READ_BYTES)
    text = io.TextIOWrapper(buffered, encoding=_decoder(layout.encoding), newline="")
    reader = csv.reader(
        text,
        delimiter=layout.delimiter,
        quotechar=layout.quote or None,
        quoting=csv.QUOTE_MINIMAL if layout.quote else csv.QUOTE_NONE,
        doublequote=layout.is_quote_doubled,
        escapechar=layout.escape,
        skipinitialspace=layout.is_space_skipped,
    )
    try:
        for line in reader:
            if line and line[0].startswith("\ufeff"):
                line[0] = line[0].removeprefix("\ufeff")
            if line not in ([], [""]):
                yield [_one_line_end(cell) if "\r" in cell else cell for cell in line]
    except (UnicodeError, csv.Error) as error:
        raise ResourceUnreadable(resource=resource, reason=str(error)) from error


def find_encoding(resource: str, declared: str | None, chunks: Chunks) -> str:
    """
    Find the encoding of a text: what is declared, else its mark, else UTF-8, else GB18030.

    ensures: all the bytes are valid in the encoding found
    :raises EncodingUnknown: if a declared encoding does not exist
    :raises ResourceUnreadable: if the bytes fit none
    """
    sample = next(chunks(), b"")
    marked = next((name for mark, name in _MARKS if sample.startswith(mark)), None)
    if declared:
        candidates = [_declared(resource, declared)]
    elif marked:
        candidates = [marked]
    elif 0 in sample:
        is_big_endian = sample[::2].count(0) > sample[1::2].count(0)
        candidates = ["utf-16-be" if is_big_endian else "utf-16-le"]
    else:
        candidates = ["utf-8", "gb18030"]
    if marked == "utf-16" and candidates[0].startswith("utf-16"):
        candidates = ["utf-16"]
    for encoding in candidates:
        if _is_valid(encoding, chunks()):
            return encoding
    raise ResourceUnreadable(resource=resource, reason=f"it is not {' or '.join(candidates)} text")


def find_delimiter(sample: str) -> str:
    """
    Find the delimiter of a text: the one that cuts most records alike, and into most cells.

    ensures: a comma, where no delimiter cuts anything
    """
    best = (0.0, 0, ",")
    for delimiter in DELIMITERS:
        lines = csv.reader(io.StringIO(sample, newline=""), delimiter=delimiter)
        widths = [len(line) for line in islice(lines, SAMPLE_ROWS) if line]
        usual = max(set(widths), key=lambda width: (widths.count(width), width), default=0)
        if usual > 1:
            alike = widths.count(usual) / len(widths)
            best = max(best, (alike, usual, delimiter), key=lambda found: found[:2])
    return best[2]


def sample_text(encoding: str, chunks: Chunks) -> str:
    """Decode the first whole lines of a text."""
    raw = b""
    for chunk in chunks():
        raw += chunk
        if len(raw) >= SAMPLE_BYTES:
            break
    text = codecs.getincrementaldecoder(_decoder(encoding))().decode(raw[:SAMPLE_BYTES])
    whole = text.rpartition("\n")[0] if len(raw) > SAMPLE_BYTES else text
    return (whole or text).removeprefix("\ufeff")


def _one_line_end(cell: str) -> str:
    return cell.replace("\r\n", "\n").replace("\r", "\n")


def _decoder(encoding: str) -> str:
    return "utf-8-sig" if encoding == "utf-8" else encoding


def _declared(resource: str, encoding: str) -> str:
    try:
        name = codecs.lookup(encoding).name
        "".encode(name)
    except (LookupError, ValueError) as error:
        raise EncodingUnknown(resource=resource, encoding=encoding) from error
    name = name.removesuffix("-sig")
    return _WIDER.get(name, name)


def _is_valid(encoding: str, chunks: Iterable[bytes]) -> bool:
    decoder = codecs.getincrementaldecoder(_decoder(encoding))()
    try:
        for chunk in chunks:
            decoder.decode(chunk)
        decoder.decode(b"", final=True)
    except UnicodeError:
        return False
    return True


class _ChunkReader(io.RawIOBase):
    """A file-like view of chunks, so that the standard decoder and reader can stream them."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks = iter(chunks)
        self._left = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        while not self._left:
            chunk = next(self._chunks, None)
            if chunk is None:
                return 0
            self._left = chunk
        target = memoryview(buffer)
        count = min(len(target), len(self._left))
        target[:count] = self._left[:count]
        self._left = self._left[count:]
        return count
