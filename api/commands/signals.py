"""
How a process that was asked to end does so: everything it opened is closed, in order.

It stops no other process (`api.commands.homes`).
"""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NoReturn


@contextmanager
def stoppable() -> Iterator[None]:
    """Let the signals that ask a process to end unwind it in order; a second does nothing."""
    asking = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

    def unwind(number: int, _: Any) -> NoReturn:
        for one in asking:
            signal.signal(one, signal.SIG_IGN)
        raise KeyboardInterrupt(number)

    before = {one: signal.signal(one, unwind) for one in asking}
    try:
        yield
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)
