"""
Package_metadata is about writing what is known of a resource as the document that is registered.

It is not about measuring the resource, and it never guesses what only the applicant can state:
such a field is null.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from api.packages.delimited import Layout
from api.packages.descriptors import carried
from api.packages.fields import Field, schema_document
from api.packages.media import MediaKind
from chain.values import Bytes32

DOCUMENT_TYPE: Final = "shulian/resource-metadata/1"
# P1 annex 1: a data name has at most 40 characters, an overview at most 400.
NAME_CHARACTERS_MAX: Final = 40
OVERVIEW_CHARACTERS_MAX: Final = 400

# P1 annex 1: 采集生成, 协议取得, 自动化程序收集公开数据, 衍生创造.
SOURCE_KINDS: Final = ("COLLECTED", "AGREEMENT", "CRAWLED", "DERIVED")
# P1 annex 1: 按天, 按周, 按月, 按年, 按需, 实时, 其他, and how packages write them.
_UPDATES: Final = {
    "DAILY": ("daily", "day", "r/p1d", "按天", "每日", "每天"),
    "WEEKLY": ("weekly", "week", "r/p1w", "按周", "每周"),
    "MONTHLY": ("monthly", "month", "r/p1m", "按月", "每月"),
    "YEARLY": ("yearly", "annual", "annually", "year", "r/p1y", "按年", "每年"),
    "ON_DEMAND": ("on demand", "ondemand", "on_demand", "按需"),
    "REAL_TIME": ("real-time", "realtime", "real_time", "continuous", "实时"),
    "OTHER": ("other", "irregular", "quarterly", "其他"),
}
_UPDATE_KEYS: Final = ("update", "update_frequency", "updateFrequency", "accrualPeriodicity")
_REGION_KEYS: Final = ("region", "spatial", "coverage")


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One file of a resource's content."""

    path: str
    size_bytes: int
    sha256: Bytes32


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What was read and measured of a resource, and the descriptions it came with."""

    package: Mapping[str, Any]
    resource: Mapping[str, Any]
    is_only_resource: bool
    media: MediaKind
    layout: Layout | None
    fields: Sequence[Field]
    rows: int | None
    size_bytes: int
    content_sha256: Bytes32
    parts: tuple[Part, ...]
    fingerprint: Bytes32 | None
    fingerprint_method: str | None
    time_span: tuple[str, str] | None


def metadata_of(facts: Facts) -> dict[str, Any]:
    """
    Write the metadata document of a resource (domain.md 6.2 and 6.4), ready for canonical JSON.

    note: every key of the package's and the resource's description stands under `descriptor`,
          except inline data, which is content
    """
    name, overview = _name(facts), _overview(facts)
    return {
        "type": DOCUMENT_TYPE,
        "name": cut(name, NAME_CHARACTERS_MAX),
        "name_full": name,
        "overview": cut(overview, OVERVIEW_CHARACTERS_MAX),
        "overview_full": overview,
        "keywords": [word for word in _list(facts, "keywords") if isinstance(word, str)],
        "industry": _first_text(facts, ("industry",)),
        "source_kind": _source_kind(facts),
        "region": _first_text(facts, _REGION_KEYS),
        "time_span": _time_span(facts),
        "update": update_of(_first_text(facts, _UPDATE_KEYS)),
        "volume": {
            "rows": facts.rows,
            "bytes": carried(facts.size_bytes),
        },
        "form": {"media": facts.media.form, "structure": facts.media.structure},
        "licences": carried(_list(facts, "licenses")),
        "schema": _schema(facts),
        "content": _content(facts),
        "descriptor": carried(
            {
                "package": {k: v for k, v in facts.package.items() if k != "resources"},
                "resource": {k: v for k, v in facts.resource.items() if k != "data"},
            }
        ),
    }


def cut(text: str, characters_max: int) -> str:
    """Shorten a text to a length: white space becomes single spaces, a cut end becomes `…`."""
    plain = " ".join(text.split())
    if len(plain) <= characters_max:
        return plain
    return plain[: characters_max - 1].rstrip() + "…"


def update_of(stated: str | None) -> str | None:
    """Name how often data is updated by the national list; None where nothing is stated."""
    if stated is None:
        return None
    plain = stated.strip().lower()
    for code, words in _UPDATES.items():
        if plain == code.lower() or plain in words:
            return code
    return "OTHER"


def _name(facts: Facts) -> str:
    """Take the resource's title, or the package's where it holds nothing else, or the name."""
    own = _text(facts.resource.get("title"))
    shared = _text(facts.package.get("title")) if facts.is_only_resource else ""
    return own or shared or _text(facts.resource.get("name"))


def _overview(facts: Facts) -> str:
    found = (
        _text(described.get(key))
        for key in ("description", "readme", "title", "name")
        for described in (facts.resource, facts.package)
    )
    return next((text for text in found if text), "")


def _source_kind(facts: Facts) -> str | None:
    stated = _first_text(facts, ("source_kind", "sourceKind"))
    return stated.upper() if stated and stated.upper() in SOURCE_KINDS else None


def _time_span(facts: Facts) -> dict[str, str] | None:
    if facts.time_span is None:
        return None
    return {"from": facts.time_span[0], "to": facts.time_span[1]}


def _schema(facts: Facts) -> dict[str, Any] | None:
    if facts.layout is None:
        return None
    missing = facts.fields[0].missing_values if facts.fields else ("",)
    return {
        "fields": carried(schema_document(facts.fields)),
        "missing_values": list(missing),
        "inferred": [item.name for item in facts.fields if item.is_inferred],
        "not_understood": [item.name for item in facts.fields if not item.is_described],
    }


def _content(facts: Facts) -> dict[str, Any]:
    layout = facts.layout
    return {
        "sha256": facts.content_sha256,
        "media_type": facts.media.media_type,
        "parts": [
            {"path": part.path, "bytes": carried(part.size_bytes), "sha256": part.sha256}
            for part in facts.parts
        ],
        "fingerprint": facts.fingerprint,
        "fingerprint_method": facts.fingerprint_method,
        "layout": None
        if layout is None
        else {
            "encoding": layout.encoding,
            "delimiter": layout.delimiter,
            "quote": layout.quote,
            "is_quote_doubled": layout.is_quote_doubled,
            "escape": layout.escape,
            "is_space_skipped": layout.is_space_skipped,
            "has_header": layout.has_header,
            "has_repeated_header": layout.has_repeated_header,
        },
    }


def _list(facts: Facts, key: str) -> list[Any]:
    """Return a list of the resource's description, else of the package's, else none."""
    for described in (facts.resource, facts.package):
        stated = described.get(key)
        if isinstance(stated, list):
            return stated
    return []


def _first_text(facts: Facts, keys: Sequence[str]) -> str | None:
    for described in (facts.resource, facts.package):
        for key in keys:
            if text := _text(described.get(key)):
                return text
    return None


def _text(value: Any) -> str:
    return value.strip() if isinstance(value, str) else ""
