"""
From the logs that a node serves for a block to the block's entries, none of them believed.

Pure: no node is asked here. What is missing shows in the block's bloom, as far as a bloom can tell;
that nothing is missing shows only in the receipts' root (`chain.receipts`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from chain.consensus import hashed_extra_data
from chain.decoder import read_entry
from chain.decoders import IGNORED
from chain.event import EventMeta
from chain.facts import Block, Entry, Followed
from chain.receipts import EMPTY_ROOT, bloom_of, header_hash, receipts_root
from chain.rpc import NodeContradicts, number_of, seconds_of
from chain.values import Address, Bytes32, HexBytes, keccak

# A bloom with fewer bits set than this hardly ever shows an address that is not there.
SPARSE_BITS: Final = 256

# What reading an answer raises that is not of the form it should have.
MALFORMED: Final = (LookupError, TypeError, ValueError, AttributeError)


@dataclass(frozen=True, slots=True)
class Header:
    """A block's header with what more of it checking needs."""

    block: Block
    bloom: int
    raw: Mapping[str, Any]

    @property
    def hash(self) -> Bytes32:
        """Return the block's hash."""
        return self.block.hash

    @property
    def receipts_root(self) -> str:
        """Return the root of the block's receipts."""
        return str(self.raw.get("receiptsRoot")).lower()

    @property
    def transactions(self) -> list[str]:
        """Return the hashes of the block's transactions."""
        found = list_of(self.raw.get("transactions"))
        return [str(one).lower() for one in found]

    @property
    def may_have_receipts(self) -> bool:
        """Say whether there was a transaction in the block."""
        return self.receipts_root != EMPTY_ROOT

    @property
    def is_whole(self) -> bool:
        """Say whether the header hashes to what it says, by the rules of most chains."""
        try:
            found = header_hash(self.raw, extra_data=hashed_extra_data(self.raw))
            return found == self.block.hash
        except MALFORMED:
            return False


def read_header(number: int, raw: Any) -> Header:
    """
    Return the header of a height out of a node's answer.

    :raises NodeContradicts: if it is none, or another block's
    """
    if not isinstance(raw, dict):
        raise NodeContradicts(reason=f"block {number} is below the head and is not there")
    if number_of(raw.get("number")) != number:
        raise NodeContradicts(reason=f"asked for block {number}, got {raw.get('number')}")
    block = Block(
        number=number,
        hash=Bytes32(str(raw.get("hash")).lower()),
        parent_hash=Bytes32(str(raw.get("parentHash")).lower()),
        timestamp=seconds_of(raw.get("timestamp")),
    )
    return Header(block, number_of(raw.get("logsBloom") or "0x0"), raw)


def linked(headers: list[Header]) -> list[Header]:
    """Return the headers up to the first that is not the child of the one before."""
    # The chain may move between two headers: what follows the break is left for the next pass.
    for place in range(1, len(headers)):
        if headers[place].block.parent_hash != headers[place - 1].hash:
            return headers[:place]
    return headers


def list_of(value: Any) -> list[Any]:
    """
    Return a list that a node answered with.

    :raises NodeContradicts: if it is none
    """
    if not isinstance(value, list):
        raise NodeContradicts(reason=f"expected a list, got {type(value).__name__}")
    return value


def require_receipts(header: Header, receipts: Sequence[Any]) -> None:
    """
    Check that these are the receipts that a header commits to: all of them, as they were.

    :raises NodeContradicts: if one is missing, changed, or of another transaction
    """
    number = header.block.number
    try:
        root, bloom = receipts_root(receipts), bloom_of(receipts)
        transactions = [str(one["transactionHash"]).lower() for one in receipts]
    except MALFORMED as error:
        raise NodeContradicts(reason=f"a receipt of block {number} is none: {error!r}") from error
    if root != header.receipts_root:
        raise NodeContradicts(reason=f"the receipts of block {number} are not those of its header")
    if bloom != header.bloom:
        raise NodeContradicts(reason=f"the bloom of block {number} is not that of its receipts")
    if transactions != header.transactions:
        raise NodeContradicts(reason=f"the receipts of block {number} are of other transactions")


