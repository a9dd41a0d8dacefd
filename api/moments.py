"""
Moments as people read them, in the console and on the command line.

It is not the wire form of the API (`api.wire`), and it loads nothing heavy.
"""

from datetime import UTC, datetime


def moment_text(seconds: int) -> str:
    """Return a moment in seconds since 1970 as UTC; empty for 0, digits beyond the year 9999."""
    if not seconds:
        return ""
    try:
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%SZ")
    except (ValueError, OverflowError):
        return str(seconds)
