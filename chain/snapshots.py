"""
The files that an embedded chain wakes from: which are whole, and the two that are kept.

anvil writes its state in place, so a kill may cut it off. Nothing here starts or asks a node.
"""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import orjson

from chain.durable import fresh_file, publish

STATE_KEYS: Final = frozenset({"accounts", "best_block_number", "block", "blocks", "transactions"})


class Snapshots:
    """
    The state files of one folder.

    shape: `current` is what the chain reads and writes; `good` the last it woke from, `older` the
           one before; `bad` the last that it could not wake from, for whoever wants to know why
    """

    def __init__(self, folder: Path) -> None:
        self.current = folder / "state.json"
        self.good = folder / "state.good.json"
        self.older = folder / "state.older.json"
        self.bad = folder / "state.bad.json"
        self._next = folder / "state.next.json"

    def choices(self) -> Iterator[Path | None]:
        """
        Yield what to wake from, newest first; None, an empty chain, at the end.

        ensures: before each is yielded, `current` is that file, or gone
        """
        if is_whole(self.current):
            _copy(self.current, self._next)
            yield self.current
        self._set_aside()
        for kept in (self.good, self.older):
            if is_whole(kept):
                _copy(kept, self.current)
                yield kept
        self._set_aside()
        yield None

    def keep(self, choice: Path | None) -> None:
        """Keep what the chain woke from."""
        if choice == self.current:
            if self.good.is_file():
                os.replace(self.good, self.older)
            os.replace(self._next, self.good)

    def size_bytes(self) -> int:
        """Return how large the state is."""
        return self.current.stat().st_size if self.current.is_file() else 0

    def _set_aside(self) -> None:
        if self.current.is_file():
            os.replace(self.current, self.bad)


def is_whole(path: Path) -> bool:
    """Say whether a state file is there to its end."""
    try:
        found = orjson.loads(path.read_bytes())
    except (FileNotFoundError, orjson.JSONDecodeError):
        return False
    return isinstance(found, dict) and found.keys() >= STATE_KEYS


def _copy(source: Path, target: Path) -> None:
    with fresh_file(target.parent) as file, source.open("rb") as original:
        shutil.copyfileobj(original, file)
        publish(file, target)
