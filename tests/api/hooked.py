"""
What the tests of webhooks share: a home that allows inner addresses, and hands to use it with.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlmodel import Session

from api.webhooks.deliverer import Backoff, Deliverer
from chain import events as e
from chain.heads import note_final, note_node_head
from chain.store import tip_of
from tests.api.mirrored import Mirrored, bearer, event, named, open_mirrored

OWNER, STRANGER = "owner", "stranger"
AT_ONCE = Backoff(first_seconds=0, longest_seconds=0, attempts_max=4)


@contextmanager
def open_hooked(folder: Path, mirror_url: str) -> Iterator[Mirrored]:
    """Open a home with an owner and a stranger."""
    settings = {"webhook_http": 1, "webhook_networks": "127.0.0.0/8", "mirror_url": mirror_url}
    with open_mirrored(folder, **settings) as found:
        found.admit(OWNER, STRANGER)
        yield found


def make(home: Mirrored, url: str, who: str = OWNER, **body: Any) -> Any:
    """Make a webhook and return the answer."""
    headers = bearer(home.sign_in(who))
    return home.client.post("/v1/webhooks", json={"url": url, **body}, headers=headers)


def registered(version: int) -> Any:
    return event(e.AssetRegistered, asset_id=named("asset"), version=version)


def grow(home: Mirrored, *versions: int) -> None:
    """Add one block with one event per version."""
    for version in versions:
        home.append(registered(version))


def end_blocks(home: Mirrored) -> None:
    """Let everything be final."""
    with Session(home.services.mirror) as session, session.begin():
        tip = tip_of(session)
        assert tip is not None
        note_node_head(session, tip.number)
        note_final(session, tip)


def work(deliverer: Deliverer, rounds: int = 1) -> None:
    """Serve all webhooks that are due, so many times."""
    for _ in range(rounds):
        for running in deliverer.look():
            running.result(20)
