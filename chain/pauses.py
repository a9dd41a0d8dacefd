"""
Keeps the collector of cycles out of long work on many small values.

What is collected when it runs again is the interpreter's affair.
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def without_pauses() -> Iterator[None]:
    """
    Keep the collector of cycles from looking through everything while millions of rows pass.

    The rows have no cycles; what other threads leave meanwhile is collected afterwards.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
