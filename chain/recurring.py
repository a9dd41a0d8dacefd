"""
Work that is done again and again in a thread of its own, beside everything else, until stopped.

What passes by itself (a node or a database that is away, a store that refuses) is logged and tried
again the next time; a mistake of ours is logged in full and ends the thread.
"""

import logging
import threading
from collections.abc import Callable
from typing import Final

from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from chain.failure import LedgerError

LOG: Final = logging.getLogger(__name__)


class Recurring:
    """
    One such piece of work.

    units: `stop_seconds` is how long `stop` waits for the work at hand; None waits until it is done
    """

    def __init__(
        self,
        work: Callable[[], object],
        *,
        name: str,
        every_seconds: float,
        stop_seconds: float | None = None,
    ) -> None:
        self._work = work
        self._name = name
        self._every_seconds = every_seconds
        self._stop_seconds = stop_seconds
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def is_stopping(self) -> bool:
        """Say whether the work at hand should end as soon as it can."""
        return self._stopping.is_set()

    def start(self) -> None:
        """Work in a thread of this process."""
        self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop after the work at hand, and wait for that."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join(self._stop_seconds)
            self._thread = None

    def _run(self) -> None:
        while not self._stopping.wait(self._every_seconds):
            try:
                self._work()
            except (LedgerError, OSError) as error:
                LOG.warning("put off work=%s reason=%s", self._name, error)
            except DBAPIError as error:
                LOG.warning("put off work=%s reason=%s", self._name, error.orig)
            except SQLAlchemyError as error:  # all connections are in use, or one was lost
                LOG.warning("put off work=%s reason=%s", self._name, error)
            except Exception:
                LOG.critical("ended work=%s", self._name, exc_info=True)
                raise
