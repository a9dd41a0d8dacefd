"""
Asks a node for blocks and logs, and checks every answer against the others.

A log counts only if its block does: same hash, right height, followed address. In verified mode the
logs are taken out of the receipts, whose root every header commits to. Reading logs is
`chain.logs`'s, deciding about forks `chain.indexer`'s.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from chain.facts import Append, Block, Entry, Followed
from chain.failure import LedgerError
from chain.finality import OTHER_DEPTH, Finality
from chain.logs import Header, LogReader, linked, list_of, read_header, require_receipts
from chain.rpc import (
    METHOD_NOT_FOUND,
    Call,
    Endpoint,
    NodeContradicts,
    NodeRefused,
    NodeUnavailable,
    number_of,
)

# A range is grown while it is answered within this time, and holds at most about so many logs.
FAST_SECONDS: Final = 2
LOGS_MAX: Final = 4_000
# How many transactions' receipts are asked for at once: about two kilobytes each.
RECEIPTS_MAX: Final = 2_000
# So many headers that do not fit, and are the same when asked for again, show another format.
OTHER_FORMAT_MIN: Final = 3


class WrongChain(LedgerError):
    """The node serves another chain than this ledger is on."""

    expected_chain_id: int
    found_chain_id: int


@dataclass(slots=True, kw_only=True)
class Source:
    """
    A node and what of it is followed.

    shape: blocks that are final are fetched by range, the others by hash, each on its own;
           `verify` takes all logs out of receipts and checks these against the header;
           `witnesses` are other nodes, which must agree before a block is final;
           `settled` is the mirror, and its block, in which all that the node has is known to be;
           `has_blooms` is false for chains that leave the bloom empty, `has_block_receipts` for
           nodes that tell receipts only one by one
    units: `poll_seconds` pass between looks where no block is announced;
           for `patience_seconds` a node may be behind the mirror before it is believed to have
           lost those blocks; zero where there is only the one process that makes the chain
    """

    node: Endpoint
    chain_id: int
    contracts: tuple[Followed, ...]
    finality: Finality
    verify: bool = False
    witnesses: tuple[Endpoint, ...] = ()
    patience_seconds: float = 0
    range_max: int = 100
    has_blooms: bool = True
    has_block_receipts: bool = True
    poll_seconds: float = 1
    reader: LogReader = field(init=False)
    node_head: int = field(default=-1, init=False)
    settled: tuple[object, Block] | None = field(default=None, init=False)
    _range: int = field(default=32, init=False)
    _near: dict[int, Header] = field(default_factory=dict, init=False)
    _behind: tuple[str, float] | None = field(default=None, init=False)
    _is_format_known: bool = field(default=False, init=False)
    _other_format: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        self.reader = LogReader(self.contracts)
        self._range = min(self._range, self.range_max)

    @property
    def start_block(self) -> int:
        """Return the first block that can hold an event."""
        return min((one.from_block for one in self.contracts), default=0)

    def head(self, tip: Block | None = None) -> int:
        """
        Return the height of the node's chain.

        shape: with the mirror's tip, its header and the next one's come along in the same answer
        :raises WrongChain: if that is another chain
        """
        near = [] if tip is None else [tip.number, tip.number + 1]
        asked: list[Call] = [("eth_chainId", []), ("eth_blockNumber", [])]
        found, head, *raw = self.node.batch([*asked, *map(_header_call, near)])
        if number_of(found) != self.chain_id:
            raise WrongChain(expected_chain_id=self.chain_id, found_chain_id=number_of(found))
        self.node_head = number_of(head)
        if tip is not None and self.node_head >= tip.number:
            self._behind = None
        self._near = {
            number: self._header(number, one)
            for number, one in zip(near, raw, strict=True)
            if number <= self.node_head
        }
        return self.node_head

    def is_at(self, tip: Block) -> bool:
        """Say whether the head that the node was just asked for is this block."""
        found = self._near.get(tip.number)
        return self.node_head == tip.number and found is not None and found.hash == tip.hash

    def headers(self, numbers: Sequence[int]) -> list[Header]:
        """
        Return the headers of these heights.

        :raises NodeContradicts: if the node lacks one of them, though its head is not below
        """
        missing = [one for one in numbers if one not in self._near]
        raw = self.node.batch([_header_call(one) for one in missing])
        found = dict(zip(missing, raw, strict=True))
        return [
            self._near[one] if one in self._near else self._header(one, found[one])
            for one in numbers
        ]

    def asked_anew(self, number: int) -> Header:
        """
        Return the header of a height as the node has it now.

        :raises NodeContradicts: if it lacks it
        """
        return self._header(number, self.node.batch([_header_call(number)])[0])

    def is_behind(self, tip: Block) -> bool:
        """
        Say whether a node whose head is below the mirror's tip may just be late.

        shape: to be asked at every pass that finds it so, and has not seen another block
        """
        now = time.monotonic()
        if self._behind is None or self._behind[0] != tip.hash:
            self._behind = tip.hash, now
        return now - self._behind[1] < self.patience_seconds

    def blocks(self, first: int, last: int, *, head: int = -1) -> Iterator[Append]:
        """
        Return every block from `first` to `last` with its events.

        shape:   `head` is the node's, if that is not `last`
        ensures: all of them in order; that each is the child of the one before is for the caller
                 to check, because the node's chain may move between two requests
        """
        depth = OTHER_DEPTH if self.finality.depth is None else self.finality.depth
        final = min(last, max(head, last) - depth)
        while first <= last:
            try:
                for append in self._next(first, last, final):
                    yield append
                    first = append.block.number + 1
            except (NodeRefused, NodeUnavailable) as error:
                is_shortest, self._range = self._range == 1, max(1, self._range // 2)
                # Who is silent is not asked again and again here: the next pass asks for less.
                if is_shortest or isinstance(error, NodeUnavailable):
                    raise

    def _next(self, first: int, last: int, final: int) -> Iterator[Append]:
        if self.verify:
            return self._verified(first, min(last, first + self._range - 1))
        if first <= final:
            return self._appends(*self._by_range(first, min(final, first + self._range - 1)))
        return self._appends(*self._by_hash(first, min(last, first + self._range - 1)))

    # --- by receipts ------------------------------------------------------------------------------

    def _verified(self, first: int, last: int) -> Iterator[Append]:
        began = time.monotonic()
        headers = linked(self.headers(range(first, last + 1)))
        logs = 0
        for part in _parts(headers):
            held = self._receipts([one for one in part if self._may_hold(one)])
            for header in part:
                entries = self.reader.served(header, held.get(header.block.number, ()))
                logs += len(entries)
                yield Append(header.block, entries)
        self._adapt(began, logs)

    def _may_hold(self, header: Header) -> bool:
        # A header that commits to its receipts commits to their bloom, which misses no address.
        return header.may_have_receipts and (not self.has_blooms or self.reader.may_hold(header))

    def _receipts(self, headers: Sequence[Header]) -> Mapping[int, Sequence[Any]]:
        asked: list[Call] = [("eth_getBlockReceipts", [header.hash]) for header in headers]
        try:
            answers = self.node.batch(asked) if self.has_block_receipts else None
        except NodeRefused as refusal:
            if refusal.code != METHOD_NOT_FOUND:
                raise
            answers = None
        if answers is None:
            answers = [self._each_receipt(header) for header in headers]
        for header, receipts in zip(headers, answers, strict=True):
            require_receipts(header, list_of(receipts))
        return {one.block.number: found for one, found in zip(headers, answers, strict=True)}

    def _each_receipt(self, header: Header) -> list[Any]:
        return self.node.batch(
            [("eth_getTransactionReceipt", [one]) for one in header.transactions]
        )

    # --- by logs ----------------------------------------------------------------------------------

    def _by_range(self, first: int, last: int) -> tuple[list[Header], list[Any]]:
        numbers = range(first, last + 1)
        asked: Call = ("eth_getLogs", [self._filter(fromBlock=hex(first), toBlock=hex(last))])
        began = time.monotonic()
        logs, *raw = self.node.batch([asked, *map(_header_call, numbers)])
        self._adapt(began, len(list_of(logs)))
        found = [read_header(number, one) for number, one in zip(numbers, raw, strict=True)]
        return linked(found), logs

    def _adapt(self, began: float, logs: int) -> None:
        if logs > LOGS_MAX:
            self._range = max(1, self._range // 2)
        elif time.monotonic() - began < FAST_SECONDS and 2 * logs <= LOGS_MAX:
            self._range = min(self.range_max, self._range * 2)

    def _by_hash(self, first: int, last: int) -> tuple[list[Header], list[Any]]:
        headers = linked(self.headers(range(first, last + 1)))
        asked: list[Call] = [
            ("eth_getLogs", [self._filter(blockHash=header.hash)]) for header in headers
        ]
        answers = self.node.batch(asked)
        return headers, [log for logs in answers for log in list_of(logs)]

    def _filter(self, **where: str) -> dict[str, Any]:
        # Lower-case: some nodes compare the text (FISCO-BCOS issue 4748).
        return {**where, "address": sorted(self.reader.names)}

    def _appends(self, headers: Sequence[Header], logs: Sequence[Any]) -> Iterator[Append]:
        by_number: dict[int, list[Any]] = {header.block.number: [] for header in headers}
        last = headers[-1].block.number if headers else -1
        for log in logs:
            number = number_of(log.get("blockNumber") if isinstance(log, dict) else None)
            if number in by_number:
                by_number[number].append(log)
            elif number <= last or number > last + self.range_max:
                raise NodeContradicts(reason=f"a log of block {number} was not asked for")
        for header in headers:
            yield Append(header.block, self._entries(header, by_number[header.block.number]))

    def _entries(self, header: Header, logs: Sequence[Any]) -> tuple[Entry, ...]:
        if self.has_blooms and self.reader.looks_short(header, logs):
            logs = self._again(header)
        entries = self.reader.entries(header, logs)
        if any(entry.fault for entry in entries):
            # Before a log counts as unreadable, the node must have served it twice.
            return self.reader.entries(header, self._again(header))
        return entries

    def _again(self, header: Header) -> list[Any]:
        # The bloom speaks of an address without a log: either it errs, or the node dropped some.
        logs = list_of(self.node.call("eth_getLogs", self._filter(blockHash=header.hash)))
        if not self.has_block_receipts:
            return logs
        try:
            receipts = list_of(self.node.call("eth_getBlockReceipts", header.hash))
        except NodeRefused as refusal:
            if refusal.code != METHOD_NOT_FOUND:
                raise
            return logs
        there = [_content(one) for one in self.reader.served(header, receipts)]
        if [_content(one) for one in self.reader.entries(header, logs)] != there:
            raise NodeContradicts(
                reason=f"block {header.block.number} has {len(there)} logs, others were served"
            )
        return logs

    def _header(self, number: int, raw: Any) -> Header:
        header = read_header(number, raw)
        if self.verify and number > 0 and not self._is_hashed_so(header):
            raise NodeContradicts(reason=f"block {number} does not hash to {header.hash}")
        return header

    def _is_hashed_so(self, header: Header) -> bool:
        # Some chains hash other fields; one header that fits shows that this one does not. Before
        # the first that fits, a node that stands by its answer is believed.
        if header.is_whole:
            self._is_format_known = True
        elif not self._is_format_known and self._other_format < OTHER_FORMAT_MIN:
            number = header.block.number
            again = read_header(number, self.node.batch([_header_call(number)])[0])
            self._other_format += 1
            return again.hash == header.hash
        return header.is_whole or not self._is_format_known


def _header_call(number: int) -> Call:
    return "eth_getBlockByNumber", [hex(number), False]


def _content(entry: Entry) -> tuple[Any, ...]:
    return entry.event.meta.transaction_hash, entry.topics, entry.data


def _parts(headers: Sequence[Header]) -> Iterator[list[Header]]:
    part: list[Header] = []
    waiting = 0
    for header in headers:
        part.append(header)
        waiting += len(header.transactions)
        if waiting >= RECEIPTS_MAX:
            yield part
            part, waiting = [], 0
    if part:
        yield part
