"""
How far long work has come, on the error output: moving bars for people, a line per part elsewhere.

It knows no work.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from api.commands.showing import clean, console, say

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID


class Parts:
    """Work in parts, each of so many steps."""

    def __init__(self, bars: "Progress | None", *, is_quiet: bool = False) -> None:
        self._bars = bars
        self._is_quiet = is_quiet
        self._title = ""
        self._task: TaskID | None = None

    def begin(self, title: str) -> None:
        """Begin a part; how many steps it has may be unknown."""
        self._end()
        self._title = title
        if self._bars is None:
            if not self._is_quiet:
                say(title)
        else:
            self._task = self._bars.add_task(clean(title), total=None)

    def count(self, done: int, total: int) -> None:
        """Say how many steps of how many are done."""
        if self._bars is not None and self._task is not None:
            self._bars.update(self._task, completed=done, total=total)

    def _end(self) -> None:
        if self._bars is not None and self._task is not None:
            task = next(one for one in self._bars.tasks if one.id == self._task)
            total = task.total or 1
            self._bars.update(self._task, total=total, completed=total)


@contextmanager
def parts(*, is_quiet: bool = False) -> Iterator[Parts]:
    """Show the parts of one piece of work; quietly only on a terminal."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    out = console(stderr=True)
    if not out.is_terminal:
        yield Parts(None, is_quiet=is_quiet)
        return
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=out) as bars:
        yield Parts(bars)
