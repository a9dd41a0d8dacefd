"""
Reads a node over JSON-RPC, quickly and suspiciously.

Reading for the mirror only: sending transactions is `chain.client`'s. It has no formatters; what
comes back is the node's own JSON.
"""

import itertools
from collections.abc import Sequence
from typing import Any, Final, Self

import httpx
import orjson

from chain.failure import LedgerError

Call = tuple[str, list[Any]]

# What a node answers to a method it does not have (JSON-RPC 2.0 §5.1).
METHOD_NOT_FOUND: Final = -32601

# Nodes like to repeat a whole request in their refusal.
MESSAGE_MAX: Final = 300


class NodeUnavailable(LedgerError):
    """The chain's node does not answer."""

    reason: str


class NodeRefused(LedgerError):
    """The chain's node refused a request."""

    method: str
    code: int
    message: str


class NodeContradicts(LedgerError):
    """The chain's node gave an answer that cannot be true."""

    reason: str


class Node:
    """One node's HTTP endpoint."""

    def __init__(self, url: str, *, timeout_seconds: int = 20) -> None:
        self._client = httpx.Client(timeout=timeout_seconds, trust_env=False)
        self._url = url
        self._ids = itertools.count(1)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection."""
        self._client.close()

    def call(self, method: str, *parameters: Any) -> Any:
        """Return the result of one request."""
        return self.batch([(method, list(parameters))])[0]

    def batch(self, calls: Sequence[Call]) -> list[Any]:
        """
        Return the results of several requests sent at once, in their order.

        :raises NodeUnavailable: if there is no whole answer
        :raises NodeRefused: if one of them has an error
        :raises NodeContradicts: if the answers are not those of the requests
        """
        if not calls:
            return []
        numbers = [next(self._ids) for _ in calls]
        requests = [
            {"jsonrpc": "2.0", "id": number, "method": method, "params": parameters}
            for number, (method, parameters) in zip(numbers, calls, strict=True)
        ]
        answers = self._post(requests if len(requests) > 1 else requests[0])
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

    def _post(self, body: Any) -> list[Any]:
        try:
            response = self._client.post(
                self._url,
                content=orjson.dumps(body),
                headers={"content-type": "application/json"},
            )
            answer = orjson.loads(response.content)
        except (httpx.HTTPError, orjson.JSONDecodeError) as error:
            raise NodeUnavailable(reason=f"{type(error).__name__}: {error}") from error
        if response.status_code != httpx.codes.OK and not _has_error(answer):
            raise NodeUnavailable(reason=f"HTTP status {response.status_code}")
        return answer if isinstance(answer, list) else [answer]


def number_of(quantity: Any) -> int:
    """
    Return the integer of a JSON-RPC quantity.

    :raises NodeContradicts: if it is none
    """
    try:
        return int(quantity, 16)
    except (TypeError, ValueError) as error:
        raise NodeContradicts(reason=f"not a quantity: {quantity!r}") from error


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
