"""
Asks a node for blocks and logs, and checks every answer against the others.

A log counts only if its block does: same hash, right height, followed address. What is missing
shows in the block's bloom, as far as a bloom can tell. Deciding about forks is `chain.indexer`'s.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from chain.decoder import decode_log
from chain.event import EventMeta
from chain.facts import Append, Block, Entry, Followed
from chain.failure import LedgerError
from chain.rpc import (
    METHOD_NOT_FOUND,
    Call,
    Node,
    NodeContradicts,
    NodeRefused,
    NodeUnavailable,
    number_of,
)
from chain.values import Address, Bytes32, HexBytes, keccak

# FISCO-BCOS may count milliseconds; no chain's clock in seconds gets here before the year 5138.
MILLISECONDS_FROM: Final = 100_000_000_000

# A range is grown while it is answered within this time.
FAST_SECONDS: Final = 2

# A bloom with fewer bits set than this hardly ever shows an address that is not there.
SPARSE_BITS: Final = 256


class WrongChain(LedgerError):
    """The node serves another chain than the mirror holds."""

    expected_chain_id: int
    found_chain_id: int


@dataclass(frozen=True, slots=True)
class Header:
    """A block's header with the one field more that checking needs."""

    block: Block
    bloom: int

    @property
    def hash(self) -> Bytes32:
        """Return the block's hash."""
        return self.block.hash


@dataclass(slots=True, kw_only=True)
class Source:
    """
    A node and what of it is followed.

    shape: blocks deeper than `finality_depth` below the head are fetched by range, the others by
           hash, each on its own; `has_blooms` is false for chains that leave the bloom empty
    """

    node: Node
    chain_id: int
    contracts: tuple[Followed, ...]
    finality_depth: int
    range_max: int = 200
    has_blooms: bool = True
    _range: int = field(default=32, init=False)
    _names: Mapping[str, str] = field(init=False)
    _bits: Mapping[str, int] = field(init=False)

    def __post_init__(self) -> None:
        self._names = {one.address.lower(): one.contract for one in self.contracts}
        self._bits = {address: _bloom_bits(address) for address in self._names}
        self._range = min(self._range, self.range_max)

    @property
    def start_block(self) -> int:
        """Return the first block that can hold an event."""
        return min((one.from_block for one in self.contracts), default=0)

    def head(self) -> int:
        """
        Return the height of the node's chain.

        :raises WrongChain: if that is another chain
        """
        found, head = self.node.batch([("eth_chainId", []), ("eth_blockNumber", [])])
        if number_of(found) != self.chain_id:
            raise WrongChain(expected_chain_id=self.chain_id, found_chain_id=number_of(found))
        return number_of(head)

    def headers(self, numbers: Sequence[int]) -> list[Header]:
        """
        Return the headers of these heights.

        :raises NodeContradicts: if the node lacks one of them, though its head is not below
        """
        return _headers(numbers, self.node.batch([_header_call(one) for one in numbers]))

    def blocks(self, first: int, head: int) -> Iterator[Append]:
        """
        Return every block from `first` to `head` with its events.

        ensures: all of them in order; that each is the child of the one before is for the caller
                 to check, because the node's chain may move between two requests
        """
        final = head - self.finality_depth
        while first <= head:
            if first <= final:
                headers, logs = self._by_range(first, final)
            else:
                headers, logs = self._by_hash(first, min(head, first + self.range_max - 1))
            yield from self._appends(headers, logs)
            first += len(headers)

    def _by_range(self, first: int, final: int) -> tuple[list[Header], list[Any]]:
        while True:
            last = min(final, first + self._range - 1)
            numbers = range(first, last + 1)
            asked: Call = ("eth_getLogs", [self._filter(fromBlock=hex(first), toBlock=hex(last))])
            began = time.monotonic()
            try:
                logs, *raw = self.node.batch([asked, *map(_header_call, numbers)])
            except (NodeRefused, NodeUnavailable):
                if self._range == 1:
                    raise
                self._range //= 2
                continue
            if time.monotonic() - began < FAST_SECONDS:
                self._range = min(self.range_max, self._range * 2)
            return _linked(_headers(numbers, raw)), _list(logs)

    def _by_hash(self, first: int, last: int) -> tuple[list[Header], list[Any]]:
        headers = _linked(self.headers(range(first, last + 1)))
        asked: list[Call] = [
            ("eth_getLogs", [self._filter(blockHash=header.hash)]) for header in headers
        ]
        answers = self.node.batch(asked)
        return headers, [log for logs in answers for log in _list(logs)]

    def _filter(self, **where: str) -> dict[str, Any]:
        # Lower-case: some nodes compare the text (FISCO-BCOS issue 4748).
        return {**where, "address": sorted(self._names)}

    def _appends(self, headers: Sequence[Header], logs: Sequence[Any]) -> Iterator[Append]:
        by_number: dict[int, list[Any]] = {header.block.number: [] for header in headers}
        for log in logs:
            number = number_of(log.get("blockNumber"))
            if number not in by_number:
                raise NodeContradicts(reason=f"a log of block {number} was not asked for")
            by_number[number].append(log)
        for header in headers:
            found = by_number[header.block.number]
            if self.has_blooms and self._looks_short(header, found):
                found = self._again(header)
            yield Append(header.block, self._entries(header, found))

    def _looks_short(self, header: Header, logs: Sequence[Any]) -> bool:
        seen = {str(log.get("address")).lower() for log in logs}
        if any(header.bloom & self._bits.get(one, 0) != self._bits.get(one, 0) for one in seen):
            raise NodeContradicts(reason=f"block {header.block.number} denies one of its logs")
        if header.bloom == 0 or (seen and header.bloom.bit_count() > SPARSE_BITS):
            return False
        return any(
            header.bloom & bits == bits for one, bits in self._bits.items() if one not in seen
        )

    def _again(self, header: Header) -> list[Any]:
        # The bloom speaks of an address without a log: either it errs, or the node dropped some.
        logs = _list(self.node.call("eth_getLogs", self._filter(blockHash=header.hash)))
        try:
            receipts = _list(self.node.call("eth_getBlockReceipts", hex(header.block.number)))
        except NodeRefused as refusal:
            if refusal.code != METHOD_NOT_FOUND:
                raise
            return logs
        there = [
            log
            for receipt in receipts
            for log in _list(receipt.get("logs"))
            if str(log.get("address")).lower() in self._names
        ]
        if len(there) != len(logs):
            raise NodeContradicts(
                reason=f"block {header.block.number} has {len(there)} logs, {len(logs)} were served"
            )
        return logs

    def _entries(self, header: Header, logs: Sequence[Any]) -> tuple[Entry, ...]:
        places = [self._place(header, log) for log in logs]
        order = sorted(range(len(logs)), key=places.__getitem__)
        if len(set(places)) != len(places):
            raise NodeContradicts(reason=f"block {header.block.number} has one log twice")
        indexes = [places[one][1] for one in order]
        if indexes != sorted(set(indexes)):
            # Some clients count logs per transaction: then the order in the block is the index.
            indexes = list(range(len(order)))
        made = (
            self._entry(header.block, logs[one], index)
            for one, index in zip(order, indexes, strict=True)
        )
        return tuple(entry for entry in made if entry is not None)

    def _place(self, header: Header, log: Mapping[str, Any]) -> tuple[int, int]:
        if str(log.get("blockHash")).lower() != header.hash or log.get("removed"):
            raise NodeContradicts(reason=f"a log is not of {header.block}")
        return number_of(log.get("transactionIndex")), number_of(log.get("logIndex"))

    def _entry(self, block: Block, log: Mapping[str, Any], log_index: int) -> Entry | None:
        address = str(log["address"]).lower()
        if address not in self._names:
            raise NodeContradicts(reason=f"a log of {address} was not asked for")
        meta = EventMeta(
            contract=self._names[address],
            address=Address(address),
            block_number=block.number,
            block_hash=block.hash,
            timestamp=block.timestamp,
            transaction_hash=Bytes32(str(log["transactionHash"]).lower()),
            transaction_index=number_of(log["transactionIndex"]),
            log_index=log_index,
        )
        topics = tuple([Bytes32(one.lower()) for one in log["topics"]])
        data = HexBytes(log["data"].lower())
        event = decode_log(topics, data, meta)
        return None if event is None else Entry(event, topics, data)


