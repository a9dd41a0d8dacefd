"""
Keeps several processes that answer questions: starts them, starts anew what ended, stops them.

What they do is `api.answering.reader`'s; the one process that writes is the one that this runs in.
"""

import logging
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from api.answering.reader import Task

LOG: Final = logging.getLogger(__name__)

WATCH_SECONDS: Final = 0.1
STOP_SECONDS: Final = 15
PAUSE_SECONDS_MAX: Final = 10
# A process that lived so long did not fail to start.
SOUND_SECONDS: Final = 30


@contextmanager
def answering(task: Task, *, count: int) -> Iterator["Processes"]:
    """Keep so many processes at a task until the end of the `with`."""
    processes = Processes(task, count)
    processes.start()
    try:
        yield processes
    finally:
        processes.stop()


class Processes:
    """Some processes with one task."""

    def __init__(self, task: Task, count: int) -> None:
        self._task = task
        self._kept = [_Kept(task) for _ in range(count)]
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="processes", daemon=True)

    def start(self) -> None:
        """Start them, and begin to watch."""
        for one in self._kept:
            one.start()
        self._thread.start()

    def pids(self) -> tuple[int, ...]:
        """Return the numbers of those that run."""
        return tuple(pid for one in self._kept if (pid := one.pid()) is not None)

    def stop(self) -> None:
        """Stop them all and wait; what does not stop in time is killed."""
        self._stopping.set()
        self._thread.join()
        for one in self._kept:
            one.ask_to_stop()
        end = time.monotonic() + STOP_SECONDS
        for one in self._kept:
            one.wait(max(0.0, end - time.monotonic()))

    def _watch(self) -> None:
        while not self._stopping.wait(WATCH_SECONDS):
            for one in self._kept:
                one.restart_if_ended()


class _Kept:
    """One process, and when it may be started anew."""

    def __init__(self, task: Task) -> None:
        self._task = task
        self._process: subprocess.Popen[bytes] | None = None
        self._started_at = 0.0
        self._pause = WATCH_SECONDS
        self._not_before = 0.0

    def start(self) -> None:
        """Start it; its input stays open, so that it ends when this process does."""
        self._started_at = time.monotonic()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "api.answering.reader"],
            stdin=subprocess.PIPE,
            pass_fds=(self._task.listener,),
            # A Ctrl-C is for this process alone, which stops the others in order.
            start_new_session=True,
        )
        assert self._process.stdin is not None
        self._process.stdin.write(self._task.to_line())
        self._process.stdin.flush()

    def pid(self) -> int | None:
        """Return its number, None while it does not run."""
        process = self._process
        return process.pid if process is not None and process.poll() is None else None

    def restart_if_ended(self) -> None:
        """Start it anew if it ended, ever more slowly if it keeps ending at once."""
        now = time.monotonic()
        if self._process is not None and self._process.poll() is not None:
            LOG.error("process ended pid=%s code=%s", self._process.pid, self._process.returncode)
            is_sound = now - self._started_at >= SOUND_SECONDS
            self._pause = WATCH_SECONDS if is_sound else min(PAUSE_SECONDS_MAX, self._pause * 2)
            self._not_before = now + self._pause
            self._close()
        if self._process is None and now >= self._not_before:
            self.start()

    def ask_to_stop(self) -> None:
        """Ask it to end its requests and itself."""
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()

    def wait(self, seconds: float) -> None:
        """Wait until it has ended, and kill it if it does not."""
        if self._process is None:
            return
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._close()

    def _close(self) -> None:
        assert self._process is not None
        if self._process.stdin is not None:
            self._process.stdin.close()
        self._process = None
