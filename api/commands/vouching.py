"""
`shulian evidence`: checks that a list is complete and unchanged, against what its server vouched.

It trusts nothing it is sent: count and checksum are made anew from the pages (`api.evidence`).
"""

import json
import ssl
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any, Final
from urllib.parse import parse_qsl, urlsplit, urlunsplit

import typer

from api.commands.failing import add
from api.commands.homes import JsonOption
from api.commands.showing import print_json, say
from chain.failure import Conflict, Invalid, LedgerError

Json = dict[str, Any]

LIMIT: Final = 200
SECONDS_MAX: Final = 120
UNAUTHORIZED: Final = 401


class ListNotComplete(Conflict):
    """The pages are not the list that was vouched for."""

    items: int
    items_vouched: int
    checksum: str
    checksum_vouched: str


class ListUnreadable(Invalid):
    """This is no list of the API, or no evidence about one."""

    source: str


class ServerRefused(LedgerError):
    """The server did not answer with a list."""

    url: str
    status: int
    said: str


class TokenRefused(LedgerError):
    """The server tells this list only to those who signed in."""

    url: str
    said: str


class EvidenceRefused(LedgerError):
    """The server does not vouch for this list."""

    url: str
    said: str


def register(app: typer.Typer) -> None:
    """Add the command."""
    add(
        app,
        evidence,
        name="evidence",
        example="shulian evidence http://127.0.0.1:8300/v1/assets?kind=PRODUCT",
    )


def evidence(
    sources: Annotated[
        list[str],
        typer.Argument(
            help="The URL of a list; or a file of the evidence and files of all pages, in order.",
            metavar="URL | EVIDENCE PAGE...",
            show_default=False,
        ),
    ],
    token_file: Annotated[
        Path | None,
        typer.Option(
            help="The file of a session's token, for lists that not everybody sees.",
            metavar="FILE",
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Check that a list is complete and unchanged: count and checksum anew from its pages."""
    if sources[0].startswith(("http://", "https://")):
        from chain.passwords import read_password

        token = read_password(token_file) if token_file else ""
        vouched, pages = _fetched(sources[0], token)
    else:
        vouched, *pages = map(_read, sources)
    told = checked(vouched, pages)
    if as_json:
        print_json(told)
        return
    say(f"complete: {told['count']} items, checksum {told['checksum']}")


def checked(vouched: Json, pages: Sequence[Json]) -> Json:
    """
    Return the evidence, if it is of these pages.

    :raises ListNotComplete: if it is not
    :raises ListUnreadable: if one of them is something else
    """
    from api.evidence import checksum_of

    try:
        items = [item for page in pages for item in page["items"]]
        count, checksum = checksum_of(items, vouched["excluded"])
        blocks = {page["as_of"]["block_hash"] for page in (vouched, *pages)}
        is_same = (count, checksum) == (vouched["count"], vouched["checksum"])
    except (KeyError, TypeError, AttributeError) as error:
        raise ListUnreadable(source="its members") from error
    if not is_same or len(blocks) != 1:
        raise ListNotComplete(
            items=count,
            items_vouched=vouched["count"],
            checksum=checksum,
            checksum_vouched=vouched["checksum"],
        )
    return {"complete": True, **vouched}


def _read(source: str) -> Json:
    try:
        found: Json = json.loads(Path(source).read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise ListUnreadable(source=source) from error
    return found


def _fetched(url: str, token: str) -> tuple[Json, list[Json]]:
    import httpx

    parts = urlsplit(url)
    asked = dict(parse_qsl(parts.query, keep_blank_values=True))
    bare = urlunsplit(parts._replace(query=""))
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    # The authorities that this machine trusts, to which an operator may have added one.
    secured = ssl.create_default_context()
    with httpx.Client(headers=headers, timeout=SECONDS_MAX, verify=secured) as client:
        pages = list(_pages(client, bare, asked))
        # As of the block that the pages are as of, whatever came since.
        number = str(pages[0]["as_of"]["block_number"])
        at = {name: value for name, value in asked.items() if name != "as_of_time"}
        query = {**at, "as_of_block": number, "evidence": "true"}
        try:
            return _asked(client, bare, query), pages
        except ServerRefused as error:
            # The list itself was told: it is this that the server has no answer to.
            if error.status in (400, 422):
                raise EvidenceRefused(url=bare, said=error.said) from error
            raise


def _pages(client: Any, url: str, asked: dict[str, str]) -> Iterator[Json]:
    cursor: dict[str, str] = {}
    while True:
        page = _asked(client, url, {**asked, "limit": str(LIMIT), **cursor})
        if "items" not in page:
            raise ListUnreadable(source=url)
        yield page
        if page["next"] is None:
            return
        cursor = {"cursor": page["next"]}


def _asked(client: Any, url: str, query: dict[str, str]) -> Json:
    import httpx

    try:
        answer = client.get(url, params=query)
        found: Json = answer.json()
    except (httpx.HTTPError, ValueError) as error:
        raise ServerRefused(url=url, status=0, said=str(error)) from error
    if answer.status_code == UNAUTHORIZED:
        raise TokenRefused(url=url, said=str(found.get("detail", "")))
    if answer.status_code != 200:
        raise ServerRefused(url=url, status=answer.status_code, said=str(found.get("detail", "")))
    return found
