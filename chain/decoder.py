"""
From a log to its event: finds the decoder by topic, and says where reading failed.

The decoders are generated (`chain.decoders`); whether a log belongs where it claims is checked by
`chain.indexer`.
"""

from collections.abc import Sequence

from chain.decoders import DECODERS, IGNORED
from chain.event import Event, EventMeta, UnknownEvent
from chain.failure import LedgerError
from chain.values import Bytes32, HexBytes


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
