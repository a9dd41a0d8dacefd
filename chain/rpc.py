"""
Reads a node over JSON-RPC, quickly and suspiciously.

Reading for the mirror only: sending transactions is `chain.client`'s. It has no formatters; what
comes back is the node's own JSON.
"""

import itertools
import time
from collections import Counter
from collections.abc import Sequence
from typing import Any, Final, Protocol, Self
from urllib.parse import urlsplit

import httpx
import orjson

from chain.failure import LedgerError

Call = tuple[str, list[Any]]

JSON: Final = {"content-type": "application/json"}

# What a node answers to a method it does not have (JSON-RPC 2.0 §5.1).
METHOD_NOT_FOUND: Final = -32601

# The smallest batch there is: who refuses it takes none.
SMALLEST: Final[list[Call]] = [("eth_chainId", []), ("eth_chainId", [])]

# FISCO-BCOS may count milliseconds; no chain's clock in seconds gets here before the year 5138.
MILLISECONDS_FROM: Final = 100_000_000_000

# Nodes like to repeat a whole request in their refusal.
MESSAGE_MAX: Final = 300


class NodeUnavailable(LedgerError):
    """The chain's node does not answer."""

    reason: str


class NodeUnauthorized(NodeUnavailable):
    """The chain's node lets in only who shows a token or password, which its URL lacks."""


class NotANode(NodeUnavailable):
    """What answers at this address is not a chain's node."""


class NodeRefused(LedgerError):
    """The chain's node refused a request."""

    method: str
    code: int
    message: str


class NodeContradicts(LedgerError):
    """The chain's node gave an answer that cannot be true."""

    reason: str


class Endpoint(Protocol):
    """Whatever answers requests: one node, or several that stand in for each other."""

    def call(self, method: str, *parameters: Any) -> Any:
        """Return the result of one request."""
        ...

    def batch(self, calls: Sequence[Call]) -> list[Any]:
        """Return the results of several requests sent at once, in their order."""
        ...

    def distrust(self, reason: str) -> None:
        """Ask another next, if there is one: the answers did not fit together."""
        ...


