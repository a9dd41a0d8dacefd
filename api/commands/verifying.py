"""
`shulian verify`: judges certificate files with a trust list, and nothing else.

It needs no home, chain or network; all judging is `registry.bundles`'.
"""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from api.commands.failing import REFUSED, Misused, add
from api.commands.inputs import read_file
from api.commands.showing import clean, console, parse_time, print_json
from api.moments import moment_text

if TYPE_CHECKING:
    from registry.bundles import Verification
    from registry.claims import Claim
    from registry.trust import TrustList

BUNDLE_BYTES_MAX = 4 << 20
MARKS = {"VALID": "✓", "INVALID": "✗", "UNKNOWN": "?", "SKIPPED": "–"}


class TrustListUnreadable(Misused):
    """The trust list cannot be read."""

    path: str
    reason: str


def register(app: typer.Typer) -> None:
    """Add the command."""
    example = "shulian verify certificates/310000526000017.json --trust trust.json"
    add(app, verify, name="verify", example=example)


def verify(
    files: Annotated[list[Path], typer.Argument(help="Certificate files.", metavar="FILE...")],
    trust: Annotated[Path, typer.Option(help="The trust list: whose signatures count.")],
    at: Annotated[
        str | None,
        typer.Option(help="Judge as of this moment: RFC 3339 or seconds; by default now."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the verdict as JSON.")] = False,
) -> None:
    """Judge certificate files offline: exit 0 if all are VALID, 1 if not, 2 if one is not there."""
    from registry.bundles import verify as judge

    now = int(time.time()) if at is None else parse_time(at, option="--at")
    trusted = _trust(trust)
    contents = [read_file(path, bytes_max=BUNDLE_BYTES_MAX) for path in files]
    verdicts = [judge(content, trust=trusted, now=now) for content in contents]
    if as_json:
        told = [_told(one) for one in verdicts]
        names = [{"file": str(path), **one} for path, one in zip(files, told, strict=True)]
        print_json(told[0] if len(files) == 1 else names)
    else:
        for path, verdict in zip(files, verdicts, strict=True):
            _show(path, verdict)
    if any(verdict.verdict.value != "VALID" for verdict in verdicts):
        raise typer.Exit(REFUSED)


def _trust(path: Path) -> "TrustList":
    from registry.trust import TrustListInvalid, read_trust

    try:
        return read_trust(read_file(path, bytes_max=BUNDLE_BYTES_MAX))
    except TrustListInvalid as error:
        raise TrustListUnreadable(path=str(path), reason=error.reason) from error


def _told(verdict: "Verification") -> dict[str, Any]:
    return {
        "verdict": verdict.verdict.value,
        "fragments": [
            {
                "name": one.name,
                "status": one.status.value,
                "code": one.code,
                "message": one.message,
            }
            for one in verdict.fragments
        ],
        "as_of": None if verdict.as_of is None else dict(verdict.as_of),
    }


def _show(path: Path, verdict: "Verification") -> None:
    from rich.text import Text

    out = console()
    out.print(Text(f"{verdict.verdict.value}  {clean(path.name)}", style="bold"))
    if verdict.claim is not None:
        # Of what is not VALID nothing is certain, not even what it is.
        is_valid = verdict.verdict.value == "VALID"
        out.print(Text("  certifies" if is_valid else "  claims to certify"))
        for name, told in _claimed(verdict.claim):
            out.print(Text(f"    {name.ljust(11)} {clean(told)}"))
    for one in verdict.fragments:
        out.print(Text(f"  {MARKS[one.status.value]} {one.name.ljust(10)} {clean(one.message)}"))
    if verdict.as_of is not None:
        block, moment = verdict.as_of["block_number"], moment_text(verdict.as_of["time"])
        out.print(Text(f"  as of block {block}, {moment}"))


def _claimed(claim: "Claim") -> Iterator[tuple[str, str]]:
    """Return what a certificate is, as lines for people."""
    version = f" version {claim.subject_version}" if claim.subject_version else ""
    yield "code", claim.code
    yield "kind", claim.kind.name
    yield "holder", f"{claim.holder_name} {claim.holder}".strip()
    yield "subject", f"{claim.subject_noun.name} {claim.subject_id}{version}"
    yield "issuer", f"{claim.issuer_name} {claim.issuer}".strip()
    yield "issued at", moment_text(claim.issued_at)
    yield "valid until", moment_text(claim.valid_until) or "open"
