"""
This mirror against another exchange's: the checksums of one block, and where they first differ.

It asks the other's open API only, and believes nothing of it but that it is what the other says.
"""

import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import httpx
import orjson
from sqlalchemy import Engine, func, select
from sqlmodel import Session

from chain.failure import LedgerError
from chain.reads import final_number
from chain.store import BLOCKS

TIMEOUT_SECONDS: Final = 20
BODY_BYTES_MAX: Final = 1 << 20


class PeerUnavailable(LedgerError):
    """The other exchange does not answer."""

    url: str
    reason: str


class PeerHasNoBlock(LedgerError):
    """The two mirrors have no final block in common yet."""

    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Theirs:
    """A block as the other exchange tells it."""

    number: int
    hash: str
    checksum: str
    is_final: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """
    Two mirrors at one block.

    shape: `block_number` is the highest that is final in both; `first_different` None if all up to
           it are equal; `is_same_chain` tells whether there the block's hash is the same
    """

    block_number: int
    ours: str
    theirs: str
    first_different: int | None
    is_same_chain: bool


class Peer:
    """Another exchange's API, by the address that its console has."""

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")
        # The authorities that this machine trusts, to which an operator may have added one.
        self._client = httpx.Client(
            timeout=TIMEOUT_SECONDS, trust_env=False, verify=ssl.create_default_context()
        )

    def close(self) -> None:
        """Close the connection."""
        self._client.close()

    def block(self, number: int) -> Theirs | None:
        """
        Return a block of the other mirror, or None if it has none of that height.

        :raises PeerUnavailable: if there is no usable answer
        """
        try:
            told = self._told(f"{self.url}/v1/blocks/{number}")
            if told is None:
                return None
            as_of = told.get("as_of", told)
            return Theirs(
                number=int(told["number"]),
                hash=str(told["hash"]).lower(),
                checksum=str(told["checksum"]).lower(),
                is_final=bool(told.get("is_final", as_of.get("is_final"))),
            )
        except (httpx.HTTPError, ValueError, KeyError, TypeError, AttributeError) as error:
            reason = f"{type(error).__name__}: {error}"
            raise PeerUnavailable(url=self.url, reason=reason) from error

    def _told(self, url: str) -> Any:
        end = time.monotonic() + TIMEOUT_SECONDS
        body = b""
        with self._client.stream("GET", url) as answer:
            if answer.status_code == httpx.codes.NOT_FOUND:
                return None
            answer.raise_for_status()
            # Theirs is the answer's length, and how slowly it comes.
            for piece in answer.iter_bytes():
                body += piece
                if len(body) > BODY_BYTES_MAX or time.monotonic() > end:
                    raise ValueError("the answer is too long, or came too slowly")
        return orjson.loads(body)


def compare_with(mirror: Engine, peer: Peer) -> Compared:
    """
    Compare the highest block that is final in both mirrors; if it differs, find the first that
    does.

    :raises PeerUnavailable: if the other does not answer
    :raises PeerHasNoBlock: if no block is final in both
    """
    with Session(mirror) as session:
        lowest = session.connection().execute(select(func.min(BLOCKS.c.number))).scalar()
        ours = final_number(session)
        if lowest is None or ours < lowest:
            raise PeerHasNoBlock(url=peer.url)

        def is_theirs(number: int) -> bool:
            found = peer.block(number)
            return found is not None and found.is_final

        common = last_where(is_theirs, lowest, ours)
        if common is None:
            raise PeerHasNoBlock(url=peer.url)

        def is_equal(number: int) -> bool:
            found = peer.block(number)
            return found is not None and found.checksum == _ours(session, number)[1]

        last_equal = last_where(is_equal, lowest, common)
        first_different = (
            None if last_equal == common else (lowest if last_equal is None else last_equal + 1)
        )
        theirs = peer.block(common)
        at = common if first_different is None else first_different
        found = peer.block(at)
        return Compared(
            block_number=common,
            ours=_ours(session, common)[1],
            theirs="" if theirs is None else theirs.checksum,
            first_different=first_different,
            is_same_chain=found is not None and found.hash == _ours(session, at)[0],
        )


def last_where(holds: Callable[[int], bool], low: int, high: int) -> int | None:
    """
    Return the last number from `low` to `high` for which something holds, None if for none.

    shape: it holds up to some number and for none after it; asked about log2 of the range times
    """
    if holds(high):
        return high
    found: int | None = None
    while low < high:
        middle = (low + high) // 2
        if holds(middle):
            found, low = middle, middle + 1
        else:
            high = middle
    return found


def _ours(session: Session, number: int) -> tuple[str, str]:
    query = select(BLOCKS.c.hash, BLOCKS.c.checksum).where(BLOCKS.c.number == number)
    row = session.connection().execute(query).first()
    return ("", "") if row is None else (str(row.hash), str(row.checksum).lower())
