"""
From a log to its event: finds the decoder by topic, and says where reading failed.

The decoders are generated (`chain.decoders`); whether a log belongs where it claims is checked by
`chain.indexer`.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from chain.decoders import DECODERS, IGNORED
from chain.event import Event, EventMeta, UnknownEvent
from chain.facts import Block, Entry
from chain.failure import LedgerError
from chain.values import ZERO_BYTES32, Bytes32, HexBytes, address, bytes32


class LogMalformed(LedgerError):
    """A followed contract's log does not hold what its event encodes."""

    contract: str
    block_number: int
    log_index: int
    reason: str


def decode_log(topics: Sequence[str], data: str, meta: EventMeta) -> Event | None:
    """
    Return the event a log stands for; None for the token standards' events, which the fold ignores.

    shape: lower-case hex, as the node or the events table gives it
    ensures: a topic this version does not know comes back raw, as UnknownEvent
    :raises LogMalformed: if the topic is known and the content is not that event's
    """
    topic = topics[0] if topics else ""
    decode = DECODERS.get(topic)
    if decode is not None:
        try:
            return decode(topics, data, meta)
        except (ValueError, LookupError) as error:
            raise LogMalformed(
                contract=meta.contract,
                block_number=meta.block_number,
                log_index=meta.log_index,
                reason=str(error),
            ) from error
    if topic in IGNORED:
        return None
    return UnknownEvent(
        meta=meta, topics=tuple(Bytes32(one) for one in topics), data=HexBytes(data)
    )


def decode_receipt(receipt: Mapping[str, Any]) -> tuple[Event, ...]:
    """
    Return the events of a transaction from its receipt, as the node has it.

    shape: without the contract's name and the time, which a receipt does not tell
    """
    transaction = bytes32(receipt["transactionHash"])
    block = Block(
        number=int(receipt["blockNumber"], 16),
        hash=bytes32(receipt["blockHash"]),
        parent_hash=ZERO_BYTES32,
        timestamp=0,
    )
    found = (
        decode_log(
            one["topics"],
            one["data"],
            block.place(
                int(one["logIndex"], 16),
                transaction,
                contract="",
                address=address(one["address"]),
                transaction_index=int(one["transactionIndex"], 16),
            ),
        )
        for one in receipt["logs"]
    )
    return tuple(event for event in found if event is not None)


def read_entry(topics: tuple[Bytes32, ...], data: HexBytes, meta: EventMeta) -> Entry | None:
    """
    Return the event a log stands for beside the log; None for what the fold ignores.

    ensures: a log that is not what its topic says comes back raw, with the fault, so that one such
             log stops nobody
    """
    try:
        event = decode_log(topics, data, meta)
    except LogMalformed as fault:
        raw = UnknownEvent(meta=meta, topics=topics, data=data)
        return Entry(raw, topics, data, str(fault))
    return None if event is None else Entry(event, topics, data)
