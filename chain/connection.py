"""
Speaks to a node on behalf of whoever writes: sends, asks, simulates, and names what is refused.

Not here: nonces, keys or keeping what was sent (`chain.sender`); the mirror reads through its own,
faster and more suspicious door (`chain.rpc`).
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, Self

from web3.types import RPCEndpoint

from chain.answers import Head, Receipt, head_of, receipt_of
from chain.detection import detect
from chain.failure import Conflict, LedgerError
from chain.nodes import urls_of
from chain.refusals import CallRefused, decode_revert, is_held, is_indexing
from chain.rpc import NodeContradicts, NodeRefused, NotANode, host_of, number_of, seconds_of
from chain.values import Address, Bytes32, HexBytes
from chain.ways import Ways

# Between looks for a receipt passes a quarter of the time waited so far, within these bounds; on
# anvil it is there at the first or second.
PAUSE_MIN_SECONDS: Final = 0.001
PAUSE_MAX_SECONDS: Final = 0.5

# How long what was mined once may be in no block, while a chain's nodes come to agree.
RECEIPT_SECONDS: Final = 60


class ClockNotMovable(Conflict):
    """The time of this chain cannot be moved."""


class TransactionUnseen(LedgerError):
    """The node has not mined the transaction in the time allowed."""

    transaction_hash: Bytes32


class Connection:
    """
    One chain, through the node of several that answers.

    shape: `profile` says how the chain behaves, `genesis_hash` which chain it is
    """

    def __init__(self, ways: Ways, *, chain: str = "") -> None:
        self._ways = ways
        found = detect(self.request, chain=chain)
        self.profile = found.profile
        self.client = found.client
        self.genesis_hash = found.genesis_hash
        self.chain_id = number_of(self.request("eth_chainId"))
        # An idle instant chain's latest block may be hours old; only its pending block knows now.
        self.tag = "pending" if self.profile.is_instant else "latest"

    @classmethod
    def to(cls, url: str, *, chain: str = "", timeout_seconds: int = 30) -> Self:
        """
        Connect to a chain over HTTP: of several nodes, separated by commas, to one that answers.

        shape: `chain` names the profile that it must have; empty takes what it is
        :raises NodeUnavailable: if none does
        :raises ChainUnknown: ChainDiffers: if it is not a chain of that kind
        """
        ways = Ways(urls_of(url), timeout_seconds=timeout_seconds)
        try:
            return cls(ways, chain=chain)
        except NodeRefused as refused:
            ways.close()
            raise NotANode(reason=f"{host_of(ways.url)} refuses {refused.method}") from refused
        except BaseException:
            ways.close()
            raise

    def close(self) -> None:
        """Close what `to` opened."""
        self._ways.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def turn_to_farthest(self) -> bool:
        """Ask another node from now on, if that is farther than this one; say whether."""
        return self._ways.turn_to_farthest()

    # --- requests ---------------------------------------------------------------------------------

    def request(self, method: str, *parameters: Any) -> Any:
        """
        Return a node's answer.

        :raises NodeUnavailable: if there is none
        :raises NodeRefused: if it is an error
        """
        try:
            return self.ask(method, *parameters)
        except CallRefused as refused:
            raise refused.named() from refused

    def ask(self, method: str, *parameters: Any) -> Any:
        """
        Return what `request` does, for who reads more of a refusal than that it is one.

        :raises NodeUnavailable: if there is no answer
        :raises CallRefused: if it is an error
        """
        answer = self._ways.ask(
            lambda node: node.make_request(RPCEndpoint(method), list(parameters))
        )
        found = _answer(method, answer)
        if isinstance(found, CallRefused):
            raise found
        return found

    def batch(self, calls: Sequence[tuple[str, Sequence[Any]]]) -> list[Any]:
        """
        Return the answers to several requests sent at once, in order; refusals as `CallRefused`.

        :raises NodeUnavailable: if there is no whole answer
        """
        if not calls:
            return []
        if not self.profile.takes_batches:
            return [self._try(*one) for one in calls]
        asked = [(RPCEndpoint(method), list(parameters)) for method, parameters in calls]
        answers = self._ways.ask(lambda node: node.make_batch_request(asked))
        if not isinstance(answers, list) or len(answers) != len(calls):
            raise NodeContradicts(reason="a batch was not answered one by one")
        return [_answer(method, one) for (method, _), one in zip(calls, answers, strict=True)]

    # --- reading ----------------------------------------------------------------------------------

    def head(self, number: int | None = None) -> Head | None:
        """Return a block by number, or else the newest; None if there is none."""
        tag = "latest" if number is None else hex(number)
        return head_of(self.request("eth_getBlockByNumber", tag, False))

    def heads(self, numbers: Sequence[int]) -> dict[int, Head]:
        """Return blocks by their numbers, without those that are not there."""
        answers = self.batch([("eth_getBlockByNumber", [hex(one), False]) for one in numbers])
        heads = [None if isinstance(one, CallRefused) else head_of(one) for one in answers]
        return {head.number: head for head in heads if head is not None}

    def latest(self) -> Head:
        """Return the newest block."""
        found = self.head()
        if found is None:
            raise NodeContradicts(reason="a chain without a latest block")
        self._ways.seen_number = max(self._ways.seen_number, found.number)
        return found

    def now(self) -> int:
        """Return the time that the next block will at least have, in seconds."""
        # Of a pending block no more than its time is read: nodes leave number and hash out.
        found = self.request("eth_getBlockByNumber", self.tag, False)
        return self.latest().timestamp if found is None else seconds_of(found["timestamp"])

    def receipt(self, transaction_hash: Bytes32) -> Receipt | None:
        """Return what became of a transaction; None while it is not mined, as far as is known."""
        try:
            return receipt_of(self.ask("eth_getTransactionReceipt", transaction_hash))
        except CallRefused as refused:
            if is_indexing(refused):
                return None
            raise refused.named() from refused

    def receipts(self, hashes: Sequence[Bytes32]) -> list[Receipt | None]:
        """Return what became of several transactions, in order."""
        answers = self.batch([("eth_getTransactionReceipt", [one]) for one in hashes])
        return [None if isinstance(one, CallRefused) else receipt_of(one) for one in answers]

    def whole_receipt(
        self, transaction_hash: Bytes32, *, timeout_seconds: int = RECEIPT_SECONDS
    ) -> Mapping[str, Any]:
        """
        Return a mined transaction's receipt with its logs, as the node has it.

        shape: a fork may take it out of its block for a moment, so that it is waited for
        :raises TransactionUnseen: if it is in no block in time
        """
        for _ in _pauses(timeout_seconds):
            found = self.request("eth_getTransactionReceipt", transaction_hash)
            if found is not None and found.get("blockNumber") is not None:
                return dict(found)
        raise TransactionUnseen(transaction_hash=transaction_hash)

    def transaction_count(self, account: Address) -> int:
        """Return how many transactions of an account are mined or wait in the node."""
        return number_of(self.request("eth_getTransactionCount", account, "pending"))

    def transactions_about(self, contract: Address, topic: Bytes32) -> list[Mapping[str, Any]]:
        """
        Return the transactions in which a contract told of an id, oldest first, each once.

        shape: as the node has them; none if it would have to search further than it will
        """
        sought = {"address": contract, "topics": [None, topic], "fromBlock": "0x0"}
        try:
            logs = self.request("eth_getLogs", sought)
        except NodeRefused:
            return []
        hashes = dict.fromkeys(one["transactionHash"] for one in logs)
        calls = [("eth_getTransactionByHash", [one]) for one in hashes]
        return [one for one in self.batch(calls) if isinstance(one, Mapping)]

    def code(self, address: Address) -> HexBytes:
        """Return the code at an address."""
        return HexBytes(self.request("eth_getCode", address, "latest"))

    # --- simulating -------------------------------------------------------------------------------

    def call(self, transaction: Mapping[str, Any], *, block: str | None = None) -> HexBytes:
        """
        Return what a call gives.

        :raises LedgerError: the contract's named error
        """
        try:
            return HexBytes(self.ask("eth_call", dict(transaction), block or self.tag))
        except CallRefused as refused:
            raise decode_revert(refused) from refused

    def estimate(self, transactions: Sequence[Mapping[str, Any]]) -> list[int]:
        """
        Return the gas that each transaction would need if it came next.

        :raises LedgerError: the named error of the first that would fail
        """
        calls = [("eth_estimateGas", [dict(one), self.tag]) for one in transactions]
        found = []
        for answer in self._answers(calls):
            if isinstance(answer, CallRefused):
                raise decode_revert(answer) from answer
            found.append(number_of(answer))
        return found

    def passes(self, transactions: Sequence[Mapping[str, Any]]) -> list[bool]:
        """
        Say of each transaction whether it would succeed if it came next, with the gas it gives.

        shape: a tenth of what `estimate` costs, which has to search for the gas
        """
        calls = [("eth_call", [dict(one), self.tag]) for one in transactions]
        return [not isinstance(one, CallRefused) for one in self._answers(calls)]

    def _answers(self, calls: Sequence[tuple[str, Sequence[Any]]]) -> list[Any]:
        # Not every node takes batches.
        return [self._try(*calls[0])] if len(calls) == 1 else self.batch(calls)

    def _try(self, method: str, parameters: Sequence[Any]) -> Any:
        try:
            return self.ask(method, *parameters)
        except CallRefused as refused:
            return refused

    # --- sending ----------------------------------------------------------------------------------

    def send(self, raws: Sequence[HexBytes]) -> list[CallRefused | None]:
        """
        Hand signed transactions over, in order.

        shape: per transaction None if the node has it now, or had it before, else its refusal
        """
        calls = [("eth_sendRawTransaction", [raw]) for raw in raws]
        answers = (
            self._answers(calls)
            if self.profile.sends_in_order
            else [self._try(*one) for one in calls]
        )
        return [
            one if isinstance(one, CallRefused) and not is_held(one) else None for one in answers
        ]

    def wait(self, hashes: Sequence[Bytes32], *, timeout_seconds: int) -> list[Receipt]:
        """
        Return the receipts of transactions, once all are mined.

        :raises TransactionUnseen: if the time passes; naming the first that is missing
        """
        found: dict[Bytes32, Receipt] = {}
        for _ in _pauses(timeout_seconds):
            missing = [one for one in hashes if one not in found]
            if not missing:
                # Whoever acts on these may not meet a node that does not know them yet.
                seen = max((one.block_number for one in found.values()), default=-1)
                self._ways.seen_number = max(self._ways.seen_number, seen)
                return [found[one] for one in hashes]
            # Whoever asks a busy node for much keeps it from mining: the last tells for the rest.
            last = self.receipt(missing[-1])
            if last is not None:
                all_ = [*self.receipts(missing[:-1]), last]
                found.update({one.transaction_hash: one for one in all_ if one is not None})
        looked = zip(missing, self.receipts(missing), strict=True)
        unseen = (one for one, receipt in looked if receipt is None)
        raise TransactionUnseen(transaction_hash=next(unseen, missing[-1]))

    # --- the clock and mining of an instant chain -------------------------------------------------

    def set_time(self, seconds: int) -> None:
        """Let the chain's clock stand at a moment now, and go on from there."""
        self._instant("anvil_setTime", seconds)

    def mine_at(self, seconds: int) -> None:
        """Mine one block with this time out of whatever waits; the clock goes on from there."""
        self._instant("evm_mine", seconds)

    def mine(self) -> None:
        """Mine one block out of whatever waits, now."""
        self._instant("evm_mine")

    def nudge(self) -> None:
        """
        Let a node mine what waits that should have mined it at once; any other is left alone.

        source: anvil now and then misses what came in while it made a block, until the next comes
                (foundry#10122)
        """
        if self.profile.is_instant and self._try("hardhat_getAutomine", []) is True:
            self.mine()

    def set_automine(self, enabled: bool) -> None:
        """Choose whether each transaction is mined at once."""
        self._instant("evm_setAutomine", enabled)

    def _instant(self, method: str, *parameters: Any) -> None:
        if not self.profile.is_instant:
            raise ClockNotMovable()
        self.request(method, *parameters)


def _answer(method: str, answer: Any) -> Any:
    if not isinstance(answer, Mapping):
        raise NodeContradicts(reason=f"no JSON-RPC answer to {method}")
    error = answer.get("error")
    if error is not None:
        told = error if isinstance(error, Mapping) else {"message": str(error)}
        return CallRefused(method, told)
    return answer.get("result")


def _pauses(timeout_seconds: int) -> Iterator[None]:
    start = time.monotonic()
    while True:
        yield
        waited = time.monotonic() - start
        if waited >= timeout_seconds:
            return
        time.sleep(min(max(waited / 4, PAUSE_MIN_SECONDS), PAUSE_MAX_SECONDS))
