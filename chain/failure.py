"""
How the ledger says no: one base class and four families, from which every named error is made.

Not here: the named errors. Those of the contracts are generated into `chain/errors.py`; an error
that only Python can raise stands beside the function that raises it.

    LedgerError              no family: the world is at fault (a disk lies), not the request
     ├── NotFound            what was named is not known
     ├── Conflict            it is known, but its state or an earlier act forbids this
     ├── Forbidden           the one who asks may not do this
     └── Invalid             what was given is malformed or out of range
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from enum import Enum
from inspect import cleandoc
from typing import Any, ClassVar, Self, dataclass_transform

# JSON numbers are exact up to here (RFC 8259 §6); larger integers travel as strings of digits.
JSON_INTEGER_MAX = 2**53 - 1

# Names that the base itself needs on every error.
_RESERVED = frozenset({"args", "title", "fields", "slug", "of", "to_fields", "with_traceback"})


def _words(name: str) -> list[str]:
    return [word.lower() for word in re.findall(r"[A-Z]+(?![a-z])[0-9]*|[A-Z][a-z0-9]*", name)]


def _title(cls: type) -> str:
    if not cls.__doc__:  # docstrings are stripped under `python -OO`
        return " ".join(_words(cls.__name__)).capitalize() + "."
    paragraph = " ".join(cleandoc(cls.__doc__).split("\n\n")[0].split())
    return re.split(r"(?<=\.)\s", paragraph)[0]


@dataclass_transform(kw_only_default=True, eq_default=False)
class LedgerError(Exception):
    """
    The ledger could not do what was asked.

    A concrete error is its docstring, whose first sentence becomes the title, and its fields:

        class AssetNotFound(NotFound):
            '''The asset is not known.'''

            asset_id: AssetId

    It is raised with keywords, `AssetNotFound(asset_id=...)`, reads "The asset is not known:
    asset_id=0x…", equals another of the same class and fields, and survives pickling.
    """

    title: ClassVar[str]
    _field_names: ClassVar[tuple[str, ...]] = ()
    _field_set: ClassVar[frozenset[str]] = frozenset()

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        own = tuple(
            name
            for name, kind in cls.__dict__.get("__annotations__", {}).items()
            if "ClassVar" not in str(kind)
        )
        taken = _RESERVED.intersection(own)
        if taken:
            raise TypeError(f"{cls.__name__} may not have fields named {sorted(taken)}")
        cls._field_names = cls._field_names + own
        cls._field_set = frozenset(cls._field_names)
        cls.title = _title(cls)

    def __init__(self, **fields: Any) -> None:
        if fields.keys() != self._field_set:
            expected = ", ".join(self._field_names) or "no fields"
            raise TypeError(f"{type(self).__name__} takes {expected}; got {', '.join(fields)}")
        # Many are made and few are told: the sentence is built when somebody reads it.
        self.__dict__.update(fields)
        super().__init__()

    @property
    def fields(self) -> Mapping[str, Any]:
        """Return the values the error was raised with, in the order they are declared."""
        return {name: getattr(self, name) for name in self._field_names}

    @classmethod
    def slug(cls) -> str:
        """Return the name as a problem type has it: `AssetNotFound` → `asset-not-found`."""
        return "-".join(_words(cls.__name__))

    def to_fields(self) -> dict[str, Any]:
        """
        Return the fields as JSON carries them.

        units: `..._fen` and integers beyond 2^53 as strings of digits, `..._at` as RFC 3339 in UTC,
               codes by name
        """
        return {name: _wire(name, value) for name, value in self.fields.items()}

    def __str__(self) -> str:
        if not self._field_names:
            return self.title
        told = ", ".join(f"{name}={_told(value)}" for name, value in self.fields.items())
        return f"{self.title.removesuffix('.')}: {told}"

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self)!r})"

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return self.fields == other.fields

    def __hash__(self) -> int:
        return hash((type(self), str(self)))

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (type(self), dict(self.fields))

    @classmethod
    def of(cls, fields: Mapping[str, Any]) -> Self:
        """Return the error with these fields, for code that holds class and values as data."""
        return cls(**fields)


class NotFound(LedgerError):
    """What was named is not known."""


class Conflict(LedgerError):
    """The state of the record forbids this."""


class Forbidden(LedgerError):
    """The caller may not do this."""


class Invalid(LedgerError):
    """What was given is not acceptable."""


def _rebuild(error: type[LedgerError], fields: Mapping[str, Any]) -> LedgerError:
    return error.of(fields)


def _told(value: object) -> str:
    if isinstance(value, Enum):
        return value.name
    return value if isinstance(value, str) else repr(value)


def _wire(name: str, value: Any) -> Any:
    if isinstance(value, Enum):
        return value.name
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return _wire_integer(name, value)
    if isinstance(value, bytes):
        return "0x" + value.hex()
    if isinstance(value, tuple | list | set | frozenset):
        return [_wire(name, item) for item in value]
    return str(value)


def _wire_integer(name: str, value: int) -> int | str:
    if name.endswith("_fen") or abs(value) > JSON_INTEGER_MAX:
        return str(value)
    if name.endswith("_at"):
        try:
            return datetime.fromtimestamp(value, tz=UTC).isoformat().replace("+00:00", "Z")
        except (ValueError, OverflowError):  # beyond year 9999: a contract's "for ever"
            return str(value)
    return value
