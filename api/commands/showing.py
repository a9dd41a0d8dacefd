"""
What a command prints: one JSON value on stdout, or text and tables for people.

Names of documents come from others, so nothing of them reaches a terminal that is not printable.
"""

import json
import sys
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from api.commands.failing import ValueNotTaken

if TYPE_CHECKING:
    from rich.console import Console

# Where nobody sees it, such as in a pipe, lines need not fit a window.
WIDE: Final = 200
SHORT_CHARACTERS: Final = 10
SECONDS_DIGITS_MAX: Final = 11


def print_json(value: Any) -> None:
    """Write a value as one line of JSON."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False) + "\n")
    sys.stdout.flush()


def say(text: str) -> None:
    """Write a line for people beside the output."""
    sys.stderr.write(f"{clean(text)}\n")
    sys.stderr.flush()


def console(*, stderr: bool = False) -> "Console":
    """Return where tables and trees are drawn."""
    from rich.console import Console

    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() else WIDE
    return Console(file=stream, width=width, markup=False, highlight=False, emoji=False)


def print_table(headers: Sequence[str], rows: Iterable[Sequence[str]], *, title: str = "") -> None:
    """Draw a table; amounts stand at the right."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    table = Table(title=Text(title) if title else None, title_justify="left", box=SIMPLE_HEAD)
    for header in headers:
        is_amount = header.endswith("yuan")
        table.add_column(Text(header), justify="right" if is_amount else "left", overflow="fold")
    for row in rows:
        table.add_row(*(Text(clean(cell)) for cell in row))
    console().print(table)


def print_pairs(pairs: Iterable[tuple[str, str]], *, title: str = "") -> None:
    """Write names with their values, one per line."""
    held = [(name, clean(value)) for name, value in pairs]
    width = max((len(name) for name, _ in held), default=0)
    lines = [clean(title)] if title else []
    lines += [f"{name.ljust(width)}  {value}" for name, value in held]
    sys.stdout.write("\n".join(lines) + "\n")
    sys.stdout.flush()


def clean(text: str) -> str:
    """Return text without anything that a terminal would obey."""
    return "".join(one if one.isprintable() else "\N{REPLACEMENT CHARACTER}" for one in text)


def short(value: str) -> str:
    """Return the beginning of an id, enough to look it up by."""
    return f"{value[:SHORT_CHARACTERS]}…" if len(value) > SHORT_CHARACTERS + 1 else value


def parse_time(text: str, *, option: str) -> int:
    """
    Return a moment given as seconds since 1970 UTC or as RFC 3339 with a zone.

    :raises ValueNotTaken: if it is neither
    """
    if text.isascii() and text.isdigit() and len(text) <= SECONDS_DIGITS_MAX:
        return int(text)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        reason = f"{text!r} is neither seconds nor RFC 3339 with a zone, as 2026-05-04T08:00:00Z"
        raise ValueNotTaken(option=option, reason=reason)
    return int(moment.timestamp())
