"""
Where a reader of the events stands: after one event, or after a block, on one history of the chain.

A position outlives forks: with the block's hash and the number of the last rewind it had heard of,
a reader who comes back learns what no longer holds. Not what comes next (`api.streaming.feed`).
"""

import re
from dataclasses import dataclass
from typing import Final, Self

from chain.failure import Conflict, Invalid
from chain.values import ZERO_BYTES32, Bytes32

# After all logs of a block, however many it has.
END: Final = 2**62
PATTERN: Final = r"^(?:-1|[0-9]{1,18})(\.([0-9]{1,18}|end)\.[0-9]{1,18}\.0x[0-9a-f]{64})?$"
CHARACTERS_MAX: Final = 128

# The hash of no block: what stands there is not compared.
ANY_HASH: Final = Bytes32(ZERO_BYTES32)
# A position that was not given out, but asked for by its height, has heard of no rewind it missed.
UNHEARD: Final = -1


class PositionInvalid(Invalid):
    """A position is the `id` of an event of the stream, or the number of a block."""

    position: str


class PositionForeign(Conflict):
    """The position is of another chain: begin anew without it."""

    position: str


@dataclass(frozen=True, slots=True)
class Position:
    """
    A place in the order of the chain, on one history of it.

    shape: `log_index` is END after a whole block; `epoch` is the mirror's last rewind that the
           reader knows of, or UNHEARD
    """

    block_number: int
    log_index: int
    epoch: int
    block_hash: Bytes32

    @classmethod
    def parse(cls, text: str) -> Self:
        """
        Return the position that a text names.

        :raises PositionInvalid: if it is neither a position nor a block's number
        """
        if re.fullmatch(PATTERN, text) is None:
            raise PositionInvalid(position=text[:CHARACTERS_MAX])
        number, _, rest = text.partition(".")
        if not rest:
            return cls(int(number), END, UNHEARD, ANY_HASH)
        log_index, epoch, block_hash = rest.split(".")
        place = END if log_index == "end" else int(log_index)
        return cls(int(number), place, int(epoch), Bytes32(block_hash))

    def __str__(self) -> str:
        place = "end" if self.log_index == END else str(self.log_index)
        return f"{self.block_number}.{place}.{max(self.epoch, 0)}.{self.block_hash}"


START: Final = Position(-1, END, UNHEARD, ANY_HASH)
"""Before everything."""
