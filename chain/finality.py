"""
The one rule by which a chain's blocks become final: a depth, or what the node calls `finalized`.

Only the worker asks it. Whoever answers questions reads the height that the worker noted
(`chain.reads.final_number`), so that no two of them can disagree.

    auto        what the chain's profile says (`chain.chain_profiles`)
    finalized   the node's `finalized` block: only where its consensus gives that word a meaning
    N           blocks that are N or more below the mirror's tip
"""

from dataclasses import dataclass
from typing import Final

from chain.failure import Invalid
from chain.rpc import Endpoint, NodeContradicts, number_of
from chain.values import Bytes32

AUTO: Final = "auto"
FINALIZED: Final = "finalized"

# A chain of one process cannot fork, but forgets: anvil writes its state once a second or less
# often, and comes back without the empty blocks that a burst left at its end (`chain.replay` makes
# every other one again). Those were up to 27 after a hundred transactions (measured), so that they
# are never counted as final, however many there are.
EMBEDDED_DEPTH: Final = 16
# Blocks are fetched by hash within this many of the head where the node says what is final: two
# epochs of 32 slots, after which Ethereum's own blocks are.
OTHER_DEPTH: Final = 64
DEPTH_DIGITS_MAX: Final = 9


class FinalityInvalid(Invalid):
    """Finality is `auto`, `finalized`, or a number of blocks."""

    finality: str


@dataclass(frozen=True, slots=True)
class Finality:
    """
    A chain's rule.

    shape: `depth` in blocks below the mirror's tip; None asks the node for its `finalized` block;
           `forgets` is true for a chain that may come back without the empty blocks at its end
    """

    depth: int | None
    forgets: bool = False

    def sure_number(self, tip_number: int) -> int:
        """Return the height up to which blocks are final by the depth alone; -1 if none is."""
        return -1 if self.depth is None or self.forgets else max(-1, tip_number - self.depth)

    def deep_number(self, tip_number: int, event_number: int) -> int:
        """
        Return the height up to which blocks are final by a depth; below zero if none is.

        shape:   for a rule that has a depth; `event_number` is the height of the mirror's last
                 event
        ensures: no block is final that was not seen with `depth` blocks on top of it, whatever head
                 a node claims
        """
        assert self.depth is not None
        deep = tip_number - self.depth
        return min(deep, event_number) if self.forgets else deep


def finalized_of(node: Endpoint) -> tuple[int, Bytes32] | None:
    """
    Return height and hash of the block that a node calls final, None before there is one.

    :raises NodeContradicts: if it is no block
    """
    found = node.call("eth_getBlockByNumber", FINALIZED, False)
    if found is None:
        return None
    if not isinstance(found, dict):
        raise NodeContradicts(reason="the finalized block is no block")
    return number_of(found.get("number")), Bytes32(str(found.get("hash")).lower())


def check_finality(text: str) -> str:
    """
    Return a setting of finality, if it is one.

    :raises FinalityInvalid: otherwise
    """
    is_depth = text.isascii() and text.isdigit() and len(text) <= DEPTH_DIGITS_MAX
    if text in (AUTO, FINALIZED) or is_depth:
        return text
    raise FinalityInvalid(finality=text)


def finality_of(text: str, auto: Finality) -> Finality:
    """
    Return the rule that a setting means on a chain, whose profile says what `auto` is.

    :raises FinalityInvalid: if it is no setting
    """
    setting = check_finality(text)
    if setting == AUTO:
        return auto
    return Finality(None if setting == FINALIZED else int(setting))
