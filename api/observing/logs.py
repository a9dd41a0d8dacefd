"""
The log: one line per event, as JSON for machines or as text for a terminal, and no secret in it.

What is said stands where it is said, as `event happened name=%s other=%s`; the parts are told apart
here, so that no line is written twice.
"""

import logging
import re
import sys
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any, Final, TextIO

import orjson

REQUEST_ID: Final[ContextVar[str]] = ContextVar("request_id", default="")

FORMATS: Final = ("", "json", "text")
LEVELS: Final = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
OURS: Final = ("api", "chain", "registry", "settlement")

NAMED: Final = re.compile(r"\s*([A-Za-z_][A-Za-z0-9_]*)=%[sdrif]")
HIDDEN: Final = "***"
# Of an address only the place is told: providers put their keys into paths and queries.
URL: Final = re.compile(r"\b([a-z][a-z0-9+]*)://(?:[^\s/@]*@)?([^\s/?#'\"]+)[^\s'\"]*")
SECRETS: Final = (
    re.compile(r"whsec_[A-Za-z0-9+/=_-]+"),
    re.compile(r"(?i)(?<=bearer )\s*[A-Za-z0-9._~+/=-]+"),
    # A signature is 65 bytes; ids, hashes and keys are 32, so keys must never come here.
    re.compile(r"0x[0-9a-fA-F]{130}(?![0-9a-fA-F])"),
)


def clean(text: str) -> str:
    """Return text without what looks like a secret."""
    told = URL.sub(r"\1://\2", text)
    for secret in SECRETS:
        told = secret.sub(HIDDEN, told)
    return told


class JsonFormatter(logging.Formatter):
    """One JSON object on one line."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        event, fields = parts_of(record)
        told: dict[str, Any] = {
            "time": _time(record),
            "level": record.levelname,
            "logger": record.name,
            "event": event,
        }
        request_id = REQUEST_ID.get()
        if request_id:
            told["request_id"] = request_id
        if fields:
            told["fields"] = fields
        if record.exc_info:
            told["exception"] = clean(self.formatException(record.exc_info))
        return orjson.dumps(told, default=str).decode("utf-8")


class TextFormatter(logging.Formatter):
    """One line for people; what came with an exception follows it."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        request_id = REQUEST_ID.get()
        told = clean(" ".join(record.getMessage().split("\n")))
        end = f" request_id={request_id}" if request_id else ""
        line = f"{_time(record)} {record.levelname:<8} {record.name}: {told}{end}"
        if record.exc_info:
            line += "\n" + clean(self.formatException(record.exc_info))
        return line


def parts_of(record: logging.LogRecord) -> tuple[str, dict[str, Any]]:
    """
    Return what happened, and with which values.

    shape: whatever does not have the form of this project's lines is told whole, without values
    """
    template, given = str(record.msg), record.args
    names = NAMED.findall(template)
    if not isinstance(given, tuple) or not names or len(names) != len(given):
        return clean(record.getMessage()), {}
    event = NAMED.sub("", template).strip()
    return event, {name: _plain(value) for name, value in zip(names, given, strict=True)}


def set_up(*, form: str = "", level: str = "INFO", stream: TextIO | None = None) -> None:
    """
    Let this process log to a stream, by default stderr.

    shape: without a form it is text on a terminal and JSON elsewhere; other libraries are heard
           from WARNING on, since below it they tell whole requests
    """
    out = stream or sys.stderr
    is_text = form == "text" or (not form and out.isatty())
    handler = logging.StreamHandler(out)
    handler.setFormatter(TextFormatter() if is_text else JsonFormatter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    for name in OURS:
        logging.getLogger(name).setLevel(level)


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, bool | float):
        return value
    if isinstance(value, int):
        return value if abs(value) < 2**53 else str(value)
    return clean(str(value))


def _time(record: logging.LogRecord) -> str:
    moment = datetime.fromtimestamp(record.created, tz=UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
