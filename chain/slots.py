"""
Where a contract keeps a number: its place in storage, as the compiler laid it out.

For what no view answers, such as how many there are of something. Which number means what is for
the caller to know.
"""

import json
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from chain.artifacts import FOLDER, ArtifactMissing
from chain.rpc import Call, Endpoint, NodeContradicts
from chain.values import Address

WORD_BYTES: Final = 32
BITS: Final = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """
    A number's place.

    units: `offset` and `size` in bytes, counted from the word's end as Solidity does
    """

    number: int
    offset: int
    size: int

    def call(self, address: Address, block_number: int) -> Call:
        """Return the request for the word that it stands in."""
        return ("eth_getStorageAt", [address, hex(self.number), hex(block_number)])

    def value(self, word: Any) -> int:
        """
        Return the number out of its word.

        :raises NodeContradicts: if it is no word
        """
        try:
            found = int(word, 16)
        except (TypeError, ValueError) as error:
            raise NodeContradicts(reason=f"not a storage word: {word!r}") from error
        return (found >> self.offset * BITS) & ((1 << self.size * BITS) - 1)


@cache
def slot_of(contract: str, *path: str) -> Slot:
    """
    Return where an unsigned number is kept: a variable, or a field of one that is a struct.

    :raises ArtifactMissing: if this version ships no such contract or variable
    """
    file = FOLDER / f"{contract}.json"
    if not file.is_file():
        raise ArtifactMissing(name=contract)
    storage = json.loads(file.read_text("utf-8"))["storage"]
    base, places, found = 0, storage["variables"], None
    for label in path:
        found = next((one for one in places if one["label"] == label), None)
        if found is None:
            break
        base += int(found["slot"])
        places = storage["structs"].get(found["type"], ())
    if found is None:
        raise ArtifactMissing(name=f"{contract}.{'.'.join(path)}")
    bits = found["type"].removeprefix("uint")
    if not bits.isdigit():
        raise ArtifactMissing(name=f"{contract}.{'.'.join(path)}")
    return Slot(number=base, offset=int(found["offset"]), size=int(bits) // BITS)


def read_numbers(
    node: Endpoint, asked: list[tuple[Slot, Address]], *, block_number: int
) -> list[int]:
    """Return numbers as they stood at the end of a block."""
    words = node.batch([slot.call(address, block_number) for slot, address in asked])
    return [slot.value(word) for (slot, _), word in zip(asked, words, strict=True)]
