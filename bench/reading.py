"""
The reading lines: one record by id, and a filtered page, over HTTP from one worker.

Ours and the references are processes of their own, asked in turn by the same load generator.
"""

import base64
import http.client
import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any, Final

from sqlmodel import Session

from bench.lines import Line, against, alone, in_turn
from bench.mirrors import mirror
from bench.rows import BIG_HOLDER, Rows, made_rows
from bench.sizes import Sizes
from chain import reads
from registry.rights import Right

CONNECTIONS: Final = 16
TYPICAL_RATIO: Final = 5
BARE_RATIO: Final = 0.4
PAGE: Final = 50
PAGE_MS: Final = 10
FAR_PAGE: Final = 10_000
# Two measurements of one thing differ by so much on a shared machine.
NO_SLOWER: Final = 1.25
IDS: Final = 5_000
STEP: Final = 1_000
START_SECONDS: Final = 60
ROOT: Final = Path(__file__).resolve().parent.parent


def measure_reading(sizes: Sizes) -> Iterator[Line]:
    """Ask for records and for pages."""
    rows = made_rows(sizes.rows)
    with ExitStack() as stack:
        ours = stack.enter_context(_server("bench.api_server", rows.folder))
        typical = stack.enter_context(_server("bench.references.typical", rows.plain))
        bare = stack.enter_context(_server("bench.references.bare", rows.plain))
        yield from _records(sizes, rows, ours=ours, typical=typical, bare=bare)
        yield from _pages(sizes, rows, ours)


def _records(sizes: Sizes, rows: Rows, *, ours: str, typical: str, bare: str) -> Iterator[Line]:
    ids = rows.ids(IDS)
    asked = [f"/v1/rights/{one}" for one in ids]
    plain = [f"/rights/{one}" for one in ids]

    def rate(place: str, paths: Sequence[str]) -> float:
        return _load(place, paths, sizes.seconds)["requests_per_second"]

    for place, paths in ((ours, asked), (typical, plain), (bare, plain)):
        _load(place, paths, sizes.seconds / 5)
    found = in_turn(
        sizes.rounds,
        ours=lambda: rate(ours, asked),
        typical=lambda: rate(typical, plain),
        bare=lambda: rate(bare, plain),
    )
    note = f"1 of {rows.count} rights, {CONNECTIONS} connections"
    for name, of, ratio in (
        ("typical", "FastAPI + SQLModel", TYPICAL_RATIO),
        ("bare", "Starlette + sqlite3", BARE_RATIO),
    ):
        yield against(
            "record by id",
            ours=found["ours"],
            reference=found[name],
            unit="req/s",
            of=of,
            at_least=ratio,
            note=note,
        )


def _pages(sizes: Sizes, rows: Rows, place: str) -> Iterator[Line]:
    first = f"/v1/rights?holder={BIG_HOLDER}&limit={PAGE}"
    number = min(FAR_PAGE, rows.count // 2 // PAGE)
    far = f"{first}&cursor={_cursor(place, first, rows, PAGE * (number - 1))}"

    def p50(path: str) -> float:
        return _load(place, [path], sizes.seconds, connections=1)["p50_ms"]

    found = in_turn(sizes.rounds, first=lambda: p50(first), far=lambda: p50(far))
    near_ms, far_ms = sorted(found["first"])[sizes.rounds // 2], found["far"]
    note = f"{PAGE} of {rows.count} by holder, one connection"
    yield alone("page 1, p50", near_ms, unit="ms", at_most=PAGE_MS, note=note)
    yield against(
        f"page {number}, p50",
        ours=far_ms,
        reference=found["first"],
        unit="ms",
        of="page 1",
        at_most=NO_SLOWER,
        note="no slower, within the noise of two measurements",
    )


def _cursor(place: str, path: str, rows: Rows, skip: int) -> str:
    # A client would have walked there: the place is looked up, and put into a cursor it was given.
    given = _get(place, path)["next"]
    held = json.loads(base64.urlsafe_b64decode(given + "=" * (-len(given) % 4)))
    with mirror(rows.mirror_url) as engine, Session(engine) as session:
        after = None
        for limit in [STEP] * (skip // STEP) + [skip % STEP] * bool(skip % STEP):
            found = reads.page(
                session, Right, where={"holder": BIG_HOLDER}, after=after, limit=limit
            )
            after = found.next
    assert after is not None, "the page is beyond the end"
    text = json.dumps([*held[:2], after.from_block, after.from_log, *after.key])
    packed = text.replace(", ", ",").encode()
    return base64.urlsafe_b64encode(packed).decode().rstrip("=")


def _get(place: str, path: str) -> Any:
    host, port = place.split(":")
    with closing(http.client.HTTPConnection(host, int(port), timeout=30)) as connection:
        connection.request("GET", path)
        answer = connection.getresponse()
        body = answer.read()
    if answer.status != http.client.OK:
        raise RuntimeError(f"{path}: {answer.status} {body[:300]!r}")
    return json.loads(body)


def _load(
    place: str, paths: Sequence[str], seconds: float, *, connections: int = CONNECTIONS
) -> dict[str, float]:
    said = subprocess.run(
        [sys.executable, "-m", "bench.load", place, str(connections), str(seconds)],
        cwd=ROOT,
        input="\n".join(paths),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    found: dict[str, float] = json.loads(said.stdout)
    if found["failures"]:
        raise RuntimeError(f"{place} refused {found['failures']:.0f} requests, as {paths[0]}")
    return found


@contextmanager
def _server(module: str, where: Path) -> Iterator[str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "-m", module, str(where), str(port)], cwd=ROOT, stdin=subprocess.DEVNULL
    )
    try:
        _wait(process, port)
        yield f"127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(timeout=30)


def _wait(process: subprocess.Popen[bytes], port: int) -> None:
    end = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < end:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError(f"{process.args!r} did not listen")