def _header_call(number: int) -> Call:
    return "eth_getBlockByNumber", [hex(number), False]


def _headers(numbers: Sequence[int], raw: Sequence[Any]) -> list[Header]:
    return [_header(number, one) for number, one in zip(numbers, raw, strict=True)]


def _header(number: int, raw: Any) -> Header:
    if not isinstance(raw, dict):
        raise NodeContradicts(reason=f"block {number} is below the head and is not there")
    if number_of(raw.get("number")) != number:
        raise NodeContradicts(reason=f"asked for block {number}, got {raw.get('number')}")
    timestamp = number_of(raw.get("timestamp"))
    if timestamp >= MILLISECONDS_FROM:
        timestamp //= 1000
    block = Block(
        number=number,
        hash=Bytes32(str(raw["hash"]).lower()),
        parent_hash=Bytes32(str(raw["parentHash"]).lower()),
        timestamp=timestamp,
    )
    return Header(block, number_of(raw.get("logsBloom") or "0x0"))


def _linked(headers: list[Header]) -> list[Header]:
    # The chain may move between two headers: what follows the break is left for the next pass.
    for place in range(1, len(headers)):
        if headers[place].block.parent_hash != headers[place - 1].hash:
            return headers[:place]
    return headers


def _list(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise NodeContradicts(reason=f"expected a list, got {type(value).__name__}")
    return value


def _bloom_bits(address: str) -> int:
    # Three bits of 2048, from the first three pairs of bytes of the hash (yellow paper, 4.3.1).
    digest = keccak(bytes.fromhex(address[2:]))
    bits = 0
    for place in (0, 2, 4):
        bits |= 1 << (int.from_bytes(digest[place : place + 2], "big") % 2048)
    return bits
