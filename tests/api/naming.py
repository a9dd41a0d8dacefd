"""
Blocks in which the ledger names content, as real logs that the mirror can read again.

No chain is needed: the logs are what `ParticipantSupplemented` encodes to.
"""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import Engine
from sqlmodel import Session

from chain.decoder import read_entry
from chain.decoders import DECODERS
from chain.documents import Digest
from chain.facts import Append, Block, Entry
from chain.store import apply_blocks, tip_of
from chain.values import Bytes32, HexBytes, bytes32, keccak

TOPIC: Final = next(
    topic for topic, one in DECODERS.items() if one.__name__ == "_participant_supplemented"
)
NAMED_BY: Final = "ParticipantSupplemented.profile_digest"
WORD: Final = 64


def name_content(mirror: Engine, digests: Sequence[Digest], *, branch: str = "") -> Block:
    """Add a block whose events name these digests; what the events do to records is left out."""
    with Session(mirror) as session, session.begin():
        tip = tip_of(session)
        number = tip.number + 1 if tip else 1
        block = Block(
            number=number,
            hash=_hash(f"naming block {number}{branch}"),
            parent_hash=tip.hash if tip else _hash("naming block 0"),
            timestamp=(tip.timestamp if tip else 1_760_000_000) + 12,
        )
        entries = [_entry(block, place, one) for place, one in enumerate(digests)]
        apply_blocks(session, [Append(block, tuple(entries))], lambda *_: ())
    return block


def _entry(block: Block, place: int, digest: Digest) -> Entry:
    meta = block.place(place, _hash(f"{block.hash}/{place}"), contract="Participants")
    words = ["0" * WORD, digest.value[2:], f"{int(digest.algorithm):0{WORD}x}"]
    entry = read_entry((Bytes32(TOPIC), _hash("whoever")), HexBytes("0x" + "".join(words)), meta)
    assert entry is not None
    assert not entry.fault
    return entry


def _hash(text: str) -> Bytes32:
    return bytes32(keccak(text.encode()))
