"""
The ways of a sender to a chain: several nodes, of which one is asked, and the turn to another.

A request that one node does not answer is asked of the next, which must be of the same chain and
not behind what was seen already. Asking twice is harmless: whoever reads learns the same, and a
transaction that a node has it does not take again. The mirror has its own way (`chain.nodes`).
"""

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import requests
from requests.adapters import HTTPAdapter
from web3 import HTTPProvider
from web3.types import RPCEndpoint

from chain.rpc import (
    NodeContradicts,
    NodeUnavailable,
    NotANode,
    host_of,
    number_of,
    unavailable_of_status,
)

LOG: Final = logging.getLogger(__name__)

# How long a node that takes over may need to come to where the one before it was.
CATCH_UP_SECONDS: Final = 15
CATCH_UP_PAUSE_SECONDS: Final = 0.2
# Nodes are this far apart even where nothing is wrong.
LATE_BLOCKS: Final = 2
PIECE_BYTES: Final = 1 << 16

Ask = Callable[[HTTPProvider], Any]


@dataclass(frozen=True, slots=True)
class _Way:
    """One node, with the connection that is kept open to it."""

    url: str
    provider: HTTPProvider
    session: requests.Session

    def ask(self, request: Ask) -> Any:
        """
        Return what the node answers.

        :raises NodeUnavailable: if it does not
        """
        try:
            return request(self.provider)
        except requests.HTTPError as error:
            status = 0 if error.response is None else error.response.status_code
            raise unavailable_of_status(self.url, status) from error
        except requests.Timeout as error:
            raise NodeUnavailable(reason=f"{host_of(self.url)} did not answer in time") from error
        except requests.exceptions.JSONDecodeError as error:
            raise NotANode(reason=f"{host_of(self.url)} answers no JSON") from error
        except (OSError, requests.RequestException) as error:
            # Its text repeats the address, which may hold a password.
            raise NodeUnavailable(
                reason=f"{host_of(self.url)} is not reached ({type(error).__name__})"
            ) from error
        except ValueError as error:
            raise NotANode(reason=f"{host_of(self.url)} answers no JSON") from error

    def call(self, method: str, *parameters: Any) -> Any:
        """Return the result of one request whose refusal would be a surprise."""
        answer = self.ask(lambda one: one.make_request(RPCEndpoint(method), list(parameters)))
        if not isinstance(answer, Mapping) or answer.get("result") is None:
            raise NotANode(reason=f"{host_of(self.url)} does not answer {method}")
        return answer["result"]


class Ways:
    """Nodes of one chain, in the order of preference; the first that answers is asked."""

    def __init__(self, urls: Sequence[str], *, timeout_seconds: int) -> None:
        """
        Find a node that answers.

        :raises NodeUnavailable: what the last node said, if none does
        """
        self._ways = [_open(url, timeout_seconds) for url in urls]
        self._turning = threading.Lock()
        self._genesis: Any = None
        # The highest block that was seen, behind which no other node may be when it takes over.
        self.seen_number = -1
        try:
            self._way = self._first()
        except BaseException:
            self.close()
            raise

    @property
    def url(self) -> str:
        """Return the address of the node that is asked at present."""
        return self._way.url

    def close(self) -> None:
        """Close all connections."""
        for way in self._ways:
            way.session.close()

    def ask(self, request: Ask) -> Any:
        """
        Return what a node answers: the present one, or another if it fails.

        :raises NodeUnavailable: if none answers
        """
        way = self._way
        try:
            return way.ask(request)
        except NodeUnavailable as error:
            self._turn_from(way, error)
        return self._way.ask(request)

    def turn_to_farthest(self) -> bool:
        """Turn to the node that is farthest, if the present one is behind; say whether."""
        heads = {way.url: _head(way) for way in self._ways}
        with self._turning:
            best = max(self._ways, key=lambda one: heads[one.url])
            if heads[best.url] <= heads[self._way.url] + LATE_BLOCKS:
                return False
            if not self._is_same(best):
                return False
            LOG.warning("node behind from=%s to=%s", host_of(self.url), host_of(best.url))
            self._way = best
            return True

    def _first(self) -> _Way:
        failure = NodeUnavailable(reason="no node is named")
        for way in self._ways:
            try:
                self._genesis = _genesis(way)
            except NodeUnavailable as error:
                failure = error
            else:
                return way
        raise failure

    def _turn_from(self, way: _Way, error: NodeUnavailable) -> None:
        with self._turning:
            if self._way is not way:
                return  # somebody else turned meanwhile
            place = self._ways.index(way)
            for other in (*self._ways[place + 1 :], *self._ways[:place]):
                if self._is_fit(other):
                    LOG.warning(
                        "node lost from=%s to=%s reason=%s",
                        host_of(way.url),
                        host_of(other.url),
                        error,
                    )
                    self._way = other
                    return
        raise error

    def _is_fit(self, way: _Way) -> bool:
        end = time.monotonic() + CATCH_UP_SECONDS
        if not self._is_same(way):
            return False
        while (head := _head(way)) < self.seen_number:
            if head < 0 or time.monotonic() > end:
                return False
            time.sleep(CATCH_UP_PAUSE_SECONDS)
        return head >= 0

    def _is_same(self, way: _Way) -> bool:
        try:
            return bool(_genesis(way) == self._genesis)
        except (NodeUnavailable, NodeContradicts):
            return False


class _InTime(HTTPAdapter):
    """Reads an answer within one time for all of it: by itself it is for each piece only."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        super().__init__()

    def send(
        self, request: requests.PreparedRequest, *args: Any, **options: Any
    ) -> requests.Response:
        """
        Return the answer with its body read.

        :raises requests.ReadTimeout: if it is not there in time, though a piece came now and then
        """
        end = time.monotonic() + self._seconds
        response = super().send(request, *args, **{**options, "stream": True})
        pieces = []
        while piece := response.raw.read1(PIECE_BYTES, decode_content=True):
            pieces.append(piece)
            if time.monotonic() > end:
                response.close()
                raise requests.ReadTimeout(request=request)
        response.raw.release_conn()
        # Where requests keeps a body that was read.
        response._content = b"".join(pieces)
        return response


def _open(url: str, timeout_seconds: int) -> _Way:
    session = requests.Session()
    for scheme in ("http://", "https://"):
        session.mount(scheme, _InTime(timeout_seconds))
    session.trust_env = False  # a proxy from the environment must not see signed acts
    provider = HTTPProvider(
        url,
        request_kwargs={"timeout": timeout_seconds},
        session=session,
        exception_retry_configuration=None,
    )
    return _Way(url, provider, session)


def _genesis(way: _Way) -> tuple[Any, Any]:
    # Chain id and first block: what makes a chain this one.
    chain_id = number_of(way.call("eth_chainId"))
    return chain_id, way.call("eth_getBlockByNumber", "0x0", False)["hash"]


def _head(way: _Way) -> int:
    try:
        return number_of(way.call("eth_blockNumber"))
    except (NodeUnavailable, NodeContradicts):
        return -1
