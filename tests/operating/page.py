"""
The commands of a page, in order: each block with the machines that it is typed on.

A block stands after a line such as "On *exchange-a*:", in whatever language; it knows no machine.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

BLOCK = re.compile(r"^(?P<where>[^\n]*\*[^\n]*)\n\n```bash\n(?P<text>.*?)^```$", re.M | re.S)
HEADING = re.compile(r"^## (.*)$", re.M)
EVERY = {"every machine", "每台机器"}
IN_TURN = {"each machine in turn", "逐台机器"}
WORKSTATION = {"workstation", "工作站"}
MACHINES = ("exchange-a", "exchange-b", "exchange-c")


@dataclass(frozen=True)
class Block:
    """Commands, where they are typed, and the heading that they stand under."""

    heading: str
    where: tuple[str, ...]
    is_in_turn: bool
    text: str


def blocks(path: Path) -> Iterator[Block]:
    """Yield the blocks of a page."""
    text = path.read_text("utf-8")
    headings = [(one.start(), one[1]) for one in HEADING.finditer(text)]
    for found in BLOCK.finditer(text):
        names = re.findall(r"\*([^*]+)\*", found["where"])
        heading = [title for place, title in headings if place < found.start()][-1]
        (is_in_turn,) = {name in IN_TURN for name in names}
        yield Block(heading, _machines(names), is_in_turn, found["text"])


def _machines(names: list[str]) -> tuple[str, ...]:
    if set(names) & (EVERY | IN_TURN):
        return MACHINES
    if set(names) & WORKSTATION:
        return ("workstation",)
    assert set(names) <= set(MACHINES), names
    return tuple(names)
