"""
Media is about what kind of content a resource is, told from its description and file names.

It is not about looking into the content: nothing is opened here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, Final

_TABLE, _TEXT, _IMAGE, _AUDIO, _VIDEO, _OTHER = (
    "TABLE",
    "TEXT",
    "IMAGE",
    "AUDIO",
    "VIDEO",
    "OTHER",
)
_STRUCTURED, _SEMI, _NOT = "STRUCTURED", "SEMI_STRUCTURED", "UNSTRUCTURED"

_DELIMITERS: Final = {"csv": None, "tsv": "\t", "tab": "\t"}
_TABLE_TYPES: Final = {"text/csv": "csv", "text/tab-separated-values": "tsv"}

# Ending: media type, form, structure (P1 annex 1: form x structure).
_KINDS: Final[Mapping[str, tuple[str, str, str]]] = {
    "csv": ("text/csv", _TABLE, _STRUCTURED),
    "tsv": ("text/tab-separated-values", _TABLE, _STRUCTURED),
    "tab": ("text/tab-separated-values", _TABLE, _STRUCTURED),
    "xlsx": (
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        _TABLE,
        _STRUCTURED,
    ),
    "xls": ("application/vnd.ms-excel", _TABLE, _STRUCTURED),
    "ods": ("application/vnd.oasis.opendocument.spreadsheet", _TABLE, _STRUCTURED),
    "parquet": ("application/vnd.apache.parquet", _TABLE, _STRUCTURED),
    "json": ("application/json", _OTHER, _SEMI),
    "jsonl": ("application/x-ndjson", _OTHER, _SEMI),
    "ndjson": ("application/x-ndjson", _OTHER, _SEMI),
    "geojson": ("application/geo+json", _OTHER, _SEMI),
    "xml": ("application/xml", _OTHER, _SEMI),
    "yaml": ("application/yaml", _OTHER, _SEMI),
    "txt": ("text/plain", _TEXT, _NOT),
    "md": ("text/markdown", _TEXT, _NOT),
    "html": ("text/html", _TEXT, _SEMI),
    "pdf": ("application/pdf", _TEXT, _NOT),
    "png": ("image/png", _IMAGE, _NOT),
    "jpg": ("image/jpeg", _IMAGE, _NOT),
    "jpeg": ("image/jpeg", _IMAGE, _NOT),
    "tif": ("image/tiff", _IMAGE, _NOT),
    "tiff": ("image/tiff", _IMAGE, _NOT),
    "svg": ("image/svg+xml", _IMAGE, _SEMI),
    "mp3": ("audio/mpeg", _AUDIO, _NOT),
    "wav": ("audio/wav", _AUDIO, _NOT),
    "mp4": ("video/mp4", _VIDEO, _NOT),
    "zip": ("application/zip", _OTHER, _NOT),
    "gz": ("application/gzip", _OTHER, _NOT),
}
_UNKNOWN: Final = ("application/octet-stream", _OTHER, _NOT)


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaKind:
    """
    What kind of content it is.

    note: `is_table` means a delimited text that is read row by row; `delimiter` is known only
          where the kind says it
    """

    media_type: str
    form: str
    structure: str
    is_table: bool
    delimiter: str | None


def kind_of(
    described: Mapping[str, Any], paths: Sequence[str], *, is_inline_table: bool
) -> MediaKind:
    """
    Tell the kind of a resource: by its stated format, then its media type, then its file ending.

    note: a compressed file is bytes only, whatever is in it
    """
    stated_type = described.get("mediatype")
    ending = _ending(described, paths, is_inline_table=is_inline_table)
    is_table = ending in _DELIMITERS and "compression" not in described
    media_type, form, structure = _KINDS.get(ending, _UNKNOWN)
    return MediaKind(
        media_type=stated_type if isinstance(stated_type, str) and stated_type else media_type,
        form=form,
        structure=structure,
        is_table=is_table,
        delimiter=_DELIMITERS.get(ending),
    )


def _ending(described: Mapping[str, Any], paths: Sequence[str], *, is_inline_table: bool) -> str:
    if is_inline_table:
        return "csv"
    if not paths:
        return "txt" if isinstance(described.get("data"), str) else "json"
    by_path = PurePosixPath(paths[0]).suffix.removeprefix(".").lower()
    if by_path in ("gz", "zip"):
        return by_path
    stated = str(described.get("format", "")).removeprefix(".").lower()
    if stated in _KINDS:
        return stated
    by_type = _TABLE_TYPES.get(str(described.get("mediatype", "")).split(";")[0].strip().lower())
    if by_type:
        return by_type
    is_said_table = described.get("profile") == "tabular-data-resource" or (
        described.get("type") == "table"
    )
    return "csv" if is_said_table and by_path in ("txt", "dat", "") else by_path