class Node:
    """
    One node's HTTP endpoint.

    units: `timeout_seconds` is for a whole answer, so that a node which sends a byte now and then
           holds nobody up
    """

    def __init__(self, url: str, *, timeout_seconds: float = 20) -> None:
        # Reading the machine's certificates takes longer than an answer; plain HTTP needs none.
        is_secret = not url.startswith("http://")
        self._client = httpx.Client(timeout=timeout_seconds, trust_env=False, verify=is_secret)
        self._timeout_seconds = timeout_seconds
        self._ids = itertools.count(1)
        # FISCO-BCOS takes requests only one by one; found out when the first batch is refused.
        self._takes_batches = True
        self.url = url
        # How often it failed since it was opened, by the name of the error.
        self.failed: Counter[str] = Counter()

    def __str__(self) -> str:
        return host_of(self.url)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection."""
        self._client.close()

    def distrust(self, reason: str) -> None:
        """Go on: there is no other node here."""

    def call(self, method: str, *parameters: Any) -> Any:
        """Return the result of one request."""
        return self.batch([(method, list(parameters))])[0]

    def height(self, *, timeout_seconds: float) -> int:
        """Return the height of the node's chain, if it says so soon enough."""
        return number_of(self._batch([("eth_blockNumber", [])], timeout_seconds)[0])

    def batch(self, calls: Sequence[Call]) -> list[Any]:
        """
        Return the results of several requests sent at once, in their order.

        :raises NodeUnavailable: if there is no whole answer
        :raises NodeRefused: if one of them has an error
        :raises NodeContradicts: if the answers are not those of the requests
        """
        try:
            return self._answers(calls) if calls else []
        except (NodeUnavailable, NodeRefused, NodeContradicts) as error:
            self.failed[type(error).__name__] += 1
            raise

    def _answers(self, calls: Sequence[Call]) -> list[Any]:
        if self._takes_batches or len(calls) == 1:
            try:
                return self._batch(calls, self._timeout_seconds)
            except NodeRefused:
                if len(calls) == 1 or not self._refuses_batches():
                    raise
                self._takes_batches = False
        return [self._batch([one], self._timeout_seconds)[0] for one in calls]

    def _refuses_batches(self) -> bool:
        try:
            self._batch(SMALLEST, self._timeout_seconds)
        except NodeRefused:
            return True
        return False

    def _batch(self, calls: Sequence[Call], timeout_seconds: float) -> list[Any]:
        numbers = [next(self._ids) for _ in calls]
        requests = [
            {"jsonrpc": "2.0", "id": number, "method": method, "params": parameters}
            for number, (method, parameters) in zip(numbers, calls, strict=True)
        ]
        answers = self._post(requests if len(requests) > 1 else requests[0], timeout_seconds)
        found = {one["id"]: one for one in answers if isinstance(one, dict) and "id" in one}
        if len(answers) == 1 and found.keys() == {None}:
            # A node that refuses a whole batch answers once, to nobody.
            found = dict.fromkeys(numbers, answers[0])
        if found.keys() != set(numbers):
            raise NodeContradicts(reason="answers do not belong to the requests")
        return [
            _result(method, found[number])
            for number, (method, _) in zip(numbers, calls, strict=True)
        ]

    def _post(self, body: Any, timeout_seconds: float) -> list[Any]:
        try:
            status, content = self._answer(orjson.dumps(body), timeout_seconds)
        except httpx.HTTPError as error:
            raise NodeUnavailable(reason=f"{self}: {type(error).__name__}: {error}") from error
        try:
            answer = orjson.loads(content)
        except orjson.JSONDecodeError as error:
            if status != httpx.codes.OK:
                raise unavailable_of_status(self.url, status) from error
            raise NotANode(reason=f"{self} answers no JSON") from error
        if status != httpx.codes.OK and not _has_error(answer):
            raise unavailable_of_status(self.url, status)
        return answer if isinstance(answer, list) else [answer]

    def _answer(self, body: bytes, timeout_seconds: float) -> tuple[int, bytes]:
        # The client's own timeout is for each piece of an answer; this one is for all of them.
        end = time.monotonic() + timeout_seconds
        pieces = []
        with self._client.stream(
            "POST", self.url, content=body, headers=JSON, timeout=timeout_seconds
        ) as response:
            for piece in response.iter_bytes():
                pieces.append(piece)
                if time.monotonic() > end:
                    raise NodeUnavailable(reason=f"no answer within {timeout_seconds} s")
        return response.status_code, b"".join(pieces)


def unavailable_of_status(url: str, status: int) -> NodeUnavailable:
    """Return what an answer means whose HTTP status is none of success."""
    reason = f"{host_of(url)} answers with HTTP status {status}"
    if status in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
        return NodeUnauthorized(reason=reason)
    if httpx.codes.is_client_error(status) and status != httpx.codes.TOO_MANY_REQUESTS:
        return NotANode(reason=reason)
    return NodeUnavailable(reason=reason)


def host_of(url: str) -> str:
    """Return host and port of a URL, without its path and user, which may be secret."""
    parts = urlsplit(url)
    return f"{parts.hostname}:{parts.port}" if parts.port else str(parts.hostname)


def number_of(quantity: Any) -> int:
    """
    Return the integer of a JSON-RPC quantity.

    :raises NodeContradicts: if it is none
    """
    try:
        return int(quantity, 16)
    except (TypeError, ValueError) as error:
        raise NodeContradicts(reason=f"not a quantity: {quantity!r}") from error


def seconds_of(quantity: Any) -> int:
    """
    Return the seconds since 1970 UTC of a block's time, whichever unit its chain counts in.

    :raises NodeContradicts: if it is none
    """
    time_ = number_of(quantity)
    return time_ // 1000 if time_ >= MILLISECONDS_FROM else time_


def _has_error(answer: Any) -> bool:
    return isinstance(answer, dict) and "error" in answer


def _result(method: str, answer: dict[str, Any]) -> Any:
    error = answer.get("error")
    if error is not None:
        told = error if isinstance(error, dict) else {"message": str(error)}
        code = told.get("code", 0)
        raise NodeRefused(
            method=method,
            code=code if isinstance(code, int) else 0,
            message=str(told.get("message", ""))[:MESSAGE_MAX],
        )
    if "result" not in answer:
        raise NodeContradicts(reason=f"neither result nor error for {method}")
    return answer["result"]