@dataclass(slots=True)
class LogReader:
    """What is followed, and how its logs are read."""

    contracts: Sequence[Followed]
    names: Mapping[str, str] = field(init=False)
    _bits: Mapping[str, int] = field(init=False)

    def __post_init__(self) -> None:
        self.names = {one.address.lower(): one.contract for one in self.contracts}
        self._bits = {address: _bloom_bits(address) for address in self.names}

    def may_hold(self, header: Header) -> bool:
        """Say whether the block's bloom shows a followed contract; it never misses one."""
        return any(header.bloom & bits == bits for bits in self._bits.values())

    def looks_short(self, header: Header, logs: Sequence[Mapping[str, Any]]) -> bool:
        """
        Say whether the bloom shows a followed contract of which there is no log.

        :raises NodeContradicts: if it denies one of the logs that are there
        """
        seen = {str(one).lower() for one in {log.get("address") for log in logs}}
        if any(header.bloom & self._bits.get(one, 0) != self._bits.get(one, 0) for one in seen):
            raise NodeContradicts(reason=f"block {header.block.number} denies one of its logs")
        if header.bloom == 0 or (seen and header.bloom.bit_count() > SPARSE_BITS):
            return False
        return any(
            header.bloom & bits == bits for one, bits in self._bits.items() if one not in seen
        )

    def entries(self, header: Header, logs: Sequence[Mapping[str, Any]]) -> tuple[Entry, ...]:
        """
        Return what the logs of one block are, in their order.

        ensures: the same whatever the client counts its logs by
        :raises NodeContradicts: if one is of another block, was removed, comes twice, is of an
                                 address that is not followed, or is no log
        """
        if not logs:
            return ()
        try:
            return tuple(self._read(header.block, _in_order(header.block, logs)))
        except MALFORMED as error:
            raise NodeContradicts(
                reason=f"a log of block {header.block.number} is none: {error!r}"
            ) from error

    def served(self, header: Header, receipts: Sequence[Mapping[str, Any]]) -> tuple[Entry, ...]:
        """
        Return the entries that a block's receipts hold.

        shape: a log's index is its place among all logs of the block
        :raises NodeContradicts: if one of the logs is none
        """
        found: list[_Placed] = []
        index = 0
        try:
            for place, receipt in enumerate(receipts):
                transaction = Bytes32(receipt["transactionHash"].lower())
                for log in receipt["logs"]:
                    if log["address"].lower() in self.names:
                        found.append((log, transaction, place, index))
                    index += 1
            return tuple(self._read(header.block, found))
        except MALFORMED as error:
            raise NodeContradicts(
                reason=f"a receipt of block {header.block.number} is none: {error!r}"
            ) from error

    def _read(self, block: Block, logs: Sequence["_Placed"]) -> list[Entry]:
        found = []
        number, block_hash, timestamp = block.number, block.hash, block.timestamp
        for log, transaction, place, index in logs:
            address = log["address"].lower()
            contract = self.names.get(address)
            if contract is None:
                raise NodeContradicts(reason=f"a log of {address} was not asked for")
            topics = tuple([Bytes32(one.lower()) for one in log["topics"]])
            if topics and topics[0] in IGNORED:
                continue
            meta = EventMeta(
                contract=contract,
                address=Address(address),
                block_number=number,
                block_hash=block_hash,
                timestamp=timestamp,
                transaction_hash=transaction,
                transaction_index=place,
                log_index=index,
            )
            entry = read_entry(topics, HexBytes(log["data"].lower()), meta)
            if entry is not None:
                found.append(entry)
        return found


# A log, its transaction's hash and place in the block, and its own place in the block.
_Placed = tuple[Mapping[str, Any], Bytes32, int, int]


def _in_order(block: Block, logs: Sequence[Mapping[str, Any]]) -> list[_Placed]:
    places = []
    for log in logs:
        if log["blockHash"].lower() != block.hash or log.get("removed"):
            raise NodeContradicts(reason=f"a log is not of {block}")
        places.append((int(log["transactionIndex"], 16), int(log["logIndex"], 16)))
    if len(set(places)) != len(places):
        raise NodeContradicts(reason=f"block {block.number} has one log twice")
    order = sorted(range(len(logs)), key=places.__getitem__)
    indexes = [places[one][1] for one in order]
    if indexes != sorted(set(indexes)):
        # Some clients count logs per transaction: then the order in the block is the index.
        indexes = list(range(len(order)))
    return [
        (logs[one], Bytes32(logs[one]["transactionHash"].lower()), places[one][0], index)
        for one, index in zip(order, indexes, strict=True)
    ]


def _bloom_bits(address: str) -> int:
    # Three bits of 2048, from the first three pairs of bytes of the hash (yellow paper, 4.3.1).
    digest = keccak(bytes.fromhex(address[2:]))
    bits = 0
    for place in (0, 2, 4):
        bits |= 1 << (int.from_bytes(digest[place : place + 2], "big") % 2048)
    return bits
